"""TCG Opal: new keys for every range (cryptographic erase).

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _command, _opal

ID = "tcg-opal-genkey"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _opal.gen_key(ID, order.drive.transport))


PLUGIN = Technique(
    id=ID,
    method=Method.PURGE,
    standard="TCG Opal SSC 2.01, GenKey",
    about=message("The drive makes new keys for all its ranges (TCG Opal, GenKey)."),
    unfit=unfit,
    run=run,
)

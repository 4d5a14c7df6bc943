"""TCG Opal: Revert by the PSID that is printed on the drive's label.

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _command, _opal

ID = "tcg-opal-psid-revert"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _opal.revert(ID, order.drive.transport, order.psid))


PLUGIN = Technique(
    id=ID,
    method=Method.PURGE,
    standard="TCG PSID Feature Set 1.00, Revert",
    about=message(
        "The drive forgets its key, whoever locked it (TCG Opal, Revert by the PSID on its label)."
    ),
    unfit=unfit,
    run=run,
    needs_psid=True,
)

"""ATA SANITIZE DEVICE, block erase.

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media import ata
from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _ata, _command

ID = "ata-sanitize-block"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _ata.sanitize(ID, ata.Sanitize.BLOCK))


PLUGIN = Technique(
    id=ID,
    method=Method.PURGE,
    standard="ACS-4 §7.36 SANITIZE DEVICE",
    about=message("The drive erases all its blocks (ATA SANITIZE BLOCK ERASE)."),
    unfit=unfit,
    run=run,
)

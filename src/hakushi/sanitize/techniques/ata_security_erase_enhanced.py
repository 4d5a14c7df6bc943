"""ATA SECURITY ERASE UNIT, enhanced mode: Clear only, since what it does is the maker's own.

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _ata, _command

ID = "ata-security-erase-enhanced"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _ata.security(ID, enhanced=True))


PLUGIN = Technique(
    id=ID,
    method=Method.CLEAR,
    standard="ACS-4 §7.45 SECURITY ERASE UNIT",
    about=message("The drive erases all of itself (ATA SECURITY ERASE UNIT, enhanced)."),
    unfit=unfit,
    run=run,
)

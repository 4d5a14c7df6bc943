"""ATA SECURITY ERASE UNIT, normal mode: Clear at most, as on flash it may miss cells.

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _ata, _command

ID = "ata-security-erase"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _ata.security(ID, enhanced=False))


PLUGIN = Technique(
    id=ID,
    method=Method.CLEAR,
    standard="ACS-4 §7.45 SECURITY ERASE UNIT",
    about=message("The drive erases what can be addressed (ATA SECURITY ERASE UNIT)."),
    unfit=unfit,
    run=run,
)

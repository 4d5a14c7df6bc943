"""SCSI SANITIZE, overwrite.

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media import scsi
from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _command, _scsi

ID = "scsi-sanitize-overwrite"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _scsi.sanitize(ID, scsi.Sanitize.OVERWRITE))


PLUGIN = Technique(
    id=ID,
    method=Method.PURGE,
    standard="SBC-4 §5.32 SANITIZE",
    about=message("The drive overwrites itself (SCSI SANITIZE, overwrite)."),
    unfit=unfit,
    run=run,
)

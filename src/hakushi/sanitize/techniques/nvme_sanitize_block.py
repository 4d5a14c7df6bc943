"""NVMe Sanitize, block erase.

Proven on virtual drives alone; no real drive was erased with it.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media import nvme
from hakushi.media.device import Device
from hakushi.model import Drive, Message, message
from hakushi.sanitize import Journal, Method, Order, Progress, Result, Technique
from hakushi.sanitize.techniques import _command, _nvme

ID = "nvme-sanitize-block"


def unfit(drive: Drive) -> Message | None:
    return _command.unfit(drive, ID)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    return _command.run(device, order, journal, _nvme.sanitize(ID, nvme.Sanitize.BLOCK))


PLUGIN = Technique(
    id=ID,
    method=Method.PURGE,
    standard="NVMe Base 1.4 §5.24 Sanitize",
    about=message("The drive erases all its blocks (NVMe Sanitize, block erase)."),
    unfit=unfit,
    run=run,
)

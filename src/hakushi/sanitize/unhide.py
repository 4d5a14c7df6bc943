"""Opens a drive's hidden area before anything is erased, so that all of it can be reached."""

from __future__ import annotations

from dataclasses import replace

from hakushi.media import ata
from hakushi.media.commands import Ata
from hakushi.media.device import Device, differences
from hakushi.model import Drive


def open_hidden(device: Device, drive: Drive) -> Drive:
    """The drive as it is afterwards. Where it cannot be opened nothing changes, and what hides is
    told as ever. Raises OSError.

    SET MAX ADDRESS EXT lasts over a power cycle: the drive was to be erased whole. Tried on virtual
    drives; device configuration overlays are not opened.
    """
    transport = device.commands()
    size, native = drive.size, drive.native_size
    if transport is None or native is None or native <= size or drive.transport != "ata":
        return drive
    told = transport.ata(ata.NATIVE_MAX)
    if not told.ok or (told.lba + 1) * drive.logical_sector != native:
        return drive
    # SET MAX must follow READ NATIVE MAX at once (ACS-2 §7.55).
    if not transport.ata(Ata(0x37, count=1, lba=told.lba)).ok:
        return drive
    if device.rescan() != native:
        return drive
    now = device.identify()
    if set(differences(now, drive)) - {"size"}:
        return drive
    return replace(now, path=drive.path)

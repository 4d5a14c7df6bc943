"""Opens a drive's hidden area before anything is erased, so that all of it can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hakushi.media import ata
from hakushi.media.commands import Ata, Transport
from hakushi.media.device import Device, differences
from hakushi.model import Drive


def open_hidden(device: Device, drive: Drive) -> Drive:
    """The drive as it is afterwards. Where it cannot be opened nothing changes, and what hides is
    told as ever. Raises OSError.

    What is set lasts over a power cycle: the drive was to be erased whole. Tried on virtual drives.
    """
    transport = device.commands()
    size, native = drive.size, drive.native_size
    if transport is None or native is None or native <= size or drive.transport != "ata":
        return drive
    last = native // drive.logical_sector - 1
    if not any(device.rescan() == native for _ in _openings(transport, last)):
        return drive
    now = device.identify()
    if set(differences(now, drive)) - {"size"}:
        return drive
    return replace(now, path=drive.path)


def _openings(transport: Transport, last: int) -> Iterator[None]:
    """Each way that a drive took to make its last sector addressable."""
    native = transport.ata(ata.NATIVE_MAX)
    if native.ok and native.lba == last:
        # SET MAX ADDRESS EXT must follow READ NATIVE MAX at once (ACS-2 §7.55).
        if transport.ata(Ata(0x37, count=1, lba=last)).ok:
            yield
        return
    accessible = transport.ata(ata.ACCESSIBLE_MAX)
    if accessible.ok and accessible.lba == last:
        # SET ACCESSIBLE MAX ADDRESS EXT (ACS-3 §7.2.4).
        if transport.ata(Ata(0x78, feature=1, lba=last)).ok:
            yield
        return
    # DEVICE CONFIGURATION RESTORE (ATA/ATAPI-7 §6.18): no other way opens an overlay.
    if transport.ata(ata.CONFIGURATION).ok and transport.ata(Ata(0xB1, feature=0xC3)).ok:
        yield

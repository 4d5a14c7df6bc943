"""Writes a drive whose zones take writes in order alone: each is reset, then filled in one go.

A reset makes a zone read as zeros and leaves its bytes where they are: only writing removes them.
"""

from __future__ import annotations

from collections.abc import Generator

from hakushi.media.device import Device
from hakushi.media.zones import Zone
from hakushi.model import Extent, Extents
from hakushi.sanitize import Journal, Progress
from hakushi.sanitize.fill import Fill


def write(
    device: Device,
    journal: Journal,
    number: int,
    fill: Fill,
    zones: tuple[Zone, ...],
    *,
    chunk: int,
    stride: int,
) -> Generator[Progress, None, str]:
    """Like the sweep over other drives, from where the journal stands; gives "" in the end.

    ``chunk``: bytes of one write; ``stride``: bytes between two flushes.

    A zone that refuses a write takes none behind it: its rest is noted as failed, the next goes on.
    """
    kept = journal.done.to
    for zone in zones:
        if zone.end <= kept:
            continue
        at, failed = _begun(device, zone, kept), Extents()
        while at < zone.end:
            piece = Extent(at, min(chunk, zone.end - at))
            try:
                device.write(piece.offset, fill.render(piece.offset, piece.length))
                at = piece.end
            except OSError:
                failed, at = Extents([Extent(at, zone.end - at)]), zone.end
            if at - kept >= stride or at == zone.end:
                try:
                    device.flush()
                except OSError as error:
                    journal.wrote(number, device.size, Extents([Extent(kept, device.size - kept)]))
                    return error.strerror or "the flush failed"
                journal.wrote(number, at, failed)
                kept = at
            yield Progress(fill.writing, at, device.size)
    return ""


def _begun(device: Device, zone: Zone, kept: int) -> int:
    """Where to write in a zone: its start, reset, or, resumed, where its pointer stands.

    A zone that cannot be reset stays as it is; its first write tells.
    """
    if not zone.ordered:
        return max(kept, zone.start)
    if kept > zone.start:
        return min(max(zone.pointer, zone.start), zone.end)
    try:
        device.reset_zone(zone)
    except OSError:
        return zone.start
    return zone.start


def reaches_end(zones: tuple[Zone, ...], to: int) -> bool:
    """Whether resetting the zone at ``to`` may have emptied the drive's last bytes."""
    return bool(zones) and to >= zones[-1].start


def gaps(zones: tuple[Zone, ...]) -> int:
    """Bytes that have an address and no place behind it."""
    return sum(zone.length - zone.capacity for zone in zones)

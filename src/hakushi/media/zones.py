"""Drives whose zones must be written in order: what the kernel tells of them (ZBC, ZAC, ZNS)."""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import SECTOR, Malformed

REPORT = 0xC0101282
"""BLKREPORTZONE, <linux/blkzoned.h>."""
RESET = 0x40101283
"""BLKRESETZONE."""
_HEAD, _ZONE = struct.Struct("<QII"), struct.Struct("<QQQBBBB4xQ24x")
_AT_ONCE = 4096
_CONVENTIONAL = 1
_CAPACITY = 1
"""A flag of the answer: zones tell their capacity."""
_MOST = 1 << 22
"""Zones: 64 TiB in zones of 16 MiB."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A run of bytes. ``ordered``: it takes writes at ``pointer`` alone, until it is reset.

    Beyond ``capacity`` it has addresses without a place behind them. In bytes.
    """

    start: int
    length: int
    capacity: int
    pointer: int
    ordered: bool

    @property
    def end(self) -> int:
        return self.start + self.length


def report(fd: int, size: int) -> tuple[Zone, ...]:
    """Every zone of an open zoned block device, in order. Raises OSError, `Malformed`."""
    out: list[Zone] = []
    at = 0
    while at < size:
        buffer = bytearray(_HEAD.size + _AT_ONCE * _ZONE.size)
        _HEAD.pack_into(buffer, 0, at // SECTOR, _AT_ONCE, 0)
        fcntl.ioctl(fd, REPORT, buffer)
        for zone in read(bytes(buffer)):
            if zone.start != at or len(out) >= _MOST:
                raise Malformed("zones that do not follow each other")
            out.append(zone)
            at = zone.end
        if not out or out[-1].end != at:
            raise Malformed("a report without zones")
    return tuple(out)


def read(data: bytes) -> Iterator[Zone]:
    """The zones of one answer (``struct blk_zone_report``). Raises `Malformed`."""
    _, count, flags = _HEAD.unpack_from(data)
    if not 0 < count <= (len(data) - _HEAD.size) // _ZONE.size:
        raise Malformed(f"a report of {count} zones")
    for number in range(count):
        start, length, pointer, kind, _, _, _, capacity = _ZONE.unpack_from(
            data, _HEAD.size + number * _ZONE.size
        )
        room = min(capacity, length) if flags & _CAPACITY else length
        if not length:
            raise Malformed("a zone of no length")
        sizes = (SECTOR * start, SECTOR * length, SECTOR * room, SECTOR * pointer)
        yield Zone(*sizes, ordered=kind != _CONVENTIONAL)


def reset(fd: int, zone: Zone) -> None:
    """Moves a zone's pointer back to its start; readers then get zeros. Raises OSError."""
    fcntl.ioctl(fd, RESET, struct.pack("<QQ", zone.start // SECTOR, zone.length // SECTOR))

"""The log of an XFS file system: inodes as transactions left them, with sizes and extents that
deleting has taken out of the inodes themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import SECTOR, Malformed
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import xfs_disk as disk

MAGIC = b"\xfe\xed\xba\xbe"
_HEADER_WORDS = 64
"""Sectors whose first words one header keeps."""
_PER_HEADER = 32 << 10
_INODE = 0x123B
_DATA, _EXTENTS = 2, 4
_CONTINUES, _WAS_CONTINUED = 4, 8
_LARGEST_RECORD = 1 << 20


@dataclass(frozen=True, slots=True)
class Version:
    """An inode as a transaction left it. ``fork``: its extents or its short directory, or None
    where the transaction did not change them. ``order`` grows with time.
    """

    order: int
    inode: disk.Inode
    fork: bytes | None


def versions(cursor: Cursor, origin: int, sb: disk.Super, budget: Budget) -> Iterator[Version]:
    """Every inode of every record that the log still holds, oldest first."""
    if not sb.log_at:
        return
    try:
        start = origin + sb.byte(sb.log_at)
    except Malformed:
        return
    size = min(sb.log_blocks * sb.block, cursor.size - start) // SECTOR * SECTOR
    found = sorted(_records(cursor, start, size, budget))
    bodies = (_body(cursor, start, size, at) for _, at in found)
    for number, regions in enumerate(_inodes(_regions(bodies))):
        budget.pay()
        one = _version(regions, sb, number)
        if one is not None:
            yield one


def _records(cursor: Cursor, start: int, size: int, budget: Budget) -> Iterator[tuple[int, int]]:
    """(sequence, place in the log) of each record's header."""
    piece = 1 << 20
    for at in range(0, size, piece):
        budget.pay()
        raw = cursor.take(start + at, min(piece, size - at))
        found = raw.find(MAGIC)
        while found >= 0:
            if found % SECTOR == 0 and found + 24 <= len(raw):
                yield int.from_bytes(raw[found + 16 : found + 24], "big"), at + found
            found = raw.find(MAGIC, found + 1)


def _take(cursor: Cursor, start: int, size: int, at: int, length: int) -> bytes:
    """Bytes of the log, which is a ring."""
    at %= size
    first = min(length, size - at)
    data = cursor.take(start + at, first)
    return data if first == length else data + cursor.take(start, length - first)


def _body(cursor: Cursor, start: int, size: int, at: int) -> bytes:
    """A record's bytes, with the word back in place that each sector lost to its cycle number."""
    head = _take(cursor, start, size, at, SECTOR)
    (length,) = struct.unpack_from(">I", head, 12)
    (version,), (room,) = struct.unpack_from(">I", head, 8), struct.unpack_from(">I", head, 320)
    if not 0 < length <= min(_LARGEST_RECORD, size):
        return b""
    headers = -(-room // _PER_HEADER) if version & 2 and _PER_HEADER < room <= 8 << 20 else 1
    words = head[44 : 44 + 4 * _HEADER_WORDS]
    for n in range(1, headers):
        words += _take(cursor, start, size, at + n * SECTOR, SECTOR)[4 : 4 + 4 * _HEADER_WORDS]
    length = min(-(-length // SECTOR) * SECTOR, len(words) // 4 * SECTOR)
    body = bytearray(_take(cursor, start, size, at + headers * SECTOR, length))
    for n in range(length // SECTOR):
        body[n * SECTOR : n * SECTOR + 4] = words[n * 4 : n * 4 + 4]
    return bytes(body)


def _regions(bodies: Iterator[bytes]) -> Iterator[bytes]:
    """What transactions logged, in order; what goes on in the next record is put together."""
    begun = b""
    for body in bodies:
        at = 0
        while at + 12 <= len(body):
            length, flags = int.from_bytes(body[at + 4 : at + 8], "big"), body[at + 9]
            region = body[at + 12 : at + 12 + length]
            at += 12 + length
            if flags & _WAS_CONTINUED:
                region = begun + region
            begun = b""
            if flags & _CONTINUES and len(region) < _LARGEST_RECORD:
                begun = region
            else:
                yield region


def _inodes(every: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The regions of each logged inode: what it is about, its core, and what follows."""
    regions: list[bytes] = []
    wanted = 0
    for region in every:
        length = len(region)
        if wanted:
            regions.append(region)
            wanted -= 1
        elif length >= 52 and region[:2] == _INODE.to_bytes(2, "little"):
            regions, wanted = [region], min(4, region[2]) - 1
        if regions and not wanted:
            yield regions
            regions = []


def _version(regions: list[bytes], sb: disk.Super, order: int) -> Version | None:
    if len(regions) < 2 or len(regions[1]) < sb.head:
        return None
    (fields,) = struct.unpack_from("<I", regions[0], 4)
    (number,) = struct.unpack_from("<Q", regions[0], 16)
    one = disk.inode(regions[1], sb, number, "<")
    if one is None:
        return None
    fork = regions[2] if fields & (_DATA | _EXTENTS) and len(regions) > 2 else None
    return Version(order, one, fork)

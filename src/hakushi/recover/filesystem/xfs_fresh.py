"""What mkfs.xfs writes and nothing else: the structures of a new, empty XFS of version 5.

A piece is explained only where its checksum holds and every byte that it does not count is zero:
what stood in the rest of a block, or in a freed inode, is no structure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hakushi.model import Malformed, Run
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import xfs_disk as disk
from hakushi.recover.grammar.crc32c import crc32c

_HEADS = ((b"XFSB", 224, 304), (b"XAGF", 216, 224), (b"XAGI", 312, 344))
"""A group's first three sectors: magic, place of the checksum, end of what it says."""
_LISTED, _LISTED_SUM = 36, 32
"""The free list, the fourth: its head, the place of its checksum."""
_NONE = 0xFFFFFFFF
_TREES = {b"AB3B": 8, b"AB3C": 8, b"IAB3": 16, b"FIB3": 16, b"R3FC": 12, b"RMB3": 24}
"""Magic of a tree's block -> bytes of a record in its leaf."""
_TREE_HEAD, _TREE_SUM = 56, 52
_INODES = 64
_INODE_SUM = 100
_ORDINARY = 3
"""The root folder, and the two files of the real-time part."""
_LOG, _LOG_HEAD = b"\xfe\xed\xba\xbe", 328
_LOG_PADDED = 64 << 10
_MOUNTER, _UNMOUNT = 0xAA, 0x20


def runs(cursor: Cursor, sb: disk.Super, budget: Budget) -> Iterator[Run]:
    """Each piece that is as mkfs leaves it. Nothing of a volume of version 4."""
    if sb.version != 5:
        return
    for group in sb.groups_within(cursor.size):
        budget.pay()
        base = group * sb.group_blocks * sb.block
        yield from _heads(cursor, sb, base)
        for root in _roots(cursor, sb, base):
            at = base + root * sb.block
            if _is_leaf(_taken(cursor, at, sb.block)):
                yield Run(at, sb.block)
    yield from _inodes(cursor, sb)
    yield from _log(cursor, sb)


def _taken(cursor: Cursor, at: int, length: int) -> bytes:
    try:
        return cursor.take(at, length)
    except Malformed:
        return b""


def _holds(raw: bytes, at: int) -> bool:
    """Whether the checksum at a place is that of the rest (little-endian, itself as zeros)."""
    if len(raw) < at + 4:
        return False
    bare = raw[:at] + bytes(4) + raw[at + 4 :]
    return crc32c(bare).to_bytes(4, "little") == raw[at : at + 4]


def _heads(cursor: Cursor, sb: disk.Super, base: int) -> Iterator[Run]:
    for number, (magic, place, end) in enumerate(_HEADS):
        raw = _taken(cursor, base + number * sb.sector, sb.sector)
        if raw.startswith(magic) and _holds(raw, place) and not any(raw[end:]):
            yield Run(base + number * sb.sector, sb.sector)
    raw = _taken(cursor, base + 3 * sb.sector, sb.sector)
    if raw.startswith(b"XAFL") and _holds(raw, _LISTED_SUM):
        listed = (one for (one,) in struct.iter_unpack(">I", raw[_LISTED:]))
        if all(one == _NONE or one < sb.group_blocks for one in listed):
            yield Run(base + 3 * sb.sector, sb.sector)


def _roots(cursor: Cursor, sb: disk.Super, base: int) -> list[int]:
    """Blocks of a group in which its trees begin."""
    space = _taken(cursor, base + sb.sector, sb.sector)
    inodes = _taken(cursor, base + 2 * sb.sector, sb.sector)
    if len(space) < 92 or len(inodes) < 332:
        return []
    found = [struct.unpack_from(">I", space, at)[0] for at in (16, 20, 24, 88)]
    found += [struct.unpack_from(">I", inodes, at)[0] for at in (20, 328)]
    return sorted({one for one in found if 0 < one < sb.group_blocks})


def _is_leaf(raw: bytes) -> bool:
    """A tree of one block, with nothing behind its records."""
    width = _TREES.get(raw[:4])
    if width is None or not _holds(raw, _TREE_SUM):
        return False
    level, count = struct.unpack_from(">HH", raw, 4)
    return not level and not any(raw[_TREE_HEAD + count * width :])


def _inodes(cursor: Cursor, sb: disk.Super) -> Iterator[Run]:
    """The first inodes: the root folder and its two neighbours, all others never used."""
    first = sb.inode_at(sb.root - sb.root % _INODES)
    for number in range(_INODES):
        raw = _taken(cursor, first + number * sb.inode, sb.inode)
        if not _is_new(raw, number, sb):
            return
    yield Run(first, _INODES * sb.inode)


def _is_new(raw: bytes, number: int, sb: disk.Super) -> bool:
    if not raw.startswith(b"IN") or not _holds(raw, _INODE_SUM):
        return False
    (mode,), form = struct.unpack_from(">H", raw, 2), raw[5]
    rest = raw[sb.head :]
    if not number:
        # Count of entries, of long ones, the parent: an empty folder.
        empty = mode & 0xF000 == disk.DIRECTORY and form == disk.LOCAL and rest[:2] == b"\0\0"
        return empty and not any(rest[6:])
    if number < _ORDINARY:
        return mode & 0xF000 in (0, disk.FILE) and not any(rest)
    return not mode and not any(rest)


def _log(cursor: Cursor, sb: disk.Super) -> Iterator[Run]:
    """The one record that a new log has: that it was unmounted."""
    if not sb.log_at:
        return
    at = sb.byte(sb.log_at)
    head, body = _taken(cursor, at, 512), _taken(cursor, at + 512, 512)
    if len(body) < 512 or not head.startswith(_LOG) or any(head[_LOG_HEAD:]):
        return
    (operations,) = struct.unpack_from(">I", head, 40)
    length, client, flags = struct.unpack_from(">IBB", body, 4)
    alone = operations == 1 and length == 8 and client == _MOUNTER and flags == _UNMOUNT
    if not alone or any(body[20:]):
        return
    end, blank = at + 1024, head[4:8] + bytes(508)
    while end < at + _LOG_PADDED and cursor.has(end, blank):
        # Up to the log's own sector each block begins with the number of the round.
        end += 512
    yield Run(at, end - at)

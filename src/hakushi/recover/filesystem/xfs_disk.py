"""XFS as it lies on a disk (after the XFS Algorithms and Data Structures document): superblock,
inodes, extents, B+trees, directories. Everything is big-endian, and nothing is believed unchecked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Malformed, Run
from hakushi.recover.cursor import Budget, Cursor

MAGIC = b"XFSB"
FILE, DIRECTORY, LINK = 0x8000, 0x4000, 0xA000
LOCAL, EXTENTS, BTREE = 1, 2, 3
DATA_BLOCKS = (b"XDB3", b"XDD3", b"XD2B", b"XD2D")
"""How blocks with a directory's entries begin."""

_LEAVES = 32 << 30
"""Byte of a directory from which on it holds no entries, but hashes of names."""
_DEEPEST = 9
_FTYPE, _SPARSE_INODES = 1, 2
_BIG_TIMES, _BIG_COUNTS = 8, 16


@dataclass(frozen=True, slots=True)
class Super:
    """A superblock: all allocation groups have the same."""

    block: int
    blocks: int
    uuid: bytes
    log_at: int
    """Number of the log's first block; 0 for one on another device."""
    root: int
    group_blocks: int
    groups: int
    log_blocks: int
    version: int
    sector: int
    inode: int
    inode_bits: int
    group_bits: int
    folder_block: int
    """Bytes of a directory's block."""
    typed: bool
    """Directory entries say what they name."""
    sparse: bool
    label: str

    @property
    def size(self) -> int:
        return self.blocks * self.block

    @property
    def head(self) -> int:
        """Bytes before an inode's data fork."""
        return 176 if self.version == 5 else 100

    def groups_within(self, size: int) -> range:
        """The groups that begin in so many bytes: a broken superblock may tell of billions."""
        return range(min(self.groups, -(-size // (self.group_blocks * self.block))))

    def byte(self, block: int) -> int:
        """Where a block (group number and number in it) begins. Malformed outside the volume."""
        group, inside = block >> self.group_bits, block & (1 << self.group_bits) - 1
        number = group * self.group_blocks + inside
        if inside >= self.group_blocks or number >= self.blocks:
            raise Malformed("a block outside the volume")
        return number * self.block

    def inode_at(self, number: int) -> int:
        per = self.inode_bits
        return self.byte(number >> per) + (number & (1 << per) - 1) * self.inode

    def number_at(self, at: int) -> int:
        """The inode number of a place."""
        group, inside = divmod(at // self.block, self.group_blocks)
        within = at % self.block // self.inode
        return (group << self.group_bits | inside) << self.inode_bits | within


def superblock(cursor: Cursor, at: int = 0) -> Super:
    """The superblock at a byte. Malformed where there is none."""
    if not cursor.has(at, MAGIC):
        raise Malformed("no XFS superblock")
    raw = cursor.take(at, 512)
    block, blocks = struct.unpack_from(">IQ", raw, 4)
    log_at, root = struct.unpack_from(">QQ", raw, 48)
    group_blocks, groups, _, log_blocks = struct.unpack_from(">IIII", raw, 84)
    version, sector, inode, per = struct.unpack_from(">HHHH", raw, 100)
    (features2,), (incompatible,) = (struct.unpack_from(">I", raw, n) for n in (200, 216))
    five = version & 15 == 5
    sane = (
        block in {1 << n for n in range(9, 17)}
        and sector in {1 << n for n in range(9, 16)}
        and inode in {1 << n for n in range(8, 12)}
        and per == block // inode
        and 1 << raw[123] == per
        and version & 15 in {4, 5}
        and 0 < group_blocks <= 1 << raw[124] <= 1 << 31
        and groups > 0
        and (groups - 1) * group_blocks < blocks <= groups * group_blocks
        and raw[192] <= 7
    )
    if not sane:
        raise Malformed("an impossible XFS superblock")
    return Super(
        block, blocks, raw[32:48], log_at, root, group_blocks, groups, log_blocks,
        version & 15, sector, inode, raw[123], raw[124], block << raw[192],
        bool(incompatible & _FTYPE) if five else bool(features2 & 0x200),
        five and bool(incompatible & _SPARSE_INODES),
        raw[108:120].partition(b"\0")[0].decode("utf-8", "replace"),
    )  # fmt: skip


# --- inodes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inode:
    number: int
    mode: int
    form: int
    links: int
    size: int
    extents: int
    """How many extents its data fork says it has."""
    generation: int
    modified: int
    changed: int
    uuid: bytes
    fork: bytes
    """The data fork, and in a freed inode what is left of it."""

    @property
    def kind(self) -> int:
        return self.mode & 0xF000


def inode(raw: bytes, sb: Super, number: int, order: str = ">") -> Inode | None:
    """An inode's bytes as an inode; None where they are none. ``order`` "<": as the log of a
    little-endian machine keeps it (without its forks).
    """
    if raw[:2] != (b"IN" if order == ">" else b"NI") or raw[4] not in {1, 2, 3}:
        return None
    if (raw[4] == 3) != (sb.version == 5) or raw[5] > 5:
        return None
    (mode,), (links,) = (
        struct.unpack_from(f"{order}H", raw, 2),
        struct.unpack_from(f"{order}I", raw, 16),
    )
    (size,), (count,) = (
        struct.unpack_from(f"{order}Q", raw, 56),
        struct.unpack_from(f"{order}I", raw, 76),
    )
    uuid, flags = b"", 0
    if raw[4] == 3:
        uuid = raw[160:176]
        (flags,) = struct.unpack_from(f"{order}Q", raw, 120)
        (own,) = struct.unpack_from(f"{order}Q", raw, 152)
        if own != number and order == ">":
            return None
        if flags & _BIG_COUNTS:
            (count,) = struct.unpack_from(f"{order}Q", raw, 24)
    fork = raw[sb.head : sb.inode]
    if mode and raw[82]:
        fork = fork[: raw[82] * 8]
    (generation,) = struct.unpack_from(f"{order}I", raw, 92)
    modified, changed = (_time(raw, at, flags, order) for at in (40, 48))
    return Inode(
        number, mode, raw[5], links, size, count, generation, modified, changed, uuid, fork
    )


def _time(raw: bytes, at: int, flags: int, order: str) -> int:
    (value,) = struct.unpack_from(f"{order}Q", raw, at)
    if flags & _BIG_TIMES:
        return int(value // 1_000_000_000) - (1 << 31)
    return int(struct.unpack_from(">i" if order == ">" else "<i", raw, at)[0])


# --- extents -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """An extent: ``block`` is a number of group and block; all in blocks."""

    offset: int
    block: int
    count: int
    unwritten: bool


def pieces(raw: bytes, sb: Super, most: int) -> list[Piece]:
    """Extent records in a row, as far as they can be: in order, apart, inside the volume."""
    out: list[Piece] = []
    end = 0
    for at in range(0, min(len(raw) // 16, most) * 16, 16):
        high, low = struct.unpack_from(">QQ", raw, at)
        offset = high >> 9 & (1 << 54) - 1
        block = (high & 511) << 43 | low >> 21
        count = low & (1 << 21) - 1
        if not count or offset < end:
            break
        try:
            sb.byte(block)
            sb.byte(block + count - 1)
        except Malformed:
            break
        out.append(Piece(offset, block, count, bool(high >> 63)))
        end = offset + count
    return out


def extents(cursor: Cursor, origin: int, sb: Super, one: Inode, budget: Budget) -> list[Piece]:
    """All extents of an inode's data. Malformed where its tree is broken."""
    if one.form == EXTENTS:
        found = pieces(one.fork, sb, one.extents)
        if len(found) < one.extents:
            raise Malformed("an inode with broken extents")
        return found
    if one.form != BTREE:
        return []
    level, count = struct.unpack_from(">HH", one.fork)
    most = (len(one.fork) - 4) // 16
    if not 0 < level <= _DEEPEST or not 0 < count <= most:
        raise Malformed("a broken tree of extents")
    out: list[Piece] = []
    for (block,) in struct.iter_unpack(">Q", one.fork[4 + most * 8 : 4 + most * 8 + count * 8]):
        out += _leaves(cursor, origin, sb, block, level - 1, budget)
    return out


def _leaves(
    cursor: Cursor, origin: int, sb: Super, block: int, level: int, budget: Budget
) -> Iterator[Piece]:
    budget.pay()
    raw = cursor.take(origin + sb.byte(block), sb.block)
    head = 72 if sb.version == 5 else 24
    if raw[:4] != (b"BMA3" if sb.version == 5 else b"BMAP"):
        raise Malformed("a broken tree of extents")
    height, count = struct.unpack_from(">HH", raw, 4)
    if height != level or count > (sb.block - head) // 16:
        raise Malformed("a broken tree of extents")
    if not level:
        found = pieces(raw[head:], sb, count)
        if len(found) < count:
            raise Malformed("a broken tree of extents")
        yield from found
        return
    at = head + (sb.block - head) // 16 * 8
    for (child,) in struct.iter_unpack(">Q", raw[at : at + count * 8]):
        yield from _leaves(cursor, origin, sb, child, level - 1, budget)


def left_leaf(raw: bytes, sb: Super) -> tuple[int, list[Piece]] | None:
    """(inode, extents) of a leaf of a tree of extents, as far as it says so: version 5 alone."""
    if raw[:4] != b"BMA3" or sb.version != 5:
        return None
    level, count = struct.unpack_from(">HH", raw, 4)
    if level:
        return None
    most = min(count, (sb.block - 72) // 16) or (sb.block - 72) // 16
    return int.from_bytes(raw[56:64], "big"), pieces(raw[72:], sb, most)


def runs(found: list[Piece], sb: Super, size: int) -> tuple[tuple[Run, ...], bool]:
    """The runs of ``size`` bytes, holes and unwritten extents as zeros; and whether the extents
    alone cover it all.
    """
    out: list[Run] = []
    at, whole = 0, True
    for one in found:
        start = one.offset * sb.block
        if start >= size:
            break
        if start > at:
            out.append(Run(None, start - at))
            whole = False
        length = min(one.count * sb.block, size - start)
        place = None if one.unwritten else sb.byte(one.block)
        last = out[-1] if out else None
        if last and last.at is not None and place == last.at + last.length:
            out[-1] = Run(last.at, last.length + length)
        else:
            out.append(Run(place, length))
        at = start + length
    if at < size:
        out.append(Run(None, size - at))
        whole = False
    return tuple(out), whole


# --- trees of a group --------------------------------------------------------------------


def tree(
    cursor: Cursor,
    base: int,
    sb: Super,
    root: tuple[int, int],
    magics: tuple[bytes, bytes],
    widths: tuple[int, int],
    budget: Budget,
) -> Iterator[bytes]:
    """The records of a group's B+tree, whole leaves at a time. ``base``: where the group begins;
    ``root``: block and height; ``magics``: of versions 4 and 5; ``widths``: of a record, of a key.
    """
    block, level = root
    record, key = widths
    head = 56 if sb.version == 5 else 16
    if not 0 < level <= _DEEPEST or not 0 < block < sb.group_blocks:
        raise Malformed("an impossible root of a tree")
    raw = cursor.take(base + block * sb.block, sb.block)
    budget.pay()
    height, count = struct.unpack_from(">HH", raw, 4)
    if raw[:4] != magics[sb.version == 5] or height != level - 1:
        raise Malformed("a broken tree of an allocation group")
    if not height:
        if count > (sb.block - head) // record:
            raise Malformed("a broken tree of an allocation group")
        yield raw[head : head + count * record]
        return
    most = (sb.block - head) // (key + 4)
    if count > most:
        raise Malformed("a broken tree of an allocation group")
    at = head + most * key
    for (child,) in struct.iter_unpack(">I", raw[at : at + count * 4]):
        yield from tree(cursor, base, sb, (child, height), magics, widths, budget)


def allocated_inodes(
    cursor: Cursor, origin: int, sb: Super, group: int, budget: Budget
) -> Iterator[int]:
    """Numbers of the inodes in use in a group."""
    base = origin + group * sb.group_blocks * sb.block
    at = base + 2 * sb.sector
    if not cursor.has(at, b"XAGI"):
        raise Malformed("an allocation group without its inodes")
    root, level = cursor.u32(at + 20, ">"), cursor.u32(at + 24, ">")
    high = group << sb.group_bits + sb.inode_bits
    for leaf in tree(cursor, base, sb, (root, level), (b"IABT", b"IAB3"), (16, 4), budget):
        for start, counts, free in struct.iter_unpack(">IIQ", leaf):
            budget.pay()
            holes = counts >> 16 if sb.sparse else 0
            for bit in range(64):
                if not (free >> bit & 1 or holes >> bit // 4 & 1):
                    yield high | start + bit


def free_blocks(
    cursor: Cursor, origin: int, sb: Super, group: int, budget: Budget
) -> Iterator[tuple[int, int]]:
    """(byte, length) of the free space of a group."""
    base = group * sb.group_blocks * sb.block
    at = origin + base + sb.sector
    if not cursor.has(at, b"XAGF"):
        raise Malformed("an allocation group without its free space")
    root, level = cursor.u32(at + 16, ">"), cursor.u32(at + 28, ">")
    found = tree(cursor, origin + base, sb, (root, level), (b"ABTB", b"AB3B"), (8, 8), budget)
    for leaf in found:
        for start, count in struct.iter_unpack(">II", leaf):
            yield base + start * sb.block, count * sb.block


# --- directories -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """``number``: the whole inode number, or where ``gone`` its lower 32 bits."""

    number: int
    name: bytes
    gone: bool = False


def short_entries(fork: bytes, sb: Super) -> Iterator[Entry]:
    """The entries of a directory that lies in its inode."""
    if len(fork) < 6:
        return
    count, wide = fork[0] or fork[1], 8 if fork[1] else 4
    at = 2 + wide
    for _ in range(count):
        if at + 3 > len(fork):
            return
        length = fork[at]
        name = fork[at + 3 : at + 3 + length]
        at += 3 + length + sb.typed
        number = int.from_bytes(fork[at : at + wide], "big")
        at += wide
        if at > len(fork) or not _sound(name) or not number:
            return
        yield Entry(number, name)


def _sound(name: bytes) -> bool:
    return bool(name) and b"\0" not in name and b"/" not in name


def block_owner(raw: bytes) -> int | None:
    """The directory that a block says it belongs to; version 4 does not say."""
    return int.from_bytes(raw[40:48], "big") if raw[:4] in DATA_BLOCKS[:2] else None


def block_entries(raw: bytes, sb: Super, budget: Budget) -> Iterator[Entry]:
    """The entries of one block of a directory, freed ones too."""
    at = 64 if raw[:4] in DATA_BLOCKS[:2] else 16
    end = len(raw)
    if raw[:4] in {DATA_BLOCKS[0], DATA_BLOCKS[2]}:
        count = int.from_bytes(raw[-8:-4], "big")
        if at + count * 8 + 8 > end:
            return
        end -= count * 8 + 8
    while at + 16 <= end:
        budget.pay()
        if raw[at : at + 2] == b"\xff\xff":
            length = int.from_bytes(raw[at + 2 : at + 4], "big")
            if length < 16 or length % 8 or at + length > end:
                return
            yield from _freed(raw, at, at + length, sb, budget)
            at += length
            continue
        length = _length(raw[at + 8], sb)
        name = raw[at + 9 : at + 9 + raw[at + 8]]
        if at + length > end or not _sound(name) or not _tagged(raw, at, length, at):
            return
        yield Entry(int.from_bytes(raw[at : at + 8], "big"), name)
        at += length


def _length(letters: int, sb: Super) -> int:
    return (8 + 1 + letters + sb.typed + 2 + 7) // 8 * 8


def _tagged(raw: bytes, at: int, length: int, *starts: int) -> bool:
    return int.from_bytes(raw[at + length - 2 : at + length], "big") in starts


def _freed(raw: bytes, start: int, end: int, sb: Super, budget: Budget) -> Iterator[Entry]:
    """Entries in freed room: the first four bytes of each may be gone, its tag says where it is."""
    at = start
    while at + 16 <= end:
        budget.pay()
        length = _length(raw[at + 8], sb)
        name = raw[at + 9 : at + 9 + raw[at + 8]]
        if at + length <= end and _sound(name) and _tagged(raw, at, length, at, start):
            yield Entry(int.from_bytes(raw[at + 4 : at + 8], "big"), name, gone=True)
            at += length
        else:
            at += 8


def folder_blocks(
    cursor: Cursor, origin: int, sb: Super, one: Inode, budget: Budget
) -> Iterator[tuple[int, bytes]]:
    """(place, bytes) of the blocks of a directory that hold entries."""
    found, _ = runs(extents(cursor, origin, sb, one, budget), sb, min(one.size, _LEAVES))
    for run in found:
        if run.at is None:
            continue
        for at in range(run.at, run.at + run.length, sb.folder_block):
            budget.pay()
            raw = cursor.take(origin + at, sb.folder_block)
            if raw[:4] in DATA_BLOCKS:
                yield at, raw

"""Which ext file systems there are or were on a medium, and where their inode tables lie."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.media import Memory
from hakushi.model import SECTOR, Extents, Malformed
from hakushi.recover.cursor import Budget, Cursor, Spent
from hakushi.recover.filesystem.ext_disk import (
    INCOMPAT_META_BG,
    Group,
    Super,
    group_of,
    superblock,
)

_SUPER = 1024
_INODE_UNINIT = 1
_PIECE = 1 << 20
_MOST = 64
"""File systems that are told apart on one medium."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """A file system by one of its superblocks. ``standing``: its first superblock is in place."""

    origin: int
    sb: Super
    groups: tuple[Group, ...]
    standing: bool
    _tables: tuple[tuple[int, int], ...] = field(repr=False)
    """(first block, group) of each inode table, sorted."""

    @property
    def table_blocks(self) -> int:
        return -(-self.sb.inodes_per_group * self.sb.inode_size // self.sb.block)

    @property
    def size(self) -> int:
        return self.sb.blocks * self.sb.block

    def place(self, block: int) -> int:
        return self.origin + block * self.sb.block

    def first_inode_of(self, block: int) -> int | None:
        """The number of the first inode in a block, None for one outside all inode tables."""
        index = bisect_right(self._tables, (block, 1 << 62)) - 1
        if index < 0:
            return None
        start, group = self._tables[index]
        if block - start >= self.table_blocks:
            return None
        per = self.sb.block // self.sb.inode_size
        return group * self.sb.inodes_per_group + (block - start) * per + 1

    def inode_at(self, number: int) -> int | None:
        """The byte of the medium at which an inode stands."""
        group, index = divmod(number - 1, self.sb.inodes_per_group)
        if number < 1 or group >= len(self.groups):
            return None
        return self.place(self.groups[group].inode_table) + index * self.sb.inode_size

    def allocated(self, cursor: Cursor, group: int) -> bytes:
        """The bitmap of a group's inodes; empty where none is in use."""
        one = self.groups[group]
        if not self.standing or one.flags & _INODE_UNINIT:
            return b""
        return cursor.take(self.place(one.inode_bitmap), -(-self.sb.inodes_per_group // 8))

    def tables(self, cursor: Cursor, budget: Budget) -> Iterator[tuple[int, int, bytes]]:
        """(group, place, bytes): every piece of an inode table that is not all zeros."""
        size = self.table_blocks * self.sb.block
        for index, group in enumerate(self.groups):
            start = self.place(group.inode_table)
            for at in range(start, start + size, _PIECE):
                budget.pay()
                length = min(_PIECE, start + size - at)
                try:
                    raw = cursor.take(at, length)
                except Malformed:
                    continue
                if raw.count(0) != length:
                    yield index, at, raw


def geometries(cursor: Cursor, where: Extents, budget: Budget) -> list[Geometry]:
    """One for each file system of which a superblock is left, those that stand first."""
    found: dict[tuple[int, bytes, int, int, int], Geometry] = {}
    for extent in where:
        for at in range(extent.offset, extent.end, SECTOR):
            budget.pay()
            one = _geometry(cursor, at, budget)
            if one is None:
                continue
            key = (one.origin, one.sb.uuid, one.sb.block, one.sb.blocks, one.sb.inode_size)
            before = found.get(key)
            if (before is None and len(found) < _MOST) or (
                before is not None and one.standing and not before.standing
            ):
                found[key] = one
    return sorted(found.values(), key=lambda one: (not one.standing, one.origin, one.sb.uuid))


def _geometry(cursor: Cursor, at: int, budget: Budget) -> Geometry | None:
    """The file system of the superblock in a sector, if its descriptors bear it out."""
    try:
        raw = cursor.take(at, 1024)
        if raw[56:58] != b"\x53\xef":
            return None
        sb = superblock(Cursor(Memory(bytes(_SUPER) + raw)))
        number = int.from_bytes(raw[90:92], "little")
        origin = at - (sb.start(number) * sb.block if number else _SUPER)
        if origin < 0 or number >= sb.groups:
            return None
        groups = tuple(_groups(cursor, origin, sb, number, budget))
    except Spent:
        raise
    except Malformed:
        return None
    tables = tuple(sorted((g.inode_table, n) for n, g in enumerate(groups)))
    return Geometry(origin, sb, groups, number == 0, tables)


def _groups(cursor: Cursor, origin: int, sb: Super, number: int, budget: Budget) -> Iterator[Group]:
    """Group descriptors from the copy that follows this superblock. Raises Malformed."""
    per = sb.block // sb.descriptor
    for first in range(0, sb.groups, per):
        index = first // per
        block = sb.start(number) + 1 + index
        if sb.incompat & INCOMPAT_META_BG and index >= sb.first_meta_bg:
            block = sb.start(first) + (1 if sb.has_super(first) else 0)
        raw = cursor.take(origin + block * sb.block, sb.block)
        for n in range(min(per, sb.groups - first)):
            budget.pay()
            one = group_of(raw[n * sb.descriptor : (n + 1) * sb.descriptor])
            places = (one.block_bitmap, one.inode_bitmap, one.inode_table)
            if not all(sb.first < p < sb.blocks for p in places) or len(set(places)) < 3:
                raise Malformed("ext: impossible group descriptor")
            yield one

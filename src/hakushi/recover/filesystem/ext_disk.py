"""ext2, ext3 and ext4 on disk: superblock, group descriptors, inodes and the blocks they list.

Names as in the kernel's ``ext4`` documentation (s_, bg_, i_ fields).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from hakushi.model import Malformed
from hakushi.recover.cursor import Budget, Cursor

_SUPER = 1024
EXTENTS = 0x80000
GROUPS_MOST = 1 << 22
"""Groups that a file system may have (512 TiB of 128 MiB each)."""

COMPAT_SPARSE2, COMPAT_ORPHANS = 0x200, 0x1000
INCOMPAT_64BIT, INCOMPAT_META_BG = 0x80, 0x10
RO_SPARSE, RO_CHECKSUMS = 0x1, 0x400


@dataclass(frozen=True, slots=True)
class Super:
    """The superblock, as far as the layout needs it."""

    block: int
    blocks: int
    first: int
    per_group: int
    inodes_per_group: int
    inodes: int
    inode_size: int
    first_inode: int
    descriptor: int
    reserved: int
    compat: int
    incompat: int
    ro_compat: int
    first_meta_bg: int
    backups: tuple[int, int]
    orphans: int
    uuid: bytes
    label: str

    @property
    def groups(self) -> int:
        return -(-(self.blocks - self.first) // self.per_group)

    def start(self, group: int) -> int:
        """The first block of a group."""
        return self.first + group * self.per_group

    def has_super(self, group: int) -> bool:
        """Whether a group begins with a copy of the superblock."""
        if group == 0:
            return True
        if self.compat & COMPAT_SPARSE2:
            return group in self.backups
        if not self.ro_compat & RO_SPARSE or group == 1:
            return True
        return any(_power(group, base) for base in (3, 5, 7))


def _power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1


def superblock(cursor: Cursor) -> Super:
    """Raises Malformed for what no ext formatter writes."""
    raw = cursor.take(_SUPER, 1024)
    if raw[56:58] != b"\x53\xef":
        raise Malformed("no ext superblock")
    u32 = struct.unpack_from("<256I", raw)
    revision = u32[19]
    incompat = u32[24] if revision else 0
    wide = bool(incompat & INCOMPAT_64BIT)
    log = u32[6]
    if log > 6:
        raise Malformed("ext: impossible block size")
    block = 1024 << log
    found = Super(
        block=block,
        blocks=u32[1] | (u32[84] << 32 if wide else 0),
        first=u32[5],
        per_group=u32[8],
        inodes_per_group=u32[10],
        inodes=u32[0],
        inode_size=int.from_bytes(raw[88:90], "little") if revision else 128,
        first_inode=u32[21] if revision else 11,
        descriptor=max(32, int.from_bytes(raw[254:256], "little")) if wide else 32,
        reserved=int.from_bytes(raw[206:208], "little") if revision else 0,
        compat=u32[23] if revision else 0,
        incompat=incompat,
        ro_compat=u32[25] if revision else 0,
        first_meta_bg=u32[65],
        backups=(u32[147], u32[148]),
        orphans=u32[160],
        uuid=raw[104:120],
        label=_text(raw[120:136]),
    )
    _check(found)
    return found


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _check(sb: Super) -> None:
    sound = (
        sb.blocks > sb.first
        and sb.first in (0, 1)
        and 8 <= sb.per_group <= sb.block * 8
        and 0 < sb.inodes_per_group <= sb.block * 8
        and sb.inode_size in (128, 256, 512, 1024, 2048, 4096)
        and sb.inode_size <= sb.block
        and sb.descriptor in (32, 64, 128, 256, 512, 1024)
        and 8 < sb.first_inode <= sb.inodes
        and sb.groups <= GROUPS_MOST
        and sb.inodes <= sb.groups * sb.inodes_per_group
    )
    if not sound:
        raise Malformed("ext: impossible geometry")


@dataclass(frozen=True, slots=True)
class Group:
    """A group descriptor: three places in blocks, and flags."""

    block_bitmap: int
    inode_bitmap: int
    inode_table: int
    flags: int


@dataclass(frozen=True, slots=True)
class Inode:
    mode: int
    size: int
    links: int
    flags: int
    block: bytes


def group_of(raw: bytes) -> Group:
    low = struct.unpack_from("<III", raw)
    high = struct.unpack_from("<III", raw, 32) if len(raw) >= 64 else (0, 0, 0)
    a, b, c = (x | y << 32 for x, y in zip(low, high, strict=True))
    return Group(a, b, c, int.from_bytes(raw[18:20], "little"))


class BlockMap:
    """The blocks of one inode, by its extents or its indirect blocks."""

    def __init__(
        self, sb: Super, block: Callable[[int], bytes], inode: Inode, budget: Budget
    ) -> None:
        self.sb = sb
        self.block = block
        self.inode = inode
        self.budget = budget
        self.data: list[int] = []
        self.tables: list[int] = []

    def blocks(self, most: int) -> tuple[list[int], list[int]]:
        """Data blocks in order (about ``most`` at most), and the blocks that list them."""
        if self.inode.flags & EXTENTS:
            self._extents(self.inode.block, most, 5)
            return self.data, self.tables
        pointers = struct.unpack("<15I", self.inode.block)
        self.data += [p for p in pointers[:12] if p]
        for level, pointer in enumerate(pointers[12:], 1):
            if pointer:
                self._indirect(pointer, level, most)
        return self.data, self.tables

    def _check(self, block: int) -> None:
        sb = self.sb
        if not sb.first <= block < sb.blocks or len(self.tables) > 1 << 16:
            raise Malformed("ext: impossible block number")

    def _extents(self, raw: bytes, most: int, depth: int) -> None:
        magic, count, _max, level = struct.unpack_from("<HHHH", raw)
        if magic != 0xF30A or level > depth or 12 + 12 * count > len(raw):
            raise Malformed("ext: impossible extents")
        for at in range(12, 12 + 12 * count, 12):
            self.budget.pay()
            if len(self.data) >= most:
                return
            if level == 0:
                length, high, low = struct.unpack_from("<HHI", raw, at + 4)
                length -= 0x8000 if length > 0x8000 else 0
                start = low | high << 32
                self._check(start + max(length, 1) - 1)
                self.data += range(start, start + length)
            else:
                low, high = struct.unpack_from("<IH", raw, at + 4)
                block = low | high << 32
                self._check(block)
                self.tables.append(block)
                self._extents(self.block(block), most, level - 1)

    def _indirect(self, block: int, level: int, most: int) -> None:
        self.budget.pay()
        self._check(block)
        if len(self.data) >= most:
            return
        self.tables.append(block)
        raw = self.block(block)
        pointers = [p for p in struct.unpack(f"<{len(raw) // 4}I", raw) if p]
        for pointer in pointers:
            self._check(pointer)
        if level == 1:
            self.data += pointers
            return
        for pointer in pointers:
            self._indirect(pointer, level - 1, most)

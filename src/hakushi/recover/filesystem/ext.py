"""ext2, ext3 and ext4: superblocks, group descriptors, bitmaps, and the inodes that mkfs makes.

Names as in the kernel's ``ext4`` documentation (s_, bg_, i_ fields).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from hakushi.media import Window
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Run, Source, State, Unreadable
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import Entry, Layout
from hakushi.recover.filesystem.parts import Bits, chosen, joined, structure

_SUPER = 1024
_ROOT, _RESIZE, _JOURNAL = 2, 7, 8
_EXTENTS = 0x80000
_GROUPS = 1 << 22
"""Groups that a file system may have (512 TiB of 128 MiB each)."""

_LISTED = 1 << 19
"""Blocks of one of the file system's own files that are followed: 512 MiB of journal at least."""

_COMPAT_SPARSE2 = 0x200
_INCOMPAT_64BIT, _INCOMPAT_META_BG = 0x80, 0x10
_RO_SPARSE = 0x1
_INODE_UNINIT, _BLOCK_UNINIT = 1, 2
_LOST_FOUND = "lost+found"


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
    mounted: str

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
        if self.compat & _COMPAT_SPARSE2:
            return group in self.backups
        if not self.ro_compat & _RO_SPARSE or group == 1:
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
    wide = bool(incompat & _INCOMPAT_64BIT)
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
        mounted=_text(raw[136:200]),
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
        and sb.groups <= _GROUPS
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


def layout(source: Source, budget: Budget) -> Layout:
    """What the file system itself owns."""
    sb = superblock(Cursor(source))
    out = Layout("ext", "ext", sb.block)
    place = source.locator.step("ext", "*")
    if sb.blocks * sb.block > source.size:
        out.own.append(Damage(place, "the file system is larger than what holds it"))
    volume = _Volume(source, budget, sb)
    if chosen(sb.label):
        locator = source.locator.step("ext", "label")
        out.own.append(Artifact(locator, "label", State.LIVE, 0, (), sb.label, Role.LABEL))
    try:
        out.own += volume.fixed()
        out.allocated = volume.used
        out.later = volume.later
    except (Malformed, Unreadable) as error:
        out.own.append(Damage(place, str(error)))
    out.foreign = _foreign(sb)
    return out


def _foreign(sb: Super) -> Callable[[Entry], Entry | None]:
    def foreign(entry: Entry) -> Entry | None:
        """An entry without the root directory and the empty lost+found."""
        own = entry.inum < sb.first_inode or (
            entry.inum == sb.first_inode and entry.path == _LOST_FOUND
        )
        return None if own and entry.live and entry.type == 2 else entry

    return foreign


class _Volume:
    def __init__(self, source: Source, budget: Budget, sb: Super) -> None:
        self.source = source
        self.budget = budget
        self.sb = sb
        self.cursor = Cursor(source)
        self._bitmaps_read: dict[int, Bits] = {}

    def _piece(self, step: str, runs: list[Run]) -> Artifact:
        return structure(self.source.locator.step("ext", step), "ext", runs, step)

    def _block(self, number: int) -> bytes:
        return self.cursor.take(number * self.sb.block, self.sb.block)

    def _run(self, number: int, count: int = 1) -> Run:
        return Run(number * self.sb.block, count * self.sb.block)

    # --- where things are ---

    @cached_property
    def table_blocks(self) -> int:
        """Blocks of the group descriptor table."""
        return -(-self.sb.groups * self.sb.descriptor // self.sb.block)

    def _descriptor_blocks(self, group: int) -> list[int]:
        """Blocks of descriptors that stand in a group, the first ones first."""
        sb = self.sb
        after = sb.start(group) + (1 if sb.has_super(group) else 0)
        plain = self.table_blocks
        if sb.incompat & _INCOMPAT_META_BG:
            plain = min(plain, sb.first_meta_bg)
            per = sb.block // sb.descriptor
            if group // per >= sb.first_meta_bg:
                return [after] if group % per in (0, 1, per - 1) else []
        return list(range(after, after + plain)) if sb.has_super(group) else []

    @cached_property
    def groups(self) -> list[Group]:
        """All descriptors, from the primary table. Raises Malformed."""
        sb, per = self.sb, self.sb.block // self.sb.descriptor
        out: list[Group] = []
        for index in range(self.table_blocks):
            self.budget.pay()
            raw = self._block(self._primary(index))
            for at in range(0, per * sb.descriptor, sb.descriptor):
                if len(out) < sb.groups:
                    out.append(_group(raw[at : at + sb.descriptor]))
        return out

    def _primary(self, index: int) -> int:
        """Where block ``index`` of the descriptor table stands first."""
        sb = self.sb
        if not sb.incompat & _INCOMPAT_META_BG or index < sb.first_meta_bg:
            return sb.start(0) + 1 + index
        group = index * (sb.block // sb.descriptor)
        return sb.start(group) + (1 if sb.has_super(group) else 0)

    def inode(self, number: int) -> Inode:
        group, index = divmod(number - 1, self.sb.inodes_per_group)
        if group >= len(self.groups):
            raise Malformed("no such inode")
        at = self.groups[group].inode_table * self.sb.block + index * self.sb.inode_size
        raw = self.cursor.take(at, 128)
        mode, _uid, size = struct.unpack_from("<HHI", raw)
        links, _blocks, flags = struct.unpack_from("<HII", raw, 26)
        high = int.from_bytes(raw[108:112], "little")
        return Inode(mode, size | high << 32, links, flags, raw[40:100])

    # --- bits ---

    def used(self, run: Run) -> bool | None:
        """Whether a block of the run is in use now."""
        sb = self.sb
        if run.at is None:
            return None
        block, end = run.at // sb.block, -(-(run.at + run.length) // sb.block)
        while block < end:
            group = (block - sb.first) // sb.per_group
            if block < sb.first or group >= len(self.groups):
                return None
            stop = min(end, sb.start(group + 1))
            descriptor = self.groups[group]
            if not descriptor.flags & _BLOCK_UNINIT:
                answer = self._bits(group).used(Run(block - sb.start(group), stop - block))
                if answer is not False:
                    return answer
            block = stop
        return False

    def _bits(self, group: int) -> Bits:
        if group not in self._bitmaps_read:
            at = self._run(self.groups[group].block_bitmap)
            window = Window(self.source, Extent(at.at or 0, at.length), self.source.locator)
            self._bitmaps_read = {group: Bits(window, 1)}
        return self._bitmaps_read[group]

    # --- structures ---

    def fixed(self) -> Iterator[Artifact]:
        """Superblocks and descriptors, with their copies where these are true copies."""
        sb = self.sb
        runs: list[Run] = []
        if not sb.mounted:
            runs.append(Run(_SUPER, 1024))
        for group in range(1, sb.groups):
            self.budget.pay()
            at = sb.start(group) * sb.block
            if sb.has_super(group) and self._is_copy(at):
                runs.append(Run(at, 1024))
        yield self._piece("superblock", runs)
        runs = []
        for group in range(sb.groups):
            self.budget.pay()
            runs += [self._run(b) for b in self._descriptor_blocks(group) if self._sound(group, b)]
            runs += self._reserved(group)
        yield self._piece("descriptors", runs)

    def _is_copy(self, at: int) -> bool:
        try:
            raw = self.cursor.take(at, 1024)
        except Malformed:
            return False
        return raw[56:58] == b"\x53\xef" and raw[104:120] == self.sb.uuid and not raw[136]

    def _sound(self, group: int, block: int) -> bool:
        """Whether a block of descriptors says what the first copy says, and nothing after it."""
        sb, per = self.sb, self.sb.block // self.sb.descriptor
        blocks = self._descriptor_blocks(group)
        meta = sb.incompat & _INCOMPAT_META_BG and group // per >= sb.first_meta_bg
        index = group // per if meta else blocks.index(block)
        raw = self._block(block)
        known = self.groups[index * per : (index + 1) * per]
        for n, mine in enumerate(known):
            other = _group(raw[n * sb.descriptor : (n + 1) * sb.descriptor])
            if other.inode_table != mine.inode_table or other.block_bitmap != mine.block_bitmap:
                return False
        return not any(raw[len(known) * sb.descriptor :])

    def _reserved(self, group: int) -> list[Run]:
        """Blocks kept for a longer table: empty, or lists of their copies in other groups."""
        sb = self.sb
        if (
            not sb.has_super(group)
            or sb.incompat & _INCOMPAT_META_BG
            or sb.reserved > sb.block // 4
        ):
            return []
        out = []
        first = sb.start(group) + 1 + self.table_blocks
        for block in range(first, first + sb.reserved):
            raw = self._block(block)
            if not any(raw):
                continue
            values = [v for v in struct.unpack(f"<{len(raw) // 4}I", raw) if v]
            offset = block - sb.start(group)
            if all(
                v > offset
                and (v - offset - sb.first) % sb.per_group == 0
                and sb.has_super((v - offset - sb.first) // sb.per_group)
                for v in values
            ):
                out.append(self._run(block))
        return out

    def later(self, live: bool) -> Iterator[Artifact]:
        """Bitmaps and inode tables: all of them if there are files, else those that are as new."""
        try:
            runs = list(self._everything() if live else self._fresh())
        except (Malformed, Unreadable):
            # What could not be read is not explained; the medium's own pass says so.
            return
        if runs:
            yield self._piece(
                "table", [r for r in runs if (r.at or 0) + r.length <= self.source.size]
            )

    def _everything(self) -> Iterator[Run]:
        blocks = -(-self.sb.inodes_per_group * self.sb.inode_size // self.sb.block)
        for group in self.groups:
            self.budget.pay()
            yield self._run(group.block_bitmap)
            yield self._run(group.inode_bitmap)
            yield self._run(group.inode_table, blocks)
        yield from self._own_files()

    def _fresh(self) -> Iterator[Run]:
        """What mkfs writes, each piece checked against what it must say."""
        own = list(self._own_files())
        yield from own
        yield from self._first_inodes()
        yield from self._bitmaps()

    def _own_files(self) -> Iterator[Run]:
        """Blocks of the files that mkfs makes, as far as they are as it leaves them."""
        sb = self.sb
        for number, test in (
            (_ROOT, self._empty_directory),
            (sb.first_inode, self._empty_directory),
            (_RESIZE, None),
            (_JOURNAL, _empty_journal),
            (sb.orphans if sb.compat & 0x1000 else 0, _empty_orphans),
        ):
            if not number:
                continue
            data, tables = _Map(self, self.inode(number)).blocks(_LISTED)
            if test is None:
                # What it lists are the reserved descriptor blocks, which are judged as such.
                tables = [b for b in tables[:1] if self._lists_reserved(b)]
            yield from (self._run(b) for b in tables)
            for index, block in enumerate(data if test else ()):
                raw = self._block(block)
                if any(raw) and test is not None and test(raw, index):
                    yield self._run(block)

    def _lists_reserved(self, block: int) -> bool:
        first = self.sb.start(0) + 1 + self.table_blocks
        raw = self._block(block)
        pointers = [p for p in struct.unpack(f"<{len(raw) // 4}I", raw) if p]
        return all(first <= p < first + self.sb.reserved for p in pointers)

    def _empty_directory(self, raw: bytes, index: int) -> bool:
        """A directory block with nothing but ``.``, ``..`` and lost+found, and no trace behind."""
        at, left = 0, len(raw)
        if self.sb.ro_compat & 0x400 and raw[-12:-4] == b"\0\0\0\0\x0c\0\0\xde":
            left -= 12
        while at + 8 <= left:
            inode, length, letters, _type = struct.unpack_from("<IHBB", raw, at)
            if length < 8 or length % 4 or at + length > left or 8 + letters > length:
                return False
            name = raw[at + 8 : at + 8 + letters]
            if inode and (index or name not in (b".", b"..", b"lost+found")):
                return False
            if any(raw[at + 8 + letters : at + length]) or (not inode and letters):
                return False
            at += length
        return at == left

    def _first_inodes(self) -> Iterator[Run]:
        """The sectors of the inodes that mkfs makes, if no other inode shares them."""
        sb = self.sb
        at = self.groups[0].inode_table * sb.block
        last = max(sb.first_inode, sb.orphans if sb.compat & 0x1000 else 0)
        end = at + last * sb.inode_size
        length = -(-last * sb.inode_size // 512) * 512
        if any(self.cursor.take(end, at + length - end)):
            length -= 512
        yield Run(at, length)

    def _bitmaps(self) -> Iterator[Run]:
        """Bitmaps that say what a new file system's must."""
        taken = self._taken()
        sb = self.sb
        for number, group in enumerate(self.groups):
            self.budget.pay()
            count = min(sb.per_group, sb.blocks - sb.start(number))
            bits = taken.get(number, 0)
            if _says(self._block(group.block_bitmap), bits, count):
                yield self._run(group.block_bitmap)
            first = max(sb.first_inode, sb.orphans if sb.compat & 0x1000 else 0)
            bits = (1 << first) - 1 if number == 0 else 0
            if _says(self._block(group.inode_bitmap), bits, sb.inodes_per_group):
                yield self._run(group.inode_bitmap)

    def _taken(self) -> dict[int, int]:
        """Group -> the bits of its blocks that a new file system has in use."""
        sb = self.sb
        table = -(-sb.inodes_per_group * sb.inode_size // sb.block)
        spans: list[tuple[int, int]] = []
        for number, group in enumerate(self.groups):
            self.budget.pay()
            if sb.has_super(number):
                spans.append((sb.start(number), 1))
                if not sb.incompat & _INCOMPAT_META_BG:
                    spans.append((sb.start(number) + 1 + self.table_blocks, sb.reserved))
            spans += [(b, 1) for b in self._descriptor_blocks(number)]
            spans += [(group.block_bitmap, 1), (group.inode_bitmap, 1), (group.inode_table, table)]
        orphans = sb.orphans if sb.compat & 0x1000 else 0
        for number in (_ROOT, sb.first_inode, _RESIZE, _JOURNAL, orphans):
            if number:
                data, tables = _Map(self, self.inode(number)).blocks(_LISTED)
                spans += [(b, 1) for b in (*data, *tables)]
        out: dict[int, int] = {}
        for start, count in joined_blocks(spans):
            at = max(start, sb.first)
            while at < start + count:
                group_number = (at - sb.first) // sb.per_group
                stop = min(start + count, sb.start(group_number + 1))
                bits = ((1 << (stop - at)) - 1) << (at - sb.start(group_number))
                out[group_number] = out.get(group_number, 0) | bits
                at = stop
        return out


def joined_blocks(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sorted (start, count) of blocks, those that touch as one."""
    return ((r.at or 0, r.length) for r in joined(Run(a, n) for a, n in spans))


def _says(raw: bytes, bits: int, count: int) -> bool:
    """Whether a bitmap block holds these bits, and ones behind the last."""
    value = int.from_bytes(raw, "little")
    ones = (1 << len(raw) * 8) - 1
    return value == bits | (ones ^ ((1 << count) - 1))


def _group(raw: bytes) -> Group:
    low = struct.unpack_from("<III", raw)
    high = struct.unpack_from("<III", raw, 32) if len(raw) >= 64 else (0, 0, 0)
    a, b, c = (x | y << 32 for x, y in zip(low, high, strict=True))
    return Group(a, b, c, int.from_bytes(raw[18:20], "little"))


def _empty_journal(raw: bytes, index: int) -> bool:
    """A journal superblock that says the journal is empty (s_start 0)."""
    return index == 0 and raw[:4] == b"\xc0\x3b\x39\x98" and not any(raw[28:32])


def _empty_orphans(raw: bytes, _index: int) -> bool:
    """A block of the orphan file: no inode, then its magic number and checksum."""
    return raw[-8:-4] == b"\x04\xca\x10\x0b" and not any(raw[:-8])


class _Map:
    """The blocks of one inode, by its extents or its indirect blocks."""

    def __init__(self, volume: _Volume, inode: Inode) -> None:
        self.volume = volume
        self.inode = inode
        self.data: list[int] = []
        self.tables: list[int] = []

    def blocks(self, most: int) -> tuple[list[int], list[int]]:
        """Data blocks in order (about ``most`` at most), and the blocks that list them."""
        if self.inode.flags & _EXTENTS:
            self._extents(self.inode.block, most, 5)
            return self.data, self.tables
        pointers = struct.unpack("<15I", self.inode.block)
        self.data += [p for p in pointers[:12] if p]
        for level, pointer in enumerate(pointers[12:], 1):
            if pointer:
                self._indirect(pointer, level, most)
        return self.data, self.tables

    def _check(self, block: int) -> None:
        sb = self.volume.sb
        if not sb.first <= block < sb.blocks or len(self.tables) > 1 << 16:
            raise Malformed("ext: impossible block number")

    def _extents(self, raw: bytes, most: int, depth: int) -> None:
        magic, count, _max, level = struct.unpack_from("<HHHH", raw)
        if magic != 0xF30A or level > depth or 12 + 12 * count > len(raw):
            raise Malformed("ext: impossible extents")
        for at in range(12, 12 + 12 * count, 12):
            self.volume.budget.pay()
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
                self._extents(self.volume._block(block), most, level - 1)

    def _indirect(self, block: int, level: int, most: int) -> None:
        self.volume.budget.pay()
        self._check(block)
        if len(self.data) >= most:
            return
        self.tables.append(block)
        raw = self.volume._block(block)
        pointers = [p for p in struct.unpack(f"<{len(raw) // 4}I", raw) if p]
        for pointer in pointers:
            self._check(pointer)
        if level == 1:
            self.data += pointers
            return
        for pointer in pointers:
            self._indirect(pointer, level - 1, most)

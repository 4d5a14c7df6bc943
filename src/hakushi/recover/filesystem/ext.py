"""ext2, ext3 and ext4: what the file system itself owns, and what of it is as mkfs makes it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cached_property

from hakushi.media import Window
from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Extent,
    Malformed,
    Role,
    Run,
    Source,
    State,
    Unreadable,
)
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import Entry, Layout
from hakushi.recover.filesystem.ext_disk import (
    COMPAT_ORPHANS,
    EXTENTS,
    INCOMPAT_META_BG,
    RO_CHECKSUMS,
    BlockMap,
    Group,
    Inode,
    Super,
    group_of,
    superblock,
)
from hakushi.recover.filesystem.parts import Bits, chosen, joined, structure

_SUPER = 1024
_ROOT, _RESIZE, _JOURNAL = 2, 7, 8
_LISTED = 1 << 19
"""Blocks of one of the file system's own files that are followed: 512 MiB of journal at least."""

_BLOCK_UNINIT = 2
_LOST_FOUND = "lost+found"


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
        if sb.incompat & INCOMPAT_META_BG:
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
                    out.append(group_of(raw[at : at + sb.descriptor]))
        return out

    def _primary(self, index: int) -> int:
        """Where block ``index`` of the descriptor table stands first."""
        sb = self.sb
        if not sb.incompat & INCOMPAT_META_BG or index < sb.first_meta_bg:
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
        if _never_mounted(self.cursor.take(_SUPER, 1024)):
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
        own = raw[56:58] == b"\x53\xef" and raw[104:120] == self.sb.uuid
        return own and _never_mounted(raw)

    def _sound(self, group: int, block: int) -> bool:
        """Whether a block of descriptors says what the first copy says, and nothing after it."""
        sb, per = self.sb, self.sb.block // self.sb.descriptor
        blocks = self._descriptor_blocks(group)
        meta = sb.incompat & INCOMPAT_META_BG and group // per >= sb.first_meta_bg
        index = group // per if meta else blocks.index(block)
        raw = self._block(block)
        known = self.groups[index * per : (index + 1) * per]
        for n, mine in enumerate(known):
            other = group_of(raw[n * sb.descriptor : (n + 1) * sb.descriptor])
            if other.inode_table != mine.inode_table or other.block_bitmap != mine.block_bitmap:
                return False
        return not any(raw[len(known) * sb.descriptor :])

    def _reserved(self, group: int) -> list[Run]:
        """Blocks kept for a longer table: empty, or lists of their copies in other groups."""
        sb = self.sb
        if not sb.has_super(group) or sb.incompat & INCOMPAT_META_BG or sb.reserved > sb.block // 4:
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
            (self._orphans, _empty_orphans),
        ):
            if not number:
                continue
            data, tables = BlockMap(self.sb, self._block, self.inode(number), self.budget).blocks(
                _LISTED
            )
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
        if self.sb.ro_compat & RO_CHECKSUMS and raw[-12:-4] == b"\0\0\0\0\x0c\0\0\xde":
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
        """The sectors of the inodes that mkfs makes, where each inode in them is as it must be."""
        sb = self.sb
        start = self.groups[0].inode_table * sb.block
        count = -(-max(sb.first_inode, self._orphans) * sb.inode_size // SECTOR) * SECTOR
        for at in range(start, start + count, SECTOR):
            first = (at - start) // sb.inode_size + 1
            last = (at + SECTOR - 1 - start) // sb.inode_size + 1
            if all(self._as_made(number) for number in range(first, last + 1)):
                yield Run(at, SECTOR)

    @property
    def _orphans(self) -> int:
        """The inode of the orphan file, 0 where there is none."""
        return self.sb.orphans if self.sb.compat & COMPAT_ORPHANS else 0

    def _as_made(self, number: int) -> bool:
        """Whether an inode is one of mkfs's own, or empty, with no attributes behind it."""
        sb = self.sb
        at = self.groups[0].inode_table * sb.block + (number - 1) * sb.inode_size
        raw = self.cursor.take(at, sb.inode_size)
        if number not in {1, _ROOT, _RESIZE, _JOURNAL, sb.first_inode, self._orphans}:
            # Checksums stand in empty inodes as well.
            return not any(raw[:124] + raw[126:130] + raw[132:])
        extra = int.from_bytes(raw[128:130], "little") if sb.inode_size > 128 else 0
        if extra > 32 or any(raw[128 + extra :]):
            return False
        if number == 1:
            return not any(raw[40:100])
        flags, block = int.from_bytes(raw[32:36], "little"), raw[40:100]
        if flags & EXTENTS:
            return not any(block[12 + 12 * block[2] :])
        return all(p < sb.blocks for p in struct.unpack("<15I", block))

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
            first = max(sb.first_inode, self._orphans)
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
                if not sb.incompat & INCOMPAT_META_BG:
                    spans.append((sb.start(number) + 1 + self.table_blocks, sb.reserved))
            spans += [(b, 1) for b in self._descriptor_blocks(number)]
            spans += [(group.block_bitmap, 1), (group.inode_bitmap, 1), (group.inode_table, table)]
        for number in (_ROOT, sb.first_inode, _RESIZE, _JOURNAL, self._orphans):
            if number:
                data, tables = BlockMap(
                    self.sb, self._block, self.inode(number), self.budget
                ).blocks(_LISTED)
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


def _never_mounted(raw: bytes) -> bool:
    """A superblock without a mount point, mount options, errors, or anything in its reserve."""
    return not any(
        any(raw[start:end]) for start, end in ((136, 200), (404, 576), (600, 616), (644, 1020))
    )


def _empty_journal(raw: bytes, index: int) -> bool:
    """A journal superblock that says the journal is empty (s_start 0), and nothing more."""
    users = raw[256:272]
    return (
        index == 0
        and raw[:4] == b"\xc0\x3b\x39\x98"
        and not any(raw[28:36])
        and not any(raw[68:80])
        and not any(raw[92:252])
        and (not any(users) or users == raw[48:64])
        and not any(raw[272:])
    )


def _empty_orphans(raw: bytes, _index: int) -> bool:
    """A block of the orphan file: no inode, then its magic number and checksum."""
    return raw[-8:-4] == b"\x04\xca\x10\x0b" and not any(raw[:-8])

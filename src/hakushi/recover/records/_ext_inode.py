"""Inodes of ext2, ext3 and ext4 as they stand in any copy of their table, and their blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Run
from hakushi.recover.cursor import Budget
from hakushi.recover.records._ext_journal import Reader

FILE, DIRECTORY, LINK = 0x8000, 0x4000, 0xA000
_KINDS = (0x1000, 0x2000, 0x4000, 0x6000, 0x8000, 0xA000, 0xC000)
_EXTENTS, _INLINE, _ENCRYPTED = 0x80000, 0x10000000, 0x800
_TREE = 0xF30A
_LARGEST = 1 << 44
_MOST_RUNS = 1 << 20


@dataclass(frozen=True, slots=True)
class Inode:
    """One inode in one copy. ``at``: its place on the medium."""

    at: int
    mode: int
    size: int
    links: int
    flags: int
    block: bytes
    generation: int
    modified: int
    changed: int
    deleted: int
    created: int

    @property
    def kind(self) -> int:
        return self.mode & 0xF000

    @property
    def named(self) -> bool:
        """Whether it was a file that some folder listed."""
        return self.links > 0 and not self.deleted

    @property
    def who(self) -> tuple[int, int, int]:
        """Equal for two copies of one file: a number that is given anew changes this."""
        return self.generation, self.created, self.kind

    @property
    def inline(self) -> bool:
        return bool(self.flags & _INLINE)

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & _ENCRYPTED)


def inode(raw: bytes, at: int) -> Inode | None:
    """None for an empty one, and for what no driver writes."""
    mode, _uid, low, _atime, ctime, mtime, dtime = struct.unpack_from("<HHIIIII", raw)
    links, _blocks, flags = struct.unpack_from("<HII", raw, 26)
    generation, _acl, high = struct.unpack_from("<III", raw, 100)
    if mode & 0xF000 not in _KINDS:
        return None
    size = low | (high << 32 if mode & 0xF000 in (FILE, DIRECTORY) else 0)
    extra = int.from_bytes(raw[128:130], "little") if len(raw) > 128 else 0
    if size > _LARGEST or extra > len(raw) - 128 + (len(raw) == 128) or extra % 4:
        return None
    modified, created = _signed(mtime), 0
    if extra >= 12:
        modified += (int.from_bytes(raw[136:140], "little") & 3) << 32
    if extra >= 20:
        created = int.from_bytes(raw[144:148], "little")
    return Inode(
        at,
        mode,
        size,
        links,
        flags,
        raw[40:100],
        generation,
        modified,
        _signed(ctime),
        dtime,
        created,
    )


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


@dataclass(frozen=True, slots=True)
class Laid:
    """The bytes of a file as runs of its volume. ``whole``: every block is told of."""

    runs: tuple[Run, ...]
    whole: bool


class BlockMap:
    """The runs of one inode, by its extents or its indirect blocks.

    Blocks that list blocks are asked of ``read``, of which the first likely answer is taken.
    """

    def __init__(self, block: int, blocks: int, read: Reader, budget: Budget) -> None:
        self._block = block
        self._blocks = blocks
        self._read = read
        self._budget = budget
        self._spans: list[tuple[int, int, int | None]] = []
        self._whole = True
        self._seen: set[int] = set()

    def of(self, one: Inode) -> Laid:
        if one.flags & _EXTENTS:
            self._extents(one.block, -1)
        else:
            self._pointers(one)
        return self._laid(one.size)

    # --- extents ---

    def _extents(self, raw: bytes, depth: int) -> None:
        parsed = _node(raw, self._blocks)
        if parsed is None or (depth >= 0 and parsed[0] != depth) or parsed[0] > 5:
            self._whole = False
            return
        level, entries = parsed
        for first, count, start in entries:
            self._budget.pay()
            if level == 0:
                self._add(first, count & 0x7FFF or 0x8000, start, count <= 0x8000)
            else:
                self._below(start, level - 1)

    def _below(self, block: int, level: int) -> None:
        if block in self._seen:
            self._whole = False
            return
        self._seen.add(block)
        for raw in self._read(block):
            self._budget.pay()
            parsed = _node(raw, self._blocks)
            if parsed is not None and parsed[0] == level and parsed[1]:
                self._extents(raw, level)
                return
        self._whole = False

    # --- indirect blocks ---

    def _pointers(self, one: Inode) -> None:
        count = -(-one.size // self._block)
        pointers = struct.unpack("<15I", one.block)
        for index, pointer in enumerate(pointers[:12]):
            if pointer and index < count:
                self._add(index, 1, pointer, True)
        first, per = 12, self._block // 4
        for level, pointer in enumerate(pointers[12:]):
            if pointer and first < count:
                self._indirect(pointer, level, first, count)
            first += per ** (level + 1)

    def _indirect(self, block: int, level: int, first: int, count: int) -> None:
        per, span = self._block // 4, (self._block // 4) ** level
        for raw in () if block in self._seen else self._read(block):
            self._budget.pay(steps=per >> 4)
            pointers = struct.unpack(f"<{per}I", raw)
            if any(pointers) and max(pointers) < self._blocks:
                break
        else:
            self._whole = False
            return
        self._seen.add(block)
        for index, pointer in enumerate(pointers):
            start = first + index * span
            if start >= count:
                return
            if pointer and level:
                self._indirect(pointer, level - 1, start, count)
            elif pointer:
                self._add(start, 1, pointer, True)

    # --- runs ---

    def _add(self, first: int, count: int, start: int, written: bool) -> None:
        self._budget.pay()
        if start + count > self._blocks or not start or len(self._spans) >= _MOST_RUNS:
            self._whole = False
            return
        last = self._spans[-1] if self._spans else None
        if written and last and last[2] is not None:
            follows = (last[0] + last[1], last[2] + last[1]) == (first, start)
            if follows:
                self._spans[-1] = (last[0], last[1] + count, last[2])
                return
        self._spans.append((first, count, start if written else None))

    def _laid(self, size: int) -> Laid:
        runs: list[Run] = []
        at = 0
        for first, count, start in sorted(self._spans, key=lambda s: s[0]):
            low, high = first * self._block, min((first + count) * self._block, size)
            if low >= size:
                break
            if low < at:
                return Laid((Run(None, size),), whole=False)
            if low > at:
                runs.append(Run(None, low - at))
            runs.append(Run(None if start is None else start * self._block, high - low))
            at = high
        if at < size:
            runs.append(Run(None, size - at))
        return Laid(tuple(runs), self._whole)


def _node(raw: bytes, blocks: int) -> tuple[int, list[tuple[int, int, int]]] | None:
    """(depth, (first block, count or 0, where)) of a node of an extent tree; None for no node."""
    magic, count, most, depth = struct.unpack_from("<HHHH", raw)
    if magic != _TREE or count > most or 12 + 12 * most > len(raw):
        return None
    out: list[tuple[int, int, int]] = []
    for at in range(12, 12 + 12 * count, 12):
        if depth:
            first, low, high = struct.unpack_from("<IIH", raw, at)
            length = 0
        else:
            first, length, high, low = struct.unpack_from("<IHHI", raw, at)
        start = low | high << 32
        if not start < blocks or (not depth and not length) or (out and first <= out[-1][0]):
            return None
        out.append((first, length, start))
    return depth, out


def inodes(raw: bytes, at: int, size: int) -> Iterator[tuple[int, Inode]]:
    """(index, inode) of a block of an inode table."""
    for index in range(len(raw) // size):
        piece = raw[index * size : (index + 1) * size]
        if piece[:2] == b"\0\0":
            continue
        found = inode(piece, at + index * size)
        if found is not None:
            yield index, found

"""The journal of ext3 and ext4 (jbd2): which older copies of a file system's blocks it still holds.

Names as in the kernel's ``ext4`` documentation, "Journal (jbd2)". All fields are big-endian.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hakushi.model import Malformed
from hakushi.recover.cursor import Budget, Cursor

MAGIC = b"\xc0\x3b\x39\x98"
_DESCRIPTOR, _SUPER_1, _SUPER_2 = 1, 3, 4
_64BIT, _CSUM_V2, _CSUM_V3 = 2, 8, 16
_ESCAPED, _SAME_UUID, _LAST = 1, 2, 8
_MOST_BLOCKS = 1 << 24
_NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's superblock, which stands at byte ``at`` of the medium."""

    at: int
    block: int
    blocks: int
    first: int
    incompat: int
    uuid: bytes

    @property
    def tag(self) -> int:
        """Bytes of a block tag."""
        if self.incompat & _CSUM_V3:
            return 16
        size = 14 if self.incompat & _CSUM_V2 else 12
        return size if self.incompat & _64BIT else size - 4


def head(cursor: Cursor, at: int) -> Head | None:
    """The journal superblock at ``at``, None for what is none."""
    try:
        raw = cursor.take(at, 1024)
    except Malformed:
        return None
    kind, _, block, blocks, first = struct.unpack_from(">5I", raw, 4)
    if raw[:4] != MAGIC or kind not in (_SUPER_1, _SUPER_2):
        return None
    if block not in (1024, 2048, 4096, 8192, 16384, 32768, 65536):
        return None
    if not 0 < first < blocks <= _MOST_BLOCKS:
        return None
    incompat = struct.unpack_from(">I", raw, 40)[0] if kind == _SUPER_2 else 0
    return Head(at, block, blocks, first, incompat, raw[48:64])


@dataclass(frozen=True, slots=True)
class Copy:
    """A block as it was in transaction ``sequence``; ``at`` is its place on the medium."""

    sequence: int
    at: int
    escaped: bool = False

    def read(self, cursor: Cursor, size: int) -> bytes:
        """Its bytes; an escaped one begins with the journal's magic, which the log leaves out."""
        raw = cursor.take(self.at, size)
        return MAGIC + raw[4:] if self.escaped else raw


@dataclass(slots=True)
class Copies:
    """File system block -> its copies, the oldest first."""

    of: dict[int, list[Copy]] = field(default_factory=lambda: defaultdict(list))

    def add(self, more: Iterable[tuple[int, Copy]]) -> None:
        for block, copy in more:
            self.of[block].append(copy)
        for some in self.of.values():
            some.sort(key=lambda copy: copy.sequence)

    def before(self, block: int, sequence: int) -> Iterator[Copy]:
        """Copies not newer than ``sequence``, the newest first, and after these the newer ones."""
        some = self.of.get(block, [])
        index = bisect_right([copy.sequence for copy in some], sequence)
        yield from reversed(some[:index])
        yield from some[index:]

    def newest(self, block: int) -> int:
        some = self.of.get(block)
        return some[-1].sequence if some else -_NO_LIMIT


def copies(
    cursor: Cursor, head: Head, places: Sequence[int], budget: Budget
) -> Iterator[tuple[int, Copy]]:
    """(block, copy) of all that the log still holds, committed or not, replayed or not.

    ``places``: byte offsets of the journal's blocks, in their order. The log is a ring: a later
    transaction owns the blocks that it was written over. Revoke blocks only forbid a replay: what
    was revoked is as good a copy, so they are not asked.
    """
    found: list[tuple[int, int, list[tuple[int, bool]]]] = []
    for index in range(head.first, len(places)):
        budget.pay()
        try:
            start = cursor.take(places[index], 12)
            if start[:4] != MAGIC or int.from_bytes(start[4:8], "big") != _DESCRIPTOR:
                continue
            raw = cursor.take(places[index], head.block)
        except Malformed:
            continue
        found.append((int.from_bytes(start[8:12], "big"), index, list(_tags(head, raw))))
    owner: dict[int, int] = {}
    for _sequence, index, tags in sorted(found):
        budget.pay(steps=1 + len(tags))
        for n in range(len(tags) + 1):
            owner[_ring(head, index + n, len(places))] = index
    for sequence, index, tags in found:
        for n, (block, escaped) in enumerate(tags, 1):
            place = _ring(head, index + n, len(places))
            if owner[place] == index:
                yield block, Copy(sequence, places[place], escaped)


def _ring(head: Head, index: int, count: int) -> int:
    return index if index < count else head.first + (index - head.first) % (count - head.first)


def _tags(head: Head, raw: bytes) -> Iterator[tuple[int, bool]]:
    """(block of the file system, escaped) for each block that follows the descriptor."""
    size, end = head.tag, len(raw) - (4 if head.incompat & (_CSUM_V2 | _CSUM_V3) else 0)
    at = 12
    while at + size <= end:
        if head.incompat & _CSUM_V3:
            low, flags, high = struct.unpack_from(">III", raw, at)
        else:
            low, flags = struct.unpack_from(">I2xH", raw, at)
            high = int.from_bytes(raw[at + 8 : at + 12], "big")
        wide = head.incompat & _64BIT
        yield low | (high << 32 if wide else 0), bool(flags & _ESCAPED)
        at += size if flags & _SAME_UUID else size + 16
        if flags & _LAST:
            return


Reader = Callable[[int], Iterator[bytes]]
"""The bytes that a block may have had, the likeliest first."""

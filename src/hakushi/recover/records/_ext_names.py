"""Directory blocks of ext2, ext3 and ext4 in any copy: who was called what, and where."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.recover.cursor import Budget

DOT = b"\x0c\x00\x01\x02.\x00\x00\x00"
"""What stands 4 bytes into the first block of every directory, behind its own inode number."""

ROOT = 2
_DEEPEST = 128
_MOST_NAMES = 64
"""Names that one inode is given at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    inode: int
    name: bytes
    kind: int
    """File type of the entry: 0 unknown, 1 file, 2 directory, others."""
    gone: bool
    """It stands where a deleted entry is left: behind the name of the one before it."""


def entries(raw: bytes, inodes: int) -> Iterator[Entry]:
    """All names of a block, those that were deleted as well. No name is made up: hostile bytes
    give fewer entries.
    """
    at = 0
    while at + 8 <= len(raw):
        inode, length, letters, kind = struct.unpack_from("<IHBB", raw, at)
        if length < 8 or length % 4 or at + length > len(raw) or 8 + letters > length:
            return
        name = raw[at + 8 : at + 8 + letters]
        if 0 < inode <= inodes and _plausible(name, kind):
            yield Entry(inode, name, kind, gone=False)
        yield from _left(raw, at + (8 + letters + 3) // 4 * 4, at + length, inodes)
        at += length


def _left(raw: bytes, at: int, end: int, inodes: int) -> Iterator[Entry]:
    while at + 12 <= end:
        inode, length, letters, kind = struct.unpack_from("<IHBB", raw, at)
        name = raw[at + 8 : at + 8 + letters]
        own = 8 + letters <= length and at + 8 + letters <= end and not length % 4
        if own and 0 < inode <= inodes and 1 <= kind <= 7 and _plausible(name, kind):
            yield Entry(inode, name, kind, gone=True)
            at += (8 + letters + 3) // 4 * 4
        else:
            at += 4


def _plausible(name: bytes, kind: int) -> bool:
    return bool(name) and kind <= 7 and b"\0" not in name and b"/" not in name


@dataclass(slots=True)
class _Said:
    """The first and the last transaction in which a directory listed a name."""

    first: int
    last: int


@dataclass(slots=True)
class Names:
    """Inode number -> the names that it had, with the time, counted in transactions."""

    of: dict[int, dict[tuple[int, bytes, int], _Said]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def add(self, parent: int, raw: bytes, sequence: int, inodes: int, budget: Budget) -> None:
        """What a block of the directory ``parent`` says."""
        for one in entries(raw, inodes):
            budget.pay()
            if one.name in (b".", b".."):
                continue
            some, key = self.of[one.inode], (parent, one.name, one.kind)
            said = some.get(key)
            if said is None:
                if len(some) < _MOST_NAMES:
                    some[key] = _Said(sequence, sequence)
            elif not one.gone:
                said.first, said.last = min(said.first, sequence), max(said.last, sequence)

    def path(self, number: int, sequence: int, kind: int) -> str:
        """The path that an inode had about then, below the root; ``$Orphan/`` where it is lost."""
        names: list[str] = []
        seen = {number}
        while number != ROOT:
            found = self._name(number, sequence, kind)
            if found is None:
                names.append(f"$Orphan/inode-{number}")
                break
            number, kind = found[0], 2
            names.append(found[1].decode("utf-8", "backslashreplace"))
            if number in seen or len(names) > _DEEPEST:
                names.append("$Orphan")
                break
            seen.add(number)
        return "/".join(reversed(names))

    def _name(self, number: int, sequence: int, kind: int) -> tuple[int, bytes] | None:
        some = self.of.get(number)
        if not some:
            return None

        def distance(item: tuple[tuple[int, bytes, int], _Said]) -> tuple[object, ...]:
            (parent, name, type_), said = item
            apart = max(said.first - sequence, sequence - said.last, 0)
            return type_ not in (0, kind), apart, -said.last, parent, name

        (parent, name, _), _said = min(some.items(), key=distance)
        return parent, name

"""Tiles and entry bundles (C2SP tlog-tiles): names, bytes, and the growing right edge. Pure.

A tile is 256 hashes side by side, a subtree of height 8; level 0 holds leaf hashes, each level
above the roots of full tiles below. A bundle is the same 256 entries, each after two bytes of
length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from hakushi.ledger import merkle
from hakushi.model import Malformed

WIDTH = 256
HEIGHT = 8
LARGEST_ENTRY = (1 << 16) - 1
"""Bytes that an entry may have."""

_HASH = merkle.HASH


def tile_name(level: int, index: int, width: int = WIDTH) -> str:
    return f"tile/{level}/{_number(index)}{_part(width)}"


def bundle_name(index: int, width: int = WIDTH) -> str:
    return f"tile/entries/{_number(index)}{_part(width)}"


def place_of(name: str) -> tuple[int, int]:
    """Level and index of the tile with that name, which `tile_name` made."""
    _, level, *parts = name.partition(".p/")[0].split("/")
    return int(level), int("".join(part.removeprefix("x") for part in parts))


def _number(index: int) -> str:
    """Three digits an element, all but the last with an x before: 1234067 is x001/x234/067."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([*(f"x{p}" for p in parts[:-1]), parts[-1]])


def _part(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes that tile has in the tree of that size: 0 to 256."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


# --- bytes ----------------------------------------------------------------------------------


def hashes_of(tile: bytes) -> tuple[bytes, ...]:
    """The hashes of a tile."""
    if not tile or len(tile) % _HASH or len(tile) > WIDTH * _HASH:
        raise Malformed("a tile is 1 to 256 hashes of 32 bytes")
    return tuple(tile[i : i + _HASH] for i in range(0, len(tile), _HASH))


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle, or the continuation of one."""
    return b"".join(struct.pack(">H", len(e)) + e for e in entries)


def entries_of(bundle: bytes) -> tuple[bytes, ...]:
    """The entries of a bundle."""
    found, at = [], 0
    while at < len(bundle):
        if at + 2 > len(bundle):
            raise Malformed("a bundle ends inside a length")
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if at > len(bundle):
            raise Malformed("a bundle ends inside an entry")
        found.append(bundle[start:at])
        if len(found) > WIDTH:
            raise Malformed("a bundle of more than 256 entries")
    return tuple(found)


class Subtree:
    """A tile with the hashes between its own and its root, for proofs."""

    __slots__ = ("_rows",)

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self._rows = [list(hashes)]
        while len(below := self._rows[-1]) > 1:
            self._rows.append(
                [merkle.node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
            )

    def node(self, height: int, index: int) -> bytes:
        """The root of the full subtree of ``1 << height`` of the tile's hashes."""
        return self._rows[height][index]

    def peaks(self) -> Iterator[bytes]:
        """The roots of its full subtrees, from right to left."""
        return (row[-1] for row in self._rows if len(row) & 1)


# --- growth ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Edge:
    """The right edge of a tree: every partial tile, and the partial bundle. Memory: O(log n)."""

    size: int = 0
    rows: list[list[bytes]] = field(default_factory=list)
    """By level, the hashes of its partial tile: 0 to 255."""
    entries: list[bytes] = field(default_factory=list)
    """Those of the partial bundle."""

    def copy(self) -> Self:
        return type(self)(self.size, [list(row) for row in self.rows], list(self.entries))

    @property
    def root(self) -> bytes:
        return merkle.root_of(peak for row in self.rows for peak in Subtree(row).peaks())

    def extend(self, entries: Iterable[bytes]) -> dict[str, bytes]:
        """Appends entries; gives every object that is new: full ones, then the partial edge."""
        made: dict[str, bytes] = {}
        touched = 0
        for entry in entries:
            self.entries.append(entry)
            self.size += 1
            touched = max(touched, self._push(merkle.leaf_hash(entry), made))
        for level, row in enumerate(self.rows[: touched + 1]):
            if row:
                index = self.size >> HEIGHT * (level + 1)
                made[tile_name(level, index, len(row))] = b"".join(row)
        if made and self.entries:
            name = bundle_name(self.size // WIDTH, len(self.entries))
            made[name] = bundle_of(self.entries)
        return made

    def _push(self, hash: bytes, made: dict[str, bytes]) -> int:
        """Adds a leaf hash; gives the highest level that it reached."""
        level = 0
        while True:
            if level == len(self.rows):
                self.rows.append([])
            row = self.rows[level]
            row.append(hash)
            if len(row) < WIDTH:
                return level
            index = (self.size >> HEIGHT * (level + 1)) - 1
            made[tile_name(level, index)] = b"".join(row)
            if level == 0:
                made[bundle_name(index)] = bundle_of(self.entries)
                self.entries.clear()
            (hash,) = Subtree(row).peaks()
            row.clear()
            level += 1


def replaced_by(names: Iterable[str]) -> Iterator[str]:
    """The prefixes of partial objects that these full ones replace."""
    return (f"{name}.p/" for name in names if ".p/" not in name)

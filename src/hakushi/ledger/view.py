"""A log as it reads at one checkpoint: entries, proofs, receipts. No key, no writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from hakushi.ledger import merkle, tiles
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.receipt import Proof, Receipt
from hakushi.model import Malformed

Read = Callable[[str], bytes | None]
_CACHED = 512
"""Tiles and bundles that a view keeps at hand: 16 MiB of hashes."""

_T = TypeVar("_T")


class View:
    """The tree under a signed checkpoint. Raises `Malformed` where an object is gone or torn.

    What it gives is only as true as the objects; a `Receipt` out of it is checked by `check`.
    """

    def __init__(self, read: Read, note: bytes) -> None:
        self.note = note
        self.head = Checkpoint.of(note)
        self._read = read
        self._subtrees: dict[tuple[int, int], tiles.Subtree] = {}
        self._bundles: dict[int, tuple[bytes, ...]] = {}

    @property
    def size(self) -> int:
        return self.head.size

    def leaf(self, index: int) -> bytes:
        self._inside(index)
        return self.hashes(0, index // tiles.WIDTH)[index % tiles.WIDTH]

    def entry(self, index: int) -> bytes:
        self._inside(index)
        return self.bundle(index // tiles.WIDTH)[index % tiles.WIDTH]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """Every entry from ``start`` on."""
        for number in range(start // tiles.WIDTH, -(-self.size // tiles.WIDTH)):
            yield from self.bundle(number)[max(0, start - number * tiles.WIDTH) :]

    def find(self, leaf: bytes, since: int = 0) -> int | None:
        """The index of a leaf hash at or after ``since``, or None: reads every tile between."""
        for number in range(since // tiles.WIDTH, -(-self.size // tiles.WIDTH)):
            hashes = self.hashes(0, number)
            start = max(0, since - number * tiles.WIDTH)
            if leaf in hashes[start:]:
                return number * tiles.WIDTH + hashes.index(leaf, start)
        return None

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        self._inside(index)
        return merkle.inclusion_proof(index, self.size, self.node)

    def consistency(self, size: int) -> tuple[bytes, ...]:
        """That the tree of ``size`` begins this one."""
        return merkle.consistency_proof(size, self.size, self.node)

    def receipt(self, index: int) -> Receipt:
        entry = self.entry(index)
        return Receipt(entry, Proof(index, self.inclusion(index), self.note))

    def root(self, size: int) -> bytes:
        """The root of the tree when it had that size."""
        return merkle.root(size, self.node)

    def edge(self) -> tiles.Edge:
        """The partial tiles and the partial bundle, to grow from."""
        rows: list[list[bytes]] = []
        while self.size >> tiles.HEIGHT * len(rows):
            level = len(rows)
            index = self.size >> tiles.HEIGHT * (level + 1)
            partial = tiles.width_at(level, index, self.size) > 0
            rows.append(list(self.hashes(level, index)) if partial else [])
        last = self.size // tiles.WIDTH
        entries = list(self.bundle(last)) if self.size % tiles.WIDTH else []
        return tiles.Edge(self.size, rows, entries)

    def _inside(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise IndexError(f"no entry {index} in a log of {self.size}")

    # --- objects ----------------------------------------------------------------------------

    def node(self, height: int, index: int) -> bytes:
        """The root of the ``index``-th full subtree of ``1 << height`` leaves."""
        level, within = divmod(height, tiles.HEIGHT)
        tile, at = divmod(index, tiles.WIDTH >> within)
        found = self._subtrees.get((level, tile))
        if found is None:
            found = tiles.Subtree(self.hashes(level, tile))
            _remember(self._subtrees, (level, tile), found)
        return found.node(within, at)

    def hashes(self, level: int, index: int) -> tuple[bytes, ...]:
        """The hashes of a tile, as many as this tree has."""
        width = tiles.width_at(level, index, self.size)
        name = tiles.tile_name(level, index, width)
        return _cut(tiles.hashes_of(self._object(name)), width, name)

    def bundle(self, index: int) -> tuple[bytes, ...]:
        """The entries of a bundle, as many as this tree has."""
        found = self._bundles.get(index)
        if found is None:
            width = tiles.width_at(0, index, self.size)
            name = tiles.bundle_name(index, width)
            found = _cut(tiles.entries_of(self._object(name)), width, name)
            _remember(self._bundles, index, found)
        return found

    def _object(self, name: str) -> bytes:
        data = self._read(name)
        if data is None and ".p/" in name:
            # A partial object may go once there is the full one (tlog-tiles, "Partial Tiles").
            data = self._read(name.partition(".p/")[0])
        if data is None:
            raise Malformed(f"{name} is missing")
        return data


def _cut(found: tuple[bytes, ...], width: int, name: str) -> tuple[bytes, ...]:
    if len(found) < width:
        raise Malformed(f"{name} holds {len(found)} instead of {width}")
    return found[:width]


_K = TypeVar("_K")


def _remember(kept: dict[_K, _T], key: _K, value: _T) -> None:
    if len(kept) >= _CACHED:
        kept.pop(next(iter(kept)))
    kept[key] = value

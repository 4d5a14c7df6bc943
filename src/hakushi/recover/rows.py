"""Where the pieces of a file may stand: the clusters that nothing owns, in rows."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from hakushi.model import SECTOR, Extent, Extents, Source, Unreadable
from hakushi.recover.grammar.encoding import text_sectors

CLUSTER = 4096
_FEW, _ON_GRID = 8, 0.9
"""Files that tell of clusters at least, and the share of them that agree."""

_NEAR, _FAR = 4096, 16_384
"""Clusters of `CLUSTER` bytes on both sides of a start in which a piece is looked for, or rows."""

_LOOKED = 65_536
"""Clusters that are looked at for one file at most."""

_PAGE, _PAGES = 1 << 16, 1024
"""Bytes that are read and kept together, and how many of these."""

_BEHIND = 24
"""Rows that are seen as one behind a place."""


def cluster_size(starts: Collection[int]) -> int:
    """The size of the clusters on whose grid nearly all of some files begin."""
    for unit in (CLUSTER, CLUSTER // 2, CLUSTER // 4):
        grid = Counter(start % unit for start in starts)
        if len(starts) < _FEW or max(grid.values()) >= _ON_GRID * len(starts):
            return unit
    return SECTOR


class _Kept:
    """A Source whose pages are kept once they were read: pieces are tried again and again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.locator, self.size = source.locator, source.size
        self._page = lru_cache(_PAGES)(self._read)

    def read(self, extent: Extent) -> bytes:
        number, inside = divmod(extent.offset, _PAGE)
        if inside + extent.length > _PAGE:
            return self._source.read(extent)
        try:
            return self._page(number)[inside : inside + extent.length]
        except Unreadable:
            return self._source.read(extent)

    def _read(self, number: int) -> bytes:
        return self._source.read(Extent(number * _PAGE, _PAGE))


class Clusters:
    """The clusters of a medium that nothing owns, ``unit`` bytes each; looked at once."""

    def __init__(self, source: Source, free: Extents, unit: int) -> None:
        self.source: Source = _Kept(source)
        self.free = tuple(free)
        self.unit = unit
        self._used = set[int]()
        self._known: dict[int, bool] = {}
        self._fits: dict[tuple[object, int], bool] = {}

    def use(self, pieces: Iterable[Extent]) -> None:
        """They belong to a file that was put together."""
        for piece in pieces:
            self._used.update(range(piece.offset, piece.end, self.unit))

    def used(self, cluster: int) -> bool:
        return cluster in self._used

    def run(self, offset: int, most: int) -> Extent:
        """What is free and unused in a row from an offset on, ``most`` bytes or a little more."""
        index = bisect_right(self.free, Extent(offset, 0))
        before = self.free[index - 1 : index] if index else ()
        here = next(
            (
                run
                for run in (*before, *self.free[index : index + 1])
                if run.offset <= offset < run.end
            ),
            None,
        )
        end = min(here.end, offset + most + self.unit - 1) if here is not None else offset
        taken = (one for one in range(offset, end, self.unit) if one in self._used)
        return Extent(offset, next(taken, end) - offset)

    def fits(self, cluster: int, inner: Callable[[bytes], bool] | None) -> bool:
        """Whether ``inner`` takes a cluster for one of its own; asked once for each."""
        if inner is None:
            return True
        known = self._fits.get((inner, cluster))
        if known is None:
            try:
                known = inner(self.source.read(Extent(cluster, self.unit)))
            except Unreadable:
                known = False
            self._fits[inner, cluster] = known
        return known

    def binary(self, runs: Iterable[Extent], start: int, grid: int, most: int) -> list[int]:
        """Unused clusters on a grid, from ``start`` on, that are neither text nor zeros."""
        out, looked = list[int](), 0
        for run in runs:
            first = max(run.offset, start)
            first += (grid - first) % self.unit
            every = range(first, run.end, self.unit)[: _LOOKED - looked]
            looked += len(every)
            out += [one for one in self._binary(every) if one not in self._used]
            if len(out) >= most or looked >= _LOOKED:
                break
        return out[:most]

    def _binary(self, clusters: range) -> Iterator[int]:
        for at in range(0, len(clusters), 256):
            part = clusters[at : at + 256]
            if part[0] not in self._known or part[-1] not in self._known:
                self._known.update(zip(part, self._look(part), strict=True))
            yield from (cluster for cluster in part if self._known.get(cluster, True))

    def _look(self, clusters: range) -> list[bool]:
        import numpy as np

        length = len(clusters) * self.unit
        try:
            data = self.source.read(Extent(clusters[0], length))
        except Unreadable:
            return [True] * len(clusters)
        data = data.ljust(length, b"\0")
        text = text_sectors(data, behind=False).reshape(-1, self.unit // SECTOR)
        ended = np.frombuffer(data, np.uint8)[SECTOR - 1 :: SECTOR].reshape(text.shape) == 0
        # Anything may stand behind the end of a text in its last cluster.
        text[:, 1:] |= np.logical_and(ended, text)[:, :-1].cumsum(axis=1) > 0
        some = np.frombuffer(data, np.uint64).reshape(-1, self.unit // 8).any(axis=1)
        return [bool(one) for one in np.logical_and(some, ~text.all(axis=1))]


class Rows:
    """The clusters in which the pieces of one file are looked for: those from its start on, then
    those before it, in rows. ``sound`` bytes from its start on are its own, whatever is in them.
    """

    def __init__(self, clusters: Clusters, start: int, sound: int, *, far: bool) -> None:
        self._clusters = clusters
        unit, runs = clusters.unit, clusters.free
        most = _FAR if far else _NEAR * CLUSTER // unit
        index = bisect_right(runs, Extent(start, 0))
        index -= bool(index and runs[index - 1].end > start)
        own = range(start, clusters.run(start, sound).end, unit)
        further = clusters.binary(runs[index : index + most], start, start % unit, most)
        early = (Extent(r.offset, min(r.end, start) - r.offset) for r in reversed(runs[:index]))
        before = clusters.binary(_last(early, most, unit), 0, start % unit, 1 << 62)
        behind = [*own, *(one for one in further if one not in own)]
        self.cost = len(behind) + len(before)
        """How many clusters were seen for it."""
        self.all = [*_in_rows(behind, unit), *_in_rows(before[-most:], unit)]

    def view(self, first: list[Extent], row: int, cluster: int, most: int) -> list[Extent]:
        """``first``, then ``most`` bytes from ``cluster`` (in a row) on that it lacks."""
        here = Extent(cluster, self.all[row].end - cluster)
        out, size = list(first), 0
        for piece in [here, *self.all[row + 1 : row + _BEHIND]]:
            for left in Extents([piece]) - Extents(first):
                take = min(left.length, most - size)
                if take > 0:
                    out.append(Extent(left.offset, take))
                    size += take
            if size >= most:
                break
        return out

    def begun(self) -> list[Extent]:
        """What follows its start."""
        return self.all[:_BEHIND]

    def left(self, row: int, cluster: int) -> int:
        """Bytes from a cluster to the end of its row."""
        return self.all[row].end - cluster

    def places(self, first: list[Extent], *, everywhere: bool) -> Iterator[tuple[int, int]]:
        """(row, cluster) where a piece may begin: the rows' starts, then all others if asked."""
        held = Extents(first)
        for row, run in enumerate(self.all):
            if run.offset not in held:
                yield row, run.offset
        for row, run in enumerate(self.all if everywhere else []):
            for cluster in range(run.offset, run.end, self._clusters.unit)[1:]:
                if cluster not in held:
                    yield row, cluster


def _last(runs: Iterable[Extent], most: int, unit: int) -> list[Extent]:
    """Of runs, last first, so many that hold ``most`` clusters; in order."""
    out, size = list[Extent](), 0
    for run in runs:
        out.append(run)
        size += run.length
        if len(out) >= most or size > most * unit:
            break
    return out[::-1]


def _in_rows(clusters: Sequence[int], unit: int) -> list[Extent]:
    out: list[Extent] = []
    for cluster in clusters:
        if out and out[-1].end == cluster:
            out[-1] = Extent(out[-1].offset, out[-1].length + unit)
        else:
            out.append(Extent(cluster, unit))
    return out

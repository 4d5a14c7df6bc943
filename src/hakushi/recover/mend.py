"""Files in pieces, put together again where their own format can tell that the pieces fit.

What breaks at a cluster goes on somewhere in what nothing owns: each place there is tried, and the
one from which the structure goes on is taken; so piece by piece, until it is whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hakushi.media import Runs
from hakushi.model import SECTOR, Extent, Extents, Malformed, Run, Source, Unreadable
from hakushi.recover import Measure
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.encoding import text_sectors

CLUSTER = 4096
_FORWARD, _FORWARD_ROWS = 1024, 16_384
"""Clusters behind its start in which a piece is looked for: near, or in far rows."""

_BACKWARD, _BACKWARD_ROWS = 256, 8192
_NEAR = 8
"""Clusters behind the place up to which it is sound, at which it may be broken."""

_PIECES = 5
_ROWS = 24
_LONGEST = 64 << 20
_GLANCE = 64 << 10
"""Bytes of what is looked at from a place on: at first, and where that fits."""


@dataclass(frozen=True, slots=True)
class _Round:
    """``everywhere``: every cluster is tried, not only where a row begins; ``far``: rows further
    away, too. ``each``, ``all``: bytes that are measured for one file, for all.
    """

    everywhere: bool
    far: bool
    each: int
    all: int


_ROUNDS = (
    _Round(everywhere=False, far=False, each=8 << 20, all=128 << 20),
    _Round(everywhere=True, far=False, each=16 << 20, all=256 << 20),
    _Round(everywhere=False, far=True, each=8 << 20, all=128 << 20),
    _Round(everywhere=True, far=False, each=64 << 20, all=256 << 20),
    _Round(everywhere=False, far=True, each=8 << 20, all=128 << 20),
)
"""What was found makes new rows begin, behind its last piece: there the next one often lies."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that is not whole where it stands: ``sound`` bytes of it are."""

    offset: int
    sound: int
    ends: tuple[int, ...]
    """Where something else begins, in order: its first piece may end there."""
    measure: Callable[[Source, Budget], Measure | None]
    inner: Callable[[bytes], bool] | None = None
    """Whether a cluster may be one of its own."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A whole again: ``pieces`` in order."""

    broken: Broken
    found: Measure
    pieces: tuple[Extent, ...]


def mend(
    source: Source, broken: Iterable[Broken], free: Extents, budget: Budget
) -> Iterator[Mended]:
    """Those that can be put together out of ``free``; a cluster goes into one of them at most.

    Work is bounded by the bytes that are measured, so that every run comes to the same.
    """
    waiting, used = list(broken), set[int]()
    runs, binary = tuple(free), _Binary(source)
    found_last = True
    for how in _ROUNDS:
        if how.far and not found_last:
            # No row is new.
            continue
        again, found_last, left = [], False, how.all
        for one in waiting:
            if left <= 0 or one.offset in used:
                continue
            limit = min(left, how.each)
            search = _Search(source, one, runs, binary, used, how, limit, budget)
            found = search.run()
            left -= search.spent
            if found is None:
                again.append(one)
                continue
            for piece in found.pieces:
                used.update(range(piece.offset, piece.end, CLUSTER))
            found_last = True
            yield found
        waiting = again


class _Binary:
    """Clusters where a piece of something that is no text may stand; each is looked at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[int, bool] = {}
        self._fits: dict[tuple[object, int], bool] = {}

    def fits(self, cluster: int, inner: Callable[[bytes], bool] | None) -> bool:
        """Whether ``inner`` takes a cluster for one of its own; asked once for each."""
        if inner is None:
            return True
        known = self._fits.get((inner, cluster))
        if known is None:
            try:
                known = inner(self._source.read(Extent(cluster, CLUSTER)))
            except Unreadable:
                known = False
            self._fits[inner, cluster] = known
        return known

    def of(self, clusters: range) -> Iterator[int]:
        """Those of ``clusters`` that are neither text nor zeros."""
        for at in range(0, len(clusters), 256):
            part = clusters[at : at + 256]
            if part[0] not in self._known or part[-1] not in self._known:
                self._known.update(zip(part, self._look(part), strict=True))
            yield from (cluster for cluster in part if self._known.get(cluster, True))

    def _look(self, clusters: range) -> list[bool]:
        import numpy as np

        length = len(clusters) * CLUSTER
        try:
            data = self._source.read(Extent(clusters[0], length))
        except Unreadable:
            return [True] * len(clusters)
        data = data.ljust(length, b"\0")
        text = text_sectors(data, behind=False).reshape(-1, CLUSTER // SECTOR).all(axis=1)
        some = np.frombuffer(data, np.uint64).reshape(-1, CLUSTER // 8).any(axis=1)
        return [bool(one) for one in np.logical_and(some, ~text)]


@dataclass(slots=True)
class _Search:
    source: Source
    one: Broken
    free: tuple[Extent, ...]
    binary: _Binary
    used: set[int]
    how: _Round
    most: int
    budget: Budget
    spent: int = 0
    limit: int = 0
    runs: list[Extent] = field(default_factory=list)
    """Free clusters of its grid in a row: those from its start on, then those before it."""

    def run(self) -> Mended | None:
        self.runs = self._free_runs()
        if not self.runs or self.runs[0].offset != self.one.offset:
            return None
        found = self._look(self.runs)
        if found is not None and found.complete and found.checked:
            return self._mended(found, self.runs)
        sound = max(self.one.sound, found.length if found else 0)
        own = self.runs[0].length // CLUSTER
        for count in self._breaks(sound // CLUSTER, own):
            first = [Extent(self.one.offset, count * CLUSTER)]
            # The likeliest place gets half of what is left, so that the next one has its turn.
            self.limit = self.spent + (self.most - self.spent) // 2
            done = self._go_on(first, _PIECES - 1)
            if done is not None or self.spent > self.most:
                return done
        return None

    def _breaks(self, near: int, own: int) -> list[int]:
        """Clusters of the first piece, the likeliest first."""
        start, end = self.one.offset + 1, self.one.offset + (near + _NEAR) * CLUSTER
        ends = self.one.ends[bisect_right(self.one.ends, start) : bisect_right(self.one.ends, end)]
        order = [(e - self.one.offset) // CLUSTER for e in ends[:2]]
        order += [own] if near <= own <= near + 1 else []
        order += [near + 1, near, near - 1]
        if self.how.everywhere:
            order += range(near + 2, near + _NEAR)
        return [count for count in dict.fromkeys(order) if 0 < count <= own]

    def _free_runs(self) -> list[Extent]:
        runs = self.free
        index = bisect_right(runs, Extent(self.one.offset, 0))
        index -= bool(index and runs[index - 1].end > self.one.offset)
        forward = _FORWARD_ROWS if self.how.far else _FORWARD
        backward = _BACKWARD_ROWS if self.how.far else _BACKWARD
        behind = self._clusters(runs[index : index + forward], self.one.offset, forward)
        early = [Extent(r.offset, min(r.end, self.one.offset) - r.offset) for r in runs[:index]]
        near, size = list[Extent](), 0
        for run in reversed(early[-backward:]):
            near.insert(0, run)
            size += run.length
            if size > backward * CLUSTER:
                break
        before = self._clusters(near, 0, 1 << 62)[-backward:]
        return [*_in_rows(behind), *_in_rows(before)]

    def _clusters(self, runs: Sequence[Extent], start: int, most: int) -> list[int]:
        """Free clusters on the grid that the start stands on; not those of text or of zeros."""
        grid, out, looked = self.one.offset % CLUSTER, list[int](), 0
        for run in runs:
            first = max(run.offset, start)
            first += (grid - first) % CLUSTER
            every = range(first, run.end, CLUSTER)[: _FORWARD_ROWS * 4 - looked]
            looked += len(every)
            out += [
                cluster
                for cluster in self.binary.of(every)
                if cluster not in self.used or cluster == self.one.offset
            ]
            if len(out) >= most or looked >= _FORWARD_ROWS * 4:
                break
        return out[:most]

    def _view(self, first: list[Extent], row: int, cluster: int, most: int) -> list[Extent]:
        """``first``, then the free clusters from ``cluster`` (in a row) on that it lacks."""
        here = Extent(cluster, self.runs[row].end - cluster)
        out, size = list(first), 0
        for piece in [here, *self.runs[row + 1 : row + _ROWS]]:
            for left in Extents([piece]) - Extents(first):
                take = min(left.length, most - size)
                if take > 0:
                    out.append(Extent(left.offset, take))
                    size += take
        return out

    def _look(self, pieces: list[Extent]) -> Measure | None:
        runs = [Run(e.offset, min(e.length, self.source.size - e.offset)) for e in pieces]
        view = Runs(self.source, runs, sum(r.length for r in runs), self.source.locator)
        try:
            found = self.one.measure(view, Budget(output=1 << 30, deadline=self.budget.deadline))
        except Spent:
            self.spent += self.most
            return None
        except (Malformed, Unreadable):
            found = None
        self.spent += 4 * CLUSTER + (found.length if found else 0)
        return found

    def _go_on(self, first: list[Extent], pieces: int) -> Mended | None:
        """Tries each place for what follows ``first``; goes on where it goes on the furthest."""
        have = sum(e.length for e in first)
        best: tuple[int, list[Extent]] = (0, [])
        for row, cluster in self._places(first):
            if self.spent > self.limit:
                return None
            if not self.binary.fits(cluster, self.one.inner):
                continue
            found = self._look(self._view(first, row, cluster, _GLANCE))
            if found is None or (found.broken and found.length < have + 2 * CLUSTER):
                continue
            view = self._view(first, row, cluster, _LONGEST)
            found = self._look(view)
            if found is None:
                continue
            if found.complete and found.checked:
                return self._mended(found, view)
            if found.length - have > best[0]:
                best = (found.length - have, view)
        if best[0] < 2 * CLUSTER or pieces <= 1:
            return None
        return self._go_on(_until(best[1], have + best[0] - best[0] % CLUSTER), pieces - 1)

    def _places(self, first: list[Extent]) -> Iterator[tuple[int, int]]:
        """(row, cluster) where a piece may begin: the rows' starts, then all others."""
        held = Extents(first)
        for row, run in enumerate(self.runs):
            if run.offset not in held:
                yield row, run.offset
        for row, run in enumerate(self.runs if self.how.everywhere else []):
            for cluster in range(run.offset + CLUSTER, run.end, CLUSTER):
                if cluster not in held:
                    yield row, cluster

    def _mended(self, found: Measure, pieces: list[Extent]) -> Mended:
        return Mended(self.one, found, tuple(_until(pieces, found.length)))


def _in_rows(clusters: list[int]) -> list[Extent]:
    out: list[Extent] = []
    for cluster in clusters:
        if out and out[-1].end == cluster:
            out[-1] = Extent(out[-1].offset, out[-1].length + CLUSTER)
        else:
            out.append(Extent(cluster, CLUSTER))
    return out


def _until(pieces: list[Extent], length: int) -> list[Extent]:
    out: list[Extent] = []
    for piece in pieces:
        take = min(length, piece.length)
        if take:
            out.append(Extent(piece.offset, take))
        length -= take
    return out

"""Files in pieces, put together again where their own format can tell that the pieces fit.

What breaks at a cluster goes on somewhere in what nothing owns. Each place there is tried quickly
where the format can go on from where the file broke, and the best are looked at in full: how far
the structure is sound, and how well what is drawn goes on. The likeliest beginning goes on first,
piece by piece, until one is whole.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import accumulate

from hakushi.media import Runs
from hakushi.model import Extent, Extents, Malformed, Run, Source, Unreadable
from hakushi.recover import Format, Measure
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.rows import CLUSTER, Clusters, Rows

_NEAR = 8
"""Clusters behind the place up to which it is sound, at which it may be broken."""

_PIECES = 8
_BEAM = 4
"""Places that are gone on with, of those where it goes on the best."""

_RANK, _LEAST = 0.25, 5
"""How much less likely than the one before it each next guess is, up to the sixth."""

_SEAMS, _APART = 256 << 10, 2.0
"""Bytes in which a place is looked for from which on it goes on badly; how badly at least."""

_TOO_FAR = 3.0
"""How badly no two pieces of a whole may go on from each other."""

_AT_FIRST, _QUICK = 8192, 4096
"""Bytes of a quick look at a place, and what it costs, as bytes that are measured."""

_SEEN = 16
"""What it costs to see a cluster."""

_LONGEST = 64 << 20
_GLANCE = 16 << 10
"""Bytes of what is looked at from a place on: at first, and where that fits."""


@dataclass(frozen=True, slots=True)
class _Round:
    """``everywhere``: every cluster is tried, not only where a row begins; ``far``: rows further
    away, too. ``doubt``: beginnings that are less likely are not gone on with. ``each``, ``all``:
    bytes that are measured for one file, for all.
    """

    everywhere: bool
    far: bool
    doubt: float
    each: int
    all: int


_ROUNDS = (
    _Round(everywhere=False, far=False, doubt=0.6, each=8 << 20, all=64 << 20),
    _Round(everywhere=True, far=False, doubt=0.6, each=48 << 20, all=384 << 20),
    _Round(everywhere=False, far=True, doubt=0.6, each=8 << 20, all=64 << 20),
    _Round(everywhere=True, far=False, doubt=1.6, each=16 << 20, all=128 << 20),
    _Round(everywhere=False, far=True, doubt=1.0, each=8 << 20, all=64 << 20),
)
"""What was found makes new rows begin, behind its last piece: there the next one often lies."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that is not whole where it stands, as it was measured."""

    offset: int
    measure: Measure
    ends: tuple[int, ...]
    """Where something else begins, in order: a piece may end there."""
    format: Format


@dataclass(frozen=True, slots=True)
class Mended:
    """A whole again: ``pieces`` in order."""

    broken: Broken
    found: Measure
    pieces: tuple[Extent, ...]


def mend(
    source: Source, broken: Iterable[Broken], free: Extents, unit: int, budget: Budget
) -> Iterator[Mended]:
    """Those that can be put together out of ``free``, in clusters of ``unit`` bytes each of which
    goes into one of them at most.

    Work is bounded by the bytes that are measured, so that every run comes to the same.
    """
    waiting, clusters, found_last = list(broken), Clusters(source, free, unit), True
    for how in _ROUNDS:
        if how.far and not found_last:
            # No row is new.
            continue
        again, found_last, left = [], False, how.all
        for one in waiting:
            if left <= 0 or clusters.used(one.offset):
                continue
            rows = Rows(clusters, one.offset, _sound(one.measure), far=how.far)
            search = _Search(one, clusters, how, min(left, how.each), budget, rows)
            found = search.run()
            left -= search.spent
            if found is None:
                again.append(one)
                continue
            clusters.use(found.pieces)
            found_last = True
            yield found
        waiting = again


_Way = tuple[float, int, int, int]
"""How badly it goes on at a place, less the further it is sound; the row and the cluster there."""


@dataclass(order=True, slots=True)
class _Open:
    """A beginning to go on with: ``doubt`` is how unlikely its pieces and its end are."""

    doubt: float
    missing: int
    """Less the more of it there is."""
    number: int
    first: list[Extent] = field(compare=False)


@dataclass(slots=True)
class _Search:
    """The likeliest beginning goes on first: at each place where something may follow it."""

    one: Broken
    clusters: Clusters
    how: _Round
    most: int
    budget: Budget
    rows: Rows
    spent: int = 0
    open: list[_Open] = field(default_factory=list)
    asked: set[tuple[Extent, ...]] = field(default_factory=set)

    def run(self) -> Mended | None:
        if not self.rows.all or self.rows.all[0].offset != self.one.offset:
            return None
        found = self._look(self.rows.all)
        if (done := self._whole(found, self.rows.all)) is not None:
            return done
        self.spent += self.rows.cost * _SEEN
        sound = max(_sound(self.one.measure), _sound(found) if found else 0)
        self._wait(self.rows.begun(), 0, sound, 0.0)
        while self.open and self.spent < self.most:
            done = self._go_on(heappop(self.open))
            if done is not None:
                return done
        return None

    def _wait(self, view: list[Extent], have: int, sound: int, doubt: float) -> None:
        """Opens beginnings of ``view``, as long as its first pieces (``have`` bytes) and more."""
        for rank, length in enumerate(self._breaks(view, have, sound)):
            first = _until(view, length)
            one = _Open(doubt + min(rank, _LEAST) * _RANK, -length, len(self.asked), first)
            likely = one.doubt <= self.how.doubt and len(first) <= _PIECES
            if likely and tuple(first) not in self.asked:
                self.asked.add(tuple(first))
                heappush(self.open, one)

    def _breaks(self, view: list[Extent], have: int, sound: int) -> list[int]:
        """Bytes after which ``view``, sound so far, may be broken: the likeliest first."""
        total, unit = sum(e.length for e in view), self.clusters.unit
        near = sound // unit * unit
        borders = [length for length in self._borders(view) if length > have]
        close = [length for length in borders if length <= near + _NEAR * unit]
        order = [*self._seams(view, have), *close[:1], near, *close[1:2], near + unit, near - unit]
        order += borders[:1]
        if self.how.everywhere:
            order += [near + way * unit for more in range(2, _NEAR) for way in (more, -more)]
        return [length for length in dict.fromkeys(order) if have < length <= total]

    def _borders(self, view: list[Extent]) -> Iterator[int]:
        """Bytes after which something else begins, or a piece of ``view`` ends."""
        at, ends, unit = 0, self.one.ends, self.clusters.unit
        for piece in view:
            known = ends[bisect_right(ends, piece.offset) : bisect_right(ends, piece.end)][:2]
            for end in (*known, piece.end):
                length = at + end - piece.offset
                yield length - length % unit
            at += piece.length

    def _seams(self, view: list[Extent], have: int) -> list[int]:
        """The places behind ``have`` from which on it goes on the worst."""
        until, unit = min(sum(e.length for e in view), have + _SEAMS), self.clusters.unit
        places = range(have + unit, until, unit)
        apart = self._apart(view, places)
        worst = sorted(zip(apart, places, strict=True), key=lambda one: -one[0])[:3]
        return [place for far, place in worst if far >= _APART]

    def _joined(self, pieces: list[Extent]) -> Source:
        source = self.clusters.source
        runs = [Run(e.offset, min(e.length, source.size - e.offset)) for e in pieces]
        return Runs(source, runs, sum(r.length for r in runs), source.locator)

    def _purse(self) -> Budget:
        return Budget(output=1 << 30, deadline=self.budget.deadline)

    def _look(self, pieces: list[Extent]) -> Measure | None:
        measure = self.one.format.measure
        assert measure is not None
        try:
            found = measure(self._joined(pieces), self._purse())
        except Spent:
            self.spent += self.most
            return None
        except (Malformed, Unreadable):
            found = None
        self.spent += 4 * CLUSTER + (found.length if found else 0) // 16
        return found

    def _apart(self, pieces: list[Extent], places: Sequence[int]) -> list[float]:
        """How badly they go on from some places on, by the format; 1 where it cannot tell."""
        seams = self.one.format.seams
        if seams is None or not places:
            return [1.0] * len(places)
        self.spent += CLUSTER
        try:
            return seams(self._joined(pieces), self._purse(), places)
        except Spent:
            self.spent += self.most
        except (Malformed, Unreadable):
            pass
        return [1.0] * len(places)

    def _go_on(self, one: _Open) -> Mended | None:
        """Tries each place for what follows, and keeps those where it goes on the best."""
        first, have = one.first, sum(e.length for e in one.first)
        good: list[_Way] = []
        ended = [*first, *self._behind(first[-1])]
        if (done := self._whole(self._look(ended), ended)) is not None:
            return done
        glance = _GLANCE if self.one.format.goes_on else 4 * _GLANCE
        for row, cluster in self._likely(first):
            if self.spent > self.most:
                return None
            view = self.rows.view(first, row, cluster, glance)
            found = self._look(view)
            if (done := self._whole(found, view)) is not None:
                return done
            if found is None or found.complete:
                continue
            if found.broken and _sound(found) < have + 2 * CLUSTER:
                continue
            good.append((self._apart(view, [have])[0], -_sound(found), row, cluster))
        return self._best(one, have, _likeliest(good, _BEAM)) if len(first) < _PIECES else None

    def _likely(self, first: list[Extent]) -> Iterator[tuple[int, int]]:
        """The places at which it may go on, by a quick look: the best of them, or all."""
        inner, goes_on = self.one.format.inner, self._begun(first)
        places = self.rows.places(first, everywhere=self.how.everywhere)
        if goes_on is None:
            yield from (place for place in places if self.clusters.fits(place[1], inner))
            return
        good: list[_Way] = []
        for row, cluster in places:
            self.spent += _QUICK
            if self.spent > self.most:
                break
            length = min(_AT_FIRST, self.rows.left(row, cluster))
            try:
                apart = goes_on(self.clusters.source.read(Extent(cluster, length)))
            except Unreadable:
                continue
            if apart < math.inf:
                good.append((apart, 0, row, cluster))
        yield from ((row, cluster) for _, _, row, cluster in _likeliest(good, 2 * _BEAM))

    def _begun(self, first: list[Extent]) -> Callable[[bytes], float] | None:
        """What tells how ``first`` goes on, if its format can."""
        begin = self.one.format.goes_on
        try:
            return begin(self._joined(first), self._purse()) if begin else None
        except Spent:
            self.spent += self.most
        except (Malformed, Unreadable):
            pass
        return None

    def _best(self, one: _Open, have: int, good: list[_Way]) -> Mended | None:
        """The first of some places with which it is whole; the others wait for what follows."""
        for rank, (apart, _, row, cluster) in enumerate(good):
            view = self.rows.view(one.first, row, cluster, _LONGEST)
            found = self._look(view)
            if (done := self._whole(found, view)) is not None:
                return done
            if found is not None and _sound(found) >= have + 2 * CLUSTER:
                doubt = one.doubt + math.log(max(apart, 1.0)) + rank * _RANK
                self._wait(view, have, _sound(found), doubt)
        return None

    def _behind(self, last: Extent) -> list[Extent]:
        """What is free behind a piece, whatever it is: many a file ends in words."""
        run = self.clusters.run(last.end, _GLANCE)
        return [run] if run.length else []

    def _whole(self, found: Measure | None, view: list[Extent]) -> Mended | None:
        """What was found, if it is whole and each piece goes on from the one before it."""
        if found is None or not (found.complete and found.checked):
            return None
        pieces = _until(view, found.length)
        joints = list(accumulate(piece.length for piece in pieces))[:-1]
        if any(apart > _TOO_FAR for apart in self._apart(pieces, joints)):
            return None
        return Mended(self.one, found, tuple(pieces))


def _likeliest(good: list[_Way], most: int) -> list[_Way]:
    """Those that go on the best, and all that do so as well as the last of them."""
    good.sort()
    worst = good[:most][-1][0] if good else 0.0
    return [one for one in good if one[0] <= worst]


def _sound(found: Measure) -> int:
    return found.length if found.sound is None else found.sound


def _until(pieces: list[Extent], length: int) -> list[Extent]:
    out: list[Extent] = []
    for piece in pieces:
        take = min(length, piece.length)
        if take:
            out.append(Extent(piece.offset, take))
        length -= take
    return out

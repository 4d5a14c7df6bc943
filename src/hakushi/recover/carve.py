"""Carving in what nothing owns: things by their first bytes, text by all of its bytes."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hakushi.media import Runs, Window
from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Extent,
    Extents,
    Locator,
    Malformed,
    Run,
    Source,
    State,
    Unreadable,
)
from hakushi.recover import Budget, Measure, by_id
from hakushi.recover.cursor import Spent
from hakushi.recover.grammar.encoding import LEAST, settle, text_end, text_sectors
from hakushi.recover.mend import Broken, mend
from hakushi.recover.rows import CLUSTER, cluster_size

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SECONDS = 30
"""One candidate may take so long."""

_OUTPUT = 4 << 30
_JOINED_RUNS = 64
_JOINED_BYTES = 1 << 30
"""A file that goes on behind others is looked for in so many free runs."""

_READ = 4 << 20


def carve(
    source: Source, candidates: Iterable[tuple[int, str]], free: Extents, budget: Budget
) -> Iterator[Artifact | Damage]:
    """The artifacts that start at candidates, by the formats' own measure.

    ``candidates``: (offset, format id) of file magics. ``free``: the bytes that nothing owns. A
    candidate inside an artifact that was carved whole is that one's content. One that is no thing
    of its format is nothing; one that takes too long to tell is Damage.
    """
    carver = _Carver(source, free)
    for offset, format_id in sorted(candidates):
        if carver.taken(offset):
            continue
        try:
            budget.pay()
            found = carver.measured(offset, format_id, budget)
        except Spent as error:
            yield Damage(source.locator.step("carve", offset), str(error))
            if _over(budget):
                break
            continue
        except (Malformed, Unreadable):
            continue
        if found is not None and found.measure.complete:
            yield found.artifact(source)
    yield from carver.mended(budget)
    yield from carver.rest()


def _over(budget: Budget) -> bool:
    try:
        budget.pay(steps=0)
    except Spent:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands at a candidate: its measure, and the pieces that it was measured over."""

    offset: int
    format: str
    measure: Measure
    pieces: tuple[Extent, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        left, runs = self.measure.length, list[Run]()
        for piece in self.pieces:
            take = min(left, piece.length)
            if take:
                runs.append(Run(piece.offset, take))
            left -= take
        return tuple(runs)

    def artifact(self, source: Source) -> Artifact:
        kind = self.measure.kind or self.format
        one = _artifact(source.locator, self.offset, kind, self.measure.length, self.runs)
        return one if self.measure.complete else _unsure(one)

    def until(self, end: int) -> _Found:
        """Cut at ``end``, where something whole begins; one that is not whole is contiguous."""
        length = min(self.measure.length, end - self.offset)
        return replace(self, measure=replace(self.measure, length=length))


class _Carver:
    """What was carved so far."""

    def __init__(self, source: Source, free: Extents) -> None:
        self._source = source
        self._free = free
        self._runs = tuple(free)
        self._starts = [run.offset for run in self._runs]
        self._whole: list[Extent] = []
        self._until = 0
        self._elsewhere: list[Extent] = []
        self._unsure: dict[int, _Found] = {}

    def taken(self, offset: int) -> bool:
        """Whether the offset lies inside something whole."""
        return offset < self._until or any(
            run.offset <= offset < run.end for run in self._elsewhere
        )

    def measured(self, offset: int, format_id: str, budget: Budget) -> _Found | None:
        """What stands there, contiguous or joined; kept by itself where it is not whole."""
        index = bisect_right(self._starts, offset) - 1
        measure = by_id(format_id).measure
        if measure is None or index < 0 or offset >= self._runs[index].end:
            return None
        here = Extent(offset, self._runs[index].end - offset)
        found = measure(Window(self._source, here, self._source.locator), _purse(budget))
        pieces = [here]
        if found is not None and found.more:
            further = self._further(index, offset)
            joined = measure(_concatenated(self._source, further), _purse(budget))
            if len(further) > 1 and joined is not None and joined.complete:
                found, pieces = joined, further
        if found is None:
            return None
        one = _Found(offset, format_id, found, tuple(pieces))
        if found.complete:
            self._take(one)
        elif offset not in self._unsure or self._unsure[offset].measure.length < found.length:
            self._unsure[offset] = one
        return one

    def _further(self, index: int, offset: int) -> list[Extent]:
        """The free runs from ``offset`` on, as many as are looked through."""
        runs = [Extent(offset, self._runs[index].end - offset)]
        size = runs[0].length
        for run in self._runs[index + 1 : index + _JOINED_RUNS]:
            if size > _JOINED_BYTES:
                break
            runs.append(run)
            size += run.length
        return runs

    def _take(self, one: _Found) -> None:
        self._unsure.pop(one.offset, None)
        taken = [Extent(r.at, r.length) for r in one.runs if r.at is not None]
        self._whole += taken
        self._until = max(self._until, taken[0].end)
        self._elsewhere += taken[1:]

    def mended(self, budget: Budget) -> Iterator[Artifact | Damage]:
        """Those in pieces that can be put together out of what nothing else holds."""
        ends = tuple(sorted({*self._unsure, *(run.offset for run in self._whole)}))
        broken = {
            offset: Broken(offset, one.measure, ends, by_id(one.format))
            for offset, one in sorted(self._unsure.items())
            if one.measure.broken or one.measure.more
        }
        held = [
            Extent(r.at, r.length)
            for offset, one in self._unsure.items()
            if offset not in broken
            for r in one.runs
            if r.at is not None
        ]
        free = self._free - Extents([*self._whole, *held])
        unit = cluster_size({run.offset for run in self._whole})
        for done in mend(self._source, broken.values(), free, unit, budget):
            before = self._unsure[done.broken.offset]
            found = done.found
            if not by_id(before.format).summed and _doubtful(done.pieces):
                found = replace(found, complete=False)
            one = _Found(before.offset, before.format, found, done.pieces)
            self._take(one)
            yield one.artifact(self._source)

    def rest(self) -> Iterator[Artifact]:
        """What is not whole; it ends where something whole begins, as it was broken before that."""
        starts = sorted(run.offset for run in self._whole)
        whole = Extents(self._whole)
        for offset, one in sorted(self._unsure.items()):
            if offset in whole or not one.measure.length:
                continue
            following = bisect_right(starts, offset)
            if following < len(starts):
                one = one.until(starts[following])
            yield one.artifact(self._source)


def _doubtful(pieces: tuple[Extent, ...]) -> bool:
    """Whether a piece in the middle is so small that another one may decode in its place: of some
    thousand clusters one does by chance.
    """
    return any(piece.length < 4 * CLUSTER for piece in pieces[1:-1])


def _artifact(
    parent: Locator, offset: int, kind: str, size: int, runs: tuple[Run, ...]
) -> Artifact:
    return Artifact(parent.step("carve", offset), kind, State.CARVED, size, runs)


def _unsure(artifact: Artifact) -> Artifact:
    return replace(artifact, complete=False)


def _purse(budget: Budget) -> Budget:
    """What one candidate may spend: within the deadline of all."""
    limit = time.monotonic() + _SECONDS
    deadline = limit if budget.deadline is None else min(limit, budget.deadline)
    return Budget(output=_OUTPUT, depth=budget.depth, deadline=deadline)


def _concatenated(source: Source, extents: list[Extent]) -> Source:
    runs = [Run(e.offset, e.length) for e in extents]
    return Runs(source, runs, sum(r.length for r in runs), source.locator)


# --- text without a header ---------------------------------------------------------------


def text_runs(source: Source, extents: Extents, budget: Budget) -> Iterator[Artifact | Damage]:
    """Neighbouring sectors that are text in one encoding, as carved artifacts of kind ``text``.

    ``extents``: structured bytes that nothing owns. A text ends where zeros fill its last sector,
    or where a sector is no text in its encoding.
    """
    try:
        for group in _groups(source, extents, budget):
            yield from _texts(source, group, budget)
    except Spent as error:
        yield Damage(source.locator.step("carve", "text"), str(error))


def _texts(source: Source, group: Extent, budget: Budget) -> Iterator[Artifact]:
    at = group.offset
    while at < group.end:
        budget.pay()
        length, sure = _text_at(source, Extent(at, group.end - at), budget)
        if length >= LEAST:
            artifact = _artifact(source.locator, at, "text", length, (Run(at, length),))
            yield artifact if sure else _unsure(artifact)
        at += max(SECTOR, -(-length // SECTOR) * SECTOR)


def _text_at(source: Source, extent: Extent, budget: Budget) -> tuple[int, bool]:
    """(length of the text at the start of the extent, whether it is a whole file).

    A fragment may begin within a character: up to three bytes are passed over.
    """
    measure = by_id("text").measure
    assert measure is not None
    window = Window(source, extent, source.locator)
    try:
        found = measure(window, budget)
        if found is not None:
            return found.length, found.complete and found.length < extent.length
        for cut in (1, 2, 3):
            inner = Window(source, Extent(extent.offset + cut, extent.length - cut), source.locator)
            end = text_end(inner, budget)
            if end is not None and end[0] >= LEAST:
                return settle(window, end[0] + cut)[0], False
    except Unreadable:
        pass
    return 0, False


def _groups(source: Source, extents: Extents, budget: Budget) -> Iterator[Extent]:
    """Neighbouring sectors that may be text."""
    for extent in extents:
        group, behind = Extent(0, 0), False
        for at in range(-(-extent.offset // SECTOR) * SECTOR, extent.end, _READ):
            budget.pay()
            try:
                data = source.read(Extent(at, min(_READ, extent.end - at)))
            except Unreadable:
                continue
            flags = text_sectors(data, behind)
            behind = bool(flags[-1])
            for low, high in _spans(flags):
                span = Extent(at + low * SECTOR, min(high * SECTOR, len(data)) - low * SECTOR)
                if group.length and group.end == span.offset:
                    group = Extent(group.offset, group.length + span.length)
                    continue
                if group.length:
                    yield group
                group = span
        if group.length:
            yield group


def _spans(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of each run of True."""
    import numpy as np

    padded = np.concatenate(([False], flags, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    yield from zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True)

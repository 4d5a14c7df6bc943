"""Carving in what nothing owns: things by their first bytes, text by all of its bytes."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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
from hakushi.recover.grammar.encoding import CONTROLS, LEAST, settle, text_end, units

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
    carver = _Carver(source, tuple(free))
    yield from _cut(_carved(carver, candidates, budget))


def _carved(
    carver: _Carver, candidates: Iterable[tuple[int, str]], budget: Budget
) -> Iterator[Artifact | Damage]:
    source = carver.source
    for offset, format_id in sorted(candidates):
        if carver.taken(offset):
            continue
        try:
            budget.pay()
            found = carver.measured(offset, format_id, budget)
        except Spent as error:
            yield Damage(source.locator.step("carve", offset), str(error))
            if _over(budget):
                return
            continue
        except (Malformed, Unreadable):
            continue
        if found is not None:
            yield found


def _cut(found: Iterable[Artifact | Damage]) -> Iterator[Artifact | Damage]:
    """Ends what is not whole where something whole begins: it was broken before that."""
    waiting: list[Artifact] = []
    for one in found:
        if isinstance(one, Damage):
            yield one
            continue
        start = _start(one)
        for early in [w for w in waiting if one.complete or _start(w) + w.size <= start]:
            waiting.remove(early)
            yield _until(early, start)
        if one.complete:
            yield one
        else:
            waiting.append(one)
    yield from waiting


def _start(artifact: Artifact) -> int:
    return (artifact.runs[0].at or 0) if artifact.runs else 0


def _until(artifact: Artifact, end: int) -> Artifact:
    """The artifact, which is contiguous, up to ``end`` at most."""
    start = _start(artifact)
    size = min(artifact.size, end - start)
    return replace(artifact, size=size, runs=(Run(start, size),))


def _over(budget: Budget) -> bool:
    try:
        budget.pay(steps=0)
    except Spent:
        return True
    return False


@dataclass(slots=True)
class _Carver:
    source: Source
    free: tuple[Extent, ...]
    starts: list[int] = field(init=False)
    best: dict[int, Artifact] = field(default_factory=dict)
    whole_until: int = 0
    """End of the last contiguous artifact that was carved whole."""
    elsewhere: list[Extent] = field(default_factory=list)
    """Further runs of artifacts that were joined."""

    def __post_init__(self) -> None:
        self.starts = [run.offset for run in self.free]

    def taken(self, offset: int) -> bool:
        return offset < self.whole_until or any(
            run.offset <= offset < run.end for run in self.elsewhere
        )

    def measured(self, offset: int, format_id: str, budget: Budget) -> Artifact | None:
        """The artifact at ``offset``, contiguous or joined; None where it is none, or no better."""
        index = bisect_right(self.starts, offset) - 1
        if index < 0 or offset >= self.free[index].end:
            return None
        measure = by_id(format_id).measure
        if measure is None:
            return None
        here = Extent(offset, self.free[index].end - offset)
        window = Window(self.source, here, self.source.locator)
        found = measure(window, _purse(budget))
        runs = [here]
        if found is not None and found.more:
            further = self._joined(index, offset)
            if len(further) > 1:
                joined = measure(_concatenated(self.source, further), _purse(budget))
                if joined is not None and joined.complete:
                    found, runs = joined, further
        if found is None or not found.length:
            return None
        return self._told(offset, format_id, found, runs)

    def _joined(self, index: int, offset: int) -> list[Extent]:
        """The free runs from ``offset`` on, as many as are looked through."""
        runs = [Extent(offset, self.free[index].end - offset)]
        size = runs[0].length
        for run in self.free[index + 1 : index + _JOINED_RUNS]:
            if size > _JOINED_BYTES:
                break
            runs.append(run)
            size += run.length
        return runs

    def _told(
        self, offset: int, format_id: str, found: Measure, extents: list[Extent]
    ) -> Artifact | None:
        left, runs = found.length, list[Run]()
        for extent in extents:
            take = min(left, extent.length)
            if take:
                runs.append(Run(extent.offset, take))
            left -= take
        before = self.best.get(offset)
        if before is not None and (before.complete, before.size) >= (found.complete, found.length):
            return None
        if found.complete:
            self.whole_until = max(self.whole_until, offset + runs[0].length)
            self.elsewhere += [Extent(r.at, r.length) for r in runs[1:] if r.at is not None]
        artifact = _artifact(
            self.source.locator, offset, found.kind or format_id, found.length, tuple(runs)
        )
        artifact = artifact if found.complete else _unsure(artifact)
        self.best = {offset: artifact}
        return artifact


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
            flags = _text_sectors(data, behind)
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


def _text_sectors(data: bytes, behind: bool) -> npt.NDArray[np.bool_]:
    """For each sector whether it may be text: 8-bit or UTF-16, zeros behind it forgiven.

    Less than `LEAST` bytes before the zeros are text only behind a sector of text; ``behind`` says
    whether the first one is.
    """
    import numpy as np

    data += bytes(-len(data) % SECTOR)
    marks = np.frombuffer(data.translate(CONTROLS), np.uint8).reshape(-1, SECTOR)
    flags: npt.NDArray[np.bool_] = marks.view(np.uint64).max(axis=1) == 0
    tails = np.zeros(len(flags), bool)
    sectors = np.frombuffer(data, np.uint8).reshape(-1, SECTOR)
    left = np.flatnonzero(~flags & (marks[:, 0] == 0) & (sectors[:, -1] == 0))
    zeros = _trailing_zeros(sectors[left])
    good = marks[left].sum(axis=1) == zeros
    flags[left] = good & (zeros <= SECTOR - LEAST)
    tails[left] = good
    for order in "<>":
        words = sectors.view(f"{order}u2")
        left = np.flatnonzero(~flags & ~tails)
        left = left[units()[words[left, 0]] == 1]
        last = words[left, -1]
        left = left[(last == 0) | (units()[last] == 1)]
        left = left[
            units()[words[left, 1:4]].sum(axis=1) + (words[left, 1:4] == 0).sum(axis=1) == 3
        ]
        zeros = _trailing_zeros(sectors[left]) // 2
        good = units()[words[left]].sum(axis=1, dtype=np.int64) + zeros >= SECTOR // 2
        flags[left] = good & (zeros <= SECTOR // 2 - LEAST)
        tails[left] = good
    before = np.concatenate(([behind], flags[:-1]))
    return flags | (tails & before)


def _trailing_zeros(sectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    import numpy as np

    last = (sectors[:, ::-1] != 0).argmax(axis=1)
    return np.where(sectors.any(axis=1), last, SECTOR).astype(np.int64)

"""Who owns which bytes of a medium: pure, over every claim that was found on it.

Live files and the file systems' own structures own their bytes. A deleted file owns its own only
where neither of these and no claim that may be newer lies on them. Carved files come last.
"""

from __future__ import annotations

import hashlib
import heapq
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hakushi.model import Artifact, Extent, Extents, Locator, Role, Run, State

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

_NEVER, _ALWAYS = -(1 << 62), 1 << 62
_RANK = {State.LIVE: 0, State.DELETED: 1, State.CARVED: 2}


@dataclass(frozen=True, slots=True)
class Claim:
    """An artifact, and its bytes as runs on the medium (not on its parent), cut to its size.

    ``system``: the file system that no longer stands whose record tells of it; None for what is
    newer, a file of one that stands. ``held``: that record was in use to the end, so nothing that
    the same system had freed can be newer there.
    """

    artifact: Artifact
    runs: tuple[Run, ...]
    system: Locator | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """What `resolve` found. ``free``: what no live file, structure or complete deleted file owns.

    ``incomplete``: deleted and carved artifacts of which some byte belongs, or may belong, to
    another. ``superseded``: artifacts whose bytes are listed under a better claim.
    """

    live: Extents
    structures: Extents
    free: Extents
    incomplete: frozenset[Locator]
    superseded: frozenset[Locator]


def resolve(claims: Iterable[Claim], size: int) -> Resolved:
    """Settles the claims on a medium of ``size`` bytes, in whatever order they come."""
    import numpy as np

    table = _Table()
    for claim in claims:
        table.add(claim)
    superseded = set(table.superseded)
    live, structures = _merged(table.live), _merged(table.structures)
    owned = _union(live, structures)

    deleted = table.pieces(State.DELETED, superseded)
    contested, older = _without_older(table, deleted)
    gone = deleted.owners(_touching(deleted, owned)) | older
    gone |= _lost_to_newer(table.times, contested)
    whole = np.array(table.whole, bool)
    whole[list(gone)] = False
    kept = _merged(deleted.where(whole[deleted.owner]))

    carved = table.pieces(State.CARVED, superseded)
    outside = carved.owners(~_inside(carved, _union(live, kept)))
    superseded |= carved.owners(_touching(carved, live) | _touching(carved, kept)) - outside
    carved = table.pieces(State.CARVED, superseded)
    superseded |= _members(carved, np.array(table.whole, bool))
    carved = table.pieces(State.CARVED, superseded)
    taken = _union(owned, kept)
    gone |= carved.owners(_touching(carved, taken)) | carved.owners(_overlapping(carved))
    return Resolved(
        _extents(live),
        _extents(structures),
        _extents(_rest(taken, size)),
        frozenset(table.locators[i] for i in gone),
        frozenset(table.locators[i] for i in superseded),
    )


# --- claims as numbers -------------------------------------------------------------------


class _Spans:
    """Many (start, end) pairs, 16 bytes each."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts = array("q")
        self.ends = array("q")

    def extend(self, pairs: Iterable[tuple[int, int]]) -> None:
        for start, end in pairs:
            self.starts.append(start)
            self.ends.append(end)

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Runs of several claims: where each starts and ends, and whose it is."""

    starts: Numbers
    ends: Numbers
    owner: Numbers

    def where(self, mask: Mask) -> _Pieces:
        return _Pieces(self.starts[mask], self.ends[mask], self.owner[mask])

    def owners(self, mask: Mask) -> set[int]:
        return set(self.owner[mask].tolist())


@dataclass(frozen=True, slots=True)
class _Set:
    """A set of bytes: sorted, disjoint, not touching."""

    starts: Numbers
    ends: Numbers


@dataclass(slots=True)
class _Table:
    """Deleted and carved claims one by one, live ones as bytes alone: two million fit easily."""

    live: _Spans = field(default_factory=_Spans)
    structures: _Spans = field(default_factory=_Spans)
    spans: _Spans = field(default_factory=_Spans)
    first: array[int] = field(default_factory=lambda: array("q", [0]))
    locators: list[Locator] = field(default_factory=list)
    times: array[int] = field(default_factory=lambda: array("q"))
    whole: bytearray = field(default_factory=bytearray)
    ranks: bytearray = field(default_factory=bytearray)
    unnamed: bytearray = field(default_factory=bytearray)
    held: bytearray = field(default_factory=bytearray)
    systems: array[int] = field(default_factory=lambda: array("i"))
    """For each claim the index of its old file system; -1 without one."""
    index: dict[Locator, int] = field(default_factory=dict)
    superseded: set[int] = field(default_factory=set)
    best: dict[bytes, int] = field(default_factory=dict)
    """Runs -> the best claim on exactly these; -1 for a live one."""

    def add(self, claim: Claim) -> None:
        artifact = claim.artifact
        spans = list(_joined(claim.runs))
        if artifact.role is Role.STRUCTURE:
            self.structures.extend(spans)
        if artifact.role is not Role.CONTENT or not spans:
            return
        key = _key(spans)
        if artifact.state is State.LIVE:
            self.live.extend(spans)
            before = self.best.get(key, -1)
            if before >= 0:
                self.superseded.add(before)
            self.best[key] = -1
            return
        self.spans.extend(spans)
        self.first.append(len(self.spans))
        self.locators.append(artifact.locator)
        time = artifact.modified if artifact.changed is None else artifact.changed
        self.times.append(_NEVER if time is None else time)
        self.whole.append(artifact.complete)
        self.ranks.append(_RANK[artifact.state])
        self.unnamed.append(artifact.path is None)
        self.held.append(claim.held)
        system = claim.system
        number = -1 if system is None else self.index.setdefault(system, len(self.index))
        self.systems.append(number)
        self._settle(key, len(self.locators) - 1)

    def _settle(self, key: bytes, index: int) -> None:
        """Of two claims on the same bytes the better one stays."""
        before = self.best.setdefault(key, index)
        if before == index:
            return
        if before < 0 or self._worth(before) < self._worth(index):
            self.superseded.add(index)
        else:
            self.superseded.add(before)
            self.best[key] = index

    def _worth(self, index: int) -> tuple[object, ...]:
        """Smaller is better; the locator decides last, so that no order matters."""
        return (
            self.ranks[index],
            not self.whole[index],
            self.unnamed[index],
            not self.held[index],
            -self.times[index],
            self.locators[index],
        )

    def pieces(self, state: State, without: set[int]) -> _Pieces:
        """The runs of the claims of one state."""
        import numpy as np

        chosen = np.array(self.ranks, np.uint8) == _RANK[state]
        chosen[list(without)] = False
        first = np.array(self.first, np.int64)
        counts: Numbers = first[1:] - first[:-1]
        owner = np.repeat(np.arange(len(counts)), counts)
        starts, ends = (np.array(x, np.int64) for x in (self.spans.starts, self.spans.ends))
        return _Pieces(starts, ends, owner).where(chosen[owner])


def _joined(runs: Iterable[Run]) -> Iterator[tuple[int, int]]:
    """Runs of bytes in their order, those that follow each other as one."""
    start = end = -1
    for run in runs:
        if run.at is None or run.length <= 0:
            continue
        if run.at == end:
            end += run.length
            continue
        if end >= 0:
            yield start, end
        start, end = run.at, run.at + run.length
    if end >= 0:
        yield start, end


def _key(spans: list[tuple[int, int]]) -> bytes:
    """Names a list of runs: themselves while they are few, else their digest."""
    data = array("q", [n for span in spans for n in span]).tobytes()
    return data if len(data) <= 32 else hashlib.blake2b(data, digest_size=24).digest()


# --- which of several deleted files a byte belongs to ------------------------------------


def _without_older(table: _Table, pieces: _Pieces) -> tuple[_Pieces, set[int]]:
    """The pieces without those bytes for which their file systems alone tell who is older; and who
    lost such bytes. They contest nobody there.

    A standing file system's deleted file is newer than all of one that no longer stands; there, a
    record in use to the end is newer than one that was freed.
    """
    import numpy as np

    systems, held = np.array(table.systems, np.int64), np.array(table.held, bool)
    lost: set[int] = set()
    for system in range(-1, len(table.index)):
        of = systems[pieces.owner]
        if system < 0:
            newer, older = of < 0, of >= 0
        else:
            newer = (of == system) & held[pieces.owner]
            older = (of == system) & ~held[pieces.owner]
        owned = _merged(pieces.where(newer))
        under = older & _touching(pieces, owned)
        if under.any():
            lost |= pieces.owners(under)
            pieces = _joined_pieces(pieces.where(~under), _cut_out(pieces.where(under), owned))
    return pieces, lost


def _cut_out(pieces: _Pieces, owned: _Set) -> _Pieces:
    """What of the pieces lies outside a set."""
    import numpy as np

    rows: list[tuple[int, int, int]] = []
    first = np.searchsorted(owned.ends, pieces.starts, side="right").tolist()
    spans = zip(pieces.starts.tolist(), pieces.ends.tolist(), pieces.owner.tolist(), strict=True)
    for index, (start, end, owner) in zip(first, spans, strict=True):
        at = start
        while index < len(owned.starts) and owned.starts[index] < end:
            if owned.starts[index] > at:
                rows.append((at, int(owned.starts[index]), owner))
            at = int(owned.ends[index])
            index += 1
        if at < end:
            rows.append((at, end, owner))
    out = np.array(rows, np.int64).reshape(-1, 3)
    return _Pieces(out[:, 0], out[:, 1], out[:, 2])


def _joined_pieces(a: _Pieces, b: _Pieces) -> _Pieces:
    import numpy as np

    return _Pieces(
        np.concatenate((a.starts, b.starts)),
        np.concatenate((a.ends, b.ends)),
        np.concatenate((a.owner, b.owner)),
    )


def _lost_to_newer(times: array[int], pieces: _Pieces) -> set[int]:
    """Claims with a byte on which another claim lies that is not known to be older.

    A sweep along the medium: at each point the newest claim that covers it beats all others. A
    claim without a time may be newer than any, and older than any.
    """
    mask = _overlapping(pieces)
    contested = pieces.where(mask)
    rows = zip(
        contested.starts.tolist(), contested.ends.tolist(), contested.owner.tolist(), strict=True
    )
    lost: set[int] = set()
    sweep = _Sweep(times)
    for start, end, owner in sorted(rows):
        lost |= sweep.enter(start, end, owner)
    return lost


class _Sweep:
    """The claims over one point of the medium: the newest, and those that still stand."""

    def __init__(self, times: array[int]) -> None:
        self._times = times
        self._newest: list[tuple[int, int, int]] = []
        """(minus the time with which it beats others, end, owner)"""
        self._standing: list[tuple[int, int, int]] = []
        """(the time that beats it, end, owner)"""

    def enter(self, point: int, end: int, owner: int) -> set[int]:
        """One more claim from ``point`` on; who is beaten by now."""
        time = self._times[owner]
        beats = _ALWAYS if time == _NEVER else time
        heapq.heappush(self._newest, (-beats, end, owner))
        heapq.heappush(self._standing, (time, end, owner))
        beaten: set[int] = set()
        first = self._live_top(self._newest, point)
        held = heapq.heappop(self._newest)
        second = self._live_top(self._newest, point)
        heapq.heappush(self._newest, held)
        champion: tuple[int, int, int] | None = None
        while (weakest := self._live_top(self._standing, point)) is not None:
            rival = second if weakest[1:] == first[1:] else first  # type: ignore[index]
            if rival is not None and -rival[0] >= weakest[0]:
                beaten.add(weakest[2])
            elif champion is None and rival is second:
                # The newest itself stands; others behind it in the order may still fall.
                champion = weakest
            else:
                break
            heapq.heappop(self._standing)
        if champion is not None:
            heapq.heappush(self._standing, champion)
        return beaten

    @staticmethod
    def _live_top(heap: list[tuple[int, int, int]], point: int) -> tuple[int, int, int] | None:
        """The heap's first claim that still covers the point."""
        while heap and heap[0][1] <= point:
            heapq.heappop(heap)
        return heap[0] if heap else None


def _overlapping(pieces: _Pieces) -> Mask:
    """Which pieces have a byte in common with another one."""
    import numpy as np

    mask = np.zeros(len(pieces.starts), bool)
    if len(mask) < 2:
        return mask
    order = np.lexsort((pieces.ends, pieces.starts))
    starts, ends = pieces.starts[order], pieces.ends[order]
    reach = np.maximum.accumulate(ends)
    hit = np.zeros(len(starts), bool)
    hit[1:] |= starts[1:] < reach[:-1]
    hit[:-1] |= starts[1:] < ends[:-1]
    mask[order] = hit
    return mask


def _members(pieces: _Pieces, whole: Mask) -> set[int]:
    """Carved claims of one run that lie inside a complete one: its members, found once more."""
    import numpy as np

    _, index, counts = np.unique(pieces.owner, return_index=True, return_counts=True)
    single = pieces.where(np.isin(np.arange(len(pieces.owner)), index[counts == 1]))
    if len(single.starts) < 2:
        return set()
    order = np.lexsort((-single.ends, single.starts))
    starts, ends, owner = single.starts[order], single.ends[order], single.owner[order]
    reach = np.maximum.accumulate(np.where(whole[owner], ends, _NEVER))
    inside = np.zeros(len(starts), bool)
    inside[1:] = ends[1:] <= reach[:-1]
    return set(owner[inside].tolist())


# --- sets of bytes as sorted arrays ------------------------------------------------------


def _touching(pieces: _Pieces, owned: _Set) -> Mask:
    """Which pieces have a byte in ``owned``."""
    import numpy as np

    index = np.searchsorted(owned.ends, pieces.starts, side="right")
    return np.append(owned.starts, _ALWAYS)[index] < pieces.ends


def _inside(pieces: _Pieces, owned: _Set) -> Mask:
    """Which pieces lie wholly in ``owned``."""
    import numpy as np

    index = np.searchsorted(owned.ends, pieces.starts, side="right")
    starts, ends = np.append(owned.starts, _ALWAYS), np.append(owned.ends, _ALWAYS)
    inside: Mask = (starts[index] <= pieces.starts) & (ends[index] >= pieces.ends)
    return inside


def _merged(spans: _Spans | _Pieces) -> _Set:
    """The union."""
    import numpy as np

    starts, ends = np.array(spans.starts, np.int64), np.array(spans.ends, np.int64)
    if not len(starts):
        return _Set(starts, ends)
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    fresh = np.flatnonzero(np.concatenate(([True], starts[1:] > reach[:-1])))
    last = np.concatenate((fresh[1:] - 1, [len(starts) - 1]))
    return _Set(starts[fresh], reach[last])


def _union(a: _Set, b: _Set) -> _Set:
    import numpy as np

    starts, ends = np.concatenate((a.starts, b.starts)), np.concatenate((a.ends, b.ends))
    return _merged(_Pieces(starts, ends, starts))


def _rest(spans: _Set, size: int) -> _Set:
    """What of ``0 .. size`` is not in the set."""
    import numpy as np

    starts = np.concatenate(([0], np.minimum(spans.ends, size)))
    ends = np.concatenate((np.minimum(spans.starts, size), [size]))
    some = starts < ends
    return _Set(starts[some], ends[some])


def _extents(spans: _Set) -> Extents:
    pairs = zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    return Extents([Extent(start, end - start) for start, end in pairs])

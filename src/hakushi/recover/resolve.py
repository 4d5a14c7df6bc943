"""Who owns which bytes of the medium: pure, over everything that was harvested.

Live files and the file systems' own structures own their bytes. A deleted file owns its own only
where nothing else claims them; where two deleted ones claim the same bytes, which of them still has
its own cannot be known from records, and neither is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hakushi.model import Artifact, Extent, Extents, Locator, Role, Run, State

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Claim:
    """An artifact, and its bytes as runs on the medium (not on its parent), cut to its size."""

    artifact: Artifact
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What `resolve` found. ``free``: what no live file, structure or complete deleted file owns.

    ``incomplete``: artifacts of which some byte belongs, or may belong, to another. ``superseded``:
    artifacts whose bytes are listed under a better claim.
    """

    live: Extents
    structures: Extents
    free: Extents
    incomplete: frozenset[Locator]
    superseded: frozenset[Locator]


_STATES = {State.LIVE: 0, State.DELETED: 1, State.CARVED: 2}


def resolve(claims: Iterable[Claim], size: int) -> Resolved:
    """Settles the claims on a medium of ``size`` bytes, in whatever order they come."""
    content: list[Claim] = []
    structures: list[Extent] = []
    for claim in claims:
        if claim.artifact.role is Role.STRUCTURE:
            structures += _extents(claim)
        elif claim.artifact.role in (Role.CONTENT, Role.ENCRYPTED) and claim.runs:
            content.append(claim)
    content.sort(key=_order)
    superseded = _same_bytes(content)
    content = [c for c in content if c.artifact.locator not in superseded]
    superseded |= _inside_another(content)
    content = [c for c in content if c.artifact.locator not in superseded]
    owned = Extents(structures)
    live = Extents(e for c in content if c.artifact.state is State.LIVE for e in _extents(c))
    incomplete = _contested(content, owned)
    kept = Extents(
        extent
        for c in content
        if c.artifact.state is State.DELETED
        and c.artifact.complete
        and c.artifact.locator not in incomplete
        for extent in _extents(c)
    )
    free = Extents([Extent(0, size)]) - (live | owned | kept)
    return Resolved(live, owned, free, incomplete, frozenset(superseded))


def _extents(claim: Claim) -> list[Extent]:
    return [Extent(r.at, r.length) for r in claim.runs if r.at is not None and r.length]


def _order(claim: Claim) -> tuple[object, ...]:
    """The better claim first."""
    a = claim.artifact
    return (_STATES[a.state], not a.complete, a.path is None, -a.size, str(a.locator))


def _same_bytes(content: Sequence[Claim]) -> set[Locator]:
    """All but the best of the artifacts that are exactly the same runs."""
    best: set[tuple[tuple[int | None, int], ...]] = set()
    out: set[Locator] = set()
    for claim in content:
        key = tuple((r.at, r.length) for r in claim.runs)
        if all(at is None for at, _ in key):
            continue
        if key in best:
            out.add(claim.artifact.locator)
        best.add(key)
    return out


def _inside_another(content: Sequence[Claim]) -> set[Locator]:
    """Carved artifacts that lie wholly inside a complete carved one: its members, found twice."""
    carved = sorted(
        (
            (c.runs[0].at or 0, -c.artifact.size, c)
            for c in content
            if c.artifact.state is State.CARVED and len(c.runs) == 1
        ),
        key=lambda each: each[:2],
    )
    out: set[Locator] = set()
    end = -1
    for start, negative, claim in carved:
        if start - negative <= end:
            out.add(claim.artifact.locator)
        elif claim.artifact.complete:
            end = start - negative
    return out


def _contested(content: Sequence[Claim], structures: Extents) -> frozenset[Locator]:
    """Deleted and carved artifacts some byte of which a better or an equal claim also has."""
    import numpy as np

    pieces = [
        (e.offset, e.end, n, _STATES[c.artifact.state])
        for n, c in enumerate(content)
        for e in _extents(c)
    ]
    if not pieces:
        return frozenset()
    starts, ends, owners, states = (
        np.array(column, np.int64) for column in zip(*pieces, strict=True)
    )
    system = np.array([(e.offset, e.end) for e in structures], np.int64).reshape(-1, 2)
    edges = np.unique(np.concatenate((starts, ends, system[:, 0], system[:, 1])))
    first, last = np.searchsorted(edges, starts), np.searchsorted(edges, ends)
    contested = np.zeros(len(starts), bool)
    claims_above = _claims(edges, system[:, 0], system[:, 1]) > 0
    for state in sorted(set(_STATES.values())):
        mine = states == state
        here = _claims(edges, starts[mine], ends[mine])
        if state:
            # A live file's bytes are its own; below that, an equal claim is a doubt as well.
            bad = np.concatenate(([0], np.cumsum(claims_above | (here > 1))))
            contested[mine] = bad[last[mine]] > bad[first[mine]]
        claims_above = claims_above | (here > 0)
    return frozenset(content[n].artifact.locator for n in np.unique(owners[contested]).tolist())


def _claims(edges: Ints, starts: Ints, ends: Ints) -> Ints:
    """How many of the runs cover each piece between two neighbouring edges."""
    import numpy as np

    change = np.zeros(len(edges) + 1, np.int64)
    np.add.at(change, np.searchsorted(edges, starts), 1)
    np.add.at(change, np.searchsorted(edges, ends), -1)
    return np.cumsum(change)[: len(edges)]

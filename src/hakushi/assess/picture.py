"""A whole medium as a map of at most 64 × 24 tiles: what lies where, and who owns it. Pure.

Any number of runs goes in; each byte counts once, under the look that matters most to a reader:
not read, then live, deleted and carved files, then a volume's own structures, then what triage saw.
What no run speaks of counts as not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from hakushi.model import SECTOR, Class

COLUMNS = 64
ROWS = 24

LOOKS = (
    "live",
    "deleted",
    "carved",
    "structured",
    "unread",
    "random_like",
    "structure",
    "constant",
    "zero",
)
"""What a tile can be filled with, gravest first."""

MARKED = frozenset({"live", "deleted", "carved", "structured"})
"""Looks that are marked in a tile even where they are the lesser part of it."""

_PAINT = (
    "zero",
    "constant",
    "random_like",
    "structured",
    "structure",
    "carved",
    "deleted",
    "live",
    "unread",
)
"""The order in which runs are painted: later ones cover earlier ones."""

_UNREAD = LOOKS.index("unread")

Runs = Sequence[tuple[int, int, str]]


@dataclass(frozen=True, slots=True)
class Strip:
    """Neighbouring tiles of one row that look alike.

    ``main`` is what most of it is; ``mark`` the gravest of `MARKED` besides; ``gap``: some of each
    tile was not read. ``parts``: bytes of every look in it, most first.
    """

    column: int
    span: int
    offset: int
    length: int
    main: str
    mark: str | None
    gap: bool
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """``tile``: bytes of one tile. ``rows``: strips of each row. ``totals``: bytes of each look.

    Law: the totals, and the parts of all strips, add up to the size of the medium.
    """

    tile: int
    rows: tuple[tuple[Strip, ...], ...]
    totals: Mapping[str, int]


def draw(size: int, classes: Runs, owned: Runs) -> Picture:
    """The map of a medium of ``size`` bytes from (offset, length, class or owner) runs."""
    tile = _tile(size)
    table = _tally(size, tile, classes, owned)
    rows = tuple(
        tuple(_strips(size, tile, first, table[first : first + COLUMNS]))
        for first in range(0, len(table), COLUMNS)
    )
    return Picture(tile, rows, {look: sum(row[i] for row in table) for i, look in enumerate(LOOKS)})


def _tile(size: int) -> int:
    """The least round number of sectors a tile that the grid can hold."""
    for octave in count():
        for quarter in (4, 5, 6, 7):
            tile = (quarter * SECTOR << octave) // 4
            if tile % SECTOR == 0 and tile * COLUMNS * ROWS >= size:
                return tile
    raise AssertionError


def _tally(size: int, tile: int, classes: Runs, owned: Runs) -> list[list[int]]:
    """Bytes of each of `LOOKS` in each tile."""
    import numpy as np

    if not size:
        return []
    known = {c.value for c in Class}
    layers: dict[str, list[tuple[int, int]]] = {look: [] for look in _PAINT}
    for runs, names in ((classes, known), (owned, {"live", "deleted", "carved", "structure"})):
        for offset, length, name in runs:
            start, end = min(max(offset, 0), size), min(max(offset + length, 0), size)
            layers[name if name in names else "unread"].append((start, end))
    bounds = {look: np.array(runs, np.int64) for look, runs in layers.items() if runs}
    grid = np.arange(0, size, tile, dtype=np.int64)
    edges = np.sort(np.concatenate([grid, [size], *(b.ravel() for b in bounds.values())]))
    looks = np.full(len(edges) - 1, _UNREAD, np.int64)
    for look in _PAINT:
        if look in bounds:
            looks[_covered(edges, bounds[look])] = LOOKS.index(look)
    slots = edges[:-1] // tile * len(LOOKS) + looks
    # Sums of float64 are exact below 2**53 bytes. What starts at the end is empty.
    sums = np.bincount(slots, np.diff(edges), minlength=len(grid) * len(LOOKS))
    table: list[list[int]] = (
        sums[: len(grid) * len(LOOKS)].astype(np.int64).reshape(len(grid), len(LOOKS)).tolist()
    )
    return table


def _covered(edges: Any, bounds: Any) -> Any:
    """Which of the pieces between sorted ``edges`` lie in any of the (start, end) ``bounds``."""
    import numpy as np

    opened = np.bincount(np.searchsorted(edges, bounds[:, 0]), minlength=len(edges))
    closed = np.bincount(np.searchsorted(edges, bounds[:, 1]), minlength=len(edges))
    return np.cumsum(opened - closed)[:-1] > 0


def _strips(size: int, tile: int, first: int, tiles: Sequence[Sequence[int]]) -> list[Strip]:
    """The tiles of one row, neighbours that look alike joined."""
    out: list[Strip] = []
    sums: list[int] = []
    for column, tally in enumerate(tiles):
        look = _look(tally)
        offset = (first + column) * tile
        length = min(tile, size - offset)
        if out and look == (out[-1].main, out[-1].mark, out[-1].gap):
            last = out.pop()
            sums = [a + b for a, b in zip(sums, tally, strict=True)]
            column, offset, length = last.column, last.offset, last.length + length
            span = last.span + 1
        else:
            sums, span = list(tally), 1
        out.append(Strip(column, span, offset, length, *look, _parts(sums)))
    return out


def _look(tally: Sequence[int]) -> tuple[str, str | None, bool]:
    """What a tile is filled with, what is marked in it, and whether some of it was not read."""
    main = max(range(len(LOOKS)), key=lambda i: (tally[i], -i))
    marks = (look for i, look in enumerate(LOOKS) if tally[i] and i != main and look in MARKED)
    return LOOKS[main], next(marks, None), main != _UNREAD and tally[_UNREAD] > 0


def _parts(sums: Sequence[int]) -> tuple[tuple[str, int], ...]:
    found = [(look, n) for look, n in zip(LOOKS, sums, strict=True) if n]
    return tuple(sorted(found, key=lambda part: -part[1]))

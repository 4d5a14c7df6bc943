"""A whole medium as a map of at most 64 × 24 tiles: what lies where, and who owns it. Pure.

Any number of runs goes in; each byte counts once, under the look that matters most to a reader:
not read, then live, deleted and carved files, then a volume's own structures, then what triage saw.
What triage did not see counts as not read, whoever owns it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from hakushi.model import SECTOR

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

# Runs are painted in this order: later ones cover earlier ones.
_CLASSES = ("zero", "constant", "random_like", "structured", "unread")
_OWNERS = ("structure", "carved", "deleted", "live")
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
    sizes = ((quarter * SECTOR << octave) // 4 for octave in count() for quarter in (4, 5, 6, 7))
    return next(t for t in sizes if t % SECTOR == 0 and t * COLUMNS * ROWS >= size)


def _tally(size: int, tile: int, classes: Runs, owned: Runs) -> list[list[int]]:
    """Bytes of each of `LOOKS` in each tile."""
    import numpy as np

    if not size:
        return []
    seen, claimed = _bounds(size, classes, _CLASSES), _bounds(size, owned, _OWNERS)
    grid = np.arange(0, size, tile, dtype=np.int64)
    bounds = (b.ravel() for b in (*seen.values(), *claimed.values()))
    edges = np.sort(np.concatenate([grid, [size], *bounds]))
    looks = np.full(len(edges) - 1, _UNREAD, np.int64)
    for look in _CLASSES:
        if look in seen:
            looks[_covered(edges, seen[look])] = LOOKS.index(look)
    read = looks != _UNREAD
    for look in _OWNERS:
        if look in claimed:
            looks[_covered(edges, claimed[look]) & read] = LOOKS.index(look)
    slots = edges[:-1] // tile * len(LOOKS) + looks
    # Sums of float64 are exact below 2**53 bytes. What starts at the end is empty.
    sums = np.bincount(slots, np.diff(edges), minlength=len(grid) * len(LOOKS))
    table: list[list[int]] = (
        sums[: len(grid) * len(LOOKS)].astype(np.int64).reshape(len(grid), len(LOOKS)).tolist()
    )
    return table


def _bounds(size: int, runs: Runs, names: Sequence[str]) -> dict[str, Any]:
    """The (start, end) pairs of each name, inside the medium; unknown names as the last one."""
    import numpy as np

    # Clipped before they become machine integers: a torn table may claim anything.
    starts = np.array([at if 0 <= at < size else size for at, _, _ in runs], np.int64)
    lengths = np.array([n if 0 <= n < size else size for _, n, _ in runs], np.int64)
    numbers = {name: i for i, name in enumerate(names)}
    which = np.array([numbers.get(name, len(names) - 1) for _, _, name in runs], np.int64)
    pairs = np.stack([starts, np.minimum(starts + lengths, size)], axis=1)
    return {names[i]: pairs[which == i] for i in np.unique(which)}


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


# --- as a drawing ------------------------------------------------------------------------

_LEFT, _TOP = 72.0, 2.0
_WIDTH, _HEIGHT = 10.5, 13.0
_MARK_WIDTH, _MARK_HEIGHT = 7.5, 8.5


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a strip stands in the drawing, and what to say of it."""

    x: float
    y: float
    width: float
    strip: Strip


@dataclass(frozen=True, slots=True)
class Drawing:
    """SVG path data of a picture: one path a look, so that a print holds each pattern once.

    ``fills``, ``marks``: (look, path data). ``gaps``: the marks of what was not read. ``lines``:
    the tiles' borders. ``labels``: (y, offset) of some rows.
    """

    width: float
    height: float
    fills: Sequence[tuple[str, str]]
    marks: Sequence[tuple[str, str]]
    gaps: str
    lines: str
    labels: Sequence[tuple[float, int]]
    tips: Sequence[Tip]
    tip_height: float = _HEIGHT
    label_x: float = _LEFT - 6


def outline(picture: Picture) -> Drawing:
    """The picture's shapes; tiles from left to right, rows from top to bottom."""
    tips = [
        Tip(_LEFT + strip.column * _WIDTH, _TOP + row * _HEIGHT, strip.span * _WIDTH, strip)
        for row, strips in enumerate(picture.rows)
        for strip in strips
    ]
    fills: dict[str, str] = {}
    marks: dict[str, str] = {}
    for tip in tips:
        look, mark = tip.strip.main, tip.strip.mark
        fills[look] = fills.get(look, "") + _box(tip)
        if mark:
            marks[mark] = marks.get(mark, "") + _corners(tip)
    return Drawing(
        width=_LEFT + COLUMNS * _WIDTH + _TOP,
        height=2 * _TOP + len(picture.rows) * _HEIGHT,
        fills=list(fills.items()),
        marks=list(marks.items()),
        gaps="".join(_low_corners(tip) for tip in tips if tip.strip.gap),
        lines="".join(_box(tip) + _borders(tip) for tip in tips),
        labels=[
            (_TOP + row * _HEIGHT + 9.5, strips[0].offset)
            for row, strips in enumerate(picture.rows)
            if row % 4 == 0
        ],
        tips=tips,
    )


def _box(tip: Tip) -> str:
    return f"M{tip.x:g} {tip.y:g}h{tip.width:g}v{_HEIGHT:g}h-{tip.width:g}z"


def _borders(tip: Tip) -> str:
    """The lines between the tiles of a strip."""
    places = (tip.x + i * _WIDTH for i in range(1, tip.strip.span))
    return "".join(f"M{x:g} {tip.y:g}v{_HEIGHT:g}" for x in places)


def _corners(tip: Tip) -> str:
    """A triangle at the top right of each tile."""
    places = (tip.x + (i + 1) * _WIDTH - _MARK_WIDTH for i in range(tip.strip.span))
    return "".join(f"M{x:g} {tip.y:g}h{_MARK_WIDTH:g}v{_MARK_HEIGHT:g}z" for x in places)


def _low_corners(tip: Tip) -> str:
    """A triangle at the bottom left of each tile."""
    places = (tip.x + i * _WIDTH for i in range(tip.strip.span))
    shape = f"h{_MARK_WIDTH:g}l-{_MARK_WIDTH:g}-{_MARK_HEIGHT:g}z"
    return "".join(f"M{x:g} {tip.y + _HEIGHT:g}{shape}" for x in places)

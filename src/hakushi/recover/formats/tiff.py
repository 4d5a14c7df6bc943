"""TIFF 6.0 and BigTIFF: reaches to the furthest byte that a directory of it names.

Strips that are deflated are inflated: such a file may be called complete. Others hold no checksum.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar.stream import inflates

_MAGICS = {
    b"II*\0": ("<", False),
    b"MM\0*": (">", False),
    b"II+\0": ("<", True),
    b"MM\0+": (">", True),
}
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES, _ROWS = 256, 257, 258, 259, 277, 278
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_SHAPE = frozenset(
    {_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_LENGTH}
)
_STRIPS = {273: 279, 324: 325, 513: 514}
"""Tags of offsets and of their byte counts: strips, tiles, an old thumbnail."""

_DIRECTORIES = frozenset({330, 34665, 34853, 40965})
_MOST_DIRECTORIES = 1000
_MOST_VALUES = 1 << 20
_DEFLATED = frozenset({8, 32946})


@dataclass(slots=True)
class _Walk:
    end: int = 8
    starts: list[int] = field(default_factory=list)
    """Where the strips of each picture begin."""
    deflated: list[Extent] = field(default_factory=list)
    unchecked: bool = False


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 16))
    if len(head) < 16 or head[:4] not in _MAGICS:
        return False
    order, big = _MAGICS[head[:4]]
    first = Cursor(source, page=16).uint(8 if big else 4, 8 if big else 4, order)
    return 8 <= first < source.size


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the furthest strip, tile or value; None where no directory of a picture is sound."""
    if source.read(Extent(0, 4)) not in _MAGICS:
        return None
    cursor, found = Cursor(source), _Walk()
    order, big = _MAGICS[cursor.take(0, 4)]
    try:
        _directories(cursor, found, order, big, budget)
    except Spent:
        raise
    except Short:
        sound = min(found.end, source.size) if found.starts else 0
        return Measure(sound, complete=False, more=True)
    except Malformed:
        return Measure(min(found.end, source.size), complete=False) if found.starts else None
    if not found.starts:
        return None
    if found.end > source.size:
        return Measure(source.size, complete=False, more=True)
    end = _padded(source, found)
    sound = all(
        inflates(source, extent.offset, extent.end, budget) is None for extent in found.deflated
    )
    return Measure(end, complete=sound and not found.unchecked)


def _padded(source: Source, found: _Walk) -> int:
    """Behind the first picture some writers start each, header and all, at a multiple of 16.

    They fill up the last one, too.
    """
    further = found.starts[1:]
    if not further or any(start % 16 != 8 for start in further):
        return found.end
    fill = source.read(Extent(found.end, -found.end % 16))
    return found.end + (len(fill) if not any(fill) else 0)


def _directories(cursor: Cursor, found: _Walk, order: str, big: bool, budget: Budget) -> None:
    wide = 8 if big else 4
    left, met = [cursor.uint(8 if big else 4, wide, order)], set[int]()
    while left:
        at = left.pop()
        if not at:
            continue
        if at in met or len(met) >= _MOST_DIRECTORIES:
            raise Malformed("directories go round")
        met.add(at)
        count = cursor.uint(at, 8 if big else 2, order)
        start, size = at + (8 if big else 2), 20 if big else 12
        if not 0 < count <= 4096:
            raise Malformed("directory")
        tags: dict[int, list[int]] = {}
        for entry in range(start, start + count * size, size):
            budget.pay()
            _entry(cursor, entry, found, order, big, tags)
        following = start + count * size
        found.end = max(found.end, following + wide)
        left.append(cursor.uint(following, wide, order))
        left += [v for tag in _DIRECTORIES & tags.keys() for v in tags[tag]]
        _strips(found, tags)


def _entry(
    cursor: Cursor, at: int, found: _Walk, order: str, big: bool, tags: dict[int, list[int]]
) -> None:
    """One field (section 2); values that matter go into ``tags``."""
    tag, kind = cursor.u16(at, order), cursor.u16(at + 2, order)
    wide = 8 if big else 4
    count, size = cursor.uint(at + 4, wide, order), _SIZES.get(kind, 0)
    if not size:
        raise Malformed("field type")
    where = at + 4 + wide
    if count * size > wide:
        where = cursor.uint(where, wide, order)
        if where + count * size > cursor.size:
            raise Short("a value runs past the end")
        found.end = max(found.end, where + count * size)
    wanted = tag in _STRIPS or tag in _STRIPS.values() or tag in _DIRECTORIES
    if count and (wanted or tag in _SHAPE) and kind in {3, 4, 13, 16, 18}:
        if count > _MOST_VALUES:
            raise Malformed("too many values")
        tags[tag] = [cursor.uint(where + i * size, size, order) for i in range(count)]


def _most(tags: dict[int, list[int]]) -> int:
    """Bytes that a strip or tile may have at most: twice its rows, as no compression adds more."""
    width = tags.get(_TILE_WIDTH, tags.get(_WIDTH, [0]))[0]
    rows = tags.get(_TILE_LENGTH, tags.get(_ROWS, tags.get(_LENGTH, [0])))[0]
    length = tags.get(_LENGTH, [rows])[0]
    if _TILE_LENGTH not in tags:
        rows = min(rows, length)
    bits = tags.get(_BITS, [1])
    samples = max(tags.get(_SAMPLES, [1])[0], len(bits))
    return 2 * ((width * samples * max(bits) + 7) // 8 * rows) + 4096


def _strips(found: _Walk, tags: dict[int, list[int]]) -> None:
    picture = False
    for offsets, counts in _STRIPS.items():
        if offsets not in tags or len(tags[offsets]) != len(tags.get(counts, [])):
            continue
        picture = True
        if offsets in {273, 324} and max(tags[counts], default=0) > _most(tags):
            raise Malformed("a strip larger than its rows")
        for offset, count in zip(tags[offsets], tags[counts], strict=True):
            found.end = max(found.end, offset + count)
            if tags.get(_COMPRESSION, [1])[0] in _DEFLATED:
                found.deflated.append(Extent(offset, count))
            else:
                found.unchecked = True
    if picture and (tags.get(_WIDTH) or 513 in tags):
        found.starts.append(min((o for tag in _STRIPS for o in tags.get(tag, [])), default=0))


PLUGIN = Format(
    id="tiff",
    family=Family.MEDIA,
    probe=probe,
    magics=tuple(Magic(magic) for magic in _MAGICS),
    measure=measure,
    extensions=("tif", "tiff", "dng", "nef", "arw"),
)

"""GIF 87a and 89a: walks the blocks and their sub-blocks up to the trailer."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import follow

_MAGICS = (b"GIF87a", b"GIF89a")
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_LABELS = frozenset({0x01, 0xF9, 0xFE, 0xFF})


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 13))
    return len(head) == 13 and head.startswith(_MAGICS)


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the trailer; where a block is broken, to the end of the one before."""
    return follow(source, _walk(source, budget)) if probe(source) else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor = Cursor(source)
    width, height, packed = cursor.u16(6), cursor.u16(8), cursor.u8(10)
    at, images = 13 + _colours(packed), 0
    while True:
        budget.pay()
        kind = cursor.u8(at)
        if kind == _TRAILER and images:
            yield at + 1
            return
        if kind == _EXTENSION and cursor.u8(at + 1) in _LABELS:
            at = _sub_blocks(cursor, at + 2, budget)
        elif kind == _IMAGE:
            left, top = cursor.u16(at + 1), cursor.u16(at + 3)
            wide, high = cursor.u16(at + 5), cursor.u16(at + 7)
            if left + wide > max(width, 1) or top + high > max(height, 1) or not wide or not high:
                raise Malformed("an image outside the screen")
            at += 10 + _colours(cursor.u8(at + 9))
            if not 1 <= cursor.u8(at) <= 11:
                raise Malformed("LZW code size")
            at = _sub_blocks(cursor, at + 1, budget)
            images += 1
        else:
            raise Malformed(f"block {kind:#x}")
        if images:
            yield at


def _colours(packed: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _sub_blocks(cursor: Cursor, at: int, budget: Budget) -> int:
    while length := cursor.u8(at):
        budget.pay()
        at += 1 + length
    return at + 1


PLUGIN = Format(
    id="gif",
    family=Family.MEDIA,
    probe=probe,
    magics=tuple(Magic(magic) for magic in _MAGICS),
    measure=measure,
    extensions=("gif",),
)

"""Windows bitmaps: the size in the header, where the rest of the header bears it out."""

from __future__ import annotations

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure

_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_DEPTHS = frozenset({1, 4, 8, 16, 24, 32})


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 34))
    if len(head) < 34 or not head.startswith(b"BM") or any(head[6:10]):
        return False
    size, pixels, header = (int.from_bytes(head[i : i + 4], "little") for i in (2, 10, 14))
    if header not in _HEADERS or not 14 + header <= pixels < max(size, 26):
        return False
    planes, depth = (24, 26) if header == 12 else (26, 28)
    return head[planes : planes + 2] == b"\1\0" and head[depth] in _DEPTHS and not head[depth + 1]


def measure(source: Source, _budget: Budget) -> Measure | None:
    """By the header. No checksum tells whether the pixels are the file's own: never complete.

    Where rows are not compressed, the size that is said must be theirs.
    """
    if not probe(source):
        return None
    cursor = Cursor(source, page=64)
    said, pixels = cursor.u32(2), cursor.u32(10)
    if cursor.u32(14) >= 40 and cursor.u32(30) in {0, 3}:
        width, height, depth = cursor.u32(18), cursor.u32(22), cursor.u16(28)
        height = min(height, (1 << 32) - height)
        rows = (width * depth + 31) // 32 * 4 * height
        if not width or not height or not 0 <= said - pixels - rows < 4096:
            return None
    return Measure(min(said, source.size), complete=False)


PLUGIN = Format(
    id="bmp",
    family=Family.MEDIA,
    probe=probe,
    magics=(Magic(b"BM"),),
    measure=measure,
    extensions=("bmp", "dib"),
)

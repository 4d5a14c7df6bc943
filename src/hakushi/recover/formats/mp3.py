"""MP3 (ISO/IEC 11172-3, 13818-3): an ID3 tag, frames in a row, an older tag at the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hakushi.model import Extent, Malformed, Source, Text
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent

_LEAST = 4
"""Frames in a row below which chance makes them."""

_RATES = (44100, 48000, 32000)
_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_TAG, _OLD_TAG = b"ID3", b"TAG"
_ENCODINGS = ("cp932", "utf-16", "utf-16-be", "utf-8")


def _frame(head: int) -> int:
    """Bytes of the layer III frame with this header word; 0 where it is none."""
    version, layer = head >> 19 & 3, head >> 17 & 3
    kbits, rate, padding = head >> 12 & 15, head >> 10 & 3, head >> 9 & 1
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or kbits in {0, 15} or rate == 3:
        return 0
    table = _KBITS[3 if version == 3 else 2]
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if version == 3 else 72) * table[kbits] * 1000 // hertz + padding


def _tag(cursor: Cursor) -> int:
    """Bytes of the ID3v2 tag at the start, its size in seven bits a byte; 0 without one."""
    if not cursor.has(0, _TAG):
        return 0
    head = cursor.take(0, 10)
    if head[3] > 4 or head[5] & 0x0F or max(head[6:10]) > 127:
        raise Malformed("ID3 tag")
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _frames(cursor: Cursor, at: int) -> Iterator[int]:
    """The end of each frame from ``at`` on; those of one stream agree in version and rate."""
    first = 0
    while at + 4 <= cursor.size:
        head = cursor.u32(at, ">")
        length = _frame(head)
        first = first or head
        if not length or (head ^ first) & 0xFFFE0C00 or at + length > cursor.size:
            return
        at += length
        yield at


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 4))
    if not (head.startswith(_TAG) or (len(head) == 4 and _frame(int.from_bytes(head, "big")))):
        return False
    cursor = Cursor(source, page=8192)
    start = _tag(cursor)
    while start and cursor.size > start and cursor.has(start, b"\0") and start < 1 << 16:
        start += 1
    return len(list(islice(_frames(cursor, start), _LEAST))) == _LEAST


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the last frame in a row and the tag behind it. Frames hold no checksum: never complete."""
    try:
        if not probe(source):
            return None
    except Spent:
        raise
    except Short:
        return Measure(0, complete=False, more=True)
    except Malformed:
        return None
    cursor = Cursor(source)
    end = start = _tag(cursor)
    while start and cursor.has(end, b"\0") and end < start + (1 << 16):
        end += 1
    for behind in _frames(cursor, end):
        budget.pay()
        end = behind
    if cursor.has(end, _OLD_TAG) and end + 128 <= source.size:
        end += 128
    return Measure(end, complete=False)


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """The words of its ID3v2 tag: title, artist, comments."""
    cursor = Cursor(source)
    end, at = min(_tag(cursor), source.size), 10
    lines: list[str] = []
    while at + 10 < end:
        budget.pay()
        name, size = cursor.take(at, 4), cursor.u32(at + 4, ">")
        if not name.isalnum() or at + 10 + size > end:
            break
        if name[:1] in {b"T", b"C", b"W"} and 1 < size < 1 << 16:
            raw = cursor.take(at + 10, size)
            encoding = _ENCODINGS[raw[0]] if raw[0] < len(_ENCODINGS) else "latin-1"
            lines.append(raw[1:].decode(encoding, "replace").replace("\0", " "))
        at += 10 + size
    if lines:
        yield Text("\n".join(lines) + "\n")


PLUGIN = Format(
    id="mp3",
    family=Family.MEDIA,
    probe=probe,
    magics=(Magic(_TAG), *(Magic(bytes([0xFF, second])) for second in (0xFB, 0xFA, 0xF3, 0xF2))),
    measure=measure,
    text=text,
    extensions=("mp3",),
)

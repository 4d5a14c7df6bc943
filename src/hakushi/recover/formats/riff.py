"""RIFF: WAV, AVI, WebP. Chunk by chunk to the size at the start; AVI goes on in further RIFFs."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import follow

_KINDS = {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp"}
_FIRST = {b"WAVE": (b"fmt ", b"JUNK", b"bext", b"LIST"), b"AVI ": (b"LIST",)}
_FIRST[b"WEBP"] = (b"VP8 ", b"VP8L", b"VP8X")


def _kind(source: Source) -> bytes | None:
    head = source.read(Extent(0, 16))
    kind = head[8:12]
    sound = head[:4] == b"RIFF" and head[12:16] in _FIRST.get(kind, ())
    return kind if sound else None


def probe(source: Source) -> bool:
    return _kind(source) is not None


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the end of the last chunk. Nothing vouches for what stands in one: never complete."""
    kind = _kind(source)
    found = follow(source, _walk(source, budget)) if kind else None
    if found is None or kind is None:
        return None
    return Measure(found.length, complete=False, kind=_KINDS[kind], broken=found.broken)


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor, at = Cursor(source, page=4096), 0
    while at == 0 or cursor.has(at, b"RIFF"):
        end = at + 8 + cursor.u32(at + 4)
        if end < at + 20 or (at and not cursor.has(at + 8, b"AVIX")):
            break
        yield from _chunks(cursor, at + 12, end, budget)
        at = end + end % 2 if end + end % 2 <= source.size else end
    yield min(at, source.size)


def _chunks(cursor: Cursor, at: int, end: int, budget: Budget) -> Iterator[int]:
    while at + 8 <= end:
        budget.pay()
        if not all(32 <= byte < 127 for byte in cursor.take(at, 4)):
            raise Malformed("chunk header")
        length = cursor.u32(at + 4)
        at += 8 + length + length % 2
        if at > end + 1:
            raise Malformed("a chunk leaves its file")
        yield min(at, end, cursor.size)
        cursor.take(min(at, end) - 1, 1)


PLUGIN = Format(
    id="riff",
    family=Family.MEDIA,
    probe=probe,
    narrows=True,
    magics=tuple(Magic(kind, 8) for kind in _KINDS),
    measure=measure,
    extensions=("wav", "avi", "webp"),
)

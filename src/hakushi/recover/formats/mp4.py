"""ISO base media (ISO/IEC 14496-12) and QuickTime: MP4, MOV, M4A, 3GP, HEIC, AVIF; box by box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short
from hakushi.recover.grammar.stream import follow

_FIRST = frozenset({b"ftyp", b"moov", b"mdat", b"wide"})
_TOP = _FIRST | frozenset(
    {b"free", b"skip", b"uuid", b"moof", b"mfra", b"meta", b"styp", b"sidx", b"pnot", b"udta"}
    | {b"PICT", b"emsg", b"pdin", b"ssix", b"prft", b"junk"}
)
_HOLDERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf"}
    | {b"mfra"}
)
_LARGE = frozenset({b"mdat", b"free", b"skip", b"uuid", b"meta", b"junk"})
_MOST = 256 << 20
"""Bytes of a box that only describes."""

_DEEPEST = 12
_KINDS = {
    b"qt  ": "mov",
    b"heic": "heic",
    b"heix": "heic",
    b"hevc": "heic",
    b"mif1": "heic",
    b"msf1": "heic",
    b"avif": "avif",
    b"M4A ": "m4a",
    b"M4B ": "m4a",
}


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 16))
    if len(head) < 16 or head[4:8] not in _FIRST:
        return False
    size = int.from_bytes(head[:4], "big")
    if head[4:8] == b"ftyp":
        return 16 <= size <= 4096 and all(32 <= byte < 127 for byte in head[8:12])
    return head[4:8] == b"mdat" or (size == 8 and head[12:16] in _TOP) or head[12:16] == b"mvhd"


def _kind(source: Source) -> str:
    head = source.read(Extent(0, 12))
    return _KINDS.get(head[8:12], "mp4") if head[4:8] == b"ftyp" else "mov"


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the last box. Whole where one that is sound stands behind all media data, in one piece:
    media data hold nothing that vouches for them.
    """
    if not probe(source):
        return None
    met: list[bytes] = []
    found = follow(source, _walk(source, budget, met))
    if found is None or (b"moov" not in met and b"meta" not in met):
        return None if found is None or not found.more else replace(found, kind=_kind(source))
    sure = found.complete and b"mdat" in met and met[-1] in {b"moov", b"mfra"}
    return replace(found, complete=sure, checked=False, kind=_kind(source))


def _walk(source: Source, budget: Budget, met: list[bytes]) -> Iterator[int]:
    cursor, at = Cursor(source, page=4096), 0
    while at < source.size:
        head = source.read(Extent(at, 8))
        if head[4:] not in _TOP or (at and head[4:] == b"ftyp") or not any(head[:4]):
            if len(head) == 8 and head[4:] in _TOP and head[4:] != b"ftyp":
                raise Malformed("a box without an end")
            break
        end = _box(cursor, at, source.size, budget, 0)
        met.append(head[4:])
        yield end
        at = end


def _box(cursor: Cursor, at: int, limit: int, budget: Budget, depth: int) -> int:
    """The end of a box and, where it holds others, whether these fill it."""
    budget.pay()
    size, kind, start = cursor.u32(at, ">"), cursor.take(at + 4, 4), at + 8
    if size == 1:
        size, start = cursor.u64(at + 8, ">"), at + 16
    end = at + size
    if size < start - at or (kind not in _LARGE and size > _MOST):
        raise Malformed(f"a box of {size} bytes")
    if end > limit:
        raise Short("a box breaks off") if not depth else Malformed("a box leaves its own")
    if kind in _HOLDERS and depth < _DEEPEST:
        while start + 8 <= end:
            if not cursor.u32(start, ">"):
                start += 4
                break
            start = _box(cursor, start, end, budget, depth + 1)
        if start != end:
            raise Malformed("boxes do not fill the one that holds them")
    return end


PLUGIN = Format(
    id="mp4",
    family=Family.MEDIA,
    probe=probe,
    narrows=True,
    magics=tuple(Magic(kind, 4) for kind in sorted(_FIRST)),
    measure=measure,
    extensions=("mp4", "mov", "m4a", "m4v", "3gp", "heic", "heif", "avif"),
)

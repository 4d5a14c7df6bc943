"""PNG (ISO/IEC 15948): walks the chunks and checks each CRC up to IEND."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import follow, pieces

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = b"\0\0\0\rIHDR"


def probe(source: Source) -> bool:
    return source.read(Extent(0, 16)) == _SIGNATURE + _HEADER


def measure(source: Source, budget: Budget) -> Measure | None:
    """To IEND; to the end of the last whole chunk where one is broken."""
    return follow(source, _walk(source, budget)) if probe(source) else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor, at, kind = Cursor(source), len(_SIGNATURE), b""
    while kind != b"IEND":
        budget.pay()
        length, kind = cursor.u32(at, ">"), cursor.take(at + 4, 4)
        if length >= 1 << 31 or not kind.isalpha():
            raise Malformed("chunk header")
        checksum = cursor.u32(at + 8 + length, ">")
        if _crc(source, at + 4, 4 + length, budget) != checksum:
            raise Malformed("chunk checksum")
        at += 12 + length
        yield at


def _crc(source: Source, at: int, length: int, budget: Budget) -> int:
    crc = 0
    for _, data in pieces(source, budget, at, at + length):
        crc = zlib.crc32(data, crc)
    return crc


PLUGIN = Format(
    id="png",
    family=Family.MEDIA,
    probe=probe,
    magics=(Magic(_SIGNATURE + _HEADER),),
    measure=measure,
    summed=True,
    extensions=("png",),
)

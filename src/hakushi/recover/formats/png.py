"""PNG (ISO/IEC 15948): walks the chunks and checks each CRC up to IEND."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import PIECE, Remembered, Torn, follow, inflated, pieces

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = b"\0\0\0\rIHDR"
_DATA = b"IDAT"
_STEP = 1024
"""Bytes that are inflated at once: so far it is told where they tear."""


def probe(source: Source) -> bool:
    return source.read(Extent(0, 16)) == _SIGNATURE + _HEADER


def measure(source: Source, budget: Budget) -> Measure | None:
    """To IEND; to the end of the last whole chunk where one is broken, or in it where it tears."""
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
            if kind == _DATA:
                torn = _Inflated(source, budget).torn
                raise Torn("chunk checksum", min(torn, at + 8 + length))
            raise Malformed("chunk checksum")
        at += 12 + length
        yield at


class _Inflated:
    """The picture's data as far as they inflate: ``torn`` is where they do not, or the end."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._engine = zlib.decompressobj()
        self.end = 0
        """Behind the data of the last chunk."""
        self.torn = self._run(source, budget)

    def _run(self, source: Source, budget: Budget) -> int:
        cursor, at = Cursor(source), len(_SIGNATURE)
        if (known := _BEFORE.start(source)) is not None:
            at, (engine, self.end) = known
            self._engine = engine.copy()
        while at < self.end or at + 8 <= source.size:
            if at > self.end:
                budget.pay()
                self.end, kind = at + 8 + cursor.u32(at, ">"), cursor.take(at + 4, 4)
                at = at + 8 if kind == _DATA else self.end
            while at < min(self.end, source.size):
                length = min(_STEP, self.end - at, source.size - at)
                if not self._takes(source.read(Extent(at, length)), budget):
                    return at
                at += length
                _BEFORE.keep(source, at, lambda: (self._engine.copy(), self.end))
            if at < self.end:
                break
            at = self.end + 4
        return source.size

    def _takes(self, data: bytes, budget: Budget) -> bool:
        while data:
            try:
                budget.pay(output=len(self._engine.decompress(data, PIECE)))
            except zlib.error:
                return False
            data = self._engine.unconsumed_tail
        return True

    def goes_on(self, data: bytes) -> float:
        """`Format.goes_on`, for bytes within the last chunk."""
        return 1.0 if inflated(self._engine, data) is not None else math.inf


_BEFORE = Remembered[tuple["zlib._Decompress", int]]()


def goes_on(source: Source, budget: Budget) -> Callable[[bytes], float] | None:
    """For a picture that is cut amid its data."""
    held = _Inflated(source, budget)
    left = held.end - source.size
    if left < 0 or held.torn < source.size:
        return None
    return lambda data: held.goes_on(data[:left])


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
    goes_on=goes_on,
    extensions=("png",),
)

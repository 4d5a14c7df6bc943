"""gzip (RFC 1952): inflates each member up to the CRC and size in its trailer."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic
from hakushi.recover.cursor import Short
from hakushi.recover.grammar.chain import Chain
from hakushi.recover.grammar.stream import find, inflate

_MAGIC = b"\x1f\x8b\x08"


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 10))
    return len(head) == 10 and head.startswith(_MAGIC) and head[3] < 32


class _Member:
    """One gzip member at ``at``; ``end`` is how far it was read, at last behind its trailer."""

    def __init__(self, source: Source, at: int, budget: Budget) -> None:
        cursor = Cursor(source, page=4096)
        head = cursor.take(at, 10)
        if not head.startswith(_MAGIC) or head[3] >= 32:
            raise Malformed("gzip header")
        flags, self._at = head[3], at + 10
        self.modified = int.from_bytes(head[4:8], "little")
        self.name = b""
        if flags & 4:
            self._at += 2 + cursor.u16(self._at)
        if flags & 8:
            self.name = self._string(source, budget)
        if flags & 16:
            self._string(source, budget)
        if flags & 2:
            self._at += 2
        self.end = self._at
        self._source = source

    def _string(self, source: Source, budget: Budget) -> bytes:
        end = find(source, b"\0", self._at, budget, self._at + 4096)
        if end < 0:
            raise Malformed("a name without an end")
        out = source.read(Extent(self._at, end - self._at))
        self._at = end + 1
        return out

    def run(self, budget: Budget) -> Iterator[bytes]:
        packed = inflate(self._source, self._at)
        crc = size = 0
        for data in packed.run(budget):
            crc = zlib.crc32(data, crc)
            size += len(data)
            self.end = packed.end
            yield data
        trailer = self._source.read(Extent(packed.end, 8))
        if len(trailer) < 8:
            raise Short("no trailer")
        if trailer != crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"):
            raise Malformed("the checksum does not match")
        self.end = packed.end + 8


_chain = Chain("gzip", _MAGIC, _Member)

PLUGIN = Format(
    id="gzip",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(_MAGIC),),
    open=_chain.open,
    member=_chain.member,
    measure=_chain.measure,
    summed=True,
    extensions=("gz", "tgz"),
)

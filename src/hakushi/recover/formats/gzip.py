"""gzip (RFC 1952): inflates each member up to the CRC and size in its trailer."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Extent, Malformed, Source, State
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar.stream import derive, find, follow, inflate

_MAGIC = b"\x1f\x8b\x08"


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 10))
    return len(head) == 10 and head.startswith(_MAGIC) and head[3] < 32


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the trailer of the last member; where the stream breaks, to the break."""
    return follow(source, _walk(source, budget)) if probe(source) else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    at = members = 0
    while not at or source.read(Extent(at, 3)) == _MAGIC:
        try:
            member = _Member(source, at, budget)
            for _ in member.run(budget):
                yield max(at, member.end)
        except Spent:
            raise
        except Malformed:
            # Whatever stands behind one whole member may be another file's.
            if members != 1:
                raise
            break
        at, members = member.end, members + 1
        yield at
    yield at


class _Member:
    """One gzip member at ``at``; ``end`` is how far it was read, at last behind its trailer."""

    def __init__(self, source: Source, at: int, budget: Budget) -> None:
        cursor = Cursor(source, page=4096)
        head = cursor.take(at, 10)
        if not head.startswith(_MAGIC) or head[3] >= 32:
            raise Malformed("gzip header")
        flags, self.at = head[3], at + 10
        self.modified = int.from_bytes(head[4:8], "little")
        self.name = b""
        if flags & 4:
            self.at += 2 + cursor.u16(self.at)
        if flags & 8:
            self.name = self._string(source, budget)
        if flags & 16:
            self._string(source, budget)
        if flags & 2:
            self.at += 2
        self.end = self.at
        self._source = source

    def _string(self, source: Source, budget: Budget) -> bytes:
        end = find(source, b"\0", self.at, budget, self.at + 4096)
        if end < 0:
            raise Malformed("a name without an end")
        out = source.read(Extent(self.at, end - self.at))
        self.at = end + 1
        return out

    def run(self, budget: Budget) -> Iterator[bytes]:
        packed = inflate(self._source, self.at)
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


def _content(source: Source, budget: Budget) -> Iterator[bytes]:
    """The bytes of all members, one after the other (2.2)."""
    at = 0
    while True:
        member = _Member(source, at, budget)
        yield from member.run(budget)
        at = member.end
        if source.read(Extent(at, 3)) != _MAGIC:
            return


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Its one content, as far as it inflates."""
    member, size, flaw = _Member(source, 0, budget), 0, ""
    try:
        for data in _content(source, budget):
            size += len(data)
    except Spent:
        raise
    except Malformed as error:
        flaw = str(error)
    locator = source.locator.step("gzip", 0)
    yield Artifact(
        locator,
        "file",
        State.LIVE,
        size,
        path=member.name.decode("utf-8", "surrogateescape") or None,
        complete=not flaw,
        modified=member.modified or None,
    )
    if flaw:
        yield Damage(locator, flaw)


def member(source: Source, step: str) -> Source:
    if step != "0":
        raise Malformed(f"gzip has no content {step!r}")
    return derive(lambda: _content(source, Budget()), source.locator.step("gzip", 0))


PLUGIN = Format(
    id="gzip",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(_MAGIC),),
    open=open_,
    member=member,
    measure=measure,
    extensions=("gz", "tgz"),
)

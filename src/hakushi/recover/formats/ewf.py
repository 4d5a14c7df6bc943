"""EWF-E01 images, the format of EnCase, FTK Imager and ewfacquire (after the format's description
in libewf's documentation).

A file of sections: a header, the medium's geometry, then sectors in chunks, deflated or plain, and
tables of where each chunk starts. Every chunk has an Adler-32; what does not hold is Unreadable.
"""

from __future__ import annotations

import struct
import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Extents,
    Locator,
    Malformed,
    Role,
    Source,
    State,
    Unreadable,
)
from hakushi.recover import Budget, Cursor, Family, Format, Magic

_MAGIC = b"EVF\x09\x0d\x0a\xff\x00"
_HEAD = 13
_DESCRIPTOR = struct.Struct("<16sQQ40xI")
_SECTIONS = 1 << 20
_CHUNK = 32 << 20
"""Bytes of the largest chunk."""

_CACHE = 16 << 20
_COMPRESSED = 1 << 31


@dataclass(frozen=True, slots=True)
class _Section:
    """Where the body of a section lies in its segment, and how long it should be."""

    kind: str
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class _Table:
    """Consecutive chunks of one segment: entries at ``at`` of the file, or their list."""

    segment: int
    first: int
    count: int
    at: int
    base: int
    end: int
    """Where the data of the last chunk ends at the latest."""
    listed: tuple[tuple[int, int, bool], ...] | None = None
    """(offset, length, deflated) of chunks that were found without a table."""


@dataclass(slots=True)
class _Image:
    """What the sections of all segments say."""

    chunk: int = 0
    sector: int = 512
    size: int = 0
    chunks: int = 0
    tables: list[_Table] = field(default_factory=list)
    bad: list[Extent] = field(default_factory=list)
    """Bytes that could not be read when the image was made."""
    damage: list[str] = field(default_factory=list)
    whole: bool = False

    @property
    def known(self) -> int:
        """How many chunks have a place."""
        return self.tables[-1].first + self.tables[-1].count if self.tables else 0


# --- sections ----------------------------------------------------------------------------


def _segment_number(cursor: Cursor) -> int:
    """Raises Malformed where this is no segment."""
    if not cursor.has(0, _MAGIC):
        raise Malformed("no EWF segment")
    return cursor.u16(9)


def _sections(cursor: Cursor, image: _Image, budget: Budget) -> Iterator[_Section]:
    """The sections of a segment in order; where the chain breaks off is damage of the image."""
    at = _HEAD
    for _ in range(_SECTIONS):
        budget.pay()
        if at + _DESCRIPTOR.size > cursor.size:
            image.damage.append("truncated")
            return
        raw = cursor.take(at, _DESCRIPTOR.size)
        name, following, size, checksum = _DESCRIPTOR.unpack(raw)
        if zlib.adler32(raw[:72]) != checksum:
            image.damage.append(f"the section at {at} is damaged")
            return
        kind = name.rstrip(b"\0").decode("ascii", "replace")
        last = kind in ("done", "next") or following == at
        body = at + _DESCRIPTOR.size
        length = (following if not last else at + size) - body
        yield _Section(kind, body, max(0, length))
        if last:
            image.whole = kind == "done"
            return
        if following <= at:
            image.damage.append(f"the section at {at} leads back")
            return
        at = following
    image.damage.append("too many sections")


def _read(segments: Sequence[Source], budget: Budget) -> _Image:
    """Raises Malformed where not even the medium's size can be told."""
    image = _Image()
    for index, source in enumerate(segments):
        cursor = Cursor(source)
        number = _segment_number(cursor)
        if number != index + 1:
            raise Malformed(f"segment {number} stands where segment {index + 1} should")
        _Segment(cursor, index, image, budget).read()
    if not image.chunk:
        raise Malformed("; ".join(["the image does not say what it holds", *image.damage]))
    if not image.whole and not image.damage:
        image.damage.append("further segments are missing")
    if image.known * image.chunk < image.size:
        missing = image.size - image.known * image.chunk
        image.damage.append(f"{missing} bytes of the medium are not in it")
    return image


class _Segment:
    """One file's sections, into the image."""

    def __init__(self, cursor: Cursor, index: int, image: _Image, budget: Budget) -> None:
        self.cursor = cursor
        self.index = index
        self.image = image
        self.budget = budget
        self.sectors: _Section | None = None
        """Chunks whose table has not come yet."""

    def read(self) -> None:
        for section in _sections(self.cursor, self.image, self.budget):
            try:
                self._take(section)
            except Malformed as error:
                self.image.damage.append(f"section {section.kind}: {error}")
        self._untabled()

    def _take(self, section: _Section) -> None:
        match section.kind:
            case "volume" | "disk":
                self._volume(section)
            case "sectors":
                self._untabled()
                self.sectors = section
            case "table" | "table2":
                self._table(section)
            case "error2":
                self._errors(section)
            case "next" | "done":
                self._untabled()

    def _volume(self, section: _Section) -> None:
        raw = self.cursor.take(section.at, min(section.size, 1052))
        if len(raw) < 94 or zlib.adler32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
            raise Malformed("its checksum is wrong")
        chunks, per_chunk, sector = struct.unpack_from("<III", raw, 4)
        wide = len(raw) >= 1052
        sectors = int.from_bytes(raw[16 : 24 if wide else 20], "little")
        image = self.image
        if not (sector and per_chunk and sector * per_chunk <= _CHUNK and sector <= 1 << 16):
            raise Malformed("impossible geometry")
        image.chunk, image.sector, image.chunks = sector * per_chunk, sector, chunks
        image.size = min(sectors * sector, chunks * image.chunk)

    def _table(self, section: _Section) -> None:
        """One table; its copy is only used where it could not be read itself.

        The oldest writers put the chunks behind the entries, and no checksum between.
        """
        inline = self.sectors is None and section.kind == "table"
        if not self.image.chunk or (self.sectors is None and not inline):
            return
        raw = self.cursor.take(section.at, 24)
        count, base = struct.unpack_from("<I4xQ", raw)
        if zlib.adler32(raw[:20]) != int.from_bytes(raw[20:], "little"):
            raise Malformed("its head is damaged")
        if not count or 24 + 4 * count > section.size:
            raise Malformed("it is longer than its section")
        if not inline and not self._entries_hold(section.at + 24, count):
            raise Malformed("its entries are damaged")
        first = self.image.known
        holder = self.sectors or section
        end = holder.at + holder.size
        self.image.tables.append(_Table(self.index, first, count, section.at + 24, base, end))
        self.sectors = None

    def _entries_hold(self, at: int, count: int) -> bool:
        total, end = 1, at + 4 * count
        for start in range(at, end, 1 << 20):
            self.budget.pay()
            total = zlib.adler32(self.cursor.take(start, min(1 << 20, end - start)), total)
        try:
            return self.cursor.u32(end) == total
        except Malformed:
            return False

    def _untabled(self) -> None:
        """Chunks of a sectors section that no table was found for: one after the other."""
        section, self.sectors = self.sectors, None
        if section is None or not self.image.chunk:
            return
        end = min(section.at + section.size, self.cursor.size)
        listed: list[tuple[int, int, bool]] = []
        at = section.at
        most = max(0, self.image.chunks - self.image.known)
        while at < end and len(listed) < most:
            self.budget.pay(output=self.image.chunk)
            found = _chunk_at(self.cursor, at, end, self.image.chunk)
            if found is None:
                break
            listed.append((at, *found))
            at += found[0]
        self.image.damage.append(f"no table tells where its chunks are; {len(listed)} were found")
        first = self.image.known
        self.image.tables.append(_Table(self.index, first, len(listed), 0, 0, end, tuple(listed)))

    def _errors(self, section: _Section) -> None:
        """Sectors that could not be read when the image was made: it holds zeros for them."""
        count = self.cursor.u32(section.at)
        if 520 + 8 * count > section.size:
            raise Malformed("it is longer than its section")
        total = 0
        for at in range(section.at + 520, section.at + 520 + 8 * count, 8):
            self.budget.pay()
            start, length = self.cursor.u32(at), self.cursor.u32(at + 4)
            sector = self.image.sector
            self.image.bad.append(Extent(start * sector, length * sector))
            total += length
        if total:
            what = f"{total} sectors could not be read when the image was made"
            self.image.damage.append(what)


def _chunk_at(cursor: Cursor, at: int, end: int, size: int) -> tuple[int, bool] | None:
    """(bytes in the file, deflated) of the chunk that starts at ``at``; None if none does."""
    raw = cursor.take(at, min(end - at, size + size // 8 + 1024))
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(raw, size + 1)
        if unpacker.eof and len(data) <= size:
            return len(raw) - len(unpacker.unused_data), True
    except zlib.error:
        pass
    if len(raw) >= size + 4 and zlib.adler32(raw[:size]) == struct.unpack_from("<I", raw, size)[0]:
        return size + 4, False
    return None


# --- the medium --------------------------------------------------------------------------


class Medium:
    """The medium inside an image, as a Source. Keeps the chunks that were read last."""

    def __init__(self, segments: Sequence[Source], image: _Image, locator: Locator) -> None:
        self.locator = locator
        self.size = image.size
        self.damage = tuple(image.damage)
        self._cursors = tuple(segments)
        self._image = image
        self._firsts = [t.first for t in image.tables]
        self._bad = Extents(image.bad)
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self._kept = max(2, _CACHE // image.chunk)
        self._lock = threading.Lock()

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        if extent.offset >= end:
            return b""
        if self._bad and self._bad & Extents([Extent(extent.offset, end - extent.offset)]):
            why = "it could not be read when the image was made"
            raise Unreadable(Extent(extent.offset, end - extent.offset), why)
        size = self._image.chunk
        first = extent.offset // size
        out = []
        for number in range(first, -(-end // size)):
            try:
                out.append(self._chunk(number))
            except (Malformed, Unreadable) as error:
                at = max(extent.offset, number * size)
                lost = Extent(at, min(end, (number + 1) * size) - at)
                raise Unreadable(lost, str(error)) from None
        data = out[0] if len(out) == 1 else b"".join(out)
        return data[extent.offset - first * size : end - first * size]

    def _chunk(self, number: int) -> bytes:
        with self._lock:
            data = self._chunks.get(number)
            if data is not None:
                self._chunks.move_to_end(number)
                return data
        data = self._unpack(number)
        with self._lock:
            self._chunks[number] = data
            if len(self._chunks) > self._kept:
                self._chunks.popitem(last=False)
        return data

    def _unpack(self, number: int) -> bytes:
        """Raises Malformed or Unreadable."""
        segment, at, length, deflated = self._place(number)
        wanted = min(self._image.chunk, self.size - number * self._image.chunk)
        raw = self._cursors[segment].read(Extent(at, length))
        if len(raw) != length:
            raise Malformed("the chunk is past the end of the image")
        data = _inflate(raw, self._image.chunk) if deflated else _plain(raw)
        if len(data) < wanted:
            raise Malformed("the chunk is too short")
        return data

    def _place(self, number: int) -> tuple[int, int, int, bool]:
        """Segment, offset, length in the file, and whether the chunk is deflated."""
        index = bisect_right(self._firsts, number) - 1
        table = self._image.tables[index] if index >= 0 else None
        if table is None or number >= table.first + table.count:
            raise Malformed("the chunk is not in the image")
        row = number - table.first
        if table.listed is not None:
            return table.segment, *table.listed[row]
        last = row == table.count - 1
        cursor = self._cursors[table.segment]
        raw = cursor.read(Extent(table.at + 4 * row, 4 if last else 8))
        words = struct.unpack(f"<{len(raw) // 4}I", raw)
        at = table.base + (words[0] & ~_COMPRESSED)
        end = table.end if last else table.base + (words[1] & ~_COMPRESSED)
        deflated = bool(words[0] & _COMPRESSED)
        # Before the table of the last chunk there may be filling.
        most = self._image.chunk + (self._image.chunk >> 3) + 1024
        if not deflated:
            most = min(most, self._image.chunk + 4)
        length = min(end - at, most, cursor.size - at)
        if length <= 0:
            raise Malformed("the chunk has no place")
        return table.segment, at, length, deflated


def _inflate(raw: bytes, most: int) -> bytes:
    from isal import igzip_lib, isal_zlib

    unpacker = isal_zlib.decompressobj()
    try:
        data: bytes = unpacker.decompress(raw, most + 1)
    except igzip_lib.IsalError:  # type: ignore[misc]
        raise Malformed("the chunk does not inflate") from None
    if not unpacker.eof or len(data) > most:
        raise Malformed("the chunk does not inflate")
    return data


def _plain(raw: bytes) -> bytes:
    if len(raw) < 4 or zlib.adler32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise Malformed("the chunk's checksum is wrong")
    return raw[:-4]


def open_segments(segments: Sequence[Source], budget: Budget | None = None) -> Medium:
    """The medium in segments .E01, .E02 …, given in their order. Raises Malformed.

    What is wrong with the image is in the medium's ``damage``.
    """
    image = _read(segments, budget or Budget.of())
    return Medium(segments, image, segments[0].locator.step("ewf", "0"))


# --- the format --------------------------------------------------------------------------


def _probe(source: Source) -> bool:
    return Cursor(source, page=512).has(0, _MAGIC)


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    medium = open_segments([source], budget)
    for what in medium.damage:
        yield Damage(medium.locator, what)
    yield Artifact(
        medium.locator,
        "medium",
        State.LIVE,
        medium.size,
        role=Role.VOLUME,
        complete=not medium.damage,
    )


def _member(source: Source, value: str) -> Source:
    if value != "0":
        raise Malformed("an image holds one medium")
    return open_segments([source])


PLUGIN = Format("ewf", Family.CONTAINER, _probe, (Magic(_MAGIC),), _open, _member)

"""The records of a ZIP file (APPNOTE 6.3.10), each checked where it is read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Extent, Malformed, Source
from hakushi.recover.cursor import Budget, Cursor, Short, Spent
from hakushi.recover.grammar.stream import Decompressor, Packed, Torn, find, inflate, pieces

LOCAL, DESCRIPTOR, CENTRAL, END = b"PK\3\4", b"PK\7\x08", b"PK\1\2", b"PK\5\6"
END64, LOCATOR64 = b"PK\6\6", b"PK\6\7"

_STORED, _DEFLATED, _BZIP2, _LZMA = 0, 8, 12, 14
_METHODS = frozenset({*range(11), _BZIP2, _LZMA, 16, 18, 19, 20, *range(93, 100)})
_UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One member: where its local header and its data lie, and what is said of it."""

    header: int
    data: int
    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    modified: int
    """DOS date and time, date in the high half."""

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & 1)

    @property
    def streamed(self) -> bool:
        """Sizes and checksum follow the data (4.4.4 bit 3)."""
        return bool(self.flags & 8)

    @property
    def directory(self) -> bool:
        return self.name.endswith((b"/", b"\\")) and not self.size

    @property
    def path(self) -> str:
        """The name in UTF-8 where the flag says so or it is; else as Japanese Windows writes it."""
        for encoding in ("utf-8", "cp932"):
            try:
                return self.name.decode(encoding)
            except UnicodeDecodeError:
                continue
        return self.name.decode("cp437")


def local(cursor: Cursor, at: int) -> Entry:
    """The local header at ``at`` (4.3.7). Raises Malformed for what no archiver writes."""
    head = cursor.take(at, 30)
    method, name, extra = _u16(head, 8), _u16(head, 26), _u16(head, 28)
    if head[:4] != LOCAL or head[4] > 63 or method not in _METHODS or not name:
        raise Malformed("local header")
    more = cursor.take(at + 30, name + extra)
    packed, size = _u32(head, 18), _u32(head, 22)
    if _UNKNOWN in {packed, size}:
        size, packed, _ = _zip64(more[name:], size, packed, 0)
    return Entry(
        at,
        at + 30 + name + extra,
        more[:name],
        _u16(head, 6),
        method,
        _u32(head, 14),
        packed,
        size,
        _u16(head, 12) << 16 | _u16(head, 10),
    )


def central(cursor: Cursor, at: int) -> tuple[Entry, int]:
    """The central header at ``at`` (4.3.12; its ``data`` is not known), the offset behind it."""
    head = cursor.take(at, 46)
    name, extra, comment = _u16(head, 28), _u16(head, 30), _u16(head, 32)
    if head[:4] != CENTRAL:
        raise Malformed("central header")
    more = cursor.take(at + 46, name + extra + comment)
    packed, size, header = _u32(head, 20), _u32(head, 24), _u32(head, 42)
    if _UNKNOWN in {packed, size, header}:
        size, packed, header = _zip64(more[name : name + extra], size, packed, header)
    entry = Entry(
        header,
        -1,
        more[:name],
        _u16(head, 8),
        _u16(head, 10),
        _u32(head, 16),
        packed,
        size,
        _u16(head, 14) << 16 | _u16(head, 12),
    )
    return entry, at + 46 + len(more)


def _zip64(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    """The fields that the zip64 extra field (4.5.3) replaces."""
    at = 0
    while at + 4 <= len(extra):
        id, length = _u16(extra, at), _u16(extra, at + 2)
        if id == 1:
            words = [
                int.from_bytes(extra[i : i + 8], "little")
                for i in range(at + 4, min(at + 4 + length, len(extra)) - 7, 8)
            ]
            size = words.pop(0) if size == _UNKNOWN and words else size
            packed = words.pop(0) if packed == _UNKNOWN and words else packed
            header = words.pop(0) if header == _UNKNOWN and words else header
            return size, packed, header
        at += 4 + length
    return size, packed, header


def ending(cursor: Cursor, at: int) -> tuple[int, int, int]:
    """(entries, offset of the directory, end of the file) by the record at ``at`` (4.3.16)."""
    head = cursor.take(at, 22)
    if head[:4] != END:
        raise Malformed("end of central directory")
    entries, directory = _u16(head, 10), _u32(head, 16)
    end = at + 22 + _u16(head, 20)
    if end > cursor.size:
        raise Short("the comment runs past the end")
    if (entries == 0xFFFF or directory == _UNKNOWN) and cursor.has(at - 20, LOCATOR64):
        record = cursor.u64(at - 12)
        if not cursor.has(record, END64):
            raise Malformed("zip64 end of central directory")
        entries, directory = cursor.u64(record + 32), cursor.u64(record + 48)
    return entries, directory, end


def data_end(source: Source, entry: Entry, budget: Budget) -> int:
    """Behind the data and their descriptor. Raises Malformed where the data do not check."""
    if entry.encrypted or entry.method not in {_STORED, _DEFLATED, _BZIP2, _LZMA}:
        return _unchecked_end(source, entry, budget)
    if entry.method == _STORED and entry.streamed and not entry.packed:
        return _unchecked_end(source, entry, budget)
    crc = size = 0
    unpacker = unpacked(source, entry)
    try:
        for data in unpacker.run(budget):
            crc = zlib.crc32(data, crc)
            size += len(data)
    except (Spent, Short):
        raise
    except Malformed as error:
        raise Torn(str(error), unpacker.end) from None
    end = unpacker.end
    if entry.streamed:
        return _descriptor(source, entry, end, crc, size)
    if crc != entry.crc or size != entry.size or end != entry.data + entry.packed:
        raise Malformed("the checksum of a member does not match")
    return end


def _descriptor(source: Source, entry: Entry, end: int, crc: int, size: int) -> int:
    """Behind the data descriptor at ``end`` (4.3.9): with or without signature, 32 or 64 bit."""
    said = source.read(Extent(end, 24))
    for signature in (DESCRIPTOR, b""):
        for width in (4, 8):
            wanted = signature + crc.to_bytes(4, "little")
            wanted += (end - entry.data).to_bytes(8, "little")[:width]
            wanted += size.to_bytes(8, "little")[:width]
            if said.startswith(wanted):
                return end + len(wanted)
    if (entry.crc, entry.size) == (crc, size):
        return end
    raise (Short if len(said) < 24 else Malformed)("no data descriptor")


def _unchecked_end(source: Source, entry: Entry, budget: Budget) -> int:
    """Behind data that cannot be unpacked here: by the sizes that are said, or a descriptor."""
    if not entry.streamed:
        end = entry.data + entry.packed
        if end > source.size:
            raise Short("a member runs past the end")
        return end
    end = entry.data - 1
    while True:
        end = find(source, DESCRIPTOR, end + 1, budget)
        if end < 0:
            raise Short("no data descriptor")
        said = source.read(Extent(end + 4, 20))
        if _u32(said, 4) != end - entry.data & _UNKNOWN:
            continue
        if entry.method == _STORED and not entry.encrypted:
            crc = 0
            for _, data in pieces(source, budget, entry.data, end):
                crc = zlib.crc32(data, crc)
            if crc != _u32(said, 0):
                raise Malformed("the checksum of a member does not match")
        for length in (16, 24):
            if source.read(Extent(end + length, 2)) == b"PK":
                return end + length
        raise Malformed("nothing follows a member")


class _Stored:
    """A decompressor of bytes that are not compressed."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return self._left == 0

    @property
    def needs_input(self) -> bool:
        return True

    def decompress(self, data: bytes, _max_length: int = -1, /) -> bytes:
        out = data[: self._left]
        self.unused_data = data[len(out) :]
        self._left -= len(out)
        return out


def unpacked(source: Source, entry: Entry) -> Packed:
    """The member's bytes. Raises Malformed for a method that is not known here."""
    stop = None if entry.streamed and not entry.packed else entry.data + entry.packed
    if stop is not None and stop > source.size:
        stop = None
    if entry.method == _DEFLATED:
        return inflate(source, entry.data, stop)
    if entry.method == _STORED:
        return Packed(lambda: _Stored(entry.packed), source, entry.data)
    if entry.method == _BZIP2:
        return Packed(_bz2, source, entry.data, stop)
    if entry.method == _LZMA:
        return _lzma(source, entry, stop)
    raise Malformed(f"compression method {entry.method} is not known")


def _bz2() -> Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


def _lzma(source: Source, entry: Entry, stop: int | None) -> Packed:
    """5.8.8: version, size of properties, properties, raw LZMA1."""
    import lzma

    head = Cursor(source, page=64).take(entry.data, 9)
    literal, size = head[4], int.from_bytes(head[5:9], "little")
    if _u16(head, 2) != 5 or literal >= 225 or size > 1 << 27:
        raise Malformed("LZMA properties")
    one = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(size, 4096),
        "lc": literal % 9,
        "lp": literal // 9 % 5,
        "pb": literal // 45,
    }

    def make() -> Decompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[one])

    return Packed(make, source, entry.data + 9, stop)


def entries(source: Source, budget: Budget) -> tuple[list[Entry], str]:
    """Every member, by the central directory; by the local headers alone where that is broken.

    The second value says what was broken, or is empty.
    """
    cursor = Cursor(source)
    try:
        return list(_by_directory(cursor, budget)), ""
    except Spent:
        raise
    except Malformed as error:
        why = str(error)
    return list(_by_headers(cursor, budget)), why


def one(source: Source, header: int) -> Entry:
    """The member whose local header stands at ``header``."""
    entry = local(Cursor(source, page=4096), header)
    if entry.streamed and not entry.packed and entry.method == _STORED:
        for other in _by_directory(Cursor(source), Budget()):
            if other.header == header:
                return other
    return entry


def _by_directory(cursor: Cursor, budget: Budget) -> Iterator[Entry]:
    source = cursor.source
    reach = min(source.size, 22 + 0xFFFF + 512)
    start = source.size - reach
    tail = source.read(Extent(start, reach))
    hit = tail.rfind(END)
    if hit < 0:
        raise Short("no end of central directory")
    count, at, _ = ending(cursor, start + hit)
    for _ in range(count):
        budget.pay()
        entry, at = central(cursor, at)
        head = local(cursor, entry.header)
        yield Entry(
            entry.header,
            head.data,
            entry.name,
            entry.flags,
            entry.method,
            entry.crc,
            entry.packed,
            entry.size,
            entry.modified,
        )


def _by_headers(cursor: Cursor, budget: Budget) -> Iterator[Entry]:
    at = 0
    while at >= 0 and cursor.has(at, LOCAL):
        budget.pay()
        entry = local(cursor, at)
        yield entry
        try:
            at = data_end(cursor.source, entry, budget)
        except Spent:
            raise
        except Short:
            return
        except Malformed:
            at = find(cursor.source, LOCAL, at + 4, budget)


def content(source: Source, entry: Entry, budget: Budget) -> Iterator[bytes]:
    """The member's bytes in pieces; Malformed at the end where their checksum is wrong."""
    crc = 0
    for data in unpacked(source, entry).run(budget):
        crc = zlib.crc32(data, crc)
        yield data
    if crc != entry.crc and not (entry.streamed and not entry.crc):
        raise Malformed("the checksum of a member does not match")


def stored(entry: Entry) -> bool:
    return entry.method == _STORED and not entry.encrypted


def deflated(entry: Entry) -> bool:
    return entry.method == _DEFLATED and not entry.encrypted


def read(source: Source, entry: Entry, budget: Budget, most: int) -> bytes:
    """A small member whole. Raises Malformed where it is larger than ``most``."""
    out, size = [], 0
    for data in content(source, entry, budget):
        size += len(data)
        if size > most:
            raise Malformed("a member is too large to parse at once")
        out.append(data)
    return b"".join(out)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")

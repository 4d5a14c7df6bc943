"""The headers of RAR archives: version 4 (TechNote of RAR 4.20) and version 5 (of RAR 5.0)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Extent, Malformed, Source
from hakushi.recover.cursor import Budget, Cursor, Short, Spent
from hakushi.recover.grammar.stream import pieces

MAGIC4 = b"Rar!\x1a\x07\x00"
MAGIC5 = b"Rar!\x1a\x07\x01\x00"
_LARGEST = 2 << 20
"""Bytes of the largest header that RAR 5 allows."""

_MAIN4, _FILE4, _END4 = 0x73, 0x74, 0x7B
_FIRST4, _LAST4 = 0x72, 0x7B
_MAIN5, _FILE5, _SERVICE5, _LOCK5, _END5 = 1, 2, 3, 4, 5
_STORED4 = 0x30


class Broken(Malformed):
    """A header is wrong, behind others that were not."""


@dataclass(frozen=True, slots=True)
class Block:
    """A header and the data that belong to it; ``end`` is the offset behind both."""

    at: int
    data: int
    packed: int
    locked: bool = False
    """What follows is encrypted, headers too."""
    last: bool = False

    @property
    def end(self) -> int:
        return self.data + self.packed


@dataclass(frozen=True, slots=True)
class Member(Block):
    """A file: ``packed`` bytes from ``data`` on are what the archive holds of it."""

    name: str = ""
    size: int = 0
    crc: int | None = None
    stored: bool = False
    encrypted: bool = False
    directory: bool = False
    part: bool = False
    """It goes on in, or came from, another volume."""
    modified: int = 0


def version(source: Source) -> int | None:
    head = source.read(Extent(0, 8))
    if head == MAGIC5:
        return 5
    return 4 if head[:7] == MAGIC4 else None


def blocks(source: Source, budget: Budget) -> Iterator[Block]:
    """Every block up to the one that ends the archive.

    Raises Short where the source ends before it, Broken where a header is none.
    """
    cursor, which = Cursor(source), version(source)
    if which is None:
        raise Malformed("no RAR archive")
    at, read = (7, _block4) if which == 4 else (8, _block5)
    while True:
        budget.pay()
        try:
            block = read(cursor, at)
        except (Short, Spent):
            raise
        except Malformed as error:
            raise Broken(str(error)) from None
        if block.end > source.size:
            yield block
            raise Short("the last member breaks off")
        yield block
        if block.last or block.locked:
            return
        at = block.end


def sound(source: Source, one: Member, budget: Budget) -> bool:
    """Whether a stored member's bytes meet its checksum; True where it has none."""
    if one.crc is None or one.part or one.packed != one.size:
        return one.packed == one.size and not one.part
    crc = 0
    for _, data in pieces(source, budget, one.data, one.data + one.packed):
        crc = zlib.crc32(data, crc)
    return crc == one.crc


# --- version 4 ---------------------------------------------------------------------------


def _block4(cursor: Cursor, at: int) -> Block:
    head = cursor.take(at, 7)
    crc, kind, flags = (
        int.from_bytes(head[:2], "little"),
        head[2],
        int.from_bytes(head[3:5], "little"),
    )
    size = int.from_bytes(head[5:7], "little")
    if not _FIRST4 <= kind <= _LAST4 or size < 7:
        raise Malformed("block header")
    raw = cursor.take(at, size)
    if zlib.crc32(raw[2:]) & 0xFFFF != crc:
        raise Malformed("header checksum")
    if kind == _FILE4:
        return _file4(raw, at, flags)
    more = int.from_bytes(raw[7:11], "little") if flags & 0x8000 and size >= 11 else 0
    locked = kind == _MAIN4 and bool(flags & 0x80)
    return Block(at, at + size, more, locked, last=kind == _END4)


def _file4(raw: bytes, at: int, flags: int) -> Member:
    if len(raw) < 32:
        raise Malformed("file header")
    packed, size = (int.from_bytes(raw[i : i + 4], "little") for i in (7, 11))
    length, start = int.from_bytes(raw[26:28], "little"), 32
    if flags & 0x100:
        packed |= int.from_bytes(raw[32:36], "little") << 32
        size |= int.from_bytes(raw[36:40], "little") << 32
        start = 40
    return Member(
        at,
        at + len(raw),
        packed,
        name=_name4(raw[start : start + length], wide=bool(flags & 0x200)),
        size=size,
        crc=int.from_bytes(raw[16:20], "little"),
        stored=raw[25] == _STORED4,
        encrypted=bool(flags & 4),
        directory=flags & 0xE0 == 0xE0,
        part=bool(flags & 3),
    )


def _name4(raw: bytes, *, wide: bool) -> str:
    """A name, in the machine's own bytes and behind a zero once more in packed UTF-16."""
    narrow, zero, packed = raw.partition(b"\0")
    if wide and zero and packed:
        return _unpacked(narrow, packed)
    for encoding in ("utf-8", "cp932"):
        try:
            return narrow.decode(encoding)
        except UnicodeDecodeError:
            continue
    return narrow.decode("cp437")


def _unpacked(narrow: bytes, packed: bytes) -> str:
    """Two bits of flags tell of each character or run how it is written."""
    high, at, flags, bits, out = packed[0] << 8, 1, 0, 0, list[int]()
    while at < len(packed) and len(out) < 2048:
        if not bits:
            flags, bits, at = packed[at], 8, at + 1
            continue
        bits -= 2
        kind, first = flags >> bits & 3, packed[at]
        second = packed[at + 1] if at + 1 < len(packed) else 0
        if kind == 3:
            add, above = (second, high) if first & 0x80 else (0, 0)
            run = narrow[len(out) : len(out) + (first & 0x7F) + 2]
            out += [(c + add & 0xFF) + above for c in run]
            at += 2 if first & 0x80 else 1
        else:
            out.append(first + (0, high, second << 8)[kind])
            at += 2 if kind == 2 else 1
    return b"".join(c.to_bytes(2, "little") for c in out).decode("utf-16-le", "replace")


# --- version 5 ---------------------------------------------------------------------------


class _Fields:
    """Reads one header's fields one behind the other."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def number(self) -> int:
        """Seven bits a byte, the least first."""
        value = shift = 0
        for byte in self.raw[self.at : self.at + 10]:
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
        raise Malformed("a number without an end")

    def fixed(self, length: int) -> int:
        return int.from_bytes(self.bytes(length), "little")

    def bytes(self, length: int) -> bytes:
        out = self.raw[self.at : self.at + length]
        if len(out) < length:
            raise Malformed("a header is cut")
        self.at += length
        return out


def _block5(cursor: Cursor, at: int) -> Block:
    fields = _Fields(cursor.take(at, min(7, cursor.size - at)))
    crc, length = fields.fixed(4), fields.number()
    if not 2 <= length <= _LARGEST or fields.at > 7:
        raise Malformed("header size")
    start, end = at + 4, at + fields.at + length
    raw = cursor.take(start, end - start)
    if zlib.crc32(raw) != crc:
        raise Malformed("header checksum")
    fields = _Fields(raw[fields.at - 4 :])
    kind, flags = fields.number(), fields.number()
    extra = fields.number() if flags & 1 else 0
    packed = fields.number() if flags & 2 else 0
    if packed >> 62 or extra > len(fields.raw):
        raise Malformed("a size in a header")
    if kind == _FILE5:
        return _file5(fields, at, end, packed, extra, part=bool(flags & 0x18))
    return Block(at, end, packed, locked=kind == _LOCK5, last=kind == _END5)


def _file5(fields: _Fields, at: int, end: int, packed: int, extra: int, *, part: bool) -> Member:
    flags, size, _ = fields.number(), fields.number(), fields.number()
    modified = fields.fixed(4) if flags & 2 else 0
    crc = fields.fixed(4) if flags & 4 else None
    method, _ = fields.number(), fields.number()
    name = fields.bytes(fields.number()).decode("utf-8", "surrogateescape")
    return Member(
        at,
        end,
        packed,
        name=name,
        size=size,
        crc=crc,
        stored=method >> 7 & 7 == 0,
        encrypted=_locked5(fields.raw[len(fields.raw) - extra :]),
        directory=bool(flags & 1),
        part=part,
        modified=modified,
    )


def _locked5(extra: bytes) -> bool:
    """Whether a record of encryption (type 1) stands in the extra area."""
    fields = _Fields(extra)
    while fields.at < len(extra):
        length = fields.number()
        start = fields.at
        if fields.number() == 1:
            return True
        fields.at = start + length
    return False

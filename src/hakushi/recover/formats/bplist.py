"""Apple's binary property lists: objects, a table of their offsets, a trailer that must agree."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source, Text
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar.stream import follow

_MAGIC = b"bplist00"
_TRAILER = 32
_MOST = 1 << 22
"""Objects of one list."""

_REFERENCES = (1, 2, 4)
_ASCII, _UTF16, _ARRAY, _SET, _DICTIONARY = 0x5, 0x6, 0xA, 0xC, 0xD


def probe(source: Source) -> bool:
    return source.read(Extent(0, 8)) == _MAGIC and source.size >= 8 + 2 + _TRAILER


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the trailer: found where a table of the offsets that were met stands."""
    if source.read(Extent(0, 8)) != _MAGIC:
        return None
    best: Measure | None = None
    for width in _REFERENCES:
        found = follow(source, _walk(Cursor(source), width, budget))
        if found is not None and found.complete:
            return found
        if found is not None and (best is None or found.length > best.length):
            best = found
    return best


def _walk(cursor: Cursor, width: int, budget: Budget) -> Iterator[int]:
    """Where ``width`` is the bytes of a reference to an object."""
    at, offsets = 8, list[int]()
    while len(offsets) < _MOST:
        budget.pay()
        end = _table(cursor, at, offsets, width) if offsets else None
        if end is not None:
            yield end
            return
        offsets.append(at)
        _, start, length = _object(cursor, at, width)
        cursor.take(start + length - 1, 1)
        at = start + length
        yield at
    raise Malformed("too many objects")


def _table(cursor: Cursor, at: int, offsets: list[int], width: int) -> int | None:
    """Behind the trailer, where the table at ``at`` and the trailer say what was seen."""
    size = next(n for n in (1, 2, 3, 4, 8) if at < 1 << 8 * n)
    for entry in dict.fromkeys((size, 4 if size == 3 else size)):
        if not cursor.has(at, offsets[0].to_bytes(entry, "big")):
            continue
        trailer = at + entry * len(offsets)
        told = bytes(5) + b"\0" + bytes([entry, width]) + len(offsets).to_bytes(8, "big")
        if not cursor.has(trailer, told) or cursor.u64(trailer + 24, ">") != at:
            continue
        raw = cursor.take(at, entry * len(offsets))
        named = {int.from_bytes(raw[i : i + entry], "big") for i in range(0, len(raw), entry)}
        if named == set(offsets):
            return trailer + _TRAILER
    return None


def _object(cursor: Cursor, at: int, width: int) -> tuple[int, int, int]:
    """(kind, where its bytes begin, how many these are)."""
    marker = cursor.u8(at)
    kind, low, start = marker >> 4, marker & 15, at + 1
    if kind == 0:
        if low not in {0, 8, 9, 15}:
            raise Malformed("an object")
        return kind, start, 0
    if kind in {1, 2, 3}:
        if low > 4:
            raise Malformed("a number")
        return kind, start, 1 << low
    if kind == 8:
        return kind, start, low + 1
    if kind not in {4, _ASCII, _UTF16, _ARRAY, _SET, _DICTIONARY}:
        raise Malformed("an object")
    if low == 15:
        extra = cursor.u8(start)
        if extra >> 4 != 1 or extra & 15 > 3:
            raise Malformed("a count")
        low, start = cursor.uint(start + 1, 1 << (extra & 15), ">"), start + 1 + (1 << (extra & 15))
    if low >> 40:
        raise Malformed("a count")
    unit = {4: 1, _ASCII: 1, _UTF16: 2, _DICTIONARY: 2 * width}.get(kind, width)
    return kind, start, low * unit


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """Every string, line by line; strings inside data are told, too, where they are UTF-8."""
    cursor = Cursor(source)
    trailer = cursor.take(source.size - _TRAILER, _TRAILER)
    width, table = trailer[7], int.from_bytes(trailer[24:], "big")
    if width not in {1, 2, 3, 4, 8}:
        raise Malformed("trailer")
    lines, at, flaw = list[str](), 8, ""
    try:
        while at < min(table, source.size - _TRAILER):
            budget.pay()
            kind, start, length = _object(cursor, at, width)
            if kind in {4, _ASCII, _UTF16} and length <= 1 << 20:
                lines.append(_said(kind, cursor.take(start, length)))
            at = start + length
    except (Spent, Short):
        raise
    except Malformed as error:
        flaw = str(error)
    if any(lines):
        yield Text("\n".join(line for line in lines if line) + "\n")
    if flaw:
        raise Malformed(flaw)


def _said(kind: int, data: bytes) -> str:
    try:
        return data.decode({_ASCII: "ascii", _UTF16: "utf-16-be"}.get(kind, "utf-8"))
    except UnicodeDecodeError:
        return ""


PLUGIN = Format(
    id="bplist",
    family=Family.DOCUMENT,
    probe=probe,
    magics=(Magic(_MAGIC),),
    measure=measure,
    text=text,
    extensions=("plist", "bplist"),
)

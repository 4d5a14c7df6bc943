"""tar (POSIX.1-2017 ustar and pax, GNU): header by header to the two blocks of zeros at its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hakushi.model import Artifact, Damage, Extent, Malformed, Run, Source, State
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short
from hakushi.recover.grammar.stream import follow

_BLOCK = 512
_RECORD = 20 * _BLOCK
"""Archivers fill the last record with zeros."""

_LARGEST_NAME = 1 << 20
_EMPTY = b"123456"
"""Links, devices, folders, pipes: no data follow."""
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"LKxg"
_SEVERAL = frozenset({_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL})


@dataclass(frozen=True, slots=True)
class _Header:
    """One header block; ``end`` is the offset behind its data, filled up to a block."""

    at: int
    type: int
    name: bytes
    size: int
    modified: int

    @property
    def data(self) -> int:
        return self.at + _BLOCK

    @property
    def end(self) -> int:
        return self.data + -(-self.size // _BLOCK) * _BLOCK


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big") if field[0] == 128 else 0
    word = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", word):
        raise Malformed("a number in a header")
    return int(word or b"0", 8)


def _header(cursor: Cursor, at: int) -> _Header | None:
    """The header at ``at``; None for a block of zeros. Raises Malformed where the sum is wrong."""
    raw = cursor.take(at, _BLOCK)
    if not any(raw):
        return None
    said, total = _number(raw[148:156]), sum(raw) - sum(raw[148:156]) + 8 * 0x20
    if said != total:
        raise Malformed("header checksum")
    name = raw[:100].split(b"\0", 1)[0]
    if raw[257:263] == b"ustar\0" and raw[345]:
        name = raw[345:500].split(b"\0", 1)[0] + b"/" + name
    type = raw[156]
    size = 0 if type in _EMPTY else _number(raw[124:136])
    if size >> 62:
        raise Malformed("a size in a header")
    return _Header(at, type, name, size, _number(raw[136:148]))


def probe(source: Source) -> bool:
    head = source.read(Extent(0, _BLOCK))
    if len(head) < _BLOCK or head[257:262] != b"ustar":
        return False
    return _header(Cursor(source, page=_BLOCK), 0) is not None


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the zeros that end it. Headers have sums and data have none: whole only in one piece."""
    found = follow(source, _walk(source, budget)) if probe(source) else None
    return replace(found, checked=False) if found else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor, at = Cursor(source), 0
    while (one := _sized(cursor, at, budget)) is not None:
        yield min(one.end, source.size)
        at = one.end
    if any(cursor.take(at, 2 * _BLOCK)):
        raise Malformed("one block of zeros where two must stand")
    at += 2 * _BLOCK
    filled = source.read(Extent(at, -at % _RECORD))
    yield at + len(filled) if len(filled) == -at % _RECORD and not any(filled) else at


def _sized(cursor: Cursor, at: int, budget: Budget) -> _Header | None:
    """The next member, with what the headers before it say of its name and size."""
    name, size, modified = b"", -1, 0
    while (one := _header(cursor, at)) is not None:
        budget.pay()
        if one.type not in _SEVERAL:
            size = one.size if size < 0 or one.type in _EMPTY else size
            return replace(one, name=name or one.name, size=size, modified=modified or one.modified)
        if one.size > _LARGEST_NAME:
            raise Malformed("a name too long")
        said = cursor.take(one.data, one.size)
        if one.type == _LONG_NAME:
            name = said.rstrip(b"\0")
        elif one.type == _PAX:
            records = _records(said)
            name = records.get(b"path", name)
            size = _decimal(records.get(b"size", b""), size)
            modified = _decimal(records.get(b"mtime", b""), modified)
        at = one.end
    return None


def _records(said: bytes) -> dict[bytes, bytes]:
    """The records of a pax header: ``LENGTH KEY=VALUE``, each a line."""
    out: dict[bytes, bytes] = {}
    while match := re.match(rb"(\d{1,7}) ", said):
        length = int(match[1])
        key, equals, value = said[match.end() : length].rstrip(b"\n").partition(b"=")
        if not equals or length <= match.end():
            break
        out[key] = value
        said = said[length:]
    return out


def _decimal(word: bytes, otherwise: int) -> int:
    match = re.match(rb"\d{1,18}", word)
    return int(match[0]) if match else otherwise


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Each file; their bytes lie in the archive as they are."""
    cursor, at = Cursor(source), 0
    while (one := _sized(cursor, at, budget)) is not None:
        if one.size and one.type not in _EMPTY:
            length = max(0, min(one.size, source.size - one.data))
            locator = source.locator.step("tar", one.at)
            yield Artifact(
                locator,
                "file",
                State.LIVE,
                length,
                (Run(one.data, length),),
                path=one.name.decode("utf-8", "surrogateescape") or None,
                complete=length == one.size,
                modified=one.modified or None,
            )
            if length < one.size:
                raise Short("the last member breaks off")
        at = one.end


PLUGIN = Format(
    id="tar",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(b"ustar", 257),),
    open=open_,
    measure=measure,
    extensions=("tar",),
)

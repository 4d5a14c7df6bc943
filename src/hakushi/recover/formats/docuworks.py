"""DocuWorks documents (XDW), by header: the paper that Japanese offices file scans and faxes in.

Nothing is published of the format. This rests on one document of 2011 that a public project carries
(``docs/decisions/0012-docuworks-by-its-header.md``): values in the basic encoding of ASN.1 (X.690
8.1), one that says what the file is, one that holds its pages and, last of all, how many bytes
these are. The pages are packed in a way of the maker's own, which is not undone here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import follow

_HEAD, _BODY, _PAGES, _SIZES, _STORED = 0x60, 0x61, 0x63, 0x65, 0x84
_SIGN = b"\x83\4\1\r\n\1"
"""The last value of the header: a file that was sent as text has lost it."""

_LONGEST = 127
"""Bytes of a header whose length one byte tells."""


@dataclass(frozen=True, slots=True)
class _Value:
    tag: int
    at: int
    end: int


def _value(cursor: Cursor, at: int) -> _Value:
    """The value at ``at``; its length is always said, in at most eight bytes."""
    tag, length = cursor.u8(at), cursor.u8(at + 1)
    at += 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 8:
            raise Malformed("a value without a length")
        length = cursor.uint(at, count, ">")
        at += count
    return _Value(tag, at, at + length)


def _inside(cursor: Cursor, one: _Value, budget: Budget) -> Iterator[_Value]:
    """The values that stand in another one, which they fill."""
    at = one.at
    while at < one.end:
        budget.pay()
        inner = _value(cursor, at)
        if inner.end > one.end:
            raise Malformed("a value is longer than what it stands in")
        yield inner
        at = inner.end


def _header(cursor: Cursor) -> _Value:
    head = _value(cursor, 0)
    if head.tag != _HEAD or head.end > _LONGEST or not cursor.has(head.end - len(_SIGN), _SIGN):
        raise Malformed("no header of DocuWorks")
    return head


def probe(source: Source) -> bool:
    cursor = Cursor(source, page=4096)
    return cursor.has(0, bytes([_HEAD])) and _header(cursor).end > 0


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the end of the body. Nothing vouches for the pages in it: never complete."""
    found = follow(source, _walk(source, budget)) if probe(source) else None
    if found is None:
        return None
    return Measure(found.length, complete=False, more=found.more, broken=found.broken)


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor = Cursor(source, page=4096)
    at = _header(cursor).end
    yield at
    body = _value(cursor, at)
    if body.tag != _BODY:
        raise Malformed("no body behind the header")
    pages, said = 0, -1
    for one in _inside(cursor, body, budget):
        cursor.take(one.end, 0)
        if one.tag == _PAGES:
            pages = one.end - one.at
        elif one.tag == _SIZES:
            said = _stored(cursor, one, budget)
        yield one.end
    if said != pages:
        raise Malformed("the pages have another length than is said")


def _stored(cursor: Cursor, sizes: _Value, budget: Budget) -> int:
    """How long the pages are, by the values behind them."""
    for one in _inside(cursor, sizes, budget):
        if one.tag == _STORED and one.end - one.at <= 8:
            return cursor.uint(one.at, one.end - one.at, ">")
    return -1


def open_(source: Source, _budget: Budget) -> Iterator[Artifact | Damage]:
    """Nothing: that its pages were not read is Damage."""
    what = "the pages of a DocuWorks document are packed; what they say was not looked into"
    yield Damage(source.locator.step("docuworks", "*"), what)


PLUGIN = Format(
    id="docuworks",
    family=Family.DOCUMENT,
    probe=probe,
    magics=(Magic(_SIGN + bytes([_BODY]), 10),),
    open=open_,
    measure=measure,
)

"""XML documents that are no page: they end behind the tag that closes their outermost element."""

from __future__ import annotations

import re

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar.encoding import LEAST, settle, text_end

_MARKS = (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_START = b"<?xml"
_ROOT = re.compile(
    rb"\s*<\?xml\b.{1,400}?\?>(?:\s|<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)*"
    rb"<([A-Za-z_\x80-\xff][^\s/>]{0,200})",
    re.DOTALL,
)
_HEAD = 16 << 10


def _plain(data: bytes) -> bytes:
    """Without a byte-order mark, and without the zeros of UTF-16."""
    return (
        data.removeprefix(b"\xef\xbb\xbf")
        .removeprefix(b"\xff\xfe")
        .removeprefix(b"\xfe\xff")
        .replace(b"\0", b"")
    )


def probe(source: Source) -> bool:
    return _plain(source.read(Extent(0, 16))).startswith(_START)


def measure(source: Source, budget: Budget) -> Measure | None:
    """To where its bytes stop being text; complete where its own closing tag is the last word."""
    found = text_end(source, budget) if probe(source) else None
    if found is None:
        return None
    end, sure = settle(source, found[0])
    if end < LEAST:
        return None
    root = _ROOT.match(_plain(source.read(Extent(0, min(end, _HEAD)))))
    tail = _plain(source.read(Extent(max(0, end - 1024), min(1024, end)))).rstrip()
    tail = re.sub(rb"<!--(?:(?!-->).)*-->\Z", b"", tail, flags=re.DOTALL).rstrip()
    closed = root is not None and re.search(rb"</" + re.escape(root[1]) + rb"\s*>\Z", tail)
    return Measure(end, complete=sure and closed is not None)


PLUGIN = Format(
    id="xml",
    family=Family.DOCUMENT,
    probe=probe,
    magics=tuple(
        Magic(mark + (_START.decode().encode(code) if code else _START))
        for mark, code in zip(_MARKS, ("", "", "utf-16-le", "utf-16-be"), strict=True)
    ),
    measure=measure,
    extensions=("xml", "plist", "svg", "xsd", "xsl", "gpx", "kml", "rss"),
)

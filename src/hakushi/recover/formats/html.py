"""HTML pages, by their first tag; they end behind </html>."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hakushi.model import Extent, Source, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar import html as grammar
from hakushi.recover.grammar.encoding import LEAST, guess, settle, text_end
from hakushi.recover.grammar.stream import whole

_LARGEST = 64 << 20
_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body|table|meta|title)\b",
    re.IGNORECASE | re.DOTALL,
)
_CLOSE = re.compile(rb"</html\s*>\s*\Z", re.IGNORECASE)


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 1024))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode("utf-8", "replace")
    return _HEAD.match(head) is not None


def measure(source: Source, budget: Budget) -> Measure | None:
    """To where its bytes stop being text; complete where </html> is the last word of it."""
    found = text_end(source, budget) if probe(source) else None
    if found is None:
        return None
    end, sure = settle(source, found[0])
    if end < LEAST:
        return None
    tail = source.read(Extent(max(0, end - 64), min(64, end)))
    closed = _CLOSE.search(tail.replace(b"\0", b"")) is not None
    return Measure(end, complete=sure and closed)


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """Its prose, and its tables with their cells."""
    data = whole(source, budget, _LARGEST)
    wide = guess(data[:4096]) or ""
    yield from grammar.texts(
        grammar.decode(data, wide if wide.startswith("utf-16") else ""), budget
    )


PLUGIN = Format(
    id="html",
    family=Family.DOCUMENT,
    probe=probe,
    magics=tuple(
        Magic(mark + word)
        for mark in (b"", b"\xef\xbb\xbf")
        for word in (b"<!DOCTYPE ", b"<!doctype ", b"<html", b"<HTML", b"<head", b"<HEAD", b"<?xml")
    ),
    measure=measure,
    text=text,
    extensions=("html", "htm", "xhtml"),
)

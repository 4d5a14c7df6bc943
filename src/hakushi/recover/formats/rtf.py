"""Rich Text Format 1.9.1: ends where its outermost group closes; words through control words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short
from hakushi.recover.grammar.stream import follow, pieces, whole
from hakushi.recover.grammar.table import laid_out

_LARGEST = 64 << 20
_DEEPEST = 1000
_BRACE = re.compile(rb"\\[\\{}]|[{}]|[\x00\x01-\x08\x0e-\x1f]")
_TOKEN = re.compile(
    rb"\\'([0-9A-Fa-f]{2})|\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\([^A-Za-z])|([{}])|[\r\n]+"
    rb"|([^\\{}\r\n]+)"
)
_DESTINATIONS = (
    b"fonttbl colortbl stylesheet pict themedata datastore colorschememapping latentstyles "
    b"xmlnstbl rsidtbl generator listtable listoverridetable fldinst objdata blipuid"
)
_SKIPPED = frozenset(_DESTINATIONS.split())
_BREAKS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"page": "\n", b"sect": "\n", b"cell": "\a"}
_CODE_PAGES = {932: "cp932", 65001: "utf-8", 10001: "cp932", 949: "cp949", 936: "cp936"}


def probe(source: Source) -> bool:
    return source.read(Extent(0, 6)) == b"{\\rtf1"


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the brace that closes the document; where bytes are no RTF, to them."""
    return follow(source, _walk(source, budget)) if probe(source) else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    depth, held = 0, b""
    for at, data in pieces(source, budget):
        window, base = held + data, at - len(held)
        for match in _BRACE.finditer(window):
            token = match[0]
            if token == b"{":
                depth += 1
            elif token == b"}":
                depth -= 1
                if depth == 0:
                    yield base + match.end()
                    return
            elif len(token) == 1:
                yield base + match.start()
                raise Malformed("a control character")
        yield at + len(data)
        # An escape must not be cut in two.
        held = b"\\" if (len(window) - len(window.rstrip(b"\\"))) % 2 else b""
    raise Short("the document is not closed")


class _Reader:
    """Follows groups and control words, and collects the words for a person."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.pending = b""
        self.page = "cp1252"
        self.skip: list[bool] = [False]
        self.unicode_skip = 1
        self.left = 0
        """Characters to pass over: the substitute of a Unicode character."""

    def flush(self) -> None:
        if self.pending:
            self.out.append(self.pending.decode(self.page, "replace"))
            self.pending = b""

    def control(self, word: bytes, number: int | None) -> None:
        if word == b"u" and number is not None:
            self.flush()
            self.out.append(chr(number % 65536))
            self.left = self.unicode_skip
        elif word in _SKIPPED:
            self.skip[-1] = True
        elif word == b"uc" and number is not None:
            self.unicode_skip = max(0, min(number, 8))
        elif word == b"ansicpg" and number is not None:
            self.page = _CODE_PAGES.get(number, "cp1252")
        elif word == b"fcharset" and number == 128 and self.page == "cp1252":
            # A Japanese font in a document that names no code page.
            self.page = "cp932"
        elif not self.skip[-1]:
            if word == b"row":
                self.flush()
                self.out.append("\v")
            elif word in _BREAKS:
                self.flush()
                self.out.append(_BREAKS[word])

    def text(self, data: bytes) -> None:
        if self.left:
            passed = min(self.left, len(data))
            self.left -= passed
            data = data[passed:]
        if not self.skip[-1]:
            self.pending += data

    def group(self, brace: bytes) -> None:
        self.flush()
        self.left = 0
        if brace == b"{":
            if len(self.skip) > _DEEPEST:
                raise Malformed("groups too deep")
            self.skip.append(self.skip[-1])
        elif len(self.skip) > 1:
            self.skip.pop()


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """Its words; rows of a table with their cells."""
    reader, data = _Reader(), whole(source, budget, _LARGEST)
    for match in _TOKEN.finditer(data):
        budget.pay()
        hexed, word, number, symbol, brace, plain = match.groups()
        if hexed is not None:
            reader.text(bytes([int(hexed, 16)]))
        elif word is not None:
            reader.control(word, int(number) if number else None)
        elif brace is not None:
            reader.group(brace)
        elif symbol == b"*":
            # A destination that not every reader knows; its words are none of the document's.
            reader.skip[-1] = True
        elif symbol is not None:
            reader.text(symbol if symbol in b"\\{}" else {b"~": b" "}.get(symbol, b""))
        elif plain is not None:
            reader.text(plain)
    reader.flush()
    yield from _laid_out(_joined("".join(reader.out)))


def _joined(text: str) -> str:
    """Surrogates that came one by one as the characters that they are."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _laid_out(text: str) -> Iterator[Text]:
    """Cells end in BEL, rows in VT: rows behind one another are a table, the rest is prose."""
    rows: list[list[str]] = []
    prose: list[str] = []
    for line in text.split("\v"):
        if "\a" not in line:
            prose.append(line)
            continue
        first, *cells = line.split("\a")
        lead, _, cell = first.rpartition("\n")
        prose.append(lead)
        rows.append([" ".join(word.split()) for word in (cell, *cells[:-1])])
    if rows:
        yield from laid_out(rows, "table")
    if "".join(prose).strip():
        yield Text("\n".join(prose))


PLUGIN = Format(
    id="rtf",
    family=Family.DOCUMENT,
    probe=probe,
    magics=(Magic(b"{\\rtf1"),),
    measure=measure,
    text=text,
    extensions=("rtf",),
)

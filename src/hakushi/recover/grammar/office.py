"""The words of office documents: OOXML (ECMA-376) and ODF (ISO/IEC 26300), part by part.

Parts are parsed as they are unpacked, without building a tree; entities are never resolved.
"""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Malformed, Source, Text
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.sheet import Book, Sheet, Sheets, Strings, Styles
from hakushi.recover.grammar.table import laid_out
from hakushi.recover.grammar.xml import Target, as_number, parse
from hakushi.recover.grammar.zip import Entry

OFFICE = frozenset({"docx", "xlsx", "pptx", "vsdx", "odt", "ods", "odp", "odg"})
_MOST_COLUMNS = 16_384
_MOST_CELLS = 500_000
"""Cells after which a table is told, and goes on as another."""

_REPEATED = 64
"""A cell or row of ODF that repeats is told so many times at most."""


def covered(kind: str, name: bytes) -> bool:
    """Whether `texts` tells of this member, so that it is not told again as a file."""
    return kind in OFFICE and (name.endswith((b".xml", b".rels")) or name == b"mimetype")


def texts(source: Source, entries: list[Entry], kind: str, budget: Budget) -> Iterator[Text]:
    """The text of every XML part. Raises Malformed at the end where one was broken."""
    flaw: Malformed | None = None
    parts = [e for e in entries if covered(kind, e.name) and not e.encrypted and e.size]
    book = Book() if kind == "xlsx" else None
    for entry in sorted(parts, key=lambda e: (_order(e.name), e.name)):
        try:
            yield from _part(source, entry, kind, book, budget)
        except Spent:
            raise
        except Malformed as error:
            flaw = flaw or Malformed(f"{entry.path}: {error}")
    if flaw:
        raise flaw


def _order(name: bytes) -> int:
    """What sheets refer to comes before them."""
    return 0 if name.endswith((b"sharedStrings.xml", b"styles.xml", b"workbook.xml")) else 1


def _part(
    source: Source, entry: Entry, kind: str, book: Book | None, budget: Budget
) -> Iterator[Text]:
    name = entry.name
    target: Target
    if name == b"mimetype":
        return
    if book is not None and name == b"xl/sharedStrings.xml":
        target = Strings(book)
    elif book is not None and name == b"xl/styles.xml":
        target = Styles(book)
    elif book is not None and name == b"xl/workbook.xml":
        target = Sheets(book)
    elif book is not None and name.startswith(b"xl/worksheets/sheet"):
        target = Sheet(book, entry.path)
    elif name.startswith(b"docProps/") or name == b"meta.xml":
        target = _Fields(entry.path)
    elif name.endswith(b".rels"):
        target = _Links(entry.path)
    else:
        target = _Words(entry.path, odf=kind.startswith("od"))
    yield from parse(source, entry, target, budget)


class _Fields(Target):
    """Document properties: who wrote it, for which firm."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self._lines: list[str] = []
        self._word: list[str] = []

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self._word = []

    def data(self, text: str) -> None:
        self._word.append(text)

    def end(self, tag: str) -> None:
        word = "".join(self._word).strip()
        if word:
            self._lines.append(f"{tag}: {word}\n")
        self._word = []

    def close(self) -> None:
        if self._lines:
            self.ready.append(Text("".join(self._lines), part=self.part))


class _Links(Target):
    """Targets outside the document: mail addresses behind links."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self._lines: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") == "External":
            self._lines.append(attributes.get("Target", "") + "\n")

    def close(self) -> None:
        if self._lines:
            self.ready.append(Text("".join(self._lines), part=self.part))


_CELL = frozenset({"tc", "table-cell", "covered-table-cell"})
_ROW = frozenset({"tr", "table-row"})
_TABLE = frozenset({"tbl", "table"})
_PARAGRAPH = frozenset({"p", "h"})


class _Words(Target):
    """Paragraphs and tables of a text, a slide, an ODF sheet; of anything else, all its words."""

    def __init__(self, part: str, *, odf: bool) -> None:
        super().__init__(part)
        self._odf = odf
        self._prose: list[str] = []
        self._length = 0
        self._cell: list[str] | None = None
        self._row: list[str] = []
        self._rows: list[list[str]] = []
        self._cells = 0
        self._depth = 0
        self._told = 0
        self._open = 0
        """Elements whose character data are words."""
        self._repeat = [1, 1]
        """How often the open row and the open cell stand there."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in {"t", "delText"} or (self._odf and tag in _PARAGRAPH):
            self._open += 1
        elif tag in {"tab", "s"} and (self._odf or tag == "tab"):
            self._word("\t" if tag == "tab" else " ")
        elif tag in {"br", "cr", "line-break"}:
            self._word("\n")
        elif tag in _TABLE:
            self._depth += 1
        elif self._depth == 1 and tag in _ROW:
            self._row = []
            self._repeat[0] = as_number(attributes.get("number-rows-repeated", "1"))
        elif self._depth == 1 and tag in _CELL:
            self._cell = []
            self._repeat[1] = as_number(attributes.get("number-columns-repeated", "1"))
        elif tag == "a" and "href" in attributes:
            self._word(" " + attributes["href"] + " ")

    def data(self, text: str) -> None:
        if self._open or not text.isspace():
            self._word(text)

    def _word(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text)
            return
        self._prose.append(text)
        self._length += len(text)

    def end(self, tag: str) -> None:
        if tag in {"t", "delText"} or (self._odf and tag in _PARAGRAPH):
            self._open = max(0, self._open - 1)
        if tag in _PARAGRAPH:
            self._word("\n")
            if self._length > 1 << 20 and self._cell is None:
                self._tell()
        elif tag in _TABLE:
            self._depth = max(0, self._depth - 1)
            if self._depth == 0:
                self._tell_table()
        elif self._depth == 1 and tag in _CELL and self._cell is not None:
            word = "".join(self._cell).strip()
            times = min(self._repeat[1], _REPEATED if word else _MOST_COLUMNS)
            self._row += [word] * min(times, _MOST_COLUMNS - len(self._row))
            self._cell = None
        elif self._depth == 1 and tag in _ROW:
            self._end_row()

    def _end_row(self) -> None:
        while self._row and not self._row[-1]:
            self._row.pop()
        if self._row:
            times = min(self._repeat[0], _REPEATED)
            self._rows += [self._row] * times
            self._cells += len(self._row) * times
        self._row = []
        if self._cells > _MOST_CELLS:
            self._tell_table()

    def _tell_table(self) -> None:
        if self._rows:
            self._told += 1
            self.ready += laid_out(self._rows, f"{self.part} table {self._told}")
        self._rows, self._cells = [], 0

    def _tell(self) -> None:
        if "".join(self._prose).strip():
            self.ready.append(Text("".join(self._prose), part=self.part))
        self._prose, self._length = [], 0

    def close(self) -> None:
        if self._row:
            self._end_row()
        self._tell_table()
        self._tell()

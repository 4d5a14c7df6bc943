"""The words of office documents: OOXML (ECMA-376) and ODF (ISO/IEC 26300), part by part.

Parts are parsed as they are unpacked, without building a tree; entities are never resolved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from hakushi.model import Malformed, Source, Text
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar import zip as grammar
from hakushi.recover.grammar.table import laid_out
from hakushi.recover.grammar.zip import Entry

OFFICE = frozenset({"docx", "xlsx", "pptx", "vsdx", "odt", "ods", "odp", "odg"})
_MOST_COLUMNS = 16_384
_MOST_CELLS = 500_000
"""Cells after which a table is told, and goes on as another."""
_MOST_STRINGS = 64 << 20
"""Characters of shared strings that are kept."""

_REPEATED = 64
"""A cell or row of ODF that repeats is told so many times at most."""


def covered(kind: str, name: bytes) -> bool:
    """Whether `texts` tells of this member, so that it is not told again as a file."""
    return kind in OFFICE and (name.endswith((b".xml", b".rels")) or name == b"mimetype")


def texts(source: Source, entries: list[Entry], kind: str, budget: Budget) -> Iterator[Text]:
    """The text of every XML part. Raises Malformed at the end where one was broken."""
    flaw: Malformed | None = None
    parts = [e for e in entries if covered(kind, e.name) and not e.encrypted and e.size]
    book = _Book() if kind == "xlsx" else None
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
    source: Source, entry: Entry, kind: str, book: _Book | None, budget: Budget
) -> Iterator[Text]:
    name = entry.name
    target: _Target
    if name == b"mimetype":
        return
    if book is not None and name == b"xl/sharedStrings.xml":
        target = _Strings(book)
    elif book is not None and name == b"xl/styles.xml":
        target = _Styles(book)
    elif book is not None and name == b"xl/workbook.xml":
        target = _Sheets(book)
    elif book is not None and name.startswith(b"xl/worksheets/sheet"):
        target = _Sheet(book, entry.path)
    elif name.startswith(b"docProps/") or name == b"meta.xml":
        target = _Fields(entry.path)
    elif name.endswith(b".rels"):
        target = _Links(entry.path)
    else:
        target = _Words(entry.path, odf=kind.startswith("od"))
    yield from _parse(source, entry, target, budget)


class _Target:
    """Gets the parser's calls; ``ready`` holds what can be told already."""

    qualified = False
    """Does it take names with their namespaces? Few do, for speed."""

    def __init__(self, part: str = "") -> None:
        self.part = part
        self.ready: list[Text] = []

    def start(self, _tag: str, _attributes: dict[str, str]) -> None: ...

    def end(self, _tag: str) -> None: ...

    def data(self, _text: str) -> None: ...

    def close(self) -> None: ...


def _parse(source: Source, entry: Entry, target: _Target, budget: Budget) -> Iterator[Text]:
    from lxml import etree

    plain: Any = target if target.qualified else _Local(target)
    parser: Any = etree.XMLParser(
        target=plain, resolve_entities=False, no_network=True, huge_tree=False
    )
    flaw = ""
    try:
        for data in grammar.content(source, entry, budget):
            parser.feed(data)
            budget.pay(steps=len(data) >> 6)
            yield from _told(target)
        parser.close()
    except etree.LxmlError as error:
        flaw = f"XML: {error.msg if hasattr(error, 'msg') else error}"
    target.close()
    yield from _told(target)
    if flaw:
        raise Malformed(flaw)


def _told(target: _Target) -> Iterator[Text]:
    ready, target.ready = target.ready, []
    yield from ready


@lru_cache(1 << 10)
def _bare(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


class _Local:
    """Strips namespaces: local names are enough to tell these vocabularies apart."""

    def __init__(self, target: _Target) -> None:
        self._target = target
        self.data: Callable[[str], None] = target.data

    def start(self, tag: str, attributes: Any) -> None:
        # Most elements have none, and an empty mapping of lxml is slow to walk.
        plain = {_bare(key): value for key, value in attributes.items()} if attributes else {}
        self._target.start(_bare(tag), plain)

    def end(self, tag: str) -> None:
        self._target.end(_bare(tag))

    def close(self) -> None:
        return None


class _Fields(_Target):
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


class _Links(_Target):
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


class _Words(_Target):
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
            self._repeat[0] = _number(attributes.get("number-rows-repeated", "1"))
        elif self._depth == 1 and tag in _CELL:
            self._cell = []
            self._repeat[1] = _number(attributes.get("number-columns-repeated", "1"))
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


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 8 else 1


# --- spreadsheets ------------------------------------------------------------------------


class _Book:
    """What the sheets of a workbook refer to."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.dates: list[bool] = []
        """For each cell format whether it shows a date."""
        self.names: list[str] = []
        self.epoch_1904 = False


class _Sheets(_Target):
    def __init__(self, book: _Book) -> None:
        super().__init__()
        self._book = book

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            self._book.names.append(attributes.get("name", ""))
        elif tag == "workbookPr":
            self._book.epoch_1904 = attributes.get("date1904") in {"1", "true"}

    def close(self) -> None:
        if self._book.names:
            self.ready.append(Text("\n".join(self._book.names) + "\n", part="sheets"))


class _Strings(_Target):
    """18.4.8: each si is one string, of one or many runs; phonetic runs (rPh) give its reading."""

    def __init__(self, book: _Book) -> None:
        super().__init__()
        self._book = book
        self._word: list[str] = []
        self._open = False
        self._left = _MOST_STRINGS

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag == "si":
            self._word = []
        elif tag == "rPh":
            self._word.append(" ")
        self._open = tag == "t"

    def data(self, text: str) -> None:
        if self._open:
            self._word.append(text)

    def end(self, tag: str) -> None:
        self._open = False
        if tag == "si":
            word = "".join(self._word)
            self._left -= len(word)
            if self._left < 0:
                raise Malformed("too many shared strings")
            self._book.strings.append(word)


_DATE_FORMATS = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_DATE_CODE = re.compile(r"[ye]|m.*d")
"""Of years (e counts them by eras), or of a month and a day."""


def shows_date(number: int, code: str) -> bool:
    """Whether a number format (18.8.30: a built-in number, or a code) shows dates."""
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", code).lower()
    return number in _DATE_FORMATS or (bare != "general" and _DATE_CODE.search(bare) is not None)


class _Styles(_Target):
    """18.8: which cell formats show dates."""

    def __init__(self, book: _Book) -> None:
        super().__init__()
        self._book = book
        self._own: set[int] = set()
        self._inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            if shows_date(0, attributes.get("formatCode", "")):
                self._own.add(_number(attributes.get("numFmtId", "")))
        elif tag == "cellXfs":
            self._inside = True
        elif tag == "xf" and self._inside:
            number = _number(attributes.get("numFmtId", "0"))
            self._book.dates.append(shows_date(number, "") or number in self._own)

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self._inside = False


_WORDS = frozenset({"v", "t", "oddHeader", "oddFooter"})


class _Sheet(_Target):
    """18.3: rows of cells; gaps are empty words. A sheet may have a million cells."""

    qualified = True

    def __init__(self, book: _Book, part: str) -> None:
        super().__init__(part)
        self._book = book
        self._rows: list[list[str]] = []
        self._cells = 0
        self._row: list[str] = []
        self._word: list[str] = []
        self._kind = ""
        self._style = 0
        self._open = False
        self._other: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = _bare(tag)
        if tag == "c":
            column = _column(attributes.get("r", ""))
            if column is not None and len(self._row) < column < _MOST_COLUMNS:
                self._row += [""] * (column - len(self._row))
            self._kind, self._word = attributes.get("t", "n"), []
            style = attributes.get("s")
            self._style = 0 if style is None else _number(style)
        elif tag == "row":
            self._row = []
        elif tag == "hyperlink":
            self._other.append(attributes.get("display", ""))
        self._open = tag in _WORDS

    def data(self, text: str) -> None:
        if self._open:
            self._word.append(text)

    def end(self, tag: str) -> None:
        tag = _bare(tag)
        self._open = False
        if tag == "c":
            if len(self._row) < _MOST_COLUMNS:
                self._row.append(self._value("".join(self._word)))
            self._word = []
        elif tag == "row" and any(self._row):
            self._rows.append(self._row)
            self._cells += len(self._row)
            if self._cells > _MOST_CELLS:
                self._tell()
        elif tag in {"oddHeader", "oddFooter"}:
            self._other.append("".join(self._word))
            self._word = []

    def _value(self, word: str) -> str:
        if self._kind == "s":
            index = int(word) if word.isdecimal() and len(word) < 10 else -1
            return self._book.strings[index] if 0 <= index < len(self._book.strings) else ""
        if self._kind == "n" and self._style < len(self._book.dates):
            return (
                serial_date(word, self._book.epoch_1904) if self._book.dates[self._style] else word
            )
        return word

    def _tell(self) -> None:
        self.ready += laid_out(self._rows, self.part)
        self._rows, self._cells = [], 0

    def close(self) -> None:
        self._tell()
        other, self._other = "\n".join(filter(None, self._other)), []
        if other:  # the parser closes it, too
            self.ready.append(Text(other, part=f"{self.part} other"))


_REFERENCE = re.compile(r"[A-Z]{1,3}")


def _column(reference: str) -> int | None:
    """Zero-based column of a reference such as "AB12"."""
    return _number_of(reference.rstrip("0123456789")[:4])


@lru_cache(1 << 10)
def _number_of(reference: str) -> int | None:
    match = _REFERENCE.match(reference)
    column = 0
    for letter in match[0] if match else "":
        column = column * 26 + ord(letter) - 64
    return column - 1 if match else None


def serial_date(word: str, epoch_1904: bool) -> str:
    """A serial date as year-month-day (18.17.4.1); the word itself where it is none."""
    from datetime import date, timedelta

    whole = word.partition(".")[0]
    if not whole.isdecimal() or len(whole) > 7:
        return word
    days = int(whole)
    if epoch_1904:
        return (date(1904, 1, 1) + timedelta(days=min(days, 2_900_000))).isoformat()
    if not 0 < days < 2_958_466:
        return word
    # 1900 counts as a leap year there.
    return (date(1899, 12, 31) + timedelta(days=days - (days > 59))).isoformat()

"""Spreadsheets of OOXML (ECMA-376): shared strings, styles, rows of cells."""

from __future__ import annotations

import re
from functools import lru_cache

from hakushi.model import Malformed, Text
from hakushi.recover.grammar.plain import Items
from hakushi.recover.grammar.table import laid_out
from hakushi.recover.grammar.xml import Target, as_number, bare

_MOST_COLUMNS = 16_384
_MOST_CELLS = 500_000
"""Cells after which a table is told, and goes on as another."""
_MOST_STRINGS = 64 << 20
"""Characters of shared strings that are kept."""


class Book:
    """What the sheets of a workbook refer to."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.dates: list[bool] = []
        """For each cell format whether it shows a date."""
        self.names: list[str] = []
        self.epoch_1904 = False


class Sheets(Target):
    def __init__(self, book: Book) -> None:
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


_T = rb'<t(?: xml:space="preserve")?>'
_WORD = rb"[^<&\r]*"
_READING = re.compile(_T + rb"(" + _WORD + rb")</t></rPh>")
_STRING = (
    rb"<si>%(t)s(%(word)s)</t>((?:<rPh(?: [^<>]*)?>%(t)s%(word)s</t></rPh>)*)"
    rb"(?:<phoneticPr(?: [^<>]*)?/>)?</si>\s*"
) % {b"t": _T, b"word": _WORD}


class Strings(Target):
    """18.4.8: each si is one string, of one or many runs; phonetic runs (rPh) give its reading."""

    items = Items(re.compile(rb"<sst(?: [^<>]*)?>\s*"), re.compile(_STRING), b"<si>", b"</si>")

    def __init__(self, book: Book) -> None:
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
            self.told += 1
            self._add("".join(self._word))

    def tell(self, item: re.Match[bytes]) -> None:
        word = item[1].decode("utf-8", "replace")
        if item[2]:
            readings = (one[1].decode("utf-8", "replace") for one in _READING.finditer(item[2]))
            word = " ".join((word, *readings))
        self._add(word)

    def _add(self, word: str) -> None:
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


class Styles(Target):
    """18.8: which cell formats show dates."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book
        self._own: set[int] = set()
        self._inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            if shows_date(0, attributes.get("formatCode", "")):
                self._own.add(as_number(attributes.get("numFmtId", "")))
        elif tag == "cellXfs":
            self._inside = True
        elif tag == "xf" and self._inside:
            number = as_number(attributes.get("numFmtId", "0"))
            self._book.dates.append(shows_date(number, "") or number in self._own)

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self._inside = False


_WORDS = frozenset({"v", "t", "oddHeader", "oddFooter"})


_CELL = (
    rb'<c(?: r="(%(letters)s)[0-9]{1,7}")?(?: s="(%(digits)s)")?(?: t="(%(name)s)")?(?:/>|>'
    rb"(?:<f(?: [^<>]*)?(?:/>|>[^<]*</f>))?"
    rb"(?:<v>(%(word)s)</v>)?(?:<is>%(t)s(%(word)s)</t></is>)?</c>)"
) % {
    b"letters": rb"[A-Z]{1,3}",
    b"digits": rb"[0-9]{1,7}",
    b"name": rb"[A-Za-z]{1,9}",
    b"word": _WORD,
    b"t": _T,
}
_CELLS = re.compile(_CELL)
_ROW = re.compile(
    rb"(?:<row(?: [^<>]*)?/>|<row(?: [^<>]*)?>(?:%s)*</row>)\s*"
    % re.sub(rb"\((?!\?)", rb"(?:", _CELL)
)


class Sheet(Target):
    """18.3: rows of cells; gaps are empty words. A sheet may have a million cells."""

    qualified = True
    items = Items(re.compile(rb"<sheetData>\s*"), _ROW, b"<row", b"</row>")

    def __init__(self, book: Book, part: str) -> None:
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
        tag = bare(tag)
        if tag == "c":
            self._skip_to(_column(attributes.get("r", "")))
            self._kind, self._word = attributes.get("t", "n"), []
            style = attributes.get("s")
            self._style = 0 if style is None else as_number(style)
        elif tag == "row":
            self._row = []
        elif tag == "hyperlink":
            self._other.append(attributes.get("display", ""))
        self._open = tag in _WORDS

    def data(self, text: str) -> None:
        if self._open:
            self._word.append(text)

    def end(self, tag: str) -> None:
        tag = bare(tag)
        self._open = False
        if tag == "c":
            if len(self._row) < _MOST_COLUMNS:
                self._row.append(self._value("".join(self._word)))
            self._word = []
        elif tag == "row":
            self.told += 1
            self._end_row()
        elif tag in {"oddHeader", "oddFooter"}:
            self._other.append("".join(self._word))
            self._word = []

    def tell(self, item: re.Match[bytes]) -> None:
        self._row = []
        for letters, style, kind, value, inline in _CELLS.findall(item[0]):
            self._skip_to(_number_of(letters.decode()))
            if len(self._row) < _MOST_COLUMNS:
                self._kind = kind.decode() or "n"
                self._style = as_number(style.decode()) if style else 0
                self._row.append(self._value((value + inline).decode("utf-8", "replace")))
        self._end_row()

    def _skip_to(self, column: int | None) -> None:
        if column is not None and len(self._row) < column < _MOST_COLUMNS:
            self._row += [""] * (column - len(self._row))

    def _end_row(self) -> None:
        if any(self._row):
            self._rows.append(self._row)
            self._cells += len(self._row)
            if self._cells > _MOST_CELLS:
                self._tell()

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

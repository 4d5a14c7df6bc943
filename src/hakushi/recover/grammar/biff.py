"""Excel's binary workbooks (MS-XLS): the cells of each sheet."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.model import Malformed, Text
from hakushi.recover.cursor import Budget
from hakushi.recover.grammar.encoding import guess
from hakushi.recover.grammar.sheet import serial_date, shows_date
from hakushi.recover.grammar.table import laid_out

_BOF, _EOF, _CONTINUE, _FILEPASS, _CODEPAGE = 0x0809, 0x0A, 0x3C, 0x2F, 0x42
_BOUNDSHEET, _SST, _LABELSST, _LABEL, _RSTRING = 0x85, 0xFC, 0xFD, 0x204, 0xD6
_RK, _MULRK, _NUMBER, _FORMULA, _STRING = 0x27E, 0xBD, 0x203, 0x06, 0x207
_FORMAT, _XF, _DATEMODE, _NOTE_TEXT, _HEADER, _FOOTER = 0x41E, 0xE0, 0x22, 0x1B6, 0x14, 0x15
_MOST_COLUMNS = 256
_MOST_STRINGS = 5_000_000


@dataclass(slots=True)
class _Book:
    strings: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    formats: dict[int, str] = field(default_factory=dict)
    styles: list[int] = field(default_factory=list)
    """Number format of each cell style."""
    epoch_1904: bool = False
    biff8: bool = True
    page: str = "cp932"


def encrypted(data: bytes) -> bool:
    """Whether a FILEPASS record follows the first BOF."""
    for index, (kind, _, _) in enumerate(_records(data)):
        if kind == _FILEPASS:
            return True
        if index > 8:
            break
    return False


def _records(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """(type, content, offset behind it)."""
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        if length > 8224 or at + 4 + length > len(data):
            raise Malformed(f"BIFF record at {at}")
        yield kind, data[at + 4 : at + 4 + length], at + 4 + length
        at += 4 + length


def texts(data: bytes, budget: Budget) -> Iterator[Text]:
    """Each sheet as a table; then what stands in no cell (comments, headers)."""
    book, grid, other = _Book(), _Grid(), list[str]()
    sheet, waiting, noted = -1, None, False
    for kind, body, behind in _records(data):
        budget.pay()
        try:
            if kind == _BOF:
                book.biff8 = body[:2] == b"\0\6"
                if body[2:4] != b"\5\0":
                    sheet += 1
            elif kind == _EOF and sheet >= 0:
                yield from laid_out(grid.rows(), _sheet_name(book, sheet))
                grid = _Grid()
            elif kind == _SST:
                book.strings = _shared(data, body, behind)
            elif kind == _STRING and waiting is not None:
                grid.put(*waiting, _words(book, body, 0))
            elif kind in {_HEADER, _FOOTER} and body:
                other.append(_words(book, body, 0))
            elif kind == _CONTINUE:
                if noted and len(body) > 1 and body[0] < 2:
                    other.append(_plain(body))
            else:
                _globals(book, kind, body)
                waiting = _cell(book, grid, kind, body)
                noted = kind == _NOTE_TEXT
        except (struct.error, IndexError, UnicodeDecodeError):
            raise Malformed(f"BIFF record {kind:#x}") from None
    # A workbook that was cut has no last EOF.
    yield from laid_out(grid.rows(), _sheet_name(book, sheet))
    told = "\n".join(word for word in other if word.strip())
    if told:
        yield Text(told + "\n", part="other")


def _sheet_name(book: _Book, sheet: int) -> str:
    return book.names[sheet] if 0 <= sheet < len(book.names) else f"sheet {sheet + 1}"


def _globals(book: _Book, kind: int, body: bytes) -> None:
    if kind == _CODEPAGE:
        page = struct.unpack("<H", body)[0]
        book.page = "cp932" if page in {932, 0x8001} else f"cp{page}" if page != 1200 else "cp932"
    elif kind == _BOUNDSHEET:
        length = body[6]
        name = body[7:] if not book.biff8 else body[8:]
        wide = book.biff8 and body[7] & 1
        book.names.append(
            name[: 2 * length].decode("utf-16-le", "replace")
            if wide
            else _narrow(book, name[:length])
        )
    elif kind == _FORMAT and book.biff8:
        book.formats[struct.unpack_from("<H", body)[0]] = _words(book, body, 2)
    elif kind == _XF:
        book.styles.append(struct.unpack_from("<H", body, 2)[0])
    elif kind == _DATEMODE:
        book.epoch_1904 = body[:1] == b"\1"


def _cell(book: _Book, grid: _Grid, kind: int, body: bytes) -> tuple[int, int] | None:
    """Puts the cell of a record; its place, where the words follow in a record of their own."""
    if kind not in {_LABELSST, _LABEL, _RSTRING, _RK, _MULRK, _NUMBER, _FORMULA}:
        return None
    row, column, style = struct.unpack_from("<HHH", body)
    if kind == _LABELSST:
        index = struct.unpack_from("<I", body, 6)[0]
        grid.put(row, column, book.strings[index] if index < len(book.strings) else "")
    elif kind in {_LABEL, _RSTRING}:
        grid.put(row, column, _words(book, body, 6))
    elif kind == _RK:
        grid.put(row, column, _number(book, _rk(struct.unpack_from("<I", body, 6)[0]), style))
    elif kind == _MULRK:
        for index in range((len(body) - 6) // 6):
            style, raw = struct.unpack_from("<HI", body, 4 + 6 * index)
            grid.put(row, column + index, _number(book, _rk(raw), style))
    elif kind == _NUMBER or body[12:14] != b"\xff\xff":
        grid.put(row, column, _number(book, struct.unpack_from("<d", body, 6)[0], style))
    elif body[6] == 0:
        return row, column
    return None


def _rk(raw: int) -> float:
    """2.5.217: an integer or the high half of a double, a hundredth of it if bit 0 is set."""
    if raw & 2:
        value = float((raw >> 2) - (1 << 30 if raw >> 31 else 0))
    else:
        value = struct.unpack("<d", struct.pack("<Q", (raw & ~3) << 32))[0]
    return value / 100 if raw & 1 else value


def _number(book: _Book, value: float, style: int) -> str:
    number = book.styles[style] if style < len(book.styles) else 0
    whole = abs(value) < 1e15 and value.is_integer()
    word = str(int(value)) if whole else repr(value)
    if shows_date(number, book.formats.get(number, "")):
        return serial_date(word, book.epoch_1904)
    return word


class _Grid:
    """Cells of a sheet as they come."""

    def __init__(self) -> None:
        self._cells: dict[int, dict[int, str]] = {}

    def put(self, row: int, column: int, word: str) -> None:
        if word and column < _MOST_COLUMNS:
            self._cells.setdefault(row, {})[column] = word

    def rows(self) -> Iterator[list[str]]:
        for _, cells in sorted(self._cells.items()):
            yield [cells.get(column, "") for column in range(max(cells) + 1)]


def _words(book: _Book, body: bytes, at: int) -> str:
    """A string with its length before it, as this version of BIFF writes it."""
    length = struct.unpack_from("<H", body, at)[0]
    if not book.biff8:
        return _narrow(book, body[at + 2 : at + 2 + length])
    flags = body[at + 2]
    start = at + 3 + (2 if flags & 8 else 0) + (4 if flags & 4 else 0)
    if flags & 1:
        return body[start : start + 2 * length].decode("utf-16-le", "replace")
    return body[start : start + length].decode("latin-1")


def _narrow(book: _Book, data: bytes) -> str:
    try:
        return data.decode(guess(data) or book.page, "replace")
    except LookupError:
        return data.decode("cp932", "replace")


def _plain(body: bytes) -> str:
    """A comment's words: a flag, then characters."""
    return body[1:].decode("utf-16-le" if body[0] & 1 else "latin-1", "replace")


def _shared(data: bytes, body: bytes, behind: int) -> list[str]:
    """2.4.265: the shared strings; one may go on in a CONTINUE record, behind a flag anew."""
    parts = [body]
    while behind + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, behind)
        if kind != _CONTINUE:
            break
        parts.append(data[behind + 4 : behind + 4 + length])
        behind += 4 + length
    reader, out = _Continued(parts), []
    count = struct.unpack("<I", reader.take(8)[4:])[0]
    for _ in range(min(count, _MOST_STRINGS)):
        if reader.ended:
            break
        out.append(reader.string())
    return out


class _Continued:
    """Reads over the borders of CONTINUE records."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._index = 0
        self._at = 0

    @property
    def ended(self) -> bool:
        while self._index < len(self._parts) and self._at >= len(self._parts[self._index]):
            self._index, self._at = self._index + 1, 0
        return self._index >= len(self._parts)

    def take(self, length: int) -> bytes:
        out = b""
        while len(out) < length:
            if self.ended:
                raise Malformed("the shared strings break off")
            piece = self._parts[self._index][self._at : self._at + length - len(out)]
            self._at += len(piece)
            out += piece
        return out

    def string(self) -> str:
        length, flags = struct.unpack("<HB", self.take(3))
        runs = struct.unpack("<H", self.take(2))[0] if flags & 8 else 0
        extra = struct.unpack("<I", self.take(4))[0] if flags & 4 else 0
        out, wide = [], flags & 1
        while length:
            if self._at >= len(self._parts[self._index]) and not self.ended:
                wide = self.take(1)[0] & 1
            if self.ended:
                raise Malformed("the shared strings break off")
            left = len(self._parts[self._index]) - self._at
            count = max(1, min(length, left // (2 if wide else 1)))
            raw = self.take(count * (2 if wide else 1))
            out.append(raw.decode("utf-16-le" if wide else "latin-1", "replace"))
            length -= count
        if runs or extra:
            self.take(4 * runs + extra)
        return "".join(out)

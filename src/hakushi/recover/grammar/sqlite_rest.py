"""Rows of an SQLite database that were deleted: what free pages and free space in pages still hold.

A page on the freelist keeps its cells. In a page that is in use, cells that were deleted lie in the
gap before the cells, whole, or in freeblocks (sqlite.org/fileformat2.html, 1.6), without their
first four bytes. What is no row any more is told as the words that are left of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hakushi.model import Extent, Malformed, Text
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.sqlite import Database, Page, Table, Value, length_of, table_of, varint
from hakushi.recover.grammar.table import tables

DELETED = "deleted"
"""What the parts of text are called that tell of it."""

_MOST_COLUMNS = 2000
_MOST_WIDTHS = 8
_LEAST_WORD = 4
_NARROW = re.compile(rb"(?:[\t\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}){4,}")
_WIDE = re.compile(r"[\t\x20-\x7e\u00c0-\u024f\u3000-\u30ff\u4e00-\u9fff\uff01-\uffef]{4,}")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]")
_FURTHEST = 2048
"""Bytes before its end in which a record without its head is looked for."""

_BATCH = 20_000
"""Rows that are held at once."""

_LOST = 4
"""Bytes of a cell that a freeblock's own header takes."""

Row = list[Value]


@dataclass(frozen=True, slots=True)
class Rest:
    """What one page still tells: whole rows, and words of what are none any more."""

    rows: tuple[Row, ...]
    words: tuple[str, ...]


class _Reader:
    """Finds rows in bytes that no cell pointer leads to."""

    def __init__(self, database: Database, known: Iterable[Table], budget: Budget) -> None:
        self._database = database
        self._budget = budget
        widths = {len(table.columns) for table in known if table.columns}
        self._widths = tuple(sorted(widths, reverse=True))[:_MOST_WIDTHS]
        """Numbers of columns that rows of a page may have whose table is not known."""

    def page(self, page: Page, columns: int) -> Rest:
        """The free space of a page whose table has so many columns."""
        blocks = _freeblocks(page)
        first = page.start + (12 if page.interior else 8) + 2 * len(page.cells)
        start = int.from_bytes(page.data[page.start + 5 : page.start + 7], "big") or 65536
        rows, words = list[Row](), list[str]()
        gap = Extent(first, max(0, min(start, self._database.usable) - first))
        self._gap(page.data, gap, columns, rows, words)
        for block in blocks:
            self._freeblock(page.data, block, columns, rows, words)
        return Rest(tuple(rows), tuple(words))

    def free(self, number: int, data: bytes, trunk: bool) -> Rest:
        """A page of the freelist: its cells, if it still is one; else whatever is in it."""
        rows, words = list[Row](), list[str]()
        if not trunk:
            try:
                page = self._database.parsed(number, data, 0)
            except Spent:
                raise
            except Malformed:
                page = None
            if page is not None:
                rows += [values for _, values in self._database.rows(page)]
                rest = self.page(page, max((len(row) for row in rows), default=0))
                return Rest((*rows, *rest.rows), rest.words)
        count = int.from_bytes(data[4:8], "big") if trunk else 0
        first = min(8 + 4 * count, len(data))
        self._gap(data, Extent(first, len(data) - first), 0, rows, words)
        return Rest(tuple(rows), tuple(words))

    def _gap(
        self, data: bytes, gap: Extent, columns: int, rows: list[Row], words: list[str]
    ) -> None:
        """Whole cells, wherever they begin: payload, row id and header must add up."""
        self._budget.pay(steps=1 + gap.length // 16)
        at = held = gap.offset
        while at < gap.end - 4:
            found = self._cell(data, at, gap.end) if data[at] else None
            if found is None:
                at += 1
                continue
            self._between(data, held, at, columns, rows, words)
            rows.append(found[0])
            at = held = found[1]
        self._between(data, held, gap.end, columns, rows, words)

    def _between(
        self, data: bytes, at: int, end: int, columns: int, rows: list[Row], words: list[str]
    ) -> None:
        """What lies before a whole cell: rows without their heads that end there; words."""
        widths = (columns,) if columns else self._widths
        counts = [n for width in widths for n in (width, width - 1)]
        start = end - 1 if any(data[at:end]) else -1
        while at <= start and end - start <= _FURTHEST:
            self._budget.pay()
            for count in counts:
                found = self._from_types(data, start, end, count, exact=True)
                if found is not None:
                    rows.append(_padded(found, max(count, columns))[0])
                    end = start = start - _LOST
                    break
            start -= 1
        words += self._words(data[at : max(at, end)])

    def _cell(self, data: bytes, at: int, end: int) -> tuple[Row, int] | None:
        try:
            payload, here = varint(data, at)
            if not 3 <= payload <= end - here:
                return None
            _, here = varint(data, here)
            header, body = varint(data, here)
            if not 2 <= header <= payload or here + payload > end:
                return None
            found = self._record(data, body, here + header, here + payload)
        except IndexError:
            return None
        return None if found is None else (found, here + payload)

    def _record(self, data: bytes, at: int, body: int, end: int) -> Row | None:
        """The values whose types stand from ``at`` to ``body``, if they end at ``end``."""
        types = list[int]()
        while at < body:
            kind, at = varint(data, at)
            if kind in {10, 11} or len(types) > _MOST_COLUMNS:
                return None
            types.append(kind)
        if at != body or body + sum(map(length_of, types)) != end:
            return None
        return self._values(data, types, body)

    def _values(self, data: bytes, types: Sequence[int], at: int) -> Row | None:
        """None where a text is none, or where there is no text at all."""
        out, texts = list[Value](), 0
        for kind in types:
            value = self._database.value(kind, data[at : at + length_of(kind)])
            at += length_of(kind)
            if isinstance(value, str):
                if _ODD.search(value):
                    return None
                texts += len(value) > 0
            out.append(value)
        return out if texts else None

    def _freeblock(
        self, data: bytes, block: Extent, columns: int, rows: list[Row], words: list[str]
    ) -> None:
        at = block.offset
        while at + _LOST < block.end:
            self._budget.pay()
            found = self._beheaded(data, at, block.end, columns) if columns else None
            if found is None:
                words += self._words(data[at + _LOST : block.end])
                return
            rows.append(found[0])
            at = found[1]

    def _beheaded(self, data: bytes, at: int, end: int, columns: int) -> tuple[Row, int] | None:
        """A cell without its first four bytes: a likely place of its types, all or all but one."""
        tries = [(at + 4, columns), (at + 5, columns), (at + 4, columns - 1), (at + 6, columns)]
        sound = []
        for start, count in tries:
            found = self._from_types(data, start, end, count)
            if found is not None and found[1] == end:
                return _padded(found, columns)
            if found is not None:
                sound.append(found)
        return _padded(sound[0], columns) if sound else None

    def _from_types(
        self, data: bytes, at: int, end: int, count: int, *, exact: bool = False
    ) -> tuple[Row, int] | None:
        """A record whose ``count`` types stand at ``at``; ``exact``: it ends at ``end``."""
        types = list[int]()
        try:
            for _ in range(count):
                kind, at = varint(data, at)
                if kind in {10, 11}:
                    return None
                types.append(kind)
        except IndexError:
            return None
        behind = at + sum(map(length_of, types))
        if not types or behind > end or (exact and behind < end):
            return None
        found = self._values(data, types, at)
        return None if found is None else (found, behind)

    def _words(self, data: bytes) -> list[str]:
        if len(data) < _LEAST_WORD or not any(data):
            return []
        if self._database.encoding == "utf-8":
            return [match[0].decode("utf-8", "replace") for match in _NARROW.finditer(data)]
        out = list[str]()
        for shift in (0, 1):
            text = data[shift:].decode(self._database.encoding, "replace")
            out += [match[0] for match in _WIDE.finditer(text)]
        return out


def _padded(found: tuple[Row, int], columns: int) -> tuple[Row, int]:
    return [*[None] * (columns - len(found[0])), *found[0]], found[1]


def _freeblocks(page: Page) -> list[Extent]:
    """The chain of freeblocks; ends where it goes back or leaves the page."""
    at = int.from_bytes(page.data[page.start + 1 : page.start + 3], "big")
    out = list[Extent]()
    while at and at + 4 <= len(page.data) and (not out or at >= out[-1].end):
        size = int.from_bytes(page.data[at + 2 : at + 4], "big")
        if size < 4 or at + size > len(page.data):
            break
        out.append(Extent(at, size))
        at = int.from_bytes(page.data[at : at + 2], "big")
    return out


def rest(database: Database, budget: Budget) -> Iterator[Text]:
    """The text of deleted rows, with the columns' names where it is sure whose rows they are."""
    known = _schema(database)
    words: dict[str, None] = {}

    def rows() -> Iterator[Row]:
        for one in _rests(database, known, _Reader(database, known, budget)):
            words.update(dict.fromkeys(one.words))
            yield from one.rows

    for text in told(rows(), known):
        yield text
        if len(words) > _BATCH:
            yield _said(words)
            words.clear()
    if words:
        yield _said(words)


def _said(words: Iterable[str]) -> Text:
    return Text("\n".join(words) + "\n", part=DELETED)


def _rests(database: Database, known: list[Table], reader: _Reader) -> Iterator[Rest]:
    """What each page tells that no row of a table does; what is broken is passed over: a page of
    the tables is told of where these are read.
    """
    for table in [Table("", 1, ("",) * 5, None), *known]:
        try:
            for page in database.tree(table.root):
                yield reader.page(page, len(table.columns))
        except Spent:
            raise
        except Malformed:
            continue
    try:
        for number, trunk in database.free():
            try:
                yield reader.free(number, database.raw(number), trunk)
            except Spent:
                raise
            except Malformed:
                continue
    except Spent:
        raise
    except Malformed:
        return


def _schema(database: Database) -> list[Table]:
    out = list[Table]()
    for _, values in database.records(1):
        if len(values) == 5 and isinstance(values[3], int) and values[3]:
            name, sql = str(values[1]), values[4]
            if values[0] == "table" and isinstance(sql, str):
                out.append(table_of(name, values[3], sql))
            elif values[0] == "index":
                out.append(Table(name, values[3], (), None))
    return out


def told(rows: Iterable[Row], known: Iterable[Table]) -> Iterator[Text]:
    """Rows by their number of columns, each once among its neighbours; a definition among them
    names its own columns.
    """
    by_width: dict[int, dict[tuple[Value, ...], None]] = defaultdict(dict)
    headers = [table.columns for table in known if table.columns]
    for count, row in enumerate(rows, 1):
        by_width[len(row)][tuple(row)] = None
        if len(row) == 5 and row[0] == "table" and isinstance(row[4], str):
            headers.append(table_of(str(row[1]), 0, row[4]).columns)
        if count % _BATCH == 0:
            yield from _sorted(by_width, headers)
            by_width.clear()
    yield from _sorted(by_width, headers)


def _sorted(
    by_width: dict[int, dict[tuple[Value, ...], None]], headers: Iterable[tuple[str, ...]]
) -> Iterator[Text]:
    for width, some in sorted(by_width.items()):
        names = {columns for columns in headers if len(columns) == width}
        header = next(iter(names)) if len(names) == 1 else None
        yield from tables(([word(v) for v in row] for row in some), header=header, part=DELETED)


def word(value: Value) -> str:
    """A value as a person reads it; of a blob, what is text."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8") if len(value) < 1 << 16 else ""
        except UnicodeDecodeError:
            return ""
    return "" if value is None else str(value)

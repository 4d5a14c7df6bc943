"""The pages and records of an SQLite database (sqlite.org/fileformat2.html), read by ourselves.

A file made to attack SQLite itself, or half written over, is read here like any other.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hakushi.model import Malformed, Source
from hakushi.recover.cursor import Budget, Cursor, Short, Spent

MAGIC = b"SQLite format 3\0"
_INTERIOR_INDEX, _INTERIOR_TABLE, _LEAF_INDEX, _LEAF_TABLE = 2, 5, 10, 13
_INTERIOR = frozenset({_INTERIOR_INDEX, _INTERIOR_TABLE})
_TABLE = frozenset({_INTERIOR_TABLE, _LEAF_TABLE})
_PAGES = frozenset({_INTERIOR_INDEX, _INTERIOR_TABLE, _LEAF_INDEX, _LEAF_TABLE})
_ENCODINGS = {0: "utf-8", 1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}
_LARGEST_ROW = 16 << 20
_BEFORE_ROWS, _LAST_ROW = -(1 << 63) - 1, (1 << 63) - 1

Value = int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Page:
    """One b-tree page: ``data`` is the whole page, ``start`` where its header stands."""

    number: int
    kind: int
    data: bytes
    start: int
    cells: tuple[int, ...]
    """Offsets of the cells in the page."""

    @property
    def interior(self) -> bool:
        return self.kind in _INTERIOR

    @property
    def table(self) -> bool:
        return self.kind in _TABLE


class Database:
    """A database at offset 0 of a source. Every method raises only Malformed."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._cursor = Cursor(source)
        self._budget = budget
        head = self._cursor.take(0, 100)
        size = int.from_bytes(head[16:18], "big")
        self.page_size = 65536 if size == 1 else size
        self.usable = self.page_size - head[20]
        if (
            not head.startswith(MAGIC)
            or self.page_size < 512
            or self.page_size & (self.page_size - 1)
            or not {head[18], head[19]} <= {1, 2}
            or head[21:24] != b"\x40\x20\x20"
            or self.usable < 480
            or head[59] > 3
            or any(head[56:59])
        ):
            raise Malformed("SQLite header")
        self.encoding = _ENCODINGS[head[59]]
        said = int.from_bytes(head[28:32], "big")
        # 1.3.7: the size in the header is true only where these two agree.
        self.pages = said if said and head[24:28] == head[92:96] else 0
        self.freelist = int.from_bytes(head[32:36], "big")
        self.flaws = 0
        """Rows that could not be read."""
        self.highest = 1
        """The highest page number that was met."""

    def raw(self, number: int) -> bytes:
        """The bytes of a page."""
        self._budget.pay()
        if number < 1 or (self.pages and number > self.pages):
            raise Malformed(f"there is no page {number}")
        self.highest = max(self.highest, number)
        return self._cursor.take((number - 1) * self.page_size, self.page_size)

    def page(self, number: int) -> Page:
        """A b-tree page (1.6)."""
        data = self.raw(number)
        start = 100 if number == 1 else 0
        return self.parsed(number, data, start)

    def parsed(self, number: int, data: bytes, start: int) -> Page:
        """A page's bytes as a b-tree page whose header stands at ``start``."""
        kind, count = data[start], int.from_bytes(data[start + 3 : start + 5], "big")
        first = start + (12 if kind in _INTERIOR else 8)
        if kind not in _PAGES or first + 2 * count > self.usable:
            raise Malformed(f"page {number} is no b-tree page")
        cells = struct.unpack_from(f">{count}H", data, first)
        if any(not first <= cell < self.usable for cell in cells):
            raise Malformed(f"a cell of page {number} lies outside it")
        return Page(number, kind, data, start, cells)

    def children(self, page: Page) -> list[int]:
        if not page.interior:
            return []
        right = page.data[page.start + 8 : page.start + 12]
        return [
            int.from_bytes(raw, "big")
            for raw in (*(page.data[c : c + 4] for c in page.cells), right)
        ]

    def tree(self, root: int) -> Iterator[Page]:
        """Every page of a b-tree, parents first. Raises Malformed for a page met twice."""
        met, left = set(), [root]
        while left:
            number = left.pop()
            if number in met:
                raise Malformed(f"page {number} hangs in its tree twice")
            met.add(number)
            page = self.page(number)
            yield page
            left.extend(reversed(self.children(page)))

    def ordered(self, root: int) -> None:
        """Walks a whole b-tree. Raises Malformed where pages of other trees hang in it: of another
        kind, or with rows that do not lie between the keys that lead to them (1.6).
        """
        left, met = [(root, _BEFORE_ROWS, _LAST_ROW)], set[int]()
        table = self.page(root).table
        while left:
            number, low, high = left.pop()
            if number in met:
                raise Malformed(f"page {number} hangs in its tree twice")
            page = self.page(number)
            if page.table != table:
                raise Malformed(f"page {number} is of another kind than its tree")
            met.add(number)
            keys = _keys(page.data, page.cells, page.interior) if page.table else ()
            if keys is None or (keys and not low < keys[0] <= keys[-1] <= high):
                raise Malformed(f"the rows of page {number} are not in order")
            children = self.children(page)
            lows = [low, *keys] if keys else [low] * len(children)
            highs = [*keys, high] if keys else [high] * len(children)
            left.extend(reversed(list(zip(children, lows, highs, strict=False))))

    def free(self) -> Iterator[tuple[int, bool]]:
        """(page, whether it is a trunk) of the freelist (1.5)."""
        trunk, met = self.freelist, set()
        while trunk:
            if trunk in met:
                raise Malformed("the freelist goes round")
            met.add(trunk)
            data = self.raw(trunk)
            yield trunk, True
            count = int.from_bytes(data[4:8], "big")
            if 8 + 4 * count > self.usable:
                raise Malformed("freelist trunk")
            for leaf in struct.unpack_from(f">{count}I", data, 8):
                self.highest = max(self.highest, leaf)
                yield leaf, False
            trunk = int.from_bytes(data[:4], "big")

    def records(self, root: int) -> Iterator[tuple[int, list[Value]]]:
        """(rowid, values) of a table; of an index, with 0 as rowid."""
        for page in self.tree(root):
            yield from self.rows(page)

    def rows(self, page: Page) -> Iterator[tuple[int, list[Value]]]:
        """The records of one page; broken ones are counted."""
        if page.kind == _INTERIOR_TABLE:
            return
        for cell in page.cells:
            self._budget.pay()
            try:
                yield self._row(page, cell)
            except (Short, Spent):
                raise
            except (Malformed, IndexError):
                self.flaws += 1

    def _row(self, page: Page, at: int) -> tuple[int, list[Value]]:
        rowid = 0
        if page.kind == _INTERIOR_INDEX:
            at += 4
        length, at = varint(page.data, at)
        if page.kind == _LEAF_TABLE:
            rowid, at = varint(page.data, at)
        return rowid, self._values(self._payload(page, at, length))

    def _payload(self, page: Page, at: int, length: int) -> bytes:
        """1.6: what does not fit lies in a chain of overflow pages."""
        most = self.usable - 35 if page.table else (self.usable - 12) * 64 // 255 - 23
        if length > _LARGEST_ROW:
            raise Malformed("a row too large")
        if length <= most:
            return page.data[at : at + length]
        least = (self.usable - 12) * 32 // 255 - 23
        here = least + (length - least) % (self.usable - 4)
        here = here if here <= most else least
        parts, left = [page.data[at : at + here]], length - here
        following = int.from_bytes(page.data[at + here : at + here + 4], "big")
        while left > 0:
            data = self.raw(following)
            parts.append(data[4 : 4 + min(left, self.usable - 4)])
            left -= self.usable - 4
            following = int.from_bytes(data[:4], "big")
        return b"".join(parts)

    def _values(self, payload: bytes) -> list[Value]:
        """2.1: the record format."""
        head, at = varint(payload, 0)
        if head > len(payload):
            raise Malformed("record header")
        out: list[Value] = []
        body = head
        while at < head:
            kind, at = varint(payload, at)
            length = length_of(kind)
            if body + length > len(payload):
                raise Malformed("a value runs past its record")
            out.append(self.value(kind, payload[body : body + length]))
            body += length
        return out

    def value(self, kind: int, data: bytes) -> Value:
        """2.1: the value of a serial type."""
        if kind == 0:
            return None
        if kind <= 6:
            return int.from_bytes(data, "big", signed=True)
        if kind == 7:
            return float(struct.unpack(">d", data)[0])
        if kind <= 9:
            return kind - 8
        return data if kind % 2 == 0 else data.decode(self.encoding, "replace")


def length_of(kind: int) -> int:
    """Bytes of a value of this serial type. Raises Malformed for the reserved ones."""
    if kind >= 12:
        return (kind - 12) // 2
    if kind in {10, 11}:
        raise Malformed("serial type")
    return (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]


@lru_cache(1 << 10)
def _keys(data: bytes, cells: tuple[int, ...], interior: bool) -> tuple[int, ...] | None:
    """The rowids of the cells of a table's page; None where one is cut or they do not rise.

    Remembered: whoever puts a database together out of pieces walks its first pages each time.
    """
    keys, last = [], _BEFORE_ROWS
    for at in cells:
        try:
            at = at + 4 if interior else varint(data, at)[1]
            rowid, _ = varint(data, at)
        except IndexError:
            return None
        rowid = rowid - (1 << 64) if rowid >> 63 else rowid
        if rowid <= last:
            return None
        keys.append(rowid)
        last = rowid
    return tuple(keys)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, offset behind it); IndexError past the end, for callers that expect it."""
    value = 0
    for i in range(at, at + 8):
        byte = data[i]
        value = value << 7 | byte & 127
        if byte < 128:
            return value, i + 1
    return value << 8 | data[at + 8], at + 9


_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?(?:\*/|$)|"((?:[^"]|"")*)"|\[([^\]]*)\]|`((?:[^`]|``)*)`"""
    r"""|'(?:[^']|'')*'|([^\W\d][\w$]*)|(.)""",
    re.DOTALL,
)
_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the schema, as its CREATE TABLE says it."""

    name: str
    root: int
    columns: tuple[str, ...]
    rowid: int | None
    """Which column stands for the rowid."""


def table_of(name: str, root: int, sql: str) -> Table:
    """The columns of a CREATE TABLE statement, in the order in which records hold them."""
    definitions, tail = _definitions(sql[: 1 << 16])
    columns, keys, rowid = [], list[str](), None
    for words in definitions:
        upper = [w.upper() for w in words]
        if upper[0] in _CONSTRAINTS:
            if "PRIMARY" in upper and "(" in words:
                keys = [w for w in words[words.index("(") + 1 :] if w not in {",", ")"}]
            continue
        if "PRIMARY" in upper:
            keys = [words[0]]
        columns.append(words[0])
        if upper[1:2] == ["INTEGER"] and "PRIMARY" in upper and "DESC" not in upper:
            rowid = len(columns) - 1
    if "WITHOUT" in (w.upper() for w in tail):
        first = [c for k in keys for c in columns if c.lower() == k.lower()]
        return Table(name, root, (*first, *(c for c in columns if c not in first)), None)
    if rowid is None and len(keys) == 1:
        rowid = _declared(definitions, columns, keys[0])
    return Table(name, root, tuple(columns), rowid)


def _declared(definitions: list[list[str]], columns: list[str], key: str) -> int | None:
    """A PRIMARY KEY constraint over one INTEGER column makes it the rowid."""
    for words in definitions:
        if words[0].lower() == key.lower() and [w.upper() for w in words[1:2]] == ["INTEGER"]:
            return columns.index(words[0])
    return None


def _definitions(sql: str) -> tuple[list[list[str]], list[str]]:
    """The comma-separated definitions of the outermost parentheses, in words; the words behind."""
    out: list[list[str]] = [[]]
    depth, tail = 0, list[str]()
    for match in _TOKEN.finditer(sql):
        word = next((g for g in match.groups() if g is not None), None)
        if word is None:
            continue
        plain = match[5] is not None
        if plain and word == ")":
            depth -= 1
        if depth == 1 and plain and word == ",":
            out.append([])
        elif depth >= 1:
            out[-1].append(word)
        elif depth == 0 and out[0]:
            tail.append(word)
        if plain and word == "(":
            depth += 1
    return [words for words in out if words], tail

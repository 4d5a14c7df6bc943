"""SQLite's write-ahead log: frames, each a page and a checksum over all before it (4.1, 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source, Text
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Spent
from hakushi.recover.grammar.sqlite import Database
from hakushi.recover.grammar.sqlite_rest import Row, told
from hakushi.recover.grammar.stream import follow

_MAGICS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_VERSION = 3007000
_HEADER, _FRAME = 32, 24
_MOST_ROWS = 1_000_000


def probe(source: Source) -> bool:
    head = source.read(Extent(0, _HEADER))
    if len(head) < _HEADER or not head.startswith(_MAGICS):
        return False
    size = int.from_bytes(head[8:12], "big")
    return (
        int.from_bytes(head[4:8], "big") == _VERSION
        and 512 <= size <= 65536
        and not size & (size - 1)
        and _sums(head[:24], head[3] & 1, 0, 0) == struct.unpack(">II", head[24:])
    )


def _sums(data: bytes, big: int, first: int, second: int) -> tuple[int, int]:
    """The checksum goes on from the one before."""
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the last frame whose checksum holds; frames of an earlier round may follow unseen."""
    found = follow(source, _walk(source, budget)) if probe(source) else None
    if found is None or found.length <= _HEADER:
        return None
    return Measure(found.length, complete=False, broken=found.broken, more=found.more)


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor = Cursor(source)
    big, size = cursor.u8(3) & 1, cursor.u32(8, ">")
    salts, sums = cursor.take(16, 8), struct.unpack(">II", cursor.take(24, 8))
    at = _HEADER
    while cursor.has(at + 8, salts):
        budget.pay(steps=size // 64)
        frame = cursor.take(at, _FRAME + size)
        sums = _sums(frame[:8] + frame[_FRAME:], big, *sums)
        if sums != struct.unpack(">II", frame[16:24]):
            break
        at += len(frame)
        yield at
    yield at


class _Pages(Database):
    """The newest version of each page that the log holds."""

    def __init__(self, source: Source, budget: Budget) -> None:
        if not probe(source):
            raise Malformed("header of a write-ahead log")
        self._source = source
        self._budget = budget
        cursor = Cursor(source)
        self.page_size = self.usable = cursor.u32(8, ">")
        self.encoding = "utf-8"
        self.pages = self.freelist = self.flaws = 0
        self.highest = 1
        self.frames = list[tuple[int, int]]()
        """(page, offset of its bytes) of every frame, those of earlier rounds too."""
        for at in range(
            _HEADER, source.size - _FRAME - self.page_size + 1, _FRAME + self.page_size
        ):
            budget.pay()
            number = cursor.u32(at, ">")
            if 0 < number < 1 << 31:
                self.frames.append((number, at + _FRAME))
        self._newest = dict(self.frames)
        self._cursor = cursor

    def raw(self, number: int) -> bytes:
        self._budget.pay()
        if number not in self._newest:
            raise Malformed(f"the log has no page {number}")
        return self._cursor.take(self._newest[number], self.page_size)

    def learn(self) -> None:
        """The encoding: as page 1 says, or as the first rows look."""
        if 1 in self._newest:
            code = self.raw(1)[59]
            self.encoding = {2: "utf-16-le", 3: "utf-16-be"}.get(code, "utf-8")
            return
        for number, at in self.frames[:64]:
            words = "".join(v for row in self.of(number, at) for v in row if isinstance(v, str))
            if "\0" in words:
                self.encoding = "utf-16-be" if words.startswith("\0") else "utf-16-le"
            if words:
                return

    def of(self, number: int, at: int) -> Iterator[Row]:
        """The rows of one frame, if it is a page of them."""
        try:
            page = self.parsed(number, self._cursor.take(at, self.page_size), 100 * (number == 1))
            for rowid, values in self.rows(page):
                if page.table and values and values[0] is None:
                    values[0] = rowid
                yield values
        except Spent:
            raise
        except Malformed:
            return


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """Every row of every frame, older versions too, each once."""
    pages = _Pages(source, budget)
    pages.learn()
    rows = (row for frame in pages.frames for row in pages.of(*frame))
    yield from told(_some(rows, budget), ())


def _some(rows: Iterator[Row], budget: Budget) -> Iterator[Row]:
    for count, row in enumerate(rows):
        budget.pay()
        if count >= _MOST_ROWS:
            raise Malformed("more rows than are read of one log")
        yield row


PLUGIN = Format(
    id="sqlitewal",
    family=Family.DOCUMENT,
    probe=probe,
    magics=tuple(Magic(magic) for magic in _MAGICS),
    measure=measure,
    text=text,
    extensions=("wal", "db-wal", "sqlite-wal"),
)

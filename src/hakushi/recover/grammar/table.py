"""Rows of words as Text with cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from hakushi.model import Text

_LARGEST = 1 << 20
"""Characters after which a new Text begins; its first row is the header again."""

_FIRST = 12
"""The header is looked for in so many rows."""

_LONGEST_TITLE = 24


class _Rows:
    """Puts rows one under the other: cells apart by tabs, rows by line ends."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._cells: list[tuple[tuple[int, int], ...]] = []
        self.length = 0

    def add(self, row: Sequence[str]) -> None:
        spans = []
        for word in row:
            spans.append((self.length, self.length + len(word)))
            self._parts += (word, "\t")
            self.length += len(word) + 1
        if row:
            self._parts[-1] = "\n"
        else:
            self._parts.append("\n")
            self.length += 1
        self._cells.append(tuple(spans))

    def text(self, part: str, *, header: bool) -> Text:
        return Text("".join(self._parts), None, "", tuple(self._cells), header, part)


def tables(
    rows: Iterable[Sequence[str]], *, header: Sequence[str] | None = None, part: str = ""
) -> Iterator[Text]:
    """One Text, or several where the rows are many; each begins with the header, if any."""
    sheet, empty = _Rows(), header is None
    if header is not None:
        sheet.add(header)
    for row in rows:
        sheet.add(row)
        empty = False
        if sheet.length > _LARGEST:
            yield sheet.text(part, header=header is not None)
            sheet, empty = _Rows(), True
            if header is not None:
                sheet.add(header)
    if not empty:
        yield sheet.text(part, header=header is not None)


def laid_out(rows: Iterable[Sequence[str]], part: str = "") -> Iterator[Text]:
    """`tables` where nobody said which row is the header: one of the first, if any looks like it.

    What stands above the header (a title, a date) is a Text of its own.
    """
    every = iter(rows)
    first = list(islice(every, _FIRST))
    widest = max((len(row) for row in first), default=0)
    for index, row in enumerate(first[:-1]):
        if titles(row) and 2 * len(row) > widest:
            yield from tables(first[:index], part=part)
            yield from tables(chain(first[index + 1 :], every), header=row, part=part)
            return
    yield from tables(chain(first, every), part=part)


def titles(row: Sequence[str]) -> bool:
    """Whether a row looks like column titles: two or more short words without digits or @."""
    words = [word for word in row if word]
    return len(words) >= 2 and all(
        len(word) <= _LONGEST_TITLE and not any(c.isdigit() or c == "@" for c in word)
        for word in words
    )

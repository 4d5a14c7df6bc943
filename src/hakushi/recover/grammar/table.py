"""Rows of words as Text with cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hakushi.model import Text

_LARGEST = 1 << 20
"""Characters after which a new Text begins; its first row is the header again."""


class Rows:
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
        if not row:
            self._parts.append("\n")
            self.length += 1
        else:
            self._parts[-1] = "\n"
        self._cells.append(tuple(spans))

    def text(self, part: str, *, header: bool) -> Text:
        return Text("".join(self._parts), None, "", tuple(self._cells), header, part)


def tables(
    rows: Iterable[Sequence[str]], *, header: Sequence[str] | None = None, part: str = ""
) -> Iterator[Text]:
    """One Text, or several where the rows are many; each begins with the header, if any."""
    sheet, empty = Rows(), True
    if header is not None:
        sheet.add(header)
    for row in rows:
        sheet.add(row)
        empty = False
        if sheet.length > _LARGEST:
            yield sheet.text(part, header=header is not None)
            sheet, empty = Rows(), True
            if header is not None:
                sheet.add(header)
    if not empty or header:
        yield sheet.text(part, header=header is not None)

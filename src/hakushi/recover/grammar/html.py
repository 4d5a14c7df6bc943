"""The words of an HTML page: prose, and tables with their cells. Forgives like a browser does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from hakushi.model import Text
from hakushi.recover.cursor import Budget
from hakushi.recover.grammar.encoding import guess
from hakushi.recover.grammar.table import laid_out, tables

_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<(/?)([a-z][a-z0-9:-]*)([^<>]*)>|<[!?/][^>]*>",
    re.DOTALL | re.IGNORECASE,
)
_TOLD = re.compile(
    r"""\b(?:href\s*=\s*["']?(?:mailto|tel):([^"'?>\s]+)|(?:value|content|alt|title)\s*=\s*"""
    r"""(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))""",
    re.IGNORECASE,
)
_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]*\b|\?xml[^>]*\b)(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""",
    re.IGNORECASE,
)
_BLOCKS = (
    "p div br li ul ol tr table h1 h2 h3 h4 h5 h6 dt dd dl pre form section article header footer "
    "title option blockquote address hr body caption"
)
_LINE = frozenset(_BLOCKS.split())
_JAPANESE = {"shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932"}
_MOST_CELLS = 200_000


def decode(data: bytes, said: str = "") -> str:
    """By the charset that is said (in a header, else in the page), or by the bytes themselves."""
    match = _CHARSET.search(data[:4096])
    for name in (
        said,
        match[1].decode("ascii", "replace") if match else "",
        guess(data[:4096]) or "",
    ):
        name = _JAPANESE.get(name.lower(), name)
        if not name:
            continue
        try:
            text = data.decode(name, "replace")
        except (LookupError, UnicodeError, ValueError):
            continue
        if text.count("\ufffd") * 20 <= len(text):
            return text.removeprefix("\ufeff")
    return data.decode("utf-8", "replace")


class _Page:
    """What has been met so far: prose, and the table that is open."""

    def __init__(self) -> None:
        self.prose: list[str] = []
        self.rows: list[list[str]] = []
        self.cell: list[str] | None = None
        self.depth = 0
        self.headed = False

    def word(self, text: str) -> None:
        (self.prose if self.cell is None else self.cell).append(text)

    def tag(self, name: str, closes: bool) -> bool:
        """Follows one tag; True where it ends a table."""
        if name in {"td", "th"} and self.depth:
            self._close()
            if not closes:
                if not self.rows:
                    self.rows.append([])
                self.cell = []
                self.headed |= name == "th" and len(self.rows) == 1
        elif name == "tr" and self.depth:
            self._close()
            if not closes:
                self.rows.append([])
        elif name == "table":
            self._close()
            self.depth = max(0, self.depth + (-1 if closes else 1))
            # A table inside a cell is a table of its own.
            return True
        elif name in _LINE:
            self.word("\n" if self.cell is None else " ")
        return False

    def _close(self) -> None:
        if self.cell is not None and self.rows:
            self.rows[-1].append(" ".join("".join(self.cell).split()))
        self.cell = None

    def table(self) -> tuple[list[list[str]], bool]:
        """The rows so far and whether the first is a header; starts anew."""
        rows, headed = [row for row in self.rows if row], self.headed
        self.rows, self.headed = [], False
        return rows, headed


def texts(page: str, budget: Budget, part: str = "") -> Iterator[Text]:
    """Its prose as one Text; each table as another."""
    found, at, number = _Page(), 0, 0
    for match in _TOKEN.finditer(page):
        budget.pay()
        if match.start() > at:
            found.word(unescape(page[at : match.start()]))
        at = match.end()
        if match[3] is None:
            continue
        for told in _TOLD.finditer(match[4]):
            found.word(" " + unescape(next(filter(None, told.groups()), "")) + " ")
        ends = found.tag(match[3].lower(), bool(match[2]))
        if ends or len(found.rows) > _MOST_CELLS:
            rows, headed = found.table()
            if rows:
                number += 1
                yield from _table(rows, headed, f"{part}table {number}")
    found.word(unescape(page[at:]))
    rows, headed = found.table()
    if rows:
        yield from _table(rows, headed, f"{part}table {number + 1}")
    prose = "".join(found.prose)
    if prose.strip():
        yield Text(re.sub(r"[ \t]*\n\s*\n\s*", "\n\n", prose), part=part.strip())


def _table(rows: list[list[str]], headed: bool, part: str) -> Iterator[Text]:
    if headed:
        return tables(rows[1:], header=rows[0], part=part)
    return laid_out(rows, part)

"""Dumps of databases in a text: INSERT statements of SQL, and the COPY blocks of PostgreSQL.

Hostile text: every step goes forward, and a row that cannot be read is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

WORDS = ("INSERT ", "insert ", "COPY ")
"""What a line begins with that opens rows."""

_COPY = re.compile(r"COPY [^\n(]{1,160}\(([^()\n]{1,8000})\) FROM stdin", re.IGNORECASE)
_INSERT = re.compile(
    r"INSERT(?: IGNORE)? INTO ([^\s(]{1,160})"
    r"(?: {0,4}\(((?:[^()\n]|\([^()\n]{0,40}\)){1,8000}+)\))?\s{0,4}VALUES? {0,4}",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"[ \t]{0,8}(?:(?:_?[A-Za-z0-9]{0,12} ?)'((?:[^'\\\n]|''|\\.)*+)'"
    r"|([^,()'\n]{0,4000}(?:\([^()\n]{0,200}\))?))[ \t]{0,8}([,)])"
)
_COLUMN = re.compile(r"[,(]\s{0,16}(?:[`\"\[]([^`\"\]\n]{1,64})[`\"\]]|(\w{1,64}))\s{1,8}[A-Za-z]")
_COMMENT = re.compile(r"COMMENT '([^'\n]{1,80})'", re.IGNORECASE)
_NO_COLUMN = frozenset(
    ["PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK"]
)
_QUOTES = " \t`\"[]'"
_FAR = 1 << 18
_MOST = 256


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens rows: the table, the names of its columns if they are told; where values begin.

    ``tabs``: the rows are lines of fields between tabs (COPY), not tuples.
    """

    table: str
    names: tuple[str, ...]
    start: int
    tabs: bool


def opening(folded: str, at: int, end: int) -> Opening | None:
    """What the line from ``at`` to ``end`` opens, if it opens any rows."""
    if not folded.startswith(WORDS, at):
        return None
    copy = _COPY.match(folded, at, end)
    if copy is not None:
        return Opening("", _names(copy[1]), end, tabs=True)
    insert = _INSERT.match(folded, at, end)
    if insert is None:
        return None
    names = _names(insert[2]) if insert[2] else ()
    return Opening(insert[1].rpartition(".")[2].strip(_QUOTES), names, insert.end(), tabs=False)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip(_QUOTES) for name in listed.split(",")[:_MOST])


def _names_it(statement: str, table: str) -> bool:
    return statement.rpartition(".")[2].strip().rpartition(" ")[2].strip(_QUOTES) == table


def created(folded: str, at: int, table: str) -> tuple[str, ...]:
    """The columns by the CREATE TABLE that stands before; a comment is the better name."""
    low = max(0, at - _FAR)
    made, head = at, -1
    for _ in range(_MOST):  # a schema may stand before all of its data
        made = folded.rfind("CREATE TABLE", low, made)
        head = folded.find("(", made, min(at, made + 400)) if made >= 0 else -1
        if made < 0 or (head >= 0 and _names_it(folded[made:head], table)):
            break
    if head < 0:
        return ()
    close = folded.find(");", head, at), folded.find("\n)", head, at)
    end = min((place for place in close if place >= 0), default=at)
    found = [
        m
        for m in _COLUMN.finditer(folded, head, min(end + 1, head + 65536))
        if (m[1] or m[2]).upper() not in _NO_COLUMN
    ][:_MOST]
    names = []
    for one, after in zip_longest(found, found[1:]):
        comment = _COMMENT.search(folded, one.end(), after.start() if after else end)
        names.append(comment[1] if comment else one[1] or one[2])
    return tuple(names)


def tuples(folded: str, low: int, high: int) -> Iterator[list[tuple[int, int]]]:
    """The fields of each (…) between two places of a line, without their quotes.

    What comes before the first whole one is passed over: the line may begin in the midst of one.
    """
    at = low
    while at < high:
        while at < high and folded[at] in " \t,":
            at += 1
        if folded[at : at + 1] != "(":
            at = folded.find("),(", at, high) + 2
            if at < 2:
                return
        row, at = _tuple(folded, at + 1, high)
        if row:
            yield row


def _tuple(folded: str, at: int, high: int) -> tuple[list[tuple[int, int]], int]:
    """One row and where it ends; no fields where it cannot be read."""
    row: list[tuple[int, int]] = []
    while len(row) < _MOST:
        match = _FIELD.match(folded, at, high)
        if match is None:
            return [], at
        row.append(match.span(1) if match[1] is not None else match.span(2))
        at = match.end()
        if match[3] == ")":
            return row, at
    return [], at

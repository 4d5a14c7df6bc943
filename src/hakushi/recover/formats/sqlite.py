"""SQLite databases: as many pages as the header says, every b-tree page of the schema sound."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Extent, Malformed, Source, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar.sqlite import MAGIC, Database, Table, Value, table_of
from hakushi.recover.grammar.sqlite_rest import rest, word
from hakushi.recover.grammar.stream import follow
from hakushi.recover.grammar.table import tables


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 100))
    return len(head) == 100 and head.startswith(MAGIC) and head[21:24] == b"\x40\x20\x20"


def measure(source: Source, budget: Budget) -> Measure | None:
    """Pages times page size; complete where every page of every tree is one."""
    return follow(source, _walk(source, budget)) if probe(source) else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    database = Database(source, budget)
    try:
        roots = [1, *_roots(database)]
    except Spent:
        raise
    except Malformed:
        roots = [1]
    yield min(source.size, max(1, database.pages) * database.page_size)
    if source.size < database.pages * database.page_size:
        raise Short("the last pages are missing")
    flaw: Malformed | None = None
    try:
        for root in roots:
            database.ordered(root)
        for _ in database.free():
            pass
    except (Spent, Short):
        raise
    except Malformed as error:
        flaw = error
    yield (database.pages or database.highest) * database.page_size
    if flaw:
        raise flaw


def _roots(database: Database) -> Iterator[int]:
    for _, values in database.records(1):
        root = values[3] if len(values) > 3 else None
        if isinstance(root, int) and root:
            yield root


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """Each table with its column names as header; then what deleted rows left, as such."""
    database = Database(source, budget)
    for _, values in database.records(1):
        if len(values) < 5 or values[0] != "table":
            continue
        name, root, sql = values[1], values[3], values[4]
        if isinstance(name, str) and isinstance(root, int) and root and isinstance(sql, str):
            table = table_of(name, root, sql)
            rows = (_row(table, rowid, row) for rowid, row in database.records(root))
            yield from tables(rows, header=table.columns, part=name)
    flaws = database.flaws
    yield from rest(database, budget)
    if flaws:
        raise Malformed(f"{flaws} rows could not be read")


def _row(table: Table, rowid: int, values: list[Value]) -> list[str]:
    if table.rowid is not None and table.rowid < len(values) and values[table.rowid] is None:
        values[table.rowid] = rowid
    return [word(value) for value in values]


PLUGIN = Format(
    id="sqlite",
    family=Family.DOCUMENT,
    probe=probe,
    magics=(Magic(MAGIC),),
    measure=measure,
    text=text,
    extensions=("db", "sqlite", "sqlite3"),
)

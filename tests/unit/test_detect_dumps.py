"""Dumps of databases: what SQLite itself writes is read back field by field."""

import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.found import scan

from hakushi import detect
from hakushi.detect import dumps
from hakushi.media import Memory
from hakushi.model import Finding, Locator, Text

KEY = b"k"


def found(text: str) -> list[tuple[str, str]]:
    return [(s.kind, text[s.start : s.end]) for s in detect.spans(Text(text), KEY)]


WORDS = st.text(
    st.characters(exclude_characters="\0\n\r\\", exclude_categories=["Cs"]), max_size=20
)
ROWS = st.lists(
    st.tuples(st.integers(-(10**9), 10**9), WORDS, st.none() | WORDS), min_size=1, max_size=6
)


@given(ROWS)
def test_a_dump_of_sqlite_is_read_field_by_field(rows: list[tuple[int, str, str | None]]) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (a INTEGER, b TEXT, c TEXT)")
    database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    text = "\n".join(database.iterdump())
    database.close()
    read = []
    at = 0
    for line in text.split("\n"):
        end = at + len(line)
        opened = dumps.opening(text, at, end)
        if opened is not None:
            assert opened.table == "t"
            assert dumps.created(text, at, "t") == ("a", "b", "c")
            read += [
                [text[a:b].replace("''", "'") for a, b in row]
                for row in dumps.tuples(text, opened.start, end)
            ]
        at = end + 1
    assert read == [[str(a), b, "NULL" if c is None else c] for a, b, c in rows]


@given(st.text(max_size=200), st.integers(0, 200))
def test_hostile_text_ends_and_stays_inside(text: str, at: int) -> None:
    line = "INSERT INTO t VALUES (" + text
    for row in dumps.tuples(line, min(at, len(line)), len(line)):
        assert all(0 <= a <= b <= len(line) for a, b in row)


MYSQL = """CREATE TABLE `members` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `nm` varchar(40) NOT NULL COMMENT '氏名',
  `fee` decimal(10,2) DEFAULT NULL,
  `tel` varchar(20) DEFAULT NULL,
  `c4` date DEFAULT NULL COMMENT '生年月日',
  PRIMARY KEY (`id`), KEY `i` (`nm`,`tel`)
) ENGINE=InnoDB COMMENT='会員';
INSERT INTO `members` VALUES (1,'雲居 林檎',1.5,'0262350111','1979-06-07'),\
(2,'樹神 静',NULL,'026-247-7800','1966-09-23'),(3,'it''s',NOW(),'x\\'y',NULL);
"""


def test_columns_are_named_by_the_table_and_its_comments():
    assert found(MYSQL) == [
        ("person_name", "雲居 林檎"),
        ("phone", "0262350111"),
        ("birth_date", "1979-06-07"),
        ("person_name", "樹神 静"),
        ("phone", "026-247-7800"),
        ("birth_date", "1966-09-23"),
    ]


def test_a_table_made_far_above_still_names_the_columns():
    """As SQLite dumps: a statement a row, the table made once, megabytes before."""
    rows = "".join(
        f"INSERT INTO \"m\" VALUES({n},'雲居林檎','A{n:06}','{'特記事項なし。' * 5}');\n"
        for n in range(20_000)
    )
    text = "CREATE TABLE m (id INTEGER, name TEXT, code TEXT, memo TEXT);\n" + rows
    source = Memory(text.encode(), Locator.root("memory", "x"))
    kinds = [f.kind for f in scan(source, KEY) if isinstance(f, Finding)]
    assert kinds == ["person_name"] * 20_000


def test_a_schema_before_the_data_names_the_columns_of_each_table():
    text = (
        "CREATE TABLE staff (id INTEGER, name TEXT);\n"
        'CREATE TABLE "public"."staff log" (id INTEGER, at TEXT);\n'
        "CREATE TABLE IF NOT EXISTS goods (id INTEGER, label TEXT);\n"
        "INSERT INTO staff VALUES(1,'雲居林檎');\nINSERT INTO public.goods VALUES(1,'六角林檎');\n"
        "INSERT INTO staff VALUES(2,'樹神静');\n"
    )
    assert found(text) == [("person_name", "雲居林檎"), ("person_name", "樹神静")]


def test_copy_blocks_of_postgresql_end_where_they_end():
    text = (
        "COPY public.member (id, name, kana, birthday) FROM stdin;\n"
        "1\t雲居 林檎\tクモイ リンゴ\t1979-06-07\n\\.\n\n2\t樹神 静\t\t1966-09-23\n"
    )
    kinds = [kind for kind, _ in found(text)]
    assert [kinds.count(k) for k in ("kana_name", "birth_date")] == [1, 1]


@pytest.mark.parametrize("rows", [6, 30_000])
def test_a_statement_of_any_length_keeps_its_columns(rows: int):
    """One line of megabytes, as mysqldump writes it, is read over all chunks."""
    text = "INSERT INTO m (id,name,code) VALUES " + ",".join(
        f"({n},'雲居 林檎{n % 7}','A{n:06}','{'特記事項なし。' * 3}')" for n in range(rows)
    )
    text = re.sub(r"林檎\d", "林檎", text).replace("(id,name,code)", "(id,name,code,memo)")
    source = Memory(text.encode(), Locator.root("memory", "x"))
    names = [f for f in scan(source, KEY) if isinstance(f, Finding)]
    assert len(names) == rows
    assert {f.kind for f in names} == {"person_name"}

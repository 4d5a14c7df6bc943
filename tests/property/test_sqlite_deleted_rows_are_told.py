"""Rows whose bytes a database still holds are told, whatever was deleted, in every encoding."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.media import Memory
from hakushi.recover import Budget, by_id

CODES = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


def database(count: int, encoding: str, acts: list[str], journal: str = "DELETE") -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        base = sqlite3.connect(path, isolation_level=None)
        base.execute("PRAGMA page_size=1024")
        base.execute(f"PRAGMA encoding='{encoding}'")
        base.execute("PRAGMA secure_delete=OFF")
        base.execute(f"PRAGMA journal_mode={journal}")
        base.execute("CREATE TABLE c (id INTEGER PRIMARY KEY, 氏名 TEXT, mail TEXT, n INTEGER)")
        base.execute("CREATE TABLE other (a TEXT, b TEXT)")
        rows = [(i, "架空 太郎", f"taro{i}@example.jp", i * 999) for i in range(count)]
        base.execute("BEGIN")
        base.executemany("INSERT INTO c VALUES (?,?,?,?)", rows)
        base.execute("COMMIT")
        for act in acts:
            base.execute(act)
        held = [Path(f"{path}-wal").read_bytes()] if journal == "WAL" else []
        base.close()
        return [path.read_bytes(), *held]


def words(format: str, data: bytes) -> str:
    text = by_id(format).text
    assert text is not None
    return "".join(one.chars for one in text(Memory(data), Budget.of(seconds=60)))


ACTS = st.sampled_from(
    [
        "DELETE FROM c",
        "DROP TABLE c",
        *(f"DELETE FROM c WHERE id % {n} = 0" for n in (2, 3, 7)),
        *(f"DELETE FROM c WHERE id BETWEEN {n} AND {n + 60}" for n in (0, 50, 200)),
        "INSERT INTO other VALUES ('x', '" + "y" * 300 + "')",
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 400),
    encoding=st.sampled_from(sorted(CODES)),
    acts=st.lists(ACTS, max_size=3, unique=True),
)
def test_every_row_that_is_still_there_whole_is_told(
    count: int, encoding: str, acts: list[str]
) -> None:
    gone = any("DROP" in act for act in acts)
    acts = [act for act in acts if not gone or "DELETE" not in act]
    data = database(count, encoding, acts)[0]
    told = words("sqlite", data)
    code = CODES[encoding]
    there = [
        mail
        for mail in (f"taro{i}@example.jp" for i in range(count))
        # With its neighbour in the row: part of a row that was written over counts for nothing.
        if ("架空 太郎" + mail).encode(code) in data
    ]
    missing = [mail for mail in there if mail not in told]
    assert len(missing) <= len(there) // 100 + 1


@pytest.mark.parametrize("encoding", sorted(CODES))
def test_a_deleted_row_keeps_its_columns_names(encoding: str) -> None:
    data = database(40, encoding, ["DELETE FROM c WHERE id = 20"])[0]
    text = by_id("sqlite").text
    assert text is not None
    parts = [one for one in text(Memory(data), Budget()) if one.part == "deleted" and one.header]
    assert any(one.chars.startswith("id\t氏名\tmail\tn\n") for one in parts)
    assert any("\t架空 太郎\ttaro20@example.jp\t19980\n" in one.chars for one in parts)


@pytest.mark.parametrize("encoding", sorted(CODES))
def test_the_log_tells_rows_of_every_version(encoding: str) -> None:
    acts = ["UPDATE c SET mail='new@example.jp' WHERE id=3", "DELETE FROM c WHERE id=5"]
    log = database(60, encoding, acts, "WAL")[1]
    told = words("sqlitewal", log)
    assert all(f"taro{i}@example.jp" in told for i in range(60))
    assert "new@example.jp" in told


def test_a_log_ends_behind_its_last_sound_frame() -> None:
    log = database(60, "UTF-8", [], "WAL")[1]
    measure = by_id("sqlitewal").measure
    assert measure is not None
    found = measure(Memory(log + b"\1" * 3000), Budget())
    assert found is not None
    assert found.length == len(log)
    torn = bytearray(log)
    torn[-1] ^= 1
    shorter = measure(Memory(bytes(torn)), Budget())
    assert shorter is not None
    assert shorter.length == len(log) - 1024 - 24

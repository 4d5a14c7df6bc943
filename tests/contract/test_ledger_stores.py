"""What every store of a log keeps, whatever it is made of."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres_server import database

from hakushi.ledger.files import Files
from hakushi.ledger.postgres import Postgres
from hakushi.ledger.sqlite import Sqlite
from hakushi.ledger.store import Memory, Store
from hakushi.model import Conflict, Refused


@pytest.fixture(params=["memory", "files", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield Memory()
    elif request.param == "files":
        files = Files.writing(tmp_path / "log")
        yield files
        files.close()
    elif request.param == "postgres":
        postgres = Postgres.writing(database(request.getfixturevalue("postgres_server")))
        yield postgres
        postgres.close()
    else:
        sqlite = Sqlite.writing(tmp_path / "log.sqlite")
        yield sqlite
        sqlite.close()


def test_is_a_store(store):
    assert isinstance(store, Store)


def test_what_is_put_is_read(store):
    store.put({"tile/0/000": b"one", "tile/entries/x001/000.p/7": b"", "top": b"\0" * 70000})
    assert store.read("tile/0/000") == b"one"
    assert store.read("tile/entries/x001/000.p/7") == b""
    assert store.read("top") == b"\0" * 70000


def test_what_is_not_there_is_none(store):
    store.put({"a/b": b"one"})
    assert store.read("a/c") is None
    assert store.read("a/b/c") is None
    assert store.read("z") is None


def test_objects_never_change(store):
    store.put({"a/b": b"one"})
    store.put({"a/b": b"one"})
    with pytest.raises(Conflict):
        store.put({"a/b": b"two"})
    assert store.read("a/b") == b"one"


def test_a_cell_changes_from_what_it_was_only(store):
    with pytest.raises(Conflict):
        store.swap("cell", b"zero", b"one")
    assert store.read("cell") is None
    store.swap("cell", None, b"one")
    with pytest.raises(Conflict):
        store.swap("cell", None, b"two")
    with pytest.raises(Conflict):
        store.swap("cell", b"zero", b"two")
    store.swap("cell", b"one", b"two")
    store.swap("cell", b"two", b"two")
    assert store.read("cell") == b"two"


def test_names_below_a_prefix(store):
    assert store.names("a/") == []
    store.put({"a/2": b"", "a/1.p/3": b"", "a/b/c": b"", "ab": b"", "z": b""})
    assert store.names("a/") == ["a/1.p/3", "a/2", "a/b/c"]
    assert store.names("a/1.p/") == ["a/1.p/3"]


def test_what_is_removed_is_gone(store):
    store.put({"a/000.p/1": b"1", "a/000.p/2": b"2", "a/000": b"3"})
    store.remove(["a/000.p/1", "a/000.p/9"])
    assert store.names("a/") == ["a/000", "a/000.p/2"]
    store.remove(["a/000.p/2"])
    store.put({"a/000.p/1": b"other"})
    assert store.read("a/000.p/1") == b"other"


def test_what_conflicts_changes_nothing_of_its_object(store):
    store.put({"a": b"one"})
    with pytest.raises(Conflict):
        store.put({"a": b"two", "b": b"three"})
    assert store.read("a") == b"one"


# --- those that last ------------------------------------------------------------------------

LASTING = pytest.mark.parametrize("kind", [Files, Sqlite])


@LASTING
def test_what_was_kept_is_there_for_the_next(kind, tmp_path):
    first = kind.writing(tmp_path / "log")
    first.put({"a/b": b"one"})
    first.swap("cell", None, b"two")
    first.close()
    again = kind.writing(tmp_path / "log")
    assert (again.read("a/b"), again.read("cell")) == (b"one", b"two")
    again.close()


@LASTING
def test_one_writer_at_a_time(kind, tmp_path):
    first = kind.writing(tmp_path / "log")
    with pytest.raises(Refused, match="Another process writes"):
        kind.writing(tmp_path / "log")
    first.close()
    kind.writing(tmp_path / "log").close()


@LASTING
def test_a_reader_needs_no_lock_and_cannot_write(kind, tmp_path):
    writer = kind.writing(tmp_path / "log")
    writer.put({"a": b"one"})
    reader = kind(tmp_path / "log")
    assert reader.read("a") == b"one"
    for write in (
        lambda: reader.put({"b": b"two"}),
        lambda: reader.swap("b", None, b"two"),
        lambda: reader.remove(["a"]),
    ):
        with pytest.raises(Refused, match="reading only"):
            write()
    writer.put({"c": b"three"})
    assert reader.read("c") == b"three"
    if isinstance(reader, Sqlite):
        reader.close()
    writer.close()


@LASTING
def test_files_are_for_their_owner_alone(kind, tmp_path):
    (tmp_path / "in").mkdir(0o700)
    store = kind.writing(tmp_path / "in" / "log")
    store.put({"tile/entries/000": b"one"})
    store.swap("cell", None, b"one")
    for path in (tmp_path / "in").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    store.close()


def test_what_is_no_database_is_an_error_of_the_system(tmp_path):
    (tmp_path / "log").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(OSError, match="not a database"):
        Sqlite.writing(tmp_path / "log")
    with pytest.raises(OSError, match="unable to open"):
        Sqlite(tmp_path / "gone")


# --- files alone ----------------------------------------------------------------------------


def test_half_a_file_is_nothing(tmp_path):
    store = Files.writing(tmp_path)
    (tmp_path / "tile").mkdir()
    (tmp_path / "tile" / "000.new").write_bytes(b"hal")
    assert store.names("tile/") == []
    store.put({"tile/000": b"whole"})
    assert store.names("tile/") == ["tile/000"]
    store.close()


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_no_name_leads_outside(tmp_path, name):
    store = Files.writing(tmp_path)
    with pytest.raises(ValueError, match="no name"):
        store.put({name: b""})
    store.close()

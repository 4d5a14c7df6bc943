"""What every store of a log keeps, whatever it is made of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hakushi.ledger.files import Files
from hakushi.ledger.store import Memory, Store
from hakushi.model import Conflict, Refused


@pytest.fixture(params=["memory", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield Memory()
    else:
        files = Files.writing(tmp_path / "log")
        yield files
        files.close()


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


# --- files alone ----------------------------------------------------------------------------


def test_one_writer_at_a_time(tmp_path):
    first = Files.writing(tmp_path)
    with pytest.raises(Refused, match="Another process writes"):
        Files.writing(tmp_path)
    first.close()
    Files.writing(tmp_path).close()


def test_a_reader_needs_no_lock_and_cannot_write(tmp_path):
    writer = Files.writing(tmp_path)
    writer.put({"a": b"one"})
    reader = Files(tmp_path)
    assert reader.read("a") == b"one"
    for write in (
        lambda: reader.put({"b": b"two"}),
        lambda: reader.swap("b", None, b"two"),
        lambda: reader.remove(["a"]),
    ):
        with pytest.raises(Refused, match="reading only"):
            write()
    writer.close()


def test_files_are_for_their_owner_alone(tmp_path):
    store = Files.writing(tmp_path / "log")
    store.put({"tile/entries/000": b"one"})
    store.swap("cell", None, b"one")
    store.close()
    for path in [tmp_path / "log", *(tmp_path / "log").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


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

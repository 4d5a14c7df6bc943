"""A log that Tessera (Go) wrote: its checkpoints, tiles and bundles read and verify here, and our
own writer makes the same bytes from the same entries."""

from pathlib import Path

import pytest

from hakushi.ledger.audit import audit
from hakushi.ledger.keys import Signer, Verifier
from hakushi.ledger.log import Log
from hakushi.ledger.merkle import consistency_holds
from hakushi.ledger.note import Note
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import check
from hakushi.ledger.store import Memory
from hakushi.ledger.view import View

LOG = Path(__file__).resolve().parents[1] / "vectors" / "tessera" / "testdata" / "log"
# The key pair that Tessera's tests publish with this log.
PUBLIC = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
SECRET = (
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
)
POLICY = Policy.of_log(Verifier.parse(PUBLIC))
SIZES = range(1, 16)


def read(name: str) -> bytes | None:
    path = LOG / name
    return path.read_bytes() if path.is_file() else None


def note(size: int) -> bytes:
    return (LOG / f"checkpoint.{size}").read_bytes()


def test_the_key_pair_is_one():
    assert str(Signer.parse(SECRET).verifier) == PUBLIC


@pytest.mark.parametrize("size", range(16))
def test_every_tree_holds(size):
    found = audit(read, note(size), POLICY)
    assert found.failures == ()
    assert found.head is not None
    assert found.head.size == size


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_has_a_receipt(size):
    view = View(read, note(size))
    for index in range(size):
        assert check(view.receipt(index), POLICY).holds


@pytest.mark.parametrize("size", SIZES)
def test_every_tree_begins_every_later_one(size):
    view = View(read, note(size))
    for before in range(1, size + 1):
        root = View(read, note(before)).head.root
        assert consistency_holds(before, size, view.consistency(before), root, view.head.root)
        assert audit(read, note(size), POLICY, note(before)).holds


def test_our_writer_makes_the_same_bytes():
    store = Memory()
    log = Log.create(store, [Signer.parse(SECRET)], lambda: 0)
    assert store.read("checkpoint") == note(0)
    for size, entry in enumerate(View(read, note(15)).entries(), 1):
        log.append(entry)
        assert store.read("checkpoint") == note(size)
        for name in (f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"):
            assert store.read(name) == read(name)


def test_the_checkpoint_in_force_is_the_last():
    assert read("checkpoint") == note(15)
    assert Note.parse(note(15)).signatures[0].name == "example.com/log/testdata"

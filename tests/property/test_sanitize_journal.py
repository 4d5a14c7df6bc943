"""A journal torn or changed anywhere is believed only up to there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.model import Drive, Extent, Extents, Refused
from hakushi.sanitize.journal import Done, Journal, open_journal

DRIVE = Drive("/dev/none", "S/../1", 1 << 30)
entries = st.lists(
    st.one_of(
        st.tuples(
            st.just("wrote"),
            st.integers(0, 1),
            st.integers(0, 1 << 30),
            st.lists(st.builds(Extent, st.integers(0, 1 << 20), st.integers(1, 4096)), max_size=3),
        ),
        st.tuples(st.just("verified"), st.integers(0, 1)),
        st.tuples(st.just("restarted"), st.just("why")),
    ),
    max_size=8,
)


def _open(folder: Path) -> Journal:
    return open_journal(folder, DRIVE, "overwrite", "p", 0.0)


def _states(journal: Journal, steps: list) -> list[tuple[int, Done]]:
    """(bytes of the file, what it adds up to) after each entry."""
    states = [(journal.path.stat().st_size, Done())]
    for name, *args in steps:
        getattr(journal, name)(*args)
        done = journal.done
        kept = Done(done.number, done.to, done.failed, done.verified, {}, done.sampled)
        states.append((journal.path.stat().st_size, kept))
    return states


@settings(max_examples=60, deadline=None)
@given(entries, st.data())
def test_a_journal_cut_anywhere_tells_its_whole_entries(steps, data):
    with tempfile.TemporaryDirectory() as folder:
        journal = _open(Path(folder))
        states = _states(journal, steps)
        journal.close()
        cut = data.draw(st.integers(states[0][0], states[-1][0]))
        with journal.path.open("r+b") as file:
            file.truncate(cut)
        again = _open(Path(folder))
        expected = [done for size, done in states if size <= cut][-1]
        assert again.path == journal.path
        assert again.done == expected
        again.wrote(0, 5)
        again.close()
        third = _open(Path(folder))
        assert third.done.to == 5
        third.close()


@settings(max_examples=60, deadline=None)
@given(entries, st.data())
def test_a_changed_byte_is_never_believed(steps, data):
    with tempfile.TemporaryDirectory() as folder:
        journal = _open(Path(folder))
        states = _states(journal, steps)
        journal.close()
        raw = bytearray(journal.path.read_bytes())
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] ^= data.draw(st.sampled_from([1, 2, 4, 0x20]))
        journal.path.write_bytes(raw)
        again = _open(Path(folder))
        if again.path == journal.path:
            assert again.done == [done for size, done in states if size <= at][-1]
        else:
            assert again.done == Done()
        again.close()


def test_a_finished_journal_is_no_evidence_for_a_later_run(tmp_path):
    first = _open(tmp_path)
    key = first.key
    first.wrote(0, 1 << 30)
    first.ended("completed")
    second = _open(tmp_path)
    assert second.path != first.path
    assert second.done == Done()
    assert second.key != key
    assert list(tmp_path.glob("*.key")) == [second.path.with_suffix(".key")]
    second.close()


def test_a_journal_belongs_to_one_drive_and_one_way(tmp_path):
    first = _open(tmp_path)
    first.wrote(0, 4096)
    first.close()
    others = [
        (Drive("/dev/none", "S/../1", 1 << 31), "overwrite", "p"),
        (Drive("/dev/none", "S2", 1 << 30), "overwrite", "p"),
        (Drive("/dev/none", "S/../1", 1 << 30, wwn="5"), "overwrite", "p"),
        (DRIVE, "other", "p"),
        (DRIVE, "overwrite", "q"),
    ]
    for drive, technique, policy in others:
        journal = open_journal(tmp_path, drive, technique, policy, 0.0)
        assert journal.done == Done()
        assert journal.path.parent == tmp_path
        journal.close()


def test_one_journal_is_held_by_one_run(tmp_path):
    first = _open(tmp_path)
    with pytest.raises(Refused):
        _open(tmp_path)
    first.close()


def test_without_its_key_a_journal_is_worth_nothing(tmp_path):
    first = _open(tmp_path)
    first.wrote(0, 4096, Extents())
    first.close()
    first.path.with_suffix(".key").unlink()
    assert _open(tmp_path).done == Done()

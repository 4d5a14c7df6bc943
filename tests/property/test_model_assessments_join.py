"""`Assessment` is a join: any order, any grouping, any repetition comes to the same whole."""

import copy
import pickle
from dataclasses import fields, replace
from functools import reduce
from operator import or_

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.model import (
    CELL,
    CLASSES,
    SECTOR,
    Artifact,
    Assessment,
    Cell,
    Class,
    Damage,
    Extent,
    Extents,
    Finding,
    Locator,
    Role,
    Run,
    State,
    Strength,
)

# Few keys, so that two assessments often speak of the same thing and disagree.
ROOT = Locator.root("image", "ab12")
locators = st.sampled_from([ROOT.step("ntfs", n) for n in range(3)])
extents = st.builds(Extent, st.integers(0, 40), st.integers(0, 20))
sets = st.lists(extents, max_size=4).map(Extents)
runs = st.lists(st.builds(Run, st.none() | st.integers(0, 2), st.integers(0, 2)), max_size=2)
ARTIFACT = {
    "locator": locators,
    "kind": st.sampled_from(["", "pdf", "zip"]),
    "state": st.sampled_from(State),
    "size": st.integers(0, 2),
    "runs": st.none() | runs.map(tuple),
    "path": st.none() | st.sampled_from(["", "a", "b"]),
    "role": st.sampled_from(Role),
    "complete": st.booleans(),
    "sha256": st.none() | st.sampled_from(["", "00", "ff"]),
    "modified": st.none() | st.integers(-1, 1),
    "nested": st.booleans(),
    "changed": st.none() | st.integers(-1, 1),
}
artifacts = st.builds(Artifact, **ARTIFACT)
classes = st.lists(st.tuples(st.integers(0, len(CLASSES) - 1), st.integers(0, 3)), max_size=3)
CELLS = {
    "offset": st.sampled_from([0, CELL]),
    "length": st.sampled_from([SECTOR, 3 * SECTOR, CELL]),
    "classes": classes.map(tuple),
    "candidates": st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["a", "b"]))).map(tuple),
    "histogram": st.sampled_from([(), (0,) * 256, (1,) * 256]),
    "records": st.sampled_from([(), ((0, 512, "a"),), ((0, 512, "b"),), ((512, 512, "a"),)]),
}
cells = st.builds(Cell, **CELLS)
findings = st.builds(
    Finding,
    kind=st.sampled_from(["phone", "email"]),
    locator=locators,
    extent=extents,
    strength=st.sampled_from(Strength),
    masked=st.sampled_from(["", "***"]),
    key=st.binary(max_size=1),
)
damages = st.builds(Damage, locators, st.sampled_from(["torn", "budget"]))
assessments = st.builds(
    Assessment,
    seen=sets,
    unreadable=sets,
    cells=st.lists(cells, max_size=3).map(lambda some: {c.offset: c for c in some}),
    artifacts=st.lists(artifacts, max_size=4).map(lambda some: {a.locator: a for a in some}),
    findings=st.frozensets(findings, max_size=3),
    damage=st.frozensets(damages, max_size=3),
)


@given(assessments, assessments)
def test_in_any_order(a, b):
    assert a | b == b | a


@given(assessments, assessments, assessments)
def test_regrouped(a, b, c):
    assert (a | b) | c == a | (b | c)


@given(assessments)
def test_sent_to_another_process(a):
    assert pickle.loads(pickle.dumps(a)) == a
    assert copy.copy(a) == a


@given(assessments)
def test_repeated(a):
    assert a | a == a


@given(assessments)
def test_with_a_zero(a):
    assert a | Assessment() == a
    assert Assessment() | a == a


@given(st.lists(assessments, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_shuffled_and_sent_twice(parts, random):
    """What a crash and a re-run, or a network that repeats itself, do to a list of parts."""
    again = parts + random.choices(parts, k=3)
    random.shuffle(again)
    assert reduce(or_, again) == reduce(or_, parts)


@given(assessments, assessments)
def test_nothing_bad_is_lost(a, b):
    whole = a | b
    assert whole.damage >= a.damage | b.damage
    assert whole.findings >= a.findings | b.findings
    assert not (a.unreadable | b.unreadable) - whole.unreadable
    assert set(whole.artifacts) == {*a.artifacts, *b.artifacts}


@given(artifacts, artifacts)
def test_artifacts_of_equal_rank_are_equal(a, b):
    """Under one locator: else the side that is joined first would win."""
    if a.locator == b.locator:
        assert (a.rank() == b.rank()) == (a == b)
        assert a.rank() <= b.rank() or b.rank() <= a.rank()


@pytest.mark.parametrize(
    ("made", "strategies", "key"), [(Artifact, ARTIFACT, "locator"), (Cell, CELLS, "offset")]
)
class TestEveryFieldCounts:
    def test_is_drawn_here(self, made, strategies, key):
        assert set(strategies) == {one.name for one in fields(made)}

    @given(data=st.data())
    def test_counts_in_the_rank(self, made, strategies, key, data):
        a = data.draw(st.builds(made, **strategies))
        name = data.draw(st.sampled_from(sorted(set(strategies) - {key})))
        b = replace(a, **{name: data.draw(strategies[name])})
        assert (a.rank() == b.rank()) == (a == b)


@given(cells, cells)
def test_cells_of_equal_rank_are_equal(a, b):
    if a.offset == b.offset:
        assert (a.rank() == b.rank()) == (a == b)
        assert a.rank() <= b.rank() or b.rank() <= a.rank()


@given(cells, cells)
def test_a_cell_that_was_read_better_stays(a, b):
    b = replace(b, offset=a.offset, length=a.length)
    one = Assessment(cells={a.offset: a}) | Assessment(cells={b.offset: b})
    unread = [c.bytes_of(Class.UNREAD) for c in (a, b)]
    assert one.cells[a.offset].bytes_of(Class.UNREAD) == min(unread)

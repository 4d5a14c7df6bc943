"""`Extents` equals the set of its integers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hakushi.model import Extent, Extents

runs = st.lists(st.builds(Extent, st.integers(0, 60), st.integers(0, 20)), max_size=8)


def integers(some: list[Extent] | Extents) -> set[int]:
    return {x for run in some for x in range(run.offset, run.end)}


@given(runs)
def test_holds_the_integers_of_its_runs(some):
    whole = Extents(some)
    assert integers(whole) == integers(some)
    assert whole.size == len(integers(some))
    assert bool(whole) == bool(integers(some))


@given(runs)
def test_runs_are_sorted_and_neither_touch_nor_overlap(some):
    held = list(Extents(some))
    assert all(run.length for run in held)
    assert all(a.end < b.offset for a, b in pairwise(held))
    assert len(Extents(some)) == len(held)


@given(runs, runs)
def test_or_and_minus_are_those_of_sets(a, b):
    x, y = Extents(a), Extents(b)
    assert integers(x | y) == integers(a) | integers(b)
    assert integers(x & y) == integers(a) & integers(b)
    assert integers(x - y) == integers(a) - integers(b)


@given(runs, runs)
def test_results_have_one_form(a, b):
    """Equal sets are equal values with equal hashes, however they came about."""
    x, y = Extents(a), Extents(b)
    for result in (x | y, x & y, x - y):
        again = Extents(Extent(n, 1) for n in integers(result))
        assert result == again
        assert hash(result) == hash(again)
    assert (x == y) == (integers(a) == integers(b))


@given(runs, st.integers(-5, 100))
def test_membership_is_that_of_the_set(some, at):
    assert (at in Extents(some)) == (at in integers(some))


@given(runs, st.integers(1, 1 << 62))
def test_size_of_bytes_does_not_matter(some, far):
    """The same runs far out on a drive of any size behave alike."""
    moved = Extents(Extent(run.offset + far, run.length) for run in some)
    assert [(r.offset - far, r.length) for r in moved] == [
        (r.offset, r.length) for r in Extents(some)
    ]

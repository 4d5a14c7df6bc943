"""What a `Cell` says of its sectors adds up to the cell."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from hakushi.model import CELL, CLASSES, SECTOR, Cell, Class, Extent, Extents


@st.composite
def cells(draw):
    """A cell whose map covers it exactly, as triage makes them; the last sector may be cut."""
    runs = draw(st.lists(st.tuples(st.integers(0, len(CLASSES) - 1), st.integers(1, 50))))
    sectors = sum(count for _, count in runs)
    cut = draw(st.integers(0, SECTOR - 1)) if runs else 0
    offset = draw(st.integers(0, 1 << 40)) * CELL
    return Cell(offset, sectors * SECTOR - cut, tuple(runs))


@given(cells())
def test_classes_share_out_all_bytes(cell):
    assert sum(cell.bytes_of(which) for which in Class) == cell.length


@given(cells())
def test_extents_hold_the_bytes_of_their_class(cell):
    for which in Class:
        assert cell.extents_of(which).size == cell.bytes_of(which)


@given(cells())
def test_extents_of_classes_tile_the_cell(cell):
    parts = [cell.extents_of(which) for which in Class]
    whole = Extents([Extent(cell.offset, cell.length)])
    assert Extents(run for part in parts for run in part) == whole
    assert not any(a & b for a, b in combinations(parts, 2))

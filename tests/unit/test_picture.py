"""The picture of a medium: every byte once, under the look that matters most, and nothing lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.assess.picture import COLUMNS, LOOKS, ROWS, draw, outline
from hakushi.model import SECTOR

CLASSES = ("zero", "constant", "random_like", "structured", "unread")
OWNERS = ("live", "deleted", "carved", "structure")
RANKS = ("unread", "live", "deleted", "carved", "structure")
"""What hides what, before the classes."""

sizes = st.integers(0, 3000)


def runs(names: tuple[str, ...]) -> st.SearchStrategy[list[tuple[int, int, str]]]:
    place = st.integers(-10, 3100)
    return st.lists(st.tuples(place, st.integers(0, 2000), st.sampled_from(names)), max_size=8)


def disjoint(size: int, lengths: list[int]) -> list[tuple[int, int, str]]:
    at, out = 0, []
    for i, length in enumerate(lengths):
        out.append((at, min(length, max(size - at, 0)), CLASSES[(i * 7 + length) % 5]))
        at += length
    return out


@given(sizes, st.lists(st.integers(1, 900), max_size=6), runs(OWNERS))
def test_equals_painting_byte_by_byte(size, lengths, owned):
    classes = disjoint(size, lengths)
    owned = [run for run in owned if run[0] >= 0]
    bytewise = ["unread"] * size
    for at, length, name in classes:
        bytewise[at : at + length] = [name] * length
    for name in reversed(RANKS[1:]):
        for at, length, owner in owned:
            for i in range(at, min(at + length, size)):
                if owner == name and bytewise[i] != "unread":
                    bytewise[i] = name
    picture = draw(size, classes, owned)
    assert picture.totals == {look: bytewise.count(look) for look in LOOKS}
    for strip in (s for row in picture.rows for s in row):
        here = bytewise[strip.offset : strip.offset + strip.length]
        assert dict(strip.parts) == {look: here.count(look) for look in set(here)}


@given(st.integers(1, 1 << 62), runs(CLASSES), runs(OWNERS))
def test_covers_the_medium_once_in_a_grid_that_fits(size, classes, owned):
    picture = draw(size, classes, owned)
    strips = [strip for row in picture.rows for strip in row]
    assert picture.tile % SECTOR == 0
    assert len(picture.rows) <= ROWS
    assert all(sum(s.span for s in row) <= COLUMNS for row in picture.rows)
    assert strips[0].offset == 0
    assert strips[-1].offset + strips[-1].length == size
    assert all(a.offset + a.length == b.offset for a, b in pairwise(strips))


@pytest.mark.parametrize("size", [512, 4 << 20, 3_000_592_982_016, 20_000_588_955_648, 1 << 50])
def test_one_deleted_sector_is_marked_on_any_medium(size):
    picture = draw(size, [(0, size, "zero")], [(size - 512, 512, "deleted")])
    last = picture.rows[-1][-1]
    assert "deleted" in (last.main, last.mark)
    assert picture.totals["deleted"] == 512
    assert sum(picture.totals.values()) == size


def test_one_unread_sector_is_marked():
    picture = draw(1 << 40, [(0, 1 << 39, "zero"), ((1 << 39) + 512, 1 << 40, "zero")], [])
    gaps = [s for row in picture.rows for s in row if s.gap]
    assert [dict(s.parts)["unread"] for s in gaps] == [512]


def test_what_no_run_speaks_of_or_names_strangely_is_not_read():
    assert draw(4096, [], []).totals["unread"] == 4096
    assert draw(4096, [(0, 4096, "zero"), (0, 512, "glitter")], []).totals["unread"] == 512


@pytest.mark.parametrize("far", [1 << 63, 1 << 200])
def test_runs_that_lie_beyond_the_medium_are_cut(far):
    picture = draw(4096, [(0, 4096, "zero")], [(far, 512, "live"), (1024, far, "live")])
    assert picture.totals["live"] == 3072


def test_no_bytes_no_tiles():
    assert draw(0, [], [(0, 10, "live")]).rows == ()


@given(st.integers(1, 1 << 50), runs(CLASSES), runs(OWNERS))
def test_a_drawing_has_each_look_once_and_every_tile(size, classes, owned):
    picture = draw(size, classes, owned)
    strips = [strip for row in picture.rows for strip in row]
    drawing = outline(picture)
    assert {look for look, _ in drawing.fills} == {strip.main for strip in strips}
    assert len(drawing.fills) == len(dict(drawing.fills))
    assert sum(path.count("M") for _, path in drawing.fills) == len(strips)
    marked = {look: sum(s.span for s in strips if s.mark == look) for look, _ in drawing.marks}
    assert {look: path.count("M") for look, path in drawing.marks} == marked
    assert {s.mark for s in strips} - {None} == marked.keys()
    assert drawing.gaps.count("M") == sum(s.span for s in strips if s.gap)
    assert drawing.lines.count("M") == sum(s.span for s in strips)

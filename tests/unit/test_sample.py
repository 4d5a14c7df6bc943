"""The mathematics of sampling, against published figures and exact counting."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.assess.sample import BLOCK, Bound, drawn, miss, offsets, parse
from hakushi.model import Refused

TERA8 = 8 * 10**12


@pytest.mark.parametrize(
    ("residue", "confidence", "blocks"),
    [
        (TERA8 // 100, 0.95, 299),
        (TERA8 // 100, 0.99, 459),
        (10**9, 0.95, 23_965),
        (100 << 20, 0.99, 351_313),
    ],
)
def test_published_sample_sizes_for_8_tb(residue, confidence, blocks):
    assert drawn(TERA8, Bound(residue, confidence)) == blocks


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))
def test_miss_equals_counting(blocks, residual, number):
    residual, number = min(residual, blocks), min(number, blocks)
    exact = comb(blocks - residual, number) / comb(blocks, number)
    assert miss(blocks, residual, number) == pytest.approx(exact, abs=1e-9)


@given(st.integers(BLOCK, 1 << 40), st.integers(1, 500), st.integers(0, 2**64 - 1))
def test_blocks_are_drawn_once_each_and_inside(size, number, seed):
    got = list(offsets(size, number, seed))
    assert got == sorted(set(got))
    assert len(got) == min(number, -(-size // BLOCK))
    assert all(at % BLOCK == 0 and 0 <= at < size for at in got)


def test_bounds_are_read():
    assert parse("100MiB@99%") == Bound(100 << 20, 0.99)
    assert parse("1GB@95%") == Bound(10**9, 0.95)


@pytest.mark.parametrize("text", ["", "100MiB", "0MiB@99%", "1GiB@100%", "-1GiB@95%", "1GiB@0%"])
def test_other_bounds_are_refused(text):
    with pytest.raises(Refused):
        parse(text)

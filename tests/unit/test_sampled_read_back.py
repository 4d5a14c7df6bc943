"""A policy that reads back a sample: where it looks, what it could miss, and what is said of it."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.app.dispose import Options, assess_afterwards, dispose_all
from hakushi.lang import say
from hakushi.media import simulated
from hakushi.sanitize import ReadBack, builtin_policies, find_policy, sampling

GIB, MIB = 1 << 30, 1 << 20


@given(st.integers(0, 1 << 44), st.sampled_from([4096, 8192, 65536]), st.integers())
def test_a_tenth_is_read_in_order_in_every_section_and_at_both_ends(size, unit, seed):
    size = size // unit * unit + unit
    read = sampling.parts(size, unit, random.Random(seed))
    assert read[0].offset == 0
    assert read[-1].end == size
    assert all(a.end < b.offset for a, b in pairwise(read))
    assert all(one.offset % unit == 0 for one in read)
    total = sum(one.length for one in read)
    if size > 256 * MIB:
        assert total > 0.098 * size
        assert total < 0.11 * size or size < 400_000 * unit
        assert len({one.offset * 1000 // size for one in read}) > 950
    else:
        assert total == size


def test_the_bound_is_met_by_chance_as_often_as_it_says():
    """Old data in one stretch of the bound's size: the sample meets it nearly always."""
    size, unit, chance = 8 * GIB, 4096, random.Random(7)
    missed = 0
    for _ in range(300):
        read = sampling.parts(size, unit, chance)
        length = sampling.bound(size, read)
        start = chance.randrange(0, size - length)
        missed += not any(one.offset < start + length and start < one.end for one in read)
    assert missed <= 3
    assert sampling.bound(100, sampling.parts(100, 4, chance)) == 0


def test_one_policy_samples_and_the_others_read_everything():
    sampled = [one.id for one in builtin_policies() if one.read_back is ReadBack.SAMPLE]
    assert sampled == ["nist-r1-sampling"]


def run(path, **faults):
    named = {name.replace("_", "-"): value for name, value in faults.items()}
    simulated.create(path, 300 * MIB, serial="S1", faults=named)
    options = Options(
        "nist-r1-sampling", erase=frozenset({"S1"}), evidence=path.with_name("evidence")
    )
    assess = assess_afterwards(1, "nist-r1-sampling")
    [done] = dispose_all([f"sim:{path}"], options, assess, lambda _: None)
    return done


def test_what_was_sampled_is_completed_with_its_bound_and_never_clean(tmp_path):
    done = run(tmp_path / "d")
    assert (done.outcome, done.verdict, done.code) == ("completed", "inconclusive", 4)
    said = say(done.reasons[0], "en")
    assert "A sample was read back" in said
    assert "99 % confidence" in said
    assert "{" not in say(done.reasons[0], "ja")
    evidence = done.evidence.read_text()
    assert "sampled read-back" in evidence
    assert find_policy("nist-r1-sampling").why.of("ja")


@pytest.mark.parametrize(
    "faults", [{"drops_writes": None}, {"drops_writes_after": 150 * MIB}, {"aliases": 200 * MIB}]
)
def test_a_drive_that_drops_or_moves_writes_does_not_pass_the_sample(tmp_path, faults):
    assert run(tmp_path / "d", **faults).outcome == "failed"

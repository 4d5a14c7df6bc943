"""Where a thing ends does not depend on what follows it; what is broken is not called whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.format_samples import Sample, noise, samples

from hakushi.media import Memory
from hakushi.model import Malformed
from hakushi.recover import Budget, Measure, by_id

CARVED = [s for s in samples() if s.carved]
TAILS = st.one_of(
    st.binary(max_size=700),
    st.integers(0, 5000).map(bytes),
    st.integers(0, 99).map(lambda seed: noise(4096, seed)),
    st.sampled_from([s.data[:3000] for s in samples()]).map(lambda data: bytes(512) + data),
)


def measure(sample: Sample, data: bytes) -> Measure | None:
    function = by_id(sample.format).measure
    assert function is not None
    try:
        return function(Memory(data), Budget.of(seconds=20))
    except Malformed:
        return None


def named(found: list[Sample]) -> list:
    return [pytest.param(one, id=one.name) for one in found]


@pytest.mark.parametrize("sample", named(CARVED))
@settings(max_examples=20, deadline=None)
@given(tail=TAILS)
def test_the_end_is_exact_whatever_follows(sample: Sample, tail: bytes) -> None:
    found = measure(sample, sample.data + tail)
    assert found is not None
    assert (found.length, found.complete) == (len(sample.data), sample.sure)
    assert sample.kind in {None, found.kind}


@pytest.mark.parametrize("sample", named([s for s in CARVED if not s.grown]))
@settings(max_examples=20, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_part_is_never_whole(sample: Sample, share: float) -> None:
    data = sample.data[: int(share * (len(sample.data) - 2))]
    found = measure(sample, data)
    assert found is None or not found.complete
    assert found is None or found.length <= len(data)


@pytest.mark.parametrize("sample", named([s for s in CARVED if s.checked]))
@settings(max_examples=20, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), seed=st.integers(0, 99))
def test_bytes_of_another_file_inside_are_noticed(sample: Sample, share: float, seed: int) -> None:
    at = int(share * (len(sample.data) - 64))
    data = sample.data[:at] + noise(64, seed) + sample.data[at + 64 :]
    found = measure(sample, data)
    assert found is None or not found.complete


@pytest.mark.parametrize("sample", named(CARVED))
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99))
def test_a_break_at_a_sector_is_noticed(sample: Sample, seed: int) -> None:
    """What follows the first half is another file's, up to the end of the medium."""
    half = len(sample.data) // 1024 * 512
    if half == 0:
        return
    found = measure(sample, sample.data[:half] + noise(len(sample.data) + 8192, seed))
    assert found is None or not found.complete

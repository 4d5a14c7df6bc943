"""What every format promises, over every one that is registered."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.format_samples import Sample, samples

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Malformed, Text
from hakushi.recover import Format, by_id, identify, reach, registered

FORMATS = registered()
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def purse() -> object:
    from hakushi.recover import Budget

    return Budget.of(seconds=20, output=32 << 20, artifacts=500, steps=200_000)


def named(found: list) -> list:
    return [pytest.param(one, id=getattr(one, "id", None) or one.name) for one in found]


def exercise(one: Format, data: bytes) -> None:
    """Every function of the format over the bytes: only `Malformed` comes out, laws hold."""
    source = Memory(data)
    try:
        if not one.probe(source):
            return
    except Malformed:
        return
    for act in (measured, joined, opened, read):
        try:
            act(one, source)
        except Malformed:
            continue


def measured(one: Format, source: Memory) -> None:
    if one.measure is None:
        return
    found = one.measure(source, purse())
    assert found is None or found.more <= (not found.complete)
    assert found is None or (0 if found.more else 1) <= found.length <= source.size
    assert found is None or one.narrows or found.kind in (None, "", one.id)


def joined(one: Format, source: Memory) -> None:
    places = range(256, source.size, 512)
    if one.seams is not None:
        apart = one.seams(source, purse(), places)
        assert len(apart) == len(places)
        assert all(one >= 0 for one in apart)
    goes_on = one.goes_on(source, purse()) if one.goes_on else None
    if goes_on is not None:
        for data in (b"", bytes(4096), b"\xff" * 4096, source.read(Extent(0, 8192))):
            assert goes_on(data) >= 0


def opened(one: Format, source: Memory) -> None:
    for found in one.open(source, purse()):
        assert isinstance(found, (Artifact, Damage))
        if isinstance(found, Damage):
            continue
        assert found.locator.names[:-1] == source.locator.names
        assert all(r.at is None or r.at + r.length <= source.size for r in found.runs or ())
        if found.size and found.runs is None and one.member is not None:
            try:
                inside = one.member(source, found.locator.last[1])
            except Malformed:
                continue
            inside.read(Extent(0, min(inside.size, 4096)))


def read(one: Format, source: Memory) -> None:
    if one.text is None:
        return
    for text in one.text(source, purse()):
        assert isinstance(text, Text)
        for row in text.cells:
            for start, end in row:
                assert 0 <= start <= end <= len(text.chars)


def test_ids_are_unique_and_plain() -> None:
    ids = [one.id for one in FORMATS]
    assert len(set(ids)) == len(ids)
    assert all(id.isascii() and id.replace("-", "").isalnum() for id in ids)
    assert all(by_id(id).id == id for id in ids)


@pytest.mark.parametrize("one", named(FORMATS))
def test_nothing_is_none_of_them(one: Format) -> None:
    for data in (b"", b"\0", bytes(4096), b"\xff" * 4096):
        exercise(one, data)
        if one.measure is not None:
            with contextlib.suppress(Malformed):
                assert one.measure(Memory(data), purse()) is None


@pytest.mark.parametrize("one", named(FORMATS))
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(noise=st.binary(max_size=3000), zeros=st.integers(0, 2000))
def test_random_bytes_behind_a_magic_raise_only_malformed(
    one: Format, noise: bytes, zeros: int
) -> None:
    for magic in one.magics or ():
        data = bytearray(max(len(noise), magic.at + len(magic.value)))
        data[: len(noise)] = noise
        data[magic.at : magic.at + len(magic.value)] = magic.value
        exercise(one, bytes(data) + bytes(zeros))
    exercise(one, noise)


FIELDS = [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\1"]


@pytest.mark.parametrize("sample", named(samples()))
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(
    edits=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True) | st.integers(0, 600),
            st.sampled_from(FIELDS) | st.binary(min_size=1, max_size=8),
        ),
        max_size=5,
    ),
    keep=st.floats(0, 1) | st.just(1.0),
)
@example(edits=[], keep=1.0)
def test_half_right_bytes_raise_only_malformed(
    sample: Sample, edits: list[tuple[float, bytes]], keep: float
) -> None:
    data = bytearray(sample.data)
    for where, value in edits:
        at = int(where * len(data)) if isinstance(where, float) else min(where, len(data))
        data[at : at + len(value)] = value
    exercise(by_id(sample.format), bytes(data[: int(keep * len(data))]))


@pytest.mark.parametrize("sample", named(samples()))
def test_a_real_file_is_known(sample: Sample) -> None:
    one = identify(Memory(sample.data))
    assert one is not None
    assert one.id == sample.format


@pytest.mark.parametrize("sample", named(s for s in samples() if s.says))
def test_a_document_tells_its_words(sample: Sample) -> None:
    text = by_id(sample.format).text
    assert text is not None
    assert any(sample.says in one.chars for one in text(Memory(sample.data), purse()))


@pytest.mark.parametrize("sample", named(samples()))
def test_members_are_a_pure_function_of_the_bytes(sample: Sample) -> None:
    source, one = Memory(sample.data), by_id(sample.format)
    found = [a for a in one.open(source, purse()) if isinstance(a, Artifact)]
    for artifact in found:
        if artifact.role.value != "content" or not artifact.size:
            continue
        inside = reach(source, artifact.locator, lambda _, a=artifact: a)
        again = reach(source, artifact.locator, lambda _, a=artifact: a)
        assert inside.size == artifact.size
        data = inside.read(Extent(0, inside.size))
        assert len(data) == inside.size
        assert again.read(Extent(5, 100)) == data[5:105]


def test_probing_is_quick() -> None:
    """A million small files are probed by every format in turn."""
    sources = [Memory(sample.data) for sample in samples()]
    start = time.perf_counter()
    for source in sources:
        identify(source)
    assert (time.perf_counter() - start) / len(sources) < 0.05

"""Carving a medium: files behind one another, behind live ones, in no order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.format_samples import CSV, Sample, noise, samples

from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents, State
from hakushi.recover import Budget, reach, registered
from hakushi.recover.carve import carve, text_runs

CLUSTER = 4096
MAGICS = [(m.at, m.value, one.id) for one in registered() if one.measure for m in one.magics]
CARVED = [s for s in samples() if s.carved]
ENCODINGS = ["cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-8-sig", "utf-16", "utf-16-be"]


def candidates(data: bytes) -> list[tuple[int, str]]:
    return [
        (offset, id)
        for offset in range(0, len(data), 512)
        for at, value, id in MAGICS
        if data.startswith(value, offset + at)
    ]


def carved(data: bytes, free: Extents) -> dict[int, Artifact]:
    found = list(carve(Memory(data), candidates(data), free, Budget.of(seconds=30)))
    assert all(isinstance(a, Artifact) and a.state is State.CARVED for a in found)
    return {int(a.locator.last[1]): a for a in found if isinstance(a, Artifact)}


def content(data: bytes, artifact: Artifact) -> bytes:
    source = reach(Memory(data), artifact.locator, lambda _: artifact)
    return source.read(Extent(0, source.size))


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % CLUSTER)


@settings(max_examples=25, deadline=None)
@given(files=st.lists(st.sampled_from(CARVED), max_size=6), seed=st.integers(0, 999))
def test_files_in_a_row_come_back(files: list[Sample], seed: int) -> None:
    data, truth = b"", {}
    for number, sample in enumerate(files):
        truth[len(data)] = sample
        data += padded(sample.data) + noise((seed + number) % 3 * CLUSTER, seed)
    found = carved(data, Extents([Extent(0, len(data))]))
    for offset, sample in truth.items():
        assert content(data, found[offset]) == sample.data
        assert found[offset].complete == sample.sure


@settings(max_examples=40, deadline=None)
@given(
    sample=st.sampled_from([s for s in CARVED if len(s.data) > 2 * 512 and s.sure and not s.grown]),
    share=st.floats(0, 1, exclude_max=True),
    live=st.integers(1, 9),
)
def test_a_file_that_goes_on_behind_a_live_one_comes_back(
    sample: Sample, share: float, live: int
) -> None:
    cut = 512 * (1 + int(share * (len(sample.data) // 512 - 1)))
    other = noise(live * 512, live)
    data = noise(1024, 7) + sample.data[:cut] + other + sample.data[cut:]
    free = Extents([Extent(0, len(data))]) - Extents([Extent(1024 + cut, len(other))])
    found = carved(data, free)[1024]
    assert found.complete
    assert content(data, found) == sample.data


def test_what_is_owned_is_never_carved() -> None:
    data = padded(CARVED[0].data)
    assert carved(data, Extents([Extent(512, len(data) - 512)])) == {}


def test_a_thing_inside_a_whole_one_is_that_ones_content() -> None:
    outer = next(s for s in samples() if s.name == "zip method 0").data
    data = padded(outer[:512] + outer[512:])
    inside = [(0, "zip"), *((offset, "zip") for offset in range(512, len(outer), 512))]
    found = list(carve(Memory(data), inside, Extents([Extent(0, len(data))]), Budget()))
    assert [a.size for a in found if isinstance(a, Artifact)] == [len(outer)]


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(
        st.tuples(st.sampled_from(ENCODINGS), st.integers(40, len(CSV))), min_size=1, max_size=5
    ),
    seed=st.integers(0, 99),
)
def test_texts_without_a_header_come_back(texts: list[tuple[str, int]], seed: int) -> None:
    data, truth = b"", {}
    for number, (encoding, length) in enumerate(texts):
        lines = CSV[:length].encode(encoding)
        if len(lines) % 512 in {0, 511}:
            lines += b"\r\n" if encoding[:6] != "utf-16" else b""
        truth[len(data)] = lines
        data += padded(lines) + noise((seed + number) % 2 * CLUSTER, seed)
    found = {
        int(a.locator.last[1]): a
        for a in text_runs(Memory(data), Extents([Extent(0, len(data))]), Budget())
        if isinstance(a, Artifact)
    }
    for offset, lines in truth.items():
        if len(lines) % 512:
            assert content(data, found[offset]) == lines


@settings(max_examples=30, deadline=None)
@given(
    encoding=st.sampled_from(["cp932", "euc_jp", "utf-8"]),
    start=st.integers(0, 1500),
    seed=st.integers(0, 99),
)
def test_one_sector_of_a_list_is_found(encoding: str, start: int, seed: int) -> None:
    """It begins and ends anywhere, within characters too."""
    sector = CSV.encode(encoding)[start : start + 512]
    data = noise(4096, seed) + sector + noise(4096, seed + 1)
    found = list(text_runs(Memory(data), Extents([Extent(4096, 512)]), Budget()))
    assert [a.size for a in found if isinstance(a, Artifact)] == [512]


def test_noise_is_no_text() -> None:
    data = noise(1 << 20)
    assert list(text_runs(Memory(data), Extents([Extent(0, len(data))]), Budget())) == []

"""The contract of `Source`, over every Source that media makes of files and memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hakushi.media.image import File, Joined, Memory, Runs, Window, open_path
from hakushi.model import Extent, Locator, Run, Source, Unreadable

ROOT = Locator.root("image", "0")
DATA = bytes((i * 7 + i // 251) % 256 for i in range(3000))


@dataclass(frozen=True)
class Case:
    """A Source, and the bytes that it must hold."""

    source: Source
    data: bytes


def memory(_folder: Path) -> Case:
    return Case(Memory(DATA), DATA)


def empty(_folder: Path) -> Case:
    return Case(Memory(b""), b"")


def file(folder: Path) -> Case:
    path = folder / "raw.img"
    path.write_bytes(DATA)
    return Case(File(path, len(DATA), ROOT), DATA)


def opened(folder: Path) -> Case:
    path = folder / "raw.img"
    path.write_bytes(DATA)
    return Case(open_path(path).source, DATA)


def split(folder: Path) -> Case:
    for number, at in enumerate((0, 1000, 1700)):
        piece = DATA[at : (1000, 1700, 3000)[number]]
        (folder / f"drive.{number + 1:03}").write_bytes(piece)
    return Case(open_path(folder / "drive.001").source, DATA)


def joined(_folder: Path) -> Case:
    parts = [Memory(DATA[:700]), Memory(b""), Memory(DATA[700:701]), Memory(DATA[701:])]
    return Case(Joined(parts, ROOT), DATA)


def window(_folder: Path) -> Case:
    return Case(Window(Memory(DATA), Extent(100, 900), ROOT), DATA[100:1000])


def window_past_the_end(_folder: Path) -> Case:
    return Case(Window(Memory(DATA), Extent(2900, 900), ROOT), DATA[2900:])


def runs(_folder: Path) -> Case:
    pieces = (Run(2000, 300), Run(None, 200), Run(0, 0), Run(5, 100), Run(6, 100))
    data = DATA[2000:2300] + bytes(200) + DATA[5:105] + DATA[6:106]
    return Case(Runs(Memory(DATA), pieces, 650, ROOT), data[:650])


def nested(folder: Path) -> Case:
    inner = Window(runs(folder).source, Extent(250, 300), ROOT)
    return Case(Joined([inner, inner], ROOT), runs(folder).data[250:550] * 2)


KINDS = (
    memory,
    empty,
    file,
    opened,
    split,
    joined,
    window,
    window_past_the_end,
    runs,
    nested,
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    made: Case = request.param(tmp_path)
    return made


extents = st.builds(Extent, st.integers(0, 3200), st.integers(0, 3200))
quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_is_a_source_of_its_size(case):
    assert isinstance(case.source, Source)
    assert case.source.size == len(case.data)
    assert Locator.parse(str(case.source.locator)) == case.source.locator


@quiet
@given(extent=extents)
def test_a_read_is_a_slice_cut_at_the_end(case, extent):
    assert case.source.read(extent) == case.data[extent.offset : extent.end]


def test_far_past_the_end_is_nothing(case):
    assert case.source.read(Extent(1 << 62, 1 << 62)) == b""
    assert case.source.read(Extent(case.source.size, 1)) == b""


@quiet
@given(asked=st.lists(extents, max_size=8), random=st.randoms(use_true_random=False))
def test_same_extent_same_bytes_in_any_order(case, asked, random):
    first = {extent: case.source.read(extent) for extent in asked}
    random.shuffle(asked)
    assert all(case.source.read(extent) == first[extent] for extent in asked)


def test_same_bytes_from_many_threads(case):
    asked = [Extent(at, 64) for at in range(0, 3200, 37)] * 4
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(case.source.read, asked))
    assert got == [case.data[e.offset : e.end] for e in asked]


# --- what cannot be read -------------------------------------------------------------------


class Broken:
    """A Source with bytes that cannot be read."""

    locator = ROOT
    size = len(DATA)

    def __init__(self, bad: Extent) -> None:
        self.bad = bad

    def read(self, extent: Extent) -> bytes:
        if extent.offset < self.bad.end and self.bad.offset < extent.end:
            raise Unreadable(self.bad, "bad sector")
        return DATA[extent.offset : extent.end]


BAD = Extent(1000, 512)
WRAPPED: tuple[tuple[str, Callable[[Source], Source], int], ...] = (
    ("window", lambda s: Window(s, Extent(100, 2900), ROOT), -100),
    ("joined", lambda s: Joined([Memory(b"12345"), s], ROOT), 5),
    ("runs", lambda s: Runs(s, (Run(None, 50), Run(0, 3000)), 3050, ROOT), 50),
)


@pytest.mark.parametrize(("name", "wrap", "moved"), WRAPPED, ids=[w[0] for w in WRAPPED])
class TestUnreadable:
    def test_is_raised_where_the_bytes_are_and_nowhere_else(self, name, wrap, moved):
        source = wrap(Broken(BAD))
        for at in range(0, source.size, 64):
            bad = at < BAD.end + moved and BAD.offset + moved < at + 64
            if bad:
                with pytest.raises(Unreadable):
                    source.read(Extent(at, 64))
            else:
                assert len(source.read(Extent(at, 64))) == min(64, source.size - at)

    def test_says_where_in_its_own_offsets(self, name, wrap, moved):
        source = wrap(Broken(BAD))
        with pytest.raises(Unreadable) as caught:
            source.read(Extent(0, source.size))
        said = caught.value.extent
        assert said.offset <= BAD.offset + moved
        assert said.end >= BAD.end + moved
        assert said.end <= source.size
        assert "bad sector" in caught.value.why


@pytest.fixture
def shrunk(tmp_path: Path) -> Iterator[File]:
    path = tmp_path / "raw.img"
    path.write_bytes(DATA)
    source = File(path, len(DATA), ROOT)
    path.write_bytes(DATA[:1000])
    yield source
    source.close()


def test_a_file_that_shrank_is_unreadable_there(shrunk):
    assert shrunk.read(Extent(0, 1000)) == DATA[:1000]
    with pytest.raises(Unreadable):
        shrunk.read(Extent(990, 20))
    with pytest.raises(Unreadable):
        shrunk.read(Extent(2000, 1))


def test_a_closed_file_is_unreadable(tmp_path):
    source = file(tmp_path).source
    assert isinstance(source, File)
    source.close()
    source.close()
    with pytest.raises(Unreadable):
        source.read(Extent(0, 10))


def test_runs_that_leave_the_parent_are_unreadable_there():
    source = Runs(Memory(DATA), (Run(2990, 20),), 20, ROOT)
    assert source.read(Extent(0, 10)) == DATA[2990:]
    with pytest.raises(Unreadable):
        source.read(Extent(5, 10))


def test_bytes_that_no_run_holds_are_unreadable():
    source = Runs(Memory(DATA), (Run(0, 10),), 30, ROOT)
    assert source.read(Extent(0, 10)) == DATA[:10]
    with pytest.raises(Unreadable):
        source.read(Extent(5, 10))


@pytest.mark.parametrize(("at", "length"), [(-1, 1), (0, -1), (None, -1)])
def test_no_run_lies_before_its_parent(at, length):
    with pytest.raises(ValueError):
        Run(at, length)


@given(
    pieces=st.lists(st.builds(Run, st.none() | st.integers(0, 2900), st.integers(0, 100))),
    extent=st.builds(Extent, st.integers(0, 900), st.integers(0, 900)),
)
def test_runs_hold_their_pieces_in_order(pieces, extent):
    """Empty runs, holes and runs that share bytes included."""
    data = b"".join(
        bytes(p.length) if p.at is None else DATA[p.at : p.at + p.length] for p in pieces
    )
    source = Runs(Memory(DATA), pieces, len(data), ROOT)
    assert source.read(extent) == data[extent.offset : extent.end]

"""Harvest: what one cell tells."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess.units import harvest
from hakushi.media import Memory
from hakushi.model import SECTOR, Class, Extent, Unreadable
from hakushi.recover import Family, registered

MAGICS = [
    (magic, one.id)
    for one in registered(Family.ARCHIVE, Family.DOCUMENT, Family.MEDIA)
    if one.measure is not None
    for magic in one.magics
]


def test_there_are_magics_and_all_lie_in_a_first_sector():
    assert len(MAGICS) > 10
    assert all(m.at + len(m.value) <= SECTOR and len(m.value) >= 2 for m, _ in MAGICS)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 31), st.sampled_from(MAGICS)), max_size=6),
    st.integers(0, 9),
    st.sampled_from([0, 100, 511]),
)
def test_every_magic_at_a_sector_is_a_candidate_and_nothing_else(planted, seed, cut):
    data = bytearray(random.Random(seed).randbytes(32 * SECTOR - cut))
    for sector, (magic, _) in planted:
        at = sector * SECTOR + magic.at
        data[at : at + len(magic.value)] = magic.value[: max(0, len(data) - at)]
    base = 7 << 24
    expected = {
        (base + at, id)
        for at in range(0, len(data), SECTOR)
        for magic, id in MAGICS
        if data.startswith(magic.value, at + magic.at)
    }
    source = Shifted(bytes(data), base)
    cell = harvest(source, Extent(base, len(data))).cells[base]
    assert set(cell.candidates) == expected
    assert list(cell.candidates) == sorted(cell.candidates)


class Shifted:
    """A Source whose bytes begin at ``base``."""

    def __init__(self, data, base):
        self.locator, self.size = Memory(b"").locator, base + len(data)
        self._data, self._base = data, base

    def read(self, extent):
        return self._data[extent.offset - self._base : extent.end - self._base]


class Holed:
    """A Source of zeros in which some sectors cannot be read."""

    def __init__(self, size, bad):
        self.locator, self.size = Memory(b"").locator, size
        self.bad = bad

    def read(self, extent):
        if any(extent.offset < b + SECTOR and b < extent.end for b in self.bad):
            raise Unreadable(extent, "bad")
        return bytes(max(0, min(extent.end, self.size) - extent.offset))


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 8191), max_size=12))
def test_bad_sectors_and_only_these_are_unreadable(sectors):
    bad = {n * SECTOR for n in sectors}
    got = harvest(Holed(4 << 20, bad), Extent(0, 4 << 20))
    assert {e.offset + i for e in got.unreadable for i in range(0, e.length, SECTOR)} == bad
    assert got.seen.size == (4 << 20) - len(bad) * SECTOR
    assert got.cells[0].bytes_of(Class.UNREAD) == len(bad) * SECTOR
    assert not (got.seen & got.unreadable)


def test_a_dead_drive_is_given_up_and_counted_whole():
    size = 16 << 20
    source = Holed(size, range(0, size, SECTOR))
    got = harvest(source, Extent(0, size))
    assert got.unreadable.size == size
    assert not got.seen

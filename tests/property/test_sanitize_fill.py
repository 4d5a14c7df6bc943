"""A fill is known at every address: what is not its own is seen, to the sector."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from hakushi.model import SECTOR, Extent, Extents
from hakushi.sanitize.fill import Keystream, Zeros

MOST = 1 << 20
KEY = bytes(range(32))
FILLS = {"keystream": Keystream(KEY, MOST), "zeros": Zeros(MOST)}

fills = st.sampled_from(sorted(FILLS))
places = st.integers(0, 1 << 50).map(lambda n: n * SECTOR)
lengths = st.integers(1, 600_000)


@given(fills, places, lengths)
def test_nothing_differs_from_what_was_rendered(name, at, length):
    fill = FILLS[name]
    data = bytes(fill.render(at, length))
    assert len(data) == length
    assert fill.differs(at, memoryview(data)) == []


@given(places, st.integers(1, 40_000))
def test_the_keystream_is_ctr_from_its_offset(at, length):
    counter = modes.CTR((at // 16).to_bytes(16, "big"))
    expected = Cipher(algorithms.AES(KEY), counter).encryptor().update(bytes(length))
    assert bytes(FILLS["keystream"].render(at, length)) == expected


@given(places, st.integers(1, 200), st.integers(1, 200))
def test_the_keystream_of_a_part_is_a_part_of_the_keystream(at, before, sectors):
    fill = FILLS["keystream"]
    whole = bytes(fill.render(at, (before + sectors) * SECTOR))
    part = bytes(fill.render(at + before * SECTOR, sectors * SECTOR))
    assert whole[before * SECTOR :] == part


@given(fills, places, lengths, st.lists(st.integers(0, 600_000 - 1), min_size=1, max_size=8))
def test_exactly_the_changed_sectors_differ(name, at, length, changed):
    fill = FILLS[name]
    data = bytearray(fill.render(at, length))
    sectors = set()
    for index in {c % length for c in changed}:
        data[index] ^= 0x40
        sectors.add(index // SECTOR)
    expected = Extents(Extent(at + s * SECTOR, min(SECTOR, length - s * SECTOR)) for s in sectors)
    assert Extents(fill.differs(at, memoryview(data))) == expected


@given(places, places)
def test_a_block_at_a_wrong_address_is_seen(one, other):
    data = memoryview(bytes(FILLS["keystream"].render(one, SECTOR)))
    seen = FILLS["keystream"].differs(other, data)
    assert (seen == []) == (one == other)

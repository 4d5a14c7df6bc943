"""Half-right FAT and exFAT directories: artifacts keep their laws, in time."""

from __future__ import annotations

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.test_records_fat import CLUSTER, SETS, SIZE, TWO, at, entry_set, folder, long

from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents, Malformed
from hakushi.recover import Budget, reach
from hakushi.recover.records import Ground, exfat, fat

EXTREMES = st.sampled_from([0, 1, 2, 3, 20, 0x7FFF, 0xFFFF, 0x0FFFFFF5, 0x0FFFFFF8, 0xFFFFFFFF])
PLACES = st.integers(0, SIZE // 512 - 4)


def read(data: bytes) -> list[Artifact]:
    """All artifacts; each lies inside its parent and can be read."""
    source = Memory(data)
    out: list[Artifact] = []
    began = time.monotonic()
    for kind in (fat.PLUGIN, exfat.PLUGIN):
        ground = Ground({sign.id: Extents([Extent(0, len(data))]) for sign in kind.signs})
        try:
            found = kind.read(source, ground, Budget.of(seconds=20, steps=2_000_000))
            out += [a for a in found if isinstance(a, Artifact)]
        except Malformed:
            continue
    assert time.monotonic() - began < 20
    known = {one.locator: one for one in out}
    assert len(known) == len(out)
    for one in out:
        assert one.locator.parent is not None
        parent = known.get(one.locator.parent)
        room = source.size if parent is None else parent.size
        assert all(r.at is not None and 0 <= r.at <= room - r.length for r in one.runs or ())
        if one.runs:
            reach(source, one.locator, known.__getitem__).read(Extent(0, one.size))
    return out


@given(st.lists(st.tuples(PLACES, EXTREMES, EXTREMES, EXTREMES, EXTREMES), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_extreme_fields(rows: list[tuple[int, int, int, int, int]]) -> None:
    data = bytearray(SIZE)
    for place, own, parent, cluster, size in rows:
        name = long("a.csv", b"A       CSV", 0x20, cluster & 0xFFFFFFFF, size)
        under = long("b", b"B          ", 0x10, own)
        piece = folder(own, parent, name, under)[:CLUSTER]
        piece += entry_set("c", 0x20, cluster, size) + entry_set("d", 0x10, own, size)
        data[place * 512 : place * 512 + len(piece)] = piece
    read(bytes(data[:SIZE]))


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_flipped_bytes(flips: list[tuple[int, int]]) -> None:
    data = bytearray(SIZE)
    for start, piece in (*TWO, *((start + 256 * CLUSTER, piece) for start, piece in SETS)):
        data[start : start + len(piece)] = piece
    for index, (offset, value) in enumerate(flips):
        start = at((10, 20)[index % 2]) + 256 * CLUSTER * (index // 2 % 2)
        data[start + offset] = value
    read(bytes(data))


def test_folders_in_a_circle_have_paths() -> None:
    data = bytearray(SIZE)
    for own, other in ((10, 20), (20, 10)):
        piece = folder(own, other, long("x", b"X          ", 0x10, other))
        data[at(own) : at(own) + CLUSTER] = piece
    assert all(len(one.path or "") < 100 for one in read(bytes(data)))

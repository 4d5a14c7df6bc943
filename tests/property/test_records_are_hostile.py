"""Old records are hostile: whatever stands in their fields, artifacts keep their laws, in time."""

from __future__ import annotations

import random
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ntfs_volumes import (
    CLUSTER,
    RECORD,
    Disk,
    Mapped,
    boot_sector,
    index_block,
    named,
    record,
    resident,
    times,
)

from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents, Malformed, Unreadable
from hakushi.recover import Budget, reach
from hakushi.recover.cursor import Spent
from hakushi.recover.records import Ground, registered
from hakushi.recover.records._lznt1 import inflate

SIZE = 1 << 20
TABLE = 40 * CLUSTER
WHERE = Extents([Extent(0, SIZE)])


def read(data: bytes, seconds: float = 20) -> list[Artifact]:
    """All artifacts of a medium where signs may stand anywhere; each one's bytes are read."""
    source = Memory(data)
    out: list[Artifact] = []
    began = time.monotonic()
    for kind in registered():
        ground = Ground({sign.id: WHERE for sign in kind.signs})
        try:
            budget = Budget.of(seconds=seconds, steps=200_000)
            out.extend(a for a in kind.read(source, ground, budget) if isinstance(a, Artifact))
        except Malformed:
            continue
    known = {one.locator: one for one in out}
    for one in out:
        parent = one.locator.parent
        assert parent is not None
        room = source.size if parent == source.locator else known[parent].size
        assert all(r.at is None or r.at + r.length <= room for r in one.runs or ())
        assert one.runs is None or sum(r.length for r in one.runs) >= one.size
        try:
            inner = reach(source, one.locator, known.__getitem__)
            assert inner.size <= one.size or not one.size
            inner.read(Extent(0, min(inner.size, 70_000)))
            inner.read(Extent(max(0, inner.size - 5000), 5000))
        except (Malformed, Unreadable):
            continue
    assert time.monotonic() - began < seconds
    return out


def volume() -> bytearray:
    """One record of each sort, with all that makes them come true."""
    disk = Disk(SIZE)
    disk.put(0, boot_sector(200, 40))
    disk.put(100 * CLUSTER, index_block(60))
    table = [
        record(0, times(), named("$MFT"), Mapped([(40, 8)], 8 * CLUSTER).bytes()),
        record(60, times(), named("F"), Mapped([(100, 1)], CLUSTER, 0xA0, "$I30").bytes(), flags=3),
        record(61, times(), named("a.jpg", 60), Mapped([(50, 3), (60, 1)], 15000).bytes()),
        record(
            62,
            times(),
            named("b", 60),
            Mapped([(50, 1), (None, 15)], 60000, flags=1, unit=4).bytes(),
        ),
        record(63, times(), named("c", 60), resident(0x80, b"text"), resident(0x80, b"s", "S", 4)),
        record(64, times(), resident(0x20, bytes(32)), named("d"), Mapped([(70, 1)], 8192).bytes()),
        record(65, Mapped([(75, 1)], 0, first=1).bytes(), base=(64, 1)),
    ]
    for number, data in zip((0, 60, 61, 62, 63, 64, 65), table, strict=True):
        disk.put(TABLE + number * RECORD, data)
    return disk.data


PLACES = (0, 100 * CLUSTER, *(TABLE + n * RECORD for n in (0, 60, 61, 62, 63, 64, 65)))
EXTREMES = [
    b"\0" * 8,
    b"\xff" * 8,
    b"\xff" * 4,
    b"\xff\xff",
    b"\x7f\xff",
    b"\xff\x7f",
    b"\1",
    b"\x80",
]


def test_what_is_right_comes_back() -> None:
    paths = {one.path for one in read(bytes(volume()))}
    assert {"F/a.jpg", "F/b", "F/c", "F/c:S", "d"} <= paths


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(PLACES),
            st.integers(0, 400),
            st.sampled_from(EXTREMES) | st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_records_with_any_field_wrong_keep_the_laws(edits: list[tuple[int, int, bytes]]) -> None:
    data = volume()
    for place, at, value in edits:
        data[place + at : place + at + len(value)] = value
    read(bytes(data))


def test_every_field_of_every_record_at_its_extremes() -> None:
    """Byte by byte over all headers and attributes, two extremes each."""
    clean = volume()
    for place in PLACES[4:]:
        for at in range(4, 320, 6):
            for value in (b"\xff\xff\xff", b"\0\0\x80"):
                data = clean.copy()
                data[place + at : place + at + 3] = value
                read(bytes(data[: 101 * CLUSTER]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 60))
def test_noise_behind_signs_keeps_the_laws(seed: int, count: int) -> None:
    rng = random.Random(seed)
    data = bytearray(SIZE)
    for _ in range(count):
        at = rng.randrange(SIZE // 512 - 8) * 512
        data[at : at + 1024] = rng.choice([b"FILE0\0\3\0", b"FILE*\0\3\0", b"INDX(\0\x09\0"]) + (
            rng.randbytes(1016)
        )
    read(bytes(data))


def test_a_million_claims_end_in_budget() -> None:
    """A table of records that all extend one, and of folders that nest without end."""
    data = bytearray(SIZE)
    for n in range(SIZE // RECORD):
        sort = n % 3
        if sort == 0:
            one = record(n, named("x", max(0, n - 3)), flags=3)
        elif sort == 1:
            one = record(n, Mapped([(n, 1)], 0, first=1).bytes(), base=(2, 1))
        else:
            one = record(n, resident(0x20, bytes(32)), named("y", n - 2), resident(0x80, b"z"))
        data[n * RECORD : (n + 1) * RECORD] = one
    assert len(read(bytes(data))) > 600


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 9000))
def test_inflating_anything_raises_only_malformed(data: bytes, size: int) -> None:
    for head in (b"", b"\x10\xb0", b"\xff\xb0", b"\xff\xbf"):
        try:
            assert len(inflate(head + data, size)) <= size
        except Malformed:
            continue


def test_a_budget_that_runs_out_says_so() -> None:
    source = Memory(bytes(volume()))
    kind = next(one for one in registered() if one.id == "ntfs")
    ground = Ground({sign.id: WHERE for sign in kind.signs})
    try:
        list(kind.read(source, ground, Budget.of(steps=10)))
    except Spent:
        return
    raise AssertionError("the budget was not paid")

"""E01 images: kept ones that ewfacquire made, and ones written here to be torn."""

from __future__ import annotations

import random
import struct
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Unreadable
from hakushi.recover import Budget, Family, identify, reach
from hakushi.recover.formats.ewf import PLUGIN, Medium, open_segments

IMAGES = Path(__file__).parent.parent / "images" / "ewf"
SECTOR, CHUNK = 512, 4096


def original() -> bytes:
    """What ewfacquire read when the kept images were made."""
    noise = random.Random(20190329)
    data = bytearray()
    for i in range(12):
        if i in (0, 7):
            data += noise.randbytes(32768)
        else:
            data += (f"line {i}\r\n".encode() * 5000)[:32768] if i % 3 else bytes(32768)
    return bytes(data + b"the end".ljust(1024, b"."))


def section(kind: str, body: bytes, at: int, *, last: bool = False) -> bytes:
    size = 76 + len(body)
    head = struct.pack("<16sQQ40x", kind.encode(), at if last else at + size, size)
    return head + struct.pack("<I", zlib.adler32(head)) + body


def with_sum(data: bytes) -> bytes:
    return data + struct.pack("<I", zlib.adler32(data))


def chunks_of(data: bytes, *, deflate: bool) -> list[tuple[bytes, bool]]:
    out = []
    for at in range(0, len(data), CHUNK):
        chunk = data[at : at + CHUNK].ljust(CHUNK, b"\0")
        packed = zlib.compress(chunk, 1)
        use = deflate and len(packed) < CHUNK
        out.append((packed, True) if use else (with_sum(chunk), False))
    return out


def volume(data: bytes) -> bytes:
    count = -(-len(data) // CHUNK)
    head = struct.pack("<B3xIIIQ", 1, count, CHUNK // SECTOR, SECTOR, len(data) // SECTOR)
    return with_sum(head.ljust(1048, b"\0"))


def table(offsets: list[tuple[int, bool]]) -> bytes:
    entries = b"".join(struct.pack("<I", at | deflated << 31) for at, deflated in offsets)
    return with_sum(struct.pack("<I4xQ4x", len(offsets), 0)) + with_sum(entries)


def written(
    data: bytes, *, deflate: bool = True, per_table: int = 7, segments: int = 1, bad: bytes = b""
) -> list[bytes]:
    """Segments of an E01 of ``data``; ``bad`` is the body of an error2 section."""
    chunks = chunks_of(data, deflate=deflate)
    per_segment = -(-len(chunks) // segments) or 1
    out = []
    for number in range(1, segments + 1):
        file = b"EVF\x09\x0d\x0a\xff\x00" + struct.pack("<BHH", 1, number, 0)
        file += section("volume" if number == 1 else "data", volume(data), len(file))
        mine = chunks[(number - 1) * per_segment : number * per_segment]
        for first in range(0, len(mine), per_table):
            part = mine[first : first + per_table]
            at = len(file) + 76
            offsets = []
            for raw, deflated in part:
                offsets.append((at, deflated))
                at += len(raw)
            file += section("sectors", b"".join(raw for raw, _ in part), len(file))
            file += section("table", table(offsets), len(file))
            file += section("table2", table(offsets), len(file))
        if bad and number == segments:
            file += section("error2", bad, len(file))
        kind = "done" if number == segments else "next"
        out.append(file + section(kind, b"", len(file), last=True))
    return out


def image_of(data: bytes, **options) -> Medium:
    return open_segments([Memory(part) for part in written(data, **options)])


def sample(chunks: int = 30) -> bytes:
    noise = random.Random(7)
    parts = [noise.randbytes(CHUNK) if n % 4 == 0 else bytes([n]) * CHUNK for n in range(chunks)]
    return b"".join(parts) + b"x" * SECTOR


def readable(medium: Medium, data: bytes) -> list[bool]:
    """Which chunks come back; one that comes back differently fails."""
    out = []
    for at in range(0, medium.size, CHUNK):
        try:
            got = medium.read(Extent(at, CHUNK))
        except Unreadable as error:
            got = None
            out.append(error.extent.offset != at)
        else:
            out.append(True)
        assert got is None or got == data[at : at + CHUNK]
    return out


@pytest.mark.parametrize("name", ["encase6.E01", "encase1.E01"])
def test_what_ewfacquire_made_reads_back(name: str) -> None:
    source = Memory((IMAGES / name).read_bytes())
    assert identify(source, Family.CONTAINER) is PLUGIN
    (medium,) = PLUGIN.open(source, Budget.of())
    assert isinstance(medium, Artifact)
    assert (medium.kind, medium.role, medium.complete) == ("medium", Role.VOLUME, True)
    inner = reach(source, medium.locator, lambda _: medium)
    assert inner.read(Extent(0, inner.size)) == original()
    assert inner.locator == medium.locator


@given(
    st.integers(0, 40),
    st.booleans(),
    st.integers(1, 9),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 170_000), st.integers(0, 20_000)), max_size=6),
)
@settings(max_examples=40)
def test_every_extent_reads_as_the_medium(chunks, deflate, per_table, segments, extents) -> None:
    data = sample(chunks)
    medium = image_of(data, deflate=deflate, per_table=per_table, segments=segments)
    assert (medium.size, medium.damage) == (len(data), ())
    for at, length in extents:
        assert medium.read(Extent(at, length)) == data[at : at + length]


def test_threads_read_at_once() -> None:
    data = sample()
    medium = image_of(data)
    wrong = []

    def work(seed: int) -> None:
        picks = random.Random(seed)
        for _ in range(200):
            at = picks.randrange(len(data))
            got = medium.read(Extent(at, 9000))
            wrong.extend([at] if got != data[at : at + 9000] else [])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("deflate", [True, False])
def test_a_flipped_bit_makes_its_chunk_unreadable_and_no_other(deflate: bool) -> None:
    data = sample()
    (file,) = written(data, deflate=deflate)
    wrong_chunks = 0
    for at in range(1300, len(file) - 200, 3571):
        broken = bytearray(file)
        broken[at] ^= 0x10
        medium = open_segments([Memory(bytes(broken))])
        lost = readable(medium, data).count(False)
        assert lost <= 1 or medium.damage
        wrong_chunks += lost
    assert wrong_chunks


@given(st.floats(0, 1), st.booleans())
@settings(max_examples=40)
def test_a_truncated_image_gives_what_it_has_and_says_so(where: float, deflate: bool) -> None:
    data = sample()
    (file,) = written(data, deflate=deflate)
    cut = 1300 + int(where * (len(file) - 1300 - 1))
    source = Memory(file[:cut])
    found = list(PLUGIN.open(source, Budget.of()))
    damage = [one.what for one in found if isinstance(one, Damage)]
    assert "truncated" in damage
    artifact = next(one for one in found if isinstance(one, Artifact))
    assert not artifact.complete
    whole = readable(open_segments([source]), data)
    assert whole == sorted(whole, reverse=True)
    # Chunks whose bytes are all there come back, even where their table is gone.
    sizes = [len(raw) for raw, _ in chunks_of(data, deflate=deflate)]
    at, there = 13 + 76 + 1052, 0
    for n, size in enumerate(sizes):
        at += 76 if n % 7 == 0 else 0
        there += at + size <= cut
        at += size
        if n % 7 == 6:
            at += 2 * (76 + 24 + 4 + 7 * 4)
    assert whole.count(True) == there


def test_a_broken_table_is_read_from_its_copy() -> None:
    data = sample()
    (file,) = written(data)
    at = file.index(b"table\0") + 76 + 30
    broken = file[:at] + b"\xff\xff\xff" + file[at + 3 :]
    medium = open_segments([Memory(broken)])
    assert all(readable(medium, data))
    assert any("damaged" in what for what in medium.damage)


def test_with_both_tables_broken_the_chunks_are_followed() -> None:
    data = sample()
    (file,) = written(data, deflate=True)
    first = file.index(b"table\0") + 76 + 30
    second = file.index(b"table2\0") + 76 + 30
    broken = bytearray(file)
    for at in (first, second):
        broken[at : at + 3] = b"\xff\xff\xff"
    medium = open_segments([Memory(bytes(broken))])
    assert all(readable(medium, data))
    assert medium.damage


def test_sectors_that_were_unreadable_when_it_was_made_stay_unreadable() -> None:
    data = sample()
    entries = struct.pack("<II", 20, 4)
    bad = with_sum(struct.pack("<I", 1).ljust(516, b"\0")) + with_sum(entries)
    medium = image_of(data, bad=bad)
    assert any("4 sectors" in what for what in medium.damage)
    with pytest.raises(Unreadable):
        medium.read(Extent(20 * SECTOR, 1))
    assert medium.read(Extent(24 * SECTOR, 600)) == data[24 * SECTOR : 24 * SECTOR + 600]
    assert medium.read(Extent(0, 20 * SECTOR)) == data[: 20 * SECTOR]


def test_a_missing_segment_is_damage_and_a_wrong_one_is_refused() -> None:
    data = sample()
    one, two, three = (Memory(part) for part in written(data, segments=3))
    medium = open_segments([one, two])
    assert medium.damage
    assert readable(medium, data).count(True) == 22
    for wrong in ([two], [one, three], [one, one]):
        with pytest.raises(Malformed):
            open_segments(wrong)


def test_a_chain_that_leads_back_ends() -> None:
    (file,) = written(sample())
    at = file.index(b"table\0")
    head = struct.pack("<16sQQ40x", b"table", 13, 400)
    loop = file[:at] + head + struct.pack("<I", zlib.adler32(head)) + file[at + 76 :]
    medium = open_segments([Memory(loop)])
    assert any("leads back" in what for what in medium.damage)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9000),
            st.sampled_from([b"\xff" * 4, b"\0" * 8, b"\xff\xff\xff\x7f", b"\1", b"\0\0\0\x80"]),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60)
def test_half_right_images_raise_only_malformed_and_unreadable(edits) -> None:
    data = sample(6)
    broken = bytearray(written(data)[0])
    for at, value in edits:
        at = min(at, len(broken) - len(value))
        broken[at : at + len(value)] = value
        # Checksums of section heads are made to fit, so that what they say is believed.
        for start in range(13, len(broken) - 76):
            if bytes(broken[start : start + 4]) in (b"volu", b"sect", b"tabl", b"done"):
                fit = zlib.adler32(bytes(broken[start : start + 72]))
                broken[start + 72 : start + 76] = struct.pack("<I", fit)
    try:
        medium = open_segments([Memory(bytes(broken))], Budget.of(seconds=10, output=64 << 20))
        for at in (0, 5000, max(0, medium.size - 100)):
            medium.read(Extent(at, 5000))
    except (Malformed, Unreadable):
        pass

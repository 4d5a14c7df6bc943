"""Small files inside NTFS records, as content: each byte for byte, whoever the record says it is."""

import gzip
import hashlib
import json
import struct
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.media import Memory, Runs
from hakushi.model import Extent, Extents, State
from hakushi.recover import Budget
from hakushi.recover.records._ntfs_resident import resident

IMAGES = Path(__file__).parents[1] / "images"


def told(data: bytes) -> dict[int, bytes]:
    source = Memory(data)
    found = list(resident(source, Extents([Extent(0, len(data))]), Budget()))
    assert {one.state for one in found} <= {State.CARVED}
    return {
        int(one.locator.last[1]): Runs(source, one.runs, one.size, one.locator).read(
            Extent(0, one.size)
        )
        for one in found
    }


def record(content: bytes, at: int = 56) -> bytes:
    """A file record that holds one resident stream, its update sequence applied."""
    length = -(-(24 + len(content)) // 8) * 8
    attribute = struct.pack("<IIBBHHHIHH", 0x80, length, 0, 0, 24, 0, 1, len(content), 24, 0)
    body = attribute + content.ljust(length - 24, b"\0") + b"\xff\xff\xff\xff\0\0\0\0"
    used = at + len(body)
    head = b"FILE" + struct.pack("<HHQHHHHIIQHHI", 48, 3, 0, 7, 1, at, 1, used, 1024, 0, 2, 0, 77)
    whole = bytearray((head.ljust(at, b"\0") + body).ljust(1024, b"\0"))
    for n in range(2):
        tail = 512 * n + 510
        whole[50 + 2 * n : 52 + 2 * n] = whole[tail : tail + 2]
        whole[tail : tail + 2] = b"\x09\0"
    whole[48:50] = b"\x09\0"
    return bytes(whole)


def test_every_small_file_of_a_volume_comes_back():
    data = gzip.decompress((IMAGES / "ntfs.img.gz").read_bytes())
    rows = json.loads((IMAGES / "manifest.json").read_text())["images"]["ntfs.img.gz"]["files"]
    wanted = {row["sha256"] for row in rows if row["resident"] and row["still"]}
    found = {hashlib.sha256(content).hexdigest() for content in told(data).values()}
    assert wanted
    assert wanted <= found


@given(st.binary(min_size=1, max_size=900))
def test_its_bytes_go_round_the_update_sequence(content):
    assert list(told(record(content)).values()) == [content]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1023), st.binary(min_size=1, max_size=8)), max_size=8),
    st.integers(0, 1024),
)
def test_torn_records_give_bounded_bytes_of_the_medium(edits, keep):
    data = bytearray(record(b"name,address\r\n" * 40))
    for at, value in edits:
        data[at : at + len(value)] = value
    torn = bytes(data[:1024])[:keep]
    source = Memory(torn + bytes(512))
    for one in resident(source, Extents([Extent(0, source.size)]), Budget()):
        assert one.size <= 1024
        assert all(run.at >= 0 and run.at + run.length <= 1024 for run in one.runs)

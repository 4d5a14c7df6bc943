"""One member of a striped array without a superblock: its NTFS records tell that it is one."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.media import Memory
from hakushi.model import Damage, Extent, Extents
from hakushi.recover import Budget
from hakushi.recover.records import Ground
from hakushi.recover.records.ntfs import read


def record(number: int) -> bytes:
    """A file record that says its number and nothing else."""
    head = b"FILE" + struct.pack("<HHQHHHHIIQHHI", 48, 3, 0, 1, 1, 56, 1, 64, 1024, 0, 1, 0, number)
    whole = bytearray((head.ljust(56, b"\0") + b"\xff\xff\xff\xff").ljust(1024, b"\0"))
    whole[48:50] = whole[510:512] = whole[1022:1024] = b"\x01\0"
    return bytes(whole)


def told(data: bytes) -> list[str]:
    source = Memory(data)
    ground = Ground({"ntfs-file": Extents([Extent(0, len(data))])})
    every = read(source, ground, Budget.of(seconds=60))
    return [one.what for one in every if isinstance(one, Damage)]


def member(records: int, stripe: int, members: int, which: int, parity: bool = False) -> bytes:
    """What one drive has of a table; with parity, it is one stripe of each row in turn."""
    chunks = [range(at, min(at + stripe, records)) for at in range(0, records, stripe)]
    out = b""
    data = members - parity
    for row in range(0, len(chunks), data):
        away = (row // data) % members if parity else -1
        order = [n for n in range(members) if n != away]
        if which == away:
            out += b"\xa5" * stripe * 1024
        elif row + order.index(which) < len(chunks):
            out += b"".join(map(record, chunks[row + order.index(which)]))
    return bytes(4096) + out


@pytest.mark.parametrize(("stripe", "members"), [(64, 2), (64, 3), (16, 5), (128, 4)])
def test_a_member_of_raid_0_says_how_many_there_are(stripe, members):
    for which in range(members):
        (what,) = told(member(stripe * members * 8, stripe, members, which))
        assert f"{stripe} KiB" in what
        assert f"one in {members}" in what


def test_a_member_of_raid_5_is_told_too():
    found = told(member(64 * 2 * 30, 64, 3, 1, parity=True))
    assert len(found) == 1
    assert "one in 2" in found[0]  # of three, one is parity


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 2)), min_size=1, max_size=12))
def test_a_table_in_pieces_is_no_array(pieces):
    """Whatever lies between its pieces, nothing is left out of it."""
    out, number = b"", 0
    for count, gap in pieces:
        out += b"".join(record(number + n) for n in range(count)) + bytes(1024 * gap)
        number += count
    assert told(out) == []


def test_a_few_records_left_over_are_no_array():
    kept = b"".join(b"".join(map(record, range(at, at + 8))) for at in (0, 16, 32))
    assert told(kept) == []

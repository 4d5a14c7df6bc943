"""Partition tables: MBR with extended chains, GPT with its backup, and what they shadow."""

from __future__ import annotations

import binascii
import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Role
from hakushi.recover import Budget, Family, identify, walk

MIB = 1 << 20
SECTORS = 4096
BASIC = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7").bytes_le


def boot_record(*entries: tuple[int, int, int]) -> bytes:
    """(type, first sector, sectors) of up to four partitions."""
    table = b"".join(struct.pack("<B3xB3xII", 0, *entry) for entry in entries)
    return (bytes(446) + table.ljust(64, b"\0")) + b"\x55\xaa"


def disk(parts: dict[int, bytes], sectors: int = SECTORS) -> bytearray:
    data = bytearray(sectors * 512)
    for sector, content in parts.items():
        data[sector * 512 : sector * 512 + len(content)] = content
    return data


def gpt(
    partitions: dict[int, tuple[int, int, str]],
    sectors: int = SECTORS,
    unit: int = 512,
    *,
    kind: bytes = BASIC,
) -> bytearray:
    """A whole medium with both tables: number -> (first, last, name)."""
    total = sectors * 512 // unit
    table = bytearray(128 * 128)
    for number, (first, last, name) in partitions.items():
        entry = kind + bytes([number]) * 16 + struct.pack("<QQQ", first, last, 0)
        entry += name.encode("utf-16-le").ljust(72, b"\0")
        table[(number - 1) * 128 : number * 128] = entry
    span = len(table) // unit

    def header(mine: int, other: int, entries: int) -> bytes:
        head = struct.pack(
            "<8sIIIIQQQQ16sQIII",
            b"EFI PART",
            0x10000,
            92,
            0,
            0,
            mine,
            other,
            2 + span,
            total - span - 2,
            bytes(range(16)),
            entries,
            128,
            128,
            binascii.crc32(bytes(table)),
        )
        crc = binascii.crc32(head)
        return head[:16] + struct.pack("<I", crc) + head[20:]

    data = disk({0: boot_record((0xEE, 1, sectors - 1))}, sectors)
    for at, content in (
        (unit, header(1, total - 1, 2)),
        (2 * unit, table),
        ((total - 1 - span) * unit, table),
        ((total - 1) * unit, header(total - 1, 1, total - 1 - span)),
    ):
        data[at : at + len(content)] = content
    return data


def look(data: bytes) -> tuple[list[Artifact], list[str]]:
    found = list(walk(Memory(bytes(data)), Budget.of(seconds=20), Family.VOLUMES))
    artifacts = [one for one in found if isinstance(one, Artifact)]
    return artifacts, [one.what for one in found if isinstance(one, Damage)]


def places(data: bytes) -> dict[str, tuple[int, int]]:
    """Partition number -> (first sector, sectors)."""
    return {
        a.locator.last[1]: ((a.runs[0].at or 0) // 512, a.size // 512)
        for a in look(data)[0]
        if a.role is Role.VOLUME and a.runs
    }


def owned(data: bytes) -> set[int]:
    """Sectors that the tables explain."""
    return {
        sector
        for a in look(data)[0]
        if a.role is Role.STRUCTURE
        for run in a.runs or ()
        for sector in range((run.at or 0) // 512, ((run.at or 0) + run.length) // 512)
    }


def full(data: bytes) -> set[int]:
    return {n for n in range(len(data) // 512) if any(data[n * 512 : n * 512 + 512])}


CHAIN = {
    0: boot_record((7, 64, 100), (0x0F, 1000, 3000)),
    1000: boot_record((0x83, 8, 500), (5, 600, 700)),
    1600: boot_record((0x83, 16, 500), (5, 1400, 400)),
    2400: boot_record((6, 8, 300)),
}


def test_logical_partitions_follow_their_chain() -> None:
    data = disk(CHAIN)
    expected = {"1": (64, 100), "5": (1008, 500), "6": (1616, 500), "7": (2408, 300)}
    assert places(data) == expected
    assert look(data)[1] == []
    assert owned(data) == full(data) == {0, 1000, 1600, 2400}


@pytest.mark.parametrize("target", [0, 600, 1400])
def test_a_chain_that_returns_is_damage_and_ends(target: int) -> None:
    data = disk(CHAIN | {2400: boot_record((6, 8, 300), (5, target, 10))})
    artifacts, damage = look(data)
    assert any("loop" in what for what in damage)
    assert len(artifacts) < 10


def test_a_chain_that_leaves_the_medium_keeps_what_came_before() -> None:
    data = disk(CHAIN | {1600: boot_record((0x83, 16, 500), (5, 900_000, 400))})
    assert places(data) == {"1": (64, 100), "5": (1008, 500), "6": (1616, 500)}
    assert look(data)[1]


def test_a_partition_past_the_end_is_cut_and_said() -> None:
    data = disk({0: boot_record((7, 4000, 5000), (7, 90_000, 10), (7, 64, 100))})
    assert places(data) == {"1": (4000, 96), "3": (64, 100)}
    artifacts, damage = look(data)
    assert len(damage) == 2
    assert all("past the medium" in what for what in damage)
    assert len(artifacts) == 3


def test_partitions_that_overlap_are_walked_and_said() -> None:
    data = disk({0: boot_record((7, 64, 1000), (7, 500, 1000))})
    assert len(places(data)) == 2
    assert any("overlaps" in what for what in look(data)[1])


@pytest.mark.parametrize("unit", [512, 4096])
def test_a_gpt_is_read_and_explained(unit: int) -> None:
    data = gpt({1: (48, 99, "Basic data partition"), 3: (100, 300, "")}, unit=unit)
    scale = unit // 512
    assert places(data) == {"1": (48 * scale, 52 * scale), "3": (100 * scale, 201 * scale)}
    artifacts, damage = look(data)
    assert damage == []
    assert owned(data) >= full(data)
    assert not [a for a in artifacts if a.role in (Role.LABEL, Role.NAME)]


def test_a_chosen_name_is_a_label() -> None:
    artifacts, _ = look(gpt({2: (100, 200, "経理 2019")}))
    assert [a.path for a in artifacts if a.role is Role.LABEL] == ["経理 2019"]


def test_an_old_entry_is_a_name() -> None:
    artifacts, _ = look(gpt({1: (100, 200, ""), 2: (300, 400, "人事")}, kind=BASIC))
    assert len([a for a in artifacts if a.role is Role.VOLUME]) == 2
    data = gpt({2: (300, 400, "人事")}, kind=bytes(16))
    artifacts, _ = look(data)
    assert [a.path for a in artifacts if a.role is Role.NAME] == ["人事"]


def test_the_backup_serves_where_the_primary_is_broken() -> None:
    for at in (512 + 60, 1024 + 40, 512):
        data = gpt({1: (100, 200, "")})
        data[at : at + 8] = b"\xff" * 8
        assert places(data) == {"1": (100, 101)}
        assert look(data)[1]


def test_the_backup_serves_where_the_start_is_wiped() -> None:
    data = gpt({1: (100, 200, "")})
    data[: 34 * 512] = bytes(34 * 512)
    assert places(data) == {"1": (100, 101)}
    assert look(data)[1] == ["the primary partition table is missing"]


def test_a_lost_backup_is_said() -> None:
    data = gpt({1: (100, 200, "")})
    data[-512:] = bytes(512)
    assert places(data) == {"1": (100, 101)}
    assert look(data)[1] == ["the backup partition table is missing"]


def test_a_stale_backup_does_not_shadow_a_newer_boot_record() -> None:
    data = gpt({1: (100, 200, "")})
    data[: 34 * 512] = bytes(34 * 512)
    data[:512] = boot_record((7, 64, 100))
    assert places(data) == {"1": (64, 100)}
    assert not owned(data) & {SECTORS - 1}


def test_a_protective_record_alone_is_damage() -> None:
    artifacts, damage = look(disk({0: boot_record((0xEE, 1, SECTORS - 1))}))
    assert damage == ["protective, but there is no GPT"]
    assert [a.role for a in artifacts] == [Role.STRUCTURE]


FAT = b"\xeb\x3c\x90MSDOS5.0" + struct.pack(
    "<HBHBHHBHHHII", 512, 4, 1, 2, 512, 4096, 0xF8, 4, 63, 255, 0, 0
)
NTFS = b"\xeb\x52\x90NTFS    " + struct.pack("<HB", 512, 8)
EXFAT = b"\xeb\x76\x90EXFAT   "
BITLOCKER = b"\xeb\x58\x90-FVE-FS-"


@pytest.mark.parametrize("head", [FAT, NTFS, EXFAT, BITLOCKER])
def test_a_boot_sector_of_a_file_system_is_no_partition_table(head: bytes) -> None:
    record = bytearray(boot_record((7, 64, 100), (7, 300, 100)))
    record[: len(head)] = head
    for data in (disk({0: bytes(record)}), disk({0: bytes(record), 1: gpt({})[512:1024]})):
        one = identify(Memory(bytes(data)), Family.VOLUMES)
        assert one is None


def test_text_in_the_code_area_is_not_explained() -> None:
    record = bytearray(boot_record((7, 64, 100)))
    record[100:140] = "架空 太郎,03-0000-0001".encode("cp932").ljust(40, b" ")
    assert 0 not in owned(disk({0: bytes(record)}))


def test_what_hides_in_an_extended_record_is_not_explained() -> None:
    hidden = bytearray(CHAIN[1000])
    hidden[10:40] = b"x" * 30
    assert owned(disk(CHAIN | {1000: bytes(hidden)})) == {0, 1600, 2400}


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
        max_size=4,
    )
)
def test_any_entries_give_partitions_inside_the_medium(entries) -> None:
    data = disk({0: boot_record(*entries), 100: boot_record(*entries)}, 256)
    for first, sectors in places(data).values():
        assert 0 <= first < 256
        assert first + sectors <= 256


@given(st.integers(0, 128 * 128 - 8), st.binary(min_size=8, max_size=8))
def test_any_gpt_entry_gives_partitions_inside_the_medium(at: int, value: bytes) -> None:
    data = gpt({1: (100, 200, ""), 2: (300, 400, "")})
    data[1024 + at : 1032 + at] = value
    data[-33 * 512 + at : -33 * 512 + at + 8] = value
    for first, sectors in places(data).values():
        assert first + sectors <= SECTORS
    assert 1 not in owned(data) or not look(data)[1]

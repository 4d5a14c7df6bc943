"""Old NTFS records: what they give back where no boot sector, no table and no root are left."""

from __future__ import annotations

import random

import pytest
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

from hakushi.assess.units import harvest
from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents, Role, State
from hakushi.recover import Budget, reach
from hakushi.recover.records import Ground, registered

ORIGIN = 8 * CLUSTER
TABLE = ORIGIN + 4 * CLUSTER
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40


def found(disk: Disk, used: tuple[Extent, ...] = ()) -> tuple[Memory, dict[str | None, Artifact]]:
    """By path what the old records of a medium tell, as the assessment looks for them."""
    source = Memory(bytes(disk.data))
    cell = harvest(source, Extent(0, source.size)).cells[0]
    signs: dict[str, list[Extent]] = {}
    for at, length, sign in cell.records:
        signs.setdefault(sign, []).append(Extent(at, length))
    taken = Extents(used)
    ground = Ground(
        {sign: Extents(where) for sign, where in signs.items()},
        lambda run: bool(taken & Extents([Extent(run.at or 0, run.length)])),
        cell.candidates,
    )
    (kind,) = (one for one in registered() if one.id == "ntfs")
    every = list(kind.read(source, ground, Budget.of(seconds=20)))
    assert all(isinstance(one, Artifact) and one.state is State.DELETED for one in every)
    artifacts = [one for one in every if isinstance(one, Artifact)]
    assert len({one.locator for one in artifacts}) == len(artifacts)
    volumes = {one.locator: one for one in artifacts if one.role is Role.VOLUME}
    assert all(one.locator.parent in volumes for one in artifacts if one.role is not Role.VOLUME)
    return source, {one.path: one for one in artifacts if one.role is not Role.VOLUME} | {
        str(one.locator): one for one in artifacts
    }


def content(source: Memory, every: dict[str | None, Artifact], path: str) -> bytes:
    one = every[path]
    known = {a.locator: a for a in every.values()}
    inner = reach(source, one.locator, known.__getitem__)
    assert inner.size == one.size
    return inner.read(Extent(0, inner.size))


def put(disk: Disk, number: int, *attributes: bytes, **more: object) -> None:
    disk.put(TABLE + number * RECORD, record(number, *attributes, **more))  # type: ignore[arg-type]


def on_disk(disk: Disk, cluster: int, data: bytes) -> None:
    disk.put(ORIGIN + cluster * CLUSTER, data)


def marked(disk: Disk) -> None:
    """Three folders whose index blocks tell where the volume began."""
    for n in range(3):
        runs = Mapped([(100 + n, 1)], CLUSTER, kind=0xA0, name="$I30").bytes()
        put(disk, 60 + n, times(), named(f"F{n}"), runs, flags=3)
        on_disk(disk, 100 + n, index_block(60 + n))


def small(text: bytes, name: str = "note.txt", parent: int = 5) -> tuple[bytes, ...]:
    return times(), named(name, parent), resident(0x80, text, id=1)


def test_a_resident_file_comes_back_with_its_path_and_time() -> None:
    disk = Disk(1 << 20)
    put(disk, 40, times(), named("会計"), flags=3)
    put(disk, 41, *small(b"hello", parent=40))
    source, every = found(disk)
    assert content(source, every, "会計/note.txt") == b"hello"
    assert every["会計/note.txt"].modified == 1_500_000_000
    assert every["会計"].kind == "directory"


def test_runs_are_found_by_what_the_folders_index_blocks_say() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    data = random.Random(1).randbytes(3 * CLUSTER - 9)
    put(disk, 70, times(), named("b.bin", 61), Mapped([(50, 1), (40, 2)], len(data)).bytes())
    on_disk(disk, 50, data[:CLUSTER])
    on_disk(disk, 40, data[CLUSTER:])
    source, every = found(disk)
    assert content(source, every, "F1/b.bin") == data
    assert every["F1/b.bin"].complete


def test_runs_are_found_by_what_the_names_promise() -> None:
    disk = Disk(1 << 20)
    for n in range(6):
        put(disk, 70 + n, times(), named(f"{n}.jpg"), Mapped([(40 + 9 * n, 3)], len(JPEG)).bytes())
        on_disk(disk, 40 + 9 * n, JPEG)
    source, every = found(disk)
    assert all(content(source, every, f"{n}.jpg") == JPEG for n in range(6))


@pytest.mark.parametrize("at", ["start", "end"])
def test_a_boot_sector_tells_the_origin_wherever_it_stands(at: str) -> None:
    disk = Disk(1 << 20)
    clusters = 200
    place = ORIGIN if at == "start" else ORIGIN + clusters * CLUSTER - 512
    disk.put(place, boot_sector(clusters, 4))
    put(disk, 70, times(), named("a.csv"), Mapped([(40, 1)], 700).bytes())
    on_disk(disk, 40, b"x" * 700)
    source, every = found(disk)
    assert content(source, every, "a.csv") == b"x" * 700


def test_without_any_hint_the_name_alone_is_listed() -> None:
    disk = Disk(1 << 20)
    put(disk, 70, times(), named("secret.csv"), Mapped([(40, 1)], 700).bytes())
    _, every = found(disk)
    assert every["secret.csv"].role is Role.NAME


def test_what_a_standing_file_system_uses_is_not_complete() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    put(disk, 70, times(), named("a.bin"), Mapped([(50, 2)], 2 * CLUSTER).bytes())
    put(disk, 71, times(), named("b.bin"), Mapped([(60, 2)], 2 * CLUSTER).bytes())
    _, every = found(disk, used=(Extent(ORIGIN + 51 * CLUSTER, 1),))
    assert not every["a.bin"].complete
    assert every["b.bin"].complete


def test_holes_and_what_was_never_written_are_zeros() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    on_disk(disk, 50, b"A" * CLUSTER)
    on_disk(disk, 55, b"B" * CLUSTER)
    sparse = Mapped([(50, 1), (None, 3), (55, 1)], 5 * CLUSTER, flags=0x8000)
    short = Mapped([(50, 1), (55, 1)], 2 * CLUSTER, initialized=100)
    put(disk, 70, times(), named("sparse"), sparse.bytes())
    put(disk, 71, times(), named("short"), short.bytes())
    source, every = found(disk)
    assert content(source, every, "sparse") == b"A" * CLUSTER + bytes(3 * CLUSTER) + b"B" * CLUSTER
    assert content(source, every, "short") == b"A" * 100 + bytes(2 * CLUSTER - 100)


def test_an_attribute_list_gathers_runs_of_several_records() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    on_disk(disk, 50, b"A" * CLUSTER)
    on_disk(disk, 80, b"B" * CLUSTER)
    first = Mapped([(50, 1)], 2 * CLUSTER).bytes()
    more = Mapped([(80, 1)], 0, first=1, id=0).bytes()
    stale = Mapped([(81, 1)], 0, first=1, id=0).bytes()
    put(disk, 70, times(), resident(0x20, bytes(32)), named("long"), first, sequence=4)
    put(disk, 71, more, base=(70, 4))
    put(disk, 72, stale, base=(70, 3))
    source, every = found(disk)
    assert content(source, every, "long") == b"A" * CLUSTER + b"B" * CLUSTER


def test_alternate_streams_are_files_of_their_own() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    put(disk, 70, *small(b"main", "a.txt"), resident(0x80, b"hidden", "Zone", id=7))
    source, every = found(disk)
    assert content(source, every, "a.txt") == b"main"
    assert content(source, every, "a.txt:Zone") == b"hidden"


def test_compressed_units_are_inflated() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    # "abcd", then 4092 bytes copied from 4 bytes back.
    token = (4092 - 3 | 3 << 12).to_bytes(2, "little")
    chunk = b"\x06\xb0\x10abcd" + token
    stored = chunk * 16
    on_disk(disk, 50, stored)
    on_disk(disk, 60, b"R" * 16 * CLUSTER)
    runs: list[tuple[int | None, int]] = [(50, 1), (None, 15), (60, 16), (None, 16)]
    packed = Mapped(runs, 48 * CLUSTER, flags=1, unit=4)
    put(disk, 70, times(), named("packed"), packed.bytes())
    source, every = found(disk)
    expected = b"abcd" * 1024 * 16 + b"R" * 16 * CLUSTER + bytes(16 * CLUSTER)
    assert content(source, every, "packed") == expected


def test_a_last_unit_is_raw_unless_a_hole_follows_even_past_the_size() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    on_disk(disk, 50, b"R" * CLUSTER)
    token = (4092 - 3 | 3 << 12).to_bytes(2, "little")
    on_disk(disk, 60, b"\x06\xb0\x10abcd" + token)
    raw = Mapped([(50, 1)], 3000, flags=1, unit=4)
    packed = Mapped([(60, 1), (None, 15)], 3000, flags=1, unit=4)
    put(disk, 70, times(), named("raw"), raw.bytes())
    put(disk, 71, times(), named("packed"), packed.bytes())
    source, every = found(disk)
    assert content(source, every, "raw") == b"R" * 3000
    assert content(source, every, "packed") == (b"abcd" * 1024)[:3000]


def test_a_freed_record_keeps_its_folder_and_an_unknown_one_is_told_so() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    put(disk, 70, times(), named("gone"), flags=2, sequence=6)
    put(disk, 71, times(), named("in", 70, sequence=5), resident(0x80, b"1", id=1), flags=0)
    put(disk, 72, times(), named("stray", 70, sequence=4), resident(0x80, b"2", id=1))
    _, every = found(disk)
    assert {"gone/in", "$Orphan/70-4/stray"} <= every.keys()


def test_an_index_block_names_a_folder_and_a_file_whose_records_are_lost() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    on_disk(disk, 110, index_block(5, "Lost", number=90, folder=True))
    on_disk(disk, 111, index_block(90, "gone.csv", number=91))
    put(disk, 70, *small(b"left", parent=90))
    source, every = found(disk)
    assert content(source, every, "Lost/note.txt") == b"left"
    assert every["Lost/gone.csv"].role is Role.NAME


def test_index_blocks_alone_give_names() -> None:
    disk = Disk(1 << 20)
    on_disk(disk, 111, index_block(90, "gone.csv", number=91))
    _, every = found(disk)
    assert every["$Orphan/90-1/gone.csv"].role is Role.NAME


def test_index_blocks_in_use_say_nothing() -> None:
    disk = Disk(1 << 20)
    on_disk(disk, 111, index_block(90, "live.csv", number=91))
    _, every = found(disk, used=(Extent(ORIGIN + 111 * CLUSTER, CLUSTER),))
    assert not every


def test_folders_in_a_circle_end() -> None:
    disk = Disk(1 << 20)
    marked(disk)
    put(disk, 70, times(), named("a", 71), flags=3)
    put(disk, 71, times(), named("b", 70), flags=3)
    put(disk, 72, *small(b"x", parent=71))
    _, every = found(disk)
    assert any(p and p.startswith("$Orphan/") and p.endswith("note.txt") for p in every)


def test_a_torn_record_is_still_a_record() -> None:
    disk = Disk(1 << 20)
    put(disk, 70, *small(b"x"))
    disk.data[TABLE + 70 * RECORD + 510] ^= 1
    _, every = found(disk)
    assert [one.role for one in every.values() if one.role is not Role.VOLUME] == [Role.NAME] * 2


def test_two_generations_are_kept_apart() -> None:
    disk = Disk(2 << 20)
    marked(disk)
    put(disk, 70, *small(b"new", parent=60))
    other = 300 * CLUSTER
    disk.put(other + 60 * RECORD, record(60, times(), named("Old"), flags=3))
    disk.put(other + 70 * RECORD, record(70, *small(b"old", parent=60)))
    source, every = found(disk)
    assert content(source, every, "F0/note.txt") == b"new"
    assert content(source, every, "Old/note.txt") == b"old"

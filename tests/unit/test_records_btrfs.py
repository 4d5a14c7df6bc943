"""btrfs as mkfs.btrfs and the kernel made it (tests/images/README.md): what lives, what was deleted, what was formatted over; and torn."""

import hashlib
import json
import lzma
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess.units import grid, harvest
from hakushi.media import Memory, Runs, Window
from hakushi.model import Artifact, Damage, Extent, Extents, Malformed, Role, Source
from hakushi.recover import Budget, identify, records, walk
from hakushi.recover.filesystem import btrfs, btrfs_disk
from hakushi.recover.grammar.btrfs_pack import lzo1x, unpacked
from hakushi.recover.grammar.crc32c import crc32c
from hakushi.recover.records.btrfs import member
from hakushi.recover.standing import standing

KEPT = Path(__file__).parents[1] / "images" / "btrfs"


@cache
def kept(name: str) -> bytes:
    return lzma.decompress((KEPT / f"{name}.img.xz").read_bytes())


def manifest(*states: str) -> dict[str, str]:
    every = json.loads((KEPT / "manifest.json").read_text(encoding="utf-8"))
    return {path: digest for path, (digest, state) in every.items() if state in states}


def digest(inner: Source) -> str:
    if inner.size > 64 << 20:
        return f"{inner.size} bytes"
    return hashlib.sha256(inner.read(Extent(0, inner.size))).hexdigest()


def living(source: Source) -> tuple[dict[str, str], list[Artifact], list[Damage]]:
    every = list(walk(source, Budget.of(seconds=60)))
    found = [one for one in every if isinstance(one, Artifact)]
    files = {}
    for one in found:
        if one.kind == "file" and one.complete:
            step = one.locator.last[1]
            plain = one.runs is not None
            inner = (
                Runs(source, one.runs, one.size, one.locator)
                if plain
                else btrfs.member(source, step)
            )
            files[str(one.path)] = digest(inner)
    return files, found, [one for one in every if isinstance(one, Damage)]


def ground(source: Source, budget: Budget) -> records.Ground:
    signs: dict[str, list[Extent]] = defaultdict(list)
    for extent in grid(source.size):
        for cell in harvest(source, extent).cells.values():
            for at, length, sign in cell.records:
                signs[sign].append(Extent(at, length))
    used = standing(source, [Extent(0, source.size)], budget).used
    return records.Ground({id: Extents(where) for id, where in signs.items()}, used)


def gone(source: Source) -> list[tuple[Artifact, str]]:
    """Files of the old nodes that are called complete, each with its content's digest."""
    budget = Budget.of(seconds=60)
    (kind,) = (one for one in records.registered() if one.id == "btrfs")
    every = list(kind.read(source, ground(source, budget), budget))
    found = [one for one in every if isinstance(one, Artifact)]
    volumes = {one.locator: one for one in found if one.role is Role.VOLUME}
    out = []
    for one in found:
        if one.kind != "file" or not one.complete:
            continue
        run = volumes[one.locator.parent].runs[0]
        volume = Window(source, Extent(run.at, run.length), one.locator.parent)
        plain = one.runs is not None
        inner = (
            Runs(volume, one.runs, one.size, one.locator)
            if plain
            else member(volume, one.locator.last[1])
        )
        out.append((one, digest(inner)))
    return out


def test_everything_that_lives_is_there_plain_inline_packed_in_subvolumes_and_snapshots():
    source = Memory(kept("deleted"))
    assert identify(source).id == "btrfs"
    files, found, damage = living(source)
    assert files == manifest("live")
    assert damage == []
    assert [one.path for one in found if one.role is Role.LABEL] == ["TAXDATA"]


def test_everything_that_was_deleted_comes_back_and_no_claim_is_wrong():
    found = gone(Memory(kept("deleted")))
    told = {str(one.path): what for one, what in found}
    lost = manifest("deleted")
    assert set(told.values()) <= set(manifest("live", "deleted").values())
    assert set(lost.values()) <= set(told.values())
    assert sum(told.get(path) == what for path, what in lost.items()) >= len(lost) - 1


def test_most_of_what_was_formatted_over_comes_back_and_no_claim_is_wrong():
    found = gone(Memory(kept("formatted")))
    every = manifest("live", "deleted")
    back = {what for _, what in found}
    assert back <= set(every.values())
    assert sum(what in back for what in every.values()) >= 85


def test_the_same_in_a_partition():
    data = bytes(1 << 20) + kept("deleted")
    back = {what for _, what in gone(Memory(data))}
    assert set(manifest("deleted").values()) <= back


def test_new_bytes_in_the_place_of_a_file_are_not_called_it():
    """What wrote there did so past the file system, so that only the checksums can tell."""
    data = bytearray(kept("deleted"))
    plain = next(
        one
        for one, _ in gone(Memory(bytes(data)))
        if one.runs and one.size > 8192 and not str(one.path).startswith(("zstd", "lzo", "zlib"))
    )
    at = plain.runs[0].at + 5000
    data[at : at + 64] = b"x" * 64
    again = {one.locator: what for one, what in gone(Memory(bytes(data)))}
    assert plain.locator not in again


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_torn_volume_ends_in_damage_not_in_a_crash(data):
    whole = bytearray(kept("deleted"))
    for _ in range(data.draw(st.integers(1, 30))):
        at = data.draw(st.integers(0x10000, 8 << 20))
        whole[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    source = Memory(bytes(whole[: data.draw(st.integers(1 << 20, len(whole)))]))
    try:
        files, _, _ = living(source)
        assert len(files) <= len(manifest("live", "deleted"))
    except Malformed:
        pass
    assert all(one.size > 0 for one, _ in gone(source))


@given(st.binary(max_size=400), st.integers(0, 3), st.integers(0, 9000))
def test_random_bytes_unpack_to_nothing_or_are_malformed(data, how, size):
    for attempt in (
        lambda: unpacked(data, how or 2, size, Budget()),
        lambda: lzo1x(data, 4096),
    ):
        try:
            assert len(attempt()) <= max(size, 4096)
        except Malformed:
            continue


@given(st.binary(min_size=101, max_size=4096))
def test_random_bytes_are_no_node(data):
    raw = data[:0x38] + btrfs_disk.NODE_MARK + data[0x40:]
    try:
        one = btrfs_disk.node(raw)
    except Malformed:
        return
    assert all(len(item.data) <= len(raw) for item in one.items()) or one.level


@pytest.mark.parametrize(
    ("data", "sum_"),
    [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (b"", 0)],
)
def test_checksums_are_those_of_rfc_3720(data, sum_):
    assert crc32c(data) == sum_


def test_an_extent_that_claims_to_be_endless_is_held_against_no_endless_sums():
    """Its length is a number in a leaf: only as much of it as the file has is looked at."""
    data = bytearray(kept("deleted"))
    source = Memory(bytes(data))
    plain = next(
        one for one, _ in gone(source) if one.runs and str(one.path).endswith("piece2.csv")
    )
    number = int(plain.locator.last[1].split("-")[1])
    for at in range(0, len(data), 4096):
        try:
            leaf = btrfs_disk.node(bytes(data[at : at + 4096]))
        except Malformed:
            continue
        for item in leaf.items() if not leaf.level else ():
            if (item.key.objectid, item.key.type) == (number, btrfs_disk.EXTENT):
                data[at + item.at + 45 : at + item.at + 53] = (1 << 62).to_bytes(8, "little")
        data[at : at + 4] = crc32c(bytes(data[at + 32 : at + 4096])).to_bytes(4, "little")
    assert all(one.locator != plain.locator for one, _ in gone(Memory(bytes(data))))

"""Arrays and volume groups that the kernel's md and LVM made (see tests/images/README.md), put together from their members: all of
them, one missing, torn, foreign.

Sector i of an array NAME holds the words "NAME sector i": what is read is told from where.
"""

import json
import tarfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess.units import harvest
from hakushi.cli.main import main
from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Locator, Malformed, Role, Source, Unreadable
from hakushi.recover import Budget, arrays, identify, walk

KEPT = Path(__file__).parents[1] / "images" / "arrays.tar.xz"
SECTORS = {
    "raid0": 3072, "raid1": 1024, "raid4": 2048, "raid5ls": 2048, "raid5la": 3072,
    "raid5rs": 3072, "raid5ra": 3072, "raid6ls": 3072, "raid10n2": 2048, "raid10n2odd": 1536,
    "raid10f2": 1536, "raid10o2": 1536, "linear": 2048, "old5": 2304, "end1": 1152,
    "start0": 2048, "uneven": 1536,
}  # fmt: skip
REDUNDANT = [name for name in SECTORS if name not in {"raid0", "linear", "start0", "uneven"}]
LVM = {"first": 1920, "striped": 640, "twin": 192}


@cache
def kept() -> dict[str, bytes]:
    with tarfile.open(KEPT) as every:
        return {one.name: every.extractfile(one).read() for one in every}  # type: ignore[union-attr]


def members(name: str, without: int | None = None) -> dict[str, Source]:
    return {
        file: Memory(data, Locator.root("memory", file))
        for file, data in kept().items()
        if file.partition(".")[0] == name and file != f"{name}.{without}"
    }


def text(name: str, sectors: int) -> bytes:
    return b"".join(b"%-511s\n" % f"{name} sector {i}".encode() for i in range(sectors))


def volumes(source: Source) -> list[Artifact]:
    found = walk(source, Budget.of())
    return [one for one in found if isinstance(one, Artifact) and one.role is Role.VOLUME]


def held(source: Source, one: Artifact) -> bytes:
    assert one.runs and one.runs[0].at is not None
    return source.read(Extent(one.runs[0].at, one.size))


@pytest.mark.parametrize("name", SECTORS)
def test_all_members_give_the_array(name: str) -> None:
    source, damage = arrays.gather(members(name))
    (volume,) = volumes(source)
    assert held(source, volume) == text(name, SECTORS[name])
    assert damage == ()


@pytest.mark.parametrize("name", REDUNDANT)
def test_a_missing_member_is_computed_and_said(name: str) -> None:
    for without in range(len(members(name))):
        source, damage = arrays.gather(members(name, without))
        (volume,) = volumes(source)
        assert held(source, volume) == text(name, SECTORS[name])
        assert len(damage) == 1
        assert "missing" in damage[0]


def test_what_no_member_holds_is_unreadable_and_the_rest_is_there() -> None:
    source, damage = arrays.gather(members("raid0", without=1))
    (volume,) = volumes(source)
    at = volume.runs[0].at if volume.runs else None
    assert at is not None
    expected = text("raid0", 96)
    assert source.read(Extent(at, 16 << 10)) == expected[: 16 << 10]
    with pytest.raises(Unreadable):
        source.read(Extent(at + (16 << 10), 512))
    assert source.read(Extent(at + (32 << 10), 512)) == expected[32 << 10 :][:512]
    assert damage


def test_of_an_array_with_a_hole_in_every_stripe_the_rest_is_read() -> None:
    for name, share in (("raid0", 3), ("linear", 2)):
        source, _ = arrays.gather(members(name, without=0))
        read = harvest(source, Extent(0, source.size))
        assert read.unreadable.size == SECTORS[name] * 512 // share
        assert read.seen.size == source.size - read.unreadable.size


def test_a_member_that_was_read_half_is_computed_from_there_on() -> None:
    cut = kept()["raid5ls.1"][: 300 << 10]
    source, damage = arrays.gather({**members("raid5ls"), "raid5ls.1": Memory(cut)})
    (volume,) = volumes(source)
    assert held(source, volume) == text("raid5ls", SECTORS["raid5ls"])
    assert damage == ("lab:raid5ls: member 1 ends 348160 bytes early",)


def test_a_set_of_which_most_is_missing_is_none() -> None:
    with pytest.raises(Malformed, match="too few members are here: 1 of 3"):
        arrays.gather({"raid5ls.0": members("raid5ls")["raid5ls.0"]})


def test_two_missing_of_raid_6_are_not_made_up() -> None:
    some = members("raid6ls")
    del some["raid6ls.1"], some["raid6ls.3"]
    source, _ = arrays.gather(some)
    (volume,) = volumes(source)
    with pytest.raises(Unreadable):
        held(source, volume)


def test_logical_volumes_over_several_physical_ones() -> None:
    source, damage = arrays.gather(members("lvm"))
    found = {str(one.path): held(source, one) for one in volumes(source)}
    assert found == {f"office/{name}": text(name, size) for name, size in LVM.items()}
    assert damage == ()
    whole = source.read(Extent(0, source.size))
    # The volume that was removed is in what belongs to none, and every mirrored byte once.
    assert b"spread sector 639 " in whole
    for name, size in LVM.items():
        assert all(whole.count(f"{name} sector {i} ".encode()) == 1 for i in range(size))


def test_a_volume_on_one_physical_volume_needs_no_set() -> None:
    source = members("lvm")["lvm.0"]
    found = list(walk(source, Budget.of()))
    roles = {one.path: one.role for one in found if isinstance(one, Artifact) and one.path}
    assert roles == {
        "office": Role.LABEL,
        "first": Role.MEMBER,
        "striped": Role.MEMBER,
        "twin": Role.VOLUME,
        "spread": Role.NAME,
    }


@pytest.mark.parametrize("name", SECTORS)
def test_a_member_alone_is_a_part_unless_it_mirrors(name: str) -> None:
    one = next(iter(members(name).values()))
    found = [a for a in walk(one, Budget.of()) if isinstance(a, Artifact)]
    role = Role.VOLUME if name in {"raid1", "end1"} else Role.MEMBER
    assert [a.role for a in found if a.locator.last == ("md", "data")] == [role]


def test_a_stale_member_is_left_out_said_and_computed() -> None:
    old = bytearray(with_superblock(kept()["raid5ls.0"], events=0))
    old[128 << 10 :] = bytes(len(old) - (128 << 10))
    source, damage = arrays.gather({**members("raid5ls"), "raid5ls.0": Memory(bytes(old))})
    (volume,) = volumes(source)
    assert held(source, volume) == text("raid5ls", SECTORS["raid5ls"])
    assert "older state" in damage[0]


def test_what_is_no_member_is_said_and_nothing_at_all_is_malformed() -> None:
    _, damage = arrays.gather({**members("raid1"), "other": Memory(bytes(1 << 20))})
    assert damage == ("other: no member of an array, left out of the set",)
    with pytest.raises(Malformed, match="no member of an array"):
        arrays.gather({"a": Memory(bytes(1 << 20)), "b": Memory(b"x" * 4096)})


def with_superblock(data: bytes, **fields: int) -> bytes:
    """A member of version 1.2 that says something else, with a checksum that holds."""
    places = {"events": (200, 8), "disks": (92, 4), "used": (80, 8)}
    raw = bytearray(data)
    for name, value in fields.items():
        at, width = places[name]
        raw[4096 + at : 4096 + at + width] = value.to_bytes(width, "little")
    raw[4312:4316] = bytes(4)
    end = 4096 + 256 + 2 * int.from_bytes(raw[4316:4320], "little")
    total = sum(int.from_bytes(raw[i : i + 4], "little") for i in range(4096, end, 4))
    raw[4312:4316] = ((total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(raw)


@pytest.mark.parametrize("fields", [{"used": 1 << 45}, {"disks": 4096}])
def test_claims_without_bytes_behind_them_keep_nobody_busy(fields: dict[str, int]) -> None:
    some = {
        file: Memory(with_superblock(data, **fields), Locator.root("memory", file))
        for file, data in kept().items()
        if file.startswith("raid5ls")
    }
    with pytest.raises(Malformed):
        arrays.gather(some)


@settings(max_examples=60)
@given(st.data())
def test_changed_members_raise_nothing_else(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["raid5ls", "raid10f2", "old5", "lvm"]))
    some: dict[str, Source] = {}
    for file, source in members(name).items():
        raw = bytearray(source.read(Extent(0, source.size)))
        for _ in range(data.draw(st.integers(0, 6))):
            low = data.draw(st.sampled_from([0, 512, 4096, 4608, len(raw) - (64 << 10)]))
            raw[low + data.draw(st.integers(0, 511))] = data.draw(st.integers(0, 255))
        some[file] = Memory(bytes(raw), Locator.root("memory", file))
    try:
        source, _ = arrays.gather(some)
        list(walk(source, Budget.of(steps=200_000)))
        for one in some.values():
            if identify(one) is not None:
                list(walk(one, Budget.of(steps=200_000)))
        source.read(Extent(0, 1 << 16))
    except (Malformed, Unreadable):
        return


def test_a_nas_is_assessed_whole_and_drive_by_drive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """RAID 5 over partitions, LVM on it, ext4 in that; one of the drives is missing."""
    for number in (0, 2):
        (tmp_path / f"nas.{number}").write_bytes(kept()[f"nas.{number}"])
    names = [str(tmp_path / f"nas.{number}") for number in (0, 2)]
    words = ["--set", "--case", str(tmp_path / "cases"), "--json", "-"]
    assert main(["assess", *names, *words]) == 3
    first, third, whole = json.loads(capsys.readouterr().out)
    assert first["artifacts"]["live"]["count"] == third["artifacts"]["live"]["count"] == 0
    assert any("other parts are not here" in reason for reason in first["reasons"])
    assert whole["source"]["format"] == "set"
    assert [one["what"] for one in whole["damage"]] == ["box:nas: member 1 of 3 is missing"]
    main(["case", "artifacts", str(tmp_path / "cases" / "nas.0-set.hakushi")])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    digests = {row["path"]: row["sha256"] for row in rows if row["state"] == "live"}
    assert digests["課税/名簿.csv"] == (
        "89b4a4ac3c1618d79b918801fee965fa968f56e5f8cd61fb7319fb38c0503274"
    )
    assert digests["memo.txt"] == (
        "fac9c6a68d6145a06538460d26c872d45bf9fd93b558b632dcd263a62efe56b6"
    )


def test_a_set_of_strangers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(bytes(1 << 20) + name.encode() * 512)
    words = ["--set", "--case", str(tmp_path / "cases"), "--json", "-"]
    assert main(["assess", str(tmp_path / "a"), str(tmp_path / "b"), *words]) == 5
    assert "They are no set" in capsys.readouterr().err

"""XFS as mkfs.xfs and the kernel made it (tests/images/README.md): what lives, what was deleted, what was formatted over; and torn."""

import hashlib
import json
import lzma
from collections import defaultdict
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess.units import grid, harvest
from hakushi.media import Memory, Runs
from hakushi.model import Artifact, Damage, Extent, Extents, Malformed, Source, Unreadable
from hakushi.recover import Budget, records, walk
from hakushi.recover.standing import standing

KEPT = Path(__file__).parents[1] / "images" / "xfs"


@cache
def kept(name: str) -> bytes:
    return lzma.decompress((KEPT / f"{name}.img.xz").read_bytes())


def manifest() -> dict[str, tuple[str, str]]:
    every = json.loads((KEPT / "manifest.json").read_text(encoding="utf-8"))
    return {path: (digest, state) for path, (digest, state) in every.items()}


def digest(source: Source, one: Artifact) -> str:
    content = Runs(source, one.runs or (), one.size, one.locator)
    return hashlib.sha256(content.read(Extent(0, one.size))).hexdigest()


def living(source: Source) -> dict[str, str]:
    every = list(walk(source, Budget.of(seconds=60)))
    assert not [one for one in every if isinstance(one, Damage)]
    found = [one for one in every if isinstance(one, Artifact) and one.kind == "file"]
    return {str(one.path): digest(source, one) for one in found}


def ground(source: Source, budget: Budget) -> records.Ground:
    signs: dict[str, list[Extent]] = defaultdict(list)
    for extent in grid(source.size):
        for cell in harvest(source, extent).cells.values():
            for at, length, sign in cell.records:
                signs[sign].append(Extent(at, length))
    used = standing(source, [Extent(0, source.size)], budget).used
    return records.Ground({id: Extents(where) for id, where in signs.items()}, used)


def gone(source: Source) -> list[Artifact]:
    budget = Budget.of(seconds=60)
    (kind,) = (one for one in records.registered() if one.id == "xfs")
    found = kind.read(source, ground(source, budget), budget)
    return [one for one in found if isinstance(one, Artifact) and one.kind == "file"]


def test_what_lives_comes_with_its_path() -> None:
    lives = {path: told for path, (told, state) in manifest().items() if state == "live"}
    assert living(Memory(kept("deleted"))) == lives
    assert len(lives) == 47


def test_version_4_is_read_too() -> None:
    source = Memory(kept("version4"))
    lines = "".join(f"架空 太郎,memo 2 {k}\n" for k in range(600)).encode()
    found = living(source)
    assert set(found) == {"office/one.txt", "office/two.txt", "three.txt"}
    assert found["office/two.txt"] == hashlib.sha256(lines).hexdigest()


def test_what_was_deleted_comes_back_whole_by_log_and_leftovers() -> None:
    source = Memory(kept("deleted"))
    found = {(one.path, digest(source, one)) for one in gone(source) if one.complete}
    wanted = {(path, told) for path, (told, state) in manifest().items() if state == "deleted"}
    assert {told for _, told in wanted} <= {told for _, told in found}
    assert len(wanted - found) <= 1, "a name or two may go to an inode's later file"
    assert any(path.startswith("断片/") for path, _ in wanted), "one in 13 pieces is among them"


def test_no_claim_of_a_whole_file_is_wrong() -> None:
    planted = {told for told, _ in manifest().values()}
    for name in ("deleted", "formatted"):
        source = Memory(kept(name))
        assert {digest(source, one) for one in gone(source) if one.complete} <= planted


def test_formatting_leaves_the_inodes_that_it_does_not_write_to() -> None:
    source = Memory(kept("formatted"))
    found = {digest(source, one) for one in gone(source) if one.complete}
    # The other inodes lay in the first chunk of the volume, where mkfs puts the new root.
    assert sum(told in found for told, _ in manifest().values()) == 37
    assert living(source) == {}


def test_blocks_of_a_live_file_are_in_use_and_freed_ones_are_not() -> None:
    source = Memory(kept("deleted"))
    used = standing(source, [Extent(0, source.size)], Budget.of()).used
    for one in walk(source, Budget.of()):
        if isinstance(one, Artifact) and one.kind == "file":
            assert all(used(run) for run in one.runs or () if run.at is not None)
    assert not any(used(run) for one in gone(source) for run in one.runs or ())


def test_a_superblock_of_billions_of_groups_keeps_nobody_busy() -> None:
    raw = bytearray(kept("deleted"))
    for at in range(0, len(raw), 512):
        if raw[at : at + 4] == b"XFSB":
            raw[at + 8 : at + 16] = (
                ((1 << 32) - 2) * int.from_bytes(raw[at + 84 : at + 88])
            ).to_bytes(8)
            raw[at + 88 : at + 92] = ((1 << 32) - 2).to_bytes(4)
    source = Memory(bytes(raw))
    told = [one for one in walk(source, Budget.of(steps=1_000_000)) if isinstance(one, Damage)]
    assert 0 < len(told) < 100


@settings(max_examples=15)
@given(st.data())
def test_changed_bytes_raise_nothing_else_and_stay_inside(data: st.DataObject) -> None:
    raw = bytearray(kept("deleted"))
    heads = [
        at
        for at in range(0, len(raw), 512)
        if bytes(raw[at : at + 2]) in {b"IN", b"XF", b"XA", b"XD"}
    ]
    for _ in range(data.draw(st.integers(1, 40))):
        at = data.draw(st.sampled_from(heads)) + data.draw(st.integers(0, 511))
        raw[at] = data.draw(st.integers(0, 255))
    source = Memory(bytes(raw))
    try:
        every = [*walk(source, Budget.of(seconds=60)), *gone(source)]
    except Malformed:
        return
    for one in every:
        if isinstance(one, Artifact) and one.runs:
            assert all(r.at is None or 0 <= r.at <= source.size - r.length for r in one.runs)
            try:
                digest(source, one) if one.size < 1 << 24 else None
            except Unreadable:
                continue

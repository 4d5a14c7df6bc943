"""Old ext records are hostile: whatever stands in their fields, artifacts keep their laws, in time."""

from __future__ import annotations

import gzip
import random
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents, Malformed, Run, Unreadable
from hakushi.recover import Budget, reach
from hakushi.recover.cursor import Spent
from hakushi.recover.records import Ground, registered
from hakushi.recover.records._ext_inode import BlockMap, Inode
from hakushi.recover.records._ext_names import Names, entries

IMAGES = Path(__file__).parent.parent / "images" / "ext-old"
BLOCK = 1024
EXTREMES = [b"\0" * 4, b"\xff" * 4, b"\xff\xff", b"\x7f\xff", b"\xff\x7f", b"\1", b"\x80"]
(KIND,) = (one for one in registered() if one.id == "ext")


@cache
def image(name: str) -> bytes:
    return gzip.decompress((IMAGES / f"{name}.img.gz").read_bytes())


@cache
def signs(name: str) -> dict[str, Extents]:
    """Where the signs stand: a sector each."""
    data = image(name)
    return {
        sign.id: Extents(
            Extent(at, 512)
            for at in range(0, len(data), 512)
            if data.startswith(sign.value, at + sign.at)
        )
        for sign in KIND.signs
    }


@cache
def places(name: str) -> tuple[int, ...]:
    """Blocks of metadata: superblock, descriptors, journal, inode tables, directories."""
    data = image(name)
    own = [b * BLOCK for b in range(len(data) // BLOCK) if b < 110]
    journal = [e.offset for extents in signs(name).values() for e in extents]
    copied = [at + BLOCK * n for at in journal for n in range(1, 8) if at + BLOCK * n < len(data)]
    return tuple(p for p in {*own, *journal, *copied} if any(data[p : p + BLOCK]))


def read(data: bytes, where: dict[str, Extents], steps: int = 400_000) -> list[Artifact]:
    """All artifacts; each one's bytes are read."""
    source, began = Memory(data), time.monotonic()
    try:
        budget = Budget.of(seconds=20, steps=steps)
        every = list(KIND.read(source, Ground(where), budget))
    except Malformed:
        return []
    out = [one for one in every if isinstance(one, Artifact)]
    known = {one.locator: one for one in out}
    assert len(known) == len(out)
    for one in out:
        parent = one.locator.parent
        assert parent is not None
        room = source.size if parent == source.locator else known[parent].size
        assert all(r.at is None or r.at + r.length <= room for r in one.runs or ())
        assert one.runs is None or sum(r.length for r in one.runs) >= one.size
        inner = reach(source, one.locator, known.__getitem__)
        try:
            inner.read(Extent(0, min(inner.size, 70_000)))
            inner.read(Extent(max(0, inner.size - 5000), 5000))
        except Unreadable:
            continue
    assert time.monotonic() - began < 20
    return out


@pytest.mark.parametrize("name", ["deleted-ext4", "deleted-ext3"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_volumes_with_any_field_wrong_keep_the_laws(name: str, data: st.DataObject) -> None:
    edits = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(places(name)),
                st.integers(0, BLOCK - 8),
                st.sampled_from(EXTREMES) | st.binary(min_size=1, max_size=8),
            ),
            min_size=1,
            max_size=30,
        )
    )
    raw = bytearray(image(name))
    for place, at, value in edits:
        raw[place + at : place + at + len(value)] = value
    read(bytes(raw), signs(name))


@pytest.mark.parametrize("at", range(1024, 1024 + 360, 4))
def test_every_field_of_the_superblock_at_its_extremes(at: int) -> None:
    raw = bytearray(image("deleted-ext4"))
    for value in (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\1\0\0\0"):
        raw[at : at + 4] = value
        read(bytes(raw), signs("deleted-ext4"), steps=60_000)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 32))
def test_a_journal_of_noise_keeps_the_laws(seed: int) -> None:
    rng, raw = random.Random(seed), bytearray(image("deleted-ext4"))
    for extent in signs("deleted-ext4")["ext-journal"]:
        start = extent.offset + 12
        raw[start : start + BLOCK - 12] = rng.randbytes(BLOCK - 12)
    read(bytes(raw), signs("deleted-ext4"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 1 << 45), st.booleans(), st.binary(max_size=4096))
def test_any_tree_of_blocks_gives_runs_of_the_files_size(
    head: bytes, size: int, extents: bool, block: bytes
) -> None:
    """Also where a list of blocks names itself."""
    raw = (b"\x0a\xf3" if extents else b"") + head
    one = Inode(0, 0x8000, size, 1, 0x80000 * extents, raw[:60].ljust(60, b"\0"), 0, 0, 0, 0, 0)
    answer = block.ljust(BLOCK, b"\0")[:BLOCK]
    budget = Budget.of(steps=100_000)
    try:
        laid = BlockMap(BLOCK, 1 << 20, lambda _: iter((answer,)), budget).of(one)
    except Spent:
        return
    assert sum(run.length for run in laid.runs) == size
    assert all(run.at is None or run.at + run.length <= BLOCK << 20 for run in laid.runs)


def test_a_node_that_leads_to_itself_ends_and_is_not_called_whole() -> None:
    node = b"\x0a\xf3\1\0\4\0\1\0" + bytes(4) + bytes(4) + b"\7\0\0\0" + bytes(4)
    one = Inode(0, 0x8000, 5000, 1, 0x80000, node.ljust(60, b"\0"), 0, 0, 0, 0, 0)
    laid = BlockMap(BLOCK, 100, lambda _: iter((node.ljust(BLOCK, b"\0"),)), Budget.of()).of(one)
    assert laid.runs == (Run(None, 5000),)
    assert not laid.whole


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2048))
def test_any_directory_block_gives_only_names_that_stand_in_it(raw: bytes) -> None:
    for one in entries(raw, 1 << 32):
        assert one.name in raw
        assert b"/" not in one.name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 9), st.integers(2, 9)), max_size=40))
def test_folders_that_lie_in_each_other_end(pairs: list[tuple[int, int]]) -> None:
    names = Names()
    for parent, child in pairs:
        raw = child.to_bytes(4, "little") + b"\x00\x04\x01\x02d" + bytes(1015)
        names.add(parent, raw, 1, 99, Budget.of())
    for number in range(2, 12):
        assert len(names.path(number, 1, 2)) < 1000


def test_a_budget_that_runs_out_says_so() -> None:
    source = Memory(image("deleted-ext4"))
    for steps in (10, 1000, 5000):
        with pytest.raises(Spent):
            list(KIND.read(source, Ground(signs("deleted-ext4")), Budget.of(steps=steps)))

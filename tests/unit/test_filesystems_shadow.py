"""Shadow copies: read as libvshadow reads them; what they alone still have is told where it lies."""

import gzip
import hashlib
import io
import random
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shadow_volumes import BASE, Volume, drawn

from hakushi.media import Memory, Runs
from hakushi.model import Artifact, Damage, Extent, State
from hakushi.recover import Budget, walk
from hakushi.recover.filesystem.ntfs_shadow import BLOCK, Shadow, copies
from hakushi.recover.formats.ntfs import PLUGIN

IMAGES = Path(__file__).parents[1] / "images"
KINDS = [(0,), (0, 4), (0, 2), (0, 1), (1,), (0, 1, 2, 4)]
"""Plain blocks, unused ones, overlays, forwarders. Both at once make the oracle write out of bounds."""

MADE = 132_000_000_000_000_000
"""2019-04-18, as a FILETIME."""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 40), st.integers(1, 4), st.sampled_from(KINDS))
def test_every_sector_of_every_copy_is_as_libvshadow_reads_it(seed, number, kinds):
    import pyvshadow

    data = drawn(seed, number, kinds)
    oracle = pyvshadow.volume()
    oracle.open_file_object(io.BytesIO(data))
    source = Memory(data)
    found, damage = copies(source, Budget())
    assert damage == []
    assert len(found) == oracle.number_of_stores == number
    for one in found:
        theirs = oracle.get_store(one.number - 1)
        ours = Shadow(source, found, one.number, source.locator)
        assert ours.size == theirs.size
        for at in range(0, BASE, BLOCK):
            theirs.seek(at)
            assert ours.read(Extent(at, BLOCK)) == theirs.read(BLOCK)


@cache
def image(name: str) -> bytes:
    return gzip.decompress((IMAGES / f"{name}.img.gz").read_bytes())


def shadowed(now: bytes, *befores: bytes) -> bytes:
    """A volume with shadow copies, the oldest first: each keeps what the next one changed."""
    volume = Volume(now)
    states = [*befores, now]
    for number, (state, following) in enumerate(pairwise(states)):
        blocks = [
            (at, 1 << 30, volume.append(state[at : at + BLOCK]), 0, 0)
            for at in range(0, len(now), BLOCK)
            if state[at : at + BLOCK] != following[at : at + BLOCK]
        ]
        volume.store(MADE + number * 10**13, blocks)
    return volume.made()


def contents(source: Memory) -> tuple[dict[str, str], list[Damage]]:
    every = list(walk(source, Budget.of(seconds=60)))
    out = {}
    for one in every:
        if isinstance(one, Artifact) and one.kind == "file" and one.state is State.LIVE:
            assert one.complete, one
            if one.runs is None:
                inner = PLUGIN.member(source, one.locator.last[1])
                assert inner.locator == one.locator
            else:
                inner = Runs(source, one.runs, one.size, one.locator)
            digest = hashlib.sha256(inner.read(Extent(0, one.size))).hexdigest()
            assert out.setdefault(str(one.path), digest) == digest
    return out, [one for one in every if isinstance(one, Damage)]


def test_what_a_shadow_copy_alone_has_comes_back_with_its_path_and_once():
    full, empty = image("ntfs"), image("empty-ntfs")
    before, _ = contents(Memory(full))
    now, _ = contents(Memory(empty))
    assert before
    found, damage = contents(Memory(shadowed(empty, full, full)))
    assert damage == []
    old = {p: d for p, d in found.items() if p.startswith("$Shadow-")}
    # The two copies are alike, so that the newer one tells it all.
    assert {p.split("/")[0] for p in old} == {"$Shadow-2-2019-04-29"}
    assert {p.split("/", 1)[1]: d for p, d in old.items()} == before
    assert {p: d for p, d in found.items() if p not in old} == now


def test_a_file_that_did_not_change_is_not_told_again():
    full = image("ntfs")
    changed = bytearray(full)
    source = Memory(full)
    one = next(
        a
        for a in walk(source, Budget.of(seconds=60))
        if isinstance(a, Artifact) and a.kind == "file" and a.state is State.LIVE and a.runs
    )
    at = one.runs[0].at
    changed[at : at + 512] = b"new words".ljust(512)
    found, damage = contents(Memory(shadowed(bytes(changed), full)))
    assert damage == []
    old = {p: d for p, d in found.items() if p.startswith("$Shadow-")}
    assert [p.split("/", 1)[1] for p in old] == [one.path]
    before, _ = contents(source)
    assert list(old.values()) == [before[str(one.path)]]
    assert found[str(one.path)] != before[str(one.path)]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 40),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8))),
    keep=st.just(1.0) | st.floats(0.5, 1),
)
def test_torn_records_of_shadow_copies_are_damage_at_worst(seed, edits, keep):
    data = bytearray(drawn(seed, 3, (0, 1, 2, 4)))
    for where, value in edits:
        at = int(BASE + where * (len(data) - BASE))
        data[at : at + len(value)] = value
    source = Memory(bytes(data[: int(keep * len(data))]))
    found, _ = copies(source, Budget.of(seconds=20))
    for one in found:
        shadow = Shadow(source, found, one.number, source.locator)
        rng = random.Random(seed)
        for _ in range(20):
            at = rng.randrange(shadow.size + 1)
            length = min(rng.randrange(100_000), shadow.size - at)
            assert len(shadow.read(Extent(at, length))) == length


def test_records_that_point_at_themselves_end():
    data = bytearray(drawn(1, 2, (0,)))
    source = Memory(bytes(data))
    (first, _), _ = copies(source, Budget())
    data[first.list_at + 40 : first.list_at + 48] = first.list_at.to_bytes(8, "little")
    found, damage = copies(Memory(bytes(data)), Budget())
    assert [one.number for one in found] == [2]
    assert "without end" in damage[0]

"""APFS as mkapfs and the Linux driver made it: what lives, what a snapshot keeps, what was deleted or formatted over; and torn."""

import hashlib
import random
import zlib
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.apfs_volumes import (
    BLOCK,
    SIZE,
    Sparse,
    changed,
    digest,
    fletcher,
    is_object,
    kept,
    manifest,
    objects,
)

from hakushi.assess.units import harvest
from hakushi.media import Runs, Window
from hakushi.model import Artifact, Damage, Extent, Extents, Malformed, Role, Source
from hakushi.recover import Budget, identify, records, walk
from hakushi.recover.filesystem import apfs, apfs_disk
from hakushi.recover.grammar import lzfse
from hakushi.recover.standing import standing

VECTORS = Path(__file__).parents[1] / "vectors" / "lzfse"
EXTREMES = [b"\0" * 8, b"\xff" * 8, b"\xff" * 2, b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\1", b"\x80"]


def living(source: Source) -> tuple[dict[str, str], list[Artifact], list[Damage]]:
    every = list(walk(source, Budget.of(seconds=60)))
    found = [one for one in every if isinstance(one, Artifact)]
    files = {
        str(one.path): digest(Runs(source, one.runs, one.size, one.locator))
        for one in found
        if one.kind == "file" and one.complete and one.runs is not None and one.size < 1 << 24
    }
    return files, found, [one for one in every if isinstance(one, Damage)]


def gone(source: Sparse) -> list[tuple[Artifact, str]]:
    """Files of the old nodes that are called complete, each with its content's digest."""
    budget = Budget.of(seconds=60)
    signs: dict[str, list[Extent]] = defaultdict(list)
    for piece in sorted({at - at % (4 << 20) for at in source.blocks}):
        for cell in harvest(source, Extent(piece, 4 << 20)).cells.values():
            for at, length, sign in cell.records:
                signs[sign].append(Extent(at, length))
    used = standing(source, [Extent(0, source.size)], budget).used
    ground = records.Ground({id: Extents(where) for id, where in signs.items()}, used)
    (kind,) = (one for one in records.registered() if one.id == "apfs")
    found = [o for o in kind.read(source, ground, budget) if isinstance(o, Artifact)]
    volumes = {one.locator: one for one in found if one.role is Role.VOLUME}
    out = []
    for one in found:
        if one.kind == "file" and one.complete and one.size < 1 << 24:
            run = volumes[one.locator.parent].runs[0]
            volume = Window(source, Extent(run.at, run.length), one.locator.parent)
            out.append((one, digest(Runs(volume, one.runs, one.size, one.locator))))
    return out


def node_of(blocks: dict[int, bytes], number: int, kind: int) -> tuple[int, bytes, bytes, int]:
    """The newest leaf that tells of an object: its place, the key, the value, where that lies."""
    best = (-1, 0, b"", b"", 0)
    for at, raw in blocks.items():
        if not is_object(raw):
            continue
        try:
            leaf = apfs_disk.node(raw)
        except Malformed:
            continue
        if leaf.head.subtype != apfs_disk.FILES or not leaf.leaf or leaf.head.xid < best[0]:
            continue
        for (key, value), place in zip(leaf.records(), leaf.places, strict=True):
            if apfs_disk.object_of(key) == (number, kind):
                best = (leaf.head.xid, at, key, value, place[2])
    return best[1:]


def test_everything_that_lives_is_there():
    source = Sparse(kept("deleted"))
    assert identify(source).id == "apfs"
    files, found, damage = living(source)
    assert files == manifest("live")
    assert damage == []
    assert [one.path for one in found if one.role is Role.LABEL] == ["税務"]


def test_a_snapshot_gives_what_it_alone_still_has_under_its_own_name():
    files, found, damage = living(Sparse(kept("snapshot")))
    assert damage == []
    before = "$Snapshot-前日/"
    old = {p.removeprefix(before): d for p, d in files.items() if p.startswith(before)}
    new = {p: d for p, d in files.items() if not p.startswith("$")}
    every = manifest("live", "deleted")
    renamed = {p: d for p, d in new.items() if p.startswith("renamed-")}
    assert len(old) == len(renamed) == 6
    assert old.items() <= every.items()
    assert set(old.values()) == set(renamed.values())
    assert every.items() <= (old | new).items()
    sparse = next(one for one in found if one.path == "sparse.bin")
    assert [run.at is None for run in sparse.runs] == [False, True, False]
    assert sparse.size == (1 << 20) + 4096
    assert {one.path for one in found if one.role is Role.NAME} == {"link", "second-name"}


def test_what_is_in_use_is_what_the_files_have_and_little_more():
    source = Sparse(kept("deleted"))
    used = apfs.in_use(source, Budget())
    _, found, _ = living(source)
    for one in found:
        for run in one.runs or ():
            assert used.meets(Extent(run.at, run.length)), one.path
    assert not used.meets(Extent(SIZE - (8 << 20), 4 << 20))


def test_everything_that_was_formatted_over_comes_back_with_its_path():
    found = gone(Sparse(kept("formatted")))
    assert {str(one.path): what for one, what in found} == manifest("live", "deleted")


def test_no_claim_about_a_deleted_file_is_wrong():
    found = gone(Sparse(kept("deleted")))
    every = manifest("deleted")
    assert found
    assert all(every[str(one.path)] == what for one, what in found)


def test_the_same_in_a_partition():
    moved = {at + (1 << 20): raw for at, raw in kept("formatted").items()}
    found = gone(Sparse(moved, SIZE + (1 << 20)))
    assert {str(one.path): what for one, what in found} == manifest("live", "deleted")


def test_an_encrypted_volume_is_told_and_not_walked():
    blocks = kept("deleted")
    for at in objects("deleted"):
        if blocks[at][32:36] == apfs_disk.VOLUME_MAGIC:
            blocks = changed(blocks, at, 264, bytes(8))
    _, found, _ = living(Sparse(blocks))
    assert [(one.kind, one.role, one.path) for one in found] == [
        ("filevault", Role.ENCRYPTED, "税務")
    ]


def test_an_older_superblock_serves_where_the_newest_is_torn():
    blocks = dict(kept("deleted"))
    newest = max(
        (at for at in objects("deleted") if at and blocks[at][32:36] == apfs_disk.MAGIC),
        key=lambda at: apfs_disk.head(blocks[at]).xid,
    )
    blocks[newest] = bytes([blocks[newest][0] ^ 1]) + blocks[newest][1:]
    assert identify(Sparse(blocks)).id == "apfs"


# --- packed files: made from a plain one, as the driver writes none ---------------------------


def packed(inline: bytes, how: int, size: int) -> apfs.File:
    one = apfs.File(100)
    one.inode = apfs_disk.Inode(2, 100, 0, 0, 1, apfs_disk.COMPRESSED, 0o100644)
    head = b"fpmc" + how.to_bytes(4, "little") + size.to_bytes(8, "little")
    one.xattrs[b"com.apple.decmpfs"] = apfs_disk.Xattr(b"com.apple.decmpfs", head + inline)
    return one


def fork(pieces: list[bytes]) -> bytes:
    """A resource fork with a table of pieces (Apple's decmpfs type 4)."""
    table, at = len(pieces).to_bytes(4, "little"), 4 + 8 * len(pieces)
    for piece in pieces:
        table += at.to_bytes(4, "little") + len(piece).to_bytes(4, "little")
        at += len(piece)
    body = table + b"".join(pieces)
    return (256).to_bytes(4, "big") + bytes(252) + len(body).to_bytes(4, "big") + body


def test_packed_files_come_out_whole():
    text = "納税通知書 山田花子\n".encode() * 9000
    units = [text[at : at + 65536] for at in range(0, len(text), 65536)]
    source = Sparse(kept("deleted"))
    for inline, how, rest in (
        (zlib.compress(text[:3000]), 3, b""),
        (b"\xff" + text[:3000], 3, b""),
        (b"\xcc" + text[:3000], 9, b""),
        (b"", 4, fork([zlib.compress(one) for one in units])),
        (b"", 4, fork([b"\xff" + one for one in units])),
        (b"", 10, fork([b"\xcc" + one for one in units])),
    ):
        want = text if rest else text[:3000]
        one = packed(inline, how, len(want))
        one.xattrs[b"com.apple.ResourceFork"] = apfs_disk.Xattr(b"com.apple.ResourceFork", rest)
        assert b"".join(apfs._content(None, one, source)) == want


def lzfse_text() -> bytes:
    """What the vectors hold: rows of a list, no two alike; 64 KiB and some more."""
    rows = []
    for number in range(1500):
        said = hashlib.sha256(str(number).encode()).hexdigest()
        rows.append(f"{number},架空 {said[:4]},東京都架空区見本町{int(said[4:8], 16)},{said[8:16]}")
    return "\r\n".join(rows).encode()


def rows_of(units):
    """A resource fork whose pieces' places come first (types 8 and 12)."""
    at, places = 4 * (len(units) + 1), []
    for unit in units:
        places.append(at)
        at += len(unit)
    return b"".join(one.to_bytes(4, "little") for one in (*places, at)) + b"".join(units)


def test_files_that_apple_packs_come_out_whole():
    """LZVN and LZFSE, by the streams of Apple's own encoder (``tests/vectors/lzfse``)."""
    text, source = lzfse_text(), Sparse(kept("deleted"))
    lzvn, first, second = (
        (VECTORS / name).read_bytes() for name in ("head.lzvn", "first.lzfse", "second.lzfse")
    )
    for inline, how, units, size in (
        (lzvn, 7, [], 3000),
        (b"\x06" + text[:3000], 7, [], 3000),
        (first, 11, [], 65536),
        (b"\xff" + text[:3000], 11, [], 3000),
        (b"", 12, [first, second], len(text)),
        (b"", 12, [first, b"\xff" + text[65536:]], len(text)),
        (b"", 8, [lzvn], 3000),
        (b"", 8, [b"\x06" + text[:65536], b"\x06" + text[65536:]], len(text)),
    ):
        one, rest = packed(inline, how, size), rows_of(units)
        one.xattrs[b"com.apple.ResourceFork"] = apfs_disk.Xattr(b"com.apple.ResourceFork", rest)
        assert b"".join(apfs._content(None, one, source)) == text[:size]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["head.lzvn", "first.lzfse"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0, 1) | st.just(1.0),
    st.integers(0, 1 << 17),
)
def test_broken_streams_of_apple_are_malformed_at_worst(name, edits, keep, size):
    data = bytearray((VECTORS / name).read_bytes())
    for where, value in edits:
        data[int(where * len(data))] = value
    undo = lzfse.lzvn if name.endswith("lzvn") else lzfse.lzfse
    try:
        made = undo(bytes(data[: int(keep * len(data))]), size)
    except Malformed:
        return
    assert len(made) <= size


@pytest.mark.parametrize("how", [13, 14, 5, 99])
def test_a_packing_that_is_not_undone_is_damage(how):
    with pytest.raises(Malformed, match=r"not undone|unknown"):
        apfs.len_of(packed(b"", how, 100))


@given(
    st.binary(max_size=600), st.sampled_from([3, 4, 7, 8, 9, 10, 11, 12]), st.integers(0, 1 << 40)
)
def test_random_packed_bytes_are_malformed_at_worst(data, how, size):
    one = packed(data, how, size)
    one.xattrs[b"com.apple.ResourceFork"] = apfs_disk.Xattr(b"", (0).to_bytes(4, "big") + data)
    try:
        made = b"".join(apfs._content(None, one, Sparse({})))
    except Malformed:
        return
    assert len(made) <= size


# --- hostile ----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(["deleted", "snapshot", "formatted"]),
    edits=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(8, 400) | st.integers(8, BLOCK - 8),
            st.sampled_from(EXTREMES) | st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_a_container_with_a_wrong_field_and_a_right_checksum_is_damage_at_worst(name, edits):
    blocks, places = kept(name), objects(name)
    for where, at, value in edits:
        blocks = changed(blocks, places[int(where * len(places))], at, value)
    source = Sparse(blocks)
    every = list(walk(source, Budget.of(seconds=20)))
    assert len(every) < 2000
    for one in every:
        if isinstance(one, Artifact):
            assert all(r.at is None or r.at + r.length <= SIZE for r in one.runs or ())
    apfs.in_use(source, Budget.of(seconds=20))
    assert all(one.size > 0 for one, _ in gone(source))


def test_a_tree_that_points_at_itself_ends():
    blocks = kept("formatted")
    for at in objects("formatted"):
        try:
            one = apfs_disk.node(blocks[at])
        except Malformed:
            continue
        if not one.leaf:
            for _, _, value, _ in one.places:
                blocks = changed(blocks, at, value, blocks[at][8:16])
    assert len(list(walk(Sparse(blocks), Budget.of(seconds=20)))) < 2000
    gone(Sparse(blocks))


def test_a_file_that_claims_exabytes_is_damage_and_not_read():
    blocks = kept("deleted")
    (number,) = [
        int(one.locator.last[1].split("-")[2])
        for one in living(Sparse(blocks))[1]
        if one.path == next(iter(manifest("live")))
    ]
    at, _, value, place = node_of(blocks, number, apfs_disk.INODE)
    size = apfs_disk.inode(value).size.to_bytes(8, "little")
    blocks = changed(blocks, at, place + value.rindex(size), (1 << 60).to_bytes(8, "little"))
    _, found, damage = living(Sparse(blocks))
    assert any("claims" in one.what for one in damage)
    assert all(one.size < SIZE for one in found)


@given(st.integers(16, 1024).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)))
def test_the_checksum_is_the_references(data):
    raw = fletcher(data) + data[8:]
    assert apfs_disk.sound(raw) == any(raw[:8])
    torn = bytes([raw[0] ^ 1]) + raw[1:]
    assert not apfs_disk.sound(torn)


@given(st.integers(0, 1 << 32), st.sampled_from([2, 3]), st.binary(max_size=24))
def test_random_bytes_are_no_node_or_a_bounded_one(seed, kind, start):
    data = bytearray(random.Random(seed).randbytes(BLOCK))
    data[32 : 32 + len(start)] = start
    data = bytes(data)
    raw = data[:24] + kind.to_bytes(4, "little") + data[28:]
    try:
        one = apfs_disk.node(raw)
    except Malformed:
        return
    for key, value in one.records():
        assert len(key) + len(value) <= BLOCK

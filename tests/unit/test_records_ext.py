"""Old ext records: files that a kernel deleted, or that a formatter wrote over, by their journal
and their inodes. The images are made by ``tools.make_images.ext_old``.
"""

from __future__ import annotations

import gzip
import struct
from functools import cache
from pathlib import Path

import pytest
from tools.make_images.ext_old import FILES, TURNS, content, path_of, size_of

from hakushi.assess.units import harvest
from hakushi.media import Memory
from hakushi.model import CELL, Artifact, Extent, Extents, Role, State
from hakushi.recover import Budget, reach, standing
from hakushi.recover.cursor import Cursor
from hakushi.recover.records import Ground, registered
from hakushi.recover.records._ext_journal import Copies, copies, head

IMAGES = Path(__file__).parent.parent / "images"
TORN = {f"総務/断片{n}.txt": content(n, TURNS * 4096) for n in (100, 101)}
PLANTED = {path_of(n): content(n, size_of(n)) for n in range(FILES)}
DELETED = {path_of(n): PLANTED[path_of(n)] for n in range(0, FILES, 2)} | TORN


@cache
def image(name: str) -> bytes:
    return gzip.decompress((IMAGES / name).read_bytes())


def found(data: bytes) -> list[Artifact]:
    """What the old records of a medium tell, as the assessment asks for them."""
    source = Memory(data)
    signs: dict[str, list[Extent]] = {}
    for start in range(0, source.size, CELL):
        cell = harvest(source, Extent(start, min(CELL, source.size - start))).cells[start]
        for at, length, sign in cell.records:
            signs.setdefault(sign, []).append(Extent(at, length))
    budget = Budget.of(seconds=20)
    stands = standing.standing(source, [Extent(0, source.size)], budget)
    ground = Ground({sign: Extents(where) for sign, where in signs.items()}, stands.used)
    (kind,) = (one for one in registered() if one.id == "ext")
    every = list(kind.read(source, ground, budget))
    assert all(isinstance(one, Artifact) and one.state is State.DELETED for one in every)
    artifacts = [one for one in every if isinstance(one, Artifact)]
    assert len({one.locator for one in artifacts}) == len(artifacts)
    return artifacts


def contents(data: bytes, every: list[Artifact], complete: bool = True) -> dict[str, bytes]:
    known = {one.locator: one for one in every}
    out: dict[str, bytes] = {}
    for one in every:
        if one.kind == "file" and one.complete is complete:
            inner = reach(Memory(data), one.locator, known.__getitem__)
            out[one.path or ""] = inner.read(Extent(0, inner.size))
    return out


@pytest.mark.parametrize("name", ["deleted-ext4", "deleted-ext3"])
def test_deleted_files_come_back_from_the_journal_with_their_paths(name: str) -> None:
    data = image(f"ext-old/{name}.img.gz")
    every = found(data)
    assert contents(data, every) == DELETED
    assert all((one.modified or 0) > 1_700_000_000 for one in every if one.kind == "file")
    assert max(len(one.runs or ()) for one in every if one.path in TORN) > 4


def test_files_of_a_file_system_that_was_formatted_over_come_back() -> None:
    data = image("ext-old/formatted-ext4.img.gz")
    every = found(data)
    back = {path.rpartition("/")[2]: some for path, some in contents(data, every).items()}
    lost = {path.rpartition("/")[2] for path in contents(data, every, complete=False)}
    # The formatter cleared the last 64 KiB.
    assert lost == {"帳票2.txt", "帳票5.txt"}
    planted = {path.rpartition("/")[2]: some for path, some in (PLANTED | TORN).items()}
    assert back == {path: some for path, some in planted.items() if path not in lost}
    assert any((one.path or "").endswith("控え/帳票3.txt") for one in every)


def test_a_deleted_file_whose_blocks_are_in_use_is_not_called_complete() -> None:
    data = bytearray(image("ext-old/deleted-ext4.img.gz"))
    for descriptor in (2048, 2048 + 64):
        bitmap = int.from_bytes(data[descriptor : descriptor + 4], "little") * 1024
        data[bitmap : bitmap + 1024] = b"\xff" * 1024
    every = found(bytes(data))
    assert contents(bytes(data), every, complete=False).keys() >= {path_of(10)}
    assert path_of(10) not in contents(bytes(data), every)


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_a_new_empty_file_system_tells_of_nothing(kind: str) -> None:
    assert found(image(f"empty-{kind}.img.gz")) == []


def test_a_volume_that_only_its_journal_is_left_of_names_no_wrong_place() -> None:
    """Without a superblock no block has a place; nothing is claimed."""
    data = bytearray(image("ext-old/deleted-ext4.img.gz"))
    for at in range(0, len(data), 1024):
        if data[at + 56 : at + 58] == b"\x53\xef":
            data[at : at + 1024] = bytes(1024)
    assert [one for one in found(bytes(data)) if one.role is not Role.VOLUME] == []


# --- journals of every sort ----------------------------------------------------------------

_64BIT, _V2, _V3 = 2, 8, 16


def log(incompat: int, size: int = 1024, blocks: int = 12) -> bytearray:
    """An empty journal (jbd2 superblock, version 2)."""
    out = bytearray(blocks * size)
    struct.pack_into(">6I", out, 0, 0xC03B3998, 4, 0, size, blocks, 1)
    struct.pack_into(">I", out, 40, incompat)
    return out


def descriptor(incompat: int, sequence: int, tags: list[tuple[int, bool]]) -> bytes:
    """A descriptor block, its tags as the kernel lays them out; the first one carries a UUID."""
    out = bytearray(struct.pack(">3I", 0xC03B3998, 1, sequence))
    for n, (block, escaped) in enumerate(tags):
        flags = escaped | (2 if n else 0) | (8 if n == len(tags) - 1 else 0)
        low, high = block & 0xFFFFFFFF, block >> 32
        if incompat & _V3:
            out += struct.pack(">4I", low, flags, high, 0)
        else:
            out += struct.pack(">IHH", low, 0, flags)
            out += struct.pack(">I", high) if incompat & _64BIT else b""
            out += bytes(2) if incompat & _V2 else b""
        out += b"" if n else bytes(16)
    return bytes(out.ljust(1024, b"\0"))


def said(raw: bytearray) -> dict[int, list[tuple[int, bytes]]]:
    """Block -> (transaction, first byte) of each copy, the oldest first."""
    cursor = Cursor(Memory(bytes(raw)))
    top = head(cursor, 0)
    assert top is not None
    all_ = Copies()
    all_.add(copies(cursor, top, range(0, len(raw), top.block), Budget.of(steps=10_000)))
    return {
        block: [(copy.sequence, copy.read(cursor, 1024)[:5]) for copy in some]
        for block, some in all_.of.items()
    }


@pytest.mark.parametrize("incompat", [0, _64BIT, _V2, _V2 | _64BIT, _V3, _V3 | _64BIT])
def test_every_form_of_block_tag_is_read(incompat: int) -> None:
    raw, far = log(incompat), 7 + (1 << 33 if incompat & _64BIT else 0)
    raw[1024:2048] = descriptor(incompat, 5, [(9, False), (far, True), (8, False)])
    raw[2048:2053], raw[3072:3077], raw[4096:4101] = b"aaaaa", b"\0\0\0\0b", b"ccccc"
    assert said(raw) == {
        9: [(5, b"aaaaa")],
        far: [(5, b"\xc0\x3b\x39\x98b")],
        8: [(5, b"ccccc")],
    }


def test_the_log_is_a_ring_in_which_the_newer_transaction_owns_a_block() -> None:
    raw = log(0, blocks=6)
    raw[2048:3072] = descriptor(0, 7, [(20, False), (21, False)])
    raw[3072:3077], raw[4096:4101] = b"old20", b"new30"
    # Transaction 8 begins with the last block of the journal; 9 was written over a part of 7.
    raw[5120:6144] = descriptor(0, 8, [(20, False)])
    raw[1024:1029] = b"new20"
    assert said(raw)[20] == [(7, b"old20"), (8, b"new20")]
    raw[3072:4096] = descriptor(0, 9, [(30, False)])
    assert said(raw) == {20: [(8, b"new20")], 30: [(9, b"new30")]}


@pytest.mark.parametrize("size", [0, 1000, 1 << 30])
def test_what_is_no_journal_superblock_is_none(size: int) -> None:
    raw = log(0)
    struct.pack_into(">I", raw, 12, size)
    assert head(Cursor(Memory(bytes(raw))), 0) is None


@pytest.mark.parametrize("name", ["deleted-ext4", "deleted-ext3"])
def test_a_volume_without_its_first_superblock_is_read_by_a_copy(name: str) -> None:
    """Its start was written over: what lived there comes back beside what was deleted."""
    data = bytearray(image(f"ext-old/{name}.img.gz"))
    data[: 3 * 1024] = bytes(3 * 1024)
    every = found(bytes(data))
    assert contents(bytes(data), every) == PLANTED | TORN
    assert all(one.complete for one in every)


def test_a_journal_in_indirect_blocks_is_found_by_its_magic_alone() -> None:
    """As above, and inode 8 is gone as well, so nothing tells where the journal's blocks lie."""
    data = bytearray(image("ext-old/deleted-ext3.img.gz"))
    table = int.from_bytes(data[2056:2060], "little") * 1024
    data[: 3 * 1024] = bytes(3 * 1024)
    data[table + 7 * 128 : table + 8 * 128] = bytes(128)
    assert contents(bytes(data), found(bytes(data))).items() >= DELETED.items()

"""Odd file systems: compressed, sparse, streams and links; loops and absurd sizes."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from functools import cache
from pathlib import Path

import pytest

from hakushi.media import Memory, Window
from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Locator,
    Malformed,
    Role,
    Source,
    State,
    Unreadable,
)
from hakushi.recover import Budget, Family, by_id, reach, walk

IMAGES = Path(__file__).parent.parent / "images" / "fs"
TRUTH = json.loads((IMAGES / "ntfs-odd.json").read_text())
LINKED = {"残す/名簿.csv": "残す/別名.csv"}
"""Two names of one file: it is listed once."""


@cache
def walked(name: str) -> tuple[Source, list[Artifact | Damage]]:
    source = Memory(gzip.decompress((IMAGES / name).read_bytes()))
    return source, list(walk(source, Budget.of(seconds=60), Family.FILESYSTEM))


def content(name: str) -> dict[str, Artifact]:
    found = walked(name)[1]
    return {a.path or "": a for a in found if isinstance(a, Artifact) and a.role is Role.CONTENT}


def read(source: Source, artifact: Artifact) -> bytes:
    inner = reach(source, artifact.locator, lambda _: artifact)
    return inner.read(Extent(0, inner.size))


@pytest.mark.parametrize("path", sorted(TRUTH))
def test_every_stream_comes_back_bit_for_bit(path: str) -> None:
    source, found = walked("ntfs-odd.img.gz")
    known = content("ntfs-odd.img.gz")
    wanted = State.LIVE if path.startswith("残す") else State.DELETED
    if path == "消す/空.txt":
        # Deleted and without a byte: its name is what is left.
        names = [a.path for a in found if isinstance(a, Artifact) and a.role is Role.NAME]
        assert path in names
        return
    artifact = known.get(path) or known[LINKED[path]]
    assert (artifact.state, artifact.complete) == (wanted, True)
    assert hashlib.sha256(read(source, artifact)).hexdigest() == TRUTH[path]


def test_nothing_else_is_found_in_it() -> None:
    files = {path for path, a in content("ntfs-odd.img.gz").items() if a.kind != "directory"}
    assert files <= TRUTH.keys() | set(LINKED.values())
    assert not [d for d in walked("ntfs-odd.img.gz")[1] if isinstance(d, Damage)]


def test_holes_and_streams_keep_their_runs() -> None:
    known = content("ntfs-odd.img.gz")
    sparse = known["残す/穴.bin"]
    assert sparse.runs
    assert [r.at is None for r in sparse.runs] == [False, True, False]
    assert known["残す/圧縮/名簿.csv"].runs is None
    assert known["残す/小.txt:resident"].runs is None
    assert known["残す/小.txt:large"].runs


def test_a_derived_stream_reads_alike_from_every_thread_and_window() -> None:
    source, _ = walked("ntfs-odd.img.gz")
    artifact = content("ntfs-odd.img.gz")["残す/圧縮/名簿.csv"]
    whole = read(source, artifact)
    outer = Memory(bytes(4096) + source.read(Extent(0, source.size)), Locator.root("image", "x"))
    part = Window(outer, Extent(4096, source.size), outer.locator.step("part", 1))
    step = artifact.locator.last[1]
    inner = by_id("ntfs").member
    assert inner is not None
    wrong = []

    def work(number: int) -> None:
        at = number * 7001
        got = [inner(place, step).read(Extent(at, 9000)) for place in (source, part)]
        wrong.extend([number] if got != [whole[at : at + 9000]] * 2 else [])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert inner(part, step).locator == part.locator.step("ntfs", step)


@pytest.mark.parametrize("step", ["", "1", "a-b-c", "1-2-3-4", "-1-128-2", "99999-128-1", "0-0-0"])
def test_a_step_that_names_no_stream_is_malformed(step: str) -> None:
    source, _ = walked("ntfs-odd.img.gz")
    member = by_id("ntfs").member
    assert member is not None
    with pytest.raises(Malformed):
        member(source, step)


def test_a_cycle_and_absurd_sizes_are_damage_and_the_rest_is_found() -> None:
    source, found = walked("ext4-odd.img.gz")
    damage = " ".join(d.what for d in found if isinstance(d, Damage))
    assert "inside itself" in damage
    assert "none of its 9223372036854775807 bytes" in damage
    known = content("ext4-odd.img.gz")
    assert not known["huge"].complete
    assert not known["large"].complete
    assert known["large"].size <= 4 << 30
    numbers = "".join(f"{n}\n" for n in range(1, 3001)).encode()
    assert read(source, known["numbers.txt"]) == numbers
    assert read(source, known["a/b/inner.txt"]) == numbers


def test_holes_of_ext4_are_zeros() -> None:
    source, _ = walked("ext4-odd.img.gz")
    lines = "".join(f"{n}\n" for n in range(1, 501)).encode()
    expected = lines.ljust(300_000, b"\0") + lines
    assert read(source, content("ext4-odd.img.gz")["holes.bin"]) == expected.ljust(900_000, b"\0")


class Torn:
    """A file system of which some sectors cannot be read."""

    def __init__(self, source: Source, bad: range) -> None:
        self.source, self.bad = source, bad
        self.locator, self.size = source.locator, source.size

    def read(self, extent: Extent) -> bytes:
        if extent.offset < self.bad.stop and self.bad.start < extent.end:
            raise Unreadable(extent, "bad sector")
        return self.source.read(extent)


@pytest.mark.parametrize("share", [0.002, 0.02, 0.3, 0.6])
def test_bad_sectors_cost_what_lies_in_them(share: float) -> None:
    source, found = walked("ntfs-odd.img.gz")
    at = int(share * source.size) // 512 * 512
    torn = Torn(source, range(at, at + 2048))
    some = list(walk(torn, Budget.of(seconds=60), Family.FILESYSTEM))
    assert not [d for d in some if isinstance(d, Damage) and "internal" in d.what]
    before = len([a for a in found if isinstance(a, Artifact)])
    after = len([a for a in some if isinstance(a, Artifact)])
    assert after >= before - 25 or [d for d in some if isinstance(d, Damage)]

"""What unpacks to far more than it is, or holds itself in itself without end, ends in damage."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from bench.carriers_made import sevenzip
from tests import other_samples as made

from hakushi import detect
from hakushi.assess.units import How, _inspect
from hakushi.media import Memory
from hakushi.model import Artifact, Damage, State
from hakushi.recover import Budget

MIB = 1 << 20


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", data)
    return out.getvalue()


def many(data: bytes) -> bytes:
    """Ten members that are one and the same: ten times the work a level."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(10):
            file.writestr(f"{number}.zip", data)
    return out.getvalue()


def tarred(data: bytes) -> bytes:
    return made.tar({"a": data}, tarfile.USTAR_FORMAT)


def stored(data: bytes) -> bytes:
    return made.rar5({"a": data})


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzipped,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": made.zstd,
    "zip": zipped,
    "7z": sevenzip,
}


def inspected(data: bytes, budget: Budget) -> tuple[list[Artifact], list[Damage]]:
    source = Memory(data)
    top = Artifact(source.locator, "file", State.CARVED, len(data))
    how = How(b"k" * 32)
    found = [*_inspect(source, top, how, budget), *how.texts.rest()]
    return (
        [one for one in found if isinstance(one, Artifact)],
        [one for one in found if isinstance(one, Damage)],
    )


@pytest.mark.parametrize("name", sorted(PACKERS))
def test_a_bomb_ends_where_its_budget_does(name: str) -> None:
    bomb = PACKERS[name](bytes(32 * MIB))
    assert len(bomb) < MIB
    detect.warm()  # what a process loads once
    inspected(b"taro@example.jp\n", Budget())
    tracemalloc.start()
    try:
        _, damage = inspected(bomb, Budget(output=2 * MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert any("too much output" in one.what for one in damage)
    assert peak < 24 * MIB


@pytest.mark.parametrize("pack", [*PACKERS.values(), tarred, stored])
def test_a_thing_in_a_thing_ends_at_the_deepest_level(pack: Callable[[bytes], bytes]) -> None:
    data = b"taro@example.jp\n"
    for _ in range(12):
        data = pack(data)
    found, damage = inspected(data, Budget(depth=8))
    assert any("too deep" in one.what for one in damage)
    assert len(found) <= 10


def test_a_bomb_of_many_branches_shares_one_budget() -> None:
    data = bytes(MIB)
    for _ in range(5):
        data = many(data)
    _, damage = inspected(data, Budget(output=32 * MIB, artifacts=1000))
    assert damage

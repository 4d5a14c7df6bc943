"""Half-right file systems: damage and a bounded walk, never a bug, never bytes from outside."""

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
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Unreadable
from hakushi.recover import Budget, Family, reach, walk

IMAGES = Path(__file__).parent.parent / "images"
NAMES = ["fat12.img.gz", "ext2.img.gz", "exfat.img.gz", "fs/ntfs-odd.img.gz", "fs/ext4-odd.img.gz"]
EXTREMES = [b"\0" * 4, b"\xff" * 4, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\1", b"\x80"]


@cache
def image(name: str) -> tuple[bytes, tuple[int, ...]]:
    """Its bytes, and the sectors in which its own structures stand."""
    data = gzip.decompress((IMAGES / name).read_bytes())
    found = list(walk(Memory(data), Budget.of(seconds=30), Family.FILESYSTEM))
    structures = [a for a in found if isinstance(a, Artifact) and a.role is Role.STRUCTURE]
    sectors = {
        at for a in structures for e in a.extents for at in range(e.offset, e.end - 511, 512)
    }
    return data, tuple(sorted(at for at in sectors if any(data[at : at + 512])))


@pytest.mark.parametrize("name", NAMES)
@given(
    seed=st.integers(0, 1 << 32),
    edits=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 504),
            st.sampled_from(EXTREMES) | st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=6,
    ),
    keep=st.just(1.0) | st.floats(0, 1),
)
@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
def test_a_broken_file_system_is_damage_at_worst(name, seed, edits, keep) -> None:
    clean, sectors = image(name)
    data = bytearray(clean)
    for where, at, value in edits:
        start = sectors[int(where * len(sectors))] + at
        data[start : start + len(value)] = value
    source = Memory(bytes(data[: int(keep * len(clean))]))
    began = time.monotonic()
    found = list(walk(source, Budget.of(seconds=5), Family.FILESYSTEM))
    assert time.monotonic() - began < 25
    assert not [d for d in found if isinstance(d, Damage) and "internal error" in d.what]
    files = [a for a in found if isinstance(a, Artifact)]
    for artifact in files:
        assert all(r.at is None or 0 <= r.at <= source.size - r.length for r in artifact.runs or ())
        assert artifact.size <= max(4 << 30, 4 * source.size)
    for artifact in random.Random(seed).sample(files, min(4, len(files))):
        try:
            inner = reach(source, artifact.locator, lambda _, a=artifact: a)
            assert len(inner.read(Extent(0, 5000))) == min(inner.size, 5000)
        except (Malformed, Unreadable):
            pass

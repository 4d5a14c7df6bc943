"""A new, empty file system is explained sector by sector; one trace more, and it is not."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from hakushi.media import Memory
from hakushi.model import SECTOR, Artifact, Damage, Extent, Extents, Locator, Role, Run, Source
from hakushi.recover import Budget, Family, walk

IMAGES = Path(__file__).parent.parent / "images"
FIXTURES = sorted(path.name for path in IMAGES.glob("empty-*.img.gz"))
MADE = {
    "ntfs": (9, "mkfs.ntfs -Q -F -s 512"),
    "ntfs-small-clusters": (40, "mkfs.ntfs -Q -F -c 512 -s 512"),
    "ntfs-4k-sectors": (40, "mkfs.ntfs -Q -F -s 4096"),
    "fat12": (3, "mkfs.vfat -F 12"),
    "fat16": (33, "mkfs.vfat -F 16"),
    "fat16-one-table": (33, "mkfs.vfat -F 16 -f 1"),
    "fat32": (65, "mkfs.vfat -F 32"),
    "fat32-4k-sectors": (300, "mkfs.vfat -F 32 -S 4096"),
    "exfat": (9, "mkfs.exfat"),
    "exfat-large-clusters": (70, "mkfs.exfat -c 1M"),
    "ext2": (9, "mke2fs -q -F -t ext2"),
    "ext3": (33, "mke2fs -q -F -t ext3 -b 1024"),
    "ext3-indirect-journal": (150, "mke2fs -q -F -t ext3 -b 1024"),
    "ext4": (33, "mke2fs -q -F -t ext4 -E nodiscard"),
    "ext4-4k-blocks": (150, "mke2fs -q -F -t ext4 -b 4096 -E nodiscard"),
    "ext4-orphan-file": (40, "mke2fs -q -F -t ext4 -E nodiscard -O orphan_file"),
    "xfs": (300, "mkfs.xfs -q"),
    "xfs-4k-sectors": (300, "mkfs.xfs -q -s size=4096"),
    "xfs-reverse-map": (300, "mkfs.xfs -q -m rmapbt=1 -i size=1024"),
    "ext4-plain": (40, "mke2fs -q -F -t ext4 -E nodiscard -O ^64bit,^metadata_csum,^resize_inode"),
}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
TOOLS = [name for name, (_, line) in MADE.items() if shutil.which(line.split()[0], path=PATH)]


def fixture(name: str) -> bytes:
    return gzip.decompress((IMAGES / name).read_bytes())


def made(name: str, folder: Path) -> bytes:
    """A file system that the real formatter makes now."""
    megabytes, line = MADE[name]
    path = folder / "fs.img"
    with path.open("wb") as file:
        file.truncate(megabytes << 20)
    environment = {**os.environ, "PATH": PATH}
    subprocess.run([*line.split(), str(path)], check=True, capture_output=True, env=environment)
    return path.read_bytes()


def look(data: bytes) -> list[Artifact | Damage]:
    families = (Family.VOLUMES, Family.FILESYSTEM, Family.ENCRYPTED)
    return list(walk(Memory(data), Budget.of(seconds=60), *families))


def on_the_medium(found: list[Artifact | Damage]) -> Extents:
    """What structures explain, in the medium's offsets."""
    bases: dict[Locator, int] = {}
    runs: list[Extent] = []
    for one in found:
        if isinstance(one, Artifact) and one.runs is not None:
            base = bases.get(one.locator.parent, 0) if one.locator.parent else 0
            if one.role is Role.VOLUME:
                bases[one.locator] = base + (one.runs[0].at or 0)
            if one.role is Role.STRUCTURE:
                runs += [Extent(base + r.at, r.length) for r in one.runs if r.at is not None]
    return Extents(runs)


def unexplained(data: bytes, found: list[Artifact | Damage]) -> list[int]:
    explained = on_the_medium(found)
    blank = bytes(SECTOR)
    full = [at for at in range(0, len(data), SECTOR) if data[at : at + SECTOR] != blank]
    return [at for at in full if Extents([Extent(at, SECTOR)]) - explained]


def residue(found: list[Artifact | Damage]) -> list[Artifact]:
    roles = (Role.CONTENT, Role.NAME, Role.LABEL)
    return [one for one in found if isinstance(one, Artifact) and one.role in roles]


def check(data: bytes) -> None:
    found = look(data)
    assert [one for one in found if isinstance(one, Damage)] == []
    assert residue(found) == []
    assert unexplained(data, found) == []
    assert any(isinstance(one, Artifact) for one in found)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_kept_one_is_explained(name: str) -> None:
    check(fixture(name))


@pytest.mark.parametrize("name", TOOLS)
def test_one_that_is_made_now_is_explained(name: str, tmp_path: Path) -> None:
    check(made(name, tmp_path))


PLAIN = [name for name in FIXTURES if "disk" not in name]


@pytest.mark.parametrize("name", PLAIN)
def test_a_line_of_text_where_nothing_is_stays_unexplained(name: str) -> None:
    """Wherever a sector is empty: free space, slack, the gap behind a table."""
    clean = fixture(name)
    empty = [at for at in range(0, len(clean), SECTOR) if not any(clean[at : at + SECTOR])]
    picked = random.Random(name).sample(empty, 60)
    data = bytearray(clean)
    line = "架空 太郎,東京都架空区1-2-3,03-0000-0001\r\n".encode("cp932")
    for at in picked:
        data[at : at + len(line)] = line
    found = look(bytes(data))
    hidden = set(picked) - set(unexplained(bytes(data), found))
    told = bool(residue(found)) or any(isinstance(one, Damage) for one in found)
    # What lies in a table of the file system may be taken for its entries: then it is told.
    assert not hidden or told


@pytest.mark.parametrize("name", PLAIN)
def test_one_sector_of_text_anywhere_is_never_explained_away(name: str) -> None:
    clean = fixture(name)
    random_ = random.Random(name)
    structures = list(on_the_medium(look(clean)))
    text = ("架空 花子,1980/01/02,大阪府架空市9-8-7,06-0000-0009\r\n" * 12).encode("cp932")[:SECTOR]
    for extent in random_.sample(structures, min(6, len(structures))):
        at = extent.offset + random_.randrange(extent.length // SECTOR) * SECTOR
        if at == 0:
            # Without its boot sector it is no file system, and nothing is explained.
            assert look(bytes(SECTOR) + clean[SECTOR:]) == [] or "ext" in name
            continue
        data = clean[:at] + text + clean[at + SECTOR :]
        found = look(data)
        told = residue(found) or [one for one in found if isinstance(one, Damage)]
        assert at in unexplained(data, found) or told


@pytest.mark.parametrize("name", PLAIN)
def test_runs_of_structures_are_whole(name: str) -> None:
    source: Source = Memory(fixture(name))
    for one in look(fixture(name)):
        if isinstance(one, Artifact) and one.role is Role.STRUCTURE:
            assert one.runs
            assert all(isinstance(run, Run) and run.length > 0 for run in one.runs)
            assert one.size == sum(run.length for run in one.runs)
            assert max((r.at or 0) + r.length for r in one.runs) <= source.size


@pytest.mark.skipif("xfs" not in TOOLS, reason="needs mkfs.xfs")
def test_text_in_a_new_xfs_is_never_explained_away(tmp_path: Path) -> None:
    """In the slack of each structure, and in its place."""
    clean = bytearray(made("xfs", tmp_path))
    line = "架空 太郎,東京都架空区1-2-3,03-0000-0001".encode("cp932")
    sectors = [
        at for one in on_the_medium(look(bytes(clean))) for at in range(one.offset, one.end, SECTOR)
    ]
    assert len(sectors) > 100
    for at in random.Random(7).sample(sectors[1:], 12):
        kept = bytes(clean[at : at + SECTOR])
        start = at + SECTOR - len(line)
        clean[start : at + SECTOR] = line
        found = look(bytes(clean))
        assert at in unexplained(bytes(clean), found) or residue(found)
        clean[at : at + SECTOR] = kept

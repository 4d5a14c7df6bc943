"""The small images of the tests: one a file system, two disks, and new, empty file systems."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from . import disks, oracle, volumes
from .jobs import Job
from .mix import Mix
from .oracle import Planted

MIB = 1 << 20
SIZES = {
    "ntfs": 6 * MIB,
    "fat12": 3 * MIB // 2,
    "fat16": 9 * MIB,
    "fat32": 34 * MIB,
    "exfat": 5 * MIB,
    "ext2": 4 * MIB,
    "ext3": 6 * MIB,
    "ext4": 6 * MIB,
}
UNITS = {"fat12": 512, "fat16": 512, "fat32": 512}


def _pack(image: Path, out: Path) -> None:
    out.write_bytes(gzip.compress(image.read_bytes(), 9, mtime=0))


def _at_least(size: int, data: bytes) -> bytes:
    """The bytes, repeated until there are so many: long, and small when packed."""
    return data * -(-size // len(data))


def _volume(kind: str, image: Path, seed: int, size: int, start: int = 0) -> list[Planted]:
    """One of each kind of file live, one deleted, three more in pieces; nothing written after."""
    rng = Random(f"{kind}/{seed}")
    job, mix = Job(image, size, rng), Mix(rng, 0.015)
    job.make(kind, "SHARE", start=start)
    job.fill(list(mix.one_each()))
    torn = [Planted(f"backup/分割_{n}.csv", _at_least(40_000, mix.draw("csv"))) for n in range(3)]
    job.tear(torn, UNITS.get(kind, 4096))
    gone = [Planted(f"old/{one.path}", one.data) for one in mix.one_each()]
    job.fill(gone)
    job.delete([*gone, torn[0]])
    return job.finish()


def _singles(folder: Path, out: Path, seed: int) -> Iterator[dict[str, Any]]:
    for kind, size in SIZES.items():
        image = folder / f"{kind}.img"
        planted = _volume(kind, image, seed, size)
        _pack(image, out / f"{kind}.img.gz")
        row = {"number": 1, "offset": 0, "size": size, "kind": kind, "label": "SHARE"}
        yield json.loads(oracle.manifest(f"{kind}.img.gz", seed, [row], planted, size=size))


_DISKS = {"disk-gpt": ("ntfs", "ext4", "fat16"), "disk-mbr": ("fat16", "ntfs", "ext2")}


def _disk(name: str, folder: Path, out: Path, seed: int) -> dict[str, Any]:
    """A disk of three volumes; the MBR's last two are logical ones in an extended partition."""
    parts, rows, planted, at = [], [], [], MIB
    for number, kind in enumerate(_DISKS[name], 1):
        image, size = folder / f"{name}-{number}.img", SIZES[kind]
        at += MIB if name == "disk-mbr" and number > 1 else 0
        mine = _volume(kind, image, seed + number, size, at)
        for one in mine:
            one.volume = number
        planted += mine
        parts.append(disks.Part(kind, image, at))
        rows.append({"number": number, "offset": at, "size": size, "kind": kind, "label": "SHARE"})
        at += size
    disk, size = folder / name, at + MIB
    if name == "disk-gpt":
        disks.gpt(disk, size, parts)
    else:
        disks.mbr(disk, size, parts[:1], parts[1:])
    _pack(disk, out / f"{name}.img.gz")
    found: dict[str, Any] = json.loads(
        oracle.manifest(f"{name}.img.gz", seed, rows, planted, size=size)
    )
    return found


def _empties(folder: Path, out: Path, seed: int) -> Iterator[dict[str, Any]]:
    """New file systems without a label on zeros: an assessment must call them clean."""
    for kind, size in SIZES.items():
        image = folder / f"empty-{kind}.img"
        volumes.blank(image, size)
        volumes.make(kind, image)
        _pack(image, out / f"empty-{kind}.img.gz")
        row = {"number": 1, "offset": 0, "size": size, "kind": kind, "label": ""}
        yield json.loads(oracle.manifest(f"empty-{kind}.img.gz", seed, [row], [], size=size))
    parts, at = [], MIB
    for kind in ("ntfs", "ext4", "fat16"):
        parts.append(disks.Part(kind, folder / f"empty-{kind}.img", at))
        at += SIZES[kind]
    disk = folder / "empty-disk-gpt"
    disks.gpt(disk, at + MIB, parts)
    _pack(disk, out / "empty-disk-gpt.img.gz")
    rows = [
        {"number": n, "offset": p.offset, "size": p.size, "kind": p.kind, "label": ""}
        for n, p in enumerate(parts, 1)
    ]
    yield json.loads(oracle.manifest("empty-disk-gpt.img.gz", seed, rows, [], size=at + MIB))


def build(out: Path, seed: int) -> None:
    """Writes every image of the tests, packed, and one manifest of all: ``manifest.json``."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [
            *_singles(folder, out, seed),
            *(_disk(one, folder, out, seed) for one in _DISKS),
            *_empties(folder, out, seed),
        ]
    whole = {"schema": oracle.SCHEMA, "seed": seed, "images": {one["name"]: one for one in found}}
    text = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")

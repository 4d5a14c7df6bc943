"""Seeded bench volumes: each scenario is one function over a `Job`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from . import disks, oracle, volumes
from .jobs import Job
from .mix import Mix
from .oracle import Planted

PER_MIB = 3
"""Files for each MiB of the volume."""


def _filled(
    job: Job,
    kind: str,
    size: int,
    torn_of: int,
    cluster: int = 0,
    unit: int = 4096,
    behind: int = 0,
) -> None:
    """A volume with an office's files, one of ``torn_of`` in pieces, ``behind`` a large one."""
    mix = Mix(job.rng)
    planted = list(mix.files(PER_MIB * (size >> 20)))
    large = [one for one in planted if len(one.data) > 64 << 10]
    torn = job.rng.sample(large, min(len(large), len(planted) // torn_of))
    chosen = {id(one) for one in torn}
    job.make(kind, cluster=cluster)
    if behind:
        job.fill([Planted("大.bin", bytes(behind))])
    job.fill([one for one in planted if id(one) not in chosen])
    job.tear(torn, unit)


def ntfs_deleted(job: Job, size: int) -> None:
    """NTFS; half of the files deleted, nothing written afterwards."""
    _filled(job, "ntfs", size, 12)
    job.delete_half()


def ntfs_formatted(job: Job, size: int) -> None:
    """NTFS; half of the files deleted, then quick-formatted alike."""
    ntfs_deleted(job, size)
    job.make("ntfs")


def ntfs_overwritten(job: Job, size: int) -> None:
    """NTFS, quick-formatted, then files written that take about 30 % of it."""
    _filled(job, "ntfs", size, 12)
    job.make("ntfs")
    job.fill([_moved(one, "新") for one in Mix(job.rng).files(PER_MIB * (size >> 20) * 3 // 8)])


def _aged(job: Job, kind: str, size: int) -> None:
    """A nearly full volume, aged by turns of deleting and writing."""
    _filled(job, kind, size, 12)
    for turn in range(12):
        live = job.live()
        job.delete(job.rng.sample(live, len(live) // 3))
        fresh = [
            _moved(one, f"{turn:02}") for one in Mix(job.rng).files(PER_MIB * (size >> 20) // 3)
        ]
        large = [one for one in fresh if len(one.data) > 64 << 10]
        torn = job.rng.sample(large, len(large) // 3)
        chosen = {id(one) for one in torn}
        job.fill([one for one in fresh if id(one) not in chosen])
        job.tear(torn)


def ntfs_aged(job: Job, size: int) -> None:
    """NTFS, nearly full, aged by turns of deleting and writing, then quick-formatted."""
    _aged(job, "ntfs", size)
    job.make("ntfs")


def ext4_aged(job: Job, size: int) -> None:
    """ext4, nearly full, aged by turns of deleting and writing; then half of it deleted."""
    _aged(job, "ext4", size)
    job.delete_half()


def _moved(one: Planted, folder: str) -> Planted:
    """The file in a folder of its own, so that no two have one path."""
    one.path = f"{folder}/{one.path}"
    return one


def ext4_live_deleted(job: Job, size: int) -> None:
    """ext4; half of the files deleted just before the volume was unmounted."""
    _filled(job, "ext4", size, 12)
    job.delete_half()


def ext4_formatted(job: Job, size: int) -> None:
    """ext4; half of the files deleted, then formatted alike."""
    ext4_live_deleted(job, size)
    job.make("ext4")


def fat32_deleted(job: Job, size: int) -> None:
    """FAT32, clusters of 1 KiB; half of the files deleted, nothing written afterwards.

    Fewer pieces than elsewhere: deleting clears a FAT chain, so only guessing joins them again.
    """
    _filled(job, "fat32", size, 40, cluster=2, unit=1024)
    job.delete_half()


def fat32_formatted(job: Job, size: int) -> None:
    """FAT32, clusters of 1 KiB, then quick-formatted alike."""
    _filled(job, "fat32", size, 16, cluster=2, unit=1024)
    job.make("fat32", cluster=2)


def fat32_windows(job: Job, size: int) -> None:
    """FAT32 as Windows deletes: the upper half of the first cluster's number goes, too."""
    _filled(job, "fat32", size // 2, 40, cluster=2, unit=1024, behind=size // 2 + (3 << 20))
    gone = [one for one in job.live() if one.path != "大.bin"]
    job.delete(job.rng.sample(gone, len(gone) // 2))
    data = bytearray(job.image.read_bytes())
    for at in range(0, len(data), 32):
        if data[at] == 0xE5 and data[at + 11] == 0x20 and data[at + 12] in (0, 8, 16, 24):
            data[at + 20 : at + 22] = bytes(2)
    job.image.write_bytes(data)


def fat16_deleted(job: Job, size: int) -> None:
    """FAT16, clusters of 2 KiB; half of the files deleted, nothing written afterwards."""
    _filled(job, "fat16", size, 40, cluster=4, unit=2048)
    job.delete_half()


def exfat_deleted(job: Job, size: int) -> None:
    """exFAT; half of the files deleted, nothing written afterwards."""
    _filled(job, "exfat", size, 12)
    job.delete_half()


def exfat_formatted(job: Job, size: int) -> None:
    """exFAT, then quick-formatted alike."""
    _filled(job, "exfat", size, 12)
    job.make("exfat")


def xfs_deleted(job: Job, size: int) -> None:
    """XFS (300 MiB at least); half of the files deleted just before the volume was unmounted."""
    _filled(job, "xfs", size, 12)
    job.delete_half()


def xfs_formatted(job: Job, size: int) -> None:
    """XFS, then formatted alike."""
    _filled(job, "xfs", size, 12)
    job.make("xfs")


def btrfs_deleted(job: Job, size: int) -> None:
    """Btrfs (128 MiB at least); half of the files deleted just before it was unmounted."""
    _filled(job, "btrfs", size, 12)
    job.delete_half()


def btrfs_formatted(job: Job, size: int) -> None:
    """btrfs, then formatted alike."""
    _filled(job, "btrfs", size, 12)
    job.make("btrfs")


def ntfs_under_ext4(job: Job, size: int) -> None:
    """An NTFS, then an ext4 made over it and filled to about a tenth."""
    _filled(job, "ntfs", size, 12)
    job.make("ext4")
    job.fill([_moved(one, "新") for one in Mix(job.rng).files(PER_MIB * (size >> 20) // 8)])


def generations(job: Job, size: int) -> None:
    """NTFS, then exFAT, then NTFS again, each quick-formatted over the last and filled a little."""
    _filled(job, "ntfs", size, 12)
    for kind, name, part in (("exfat", "次", 16), ("ntfs", "新", 16)):
        job.make(kind)
        job.fill([_moved(one, name) for one in Mix(job.rng).files(PER_MIB * (size >> 20) // part)])


def ntfs_around_ext4(job: Job, size: int) -> None:
    """An NTFS over all of a disk; then a table with one ext4 amid it, filled to a quarter."""
    _filled(job, "ntfs", size, 12)
    for one in job.planted:
        one.state = "formatted"
    start, length = (size // 10) & -disks.ALIGN, (size * 4 // 10) & -disks.ALIGN
    with tempfile.TemporaryDirectory(prefix="make_images-") as folder:
        inner = Job(Path(folder) / "inner.img", length, job.rng)
        disks.copy(job.image, start, inner.image, 0, length)
        inner.make("ext4")
        new = Mix(job.rng).files(PER_MIB * (length >> 20) // 4)
        inner.fill([_moved(one, "新") for one in new])
        told = inner.finish()
        disks.copy(inner.image, 0, job.image, start, length)
    for one in told:
        one.runs = [(at + start, size) for at, size in one.runs]
    job.told += told
    disks.repartition(job.image, [("ext4", start, length)])


def ntfs_streams(job: Job, size: int) -> None:
    """NTFS: compressed files, files with holes, alternate streams; half of them deleted."""
    job.make("ntfs")
    mix = Mix(job.rng)
    made = list(mix.files(PER_MIB * (size >> 20) // 2))
    with volumes.special(job.image) as root:
        for name in ("圧縮", "疎", "付帯"):
            (volumes.compressed if name == "圧縮" else Path.mkdir)(root / name)
        for number, one in enumerate(made):
            kind, name = number % 3, f"{number:04}{Path(one.path).suffix}"
            one.path = ("圧縮/", "疎/", "付帯/")[kind] + name + (":控え" if kind == 2 else "")
            if kind == 1:
                half = len(one.data) // 2
                hole = bytes(job.rng.randrange(16, 64) << 14)
                one.data = one.data[:half] + hole + one.data[half:]
            _write_special(root, one)
        gone = job.rng.sample(made, len(made) // 2)
        for one in gone:
            (root / one.path.partition(":")[0]).unlink()
            one.state = "deleted"
    beside = [
        Planted(one.path.partition(":")[0], _short(one), state=one.state)
        for one in made
        if ":" in one.path
    ]
    for one in (*made, *beside):
        # Nothing was written since, so all is still there, though not byte by byte.
        one.still = True
    job.told += [*made, *beside]


def _short(one: Planted) -> bytes:
    """What lies beside an alternate stream, in the file itself."""
    return f"in short: {one.path}\r\n".encode()


def _write_special(root: Path, one: Planted) -> None:
    if ":" in one.path:
        (root / one.path.partition(":")[0]).write_bytes(_short(one))
        (root / one.path).write_bytes(one.data)
        return
    with (root / one.path).open("wb") as file:
        hole = one.data.find(bytes(16 << 14)) if one.path.startswith("疎/") else -1
        if hole < 0:
            file.write(one.data)
            return
        end = hole + len(one.data[hole:]) - len(one.data[hole:].lstrip(b"\0"))
        file.write(one.data[:hole])
        file.seek(end)
        file.write(one.data[end:])


SCENARIOS: dict[str, Callable[[Job, int], None]] = {
    "ntfs-deleted": ntfs_deleted,
    "ntfs-formatted": ntfs_formatted,
    "ntfs-overwritten": ntfs_overwritten,
    "ntfs-aged": ntfs_aged,
    "ntfs-streams": ntfs_streams,
    "ext4-aged": ext4_aged,
    "ext4-live-deleted": ext4_live_deleted,
    "ext4-formatted": ext4_formatted,
    "fat32-deleted": fat32_deleted,
    "fat32-formatted": fat32_formatted,
    "fat32-windows": fat32_windows,
    "fat16-deleted": fat16_deleted,
    "exfat-deleted": exfat_deleted,
    "exfat-formatted": exfat_formatted,
    "ntfs-under-ext4": ntfs_under_ext4,
    "ntfs-around-ext4": ntfs_around_ext4,
    "generations": generations,
    "xfs-deleted": xfs_deleted,
    "xfs-formatted": xfs_formatted,
    "btrfs-deleted": btrfs_deleted,
    "btrfs-formatted": btrfs_formatted,
}


DISKS = {"gpt-zeroed": ("ntfs-deleted", "ext4-live-deleted", "exfat-formatted")}
"""Whole disks: volumes side by side, both of whose partition tables were zeroed."""


def build(name: str, out: Path, seed: int, mib: int) -> None:
    """Makes the named volume at ``out`` and its manifest beside it, as OUT.json."""
    if name in DISKS:
        _disk(name, out, seed, mib)
    else:
        _volume(name, out, seed, mib)


def _disk(name: str, out: Path, seed: int, mib: int) -> None:
    """Volumes of a third each, behind a first megabyte and before a last one of zeros."""
    files: list[dict[str, object]] = []
    rows: list[dict[str, object]] = []
    at = disks.ALIGN
    each = (mib - 2) // len(DISKS[name])
    volumes.blank(out, mib << 20)
    for number, part in enumerate(DISKS[name], 1):
        with tempfile.TemporaryDirectory(prefix="make_images-") as folder:
            image = Path(folder, "volume.img")
            _volume(part, image, seed, each)
            told = json.loads(image.with_name(image.name + ".json").read_text(encoding="utf-8"))
            with out.open("r+b") as disk:
                disk.seek(at)
                disk.write(image.read_bytes())
        files += [one | {"volume": number} for one in told["files"]]
        rows += [one | {"number": number, "offset": at} for one in told["volumes"]]
        at += each << 20
    whole = told | {"name": name, "size": mib << 20, "volumes": rows, "files": files, "totals": {}}
    text = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    out.with_name(out.name + ".json").write_text(text, encoding="utf-8")


def _volume(name: str, out: Path, seed: int, mib: int) -> None:
    size = mib << 20
    job = Job(out, size, Random(f"{name}/{seed}/{mib}"))
    SCENARIOS[name](job, size)
    rows = [{"number": 1, "offset": 0, "size": size, "kind": job.kind, "label": ""}]
    text = oracle.manifest(name, seed, rows, job.finish(), size=size)
    out.with_name(out.name + ".json").write_text(text, encoding="utf-8")

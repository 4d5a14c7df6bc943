"""File systems in image files, made and written with the system's own tools.

NTFS goes through mkfs.ntfs and ntfs-3g (FUSE), ext2-4, XFS and btrfs through their mkfs and the
kernel (loop mount, root), FAT through mkfs.vfat and mtools (the kernel need not know it), exFAT
through mkfs.exfat and our own writer. Where libfaketime is installed, tools see one fixed moment,
so that the same seed gives the same bytes; the kernel does not: its volumes differ in times alone.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from . import exfat

MOMENT = "2019-03-29 17:30:00"
"""When the office last worked on the drive (Japan time)."""
MODIFIED = 1_525_136_400
UUID = "00000000-1111-4222-8333-444444444444"
_FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


def environment() -> dict[str, str]:
    """What the tools see: Japan's time zone, UTF-8, a fixed moment."""
    env = dict(os.environ, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", E2FSPROGS_FAKE_TIME=str(MODIFIED))
    env["MTOOLS_SKIP_CHECK"] = "1"
    if found := sorted(Path("/").glob(_FAKETIME[1:])):
        env.update(LD_PRELOAD=str(found[0]), FAKETIME=MOMENT)
    return env


def run(*command: str | Path) -> str:
    """Runs a tool; its failure ends the making with what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {said}")
    return done.stdout.decode(errors="replace")


class Session(Protocol):
    """A volume open for writing."""

    def put(self, path: str, data: bytes) -> None:
        """Writes a new file, its folders too."""

    def extend(self, path: str, data: bytes) -> None:
        """Writes more at a file's end and lets the volume place it now."""

    def remove(self, path: str) -> None:
        """Deletes a file, or a folder with all that is in it."""


class Mounted:
    """A session over a mount point."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, data: bytes) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._write(target, "wb", data)

    def extend(self, path: str, data: bytes) -> None:
        self._write(self._root / path, "ab", data)

    def _write(self, target: Path, mode: str, data: bytes) -> None:
        with target.open(mode) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.utime(target, (MODIFIED, MODIFIED))

    def remove(self, path: str) -> None:
        target = self._root / path
        if target.is_dir():
            for child in sorted(target.iterdir(), key=lambda one: one.name):
                self.remove(str(child.relative_to(self._root)))
            target.rmdir()
        else:
            target.unlink()


class Mtools:
    """A session over a FAT image, by mtools."""

    def __init__(self, image: Path, offset: int = 0) -> None:
        self._drive = f"{image}@@{offset}"
        self._folders: set[PurePosixPath] = {PurePosixPath(".")}

    def _make(self, folder: PurePosixPath) -> None:
        if folder not in self._folders:
            self._make(folder.parent)
            try:
                run("mdir", "-i", self._drive, "-b", f"::{folder}")
            except RuntimeError:
                run("mmd", "-i", self._drive, f"::{folder}")
            self._folders.add(folder)

    def put(self, path: str, data: bytes) -> None:
        self._make(PurePosixPath(path).parent)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            os.utime(file.name, (MODIFIED, MODIFIED))
            run("mcopy", "-i", self._drive, "-o", "-m", file.name, f"::{path}")

    def extend(self, path: str, data: bytes) -> None:
        raise RuntimeError(f"mtools cannot extend {path} by {len(data)} bytes")

    def remove(self, path: str) -> None:
        run("mdeltree", "-i", self._drive, f"::{path}")


# --- making ------------------------------------------------------------------------------


def blank(image: Path, size: int) -> None:
    """A file of zeros, sparse."""
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(size)


def _ntfs(image: Path, label: str, start: int) -> None:
    run(
        "mkfs.ntfs",
        "-Q",
        "-F",
        "-q",
        "-c",
        "4096",
        "-s",
        "512",
        "-H",
        "255",
        "-S",
        "63",
        "-p",
        str(start // 512),
        *(("-L", label) if label else ()),
        image,
    )


def _fat(bits: str, cluster: int) -> list[str]:
    return ["mkfs.vfat", "-F", bits, "-s", str(cluster), "-i", "20190329", "--invariant"]


def make(kind: str, image: Path, label: str = "", start: int = 0, cluster: int = 0) -> None:
    """Makes an empty file system over the whole image, without clearing the rest of it.

    An ext over an older one leaves the inode tables to the kernel, as mke2fs does by default.
    ``start``: where the volume will lie on its disk. ``cluster``: sectors a cluster, FAT alone.
    """
    if kind == "ntfs":
        _ntfs(image, label, start)
    elif kind.startswith("fat"):
        run(*_fat(kind[3:], cluster or 1), *(("-n", label) if label else ()), image)
    elif kind == "xfs":
        run("mkfs.xfs", "-q", "-f", "-K", "-m", f"uuid={UUID}", image)
    elif kind == "btrfs":
        run("mkfs.btrfs", "-q", "-f", "-K", image)
    elif kind == "exfat":
        run("mkfs.exfat", "-c", "4096", "-b", "64K", *(("-L", label) if label else ()), image)
    else:
        run(
            f"mkfs.{kind}",
            "-q",
            "-F",
            "-b",
            "4096" if image.stat().st_size > 64 << 20 else "1024",
            "-E",
            f"nodiscard,lazy_itable_init={_ext(image):d},lazy_journal_init=0,hash_seed={UUID}",
            "-U",
            UUID,
            *(("-L", label) if label else ()),
            image,
        )


def _ext(image: Path) -> bool:
    """Whether there is an ext superblock already."""
    with image.open("rb") as file:
        return file.read(1082)[1080:] == b"\x53\xef"


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if ready.is_mount():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not mount")


@contextlib.contextmanager
def _fuse(image: Path, folder: Path, streams: str = "none") -> Iterator[Mounted]:
    options = f"no_detach,compression,streams_interface={streams}"
    command = ["ntfs-3g", "-o", options, str(image), str(folder)]
    with subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _wait_for(folder, process)
        try:
            yield Mounted(folder)
        finally:
            run("fusermount", "-u", folder)
            process.wait(60)


@contextlib.contextmanager
def special(image: Path) -> Iterator[Path]:
    """An NTFS, mounted with alternate streams as ``name:stream``; gives the mount's folder."""
    with (
        tempfile.TemporaryDirectory(prefix="make_images-") as folder,
        _fuse(image.resolve(), Path(folder), "windows"),
    ):
        yield Path(folder)


def compressed(folder: Path) -> None:
    """Makes a folder of an NTFS one whose new files are compressed."""
    folder.mkdir()
    os.setxattr(folder, "system.ntfs_attrib_be", (0x0810).to_bytes(4, "big"))


@contextlib.contextmanager
def _loop(image: Path, folder: Path) -> Iterator[Session]:
    # Formatted alike, an XFS has the identifier of the one that was there before.
    options = "loop,nouuid" if _is_xfs(image) else "loop"
    run("mount", "-o", options, image, folder)
    try:
        yield Mounted(folder)
    finally:
        run("umount", folder)


def _is_xfs(image: Path) -> bool:
    with image.open("rb") as file:
        return file.read(4) == b"XFSB"


@contextlib.contextmanager
def session(kind: str, image: Path) -> Iterator[Session]:
    """The volume, open for writing; all is on the image when it closes."""
    if kind.startswith("fat"):
        yield Mtools(image)
    elif kind == "exfat":
        with exfat.session(image) as one:
            yield one
    else:
        with tempfile.TemporaryDirectory(prefix="make_images-") as folder:
            opened = _fuse if kind == "ntfs" else _loop
            with opened(image.resolve(), Path(folder)) as one:
                yield one


def put_all(one: Session, files: Sequence[tuple[str, bytes]]) -> None:
    for path, data in files:
        one.put(path, data)

"""What only Linux can say: block ioctls, sysfs, mount tables, aligned buffers. Nothing else here.

Every file under ``/sys`` and ``/proc`` is read bounded; a drive's own strings are escaped.
"""

from __future__ import annotations

import array
import fcntl
import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLKROGET = 0x125E
BLKFLSBUF = 0x1261
BLKSSZGET = 0x1268
BLKPBSZGET = 0x127B
BLKGETSIZE64 = 0x80081272

_SYS = Path("/sys/dev/block")
_MOST = 4096
"""Bytes that an attribute of sysfs may have."""


def buffer(size: int) -> mmap.mmap:
    """Anonymous memory on a page boundary, as O_DIRECT wants it."""
    return mmap.mmap(-1, size)


def block_size(fd: int) -> int:
    """Bytes of a block device, by BLKGETSIZE64."""
    answer = array.array("Q", [0])
    fcntl.ioctl(fd, BLKGETSIZE64, answer)
    return answer[0]


def _int(fd: int, request: int) -> int:
    answer = array.array("I", [0])
    fcntl.ioctl(fd, request, answer)
    return answer[0]


def sector_sizes(fd: int) -> tuple[int, int]:
    """Logical and physical sector of a block device."""
    return _int(fd, BLKSSZGET), _int(fd, BLKPBSZGET)


def is_read_only(fd: int) -> bool:
    """Whether the kernel refuses writes to it."""
    return bool(_int(fd, BLKROGET))


def zoned(rdev: int) -> str:
    """none, host-aware or host-managed, in the kernel's words."""
    return node_of(rdev).whole.attribute("queue/zoned")


def drop_cache(fd: int, *, block: bool) -> None:
    """Makes the next read come from below the page cache, as far as the kernel lets us."""
    os.fsync(fd)
    if block:
        fcntl.ioctl(fd, BLKFLSBUF, 0)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def printable(raw: bytes | str) -> str:
    r"""A device's string for people: trimmed, controls and broken bytes as ``\\xNN``."""
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text.strip(" \t\n\0")
    )


@dataclass(frozen=True, slots=True)
class Node:
    """A block device as sysfs shows it; ``folder`` is its own directory there."""

    name: str
    number: str
    folder: Path

    def attribute(self, name: str) -> str:
        """The text of an attribute, printable; empty where there is none."""
        return printable(self.raw(name))

    def raw(self, name: str) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(_MOST)
        except OSError:
            return b""

    @property
    def whole(self) -> Node:
        """The drive that a partition is a part of; itself where it is no partition."""
        return node(self.folder.parent) if self.is_partition else self

    @property
    def is_partition(self) -> bool:
        return (self.folder / "partition").exists()

    @property
    def parts(self) -> tuple[Node, ...]:
        return tuple(node(p.parent) for p in sorted(self.folder.glob("*/partition")))

    @property
    def holders(self) -> tuple[str, ...]:
        """Names of the devices built on it: LVM, md, dm-crypt, bcache."""
        try:
            return tuple(sorted(p.name for p in (self.folder / "holders").iterdir()))
        except OSError:
            return ()


def node(folder: Path) -> Node:
    """The device whose directory in sysfs this is."""
    found = Node(folder.name, "", folder.resolve())
    return Node(found.folder.name, found.attribute("dev"), found.folder)


def node_of(rdev: int) -> Node:
    """The device with that number."""
    return node(_SYS / f"{os.major(rdev)}:{os.minor(rdev)}")


def drives() -> Iterator[Path]:
    """Paths of all block devices that have a size and are no partition."""
    for folder in sorted(Path("/sys/block").glob("*")):
        found = node(folder)
        # A "!" in sysfs stands for the "/" of names such as cciss/c0d0.
        path = Path("/dev") / found.name.replace("!", "/")
        if found.attribute("size") not in {"", "0"} and path.exists():
            yield path


def _octal(field: str) -> str:
    """A field of the mount tables, where blanks and the like are written as octal escapes."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def speaks(rdev: int) -> bool:
    """Whether a device is one that takes SCSI, ATA or NVMe commands."""
    found = node_of(rdev).whole
    vendor = (found.folder / "device" / "vendor").exists()
    return found.name.startswith("nvme") or (vendor and not found.name.startswith("loop"))


def locate_lights(rdev: int, enclosures: Path = Path("/sys/class/enclosure")) -> tuple[Path, ...]:
    """The switches of the locate lights of a drive's slots: files that take 1 or 0."""
    device = (node_of(rdev).whole.folder / "device").resolve()
    return tuple(
        slot / "locate"
        for slot in sorted(enclosures.glob("*/*"))
        if (slot / "locate").is_file() and (slot / "device").resolve() == device
    )


def rescan(rdev: int) -> None:
    """Makes the kernel ask a drive for its size again; nothing where it offers no way."""
    place = node_of(rdev).whole.folder / "device" / "rescan"
    if place.exists():
        place.write_text("1")


def mounts() -> tuple[tuple[str, str], ...]:
    """(device number, mount point) of everything mounted.

    File systems that own no device number (btrfs, overlay) are found by their mount source.
    """
    found = []
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
        left, _, right = line.partition(" - ")
        fields, source = left.split(), right.split()
        if len(fields) < 5 or len(source) < 2:
            continue
        point = printable(_octal(fields[4]))
        found.append((fields[2], point))
        number = _number(_octal(source[1]))
        if number:
            found.append((number, point))
    return tuple(found)


def swaps() -> tuple[str, ...]:
    """Device numbers of everything swapped to."""
    lines = Path("/proc/swaps").read_text("utf-8", "surrogateescape").splitlines()[1:]
    return tuple(n for line in lines if (n := _number(_octal(line.split()[0]))))


def _number(path: str) -> str:
    """The device number of a block device's path; empty for anything else."""
    if not path.startswith("/"):
        return ""
    try:
        info = Path(path).stat()
    except OSError:
        return ""
    if not stat.S_ISBLK(info.st_mode):
        return ""
    return f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"


def users(of: Node) -> tuple[str, ...]:
    """Whoever uses a device now, its parts and its holders included: the reasons not to touch it.

    Each is a mount point, ``swap``, or the name of a device built on it.
    """
    mounted, swapped = mounts(), swaps()
    found: list[str] = []
    for member in (of, *of.parts):
        found += [point for number, point in mounted if number == member.number]
        found += ["swap"] if member.number in swapped else []
        found += member.holders
    return tuple(dict.fromkeys(found))


def loops_over(path: Path) -> tuple[str, ...]:
    """Loop devices whose backing file this is: the file is in use."""
    wanted = os.fsencode(path.resolve())
    return tuple(
        folder.name
        for folder in sorted(Path("/sys/block").glob("loop*"))
        if node(folder).raw("loop/backing_file").rstrip(b"\n") == wanted
    )

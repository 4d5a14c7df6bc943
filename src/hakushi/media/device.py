"""The only writable handle in the house. Only ``sanitize`` and the wiring may import this.

`claim` is the last gate before a drive is changed: what it lets through is not mounted, not held,
not the system's own, not a part of a drive, writable, and still the drive that was asked for.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Protocol

from hakushi.media import linux, zones
from hakushi.media.abilities import asked
from hakushi.media.commands import Transport
from hakushi.media.direct import PAGE, Direct, open_direct
from hakushi.media.passthrough import Passthrough
from hakushi.media.probe import probe, told
from hakushi.media.simulated import Simulated, path_of
from hakushi.media.zones import Zone
from hakushi.model import Drive, Locator, Malformed, Message, Refused, Source, message

_LARGEST = 1 << 62
"""No drive has more bytes; a size beyond it is a broken answer."""


class Reader(Source, Protocol):
    """A Source over a fresh handle that can fill a caller's buffer.

    ``direct`` is False where a cache may answer in the medium's place.
    """

    @property
    def direct(self) -> bool: ...

    def into(self, at: int, view: memoryview) -> None:
        """Fills a page-aligned view that lies inside the source; raises `Unreadable`."""

    def close(self) -> None: ...


class Device(Protocol):
    """A claimed drive. Offsets and lengths are whole ``unit``s, but for the end of an image file.

    Laws: nothing outside ``size`` is written; a write that the drive refused raises OSError, one
    that it took proves nothing: only what `reopen` reads back does.
    """

    @property
    def size(self) -> int: ...

    @property
    def unit(self) -> int: ...

    def identify(self) -> Drive:
        """What the drive says of itself now, through this handle. Raises OSError."""

    def write(self, at: int, data: memoryview) -> None:
        """Writes all of it, page-aligned in memory, past the page cache. Raises OSError."""

    def flush(self) -> None:
        """Asks the drive to keep what it took. Raises OSError."""

    def reopen(self) -> Reader:
        """A fresh handle for reading, past the page cache. Raises OSError or Refused."""

    def power_cycle(self) -> bool:
        """Takes the drive's power away and back; False where this bench cannot."""

    def commands(self) -> Transport | None:
        """A way to send it its own commands; None where it has none."""

    def rescan(self) -> int:
        """Asks for its size again, after a command that may have changed it. Raises OSError."""

    def zones(self) -> tuple[Zone, ...]:
        """Its zones, where they must be written in order; else none. Raises OSError."""

    def reset_zone(self, zone: Zone) -> None:
        """Empties a zone, so that it can be written from its start. Raises OSError."""

    def close(self) -> None: ...


class BlockDevice:
    """A Device over a block device or an image file."""

    def __init__(self, path: Path, *, exclusive: bool) -> None:
        self._fd = self._tail = -1
        self.path = path
        # O_EXCL without O_CREAT: the kernel refuses a block device that anybody else holds.
        flags = os.O_RDWR | (os.O_EXCL if exclusive else 0)
        self._fd, self.direct = open_direct(path, flags)
        self._block = exclusive
        if self._block:
            self.size = linux.block_size(self._fd)
            self.unit = linux.sector_sizes(self._fd)[0]
        else:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.size = os.fstat(self._fd).st_size
            self.unit = PAGE

    @property
    def read_only(self) -> bool:
        return self._block and linux.is_read_only(self._fd)

    def identify(self) -> Drive:
        transport = self.commands()
        drive = told(self.path, os.fstat(self._fd))
        return drive if transport is None else asked(drive, transport)

    def write(self, at: int, data: memoryview) -> None:
        if at + len(data) > self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole = len(data) - len(data) % self.unit if self.direct else len(data)
        _all(self._fd, at, data[:whole])
        if whole < len(data):
            # The end of a file that is no multiple of a page: direct I/O cannot write it.
            if self._tail < 0:
                self._tail = os.open(f"/proc/self/fd/{self._fd}", os.O_RDWR | os.O_CLOEXEC)
            _all(self._tail, at + whole, data[whole:])

    def flush(self) -> None:
        os.fsync(self._fd)

    def reopen(self) -> Direct:
        linux.drop_cache(self._fd, block=self._block)
        # Through the descriptor, not the name: the name may lead elsewhere by now.
        return Direct(
            Path(f"/proc/self/fd/{self._fd}"),
            self.size,
            Locator.root("drive", "claimed"),
            self.unit,
        )

    def power_cycle(self) -> bool:
        return False

    def commands(self) -> Transport | None:
        speaks = self._block and linux.speaks(os.fstat(self._fd).st_rdev)
        return Passthrough(self._fd) if speaks else None

    def zones(self) -> tuple[Zone, ...]:
        if not self._block or linux.zoned(os.fstat(self._fd).st_rdev) != "host-managed":
            return ()
        try:
            return zones.report(self._fd, self.size)
        except Malformed as error:
            raise OSError(errno.EIO, str(error)) from None

    def reset_zone(self, zone: Zone) -> None:
        zones.reset(self._fd, zone)

    def rescan(self) -> int:
        if self._block:
            linux.rescan(os.fstat(self._fd).st_rdev)
            self.size = linux.block_size(self._fd)
        return self.size

    def close(self) -> None:
        for fd in (self._tail, self._fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._tail = -1

    def __del__(self) -> None:
        self.close()


def _all(fd: int, at: int, data: memoryview) -> None:
    while data:
        done = os.pwrite(fd, data, at)
        data, at = data[done:], at + done


def claim(expected: Drive, *, image: bool = False, partition: bool = False) -> Device:
    """The writable handle on the drive that was probed as ``expected``.

    Refuses, with what to do, a drive that is in use, is read-only, is not there, or is another
    one by now; a regular file unless ``image``; a partition unless ``partition``.
    """
    simulated = path_of(expected.path)
    if simulated is not None:
        return _same(Simulated(simulated, writable=True), expected)
    path, shown = Path(expected.path), linux.printable(expected.path)
    check_free(probe(path), image=image, partition=partition)
    try:
        device = BlockDevice(path, exclusive=stat.S_ISBLK(path.stat().st_mode))
    except OSError as error:
        raise Refused(_why(path, error)) from None
    if device.read_only:
        device.close()
        raise Refused(
            message("{path} is read-only; remove its write protection first.", path=shown)
        )
    return _same(device, expected)


def check_free(drive: Drive, *, image: bool = False, partition: bool = False) -> None:
    """Refuses what must not be written to, as far as can be seen without opening it.

    `claim` asks the kernel next: O_EXCL fails where anybody else holds the device.
    """
    if path_of(drive.path) is not None:
        return
    path, shown = Path(drive.path), linux.printable(drive.path)
    mode = path.stat()
    if stat.S_ISREG(mode.st_mode) and not image:
        raise Refused(
            message("{path} is a file, not a drive; say --image to overwrite it.", path=shown)
        )
    if stat.S_ISBLK(mode.st_mode) and not partition and linux.node_of(mode.st_rdev).is_partition:
        raise Refused(message("{path} is a partition; name the whole drive.", path=shown))
    if drive.held_by:
        raise Refused(
            message(
                "{path} is in use ({by}); unmount it, stop what holds it, or take another drive.",
                path=shown,
                by=", ".join(drive.held_by[:4]),
            )
        )
    if drive.read_only:
        raise Refused(
            message("{path} is read-only; remove its write protection first.", path=shown)
        )
    if not 0 < drive.size < _LARGEST:
        raise Refused(
            message(
                "{path} says that it has {size:,} bytes; a drive that answers so is not touched.",
                path=shown,
                size=drive.size,
            )
        )


def differences(now: Drive, expected: Drive) -> tuple[str, ...]:
    """Which parts of an identity changed between two probes; none: it is the same drive."""
    fields = ("serial", "wwn", "size", "model", "firmware", "native_size", "logical_sector")
    changed = [f for f in fields if getattr(now, f) != getattr(expected, f)]
    instance = [dict(d.said_by).get("instance") for d in (now, expected)]
    return (*changed, *(["instance"] if instance[0] != instance[1] else []))


def _same(device: Device, expected: Drive) -> Device:
    try:
        now = device.identify()
        changed = [*differences(now, expected), *(["size"] if device.size != now.size else [])]
    except OSError as error:
        device.close()
        raise Refused(_why(Path(expected.path), error)) from None
    if changed:
        device.close()
        raise Refused(
            message(
                "{path} is not the drive it was a moment ago ({what} changed); look at the slot, "
                "then start again.",
                path=linux.printable(expected.path),
                what=", ".join(dict.fromkeys(changed)),
            )
        )
    return device


def _why(path: Path, error: OSError) -> Message:
    shown = linux.printable(str(path))
    if error.errno in {errno.EBUSY, errno.EWOULDBLOCK}:
        return message("{path} is held by another program; close that first.", path=shown)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return message(
            "No permission to write to {path}; run as a user who may (usually root).", path=shown
        )
    if error.errno == errno.EROFS:
        return message("{path} is read-only; remove its write protection first.", path=shown)
    return message(
        "{path} cannot be opened for writing: {why}.", path=shown, why=error.strerror or "?"
    )

"""A drive that can lie, hide sectors, alias and fail: a virtual drive in files, with chosen faults.

``PATH`` is its identity (JSON), ``PATH.surface`` what really lies on it, ``PATH.state`` counters
that outlive a process, ``PATH.cache`` what a lying write cache holds. It ships so that anyone can
see what a bench says about such a drive; `Simulated` is a Source and a Device at once.
"""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import os
import random
import secrets
import shutil
import struct
import threading
import time
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hakushi.media import firmware
from hakushi.media.abilities import asked
from hakushi.media.linux import printable
from hakushi.media.zones import Zone
from hakushi.model import (
    SECTOR,
    Drive,
    Extent,
    Locator,
    Message,
    Refused,
    Source,
    Unreadable,
    message,
)

PREFIX = "sim:"
SCHEMA = "hakushi.simulated/1"
BUSES = ("ata", "scsi", "nvme")
CACHE = 32 << 20
"""Bytes that the write cache of a drive with ``loses-cache`` holds back."""
_MOST_BAD = 100_000
_SLOWEST = 60_000
_STEP = 4 << 20
_LARGEST = 1 << 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a simulated drive may be bad.

    ``argument`` names what it is given; in brackets where it may be left out.
    """

    name: str
    about: Message
    argument: str = ""


FAULTS = (
    Fault("aliases", message("Its true capacity is smaller; addresses wrap around."), "BYTES"),
    Fault("bad-sectors", message("So many sectors can be neither read nor written."), "N"),
    Fault("dies-after", message("Answers nothing more once so much was written."), "BYTES"),
    Fault("drops-writes", message("Answers success to every write and stores nothing.")),
    Fault("drops-writes-after", message("Stores so much and silently drops the rest."), "BYTES"),
    Fault("frozen", message("Its firmware refuses every command that erases.")),
    Fault("hides", message("The last bytes are hidden (a host protected area)."), "BYTES"),
    Fault(
        "hides-ama",
        message("The last bytes are hidden behind the accessible maximum address (ATA)."),
        "BYTES",
    ),
    Fault(
        "hides-dco",
        message("The last bytes are hidden by a device configuration overlay (ATA)."),
        "BYTES",
    ),
    Fault("keeps-key", message("A cryptographic erase says success and leaves the data readable.")),
    Fault("loses-cache", message("Flush is a lie: a power cut loses the last 32 MiB written.")),
    Fault(
        "opal-locked",
        message("Somebody set its Opal password and left: it can be neither read nor written."),
    ),
    Fault("says-success", message("Answers success to every command and does nothing.")),
    Fault("slow", message("Its middle sector takes so many milliseconds to read."), "MS"),
    Fault("stuck", message("A sanitize operation stays at so many per cent for ever."), "PERCENT"),
    Fault(
        "swaps-identity",
        message("Another serial number at each question, or once so much was written."),
        "[BYTES]",
    ),
    Fault("zones", message("Zones of so many bytes must be written in order (SMR)."), "BYTES"),
    Fault("zeros-until-power-cycle", message("Once written to, gives zeros until a power cycle.")),
)
"""What is modelled."""


def check_faults(faults: Mapping[str, int | None]) -> None:
    """Refuses a fault that is unknown or not modelled, or whose argument is missing or too many."""
    known = {f.name: f for f in FAULTS}
    for name, value in faults.items():
        if name not in known:
            raise Refused(
                message(
                    "No fault {name} is modelled; `hakushi simulate faults` lists them.", name=name
                )
            )
        argument = known[name].argument
        if argument and value is None and not argument.startswith("["):
            raise Refused(
                message("The fault {name} needs {name}={argument}.", name=name, argument=argument)
            )
        if value is not None and not argument:
            raise Refused(message("The fault {name} takes no argument.", name=name))


@dataclass(frozen=True, slots=True)
class Identity:
    """What the identity file says. ``size`` is native, what a healthy drive would address."""

    serial: str
    wwn: str
    bus: str
    size: int
    faults: Mapping[str, int | None]
    bad: tuple[int, ...]
    """Numbers of its bad sectors, sorted."""

    @property
    def addressable(self) -> int:
        return self.size - sum(self.faults.get(one) or 0 for one in firmware.HIDING)

    @property
    def zone(self) -> int:
        """Bytes of a zone; 0: it takes writes anywhere."""
        return self.faults.get("zones") or 0

    @property
    def capacity(self) -> int:
        """Bytes that the surface really has."""
        return min(self.size, self.faults.get("aliases") or self.size)


def path_of(name: str | Path) -> Path | None:
    """The identity file that ``sim:PATH`` names; None for any other name."""
    text = os.fspath(name)
    return Path(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None


def surface(path: Path) -> Path:
    """The file that holds the surface as it really is."""
    return path.with_name(path.name + ".surface")


def _state(path: Path) -> Path:
    return path.with_name(path.name + ".state")


def _memory(path: Path) -> Path:
    """What its firmware remembers."""
    return path.with_name(path.name + ".firmware")


def _pointers(path: Path) -> Path:
    """How far each of its zones is written, eight bytes each."""
    return path.with_name(path.name + ".zones")


def _cache(path: Path) -> Path:
    return path.with_name(path.name + ".cache")


def create(
    path: Path,
    size: int,
    bus: str = "ata",
    serial: str | None = None,
    content: Source | None = None,
    faults: Mapping[str, int | None] | None = None,
) -> Identity:
    """Makes a virtual drive of ``size`` bytes, the first of them ``content``, the rest zeros.

    Refuses what cannot be: an existing file, an odd size, an unknown bus or fault, content that
    is larger than the drive or cannot be read in full.
    """
    faults = dict(faults or {})
    check_faults(faults)
    _check(path, size, bus, faults, content)
    serial = serial or f"SIM{secrets.token_hex(5).upper()}"
    count = faults.get("bad-sectors") or 0
    bad = random.Random(serial).sample(range(size // SECTOR), count)  # noqa: S311 repeatable, no secret
    identity = Identity(
        serial, f"5{secrets.token_hex(8)[1:]}", bus, size, faults, tuple(sorted(bad))
    )
    try:
        _lay(path, identity, content)
    except (OSError, Unreadable) as error:
        remove(path)
        raise Refused(
            message("{path} could not be made: {why}.", path=str(path), why=str(error))
        ) from None
    return identity


def _check(
    path: Path, size: int, bus: str, faults: Mapping[str, int | None], content: Source | None
) -> None:
    if bus not in BUSES:
        raise Refused(message("No bus {bus}; choose ata, scsi or nvme.", bus=bus))
    if not 0 < size <= _LARGEST or size % SECTOR:
        raise Refused(
            message("A size of {size} bytes cannot be; give a multiple of 512.", size=size)
        )
    if content is not None and content.size > size:
        raise Refused(
            message(
                "The content has {content} bytes and does not fit; give --size {content} or more.",
                content=content.size,
            )
        )
    hiding = [one for one in firmware.HIDING if one in faults]
    if len(hiding) > 1 or (bus != "ata" and set(hiding) - {"hides"}):
        raise Refused(
            message("A drive hides sectors in one way; {name} is of ATA drives.", name=hiding[-1])
        )
    zone = faults.get("zones")
    fits = zone is None or (zone > 0 and not zone % 4096 and not size % zone)
    if not fits or (zone and set(faults) & set(firmware.HIDING)):
        raise Refused(message("Zones are a multiple of 4096 bytes, and the drive one of them."))
    for name in (*firmware.HIDING, "aliases"):
        value = faults.get(name)
        if value is not None and (not 0 < value < size or value % SECTOR):
            raise Refused(
                message(
                    "{name} must be a multiple of 512 between 0 and the drive's size.", name=name
                )
            )
    if (faults.get("bad-sectors") or 0) > min(_MOST_BAD, size // SECTOR):
        raise Refused(message("So many bad sectors cannot be modelled."))
    if (faults.get("slow") or 0) > _SLOWEST:
        raise Refused(message("A sector takes {most} milliseconds at most.", most=_SLOWEST))
    if not 0 <= (faults.get("stuck") or 0) < 100:
        raise Refused(message("It is stuck at some per cent from 0 to 99."))
    if any(p.exists() for p in (path, surface(path), _state(path))):
        raise Refused(
            message("{path} exists already; choose another name or remove it.", path=str(path))
        )


def _lay(path: Path, identity: Identity, content: Source | None) -> None:
    with surface(path).open("xb") as file:
        file.truncate(identity.capacity)
        at = 0
        while content is not None and at < content.size:
            data = content.read(Extent(at, min(_STEP, content.size - at)))
            if data.count(0) != len(data):
                _wrapped(file.fileno(), at, memoryview(data), identity.capacity)
            at += len(data)
    with _state(path).open("xb") as file:
        file.truncate(mmap.PAGESIZE)
    if identity.zone:
        ends = range(identity.zone, identity.addressable + 1, identity.zone)
        _pointers(path).write_bytes(b"".join(struct.pack("<Q", end) for end in ends))
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "serial": identity.serial,
        "wwn": identity.wwn,
        "bus": identity.bus,
        "size": identity.size,
        "faults": dict(identity.faults),
        "bad": list(identity.bad),
    }
    with path.open("x", encoding="utf-8") as text:
        json.dump(plain, text, indent=1)


def _wrapped(fd: int, at: int, data: memoryview, capacity: int) -> None:
    """Writes where the surface really has room: addresses beyond its capacity wrap around."""
    done = 0
    while done < len(data):
        where = (at + done) % capacity
        done += os.pwrite(fd, data[done : done + capacity - where], where)


def remove(path: Path) -> None:
    """Removes a virtual drive and everything that belongs to it."""
    for part in (path, surface(path), _state(path), _memory(path), _pointers(path)):
        part.unlink(missing_ok=True)
    shutil.rmtree(_cache(path), ignore_errors=True)


def load(path: Path) -> Identity:
    """Reads an identity file; refuses one that is missing or not ours."""
    try:
        with path.open("rb") as file:
            identity = _identity(json.loads(file.read(16 << 20)))
        check_faults(identity.faults)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Refused(
            message(
                "{path} is no simulated drive; make one with `hakushi simulate new`.",
                path=str(path),
            )
        ) from None
    return identity


def _identity(plain: Any) -> Identity:
    if plain["schema"] != SCHEMA:
        raise ValueError("another schema")
    identity = Identity(
        str(plain["serial"]),
        str(plain["wwn"]),
        str(plain["bus"]),
        int(plain["size"]),
        {str(k): None if v is None else int(v) for k, v in plain["faults"].items()},
        tuple(sorted(int(x) for x in plain["bad"])),
    )
    if not 0 < identity.addressable <= identity.size <= _LARGEST or identity.capacity <= 0:
        raise ValueError("sizes that cannot be")
    return identity


class _State:
    """Counters shared by every process that has the drive open, in one mapped page."""

    FIELDS = ("written", "cycles", "identified", "dead", "blank", "cached")

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def get(self, name: str) -> int:
        at = 8 * self.FIELDS.index(name)
        return int(struct.unpack_from("<Q", self._map, at)[0])

    def put(self, name: str, value: int) -> None:
        struct.pack_into("<Q", self._map, 8 * self.FIELDS.index(name), value)


class Simulated:
    """An opened virtual drive: a Source, and, where `claim` opened it, a Device.

    As a Source it keeps that protocol's laws between two writes; a drive that lies may give other
    bytes after a power cycle: this is what it is for.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self._fd = -1
        self.path = path
        self.identity = load(path)
        self.size = self.identity.addressable
        if firmware.load(_memory(path)).opened:
            self.size = self.identity.size
        self.locator = Locator.root("drive", self.identity.serial)
        self.unit = SECTOR
        self.direct = True
        self._lock = threading.Lock()
        try:
            self._state = _State(_state(path))
            self._fd = os.open(
                surface(path), (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
            )
            if writable:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (OSError, ValueError) as error:
            self.close()
            raise Refused(
                message("{path} cannot be opened: {why}.", path=str(path), why=str(error))
            ) from None

    # --- what it says of itself ---------------------------------------------------------

    def identify(self) -> Drive:
        """What the drive answers when asked who it is, this time."""
        self._state.put("identified", self._state.get("identified") + 1)
        serial = printable(self.identity.serial)
        if self._swapped():
            serial += "-SWAPPED"
        drive = Drive(
            path=f"{PREFIX}{self.path}",
            serial=serial,
            size=self.size,
            model=f"Hakushi simulated {self.identity.bus.upper()}",
            wwn=printable(self.identity.wwn),
            firmware="1",
            transport=self.identity.bus,
            native_size=self.identity.size,
            rotational=False,
            zoned="host-managed" if self.identity.zone else "",
            said_by=(("identity", "the simulated drive itself"),),
        )
        return asked(drive, self.commands())

    def _swapped(self) -> bool:
        """Whether it is another drive's turn to answer."""
        faults = self.identity.faults
        after = faults.get("swaps-identity")
        if after is not None:
            return self._state.get("written") > after
        return "swaps-identity" in faults and self._state.get("identified") % 2 == 0

    # --- reading ------------------------------------------------------------------------

    def read(self, extent: Extent) -> bytes:
        length = max(0, min(extent.end, self.size) - extent.offset)
        data = bytearray(length)
        self.into(extent.offset, memoryview(data))
        return bytes(data)

    def into(self, at: int, view: memoryview) -> None:
        """Fills the view with the bytes from ``at`` on; raises `Unreadable`."""
        extent = Extent(at, len(view))
        if self._state.get("dead") or self._locked():
            raise Unreadable(extent, os.strerror(errno.EIO))
        if self._bad(extent):
            raise Unreadable(extent, os.strerror(errno.EIO))
        slow = self.identity.faults.get("slow")
        if slow and extent.offset <= self.size // 2 < extent.end:
            time.sleep(slow / 1000)
        if self._state.get("blank"):
            view[:] = bytes(len(view))
            return
        done, capacity = 0, self.identity.capacity
        while done < len(view):
            where = (at + done) % capacity
            got = os.preadv(self._fd, [view[done : done + capacity - where]], where)
            if not got:
                raise Unreadable(extent, "the surface ended early")
            done += got
        if self._state.get("cached"):
            self._overlay(extent, view)
        for zone in self.zones():
            # Beyond its pointer a zone reads as zeros, whatever still lies there.
            low, high = max(zone.pointer, extent.offset), min(zone.end, extent.end)
            if low < high:
                view[low - at : high - at] = bytes(high - low)

    def _locked(self) -> bool:
        """By its Opal password, which only a revert takes away."""
        if "opal-locked" not in self.identity.faults:
            return False
        opal = firmware.load(_memory(self.path)).opal
        return opal is None or opal.locked

    def _bad(self, extent: Extent) -> bool:
        bad = self.identity.bad
        i = bisect_left(bad, extent.offset // SECTOR)
        return i < len(bad) and bad[i] * SECTOR < extent.end

    # --- writing ------------------------------------------------------------------------

    def write(self, at: int, data: memoryview) -> None:
        """Takes a write as the drive would; raises OSError where the drive says so."""
        extent = Extent(at, len(data))
        with self._lock:
            beyond = extent.end > self.size
            gone = self._state.get("dead") or self._locked()
            if gone or self._bad(extent) or beyond or not self._in_order(extent):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            taken = self._taken(len(data))
            self._state.put("written", self._state.get("written") + len(data))
            self._store(at, data[:taken])
            if taken < len(data) and "dies-after" in self.identity.faults:
                self._state.put("dead", 1)
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    # --- zones ----------------------------------------------------------------------------

    def zones(self) -> tuple[Zone, ...]:
        size = self.identity.zone
        if not size:
            return ()
        held = _pointers(self.path).read_bytes()
        return tuple(
            Zone(n * size, size, size, pointer, ordered=True)
            for n, (pointer,) in enumerate(struct.iter_unpack("<Q", held))
        )

    def reset_zone(self, zone: Zone) -> None:
        if self._state.get("dead") or self._locked():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._point(zone.start // zone.length, zone.start)

    def _in_order(self, extent: Extent) -> bool:
        """Whether its zone takes a write there; moves the pointer where it does."""
        size = self.identity.zone
        if not size:
            return True
        number = extent.offset // size
        if self.zones()[number].pointer != extent.offset or extent.end > (number + 1) * size:
            return False
        self._point(number, extent.end)
        return True

    def _point(self, number: int, to: int) -> None:
        with _pointers(self.path).open("r+b") as file:
            file.seek(8 * number)
            file.write(struct.pack("<Q", to))

    def _taken(self, length: int) -> int:
        """How many bytes of a write reach the surface."""
        faults, written = self.identity.faults, self._state.get("written")
        if "drops-writes" in faults or "says-success" in faults:
            return 0
        if "zeros-until-power-cycle" in faults:
            self._state.put("blank", 1)
            return 0
        for name in ("drops-writes-after", "dies-after"):
            after = faults.get(name)
            if after is not None:
                length = max(0, min(length, after - written))
        return length

    def _store(self, at: int, view: memoryview) -> None:
        if "loses-cache" in self.identity.faults and len(view):
            self._hold(at, view)
        else:
            _wrapped(self._fd, at, view, self.identity.capacity)

    def flush(self) -> None:
        """The drive's flush command."""
        if self._state.get("dead"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(self._fd)

    # --- a write cache that lies: one file a write, the oldest reach the surface ---------

    def _held(self) -> list[tuple[Path, int, int]]:
        """(file, offset, length) of each write in the cache, oldest first."""
        folder = _cache(self.path)
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return [(p, int(p.name.split("-")[1]), p.stat().st_size) for p in files]

    def _hold(self, at: int, view: memoryview) -> None:
        folder = _cache(self.path)
        folder.mkdir(exist_ok=True)
        number = self._state.get("cached") + 1
        (folder / f"{number:012d}-{at}").write_bytes(view)
        self._state.put("cached", number)
        held = self._held()
        spare = sum(length for _, _, length in held) - CACHE
        for path, offset, length in held:
            if spare <= 0:
                break
            _wrapped(self._fd, offset, memoryview(path.read_bytes()), self.identity.capacity)
            path.unlink()
            spare -= length

    def _overlay(self, extent: Extent, view: memoryview) -> None:
        for path, offset, length in self._held():
            low, high = max(offset, extent.offset), min(offset + length, extent.end)
            if low < high:
                with path.open("rb") as file:
                    file.seek(low - offset)
                    view[low - extent.offset : high - extent.offset] = file.read(high - low)

    # --- its firmware ---------------------------------------------------------------------

    def commands(self) -> firmware.Firmware:
        """A way to send it commands."""
        return firmware.Firmware(_Insides(self), self.identity.bus, _memory(self.path))

    def rescan(self) -> int:
        """Its size as it is now, after a command that may have changed it."""
        opened = firmware.load(_memory(self.path)).opened
        self.size = self.identity.size if opened else self.identity.addressable
        return self.size

    # --- power and handles --------------------------------------------------------------

    def power_cycle(self) -> bool:
        """Takes the power away and gives it back: what was only in a cache is gone."""
        with self._lock:
            shutil.rmtree(_cache(self.path), ignore_errors=True)
            self._state.put("cached", 0)
            self._state.put("blank", 0)
            self._state.put("cycles", self._state.get("cycles") + 1)
        return True

    def reopen(self) -> Simulated:
        """A fresh handle for reading, which shares nothing with this one."""
        return Simulated(self.path)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


class _Insides:
    """The drive as its firmware knows it."""

    def __init__(self, drive: Simulated) -> None:
        self._drive = drive
        self.serial, self.wwn = drive.identity.serial, drive.identity.wwn
        self.size, self.native = drive.size, drive.identity.size
        self.faults = drive.identity.faults
        self.dead = bool(drive._state.get("dead"))

    def lay(self, at: int, data: bytes) -> None:
        if "zeros-until-power-cycle" in self.faults:
            self._drive._state.put("blank", 1)
            return
        with surface(self._drive.path).open("r+b", buffering=0) as file:
            _wrapped(file.fileno(), at, memoryview(data), self._drive.identity.capacity)

    def unhide(self) -> None:
        """The firmware remembers it."""


def open_source(path: Path) -> Simulated:
    """The readable side of the virtual drive at ``path``."""
    return Simulated(path)

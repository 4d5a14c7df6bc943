"""The firmware of virtual drives: ATA, SCSI and NVMe at the level of commands, honest or not.

State outlives a process in ``PATH.firmware`` (JSON). A sanitize operation takes a few questions
about its state rather than time.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

from hakushi.media import ata, nvme, scsi, tcg, tper
from hakushi.media.commands import Ata, AtaReply, Nvme, NvmeReply, Scsi, ScsiReply
from hakushi.model import SECTOR

_STEP = 30
"""Per cent that an operation gets on between two questions."""
_ABORTED = AtaReply(0x51, 0x04)
_READY = 0x50
_ILLEGAL = ScsiReply(2, bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0]))
_CHUNK = 4 << 20
_FAILING = 100
"""Bad sectors from which on it says that it will fail."""

HIDING = ("hides", "hides-ama", "hides-dco")
"""The faults that hide sectors, each behind commands of its own."""

_LOG_PAGES = {
    0x2F: bytes([0x2F, 0, 0, 8, 0, 0, 0x03, 4, 0, 0, 31, 0]),
    0x0D: bytes([0x0D, 0, 0, 6, 0, 0, 0x03, 2, 0, 31]),
}


class Drive(Protocol):
    """What the firmware works on: the virtual drive's own insides."""

    @property
    def serial(self) -> str: ...

    @property
    def wwn(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def native(self) -> int: ...

    @property
    def faults(self) -> Mapping[str, int | None]: ...

    @property
    def dead(self) -> bool: ...

    def lay(self, at: int, data: bytes) -> None:
        """Writes to the surface as the firmware can: past caches, hidden areas too."""

    def unhide(self) -> None:
        """Makes everything that is native addressable."""


@dataclass(slots=True)
class State:
    """What the firmware remembers."""

    running: str = ""
    progress: int = 0
    done: bool = False
    failed: bool = False
    password: str = ""
    locked: bool = False
    prepared: bool = False
    opened: bool = False
    """A native maximum was set: the hidden area is addressable."""
    opal: tper.Memory | None = None
    """Its security half; None: as it came out of the box, and of the faults."""


def load(path: Path) -> State:
    try:
        told = json.loads(path.read_bytes()[:65536])
    except FileNotFoundError:
        return State()
    except ValueError:
        raise OSError(errno.EIO, "the virtual drive's firmware state is torn") from None
    known = {one.name for one in fields(State)}
    state = State(**{name: value for name, value in told.items() if name in known})
    if told.get("opal"):
        state.opal = tper.Memory(**told["opal"])
    return state


def keep(path: Path, state: State) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class Firmware:
    """One virtual drive's command set; a `Transport`."""

    def __init__(self, drive: Drive, bus: str, path: Path) -> None:
        self._drive, self._bus, self._path = drive, bus, path

    def pause(self, seconds: float) -> None:
        """Time does not pass here: an operation gets on when it is asked about."""

    # --- ATA --------------------------------------------------------------------------------

    def ata(self, command: Ata) -> AtaReply:
        self._alive("ata")
        state = load(self._path)
        match command.command:
            case 0xEC:
                return AtaReply(_READY, data=self._identify(state))
            case 0x27 | 0x37 | 0x78 | 0xB1:
                return self._maximum(state, command)
            case 0xB0:
                return self._smart(command)
            case 0x5C:
                return AtaReply(_READY, data=self._told(state, command.lba >> 8))
            case 0x5E:
                self._tell(state, command.data)
                return AtaReply(_READY)
            case 0xB4:
                return self._ata_sanitize(state, command)
            case 0xF1 | 0xF2 | 0xF3 | 0xF4 | 0xF6:
                return self._security(state, command)
        return _ABORTED

    def _identify(self, state: State) -> bytes:
        words = [0] * 256
        sectors = self._drive.size // SECTOR
        _put(words, 10, self._drive.serial, 20)
        _put(words, 23, "1", 8)
        _put(words, 27, "Hakushi simulated ATA", 40)
        hides = self._hides()
        words[48], words[59] = 1 << 14 | 1, 0xF000
        words[49], words[53], words[80] = 0x0F00, 6, 0x07F0
        words[82] = 1 | 1 << 1 | (1 << 10 if hides != "hides-ama" else 0)
        words[83] = 1 << 14 | 1 << 10 | (1 << 11 if hides == "hides-dco" else 0)
        words[85] = 1
        words[119] = 1 << 14 | (1 << 8 if hides == "hides-ama" else 0)
        words[87] = 1 << 8
        words[60], words[61] = min(sectors, 0xFFFFFFF) & 0xFFFF, min(sectors, 0xFFFFFFF) >> 16
        words[100:104] = struct.unpack("<4H", struct.pack("<Q", sectors))
        words[108:112] = struct.unpack(">4H", bytes.fromhex(self._drive.wwn.rjust(16, "0")[:16]))
        words[128] = (
            1 | 1 << 5 | bool(state.password) << 1 | state.locked << 2 | self._frozen() << 3
        )
        words[217] = 1
        data = bytearray(struct.pack("<256H", *words))
        data[510] = 0xA5
        data[511] = -sum(data) % 256
        return bytes(data)

    def _frozen(self) -> bool:
        return "frozen" in self._drive.faults

    def _closed(self, state: State) -> bool:
        """Whether it refuses what erases: frozen, or locked by its Opal password."""
        return self._frozen() or self._tper(state).memory.locked

    def _hides(self) -> str:
        """In which way it hides sectors; a host protected area where it is not said."""
        return next((one for one in HIDING if one in self._drive.faults), HIDING[0])

    def _maximum(self, state: State, command: Ata) -> AtaReply:
        """The commands of the host protected area, of the accessible maximum, of the overlay."""
        last, hides = self._drive.native // SECTOR - 1, self._hides()
        match command.command, command.feature:
            case 0x27, _ if hides == "hides-ama":
                return _ABORTED
            case 0x27, _:
                below = hides == "hides-dco" and not state.opened
                return AtaReply(_READY, lba=self._drive.size // SECTOR - 1 if below else last)
            case 0x78, 0 if hides == "hides-ama":
                return AtaReply(_READY, lba=last)
            case 0xB1, 0xC2 if hides == "hides-dco":
                return AtaReply(_READY, data=_overlay(last))
        sets = {"hides": (0x37, 0), "hides-ama": (0x78, 1), "hides-dco": (0xB1, 0xC3)}[hides]
        whole = command.lba == last or hides == "hides-dco"
        if (command.command, command.feature) != sets or not whole:
            return _ABORTED
        if not self._lies():
            self._drive.unhide()
            state.opened = True
            keep(self._path, state)
        return AtaReply(_READY)

    def _smart(self, command: Ata) -> AtaReply:
        bad = self._drive.faults.get("bad-sectors") or 0
        if command.feature == 0xDA:
            return AtaReply(_READY, lba=(0x2CF4 if bad >= _FAILING else 0xC24F) << 8)
        if command.feature != 0xD0:
            return _ABORTED
        data = bytearray(512)
        facts = ((5, 0), (9, 12345), (12, 321), (194, 31), (197, bad), (198, bad))
        for number, (attribute, raw) in enumerate(facts):
            at = 2 + 12 * number
            data[at : at + 5] = bytes([attribute, 0, 0, 100, 100])
            data[at + 5 : at + 11] = raw.to_bytes(6, "little")
        data[511] = -sum(data) % 256
        return AtaReply(_READY, data=bytes(data))

    def _ata_sanitize(self, state: State, command: Ata) -> AtaReply:
        if command.feature == ata.Sanitize.STATUS:
            self._advance(state)
            bits = state.done << 15 | bool(state.running) << 14 | self._frozen() << 13
            return AtaReply(_READY, count=bits, lba=state.progress * 65535 // 100)
        wanted = {one: ata.sanitize(one).lba for one in ata.Sanitize}
        what = next((one for one in ata.Sanitize if one == command.feature), None)
        if what is None or command.lba != wanted[what] or self._closed(state) or state.locked:
            return _ABORTED
        self._begin(state, what.name)
        return AtaReply(_READY, count=1 << 14)

    def _security(self, state: State, command: Ata) -> AtaReply:
        if self._closed(state):
            return _ABORTED
        given = command.data[2:34].hex()
        match command.command:
            case 0xF1:
                state.password = given
            case 0xF3:
                state.prepared = True
            case _ if given != state.password:
                return _ABORTED
            case 0xF2:
                state.locked = False
            case 0xF6:
                state.password, state.locked = "", False
            case 0xF4:
                if not state.prepared:
                    return _ABORTED
                self._erase("BLOCK")
                state = State(opened=state.opened, opal=state.opal)
        keep(self._path, state)
        return AtaReply(_READY)

    # --- SCSI -------------------------------------------------------------------------------

    def scsi(self, command: Scsi) -> ScsiReply:
        self._alive("scsi")
        state = load(self._path)
        cdb = command.cdb
        match cdb[0]:
            case 0x48:
                return self._scsi_sanitize(state, cdb[1] & 0x1F)
            case 0x03:
                self._advance(state)
                return ScsiReply(0, data=_sense(state))
            case 0x00:
                busy = state.running or state.failed
                return ScsiReply(2, _sense(state)) if busy else ScsiReply(0)
            case 0xA2:
                return ScsiReply(0, data=self._told(state, cdb[2] << 8 | cdb[3]))
            case 0xB5:
                self._tell(state, command.data)
                return ScsiReply(0)
        return self._scsi_facts(cdb)

    def _scsi_sanitize(self, state: State, action: int) -> ScsiReply:
        what = next((one for one in scsi.Sanitize if one == action), None)
        if what is None or self._closed(state):
            return _ILLEGAL
        self._begin(state, what.name)
        return ScsiReply(0)

    def _scsi_facts(self, cdb: bytes) -> ScsiReply:
        """What it says of itself."""
        match cdb[0]:
            case 0x12 if cdb[1] & 1:
                serial = self._drive.serial.encode()[:200]
                return ScsiReply(0, data=bytes([0, cdb[2], 0, len(serial)]) + serial)
            case 0x12:
                told = b"HAKUSHI ".ljust(8) + b"simulated SCSI".ljust(16) + b"1   "
                return ScsiReply(0, data=bytes([0, 0, 7, 2, 91, 0, 0, 2]) + told.ljust(88, b"\0"))
            case 0x9E:
                last = self._drive.size // SECTOR - 1
                return ScsiReply(0, data=last.to_bytes(8, "big") + SECTOR.to_bytes(4, "big"))
            case 0xA3:
                one = (bytes([0x48, 0, 0, action, 0, 1, 0, 10]) for action in scsi.Sanitize)
                listed = b"".join(one)
                return ScsiReply(0, data=len(listed).to_bytes(4, "big") + listed)
            case 0x4D:
                return ScsiReply(0, data=_LOG_PAGES.get(cdb[2] & 0x3F, bytes(4)))
            case 0x37:
                bad = self._drive.faults.get("bad-sectors") or 0
                return ScsiReply(0, data=bytes([0, 0x0D]) + (8 * min(bad, 8191)).to_bytes(2, "big"))
        return _ILLEGAL

    # --- NVMe -------------------------------------------------------------------------------

    def nvme(self, command: Nvme) -> NvmeReply:
        self._alive("nvme")
        state = load(self._path)
        match command.opcode:
            case 0x06 if command.cdw10 == 1:
                return NvmeReply(0, data=self._controller())
            case 0x06:
                data = bytearray(4096)
                data[:8] = (self._drive.size // SECTOR).to_bytes(8, "little")
                data[130] = 9
                return NvmeReply(0, data=bytes(data))
            case 0x84:
                what = command.cdw10 & 7
                if what not in set(nvme.Sanitize) or self._closed(state):
                    return NvmeReply(0x002)
                self._begin(state, nvme.Sanitize(what).name)
                return NvmeReply(0)
            case 0x02 if command.cdw10 & 0xFF == 0x81:
                self._advance(state)
                code = 2 if state.running else 3 if state.failed else 1 if state.done else 0
                progress = state.progress * 65535 // 100
                page = progress.to_bytes(2, "little") + bytes([code, 0])
                return NvmeReply(0, data=page.ljust(512, b"\0"))
            case 0x02 if command.cdw10 & 0xFF == 0x02:
                return NvmeReply(0, data=self._health())
            case 0x82:
                return NvmeReply(0, data=self._told(state, command.cdw10 >> 8 & 0xFFFF))
            case 0x81:
                self._tell(state, command.data)
                return NvmeReply(0)
            case 0x80:
                if self._closed(state):
                    return NvmeReply(0x002)
                self._erase("CRYPTO" if command.cdw10 >> 9 & 7 == nvme.Erase.CRYPTO else "BLOCK")
                return NvmeReply(0)
        return NvmeReply(0x001)

    def _health(self) -> bytes:
        bad = self._drive.faults.get("bad-sectors") or 0
        data = bytearray(512)
        data[0] = 4 if bad >= _FAILING else 0
        data[1:3] = (273 + 31).to_bytes(2, "little")
        data[3:6] = bytes([100, 10, 7])
        for at, value in ((112, 321), (128, 12345), (160, bad)):
            data[at : at + 16] = value.to_bytes(16, "little")
        return bytes(data)

    def _controller(self) -> bytes:
        data = bytearray(4096)
        data[4:24] = self._drive.serial.encode()[:20].ljust(20)
        data[24:64] = b"Hakushi simulated NVMe".ljust(40)
        data[64:72] = b"1".ljust(8)
        data[256], data[524] = 2, 4
        data[280:296] = self._drive.native.to_bytes(16, "little")
        data[328] = 7
        return bytes(data)

    # --- its TCG protocol -------------------------------------------------------------------

    def _tper(self, state: State) -> tper.Tper:
        if state.opal is None:
            owned = "opal-locked" in self._drive.faults
            state.opal = tper.owned() if owned else tper.Memory()
        drive = self._drive
        return tper.Tper(state.opal, drive.serial, drive.faults, lambda: self._erase("CRYPTO"))

    def _told(self, state: State, comid: int) -> bytes:
        half = self._tper(state)
        if comid != tper.COMID:
            return half.discovery() if comid == 1 else bytes(tcg.BLOCK)
        answer = half.receive()
        keep(self._path, state)
        return answer

    def _tell(self, state: State, data: bytes) -> None:
        self._tper(state).send(data)
        keep(self._path, state)

    # --- what it does -----------------------------------------------------------------------

    def _alive(self, bus: str) -> None:
        if self._drive.dead:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if bus != self._bus:
            raise OSError(errno.ENOTTY, f"no {bus} drive")

    def _lies(self) -> bool:
        return bool({"drops-writes", "says-success"} & set(self._drive.faults))

    def _begin(self, state: State, what: str) -> None:
        state.running, state.progress, state.done, state.failed = what, 0, False, False
        keep(self._path, state)

    def _advance(self, state: State) -> None:
        """A step further; at the end the surface is what the operation makes of it."""
        if not state.running:
            return
        stuck = self._drive.faults.get("stuck")
        before, state.progress = state.progress, min(100, state.progress + _STEP)
        if stuck is not None and state.progress >= stuck:
            if before == stuck:
                return
            state.progress = stuck
        elif state.progress == 100:
            self._erase(state.running)
            state.running, state.done = "", True
        keep(self._path, state)

    def _erase(self, what: str) -> None:
        """The surface as the operation leaves it; a lie leaves it as it was."""
        faults = self._drive.faults
        if self._lies() or (what == "CRYPTO" and "keeps-key" in faults):
            return
        make: Callable[[int], bytes] = bytes if what != "CRYPTO" else secrets.token_bytes
        limit = self._drive.native
        for name in ("drops-writes-after", "dies-after"):
            if (after := faults.get(name)) is not None:
                limit = min(limit, after)
        for at in range(0, limit, _CHUNK):
            self._drive.lay(at, make(min(_CHUNK, limit - at)))


def _overlay(last: int) -> bytes:
    """DEVICE CONFIGURATION IDENTIFY data: the true maximum, and a sound checksum."""
    data = bytearray(512)
    data[6:14] = last.to_bytes(8, "little")
    data[510] = 0xA5
    data[511] = -sum(data) % 256
    return bytes(data)


def _sense(state: State) -> bytes:
    """Fixed sense data with progress (SPC-5 §4.4.3)."""
    if state.running:
        key, code = 0x2, 0x041B
    elif state.failed:
        key, code = 0x3, 0x3103
    else:
        key, code = 0x0, 0x0000
    told = bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, code >> 8, code & 0xFF, 0])
    if not state.running:
        return told + bytes(3)
    return told + bytes([0x80]) + (state.progress * 65535 // 100).to_bytes(2, "big")


def _put(words: list[int], at: int, text: str, size: int) -> None:
    """A string of IDENTIFY, its bytes swapped in pairs."""
    raw = text.encode("ascii", "replace")[:size].ljust(size)
    for i in range(0, size, 2):
        words[at + i // 2] = raw[i] << 8 | raw[i + 1]

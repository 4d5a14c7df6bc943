"""ATA: what a drive identifies as, and the commands that erase it. Pure (ACS-4, drafts)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from hakushi.media.commands import Ata, AtaReply, exactly
from hakushi.model import Malformed

IDENTIFY = Ata(0xEC, wants=512)
NATIVE_MAX = Ata(0x27)
"""READ NATIVE MAX ADDRESS EXT: the answer's LBA is the last address there is."""
ACCESSIBLE_MAX = Ata(0x78)
"""GET NATIVE MAX ADDRESS EXT (ACS-3 §7.2): where the accessible maximum address can be set."""
CONFIGURATION = Ata(0xB1, feature=0xC2, wants=512)
"""DEVICE CONFIGURATION IDENTIFY: what an overlay (DCO) may hide (ATA/ATAPI-7 §6.18)."""
PASSWORD = b"hakushi".ljust(32, b"\0")
"""Known to everyone: a drive that a crash left locked can be opened again by anyone."""


class Sanitize(IntEnum):
    """SANITIZE DEVICE's subcommands, by their feature (ACS-4 §7.36)."""

    STATUS = 0x00
    CRYPTO = 0x11
    BLOCK = 0x12
    OVERWRITE = 0x14


_KEYS = {
    Sanitize.CRYPTO: 0x43727970,  # "Cryp"
    Sanitize.BLOCK: 0x426B4572,  # "BkEr"
    Sanitize.OVERWRITE: 0x4F57 << 32,  # "OW", and a pattern of zeros
}


@dataclass(frozen=True, slots=True)
class Identity:
    """IDENTIFY DEVICE data, as far as we ask it (ACS-4 §7.13)."""

    serial: str
    model: str
    firmware: str
    wwn: str
    sectors: int
    rotational: bool | None
    sanitize: frozenset[Sanitize]
    security: bool
    enabled: bool
    locked: bool
    frozen: bool
    enhanced: bool
    """ENHANCED SECURITY ERASE is there."""
    overlay: bool
    """A device configuration overlay can be set."""
    accessible: bool
    """The accessible maximum address can be set."""
    smart: bool
    trusted: bool
    """It speaks the TCG's protocols."""
    sound: bool
    """Its checksum holds, or it has none."""


def identity_of(data: bytes) -> Identity:
    """Raises `Malformed` where the answer is short."""
    words = struct.unpack("<256H", exactly(data, 512, "IDENTIFY DEVICE"))
    abilities = words[59]
    found = {
        Sanitize.BLOCK: abilities & 1 << 15,
        Sanitize.OVERWRITE: abilities & 1 << 14,
        Sanitize.CRYPTO: abilities & 1 << 13,
    }
    there = abilities & 1 << 12
    state = words[128]
    wide = words[83] & 1 << 10
    sectors = (
        struct.unpack_from("<Q", data, 200)[0] if wide else struct.unpack_from("<I", data, 120)[0]
    )
    wwn = "".join(f"{word:04x}" for word in words[108:112]) if words[87] & 1 << 8 else ""
    checked = words[255] & 0xFF == 0xA5
    return Identity(
        _text(data[20:40]),
        _text(data[54:94]),
        _text(data[46:54]),
        wwn,
        sectors,
        {1: False, 0: None}.get(words[217], 0x0401 <= words[217] <= 0xFFFE),
        frozenset(one for one, bit in found.items() if bit and there),
        security=bool(state & 1),
        enabled=bool(state & 1 << 1),
        locked=bool(state & 1 << 2),
        frozen=bool(state & 1 << 3),
        enhanced=bool(state & 1 << 5),
        overlay=bool(words[83] & 1 << 11) and words[83] >> 14 == 1,
        accessible=bool(words[119] & 1 << 8) and words[119] >> 14 == 1,
        smart=bool(words[85] & 1),
        trusted=bool(words[48] & 1) and words[48] >> 14 == 1,
        sound=not checked or sum(data[:512]) % 256 == 0,
    )


def overlaid(data: bytes) -> int:
    """Sectors that the drive has without its overlay, out of DEVICE CONFIGURATION IDENTIFY data.

    Raises `Malformed` where the answer is short or its checksum is wrong: tools that took such
    an answer for one invented sizes.
    """
    told = exactly(data, 512, "DEVICE CONFIGURATION IDENTIFY")
    if told[510] != 0xA5 or sum(told) % 256:
        raise Malformed("DEVICE CONFIGURATION IDENTIFY with a wrong checksum")
    return int.from_bytes(told[6:14], "little") + 1


def sanitize(what: Sanitize) -> Ata:
    """Starts an operation, or asks for its state."""
    return Ata(0xB4, feature=what, lba=_KEYS.get(what, 0))


@dataclass(frozen=True, slots=True)
class State:
    """What SANITIZE STATUS EXT said (ACS-4 §7.36.7)."""

    done: bool
    running: bool
    frozen: bool
    progress: float


def state_of(reply: AtaReply) -> State:
    return State(
        done=bool(reply.count & 1 << 15),
        running=bool(reply.count & 1 << 14),
        frozen=bool(reply.count & 1 << 13),
        progress=(reply.lba & 0xFFFF) / 65536,
    )


def set_password() -> Ata:
    """SECURITY SET PASSWORD: the user's, at high level."""
    return Ata(0xF1, data=_security(0))


def erase_prepare() -> Ata:
    return Ata(0xF3)


def erase_unit(*, enhanced: bool) -> Ata:
    """SECURITY ERASE UNIT: answers when it is done, hours later."""
    return Ata(0xF4, data=_security(2 if enhanced else 0))


def unlock() -> Ata:
    return Ata(0xF2, data=_security(0))


def disable_password() -> Ata:
    return Ata(0xF6, data=_security(0))


def _security(control: int) -> bytes:
    return (struct.pack("<H", control) + PASSWORD).ljust(512, b"\0")


def _text(raw: bytes) -> str:
    """A string of IDENTIFY: its bytes are swapped in pairs."""
    from hakushi.media.linux import printable

    return printable(b"".join(raw[i + 1 : i + 2] + raw[i : i + 1] for i in range(0, len(raw), 2)))

"""SCSI: who a drive is, and the commands that erase it. Pure (SPC-5, SBC-4, drafts)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hakushi.media.commands import Scsi, exactly
from hakushi.media.linux import printable

INQUIRY = Scsi(bytes([0x12, 0, 0, 0, 96, 0]), wants=96)
SERIAL = Scsi(bytes([0x12, 1, 0x80, 0, 252, 0]), wants=252)
TEST_UNIT_READY = Scsi(bytes(6))
REQUEST_SENSE = Scsi(bytes([0x03, 0, 0, 0, 252, 0]), wants=252)
CAPACITY = Scsi(bytes([0x9E, 0x10, *bytes(8), 0, 0, 0, 32, 0, 0]), wants=32)
SUPPORTED = Scsi(bytes([0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]), wants=1024)
IN_PROGRESS = (0x2, 0x041B)
"""NOT READY, SANITIZE IN PROGRESS."""


class Sanitize(IntEnum):
    """SANITIZE's service actions (SBC-4 §5.32)."""

    OVERWRITE = 0x01
    BLOCK = 0x02
    CRYPTO = 0x03


@dataclass(frozen=True, slots=True)
class Identity:
    """Standard INQUIRY data and the unit serial number."""

    vendor: str
    model: str
    firmware: str
    serial: str


def identity_of(inquiry: bytes, serial: bytes) -> Identity:
    """Raises `Malformed` where an answer is short."""
    told = exactly(inquiry, 36, "INQUIRY")
    number = exactly(serial, 4, "unit serial number")
    length = int.from_bytes(number[2:4], "big")
    return Identity(
        printable(told[8:16]),
        printable(told[16:32]),
        printable(told[32:36]),
        printable(serial[4 : 4 + length]),
    )


def size_of(capacity: bytes) -> tuple[int, int]:
    """(bytes, logical sector) of READ CAPACITY (16)."""
    told = exactly(capacity, 12, "READ CAPACITY")
    sector = int.from_bytes(told[8:12], "big")
    return (int.from_bytes(told[:8], "big") + 1) * sector, sector


def sanitize(what: Sanitize) -> Scsi:
    """Starts it, and returns at once (IMMED); AUSE is left out, so that a failure shows."""
    data = bytes([0x01, 0, 0, 4, 0, 0, 0, 0]) if what is Sanitize.OVERWRITE else b""
    cdb = bytes([0x48, 0x80 | what, 0, 0, 0, 0, 0, *len(data).to_bytes(2, "big"), 0])
    return Scsi(cdb, data=data)


def supported_of(data: bytes) -> frozenset[Sanitize]:
    """Which SANITIZE actions REPORT SUPPORTED OPERATION CODES lists (SPC-5 §6.35)."""
    length = int.from_bytes(exactly(data, 4, "REPORT SUPPORTED OPERATION CODES")[:4], "big")
    found, at, known = set(), 4, set(Sanitize)
    end = min(len(data), 4 + length)
    while at + 8 <= end:
        action = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] == 0x48 and action in known:
            found.add(Sanitize(action))
        at += 20 if data[at + 5] & 2 else 8
    return frozenset(found)

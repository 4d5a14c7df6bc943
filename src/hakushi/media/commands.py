"""Commands to drives as plain data, and the one way to send them. Pure but for `Transport`.

A reply is what the drive said, never what happened. Clauses: ACS-4, SPC-5, SBC-4, NVMe Base 1.4,
read from drafts and from the kernel's headers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hakushi.model import Malformed

_ERR, _DF = 0x01, 0x20


@dataclass(frozen=True, slots=True)
class Ata:
    """An ATA command: registers of 48 bits; ``wants`` bytes come back, ``data`` goes out."""

    command: int
    feature: int = 0
    count: int = 0
    lba: int = 0
    data: bytes = b""
    wants: int = 0


@dataclass(frozen=True, slots=True)
class AtaReply:
    """The registers after an ATA command, and what was read."""

    status: int
    error: int = 0
    count: int = 0
    lba: int = 0
    data: bytes = b""

    @property
    def ok(self) -> bool:
        """Neither an error nor a device fault (ACS-4 §6.2)."""
        return not self.status & (_ERR | _DF)

    @property
    def said(self) -> str:
        return f"status {self.status:02x}, error {self.error:02x}"


@dataclass(frozen=True, slots=True)
class Scsi:
    """A SCSI command."""

    cdb: bytes
    data: bytes = b""
    wants: int = 0


@dataclass(frozen=True, slots=True)
class ScsiReply:
    """A SCSI status, its sense data, and what was read."""

    status: int
    sense: bytes = b""
    data: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def said(self) -> str:
        key, code = sense_of(self.sense)
        return f"status {self.status:02x}, sense {key:x}/{code:04x}"


@dataclass(frozen=True, slots=True)
class Nvme:
    """An NVMe admin command; ``cdw10`` and on are its dwords."""

    opcode: int
    nsid: int = 0
    cdw10: int = 0
    cdw11: int = 0
    data: bytes = b""
    wants: int = 0


@dataclass(frozen=True, slots=True)
class NvmeReply:
    """An NVMe status (type << 8 | code), dword 0, and what was read."""

    status: int
    result: int = 0
    data: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def said(self) -> str:
        return f"status {self.status:04x}"


class Transport(Protocol):
    """Sends commands to one drive. Raises OSError where it does not come to an answer.

    ``pause`` waits between two questions for a state; a virtual drive need not.
    """

    def ata(self, command: Ata) -> AtaReply: ...

    def scsi(self, command: Scsi) -> ScsiReply: ...

    def nvme(self, command: Nvme) -> NvmeReply: ...

    def pause(self, seconds: float) -> None: ...


@dataclass(slots=True)
class Recorded:
    """A transport that keeps what was sent and said, bounded, as evidence."""

    inner: Transport
    lines: list[str] = field(default_factory=list)
    most: int = 400

    def ata(self, command: Ata) -> AtaReply:
        reply = self.inner.ata(command)
        what = (
            f"ATA {command.command:02x} feature {command.feature:04x} count {command.count:04x}"
            f" lba {command.lba:012x}"
        )
        self._keep(f"{what}: {reply.said}, count {reply.count:04x}, lba {reply.lba:012x}")
        return reply

    def scsi(self, command: Scsi) -> ScsiReply:
        reply = self.inner.scsi(command)
        self._keep(f"SCSI {command.cdb.hex()}: {reply.said}")
        return reply

    def nvme(self, command: Nvme) -> NvmeReply:
        reply = self.inner.nvme(command)
        what = f"NVMe {command.opcode:02x} nsid {command.nsid:x} {command.cdw10:08x}"
        self._keep(f"{what} {command.cdw11:08x}: {reply.said} {reply.data[:8].hex()}")
        return reply

    def pause(self, seconds: float) -> None:
        self.inner.pause(seconds)

    def _keep(self, line: str) -> None:
        """The first and the last matter; a long wait in between says the same over and over."""
        if len(self.lines) >= self.most:
            del self.lines[self.most // 2]
        self.lines.append(line)


def sense_of(sense: bytes) -> tuple[int, int]:
    """(key, ASC << 8 | ASCQ) of fixed or descriptor sense data (SPC-5 §4.4); zeros where none."""
    if len(sense) < 4:
        return 0, 0
    kind = sense[0] & 0x7F
    if kind in {0x72, 0x73}:
        return sense[1] & 0x0F, sense[2] << 8 | sense[3]
    if kind in {0x70, 0x71} and len(sense) >= 14:
        return sense[2] & 0x0F, sense[12] << 8 | sense[13]
    return 0, 0


def progress_of(sense: bytes) -> float | None:
    """How far a long command is (sense-key specific progress, SPC-5 §4.4.2.4.4); None: unsaid."""
    if len(sense) >= 18 and sense[0] & 0x7F in {0x70, 0x71} and sense[15] & 0x80:
        return int.from_bytes(sense[16:18], "big") / 65536
    return None


def exactly(data: bytes, size: int, what: str) -> bytes:
    """That many bytes, else `Malformed`: drives answer short."""
    if len(data) < size:
        raise Malformed(f"{what}: {len(data)} of {size} bytes")
    return data[:size]

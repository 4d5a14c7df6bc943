"""Self-encrypting drives: level 0 discovery, and the way to their TCG protocol (Core 2.01 §3.3).

Discovery tells which protocol a drive speaks and whether its locking is on. `Channel` carries
packets; which of them change a drive is decided in `hakushi.sanitize`.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from hakushi.media import tcg
from hakushi.media.commands import (
    Ata,
    AtaReply,
    Nvme,
    NvmeReply,
    Scsi,
    ScsiReply,
    Transport,
)
from hakushi.media.health import Facts
from hakushi.model import Malformed

_PROTOCOL, _LEVEL_0 = 0x01, 0x0001
_SIZE = tcg.MOST

_LOCKING, _BLOCK_SID = 0x0002, 0x0402
_SUBSYSTEMS = {
    0x0100: "Enterprise",
    0x0200: "Opal 1",
    0x0203: "Opal 2",
    0x0301: "Opalite",
    0x0302: "Pyrite 1",
    0x0303: "Pyrite 2",
    0x0304: "Ruby",
    0x0305: "Key per I/O",
}
_WITH_COMID = frozenset({0x0100, 0x0200, 0x0203, 0x0301, 0x0302, 0x0303, 0x0304})
_BITS = ("supported", "enabled", "locked", "encrypts", "shadow_mbr", "shadow_mbr_done")


def discovered(data: bytes) -> Facts:
    """What level 0 discovery says; empty where the drive speaks none. Raises `Malformed`."""
    if len(data) < 48:
        raise Malformed(f"level 0 discovery: {len(data)} of 48 bytes")
    length = int.from_bytes(data[:4], "big") + 4
    if length < 48 or int.from_bytes(data[4:8], "big") >> 16 > 1:
        return ()
    out: dict[str, int | str] = {}
    names: list[str] = []
    at, end = 48, min(length, len(data))
    while at + 4 <= end:
        code, size = int.from_bytes(data[at : at + 2], "big"), data[at + 3]
        if code == _LOCKING and size >= 1 and at + 5 <= end:
            flags = data[at + 4]
            out |= {f"locking_{name}": flags >> bit & 1 for bit, name in enumerate(_BITS)}
        if code == _BLOCK_SID and size >= 1 and at + 5 <= end:
            out |= {"sid_changed": data[at + 4] & 1, "sid_blocked": data[at + 4] >> 1 & 1}
        if code in _SUBSYSTEMS:
            names.append(_SUBSYSTEMS[code])
        if code in _WITH_COMID and size >= 2 and at + 6 <= end:
            out.setdefault("comid", int.from_bytes(data[at + 4 : at + 6], "big"))
        at += 4 + size
    if names:
        out["protocol"] = ", ".join(names)
    return tuple(sorted(out.items()))


@dataclass(frozen=True, slots=True)
class Channel:
    """The way to one drive's TCG protocol: IF-SEND and IF-RECV of its bus.

    USB bridges that pass ATA on are asked as ATA drives.
    """

    transport: Transport
    bus: str

    def receive(self, comid: int = _LEVEL_0) -> bytes:
        """What the drive has for this ComID. Raises OSError, also where it refuses."""
        reply: AtaReply | NvmeReply | ScsiReply
        if self.bus == "nvme":
            word = _PROTOCOL << 24 | comid << 8
            reply = self.transport.nvme(Nvme(0x82, cdw10=word, cdw11=_SIZE, wants=_SIZE))
        elif self.bus == "scsi":
            reply = self.transport.scsi(Scsi(_cdb(0xA2, comid, _SIZE), wants=_SIZE))
        else:
            count = _SIZE // tcg.BLOCK
            asking = Ata(0x5C, feature=_PROTOCOL, count=count, lba=comid << 8, wants=_SIZE)
            reply = self.transport.ata(asking)
        if not reply.ok:
            raise OSError(errno.EIO, f"TCG receive: {reply.said}")
        return reply.data

    def send(self, comid: int, data: bytes) -> None:
        """Sends whole blocks. Raises OSError, also where the drive refuses."""
        reply: AtaReply | NvmeReply | ScsiReply
        if self.bus == "nvme":
            word = _PROTOCOL << 24 | comid << 8
            reply = self.transport.nvme(Nvme(0x81, cdw10=word, cdw11=len(data), data=data))
        elif self.bus == "scsi":
            reply = self.transport.scsi(Scsi(_cdb(0xB5, comid, len(data)), data=data))
        else:
            count = len(data) // tcg.BLOCK
            reply = self.transport.ata(
                Ata(0x5E, feature=_PROTOCOL, count=count, lba=comid << 8, data=data)
            )
        if not reply.ok:
            raise OSError(errno.EIO, f"TCG send: {reply.said}")


def _cdb(code: int, comid: int, size: int) -> bytes:
    """SECURITY PROTOCOL IN and OUT (SPC-5 §6.40), lengths in bytes."""
    return bytes([code, _PROTOCOL, *comid.to_bytes(2, "big"), 0, 0, *size.to_bytes(4, "big"), 0, 0])

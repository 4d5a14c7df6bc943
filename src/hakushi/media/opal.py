"""Self-encrypting drives: level 0 discovery of the TCG's protocols. Pure (TCG Storage Core 2.01).

It tells which protocol a drive speaks and whether its locking is on. Nothing here unlocks, reverts
or writes anything.
"""

from __future__ import annotations

from hakushi.media.commands import Ata, Nvme, Scsi
from hakushi.media.health import Facts
from hakushi.model import Malformed

_SIZE = 2048
_PROTOCOL, _LEVEL_0 = 0x01, 0x0001

ATA = Ata(0x5C, feature=_PROTOCOL, count=_SIZE // 512, lba=_LEVEL_0 << 8, wants=_SIZE)
"""TRUSTED RECEIVE."""
SCSI = Scsi(bytes([0xA2, _PROTOCOL, 0, _LEVEL_0, 0, 0, 0, 0, 8, 0, 0, 0]), wants=_SIZE)
"""SECURITY PROTOCOL IN."""
NVME = Nvme(0x82, cdw10=_PROTOCOL << 24 | _LEVEL_0 << 8, cdw11=_SIZE, wants=_SIZE)
"""Security Receive."""

_LOCKING = 0x0002
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
        if code in _SUBSYSTEMS:
            names.append(_SUBSYSTEMS[code])
        at += 4 + size
    if names:
        out["protocol"] = ", ".join(names)
    return tuple(sorted(out.items()))

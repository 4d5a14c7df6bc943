"""What a drive says of its health: SMART attributes, NVMe's and SCSI's log pages. Pure.

Values are the drive's own word, as everything else that it says. Clauses: ACS-3 §7.48 (SMART, whose
attribute table is the custom of all makers, not a standard), NVMe Base 1.4 §5.14.1.2, SPC-5 §7.3,
SBC-4 §5.24.
"""

from __future__ import annotations

from hakushi.media.commands import Ata, AtaReply, Nvme, Scsi, exactly
from hakushi.model import Malformed

_KEY = 0xC24F00
SMART_DATA = Ata(0xB0, feature=0xD0, lba=_KEY, count=1, wants=512)
SMART_STATUS = Ata(0xB0, feature=0xDA, lba=_KEY)
NVME_LOG = Nvme(0x02, nsid=0xFFFFFFFF, cdw10=0x02 | 127 << 16, wants=512)
EXCEPTIONS = Scsi(bytes([0x4D, 0, 0x40 | 0x2F, 0, 0, 0, 0, 1, 0, 0]), wants=256)
TEMPERATURE = Scsi(bytes([0x4D, 0, 0x40 | 0x0D, 0, 0, 0, 0, 1, 0, 0]), wants=256)
GROWN = Scsi(bytes([0x37, 0, 0x0D, 0, 0, 0, 0, 0, 8, 0]), wants=8)
"""READ DEFECT DATA (10): how long the grown list is."""

Facts = tuple[tuple[str, int | str], ...]
"""(name, value) pairs; a name that is missing was not said."""

_ATTRIBUTES = {
    5: "reallocated_sectors",
    9: "power_on_hours",
    12: "power_cycles",
    187: "reported_uncorrectable",
    194: "temperature_c",
    196: "reallocation_events",
    197: "pending_sectors",
    198: "offline_uncorrectable",
    199: "interface_errors",
}
_WEAR = (233, 231, 177, 173, 169)
"""Attributes whose normalised value is the life left of flash, by the makers that have them."""

_LOW = {9: 0xFFFFFFFF, 190: 0xFF, 194: 0xFF}
"""Raw values that makers pack more into: their low bytes are what the name says."""


def ata(data: bytes, status: AtaReply | None) -> Facts:
    """SMART data, and what SMART RETURN STATUS said. Raises `Malformed`."""
    told = exactly(data, 512, "SMART data")
    if sum(told) % 256:
        raise Malformed("SMART data with a wrong checksum")
    out: dict[str, int | str] = {}
    airflow: int | None = None
    for at in range(2, 362, 12):
        number, value = told[at], told[at + 3]
        raw = int.from_bytes(told[at + 5 : at + 11], "little")
        if number in _LOW:
            raw &= _LOW[number]
        if number == 190:
            airflow = raw
        if number in _ATTRIBUTES:
            out.setdefault(_ATTRIBUTES[number], raw)
        if number in _WEAR and 0 < value <= 100:
            out.setdefault("life_left_percent", value)
    if airflow is not None:
        # The temperature of the air, where a drive does not tell its own.
        out.setdefault("temperature_c", airflow)
    if status is not None and status.ok:
        word = {0xC24F: "passed", 0x2CF4: "failing"}.get(status.lba >> 8 & 0xFFFF)
        if word:
            out["status"] = word
    return tuple(sorted(out.items()))


def nvme(data: bytes) -> Facts:
    """The SMART / Health Information log page. Raises `Malformed`."""
    told = exactly(data, 512, "health log")

    def number(at: int, size: int) -> int:
        return int.from_bytes(told[at : at + size], "little")

    out: dict[str, int | str] = {
        "status": "failing" if told[0] else "passed",
        "critical_warning": told[0],
        "temperature_c": max(0, number(1, 2) - 273),
        "spare_percent": told[3],
        "spare_threshold_percent": told[4],
        "life_left_percent": max(0, 100 - told[5]),
        "power_cycles": number(112, 16),
        "power_on_hours": number(128, 16),
        "unsafe_shutdowns": number(144, 16),
        "media_errors": number(160, 16),
    }
    return tuple(sorted(out.items()))


def scsi(exceptions: bytes, temperature: bytes, grown: bytes) -> Facts:
    """Informational exceptions, temperature, the grown defects; an empty answer says nothing."""
    out: dict[str, int | str] = {}
    for code, value in _parameters(exceptions):
        if code == 0 and len(value) >= 2:
            out["status"] = "failing" if value[0] == 0x5D else "passed"
            if len(value) >= 3 and value[2] != 0xFF:
                out["temperature_c"] = value[2]
    for code, value in _parameters(temperature):
        if code == 0 and len(value) >= 2 and value[1] != 0xFF:
            out["temperature_c"] = value[1]
    if len(grown) >= 4 and grown[1] & 0x08:
        size = {0: 4, 3: 8, 4: 8, 5: 8}.get(grown[1] & 7)
        if size:
            out["reallocated_sectors"] = int.from_bytes(grown[2:4], "big") // size
    return tuple(sorted(out.items()))


def _parameters(page: bytes) -> list[tuple[int, bytes]]:
    """(code, value) of each parameter of a log page (SPC-5 §7.3.2)."""
    out, at = [], 4
    end = min(len(page), 4 + int.from_bytes(page[2:4], "big")) if len(page) >= 4 else 0
    while at + 4 <= end:
        length = page[at + 3]
        out.append((int.from_bytes(page[at : at + 2], "big"), page[at + 4 : at + 4 + length]))
        at += 4 + length
    return out

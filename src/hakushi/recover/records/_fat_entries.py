"""FAT directory entries as they stand in raw bytes (Microsoft's FAT specification, 6 and 7)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from hakushi.recover.records._fat_volume import Entry

ENTRY = 32
_LONG, _VOLUME, _FOLDER = 0x0F, 0x08, 0x10
_FREED = 0xE5
_LARGEST_CLUSTER = 0x0FFFFFF6
_FORBIDDEN = frozenset(b'"*+,/:;<=>?[\\]|\x7f') | frozenset(range(32))
CASES = (0, 0x08, 0x10, 0x18)
"""Which parts of a short name are in small letters."""


@dataclass(frozen=True, slots=True)
class Dots:
    """The two entries that begin a folder: its own first cluster, and its parent's (0: root)."""

    own: int
    parent: int


def dots(data: bytes) -> Dots | None:
    if len(data) < 64 or data[:11] != b".          " or data[32:43] != b"..         ":
        return None
    if not data[11] & data[43] & _FOLDER or data[28:32] != bytes(4) or data[60:64] != bytes(4):
        return None
    own = _cluster(data)
    return Dots(own, _cluster(data[32:64])) if 2 <= own < _LARGEST_CLUSTER else None


def entries(at: int, data: bytes) -> tuple[list[Entry], bool, bool]:
    """The files that a directory's bytes name; whether every entry is as it must be up to an end;
    and whether the end is not among them.
    """
    out: list[Entry] = []
    parts: list[bytes] = []
    for start in range(0, len(data) - ENTRY + 1, ENTRY):
        raw = data[start : start + ENTRY]
        if raw[0] == 0:
            # Behind the end there may be anything of old, which no driver reads.
            return out, True, False
        if raw[11] & 0x3F == _LONG:
            if raw[12] or raw[26] or raw[27] or raw[11] & 0xC0:
                return out, False, False
            parts.append(raw)
            continue
        if not _short_is_sound(raw):
            return out, False, False
        if not raw[11] & _VOLUME and raw[:11].rstrip() not in (b".", b".."):
            out.append(_entry(at + start, raw, parts))
        parts = []
    return out, True, True


def _short_is_sound(raw: bytes) -> bool:
    attributes, case = raw[11], raw[12]
    if attributes & 0xC0 or case not in CASES:
        return False
    name = raw[:11] if raw[0] not in (_FREED, 5) else b"_" + raw[1:11]
    if not _FORBIDDEN.isdisjoint(name) or name[:1] == b" ":
        return False
    if attributes & _FOLDER and raw[28:32] != bytes(4):
        return False
    return _cluster(raw) < _LARGEST_CLUSTER and (_when(raw) is not None or not any(raw[22:26]))


def _cluster(raw: bytes) -> int:
    high, low = struct.unpack_from("<H4xH", raw, 20)
    return int(high << 16 | low)


def _entry(at: int, raw: bytes, parts: list[bytes]) -> Entry:
    live = raw[0] != _FREED
    return Entry(
        at,
        _long(raw, parts, live=live) or _short(raw),
        bool(raw[11] & _FOLDER),
        live,
        _cluster(raw),
        int.from_bytes(raw[28:32], "little"),
        _when(raw),
    )


def _long(raw: bytes, parts: list[bytes], *, live: bool) -> str:
    """The long name in the entries before a short one, if its checksum is theirs."""
    own = [p for p in parts if (p[0] != _FREED) is live][-20:]
    if not own or any(p[13] != own[-1][13] for p in own):
        own = [p for p in own if p[13] == own[-1][13]] if own else []
    if not own or not _sums_to(raw, own[-1][13], live=live):
        return ""
    units = b"".join(p[1:11] + p[14:26] + p[28:32] for p in reversed(own))
    text = units.decode("utf-16-le", "replace").partition("\0")[0]
    return text.replace("/", "_").rstrip("\uffff")


def _sums_to(raw: bytes, wanted: int, *, live: bool) -> bool:
    """The checksum of the short name; a freed one has lost its first letter, so any will do."""
    if live:
        first = 0xE5 if raw[0] == 5 else raw[0]
        return checksum(bytes([first]) + raw[1:11]) == wanted
    return any(
        checksum(bytes([n]) + raw[1:11]) == wanted for n in range(33, 256) if n not in _FORBIDDEN
    )


def checksum(name: bytes) -> int:
    """Of the eleven bytes of a short name (clause 7.2)."""
    total = 0
    for byte in name:
        total = ((total & 1) << 7) + (total >> 1) + byte & 0xFF
    return total


def _short(raw: bytes) -> str:
    first = b"_" if raw[0] == _FREED else b"\xe5" if raw[0] == 5 else raw[:1]
    base = (first + raw[1:8]).decode("cp932", "replace").rstrip()
    suffix = raw[8:11].decode("cp932", "replace").rstrip()
    base = base.lower() if raw[12] & 8 else base
    suffix = suffix.lower() if raw[12] & 16 else suffix
    return (f"{base}.{suffix}" if suffix else base).replace("/", "_") or "_"


def _when(raw: bytes) -> int | None:
    """Local time of whoever wrote it, taken as UTC: the medium does not say where that was."""
    time, date = struct.unpack_from("<HH", raw, 22)
    try:
        when = datetime(
            1980 + (date >> 9),
            date >> 5 & 15,
            date & 31,
            time >> 11,
            time >> 5 & 63,
            (time & 31) * 2,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(when.timestamp())

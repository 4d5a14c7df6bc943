"""Superblocks of Linux's md arrays: versions 0.90, 1.0, 1.1, 1.2 (after md_p.h of the kernel)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import SECTOR, Malformed, Source, Unreadable
from hakushi.recover.cursor import Cursor

_MAGIC = 0xA92B4EFC
_MOST_DISKS = 4096
_RECOVERING, _RESHAPING, _RAID0_LAYOUT = 2, 4, 4096
_OLD = 64 << 10
"""Version 0.90 lies in the last whole 64 KiB but one."""

LEVELS = {-1: "linear", 0: "raid0", 1: "raid1", 4: "raid4", 5: "raid5", 6: "raid6", 10: "raid10"}


@dataclass(frozen=True, slots=True)
class Superblock:
    """What a member says of its array and of itself. Offsets and sizes in bytes."""

    version: str
    at: int
    length: int
    array: str
    """The array's identifier, hexadecimal."""
    name: str
    level: int
    layout: int
    chunk: int
    disks: int
    role: int | None
    """Its place in the array; None for a spare, a faulty or a journal device."""
    begins: int
    """Where its data begin on the member."""
    holds: int
    """Bytes of data that fit on it."""
    used: int
    """Bytes of each member that the array uses; 0 where members may differ."""
    events: int
    doubt: str = ""
    """Why its data are not to be relied on: it was being rebuilt, or reshaped."""

    @property
    def kind(self) -> str:
        return f"md-{LEVELS.get(self.level, self.level)}"

    @property
    def mirror(self) -> bool:
        """Whether this member alone holds everything."""
        near, far = self.layout & 255, self.layout >> 8 & 255
        return self.level == 1 or (self.level == 10 and self.disks == near and far == 1)


def superblock(source: Source) -> Superblock | None:
    """The member's superblock, None where there is none. A torn one is none."""
    for at in _places(source.size):
        try:
            cursor = Cursor(source, page=4096)
            found = _read(cursor, at)
            if found is not None and not (at > 4096 and _partitioned(cursor, at)):
                return found
        except (Malformed, Unreadable):
            continue
    return None


def _places(size: int) -> Iterator[int]:
    yield 4096
    yield 0
    if size > 16 * SECTOR:
        yield ((size // SECTOR - 16) & ~7) * SECTOR
    if size >= 2 * _OLD:
        yield (size & -_OLD) - _OLD


def _partitioned(cursor: Cursor, at: int) -> bool:
    """Whether a superblock near the end is that of the drive's last partition, not the drive's."""
    if cursor.u16(510) != 0xAA55:
        return False
    if cursor.has(512, b"EFI PART"):
        return True
    entries = [struct.unpack("<II", cursor.take(454 + 16 * n, 8)) for n in range(4)]
    return any(start * SECTOR <= at < (start + count) * SECTOR for start, count in entries if start)


def _read(cursor: Cursor, at: int) -> Superblock | None:
    magic, major, minor = cursor.u32(at), cursor.u32(at + 4), cursor.u32(at + 8)
    if magic != _MAGIC:
        return None
    if major == 1:
        return _version_1(cursor, at)
    if major == 0 and minor == 90:
        return _version_090(cursor, at)
    return None


def _folded(words: bytes) -> int:
    total: int = sum(struct.unpack(f"<{len(words) // 4}I", words[: len(words) & ~3]))
    if len(words) & 2:
        total += int.from_bytes(words[-2:], "little")
    return (total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF


def _version_1(cursor: Cursor, at: int) -> Superblock | None:
    most = cursor.u32(at + 220)
    if most > _MOST_DISKS:
        return None
    raw = cursor.take(at, 256 + 2 * most)
    (checksum,) = struct.unpack_from("<I", raw, 216)
    if _folded(raw[:216] + bytes(4) + raw[220:]) != checksum:
        return None
    (level,) = struct.unpack_from("<i", raw, 72)
    layout, used, chunk, disks = struct.unpack_from("<IQII", raw, 76)
    begins, holds, own = struct.unpack_from("<QQQ", raw, 128)
    (number,), (events,) = struct.unpack_from("<I", raw, 160), struct.unpack_from("<Q", raw, 200)
    (features,) = struct.unpack_from("<I", raw, 8)
    if own * SECTOR != at or not 0 < disks <= _MOST_DISKS:
        return None
    role = struct.unpack_from("<H", raw, 256 + 2 * number)[0] if number < most else 0xFFFF
    if level == 0 and not features & _RAID0_LAYOUT:
        layout = 0
    return Superblock(
        version={0: "1.1", 4096: "1.2"}.get(at, "1.0"),
        at=at,
        length=len(raw),
        array=raw[16:32].hex(),
        name=raw[32:64].partition(b"\0")[0].decode("utf-8", "replace"),
        level=level,
        layout=layout,
        chunk=chunk * SECTOR,
        disks=disks,
        role=role if role < disks else None,
        begins=begins * SECTOR,
        holds=max(0, min(holds * SECTOR, cursor.size - begins * SECTOR)),
        used=0 if level in {-1, 0} else used * SECTOR,
        events=events,
        doubt=_doubt(features),
    )


def _doubt(features: int) -> str:
    if features & _RESHAPING:
        return "the array was being reshaped"
    return "the member was being rebuilt" if features & _RECOVERING else ""


def _version_090(cursor: Cursor, at: int) -> Superblock | None:
    raw = cursor.take(at, 4096)
    words = struct.unpack("<1024I", raw)
    if _folded(raw[:152] + bytes(4) + raw[156:]) != words[38]:
        return None
    level = words[7] - (1 << 32) if words[7] >> 31 else words[7]
    disks, role, state = words[10], words[995], words[996]
    if not 0 < disks <= _MOST_DISKS:
        return None
    active = not state & 1 and state & 2 and role < disks
    return Superblock(
        version="0.90",
        at=at,
        length=4096,
        array=struct.pack("<4I", words[5], *words[13:16]).hex(),
        name="",
        level=level,
        layout=words[64],
        chunk=words[65],
        disks=disks,
        role=role if active else None,
        begins=0,
        holds=at,
        used=0 if level in {-1, 0} else words[8] << 10,
        events=words[40] << 32 | words[39],
    )

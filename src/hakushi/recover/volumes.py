"""What the partition tables share: partitions as artifacts, and what is no partition table."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Role, Run, Source, State


def partition(source: Source, number: int, at: int, length: int) -> Iterator[Artifact | Damage]:
    """A partition as an artifact ``part:N``; what lies past the source's end is cut, and said."""
    locator = source.locator.step("part", number)
    left = max(0, min(length, source.size - at))
    if left < length:
        yield Damage(locator, f"partition {number} ends {length - left} bytes past the medium")
    if left:
        yield Artifact(locator, "partition", State.LIVE, left, (Run(at, left),), role=Role.VOLUME)


def boot_sector_of_filesystem(sector: bytes) -> bool:
    """Whether a first sector belongs to NTFS, exFAT, FAT or BitLocker: these end in 55 AA too."""
    if sector[3:11] in (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-"):
        return True
    if sector[:1] not in (b"\xeb", b"\xe9") or sector[510:512] != b"\x55\xaa":
        return False
    size = int.from_bytes(sector[11:13], "little")
    cluster = sector[13]
    return (
        size in (512, 1024, 2048, 4096)
        and cluster != 0
        and cluster & (cluster - 1) == 0
        and int.from_bytes(sector[14:16], "little") > 0
        and sector[16] in (1, 2)
        and (sector[21] == 0xF0 or sector[21] >= 0xF8)
    )


def code_like(area: bytes) -> bool:
    """Whether a boot sector's code area is empty or holds machine code, not a rest of text."""
    if not any(area):
        return True
    return sum(b < 0x20 and b not in b"\0\t\r\n" for b in area) >= 4

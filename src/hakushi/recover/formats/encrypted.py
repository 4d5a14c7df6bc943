"""Encrypted volumes that can be told from their headers. VeraCrypt and plain dm-crypt cannot: they
look random from the first byte on.
"""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Cursor, Family, Format

_LUKS = b"LUKS\xba\xbe"
_LUKS_SECOND = b"SKUL\xba\xbe"
_LUKS2_SECOND = (0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000)
"""Where LUKS2 keeps its second header, by the size of the first (LUKS2 specification, 2.2)."""

_BITLOCKER_TO_GO = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
"""The identifier of BitLocker's metadata, which BitLocker To Go has at 424 of a FAT boot sector."""

_BLOCKS = tuple(1 << n for n in range(9, 17))


def kind(source: Source) -> str | None:
    """What encrypts this volume, or None. Raises Malformed where it cannot be read."""
    cursor = Cursor(source, page=1 << 12)
    if cursor.has(0, _LUKS) and cursor.u16(6, ">") in (1, 2):
        return "luks"
    if cursor.has(3, b"-FVE-FS-") or cursor.has(424, _BITLOCKER_TO_GO):
        return "bitlocker"
    if cursor.has(88, b"CS") and cursor.u32(90) == 1 and cursor.u32(96) in _BLOCKS:
        # Core Storage's volume header: signature, checksum algorithm, block size.
        return "filevault"
    if any(cursor.has(at, _LUKS_SECOND) for at in _LUKS2_SECOND):
        return "luks"
    return None


def _probe(source: Source) -> bool:
    return kind(source) is not None


def _open(source: Source, _budget: Budget) -> Iterator[Artifact | Damage]:
    found = kind(source)
    if found is None:
        raise Malformed("no encrypted volume")
    yield Artifact(
        source.locator.step("encrypted", "0"),
        found,
        State.LIVE,
        source.size,
        (Run(0, source.size),),
        role=Role.ENCRYPTED,
    )


PLUGIN = Format("encrypted", Family.ENCRYPTED, _probe, open=_open)

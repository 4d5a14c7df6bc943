"""QEMU's qcow2 images, versions 2 and 3 (after QEMU's docs/interop/qcow2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Artifact, Damage, Locator, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic
from hakushi.recover.grammar.mapped import (
    LARGEST,
    Incomplete,
    Mapped,
    Place,
    checked,
    inflated_raw,
    only,
    told,
    unzstd,
)

_MAGIC = b"QFI\xfb"
_HOST = 0x00FFFFFFFFFFFE00
_COMPRESSED, _ZERO = 1 << 62, 1
_DIRTY, _CORRUPT, _EXTERNAL, _ZSTD, _EXTENDED = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class _Head:
    version: int
    bits: int
    size: int
    l1_size: int
    l1_at: int
    snapshots: int
    flags: int
    zstd: bool

    @property
    def cluster(self) -> int:
        return 1 << self.bits


def _head(source: Source) -> _Head:
    """Raises `Malformed`, and `Incomplete` where there is a backing file."""
    cursor = Cursor(source)
    if not cursor.has(0, _MAGIC):
        raise Malformed("no qcow2 image")
    raw = cursor.take(0, 72)
    (_, version, backing, _, bits, size, crypt, l1_size, l1_at) = struct.unpack_from(
        ">4sIQIIQIIQ", raw
    )
    if version not in {2, 3} or not 9 <= bits <= 21 or size > LARGEST:
        raise Malformed("an impossible qcow2 header")
    flags = cursor.u64(72, ">") if version == 3 else 0
    zstd = bool(flags & _ZSTD) and cursor.u32(100, ">") > 104 and cursor.u8(104) == 1
    if crypt:
        raise Malformed("the image is encrypted, key unknown")
    if flags & (_EXTERNAL | _EXTENDED) or flags >> 5:
        raise Malformed("a qcow2 feature that is not read (external data, extended L2, or newer)")
    if backing:
        raise Incomplete("it holds only the differences from a backing file")
    snapshots = struct.unpack_from(">I", raw, 60)[0]
    return _Head(version, bits, size, l1_size, l1_at, snapshots, flags, zstd)


def _medium(source: Source, locator: Locator, budget: Budget) -> Mapped:
    head, cursor = _head(source), Cursor(source)
    checked(source, head.l1_size, 8, head.l1_at, budget)
    entries = head.cluster // 8

    def where(number: int) -> Place | None:
        first, second = divmod(number, entries)
        if first >= head.l1_size:
            raise Malformed("a cluster beyond the first table")
        table = cursor.u64(head.l1_at + 8 * first, ">") & _HOST
        if not table:
            return None
        entry = cursor.u64(table + 8 * second, ">")
        if entry & _COMPRESSED:
            return _compressed(entry, head)
        if head.version == 3 and entry & _ZERO:
            return None
        return Place(entry & _HOST) if entry & _HOST else None

    return Mapped(source, head.size, head.cluster, where, locator)


def _compressed(entry: int, head: _Head) -> Place:
    split = 62 - (head.bits - 8)
    at = entry & ((1 << split) - 1)
    sectors = entry >> split & ((1 << (62 - split)) - 1)
    return Place(at, (sectors + 1) * 512 - at % 512, unzstd if head.zstd else inflated_raw)


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    head = _head(source)
    medium = _medium(source, source.locator.step("qcow2", "0"), budget)
    said = []
    if head.flags & _CORRUPT:
        said.append("the image says of itself that it is corrupt")
    if head.flags & _DIRTY:
        said.append("the image was not closed")
    if head.snapshots:
        said.append(f"{head.snapshots} snapshots in it are not looked at")
    yield from told(medium, *said)


def _probe(source: Source) -> bool:
    return Cursor(source, page=512).has(0, _MAGIC)


PLUGIN = Format("qcow2", Family.CONTAINER, _probe, (Magic(_MAGIC),), _open, only("qcow2", _medium))

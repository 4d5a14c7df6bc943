"""NTFS file records: update sequences, attributes, mapping pairs.

Structures by their names in Microsoft's and the Linux-NTFS documentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import SECTOR, Malformed

_END = 0xFFFFFFFF
_IN_USE = 1


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a record: resident ``content``, or ``runs`` in clusters (None: a hole)."""

    type: int
    id: int
    name: str
    size: int
    initialized: int
    first: int
    """The first virtual cluster that these runs map."""
    content: bytes | None = None
    runs: tuple[tuple[int | None, int], ...] = ()
    flags: int = 0
    """1 compressed, 0x4000 encrypted, 0x8000 sparse."""
    unit: int = 0
    """Clusters of a compression unit, as a power of two; 0 where nothing is compressed."""
    allocated: int = 0
    """Bytes of all clusters of the attribute, holes too; told where ``first`` is 0."""


@dataclass(frozen=True, slots=True)
class Record:
    used: int
    flags: int
    base: int
    attributes: tuple[Attribute, ...]
    sequence: int = 0
    base_sequence: int = 0

    @property
    def live(self) -> bool:
        return bool(self.flags & _IN_USE)


def fixed(data: bytes) -> bytes:
    """A record with its update sequence undone. Raises Malformed where a sector is torn."""
    at, count = struct.unpack_from("<HH", data, 4)
    if data[:4] not in (b"FILE", b"INDX", b"RCRD") or at < 40 - 16 or at + 2 * count > len(data):
        raise Malformed("no NTFS record")
    if not count or (count - 1) * SECTOR > len(data):
        raise Malformed("impossible update sequence")
    out = bytearray(data)
    for i in range(1, count):
        tail = i * SECTOR - 2
        if out[tail : tail + 2] != data[at : at + 2]:
            raise Malformed("a sector of the record is torn")
        out[tail : tail + 2] = data[at + 2 * i : at + 2 * i + 2]
    return bytes(out)


def record(data: bytes) -> Record:
    """A whole FILE record. Raises Malformed."""
    data = fixed(data)
    try:
        sequence, _links, first, flags, used, _allocated, base = struct.unpack_from(
            "<HHHHIIQ", data, 16
        )
    except struct.error:
        raise Malformed("the record is too short") from None
    if data[:4] != b"FILE" or not first <= used <= len(data):
        raise Malformed("no FILE record")
    attributes = tuple(_attributes(data[:used], first))
    return Record(used, flags, base & ((1 << 48) - 1), attributes, sequence, base >> 48)


def _attributes(data: bytes, at: int) -> Iterator[Attribute]:
    while at + 4 <= len(data):
        kind = int.from_bytes(data[at : at + 4], "little")
        if kind == _END:
            return
        if at + 24 > len(data):
            break
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if length < 24 or length % 8 or at + length > len(data):
            break
        yield _attribute(data[at : at + length], kind)
        at += length
    raise Malformed("the attributes of the record do not end")


def _attribute(data: bytes, kind: int) -> Attribute:
    resident, letters, at, flags, id = struct.unpack_from("<BBHHH", data, 8)
    name = data[at : at + 2 * letters].decode("utf-16-le", "replace")
    if resident == 0:
        size, offset = struct.unpack_from("<IH", data, 16)
        if offset + size > len(data):
            raise Malformed("resident content leaves its attribute")
        content = data[offset : offset + size]
        return Attribute(kind, id, name, size, size, 0, content, flags=flags)
    if len(data) < 64:
        raise Malformed("the attribute is too short")
    first, _last, pairs, unit = struct.unpack_from("<QQHB", data, 16)
    allocated, size, initialized = struct.unpack_from("<QQQ", data, 40)
    runs = tuple(mapping_pairs(data[pairs:]))
    return Attribute(kind, id, name, size, initialized, first, None, runs, flags, unit, allocated)


def mapping_pairs(data: bytes) -> Iterator[tuple[int | None, int]]:
    """(first cluster or None, clusters) of a run list. Raises Malformed."""
    at = cluster = 0
    while at < len(data) and data[at]:
        lengths, offsets = data[at] & 15, data[at] >> 4
        end = at + 1 + lengths + offsets
        if not 0 < lengths <= 8 or offsets > 8 or end > len(data):
            break
        count = int.from_bytes(data[at + 1 : at + 1 + lengths], "little")
        step = int.from_bytes(data[at + 1 + lengths : end], "little", signed=True)
        cluster += step
        if count == 0 or cluster < 0:
            break
        yield (cluster if offsets else None), count
        at = end
    else:
        return
    raise Malformed("impossible run list")

"""Outlook's stores (MS-PST), PST and OST: as large as their header tells, under its checksum."""

from __future__ import annotations

import zlib

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Family, Format, Magic, Measure

_MAGIC = b"!BDN"
_CLIENTS = {b"SM": "pst", b"SO": "ost", b"AB": "pab"}
_ANSI, _UNICODE = frozenset({14, 15}), frozenset({21, 23, 36})
_SUMMED = 471


def probe(source: Source) -> bool:
    return _size(source) is not None


def _size(source: Source) -> int | None:
    """``ibFileEof`` of the root (2.2.2.5); None where the header is not sound (2.2.2.6)."""
    head = source.read(Extent(0, 564))
    if len(head) < 564 or head[:4] != _MAGIC or head[8:10] not in _CLIENTS:
        return None
    summed = head[8 : 8 + _SUMMED]
    # The store's CRC begins with 0 and is not inverted at the end.
    if zlib.crc32(summed, 0xFFFFFFFF) ^ 0xFFFFFFFF != int.from_bytes(head[4:8], "little"):
        return None
    version = int.from_bytes(head[10:12], "little")
    if version in _ANSI:
        return int.from_bytes(head[168:172], "little")
    return int.from_bytes(head[184:192], "little") if version in _UNICODE else None


def measure(source: Source, _budget: Budget) -> Measure | None:
    """As long as the header says. Pages and blocks are not held against it: never complete."""
    size = _size(source)
    if not size:
        return None
    kind = _CLIENTS[source.read(Extent(8, 2))]
    return Measure(min(size, source.size), complete=False, kind=kind)


PLUGIN = Format(
    id="pst",
    family=Family.DOCUMENT,
    probe=probe,
    magics=(Magic(_MAGIC),),
    measure=measure,
    extensions=("pst", "ost"),
)

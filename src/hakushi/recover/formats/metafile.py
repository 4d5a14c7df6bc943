"""Windows metafiles: EMF (MS-EMF) and placeable WMF (MS-WMF), record by record to the last."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import follow

_EMF_EOF = 14
_PLACEABLE = b"\xd7\xcd\xc6\x9a"


def _emf(source: Source) -> bool:
    head = source.read(Extent(0, 52))
    return len(head) == 52 and head[:4] == b"\1\0\0\0" and head[40:44] == b" EMF"


def _emf_walk(source: Source, budget: Budget) -> Iterator[int]:
    """2.3: each record says its size; the header says how long all are, and how many."""
    cursor, at, count = Cursor(source), 0, 0
    length, records = cursor.u32(48), cursor.u32(52)
    while True:
        budget.pay()
        kind, size = cursor.u32(at), cursor.u32(at + 4)
        if not 1 <= kind <= 122 or size < 8 or size % 4 or at + size > length:
            raise Malformed("record header")
        cursor.take(at + size - 1, 1)
        at, count = at + size, count + 1
        if kind == _EMF_EOF and (at, count) != (length, records):
            raise Malformed("it ends elsewhere than its header says")
        yield at
        if kind == _EMF_EOF:
            return


def _wmf(source: Source) -> bool:
    """The placeable header and its sum, the header behind it (2.3.2.3, 2.3.2.2)."""
    head = source.read(Extent(0, 40))
    if len(head) < 40 or head[:4] != _PLACEABLE or head[24:26] != b"\x09\0":
        return False
    total = 0
    for word in struct.unpack_from("<10H", head):
        total ^= word
    return total == int.from_bytes(head[20:22], "little")


def _wmf_walk(source: Source, budget: Budget) -> Iterator[int]:
    cursor, at = Cursor(source), 40
    end = 22 + 2 * cursor.u32(28)
    while True:
        budget.pay()
        size, kind = 2 * cursor.u32(at), cursor.u16(at + 4)
        if size < 6 or at + size > end:
            raise Malformed("record header")
        cursor.take(at + size - 1, 1)
        at += size
        if kind == 0 and at != end:
            raise Malformed("it ends elsewhere than its header says")
        yield at
        if kind == 0:
            return


def _emf_measure(source: Source, budget: Budget) -> Measure | None:
    """To its last record: every size must meet, but nothing vouches for what stands between."""
    found = follow(source, _emf_walk(source, budget)) if _emf(source) else None
    return replace(found, checked=False) if found else None


def _wmf_measure(source: Source, budget: Budget) -> Measure | None:
    """As for EMF."""
    found = follow(source, _wmf_walk(source, budget)) if _wmf(source) else None
    return replace(found, checked=False) if found else None


PLUGIN = (
    Format(
        id="emf",
        family=Family.MEDIA,
        probe=_emf,
        magics=(Magic(b" EMF", 40),),
        measure=_emf_measure,
        extensions=("emf",),
    ),
    Format(
        id="wmf",
        family=Family.MEDIA,
        probe=_wmf,
        magics=(Magic(_PLACEABLE),),
        measure=_wmf_measure,
        extensions=("wmf",),
    ),
)

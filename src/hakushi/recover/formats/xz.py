"""The .xz file format 1.2: unpacks each stream up to its footer."""

from __future__ import annotations

import zlib

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Family, Format, Magic
from hakushi.recover.grammar.chain import Chain
from hakushi.recover.grammar.stream import Decompressor, Packed

_MAGIC = b"\xfd7zXZ\0"
_MEMORY = 256 << 20
"""Bytes that a dictionary may take; `xz -9` takes 65 MiB."""


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 12))
    crc = zlib.crc32(head[6:8]).to_bytes(4, "little")
    return len(head) == 12 and head.startswith(_MAGIC) and head[8:] == crc


def _decompressor() -> Decompressor:
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)


def _stream(source: Source, at: int, _budget: Budget) -> Packed:
    return Packed(_decompressor, source, at)


_chain = Chain("xz", _MAGIC, _stream)

PLUGIN = Format(
    id="xz",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(_MAGIC),),
    open=_chain.open,
    member=_chain.member,
    measure=_chain.measure,
    summed=True,
    extensions=("xz", "txz"),
)

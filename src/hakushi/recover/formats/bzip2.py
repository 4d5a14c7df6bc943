"""bzip2: unpacks each stream up to its checksum."""

from __future__ import annotations

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Family, Format, Magic
from hakushi.recover.grammar.chain import Chain
from hakushi.recover.grammar.stream import Decompressor, Packed

_BLOCK, _EMPTY = b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 10))
    return head[:3] == b"BZh" and head[3:4] in b"123456789" and head[4:] in {_BLOCK, _EMPTY}


def _decompressor() -> Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


def _stream(source: Source, at: int, _budget: Budget) -> Packed:
    return Packed(_decompressor, source, at)


_chain = Chain("bzip2", b"BZh", _stream)

PLUGIN = Format(
    id="bzip2",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(_BLOCK, 4), Magic(_EMPTY, 4)),
    open=_chain.open,
    member=_chain.member,
    measure=_chain.measure,
    summed=True,
    extensions=("bz2", "tbz2"),
)

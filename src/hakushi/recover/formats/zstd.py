"""Zstandard (RFC 8878): frames block by block, each unpacked, to the last one's checksum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.chain import Chain
from hakushi.recover.grammar.stream import guarded

_MAGIC = b"\x28\xb5\x2f\xfd"
_WINDOW = 128 << 20
"""Bytes that a frame may look back; ``zstd --ultra -22`` takes 128 MiB."""

_BLOCK = 128 << 10
_RAW, _REPEATED, _PACKED = 0, 1, 2


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 6))
    return len(head) == 6 and head.startswith(_MAGIC) and not head[4] & 8


class _Frame:
    """One frame at ``at`` (3.1.1); ``end`` is how far it was read, at last behind it."""

    def __init__(self, source: Source, at: int, _budget: Budget) -> None:
        self._cursor = Cursor(source)
        descriptor = self._cursor.u8(at + 4)
        if not self._cursor.has(at, _MAGIC) or descriptor & 8:
            raise Malformed("frame header")
        single = descriptor >> 5 & 1
        size = (single, 2, 4, 8)[descriptor >> 6]
        self._start = at
        self.end = at + 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + size
        self._dictionary = bool(descriptor & 3)
        self._checksum = 4 if descriptor & 4 else 0
        self.checked = False
        """Whether what it unpacked to met a checksum, or all went through an entropy code."""

    def run(self, budget: Budget) -> Iterator[bytes]:
        import zstandard

        if self._dictionary:
            raise Malformed("the frame needs a dictionary")
        engine = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        guarded(partial(engine.decompress, self._cursor.take(self._start, self.end - self._start)))
        last, plain = 0, False
        while not last:
            head = self._cursor.uint(self.end, 3)
            last, kind, length = head & 1, head >> 1 & 3, head >> 3
            if kind > _PACKED or length > _BLOCK:
                raise Malformed("block header")
            plain |= kind == _RAW
            stored = 1 if kind == _REPEATED else length
            block = self._cursor.take(self.end, 3 + stored + (self._checksum if last else 0))
            data = guarded(partial(engine.decompress, block))
            budget.pay(output=len(data))
            self.end += len(block)
            if data:
                yield data
        if not engine.eof:
            raise Malformed("the frame says another size")
        self.checked = self._checksum > 0 or not plain


_chain = Chain("zstd", _MAGIC, _Frame)


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the end of the last frame; complete where checksums or entropy codes vouch for it."""
    frames: list[_Frame] = []

    def kept(source: Source, at: int, budget: Budget) -> _Frame:
        frames.append(_Frame(source, at, budget))
        return frames[-1]

    found = Chain("zstd", _MAGIC, kept).measure(source, budget)
    whole = [one for one in frames if found is not None and one.end <= found.length]
    sure = found is not None and found.complete and all(one.checked for one in whole)
    return None if found is None else replace(found, complete=sure)


PLUGIN = Format(
    id="zstd",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(_MAGIC),),
    open=_chain.open,
    member=_chain.member,
    measure=measure,
    extensions=("zst", "tzst"),
)

"""Shadow copies of an NTFS volume (Volume Shadow Snapshot, after Metz's description of the format).

Windows copies each 16 KiB block away before it is written for the first time after a shadow copy
was made. A shadow copy is the volume of today with these blocks, and those of all newer ones, put
back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.model import Extent, Locator, Malformed, Run, Source
from hakushi.recover.cursor import Budget, Cursor, Spent

IDENTIFIER = bytes.fromhex("6b870838 76c1 484e b7ae 04046e6cc752")
BLOCK = 0x4000
_HEADER = 0x1E00
_HEAD = 128
"""Bytes before the entries of each block of records."""

_CATALOG, _LIST, _BITMAP = 2, 3, 6
_FORWARDER, _OVERLAY, _UNUSED = 1, 2, 4
_MOST_COPIES = 64
_MOST_PIECES = 4_000_000
"""Block descriptors of all shadow copies together."""

_MOST_BLOCKS = 1 << 18
_EPOCH = 11644473600


@dataclass(slots=True)
class _Piece:
    """Where a block went. ``forward``: it is what the newer copy has at ``at``, or the volume."""

    original: int
    at: int
    relative: int
    forward: bool = False
    overlay: _Overlay | None = None
    bare: bool = False
    """It is there for its overlay alone."""


@dataclass(slots=True)
class _Overlay:
    """Sectors of a block that were copied apart from the rest: a bit for each."""

    at: int
    bits: int


@dataclass(slots=True)
class Copy:
    """One shadow copy. ``number`` from 1, the oldest; ``created`` in seconds since 1970."""

    id: bytes
    created: int
    size: int
    list_at: int = 0
    bitmap_at: int = 0
    previous_at: int = 0
    number: int = 0
    pieces: dict[int, _Piece] = field(default_factory=dict)
    reverse: dict[int, _Piece] = field(default_factory=dict)
    unused: list[bytes] = field(default_factory=list)
    previous: list[bytes] = field(default_factory=list)

    def empty(self, block: int) -> bool:
        """Whether the copy had nothing in a block when it was made."""
        said = _bit(self.unused, block)
        return said and (not self.previous_at or _bit(self.previous, block))


def _bit(pages: list[bytes], block: int) -> bool:
    index = block // BLOCK
    page, bit = divmod(index, 8 * (BLOCK - _HEAD))
    return page < len(pages) and bool(pages[page][bit >> 3] >> (bit & 7) & 1)


def copies(source: Source, budget: Budget) -> tuple[list[Copy], list[str]]:
    """The shadow copies of a volume, the oldest first, and what of them could not be read."""
    cursor, damage = Cursor(source), list[str]()
    try:
        found = _catalog(cursor, budget)
    except Spent:
        raise
    except Malformed as error:
        return [], [str(error)]
    found.sort(key=lambda one: one.created)
    if len(found) > _MOST_COPIES:
        damage.append(f"of {len(found)} shadow copies the oldest were not read")
        found = found[-_MOST_COPIES:]
    left = _MOST_PIECES
    for number, one in enumerate(found, 1):
        one.number = number
    for one in reversed(found):
        # A copy needs all the newer ones: what is lost in one of them is lost in all before it.
        try:
            left -= _read(cursor, one, left, budget)
        except Spent:
            raise
        except Malformed as error:
            damage.append(f"shadow copy {one.number}: {error}")
            return found[one.number :], damage
    return found, damage


def _pages(cursor: Cursor, at: int, kind: int, budget: Budget) -> Iterator[bytes]:
    """Blocks of records, each of which says where the next is. Raises Malformed."""
    seen: set[int] = set()
    while at:
        budget.pay()
        raw = cursor.take(at, BLOCK)
        if raw[:16] != IDENTIFIER or struct.unpack_from("<I", raw, 20)[0] != kind:
            raise Malformed(f"no records of shadow copies at {at}")
        if at in seen or len(seen) > _MOST_BLOCKS:
            raise Malformed("records of shadow copies without end")
        seen.add(at)
        yield raw
        at = struct.unpack_from("<Q", raw, 40)[0]


def _catalog(cursor: Cursor, budget: Budget) -> list[Copy]:
    if not cursor.has(_HEADER, IDENTIFIER) or cursor.u32(_HEADER + 20) != 1:
        return []
    found: dict[bytes, Copy] = {}
    for raw in _pages(cursor, cursor.u64(_HEADER + 48), _CATALOG, budget):
        for at in range(_HEAD, BLOCK, 128):
            kind = struct.unpack_from("<Q", raw, at)[0]
            id = raw[at + 16 : at + 32]
            if kind == 2:
                size, created = struct.unpack_from("<Q32xQ", raw, at + 8)
                found[id] = Copy(id, created // 10**7 - _EPOCH, min(size, cursor.size))
            elif kind == 3 and id in found:
                one = found[id]
                one.list_at, one.bitmap_at = (
                    struct.unpack_from("<Q", raw, at + n)[0] for n in (8, 48)
                )
                one.previous_at = struct.unpack_from("<Q", raw, at + 72)[0]
    return [one for one in found.values() if one.list_at]


def _read(cursor: Cursor, one: Copy, most: int, budget: Budget) -> int:
    """The blocks of a copy, and its bitmaps; how many descriptors these were. Raises Malformed."""
    count = 0
    for raw in _pages(cursor, one.list_at, _LIST, budget):
        for at in range(_HEAD, BLOCK, 32):
            original, relative, place, flags, bits = struct.unpack_from("<QQQII", raw, at)
            if not (original or relative or place or flags):
                continue
            count += 1
            if count > most:
                raise Malformed(f"more than {most} blocks")
            _take(one, original, relative, place, flags, bits)
    for at, into in ((one.bitmap_at, one.unused), (one.previous_at, one.previous)):
        if at:
            into += [raw[_HEAD:] for raw in _pages(cursor, at, _BITMAP, budget)]
    return count


def _take(one: Copy, original: int, relative: int, place: int, flags: int, bits: int) -> None:
    """One more descriptor: a later one of the same block stands before the earlier."""
    if flags & _UNUSED:
        return
    forward = bool(flags & _FORWARDER)
    if flags & _OVERLAY:
        known = one.pieces.get(original)
        if known is None:
            known = one.pieces[original] = _Piece(original, 0, 0, bare=True)
        if known.overlay is None:
            known.overlay = _Overlay(place, bits)
        else:
            known.overlay.bits |= bits
        return
    behind = one.reverse.pop(original, None)
    if behind is not None:
        original = behind.original
        if forward and original == relative:
            return
    known = one.pieces.get(original)
    fresh = _Piece(original, place, relative, forward, known.overlay if known else None)
    one.pieces[original] = fresh
    if forward:
        one.reverse[relative] = fresh


class Shadow:
    """The volume as it was when a shadow copy was made."""

    __slots__ = ("_copies", "_first", "_parent", "locator", "size")

    def __init__(self, parent: Source, copies: list[Copy], number: int, locator: Locator) -> None:
        self._parent = parent
        self._copies = [one for one in copies if one.number >= number]
        self._first = self._copies[0]
        self.locator = locator
        self.size = min(parent.size, self._first.size) if self._first.size else parent.size

    def read(self, extent: Extent) -> bytes:
        length = max(0, min(extent.end, self.size) - extent.offset)
        out = []
        for run in self.places(extent.offset, length):
            if run.at is None:
                out.append(bytes(run.length))
            else:
                out.append(self._parent.read(Extent(run.at, run.length)))
        return b"".join(out)

    def places(self, offset: int, length: int) -> list[Run]:
        """Where bytes of this copy lie in the volume of today; None: nothing was there."""
        out: list[Run] = []
        at, end = offset, offset + length
        while at < end:
            within = at % BLOCK
            take = min(BLOCK - within, end - at)
            for run in self._block(at - within, within, take):
                last = out[-1] if out else None
                if last is not None and _follows(last, run):
                    out[-1] = Run(last.at, last.length + run.length)
                else:
                    out.append(run)
            at += take
        return out

    def _block(self, block: int, within: int, length: int) -> Iterator[Run]:
        piece = self._first.pieces.get(block)
        overlay = piece.overlay if piece is not None else None
        if overlay is None:
            yield from self._below(0, block, within, length)
            return
        at = within
        while at < within + length:
            take = min(512 - at % 512, within + length - at)
            if overlay.bits >> (at // 512) & 1:
                yield Run(overlay.at + at, take)
            else:
                yield from self._below(0, block, at, take)
            at += take

    def _below(self, level: int, block: int, within: int, length: int) -> Iterator[Run]:
        """Through this copy and the newer ones, to the volume of today."""
        while True:
            one = self._copies[level]
            last = level == len(self._copies) - 1
            piece = one.pieces.get(block)
            if piece is not None and not piece.bare:
                if not piece.forward:
                    yield self._run(piece.at + within, length)
                    return
                block = piece.relative
                if last:
                    yield self._run(block + within, length)
                    return
            elif last:
                gone = level == 0 and block not in one.reverse and one.empty(block)
                yield Run(None, length) if gone else self._run(block + within, length)
                return
            level += 1

    def _run(self, at: int, length: int) -> Run:
        return Run(at, length) if at + length <= self._parent.size else Run(None, length)


def _follows(last: Run, run: Run) -> bool:
    if last.at is None or run.at is None:
        return last.at is run.at
    return last.at + last.length == run.at

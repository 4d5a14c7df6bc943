"""VMware's VMDK images: sparse, stream-optimized, and descriptors of several files (after VMware's
Virtual Disk Format 5.0).
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Locator,
    Malformed,
    Source,
    Unreadable,
)
from hakushi.recover import Budget, Cursor, Family, Format, Magic
from hakushi.recover.grammar.mapped import (
    LARGEST,
    Incomplete,
    Mapped,
    Place,
    checked,
    inflated,
    only,
    told,
)

_MAGIC, _DESCRIPTOR = b"KDMV", b"# Disk DescriptorFile"
_AT_END = 0xFFFFFFFFFFFFFFFF
_ZEROED, _PACKED, _MARKERS = 1 << 2, 1 << 16, 1 << 17
_SECTOR = 512
_LARGEST_TEXT = 1 << 20
_MOST_PARTS = 4096
_LINE = re.compile(
    r"^(?:RW|RDONLY|NOACCESS)\s+(\d{1,15})\s+(SPARSE|FLAT|ZERO|VMFS|VMFSSPARSE)"
    r'(?:\s+"([^"/\\]{1,255})")?(?:\s+(\d{1,15}))?\s*$'
)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a descriptor: ``name`` None is zeros."""

    sectors: int
    kind: str
    name: str | None
    offset: int


def _open_sparse(source: Source, locator: Locator, budget: Budget) -> Mapped:
    """The medium, or the part of one, in a sparse file."""
    cursor = Cursor(source)
    head = cursor.take(0, 79)
    if struct.unpack_from("<Q", head, 56)[0] == _AT_END:
        # What was written as a stream has its final header before the end marker.
        head = cursor.take(max(0, source.size - 2 * _SECTOR), 79)
        if head[:4] != _MAGIC:
            raise Malformed("a stream without its end")
    flags, capacity, grain = struct.unpack_from("<IQQ", head, 8)
    entries = struct.unpack_from("<I", head, 44)[0]
    directory = struct.unpack_from("<Q", head, 56)[0]
    if not (0 < grain <= 1 << 16) or not (0 < entries <= 1 << 16) or capacity > LARGEST >> 9:
        raise Malformed("impossible sizes")
    count = -(-capacity // (grain * entries))
    checked(source, count, 4, directory * _SECTOR, budget)

    def where(number: int) -> Place | None:
        table = cursor.u32(directory * _SECTOR + 4 * (number // entries))
        if not table:
            return None
        sector = cursor.u32(table * _SECTOR + 4 * (number % entries))
        if not sector or (sector == 1 and flags & _ZEROED):
            return None
        at = sector * _SECTOR
        if not flags & _PACKED:
            return Place(at)
        # A packed grain begins with its address and length.
        skip = 12 if flags & _MARKERS else 4
        return Place(at + skip, min(cursor.u32(at + skip - 4), 2 * grain * _SECTOR), inflated)

    return Mapped(source, capacity * _SECTOR, grain * _SECTOR, where, locator)


def descriptor(source: Source) -> str:
    """The text that describes the medium, embedded or a file of its own; raises `Malformed`."""
    cursor = Cursor(source)
    if cursor.has(0, _MAGIC):
        at, sectors = struct.unpack_from("<QQ", cursor.take(28, 16))
        raw = cursor.take(at * _SECTOR, min(sectors * _SECTOR, _LARGEST_TEXT)) if at else b""
    else:
        raw = source.read(Extent(0, min(source.size, _LARGEST_TEXT)))
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _whole(text: str) -> None:
    """Raises `Incomplete` where it describes differences alone."""
    parent = re.search(r"^\s*parentCID\s*=\s*([0-9a-fA-F]+)", text, re.MULTILINE)
    if parent is not None and parent[1].lower().lstrip("f"):
        raise Incomplete("it holds only the differences from a parent image")


def parts(text: str) -> list[Part]:
    """The files of a descriptor, in order; names never lead out of its folder."""
    _whole(text)
    found = []
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match is None:
            continue
        sectors, kind, name, offset = match.groups()
        if (kind != "ZERO" and name is None) or name in {".", ".."}:
            raise Malformed("an extent without a name")
        found.append(Part(int(sectors), kind, None if kind == "ZERO" else name, int(offset or 0)))
    if not 0 < len(found) <= _MOST_PARTS:
        raise Malformed("a descriptor without extents")
    return found


class Joined:
    """A medium in several files, as a Source."""

    def __init__(self, pieces: Sequence[tuple[int, Source | None]], locator: Locator) -> None:
        self.locator = locator
        self._pieces = [source for _, source in pieces]
        self._starts, at = [], 0
        for length, _ in pieces:
            self._starts.append(at)
            at += length
        self.size = at

    def read(self, extent: Extent) -> bytes:
        end, at, out = min(extent.end, self.size), extent.offset, []
        while at < end:
            number = bisect_right(self._starts, at) - 1
            start = self._starts[number]
            stop = self._starts[number + 1] if number + 1 < len(self._starts) else self.size
            length = min(end, stop) - at
            piece = self._pieces[number]
            try:
                data = bytes(length) if piece is None else piece.read(Extent(at - start, length))
            except Unreadable as error:
                raise Unreadable(Extent(at, length), error.why) from None
            if len(data) != length:
                raise Unreadable(Extent(at, length), "a file of the image is too short")
            out.append(data)
            at += length
        return b"".join(out)


def open_parts(
    source: Source, find: Callable[[str], Source], budget: Budget
) -> tuple[Joined, tuple[str, ...]]:
    """The medium of a descriptor file; ``find`` opens a file beside it. Says what is missing."""
    locator, damage = source.locator.step("vmdk", "0"), []
    pieces: list[tuple[int, Source | None]] = []
    for part in parts(descriptor(source)):
        budget.pay()
        length = part.sectors * _SECTOR
        if part.name is None:
            pieces.append((length, None))
            continue
        try:
            piece = find(part.name)
            if "SPARSE" in part.kind:
                piece = _open_sparse(piece, locator, budget)
            elif part.offset:
                piece = _Shifted(piece, part.offset * _SECTOR)
        except (Malformed, Unreadable, OSError) as error:
            damage.append(f"{part.name}: {error}")
            piece = _Missing()
        pieces.append((length, piece))
    return Joined(pieces, locator), tuple(damage)


class _Missing:
    """A file that could not be opened: nothing of it can be read."""

    locator, size = Locator.root("image", "missing"), 0

    def read(self, extent: Extent) -> bytes:
        raise Unreadable(extent, "a file of the image is missing")


class _Shifted:
    """A file from an offset on."""

    def __init__(self, parent: Source, at: int) -> None:
        self._parent, self._at = parent, at
        self.locator, self.size = parent.locator, max(0, parent.size - at)

    def read(self, extent: Extent) -> bytes:
        return self._parent.read(Extent(self._at + extent.offset, extent.length))


def _medium(source: Source, locator: Locator, budget: Budget) -> Mapped:
    if not Cursor(source, page=512).has(0, _MAGIC):
        raise Malformed("a descriptor alone: its files lie beside it")
    _whole(descriptor(source))
    return _open_sparse(source, locator, budget)


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from told(_medium(source, source.locator.step("vmdk", "0"), budget))


def is_descriptor(source: Source) -> bool:
    return Cursor(source, page=512).has(0, _DESCRIPTOR)


def _probe(source: Source) -> bool:
    return Cursor(source, page=512).has(0, _MAGIC) or is_descriptor(source)


PLUGIN = Format("vmdk", Family.CONTAINER, _probe, (Magic(_MAGIC),), _open, only("vmdk", _medium))

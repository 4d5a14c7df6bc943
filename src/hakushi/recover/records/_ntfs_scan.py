"""NTFS records where they stand on a medium, whole and in order, whoever wrote them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import SECTOR, Extent, Extents, Malformed, Source, Unreadable
from hakushi.recover.cursor import Budget
from hakushi.recover.filesystem.ntfs_journal import (
    LOG_SIGN,
    PAGE,
    USN_SIGN,
    USN_SIGN_AT,
    FileName,
    Named,
    entries,
    log,
    named,
    seconds,
    usn,
)
from hakushi.recover.filesystem.ntfs_records import Attribute, fixed

DATA, STANDARD, LIST, NAME, INDEX = 0x80, 0x10, 0x20, 0x30, 0xA0
COMPRESSED, ENCRYPTED = 0x00FF, 0x4000
DIRECTORY = 2
ROOT = 5
_REFERENCE = (1 << 48) - 1
_SIZES = (1024, 2048, 4096)
_LARGEST = 4096
_PIECE = 1 << 20
_DOS = 2


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a record at ``at``. ``number`` is -1 where the record does not say (NTFS 3.0).

    ``base``: (number, sequence) of the record that it extends, or None.
    """

    at: int
    size: int
    number: int
    sequence: int
    flags: int
    base: tuple[int, int] | None

    @property
    def used(self) -> bool:
        return bool(self.flags & 1)

    @property
    def origin(self) -> int:
        """Where record 0 would stand, were the table in one piece; differs by piece."""
        return self.at - self.number * self.size


def head(at: int, data: bytes) -> Head | None:
    """The header, whole or torn; None for what no NTFS driver writes."""
    if len(data) < 48:
        return None
    fixups, count, sequence, first, flags = struct.unpack_from("<HH8xH2xHH", data, 4)
    used, size, base = struct.unpack_from("<IIQ", data, 24)
    if size not in _SIZES or count != size // SECTOR + 1 or not first <= used <= size:
        return None
    if fixups not in (42, 48) or first % 8 or first < fixups + 2 * count:
        return None
    number = struct.unpack_from("<I", data, 44)[0] if fixups == 48 else -1
    extends = (base & _REFERENCE, base >> 48) if base else None
    return Head(at, size, number, sequence, flags, extends)


def records(source: Source, where: Extents, budget: Budget) -> Iterator[tuple[Head, bytes]]:
    """Every file record that begins at a sector of ``where``, by offset, its bytes still raw."""
    for at, data in _sectors(source, where, b"FILE", budget):
        found = head(at, data)
        if found is not None:
            yield found, data[: found.size]


def _sectors(
    source: Source, where: Extents, sign: bytes, budget: Budget, at_byte: int = 0
) -> Iterator[tuple[int, bytes]]:
    """(offset, the bytes from there on) of each sector that has a sign at a byte."""
    for extent in where:
        for start in range(extent.offset, extent.end, _PIECE):
            length = min(_PIECE, extent.end - start)
            for base, data, own in _read(source, Extent(start, length)):
                budget.pay(steps=1 + own // SECTOR)
                for at in range(0, own, SECTOR):
                    if data.startswith(sign, at + at_byte):
                        yield base + at, data[at : at + _LARGEST]


def _read(source: Source, extent: Extent) -> Iterator[tuple[int, bytes, int]]:
    """(offset, data and what follows, how much is the extent's): smaller where unreadable."""
    try:
        yield (
            extent.offset,
            source.read(Extent(extent.offset, extent.length + _LARGEST)),
            (extent.length),
        )
    except Unreadable:
        for at in range(extent.offset, extent.end, SECTOR):
            piece = min(SECTOR, extent.end - at)
            for length in (_LARGEST, 1024, SECTOR):
                try:
                    yield at, source.read(Extent(at, length)), piece
                    break
                except Unreadable:
                    continue


@dataclass(frozen=True, slots=True)
class IndexBlock:
    """An index block of a folder. ``first``: it is the first one of its folder's index."""

    at: int
    first: bool
    entries: tuple[Named, ...]

    @property
    def folder(self) -> int:
        return self.entries[0].name.parent


def index_blocks(source: Source, where: Extents, budget: Budget) -> Iterator[IndexBlock]:
    """Every index block of a folder that is whole and names a file, the names of its unused part
    too: what stood there before entries were taken out.
    """
    for at, data in _sectors(source, where, b"INDX", budget):
        try:
            block = fixed(data)
        except (Malformed, struct.error):
            continue
        start = 24 + int.from_bytes(block[24:28], "little")
        found = tuple(entries(block, start, at))
        if found:
            yield IndexBlock(at, not any(block[16:24]), found)


def journal_blocks(
    source: Source, usn_at: Extents, log_at: Extents, budget: Budget
) -> Iterator[IndexBlock]:
    """Pages of journals that name a file, like index blocks that are no folder's first."""
    for where, sign, at_byte, read in (
        (usn_at, USN_SIGN, USN_SIGN_AT, usn),
        (log_at, LOG_SIGN, 0, log),
    ):
        for at, data in _sectors(source, where, sign, budget, at_byte):
            found = tuple(read(data[:PAGE], at))
            if found:
                yield IndexBlock(at, False, found)


def file_name(attributes: tuple[Attribute, ...]) -> FileName | None:
    """The first name that is not only the short one of DOS."""
    best: FileName | None = None
    for attribute in attributes:
        found = named(attribute.content or b"") if attribute.type == NAME else None
        if found is None:
            continue
        if found[2] != _DOS:
            return found[0]
        best = best or found[0]
    return best


def modified(attributes: tuple[Attribute, ...]) -> int | None:
    """When the file's data were written last, in seconds since 1970."""
    return _time(attributes, 8)


def changed(attributes: tuple[Attribute, ...]) -> int | None:
    """When the record was changed last, in seconds since 1970."""
    return _time(attributes, 16)


def _time(attributes: tuple[Attribute, ...], at: int) -> int | None:
    for attribute in attributes:
        if attribute.type == STANDARD and attribute.content and len(attribute.content) >= 24:
            return seconds(attribute.content[at : at + 8])
    return None


def cluster_of(attribute: Attribute) -> int | None:
    """Bytes of a cluster, as an attribute's allocated size and its runs tell them together."""
    clusters = sum(count for _, count in attribute.runs)
    if attribute.first or attribute.flags or not clusters or attribute.allocated % clusters:
        return None
    size = attribute.allocated // clusters
    return size if SECTOR <= size <= 2 << 20 and not size & (size - 1) else None


def first_cluster(attribute: Attribute) -> int | None:
    """The first cluster of an attribute that begins with one."""
    return attribute.runs[0][0] if attribute.runs and not attribute.first else None

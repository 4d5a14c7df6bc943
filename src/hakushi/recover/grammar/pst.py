"""The lower layer of Outlook's stores (MS-PST 2.2): the tree of blocks, and how they are encoded.

What lies in many blocks (attachments, long bodies) is put together; all other bytes are decoded as
they lie, so that messages that were deleted are among them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Extent, Extents, Malformed, Source
from hakushi.recover.cursor import Budget, Cursor

_MAGIC = b"!BDN"
CLIENTS = {b"SM": "pst", b"SO": "ost", b"AB": "pab"}
_ANSI, _UNICODE, _LARGE = frozenset({14, 15}), frozenset({21, 23}), frozenset({36})
_SUMMED = 471
_HEAD = 564
_PAGE = 512
_BLOCK_TREE = 0x80
_DEEPEST = 8
_MOST_BLOCKS = 2_000_000
_INTERNAL = 2
"""The bit of a block's id that tells blocks of the tree of data from data."""

_PLAIN, _PERMUTED = 0, 1
_PERMUTATION = bytes.fromhex(
    "47f1b4e60b6a7248854e9eebe2f89453e0bba002e85a09abdbe3bac67cc310dd39059630f5376082"
    "8cc9134a6b1df3fb8f2697ca911701c4322d6e3195ffd923d1005e79dc443b1a28c5615720903d83"
    "b943be67d2464276c06d5b7eb20f16293ca903540dda5ddff6b7c762cd8d06d3695c86d614f7a566"
    "75acb1e94521700c879f74a4224c6fbf1f56aa2eb3783350b0a392bccf191ca763cb1e4d3e4b1b9b"
    "4fe7f0eead3ab55904ea40552551e57a893868527bfc27aed7bdfa07f4cc8e5fef359c842b15d577"
    "3449b6120a7f7188fd9d18417d93d8582ccefe24afdeb836c8a180a69998a82f0e816573e4c2a28a"
    "d4e111d0088b2af2ed9a643fc16cf9ec"
)
"""Decodes the bytes of NDB_CRYPT_PERMUTE (5.1)."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says (2.2.2.6)."""

    kind: str
    version: int
    size: int
    encoding: int
    tree: int
    """Where the root of the block tree stands."""

    @property
    def wide(self) -> bool:
        return self.version not in _ANSI


def header(source: Source) -> Header | None:
    """None where it is not sound."""
    head = source.read(Extent(0, _HEAD))
    if len(head) < _HEAD or head[:4] != _MAGIC or head[8:10] not in CLIENTS:
        return None
    # The store's CRC begins with 0 and is not inverted at the end.
    summed = zlib.crc32(head[8 : 8 + _SUMMED], 0xFFFFFFFF) ^ 0xFFFFFFFF
    version = int.from_bytes(head[10:12], "little")
    if summed != int.from_bytes(head[4:8], "little"):
        return None
    kind = CLIENTS[head[8:10]]
    if version in _ANSI:
        size, tree = (int.from_bytes(head[at : at + 4], "little") for at in (168, 196))
        return Header(kind, version, size, head[461], tree)
    if version in _UNICODE | _LARGE:
        size, tree = (int.from_bytes(head[at : at + 8], "little") for at in (184, 240))
        return Header(kind, version, size, head[513], tree)
    return None


@dataclass(frozen=True, slots=True)
class Block:
    """A block's data: where they stand, and what they are called."""

    id: int
    data: Extent


class Store:
    """The blocks of a store. Every method raises only Malformed."""

    def __init__(self, source: Source, budget: Budget) -> None:
        found = header(source)
        if found is None:
            raise Malformed("store header")
        if found.version in _LARGE:
            raise Malformed("a store of 4 KiB pages, which are not read yet")
        if found.encoding not in {_PLAIN, _PERMUTED}:
            raise Malformed("a store with high encryption, which is not read yet")
        self._source = source
        self._cursor = Cursor(source)
        self._budget = budget
        self._head = found
        self._blocks = {block.id: block for block in self._walk(found.tree)}

    def _walk(self, root: int) -> Iterator[Block]:
        """The block tree (2.2.2.7.7): each page says its level and its entries."""
        wide = self._head.wide
        left, met = [(root, _DEEPEST)], set[int]()
        count = 0
        while left:
            at, depth = left.pop()
            self._budget.pay()
            if at in met or depth < 0:
                raise Malformed("the block tree goes round")
            met.add(at)
            raw = self._cursor.take(at, _PAGE)
            tail = raw[488:] if wide else raw[496:]
            entries, _, width, level = tail[:4]
            if tail[8 if wide else 4] != _BLOCK_TREE or width < (24 if wide else 12):
                raise Malformed("a page of the block tree")
            for start in range(0, min(entries * width, 488 if wide else 496), width):
                if start + width > (488 if wide else 496):
                    raise Malformed("a page of the block tree")
                key, place, size = self._entry(raw, start, level)
                if level:
                    left.append((place, depth - 1))
                    continue
                count += 1
                if count > _MOST_BLOCKS:
                    raise Malformed("too many blocks")
                if place + size <= self._source.size:
                    yield Block(key & ~1, Extent(place, size))

    def _entry(self, raw: bytes, start: int, level: int) -> tuple[int, int, int]:
        """(key or id, place, bytes); an inner entry's place is its page's."""
        if self._head.wide:
            first, second, third = struct.unpack_from("<QQQ", raw, start)
        else:
            first, second, third = struct.unpack_from("<III", raw, start)
        return (first, third, 0) if level else (first, second, third & 0xFFFF)

    def trees(self) -> list[tuple[int, int]]:
        """(id, bytes) of everything that lies in several blocks."""
        out, inner = list[tuple[int, int]](), set[int]()
        for block in self._blocks.values():
            if block.id & _INTERNAL:
                found = self._list(block)
                if found is not None:
                    out.append((block.id, found[1]))
                    inner.update(id for id in found[0] if id & _INTERNAL)
        return [(id, size) for id, size in out if id not in inner]

    def _list(self, block: Block) -> tuple[list[int], int] | None:
        """The ids of an XBLOCK or XXBLOCK (2.2.2.8.3.2) and the bytes in all; None for others."""
        self._budget.pay()
        if block.data.length < 8:
            return None
        raw = self._cursor.take(block.data.offset, block.data.length)
        kind, level, count, total = struct.unpack_from("<BBHI", raw)
        width = 8 if self._head.wide else 4
        if kind != 1 or level not in {1, 2} or 8 + count * width > len(raw):
            return None
        ids = [int.from_bytes(raw[8 + i * width :][:width], "little") & ~1 for i in range(count)]
        return ids, total

    def content(self, id: int, depth: int = 2) -> Iterator[bytes]:
        """The decoded bytes of one tree of data."""
        block = self._blocks.get(id)
        if block is None:
            raise Malformed("a block is missing")
        if not id & _INTERNAL:
            data = self.decoded(block.data)
            self._budget.pay(output=len(data))
            yield data
            return
        found = self._list(block)
        if found is None or not depth:
            raise Malformed("a tree of data is none")
        for inner in found[0]:
            yield from self.content(inner, depth - 1)

    def rest(self) -> Iterator[bytes]:
        """Everything that no tree of data holds, decoded: small things, and what was deleted."""
        held = list[Extent]()
        for id, _ in self.trees():
            held += self._held(id, 2)
        for run in Extents([Extent(0, self._source.size)]) - Extents(held):
            for at in range(run.offset, run.end, 1 << 20):
                self._budget.pay()
                data = self.decoded(Extent(at, min(1 << 20, run.end - at)))
                self._budget.pay(output=len(data))
                yield data

    def _held(self, id: int, depth: int) -> list[Extent]:
        block = self._blocks.get(id)
        if block is None or not id & _INTERNAL:
            return [] if block is None else [block.data]
        found = self._list(block) if depth else None
        return (
            [] if found is None else [e for inner in found[0] for e in self._held(inner, depth - 1)]
        )

    def decoded(self, extent: Extent) -> bytes:
        data = self._cursor.take(extent.offset, extent.length)
        return data.translate(_PERMUTATION) if self._head.encoding == _PERMUTED else data

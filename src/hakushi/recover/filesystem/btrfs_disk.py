"""btrfs as it lies on a disk (after the kernel's on-disk format document): superblock, chunks,
nodes of trees, inodes, extents. Everything is little-endian, and nothing is believed unchecked.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.model import Malformed
from hakushi.recover.cursor import Budget, Cursor

SUPER, MAGIC = 0x10000, b"_BHRfS_M"
NODE_MARK = b"\x01\0\0\0\0\0\0\x01"
"""Flags of a written node with the backrefs of today, at 0x38 of it."""

CSUM_TREE, CSUM = 7, 128
INODE, REF, EXTREF, EXTENT = 1, 12, 13, 108
ROOT_BACKREF, ROOT, EXTENT_ITEM, METADATA_ITEM, CHUNK = 144, 132, 168, 169, 228
EXTENT_TREE, CHUNK_TREE, FS_TREE = 2, 3, 5
FIRST_FREE, LAST_FREE = 256, (1 << 64) - 256
"""Numbers of inodes and of subvolumes lie between these."""

INLINE, REGULAR, PREALLOCATED = 0, 1, 2
PLAIN, ZLIB, LZO, ZSTD = 0, 1, 2, 3
FILE, DIRECTORY = 0x8000, 0x4000

HEAD = 0x65
"""Bytes of a node's header."""

_DEEPEST = 8
_MOST_STRIPES = 64
_MIRRORED = 0x10 | 0x20 | 0x200 | 0x400
_STRIPED = 0x8 | 0x40 | 0x80 | 0x100


@dataclass(frozen=True, slots=True)
class Key:
    objectid: int
    type: int
    offset: int


@dataclass(frozen=True, slots=True)
class Item:
    """``at``: where its data lie in the node."""

    key: Key
    data: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Super:
    """A superblock."""

    fsid: bytes
    generation: int
    root: int
    chunk_root: int
    size: int
    sector: int
    node: int
    devices: int
    device: int
    label: str
    system: bytes
    """The chunks with which the chunk tree is found."""


def superblock(cursor: Cursor, at: int = SUPER) -> Super:
    """The superblock at a byte. Malformed where there is none."""
    if not cursor.has(at + 0x40, MAGIC):
        raise Malformed("no btrfs superblock")
    raw = cursor.take(at, 4096)
    generation, root, chunk_root = struct.unpack_from("<QQQ", raw, 0x48)
    size, devices = struct.unpack_from("<Q", raw, 0x70)[0], struct.unpack_from("<Q", raw, 0x88)[0]
    sector, node = struct.unpack_from("<II", raw, 0x90)
    length = struct.unpack_from("<I", raw, 0xA0)[0]
    if not (512 <= sector <= 65536 and sector & (sector - 1) == 0):
        raise Malformed("btrfs: impossible sector size")
    if not (sector <= node <= 65536 and node & (node - 1) == 0 and length <= 2048 and size):
        raise Malformed("btrfs: impossible geometry")
    label = raw[0x12B:0x22B].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
    device = struct.unpack_from("<Q", raw, 0xC9)[0]
    return Super(
        raw[0x20:0x30], generation, root, chunk_root, size, sector, node, devices, device, label,
        raw[0x32B : 0x32B + length],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of logical addresses, and where this device holds a whole copy of it."""

    logical: int
    length: int
    kind: int
    physical: int | None
    """None where it is striped, or on other devices alone."""
    copies: tuple[int, ...] = ()
    """Where every copy lies, on whichever device."""


def chunk(logical: int, raw: bytes, device: int) -> Chunk:
    """Raises Malformed for what no formatter writes."""
    if len(raw) < 48:
        raise Malformed("a chunk that ends early")
    length, _, _, kind = struct.unpack_from("<QQQQ", raw)
    stripes = struct.unpack_from("<H", raw, 44)[0]
    if not 0 < stripes <= _MOST_STRIPES or len(raw) < 48 + 32 * stripes or not length:
        raise Malformed("an impossible chunk")
    places = [struct.unpack_from("<QQ", raw, 48 + 32 * n) for n in range(stripes)]
    mine = [offset for number, offset in places if number == device]
    whole = not kind & _STRIPED and (stripes == 1 or bool(kind & _MIRRORED))
    copies = tuple(offset for _, offset in places)
    return Chunk(logical, length, kind, mine[0] if mine and whole else None, copies)


def devices(raw: bytes) -> list[int]:
    """The devices that hold stripes of a chunk."""
    stripes = struct.unpack_from("<H", raw, 44)[0] if len(raw) >= 48 else 0
    stripes = min(stripes, (len(raw) - 48) // 32)
    return [struct.unpack_from("<Q", raw, 48 + 32 * n)[0] for n in range(stripes)]


def system_chunks(sb: Super) -> Iterator[Chunk]:
    at, raw = 0, sb.system
    while at + 17 + 48 <= len(raw):
        logical = struct.unpack_from("<Q", raw, at + 9)[0]
        stripes = struct.unpack_from("<H", raw, at + 17 + 44)[0]
        end = at + 17 + 48 + 32 * stripes
        yield chunk(logical, raw[at + 17 : end], sb.device)
        at = end


@dataclass(slots=True)
class Map:
    """From logical addresses to bytes of this device, which has ``size`` of them."""

    size: int = 1 << 63
    starts: list[int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    def add(self, one: Chunk) -> None:
        at = bisect_right(self.starts, one.logical)
        if at and self.starts[at - 1] == one.logical:
            self.chunks[at - 1] = one
            return
        self.starts.insert(at, one.logical)
        self.chunks.insert(at, one)

    def find(self, logical: int) -> Chunk | None:
        at = bisect_right(self.starts, logical) - 1
        one = self.chunks[at] if at >= 0 else None
        return one if one is not None and logical < one.logical + one.length else None

    def byte(self, logical: int, length: int = 1) -> int:
        """Where logical bytes lie. Raises Malformed where they are not on this device."""
        one = self.find(logical)
        if one is None or one.physical is None or logical + length > one.logical + one.length:
            raise Malformed(f"logical {logical} is not on this device")
        at = one.physical + logical - one.logical
        if at < 0 or at + length > self.size:
            raise Malformed(f"logical {logical} is past the end")
        return at


@dataclass(frozen=True, slots=True)
class Node:
    """A node's header, and its bytes."""

    fsid: bytes
    logical: int
    generation: int
    owner: int
    count: int
    level: int
    raw: bytes

    def items(self) -> Iterator[Item]:
        """The items of a leaf; what points outside it is left out."""
        for number in range(self.count):
            objectid, kind, offset, at, size = struct.unpack_from(
                "<QBQII", self.raw, HEAD + 25 * number
            )
            if HEAD + at + size <= len(self.raw) and at >= 25 * self.count:
                data = self.raw[HEAD + at : HEAD + at + size]
                yield Item(Key(objectid, kind, offset), data, HEAD + at)

    def children(self) -> Iterator[tuple[Key, int]]:
        """(first key, logical address) of each child of an inner node."""
        for number in range(self.count):
            *key, where = struct.unpack_from("<QBQQ", self.raw, HEAD + 33 * number)
            yield Key(*key), where


def head(raw: bytes) -> Node:
    """A node by its first `HEAD` bytes. Raises Malformed where they cannot be one's."""
    if len(raw) < HEAD or raw[0x38:0x40] != NODE_MARK:
        raise Malformed("no btrfs node")
    logical = struct.unpack_from("<Q", raw, 0x30)[0]
    generation, owner, count, level = struct.unpack_from("<QQIB", raw, 0x50)
    if level > _DEEPEST:
        raise Malformed("an impossible btrfs node")
    return Node(raw[0x20:0x30], logical, generation, owner, count, level, raw)


def node(raw: bytes) -> Node:
    """A whole node. Raises Malformed where it cannot be one."""
    one = head(raw)
    if one.count > (len(raw) - HEAD) // (33 if one.level else 25):
        raise Malformed("an impossible btrfs node")
    return one


@dataclass(frozen=True, slots=True)
class Inode:
    size: int
    stored: int
    """Bytes that its extents stand for, holes apart."""
    links: int
    mode: int
    modified: int
    changed: int
    generation: int
    transid: int

    @property
    def kind(self) -> int:
        return self.mode & 0xF000


def inode(raw: bytes) -> Inode:
    """Raises Malformed where it is short."""
    if len(raw) < 160:
        raise Malformed("an inode that ends early")
    generation, transid, size, stored = struct.unpack_from("<QQQQ", raw)
    links, _, _, mode = struct.unpack_from("<IIII", raw, 40)
    changed, modified = struct.unpack_from("<q", raw, 124)[0], struct.unpack_from("<q", raw, 136)[0]
    return Inode(size, stored, links, mode, modified, changed, generation, transid)


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of a file, at ``at`` of it; ``logical`` 0 is a hole."""

    at: int
    kind: int
    packed: int
    ram: int
    data: bytes = b""
    logical: int = 0
    stored: int = 0
    skip: int = 0
    length: int = 0
    generation: int = 0

    @property
    def end(self) -> int:
        return self.at + (self.ram if self.kind == INLINE else self.length)


def extent(at: int, raw: bytes) -> Extent:
    """Raises Malformed for what cannot be read: cut short, encrypted, packed in an unknown way."""
    if len(raw) < 21:
        raise Malformed("an extent that ends early")
    generation, ram, packed, locked, other, kind = struct.unpack_from("<QQBBHB", raw)
    if locked or other or packed > ZSTD:
        raise Malformed("an extent in an unknown form")
    if kind == INLINE:
        return Extent(at, kind, packed, ram, raw[21:], generation=generation)
    if kind not in (REGULAR, PREALLOCATED) or len(raw) < 53:
        raise Malformed("an impossible extent")
    logical, stored, skip, length = struct.unpack_from("<QQQQ", raw, 21)
    return Extent(at, kind, packed, ram, b"", logical, stored, skip, length, generation)


def references(key: Key, raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(parent, name) of INODE_REF and INODE_EXTREF items."""
    at = 0
    while at + 10 < len(raw):
        if key.type == REF:
            parent, (length,) = key.offset, struct.unpack_from("<H", raw, at + 8)
            at += 10
        else:
            if at + 18 > len(raw):
                return
            parent, _, length = struct.unpack_from("<QQH", raw, at)
            at += 18
        name = raw[at : at + length]
        if not name or len(name) != length:
            return
        yield parent, name
        at += length


@dataclass(slots=True)
class Trees:
    """The trees of a standing file system."""

    cursor: Cursor
    sb: Super
    map: Map
    budget: Budget
    damage: list[str] = field(default_factory=list)

    def node(self, logical: int) -> Node:
        raw = self.cursor.take(self.map.byte(logical, self.sb.node), self.sb.node)
        found = node(raw)
        if found.logical != logical or found.fsid != self.sb.fsid:
            raise Malformed(f"node {logical} is another one")
        return found

    def leaves(self, root: int, low: Key | None = None) -> Iterator[Node]:
        """The leaves of a tree in order, from the one that may hold ``low`` on."""
        stack = [(root, 0)]
        seen: set[int] = set()
        while stack:
            logical, depth = stack.pop()
            self.budget.pay()
            if logical in seen or depth > _DEEPEST:
                self.damage.append(f"node {logical} is met twice")
                continue
            seen.add(logical)
            try:
                one = self.node(logical)
            except Malformed as error:
                self.damage.append(f"node {logical}: {error}")
                continue
            if not one.level:
                yield one
                continue
            children = list(one.children())
            if low is not None:
                keys = [(k.objectid, k.type, k.offset) for k, _ in children]
                first = bisect_right(keys, (low.objectid, low.type, low.offset)) - 1
                children = children[max(0, first) :]
            stack.extend((where, depth + 1) for _, where in reversed(children))

    def items(self, root: int, objectid: int) -> Iterator[Item]:
        """The items of one object."""
        for leaf in self.leaves(root, Key(objectid, 0, 0)):
            for item in leaf.items():
                if item.key.objectid > objectid:
                    return
                if item.key.objectid == objectid:
                    yield item


def trees(cursor: Cursor, budget: Budget) -> Trees:
    """Raises Malformed where there is no file system, or its chunks cannot be read."""
    sb = superblock(cursor)
    out = Trees(cursor, sb, Map(cursor.size), budget)
    for one in system_chunks(sb):
        out.map.add(one)
    for leaf in out.leaves(sb.chunk_root):
        for item in leaf.items():
            if item.key.type == CHUNK:
                out.map.add(chunk(item.key.offset, item.data, sb.device))
    return out

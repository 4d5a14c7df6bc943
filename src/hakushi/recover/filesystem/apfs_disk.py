"""APFS as it lies on a disk (after Apple's File System Reference, 2020-06-22): objects, B-trees,
object maps, the container's and the volumes' superblocks, the records of files. Everything is
little-endian, and nothing is believed unchecked.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from hakushi.model import Malformed
from hakushi.recover.cursor import Budget, Cursor, Spent

MAGIC, VOLUME_MAGIC = b"NXSB", b"APSB"
NODE_ROOT, NODE, SPACEMAN, MAP_OF_CHECKPOINT, OMAP = 2, 3, 5, 12, 11
FILES = 14
"""The subtype of a node that tells of files."""

PHYSICAL = 0x40000000
"""Flag of a type: the object's number is the block that it lies in."""

SNAPSHOT, INODE, XATTR, EXTENT, ENTRY = 1, 3, 4, 8, 9
ROOT_PARENT, ROOT, FIRST_USER = 1, 2, 16
DIRECTORY, FILE = 0x4000, 0x8000
COMPRESSED = 0x20
"""A BSD flag: the bytes are in `com.apple.decmpfs`, or in the resource fork."""

NEWEST = (1 << 64) - 1
HEAD = 32
"""Bytes of an object's header."""

_NODE_HEAD = 56
_INFO = 40
_DEEPEST = 16
_CACHED = 512
_UNENCRYPTED, _SEALED = 1, 0x20
_MOST_VOLUMES = 100
_ID = (1 << 60) - 1
_DSTREAM, _NAME = 8, 4
_MODULUS = 0xFFFFFFFF


def sound(raw: bytes) -> bool:
    """Whether an object has the checksum that it says: Fletcher's, over 32-bit words."""
    if len(raw) < 64 or len(raw) % 4 or not any(raw[:8]):
        return False
    words = np.frombuffer(raw, "<u4", offset=8).astype(np.uint64)
    first = int(words.sum()) % _MODULUS
    weights = np.arange(len(words), 0, -1, dtype=np.uint64)
    second = int((words * weights % _MODULUS).sum()) % _MODULUS
    low = _MODULUS - (first + second) % _MODULUS
    high = _MODULUS - (first + low) % _MODULUS
    return int.from_bytes(raw[:8], "little") == high << 32 | low


@dataclass(frozen=True, slots=True)
class Head:
    """The header of every object."""

    oid: int
    xid: int
    type: int
    flags: int
    subtype: int


def head(raw: bytes) -> Head:
    """Raises Malformed where it is short."""
    if len(raw) < HEAD:
        raise Malformed("an object that ends early")
    oid, xid, type, subtype = struct.unpack_from("<QQII", raw, 8)
    return Head(oid, xid, type & 0xFFFF, type & 0xFFFF0000, subtype)


@dataclass(frozen=True, slots=True)
class Super:
    """A container's superblock."""

    block: int
    blocks: int
    xid: int
    ring: tuple[int, int]
    """First block and count of those that superblocks are written to in turn."""
    map_at: int
    map_count: int
    spaceman: int
    omap: int
    volumes: tuple[int, ...]


def superblock(raw: bytes) -> Super:
    """Raises Malformed for what no formatter writes, or whose checksum is wrong."""
    if len(raw) < 4096 or raw[32:36] != MAGIC:
        raise Malformed("no APFS container")
    block, blocks = struct.unpack_from("<IQ", raw, 36)
    if not (4096 <= block <= 65536 and block & (block - 1) == 0 and blocks):
        raise Malformed("APFS: impossible geometry")
    if len(raw) < block or not sound(raw[:block]):
        raise Malformed("APFS: the superblock's checksum is wrong")
    count, _, first = struct.unpack_from("<IIQ", raw, 104)
    map_index, map_length = struct.unpack_from("<II", raw, 136)
    spaceman, omap = struct.unpack_from("<QQ", raw, 152)
    most = min(struct.unpack_from("<I", raw, 180)[0], _MOST_VOLUMES)
    oids = struct.unpack_from(f"<{most}Q", raw, 184)
    ring = (first, count) if count < 1 << 16 else (0, 0)
    volumes = tuple(oid for oid in oids if oid)
    return Super(block, blocks, head(raw).xid, ring, map_index, map_length, spaceman, omap, volumes)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume's superblock."""

    id: bytes
    index: int
    xid: int
    name: str
    omap: int
    root: int
    snapshots: int
    snapshots_physical: bool
    hashed: bool
    """Whether directory entries carry hashes of names."""
    encrypted: bool
    sealed: bool


def volume(raw: bytes) -> Volume:
    """Raises Malformed where it is none."""
    if len(raw) < 1024 or raw[32:36] != VOLUME_MAGIC or not sound(raw):
        raise Malformed("no APFS volume")
    index, features = struct.unpack_from("<I", raw, 36)[0], struct.unpack_from("<Q", raw, 56)[0]
    tree = struct.unpack_from("<I", raw, 124)[0]
    omap, root, _, snapshots = struct.unpack_from("<QQQQ", raw, 128)
    flags = struct.unpack_from("<Q", raw, 264)[0]
    name = raw[704:960].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
    return Volume(
        raw[240:256], index, head(raw).xid, name, omap, root, snapshots, bool(tree & PHYSICAL),
        bool(features & 0x9), not flags & _UNENCRYPTED, bool(features & _SEALED),
    )  # fmt: skip


# --- trees ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a B-tree, and where its keys and values lie in it."""

    head: Head
    leaf: bool
    places: list[tuple[int, int, int, int]]
    """(key, its length, value, its length) of each record."""
    raw: bytes

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        for key, key_length, value, length in self.places:
            yield self.raw[key : key + key_length], self.raw[value : value + length]


def node(raw: bytes, fixed: tuple[int, int] = (16, 16)) -> Node:
    """A node; ``fixed``: lengths of keys and values where it says that all are alike.

    Records that point outside it are left out. Raises Malformed where it cannot be a node.
    """
    said = head(raw)
    if said.type not in (NODE_ROOT, NODE) or len(raw) < 4096:
        raise Malformed("no B-tree node")
    flags, level, count, table, table_length = struct.unpack_from("<HHIHH", raw, HEAD)
    root, leaf, alike = flags & 1, bool(flags & 2), flags & 4
    width = 4 if alike else 8
    start = _NODE_HEAD + table
    keys, end = start + table_length, len(raw) - (_INFO if root else 0)
    if leaf != (level == 0) or level > _DEEPEST or keys > end or count * width > table_length:
        raise Malformed("an impossible B-tree node")
    places = []
    for at in range(start, start + count * width, width):
        if alike:
            key, value = struct.unpack_from("<HH", raw, at)
            key_length, length = fixed[0], fixed[1] if leaf else 8
        else:
            key, key_length, value, length = struct.unpack_from("<HHHH", raw, at)
        if value == 0xFFFF:
            continue  # A ghost: a key without a value.
        if keys + key + key_length <= end and length <= value <= end - keys:
            places.append((keys + key, key_length, end - value, length))
    return Node(said, leaf, places, raw)


@dataclass(slots=True)
class Container:
    """A container that stands, by its newest superblock that holds."""

    cursor: Cursor
    budget: Budget
    sb: Super
    damage: list[str] = field(default_factory=list)
    _nodes: OrderedDict[int, Node] = field(default_factory=OrderedDict)

    def object(self, block: int, count: int = 1) -> bytes:
        """An object by its block. Raises Malformed where it does not hold."""
        self.budget.pay()
        size = self.sb.block
        if not 0 < count <= 1 << 12 or block >= self.sb.blocks:
            raise Malformed(f"block {block} is past the end")
        raw = self.cursor.take(block * size, count * size)
        if not sound(raw):
            raise Malformed(f"block {block}: its checksum is wrong")
        return raw

    def node(self, block: int) -> Node:
        """A node by its block, kept for a while."""
        known = self._nodes.get(block)
        if known is not None:
            self._nodes.move_to_end(block)
            return known
        made = self._nodes[block] = node(self.object(block))
        if len(self._nodes) > _CACHED:
            self._nodes.popitem(last=False)
        return made

    def omap(self, block: int) -> Omap:
        """The object map whose head lies in a block. Raises Malformed."""
        raw = self.object(block)
        if head(raw).type != OMAP:
            raise Malformed("no object map")
        return Omap(self, struct.unpack_from("<Q", raw, 48)[0])

    def leaves(
        self, root: int, find: Callable[[int], int], low: int | None = None
    ) -> Iterator[Node]:
        """The leaves of a tree in order, from the one that may hold object ``low`` on; ``find``
        tells the block of a node. What cannot be read is left out, and told as damage.
        """
        stack = [(root, 0)]
        seen: set[int] = set()
        while stack:
            number, depth = stack.pop()
            if number in seen or depth > _DEEPEST:
                self.damage.append(f"node {number} is met twice")
                continue
            seen.add(number)
            try:
                one = self.node(find(number))
            except Spent:
                raise
            except Malformed as error:
                self.damage.append(f"node {number}: {error}")
                continue
            if one.leaf:
                yield one
                continue
            children = [(key, value) for key, value in one.records() if len(value) >= 8]
            if low is not None:
                first = bisect_right([object_of(key)[0] for key, _ in children], low - 1) - 1
                children = children[max(0, first) :]
            for _, value in reversed(children):
                stack.append((int.from_bytes(value[:8], "little"), depth + 1))


@dataclass(slots=True)
class Omap:
    """From numbers of objects, at a time, to blocks."""

    container: Container
    root: int

    def find(self, oid: int, xid: int = NEWEST) -> int:
        """The block of an object's newest version up to ``xid``. Raises Malformed for none."""
        block = self.root
        for _ in range(_DEEPEST):
            one = self.container.node(block)
            keys = [struct.unpack("<QQ", one.raw[at : at + 16]) for at, *_ in one.places]
            at = bisect_right(keys, (oid, xid)) - 1
            if at < 0:
                break
            _, _, value, length = one.places[at]
            if not one.leaf:
                block = int.from_bytes(one.raw[value : value + 8], "little")
                continue
            if keys[at][0] != oid or length < 16:
                break
            return int(struct.unpack_from("<Q", one.raw, value + 8)[0])
        raise Malformed(f"object {oid} is not mapped")

    def finder(self, xid: int = NEWEST) -> Callable[[int], int]:
        return lambda oid: self.find(oid, xid)


def container(cursor: Cursor, budget: Budget) -> Container:
    """By the newest superblock of those that hold. Raises Malformed where there is none."""
    best = _first(cursor)
    start, count = best.ring
    for number in range(min(count, 1 << 12)):
        budget.pay()
        at = (start + number) * best.block
        if not cursor.has(at + 32, MAGIC):
            continue
        try:
            one = superblock(cursor.take(at, best.block))
        except Malformed:
            continue
        if one.xid > best.xid and one.block == best.block:
            best = one
    return Container(cursor, budget, best)


def _first(cursor: Cursor) -> Super:
    if not cursor.has(32, MAGIC):
        raise Malformed("no APFS container")
    block = cursor.u32(36)
    if not 4096 <= block <= 65536:
        raise Malformed("APFS: impossible geometry")
    return superblock(cursor.take(0, block))


# --- records of files ----------------------------------------------------------------------


def object_of(key: bytes) -> tuple[int, int]:
    """The number of the object that a key is of, and the kind of its record; -1 for a short key."""
    value = int.from_bytes(key[:8], "little") if len(key) >= 8 else -1
    return (value & _ID, value >> 60) if value >= 0 else (-1, -1)


@dataclass(frozen=True, slots=True)
class Inode:
    """What the record of an inode says; ``stream`` is the number that its extents are under."""

    parent: int
    stream: int
    modified: int
    changed: int
    links: int
    flags: int
    mode: int
    name: bytes = b""
    size: int | None = None

    @property
    def kind(self) -> int:
        return self.mode & 0xF000


def inode(raw: bytes) -> Inode:
    """Raises Malformed where it is short."""
    if len(raw) < 92:
        raise Malformed("an inode that ends early")
    parent, stream, _, modified, changed = struct.unpack_from("<QQQQQ", raw)
    links, flags, mode = (*struct.unpack_from("<i", raw, 56), *struct.unpack_from("<I", raw, 68),
                          *struct.unpack_from("<H", raw, 80))  # fmt: skip
    name, size = b"", None
    for kind, value in _fields(raw, 92):
        if kind == _NAME:
            name = value.split(b"\0", 1)[0]
        elif kind == _DSTREAM and len(value) >= 8:
            size = int.from_bytes(value[:8], "little")
    return Inode(
        parent, stream, modified // 10**9, changed // 10**9, links, flags, mode, name, size
    )


def _fields(raw: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The extended fields of a record."""
    if at + 4 > len(raw):
        return
    count = struct.unpack_from("<H", raw, at)[0]
    table, at = at + 4, at + 4 + 4 * count
    for number in range(min(count, 64)):
        if table + 4 * number + 4 > len(raw):
            return
        kind, _, length = struct.unpack_from("<BBH", raw, table + 4 * number)
        yield kind, raw[at : at + length]
        at += -(-length // 8) * 8


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of a file, in bytes at ``at`` of it; ``block`` 0 is a hole."""

    at: int
    length: int
    block: int

    @property
    def end(self) -> int:
        return self.at + self.length


def extent(key: bytes, raw: bytes) -> Extent:
    """Raises Malformed where it is short or of no length."""
    if len(key) < 16 or len(raw) < 16:
        raise Malformed("an extent that ends early")
    at = int.from_bytes(key[8:16], "little")
    length, block = struct.unpack_from("<QQ", raw)
    length &= (1 << 56) - 1
    if not length or at + length > 1 << 62:
        raise Malformed("an impossible extent")
    return Extent(at, length, block)


@dataclass(frozen=True, slots=True)
class Xattr:
    """An extended attribute: its bytes, or the number and the size of a stream that holds them."""

    name: bytes
    data: bytes = b""
    stream: int = 0
    size: int = 0


def xattr(key: bytes, raw: bytes) -> Xattr:
    """Raises Malformed where it is short."""
    if len(key) < 11 or len(raw) < 4:
        raise Malformed("an attribute that ends early")
    name = key[10 : 10 + int.from_bytes(key[8:10], "little")].split(b"\0", 1)[0]
    flags, length = struct.unpack_from("<HH", raw)
    data = raw[4 : 4 + length]
    if flags & 1:
        if len(data) < 16:
            raise Malformed("an attribute that ends early")
        stream, size = struct.unpack_from("<QQ", data)
        return Xattr(name, stream=stream, size=size)
    return Xattr(name, data)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder."""

    folder: int
    name: bytes
    number: int


def entry(key: bytes, raw: bytes, hashed: bool) -> Entry:
    """Raises Malformed where it is short."""
    at = 12 if hashed else 10
    if len(key) <= at or len(raw) < 8:
        raise Malformed("a directory entry that ends early")
    name = key[at:].split(b"\0", 1)[0]
    return Entry(object_of(key)[0], name, int.from_bytes(raw[:8], "little"))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A volume as it was at ``xid``; its superblock's copy lies in ``block``."""

    xid: int
    block: int
    name: str


def snapshot(key: bytes, raw: bytes) -> Snapshot:
    """Raises Malformed where it is short."""
    if len(raw) < 50:
        raise Malformed("a snapshot that ends early")
    block, length = struct.unpack_from("<Q", raw, 8)[0], struct.unpack_from("<H", raw, 48)[0]
    name = raw[50 : 50 + length].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
    return Snapshot(object_of(key)[0], block, name)

"""An APFS container that stands: the files of each volume and snapshot, and what is in use."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from hakushi.model import Artifact, Damage, Extents, Malformed, Role, Run, Source, State
from hakushi.model import Extent as Span
from hakushi.recover.cursor import Budget, Cursor, Spent
from hakushi.recover.filesystem import apfs_disk as disk
from hakushi.recover.filesystem import largest
from hakushi.recover.filesystem.parts import Paths
from hakushi.recover.grammar import lzfse
from hakushi.recover.grammar.stream import derive

TOPS = frozenset({disk.ROOT, disk.ROOT_PARENT})
"""The folders in which a volume begins."""

_MOST_SNAPSHOTS = 64
_MOST_TOLD = 4_000_000
_PACKED, _FORK = b"com.apple.decmpfs", b"com.apple.ResourceFork"
_TELLING = {disk.INODE, disk.XATTR, disk.EXTENT, disk.ENTRY}
_PIECE, _UNIT = 1 << 20, 1 << 16
"""Bytes of a read, and bytes that a packed piece stands for."""


@dataclass(slots=True)
class File:
    """What the records of one object say."""

    number: int
    hashed: bool = True
    inode: disk.Inode | None = None
    names: list[disk.Entry] = field(default_factory=list)
    extents: list[disk.Extent] = field(default_factory=list)
    xattrs: dict[bytes, disk.Xattr] = field(default_factory=dict)
    broken: str = ""

    def take(self, kind: int, key: bytes, value: bytes) -> None:
        """Learns from one more record."""
        try:
            if kind == disk.INODE:
                self.inode = disk.inode(value)
            elif kind == disk.EXTENT:
                self.extents.append(disk.extent(key, value))
            elif kind == disk.ENTRY:
                self.names.append(disk.entry(key, value, self.hashed))
            elif kind == disk.XATTR:
                one = disk.xattr(key, value)
                if one.name in (_PACKED, _FORK):
                    self.xattrs[one.name] = one
        except Malformed as error:
            self.broken = str(error)

    @property
    def packed(self) -> bool:
        return _PACKED in self.xattrs and bool(self.inode and self.inode.flags & disk.COMPRESSED)


@dataclass(slots=True)
class Tree:
    """The files of a volume as they were at ``xid``."""

    container: disk.Container
    volume: disk.Volume
    omap: disk.Omap
    xid: int = disk.NEWEST

    def leaves(self, low: int | None = None) -> Iterator[disk.Node]:
        return self.container.leaves(self.volume.root, self.omap.finder(self.xid), low)

    def every(self) -> Iterator[File]:
        """The objects in order, each with its records."""
        held: File | None = None
        for leaf in self.leaves():
            for key, value in leaf.records():
                number, kind = disk.object_of(key)
                if number < disk.ROOT or kind not in _TELLING:
                    continue
                if held is None or held.number != number:
                    if held is not None:
                        yield held
                    held = File(number, self.volume.hashed)
                held.take(kind, key, value)
        if held is not None:
            yield held

    def one(self, number: int) -> File:
        """The records of one object."""
        found = File(number, self.volume.hashed)
        for leaf in self.leaves(number):
            for key, value in leaf.records():
                at, kind = disk.object_of(key)
                if at > number:
                    return found
                if at == number:
                    found.take(kind, key, value)
        return found

    def extents(self, one: File) -> list[disk.Extent]:
        """The extents of a file, which lie under the number of its stream."""
        if one.inode is None or one.inode.stream == one.number:
            return one.extents
        return self.one(one.inode.stream).extents


def volumes(one: disk.Container) -> Iterator[Tree]:
    """The volumes of a container. One that cannot be read is damage."""
    names = one.omap(one.sb.omap)
    for oid in one.sb.volumes:
        try:
            said = disk.volume(one.object(names.find(oid)))
            yield Tree(one, said, one.omap(said.omap))
        except Spent:
            raise
        except Malformed as error:
            one.damage.append(f"volume {oid}: {error}")


def snapshots(tree: Tree) -> Iterator[tuple[disk.Snapshot, Tree]]:
    """What a volume was at its snapshots, the newest first."""
    one, said = tree.container, tree.volume
    if not said.snapshots:
        return
    find = (lambda block: block) if said.snapshots_physical else tree.omap.finder()
    found = []
    for leaf in one.leaves(said.snapshots, find):
        for key, value in leaf.records():
            if disk.object_of(key)[1] == disk.SNAPSHOT:
                try:
                    found.append(disk.snapshot(key, value))
                except Malformed as error:
                    one.damage.append(str(error))
    found.sort(key=lambda s: -s.xid)
    if len(found) > _MOST_SNAPSHOTS:
        one.damage.append(f"of {len(found)} snapshots the oldest were not read")
    for snapshot in found[:_MOST_SNAPSHOTS]:
        try:
            then = disk.volume(one.object(snapshot.block))
        except Spent:
            raise
        except Malformed as error:
            one.damage.append(f"snapshot {snapshot.name}: {error}")
            continue
        yield snapshot, Tree(one, then, tree.omap, snapshot.xid)


def files(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file and folder that lives, and those that a snapshot alone still has."""
    one = disk.container(Cursor(source), budget)
    place = source.locator.step("apfs", "*")
    if one.sb.blocks * one.sb.block > source.size:
        yield Damage(place, "the container ends past the volume that it lies in")
    try:
        found = list(volumes(one))
    except Spent:
        raise
    except Malformed as error:
        yield Damage(place, str(error))
        found = []
    for tree in found:
        said = tree.volume
        label = source.locator.step("apfs", f"label-{said.index}")
        if said.encrypted:
            yield Artifact(label, "filevault", State.LIVE, 0, (), said.name, role=Role.ENCRYPTED)
            continue
        yield Artifact(label, "label", State.LIVE, 0, (), said.name, Role.LABEL)
        if said.sealed:
            yield Damage(label, "the volume is sealed: the places of its files are not read")
            continue
        yield from _Walk(source, tree, said.name if len(found) > 1 else "").all()
    for what in one.damage[:1000]:
        yield Damage(place, what)


@dataclass(slots=True)
class _Walk:
    """A volume, then its snapshots; what is alike in several of them is told once."""

    source: Source
    tree: Tree
    prefix: str
    told: set[int] = field(default_factory=set)

    def all(self) -> Iterator[Artifact | Damage]:
        yield from self._one(self.tree, Paths(TOPS, self.prefix), "0")
        for snapshot, tree in snapshots(self.tree):
            name = f"$Snapshot-{snapshot.name}".replace("/", "_")
            prefix = "/".join(filter(None, [self.prefix, name]))
            yield from self._one(tree, Paths(TOPS, prefix), str(snapshot.xid))

    def _one(self, tree: Tree, paths: Paths, xid: str) -> Iterator[Artifact | Damage]:
        for one in tree.every():
            if one.inode is not None and one.inode.name:
                paths.names[one.number] = (one.inode.parent, one.inode.name)
        for one in tree.every():
            tree.container.budget.pay()
            yield from self._other_names(tree, one, paths, xid)
            if one.inode is None or one.number < disk.FIRST_USER:
                continue
            extents = tree.extents(one) if one.inode.kind == disk.FILE else []
            seen = hash((one.number, paths.names.get(one.number), one.inode.modified, *extents))
            if seen not in self.told:
                if len(self.told) < _MOST_TOLD:
                    self.told.add(seen)
                step = f"{tree.volume.index}-{xid}-{one.number}"
                yield from self._told(tree, one, extents, paths.of(one.number), step)

    def _other_names(self, tree: Tree, folder: File, paths: Paths, xid: str) -> Iterator[Artifact]:
        """Names in a folder besides those that the inodes themselves say: hard links."""
        for number, entry in enumerate(folder.names):
            said = (entry.folder, entry.name)
            seen = hash((entry.number, said))
            if said == paths.names.get(entry.number) or seen in self.told or not entry.name:
                continue
            self.told.add(seen)
            name = entry.name.decode("utf-8", "backslashreplace").replace("/", "_")
            path = "/".join(filter(None, [paths.of(entry.folder), name]))
            step = f"{tree.volume.index}-{xid}-{folder.number}-{number}"
            place = self.source.locator.step("apfs", step)
            yield Artifact(place, "name", State.LIVE, 0, (), path, Role.NAME)

    def _told(
        self, tree: Tree, one: File, extents: Sequence[disk.Extent], path: str, step: str
    ) -> Iterator[Artifact | Damage]:
        said = one.inode
        assert said is not None
        place = self.source.locator.step("apfs", step)
        if said.kind == disk.DIRECTORY:
            yield Artifact(place, "directory", State.LIVE, 0, (), path, modified=said.modified)
            return
        if said.kind != disk.FILE:
            yield Artifact(
                place, "name", State.LIVE, 0, (), path, Role.NAME, modified=said.modified
            )
            return
        if one.broken:
            yield Damage(place, one.broken)
        runs: tuple[Run, ...] | None = ()
        size, whole = said.size or 0, not one.broken
        try:
            if one.packed:
                runs, size = None, len_of(one)
            else:
                runs = laid(extents, size, tree.container.sb, self.source.size)
        except Malformed as error:
            yield Damage(place, str(error))
            runs, size, whole = (), 0, False
        yield Artifact(
            place, "file", State.LIVE, size, runs if size else (), path,
            complete=whole, modified=said.modified, changed=said.changed,
        )  # fmt: skip
        fork = one.xattrs.get(_FORK)
        if fork is not None and fork.stream and not one.packed:
            yield from self._fork(tree, fork, path, step)

    def _fork(
        self, tree: Tree, fork: disk.Xattr, path: str, step: str
    ) -> Iterator[Artifact | Damage]:
        place = self.source.locator.step("apfs", f"{step}-rsrc")
        path = f"{path}/..namedfork/rsrc"
        try:
            extents = tree.one(fork.stream).extents
            runs = laid(extents, fork.size, tree.container.sb, self.source.size)
        except Spent:
            raise
        except Malformed as error:
            yield Damage(place, str(error))
            return
        yield Artifact(place, "file", State.LIVE, fork.size, runs, path)


def laid(extents: Sequence[disk.Extent], size: int, sb: disk.Super, end: int) -> tuple[Run, ...]:
    """The runs of a file; holes between its extents. Malformed where they leave the source, or
    their file claims too much of it.
    """
    if size > max(4 << 30, 4 * end):
        raise Malformed(f"it claims {size} bytes")
    out: list[Run] = []
    at = 0
    for one in sorted(extents, key=lambda e: e.at):
        if one.at < at or one.at >= size:
            continue
        if one.at > at:
            out.append(Run(None, one.at - at))
        length = min(one.length, size - one.at)
        place = one.block * sb.block if one.block else None
        if place is not None and place + length > end:
            raise Malformed(f"block {one.block} is past the end")
        last = out[-1] if out else None
        if last is not None and last.at is not None and last.at + last.length == place:
            out[-1] = Run(last.at, last.length + length)
        else:
            out.append(Run(place, length))
        at = one.at + length
    if at < size:
        out.append(Run(None, size - at))
    return tuple(out)


# --- packed files --------------------------------------------------------------------------

_ZLIB, _LZVN, _PLAIN, _LZFSE = "zlib", "LZVN", "plain", "LZFSE"
_INLINE = {3: _ZLIB, 7: _LZVN, 9: _PLAIN, 11: _LZFSE}
"""Packed into the attribute itself, in one piece; the next number is each one's fork of pieces."""

_LZVN_MARK = 0x06
"""Before bytes that LZVN did not make smaller: no stream begins with its own end."""

_NOT_UNDONE = {13: "LZBITMAP", 14: "LZBITMAP"}


def _said(one: File) -> tuple[int, int, bytes]:
    """(how it is packed, its size, what is in the attribute itself). Raises Malformed."""
    data = one.xattrs[_PACKED].data
    if len(data) < 16 or data[:4] != b"fpmc":
        raise Malformed("its packed bytes have no head")
    how, size = struct.unpack_from("<IQ", data, 4)
    if how in _NOT_UNDONE:
        raise Malformed(f"it is packed with {_NOT_UNDONE[how]}, which is not undone here")
    if how not in _INLINE and how - 1 not in _INLINE:
        raise Malformed(f"it is packed in an unknown way ({how})")
    return how, size, data[16:]


def len_of(one: File) -> int:
    """The size of a packed file. Raises Malformed."""
    return _said(one)[1]


def _unpacked(data: bytes, way: str, length: int) -> bytes:
    """One packed piece: a stream, or the bytes as they are behind a mark."""
    if not data or way == _PLAIN:
        return data[1 : 1 + length]
    if way == _LZVN:
        return data[1 : 1 + length] if data[0] == _LZVN_MARK else lzfse.lzvn(data, length)
    if way == _LZFSE:
        return lzfse.lzfse(data, length) if data.startswith(b"bvx") else data[1 : 1 + length]
    if data[0] & 0x0F == 0x0F:
        return data[1 : 1 + length]
    try:
        return zlib.decompressobj().decompress(data, length)
    except zlib.error as error:
        raise Malformed(f"a packed piece is broken: {error}") from None


def _content(tree: Tree, one: File, source: Source) -> Iterator[bytes]:
    """The bytes of a packed file. Raises Malformed where they end."""
    how, size, inside = _said(one)
    if how in _INLINE:
        yield _unpacked(inside, _INLINE[how], min(size, _PIECE))
        return
    fork = one.xattrs.get(_FORK)
    if fork is None:
        raise Malformed("its resource fork is not there")
    raw, way = _fork_bytes(tree, fork, source), _INLINE[how - 1]
    places = _in_a_row(raw, size) if way in (_LZVN, _LZFSE) else _in_a_table(raw, size)
    for number, (at, length) in enumerate(places):
        want = min(_UNIT, size - number * _UNIT)
        yield _unpacked(raw[at : at + length], way, want)


def _in_a_row(raw: bytes, size: int) -> Iterator[tuple[int, int]]:
    """(place, length) of pieces of 64 KiB, by their places, which come first, and the end."""
    count = -(-size // _UNIT)
    if len(raw) < 4 * (count + 1):
        raise Malformed("a resource fork that ends early")
    places = struct.unpack_from(f"<{count + 1}I", raw)
    for at, end in pairwise(places):
        if not 4 * (count + 1) <= at <= end <= len(raw):
            raise Malformed("an impossible table of pieces")
        yield at, end - at


def _in_a_table(raw: bytes, size: int) -> Iterator[tuple[int, int]]:
    """(place, length) of pieces of 64 KiB, by the table that stands behind a head."""
    if len(raw) < 264:
        raise Malformed("a resource fork that ends early")
    base = int.from_bytes(raw[:4], "big") + 4
    count = int.from_bytes(raw[base : base + 4], "little")
    if count > -(-size // _UNIT) or base + 4 + 8 * count > len(raw):
        raise Malformed("an impossible table of pieces")
    for number in range(count):
        at, length = struct.unpack_from("<II", raw, base + 4 + 8 * number)
        yield base + at, length


def _fork_bytes(tree: Tree, fork: disk.Xattr, source: Source) -> bytes:
    if not fork.stream:
        return fork.data
    if fork.size > min(source.size, 256 << 20):
        raise Malformed(f"its resource fork claims {fork.size} bytes")
    runs = laid(tree.one(fork.stream).extents, fork.size, tree.container.sb, source.size)
    cursor = tree.container.cursor
    return b"".join(
        bytes(run.length) if run.at is None else cursor.take(run.at, run.length) for run in runs
    )


def member(source: Source, step: str) -> Source:
    """The bytes of a packed file by its locator step (``VOLUME-TIME-INODE``)."""
    parts = step.split("-")
    if len(parts) != 3 or not all(p.isascii() and p.isdecimal() and len(p) < 21 for p in parts):
        raise Malformed(f"no file is called {step[:60]!r}")
    index, xid, number = (int(p) for p in parts)
    found = [
        t for t in volumes(disk.container(Cursor(source), Budget())) if t.volume.index == index
    ]
    if found and xid:
        found = [t for s, t in snapshots(found[0]) if s.xid == xid]
    one = found[0].one(number) if found else None
    if one is None or one.inode is None or not one.packed:
        raise Malformed(f"inode {number} is not there")
    size = len_of(one)
    if size > largest(source):
        raise Malformed(f"it claims {size} bytes")
    out = derive(partial(_content, found[0], one, source), source.locator.step("apfs", step))
    if out.size != size:
        raise Malformed(f"of its {size} bytes {out.size} are there")
    return out


# --- what is in use ------------------------------------------------------------------------


def in_use(source: Source, budget: Budget) -> Extents:
    """What is not free, by the space manager's bitmaps. A stretch whose bitmap cannot be read
    counts as full.
    """
    whole = Extents([Span(0, source.size)])
    try:
        one = disk.container(Cursor(source), budget)
        return whole - Extents(_free(one))
    except Spent:
        raise
    except Malformed:
        return whole


def _free(one: disk.Container) -> Iterator[Span]:
    raw = _space_manager(one)
    sectors, groups = struct.unpack_from("<II", raw, 48 + 16)
    table = struct.unpack_from("<I", raw, 48 + 32)[0]
    count = groups or sectors
    if table + 8 * count > len(raw):
        raise Malformed("the space manager ends early")
    addresses = struct.unpack_from(f"<{count}Q", raw, table)
    for address in _infos(one, addresses) if groups else addresses:
        yield from _free_of(one, address)


def _infos(one: disk.Container, groups: Sequence[int]) -> Iterator[int]:
    for group in groups:
        raw = one.object(group)
        count = min(struct.unpack_from("<I", raw, 36)[0], (len(raw) - 40) // 8)
        yield from struct.unpack_from(f"<{count}Q", raw, 40)


def _free_of(one: disk.Container, address: int) -> Iterator[Span]:
    """Free blocks of the stretches that one block of the space manager's tells of."""
    try:
        raw = one.object(address)
    except Spent:
        raise
    except Malformed:
        return
    count = struct.unpack_from("<I", raw, 36)[0]
    size = one.sb.block
    for number in range(min(count, (len(raw) - 40) // 32)):
        _, start, blocks, free, bitmap = struct.unpack_from("<QQIIQ", raw, 40 + 32 * number)
        one.budget.pay()
        if blocks > 8 * size or not free:
            continue
        if not bitmap:
            yield Span(start * size, blocks * size)
            continue
        try:
            bits = one.cursor.take(bitmap * size, size)
        except Malformed:
            continue
        yield from _clear(bits, blocks, start, size)


def _clear(bits: bytes, blocks: int, start: int, size: int) -> Iterator[Span]:
    """Runs of bits that are not set."""
    import numpy as np

    used = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[:blocks]
    edges = np.flatnonzero(np.diff(np.concatenate(([1], used, [1])).astype(np.int8)))
    for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield Span((start + low) * size, (high - low) * size)


def _space_manager(one: disk.Container) -> bytes:
    """The newest space manager, by the newest checkpoint's map. Raises Malformed."""
    first, count = one.sb.ring
    for number in range(min(one.sb.map_count, count, 1 << 12)):
        block = first + (one.sb.map_at + number) % count
        try:
            raw = one.object(block)
        except Spent:
            raise
        except Malformed:
            continue
        if disk.head(raw).type != disk.MAP_OF_CHECKPOINT:
            continue
        rows = min(struct.unpack_from("<I", raw, 36)[0], (len(raw) - 40) // 40)
        for row in range(rows):
            kind, _, size, _, _, oid, where = struct.unpack_from("<IIIIQQQ", raw, 40 + 40 * row)
            if kind & 0xFFFF == disk.SPACEMAN and oid == one.sb.spaceman:
                return one.object(where, max(1, size // one.sb.block))
    raise Malformed("no space manager")

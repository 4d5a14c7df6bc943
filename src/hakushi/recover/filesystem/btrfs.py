"""A btrfs file system that stands: every file and folder of every subvolume, and what is in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from hakushi.model import (
    Artifact,
    Damage,
    Extents,
    Malformed,
    Role,
    Run,
    Source,
    State,
)
from hakushi.model import Extent as Span
from hakushi.recover.cursor import Budget, Cursor, Spent
from hakushi.recover.filesystem import btrfs_disk as disk
from hakushi.recover.filesystem import largest
from hakushi.recover.filesystem.btrfs_disk import Extent, Inode
from hakushi.recover.filesystem.parts import Paths
from hakushi.recover.grammar.btrfs_pack import unpacked
from hakushi.recover.grammar.stream import derive

_MOST_ROOTS = 100_000
TOP = frozenset({disk.FIRST_FREE})
"""The folder in which a tree begins."""

_PIECE = 1 << 20


@dataclass(slots=True)
class File:
    """What the items of one inode say."""

    number: int
    inode: Inode | None = None
    names: list[tuple[int, bytes]] = field(default_factory=list)
    extents: list[Extent] = field(default_factory=list)
    broken: str = ""

    def take(self, item: disk.Item) -> None:
        """Learns from one more item."""
        try:
            if item.key.type == disk.INODE:
                self.inode = disk.inode(item.data)
            elif item.key.type in (disk.REF, disk.EXTREF):
                self.names += disk.references(item.key, item.data)
            elif item.key.type == disk.EXTENT:
                self.extents.append(disk.extent(item.key.offset, item.data))
        except Malformed as error:
            self.broken = str(error)


@dataclass(frozen=True, slots=True)
class Root:
    """A tree of files: the volume's own, or a subvolume's or snapshot's."""

    number: int
    at: int
    parent: int = 0
    folder: int = 0
    name: bytes = b""


def roots(trees: disk.Trees) -> dict[int, Root]:
    """The trees of files that the tree of roots names."""
    found: dict[int, Root] = {}
    names: dict[int, tuple[int, int, bytes]] = {}
    for leaf in trees.leaves(trees.sb.root):
        for item in leaf.items():
            number = item.key.objectid
            if number != disk.FS_TREE and not disk.FIRST_FREE <= number <= disk.LAST_FREE:
                continue
            if item.key.type == disk.ROOT and len(item.data) >= 239 and len(found) < _MOST_ROOTS:
                found[number] = Root(number, int.from_bytes(item.data[176:184], "little"))
            elif item.key.type == disk.ROOT_BACKREF and len(item.data) > 18:
                folder = int.from_bytes(item.data[:8], "little")
                names[number] = (item.key.offset, folder, item.data[18:])
    return {number: Root(number, one.at, *names.get(number, ())) for number, one in found.items()}


def extent_tree(trees: disk.Trees) -> int:
    """Where the tree of extents begins. Raises Malformed."""
    for leaf in trees.leaves(trees.sb.root, disk.Key(disk.EXTENT_TREE, 0, 0)):
        for item in leaf.items():
            key = item.key
            if key.objectid == disk.EXTENT_TREE and key.type == disk.ROOT and len(item.data) >= 184:
                return int.from_bytes(item.data[176:184], "little")
            if key.objectid > disk.EXTENT_TREE:
                break
    raise Malformed("no tree of extents")


def every_file(trees: disk.Trees, root: Root) -> Iterator[File]:
    """The inodes of a tree, in order, each with its items."""
    held: File | None = None
    for leaf in trees.leaves(root.at):
        for item in leaf.items():
            number = item.key.objectid
            if not disk.FIRST_FREE <= number <= disk.LAST_FREE:
                continue
            if held is None or held.number != number:
                if held is not None:
                    yield held
                held = File(number)
            held.take(item)
    if held is not None:
        yield held


def files(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file and folder that lives."""
    trees = disk.trees(Cursor(source), budget)
    sb, place = trees.sb, source.locator.step("btrfs", "*")
    if sb.label:
        label = source.locator.step("btrfs", "label")
        yield Artifact(label, "label", State.LIVE, 0, (), sb.label, Role.LABEL)
    if sb.devices != 1:
        yield Damage(place, f"it lies on {sb.devices} devices, of which this is one")
    known = roots(trees)
    prefixes: dict[int, str] = {disk.FS_TREE: ""}
    waiting = sorted(known.values(), key=lambda one: (one.number != disk.FS_TREE, one.number))
    for root in waiting:
        paths = Paths(TOP, prefix=prefixes.get(root.number, f"$Subvolume-{root.number}"))
        yield from _tree(source, trees, root, paths)
        for below in waiting:
            if below.parent == root.number and below.name:
                name = below.name.decode("utf-8", "backslashreplace").replace("/", "_")
                above = paths.of(below.folder) if below.folder != disk.FIRST_FREE else paths.prefix
                prefixes[below.number] = "/".join(filter(None, [above, name]))
    for what in trees.damage[:1000]:
        yield Damage(place, what)


def _tree(
    source: Source, trees: disk.Trees, root: Root, paths: Paths
) -> Iterator[Artifact | Damage]:
    for one in every_file(trees, root):
        if one.names:
            paths.names.setdefault(one.number, one.names[0])
    for one in every_file(trees, root):
        trees.budget.pay()
        if one.number != disk.FIRST_FREE and one.inode is not None and one.inode.links:
            yield from _told(source, trees.map, root.number, one, paths)


def _told(
    source: Source, where: disk.Map, root: int, one: File, paths: Paths
) -> Iterator[Artifact | Damage]:
    assert one.inode is not None
    said, path = one.inode, paths.of(one.number)
    place = source.locator.step("btrfs", f"{root}-{one.number}")
    if said.kind == disk.DIRECTORY:
        yield Artifact(place, "directory", State.LIVE, 0, (), path, modified=said.modified)
        return
    if said.kind != disk.FILE:
        yield Artifact(place, "name", State.LIVE, 0, (), path, Role.NAME, modified=said.modified)
        return
    whole = not one.broken
    if one.broken:
        yield Damage(place, one.broken)
    runs: tuple[Run, ...] | None = None
    size = said.size
    if size > largest(source):
        yield Damage(place, f"it claims {size} bytes")
        size, whole = 0, False
    elif is_plain(one.extents):
        try:
            runs = laid(where, one.extents, size)
        except Malformed as error:
            yield Damage(place, str(error))
            runs, size, whole = (), 0, False
    yield Artifact(
        place, "file", State.LIVE, size, runs if size else (), path,
        complete=whole, modified=said.modified, changed=said.changed,
    )  # fmt: skip


def is_plain(extents: Sequence[Extent]) -> bool:
    """Whether its bytes lie on the device as they are."""
    return all(one.kind != disk.INLINE and one.packed == disk.PLAIN for one in extents)


def laid(where: disk.Map, extents: Sequence[Extent], size: int) -> tuple[Run, ...]:
    """The runs of a file whose extents are plain; holes between them. Raises Malformed."""
    out: list[Run] = []
    at = 0
    for one in sorted(extents, key=lambda e: e.at):
        if one.at < at or one.at >= size:
            continue
        if one.at > at:
            out.append(Run(None, one.at - at))
        length = min(one.length, size - one.at)
        if one.logical and one.kind == disk.REGULAR:
            out.append(Run(where.byte(one.logical + one.skip, length), length))
        else:
            out.append(Run(None, length))
        at = one.at + length
    if at < size:
        out.append(Run(None, size - at))
    return tuple(out)


def content(
    cursor: Cursor, where: disk.Map, extents: Sequence[Extent], size: int
) -> Iterator[bytes]:
    """The bytes of a file, packed and inline ones too. Raises Malformed where they end."""
    budget = Budget.of(output=max(1 << 30, 2 * size))
    at = 0
    for one in sorted(extents, key=lambda e: e.at):
        if one.at < at or one.at >= size:
            continue
        yield from _zeros(one.at - at)
        length = min(one.end - one.at, size - one.at)
        yield from _extent(cursor, where, one, length, budget)
        at = one.at + length
    yield from _zeros(size - at)


def _extent(
    cursor: Cursor, where: disk.Map, one: Extent, length: int, budget: Budget
) -> Iterator[bytes]:
    if one.kind == disk.INLINE:
        data = one.data
        if one.packed != disk.PLAIN:
            data = unpacked(data, one.packed, one.ram, budget)
        yield data[:length].ljust(length, b"\0")
    elif not one.logical or one.kind == disk.PREALLOCATED:
        yield from _zeros(length)
    elif one.packed == disk.PLAIN:
        for done in range(0, length, _PIECE):
            part = min(_PIECE, length - done)
            yield cursor.take(where.byte(one.logical + one.skip + done, part), part)
    else:
        if one.stored > _PIECE:
            raise Malformed("a packed extent that is too large")
        data = cursor.take(where.byte(one.logical, one.stored), one.stored)
        yield unpacked(data, one.packed, one.ram, budget)[one.skip : one.skip + length]


def _zeros(length: int) -> Iterator[bytes]:
    for done in range(0, length, _PIECE):
        yield bytes(min(_PIECE, length - done))


def member(source: Source, step: str) -> Source:
    """The bytes of a file by its locator step (``ROOT-INODE``), where they do not lie plain."""
    root, _, number = step.partition("-")
    if not (root.isdecimal() and number.isdecimal() and len(step) < 42):
        raise Malformed(f"no file is called {step[:60]!r}")
    cursor = Cursor(source)
    trees = disk.trees(cursor, Budget())
    tree = roots(trees).get(int(root))
    one = File(int(number))
    for item in trees.items(tree.at, int(number)) if tree else ():
        one.take(item)
    if one.inode is None or one.inode.size > largest(source):
        raise Malformed(f"inode {number} is not there")
    make = partial(content, cursor, trees.map, one.extents, one.inode.size)
    out = derive(make, source.locator.step("btrfs", step))
    if out.size != one.inode.size:
        raise Malformed(f"of its {one.inode.size} bytes {out.size} are there")
    return out


def in_use(source: Source, budget: Budget) -> Extents:
    """What is not free. Everything, where the tree of extents cannot be read."""
    whole = Extents([Span(0, source.size)])
    try:
        trees = disk.trees(Cursor(source), budget)
        used = list(_taken(trees, extent_tree(trees)))
    except Spent:
        raise
    except Malformed:
        return whole
    return whole if trees.damage else Extents(used)


def _taken(trees: disk.Trees, root: int) -> Iterator[Span]:
    yield Span(disk.SUPER, 4096)
    for leaf in trees.leaves(root):
        for item in leaf.items():
            key = item.key
            if key.type not in (disk.EXTENT_ITEM, disk.METADATA_ITEM):
                continue
            length = key.offset if key.type == disk.EXTENT_ITEM else trees.sb.node
            chunk = trees.map.find(key.objectid)
            if chunk is not None and chunk.physical is not None and length:
                yield Span(chunk.physical + key.objectid - chunk.logical, length)

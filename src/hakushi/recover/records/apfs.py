"""Old APFS nodes: files that were deleted, and files of a container that was formatted over.

APFS writes nodes anew instead of changing them. The leaves of before lie about with their checksums
until their blocks are used again; numbers of inodes are never given twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.media import Window
from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Extents,
    Locator,
    Malformed,
    Role,
    Run,
    Source,
    State,
)
from hakushi.model import Extent as Span
from hakushi.recover.cursor import Budget, Cursor, Spent
from hakushi.recover.filesystem import apfs_disk as disk
from hakushi.recover.filesystem import largest
from hakushi.recover.filesystem.apfs import TOPS, File, laid, snapshots, volumes
from hakushi.recover.filesystem.parts import Paths
from hakushi.recover.records import HELD, Ground, Records, Sign

FORMAT = "apfsold"
"""The locator step of a volume, and of the files in it."""

_SIZES = (4096, 8192, 16384, 32768, 65536)
_MOST_NODES = 1_000_000
_MOST_FILES = 1_000_000
_NODES, _MAPS, _VOLUMES = "apfs-files", "apfs-map", "apfs-volume"
_FROM_THE_END = 24
"""Bytes of an object's header before its type."""


@dataclass(frozen=True, slots=True)
class _Found:
    """An object somewhere on the medium."""

    at: int
    head: disk.Head


@dataclass(slots=True)
class _Gone:
    """A file as its newest leaves tell it. ``extents`` by node: its newest version's."""

    file: File
    born: int = -1
    at: int = 0
    extents: dict[int, list[tuple[int, disk.Extent]]] = field(default_factory=dict)


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the nodes tell of."""
    cursor = Cursor(source)
    nodes: list[_Found] = []
    for one in _objects(cursor, ground, _NODES, budget):
        if len(nodes) >= _MOST_NODES:
            place = source.locator.step("records", "apfs")
            yield Damage(place, f"more than {_MOST_NODES} old nodes: the rest was not read")
            break
        nodes.append(one)
    if not nodes:
        return
    maps = list(_objects(cursor, ground, _MAPS, budget))
    size = _block(cursor, [*maps[:16], *nodes[:16]])
    if not size:
        return
    origins = _origins(maps, size)
    if not origins:
        place = source.locator.step("records", "apfs")
        yield Damage(place, "old nodes of which no map tells where their container began")
    for number, origin in enumerate(origins):
        end = min((o for o in origins if o > origin), default=source.size)
        near = [one for one in nodes if origin <= one.at < end]
        yield from _Container(source, ground, budget, near, size, origin, end, number).files()


def _objects(cursor: Cursor, ground: Ground, sign: str, budget: Budget) -> Iterator[_Found]:
    for extent in ground.signs.get(sign, Extents()):
        for at in range(extent.offset, extent.end, SECTOR):
            budget.pay()
            try:
                said = disk.head(cursor.take(at, disk.HEAD))
            except Malformed:
                continue
            if _is(said, sign):
                yield _Found(at, said)


def _is(said: disk.Head, sign: str) -> bool:
    if sign == _VOLUMES:
        return said.type == 13
    wanted = disk.FILES if sign == _NODES else disk.OMAP
    return said.type in (disk.NODE, disk.NODE_ROOT) and said.subtype == wanted


def _block(cursor: Cursor, some: list[_Found]) -> int:
    """The size with which the checksums of some objects hold; 0 where none does."""
    for size in _SIZES:
        good = sum(_raw(cursor, one.at, size) is not None for one in some)
        if good * 2 > len(some):
            return size
    return 0


def _raw(cursor: Cursor, at: int, size: int) -> bytes | None:
    try:
        raw = cursor.take(at, size)
    except Malformed:
        return None
    return raw if disk.sound(raw) else None


def _origins(maps: list[_Found], size: int) -> list[int]:
    """Where containers begin: the nodes of object maps say in which block they lie."""
    votes = Counter(one.at - one.head.oid * size for one in maps)
    return sorted(at for at, count in votes.items() if at >= 0 and count * 20 >= len(maps))


@dataclass(slots=True)
class _Volume:
    """What is known of one volume."""

    living: set[int] = field(default_factory=set)
    standing: bool = False
    newest: int = -1
    gone: dict[int, _Gone] = field(default_factory=dict)
    paths: Paths = field(default_factory=lambda: Paths(TOPS))
    held: set[int] = field(default_factory=set)
    """Blocks of the nodes that its newest object map names."""


@dataclass(slots=True)
class _Container:
    source: Source
    ground: Ground
    budget: Budget
    nodes: list[_Found]
    size: int
    origin: int
    end: int
    number: int
    cursor: Cursor = field(init=False)
    volumes: dict[bytes, _Volume] = field(default_factory=dict)
    owner: dict[int, bytes] = field(default_factory=dict)
    """Whose a node is, by its block."""
    files_known: int = 0
    dropped: int = 0

    def __post_init__(self) -> None:
        self.cursor = Cursor(Window(self.source, self._span(), self.source.locator))

    def _span(self) -> Span:
        return Span(self.origin, self.end - self.origin)

    def files(self) -> Iterator[Artifact | Damage]:
        """The volumes, and each file of them that is gone."""
        self._who_lives()
        self._whose()
        for one in sorted(self.nodes, key=lambda n: n.head.xid):
            self._learn(one)
        for number, (_, volume) in enumerate(sorted(self.volumes.items())):
            lost = [one for n, one in sorted(volume.gone.items()) if n not in volume.living]
            if any(one.file.inode is not None for one in lost):
                yield from self._told(volume, lost, f"{self.origin}-{self.number}{number:02}")
        if self.dropped:
            place = self.source.locator.step(FORMAT, f"{self.origin}-{self.number}")
            yield Damage(place, f"more than {_MOST_FILES} old files: the rest was not told")

    # --- what stands, and whose nodes are ---

    def _who_lives(self) -> None:
        """The inodes of the container that stands there now, those of its snapshots too."""
        if not self.ground.walked(self.origin):
            return
        try:
            now = disk.container(self.cursor, self.budget)
            for tree in volumes(now):
                volume = self.volumes.setdefault(tree.volume.id, _Volume())
                volume.standing = True
                for one in tree.every():
                    if one.inode is not None:
                        volume.living.add(one.number)
                        volume.paths.names[one.number] = (one.inode.parent, one.inode.name)
                for _, then in snapshots(tree):
                    volume.living |= {one.number for one in then.every() if one.inode is not None}
        except Spent:
            raise
        except Malformed:
            return

    def _whose(self) -> None:
        """By the object maps of every volume's superblock that is left, the newest first."""
        found: list[disk.Volume] = []
        for one in _objects(Cursor(self.source), self.ground, _VOLUMES, self.budget):
            raw = _raw(self.cursor, one.at - self.origin, self.size)
            if raw is not None and self.origin <= one.at < self.end:
                try:
                    found.append(disk.volume(raw))
                except Malformed:
                    continue
        seen: set[int] = set()
        for said in sorted(found, key=lambda v: -v.xid):
            volume = self.volumes.setdefault(said.id, _Volume())
            last = said.xid > volume.newest
            volume.newest = max(volume.newest, said.xid)
            self._mapped(said, volume, seen, last)

    def _mapped(self, said: disk.Volume, volume: _Volume, seen: set[int], last: bool) -> None:
        head = self._object(said.omap)
        if head is None or disk.head(head).type != disk.OMAP:
            return
        waiting = [int.from_bytes(head[48:56], "little")]
        latest: dict[int, tuple[int, int]] = {}
        while waiting:
            block = waiting.pop()
            self.budget.pay()
            raw = None if block in seen else self._object(block)
            seen.add(block)
            if raw is None:
                continue
            try:
                node = disk.node(raw)
            except Malformed:
                continue
            for key, value in node.records():
                if not node.leaf:
                    waiting.append(int.from_bytes(value[:8], "little"))
                elif len(key) == 16 and len(value) == 16:
                    where = int.from_bytes(value[8:], "little")
                    self.owner[where] = said.id
                    oid, xid = (int.from_bytes(key[n : n + 8], "little") for n in (0, 8))
                    latest[oid] = max(latest.get(oid, (-1, 0)), (xid, where))
        if last:
            volume.held = {where for _, where in latest.values()}

    def _object(self, block: int) -> bytes | None:
        self.budget.pay()
        return _raw(self.cursor, block * self.size, self.size) if block else None

    def _volume_of(self, block: int) -> _Volume:
        known = self.owner.get(block)
        if known is None and len(self.volumes) == 1:
            known = next(iter(self.volumes))
        return self.volumes.setdefault(known or b"", _Volume())

    # --- what leaves say ---

    def _learn(self, found: _Found) -> None:
        """From an older leaf to a newer: what is newer stands."""
        block = (found.at - self.origin) // self.size
        raw = self._object(block) if (found.at - self.origin) % self.size == 0 else None
        try:
            leaf = disk.node(raw) if raw is not None else None
        except Malformed:
            return
        if leaf is None or not leaf.leaf:
            return
        volume, fresh = self._volume_of(block), dict[int, File]()
        for key, value in leaf.records():
            number, kind = disk.object_of(key)
            if number >= disk.FIRST_USER and kind in (disk.INODE, disk.XATTR, disk.EXTENT):
                fresh.setdefault(number, File(number)).take(kind, key, value)
        for number, one in fresh.items():
            self._take(volume, number, one, found, block)

    def _take(self, volume: _Volume, number: int, one: File, leaf: _Found, block: int) -> None:
        known = volume.gone.get(number)
        if known is None:
            if number in volume.living and one.inode is not None and one.inode.stream == number:
                return
            if self.files_known >= _MOST_FILES:
                self.dropped += 1
                return
            self.files_known += 1
            known = volume.gone[number] = _Gone(File(number))
        if one.inode is not None:
            known.file.inode, known.born, known.at = one.inode, leaf.head.xid, block
            if number not in volume.living:
                volume.paths.names[number] = (one.inode.parent, one.inode.name)
        known.file.xattrs |= one.xattrs
        known.file.broken = known.file.broken or one.broken
        if one.extents or leaf.head.oid in known.extents:
            known.extents[leaf.head.oid] = [(leaf.head.xid, e) for e in one.extents]

    # --- artifacts ---

    def _told(self, volume: _Volume, lost: list[_Gone], name: str) -> Iterator[Artifact]:
        place, span = self.source.locator.step(FORMAT, name), self._span()
        run = Run(span.offset, span.length)
        yield Artifact(place, "apfs", State.DELETED, span.length, (run,), role=Role.VOLUME)
        for gone in lost:
            self.budget.pay()
            if gone.file.inode is not None and gone.file.inode.name:
                yield self._artifact(place, volume, gone)

    def _artifact(self, place: Locator, volume: _Volume, gone: _Gone) -> Artifact:
        said, path = gone.file.inode, volume.paths.of(gone.file.number)
        assert said is not None
        held = HELD if not volume.standing and gone.at in volume.held else ""
        step = place.step(FORMAT, f"{gone.file.number}{held}")
        if said.kind == disk.DIRECTORY:
            return Artifact(step, "directory", State.DELETED, 0, (), path, modified=said.modified)
        name = Artifact(step, "name", State.DELETED, 0, (), path, Role.NAME, modified=said.modified)
        size, stream = said.size or 0, volume.gone.get(said.stream)
        extents = _newest(stream) if stream is not None else []
        if said.kind != disk.FILE or gone.file.packed or not extents:
            return name
        try:
            if not 0 < size <= largest(self.source):
                return name
            sb = disk.Super(self.size, 0, 0, (0, 0), 0, 0, 0, 0, ())
            runs = laid(extents, size, sb, self.end - self.origin)
        except Malformed:
            return name
        covered = sum(min(e.end, size) - e.at for e in extents if e.at < size) >= size
        used = (
            self.ground.used(Run(self.origin + r.at, r.length)) for r in runs if r.at is not None
        )
        whole = covered and not gone.file.broken and not any(used)
        return Artifact(
            step, "file", State.DELETED, size, runs, path, complete=whole,
            modified=said.modified, changed=said.changed,
        )  # fmt: skip


def _newest(gone: _Gone) -> list[disk.Extent]:
    """The extents of a stream, of those that overlap the newer."""
    kept: list[disk.Extent] = []
    every = [pair for some in gone.extents.values() for pair in some]
    for _, one in sorted(every, key=lambda pair: -pair[0]):
        if all(one.end <= other.at or other.end <= one.at for other in kept[-64:]):
            kept.append(one)
    return sorted(kept, key=lambda e: e.at)


def _sign(id: str, type: int, subtype: int) -> Sign:
    value = type.to_bytes(4, "little") + subtype.to_bytes(4, "little")
    return Sign(id, value, _FROM_THE_END)


PLUGIN = Records(
    "apfs",
    (
        _sign(_NODES, disk.NODE, disk.FILES),
        _sign(_NODES, disk.NODE_ROOT, disk.FILES),
        _sign(_MAPS, disk.PHYSICAL | disk.NODE, disk.OMAP),
        _sign(_MAPS, disk.PHYSICAL | disk.NODE_ROOT, disk.OMAP),
        Sign(_VOLUMES, disk.VOLUME_MAGIC, 32),
    ),
    read,
)

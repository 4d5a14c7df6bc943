"""Old btrfs nodes: files that were deleted, and files of a file system that was formatted over.

btrfs writes a tree's nodes anew instead of changing them: the leaves of before lie about with their
checksums until their place is used again, and with them the checksums of each sector of a file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

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
from hakushi.recover.filesystem import btrfs_disk as disk
from hakushi.recover.filesystem import largest
from hakushi.recover.filesystem.btrfs import (
    TOP,
    File,
    content,
    every_file,
    is_plain,
    laid,
    roots,
)
from hakushi.recover.filesystem.btrfs_disk import Extent
from hakushi.recover.filesystem.parts import Paths
from hakushi.recover.grammar.crc32c import crc32c
from hakushi.recover.grammar.stream import derive
from hakushi.recover.records import HELD, Ground, Records, Sign

FORMAT = "btrfsold"
"""The locator step of a volume, and of the files in it."""

_NODES = (16384, 4096, 65536, 32768, 8192)
_MOST_NODES = 1_000_000
_MOST_FILES = 1_000_000
_MOST_SUMS = 2_000_000
"""Items of checksums whose places are remembered; sectors of the others have none."""

_MOST_LEAVES, _MOST_CHUNKS = 8, 8
"""Leaves and chunks that a locator step names: a file in more of them is told by its name."""

_SECTOR = 4096
_CHECKED = 64 << 20
"""Bytes of one file up to which its sectors are held against their checksums at once."""


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the nodes tell of."""
    cursor = Cursor(source)
    found: dict[bytes, list[_Found]] = defaultdict(list)
    sizes: dict[bytes, int] = {}
    for count, one in enumerate(_headers(cursor, ground, budget)):
        if count >= _MOST_NODES:
            place = source.locator.step("records", "btrfs")
            yield Damage(place, f"more than {_MOST_NODES} old nodes: the rest was not read")
            break
        found[one.fsid].append(one)
    for number, (fsid, nodes) in enumerate(sorted(found.items())):
        sizes[fsid] = _node_size(cursor, nodes)
        if sizes[fsid]:
            yield from _Volume(source, ground, budget, nodes, sizes[fsid], number).files()


@dataclass(frozen=True, slots=True)
class _Found:
    """A node somewhere on the medium."""

    at: int
    fsid: bytes
    logical: int
    generation: int
    owner: int
    level: int


def _headers(cursor: Cursor, ground: Ground, budget: Budget) -> Iterator[_Found]:
    for extent in ground.signs.get("btrfs-node", Extents()):
        for at in range(extent.offset, extent.end, SECTOR):
            budget.pay()
            try:
                one = disk.head(cursor.take(at, disk.HEAD))
            except Malformed:
                continue
            yield _Found(at, one.fsid, one.logical, one.generation, one.owner, one.level)


def _node_size(cursor: Cursor, nodes: list[_Found]) -> int:
    """The size with which the checksums of some nodes hold; 0 where none does."""
    for size in _NODES:
        good = sum(_sound(cursor, one.at, size) for one in nodes[:16])
        if good * 2 > min(16, len(nodes)):
            return size
    return 0


def _sound(cursor: Cursor, at: int, size: int) -> bool:
    try:
        raw = cursor.take(at, size)
    except Malformed:
        return False
    return crc32c(raw[32:]) == int.from_bytes(raw[:4], "little")


@dataclass(slots=True)
class _Gone:
    """A file as its newest leaves tell it."""

    file: File
    born: int = -1
    """Generation of the leaf that told its inode, and its place."""
    at: int = 0
    extents: dict[int, tuple[int, Extent, int]] = field(default_factory=dict)
    """By place in the file: generation and place of the leaf, and the extent."""


@dataclass(slots=True)
class _Sums:
    """Where the checksums of sectors lie, by logical address, of every generation that is left."""

    cursor: Cursor
    starts: list[int] = field(default_factory=list)
    runs: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(logical, generation, place on the medium, bytes), sorted."""

    def settle(self) -> None:
        self.runs.sort()
        self.starts = [run[0] for run in self.runs]

    def of(self, logical: int, since: int) -> int | None:
        """The checksum that a sector got first from a generation on."""
        best: tuple[int, int] | None = None
        at = bisect_right(self.starts, logical)
        for start, generation, where, length in reversed(self.runs[max(0, at - 256) : at]):
            place = (logical - start) // _SECTOR * 4
            if generation < since or place + 4 > length:
                continue
            if best is None or generation < best[0]:
                best = generation, where + place
        return None if best is None else self.cursor.u32(best[1])


@dataclass(slots=True)
class _Volume:
    source: Source
    ground: Ground
    budget: Budget
    nodes: list[_Found]
    size: int
    number: int
    cursor: Cursor = field(init=False)
    map: disk.Map = field(default_factory=disk.Map)
    origin: int = 0
    living: dict[tuple[int, int], int] = field(default_factory=dict)
    standing: bool = False
    gone: dict[tuple[int, int], _Gone] = field(default_factory=dict)
    paths: dict[int, Paths] = field(default_factory=dict)
    sums: _Sums = field(init=False)
    dropped: int = 0
    """Files of which there was no room to learn."""

    def __post_init__(self) -> None:
        self.cursor = Cursor(self.source)
        self.sums = _Sums(Cursor(self.source))

    def files(self) -> Iterator[Artifact | Damage]:
        """The volume, and each file of it that is gone."""
        if not self._chunks():
            return
        self._who_lives()
        for one in sorted(self.nodes, key=lambda n: n.generation):
            if one.level == 0 and self._tells(one.owner):
                self._learn(one)
        self.sums.settle()
        lost = [(key, one) for key, one in sorted(self.gone.items()) if key not in self.living]
        if lost:
            yield from self._told(lost)
        if self.dropped:
            place = self.source.locator.step(FORMAT, f"{self.origin}-{self.number}")
            yield Damage(place, f"more than {_MOST_FILES} old files: the rest was not told")

    def _tells(self, owner: int) -> bool:
        files = owner == disk.FS_TREE or disk.FIRST_FREE <= owner <= disk.LAST_FREE
        return files or owner == disk.CSUM_TREE

    def _leaf(self, at: int) -> disk.Node | None:
        self.budget.pay()
        try:
            raw = self.cursor.take(at, self.size)
            one = disk.node(raw)
        except Malformed:
            return None
        sound = crc32c(raw[32:]) == int.from_bytes(raw[:4], "little")
        return one if sound else None

    # --- where things lie ---

    def _chunks(self) -> bool:
        """The map of the volume by every chunk that is told of, and where the volume begins."""
        raws: dict[int, tuple[int, bytes]] = {}
        for one in self.nodes:
            leaf = self._leaf(one.at) if one.owner == disk.CHUNK_TREE and not one.level else None
            for item in leaf.items() if leaf else ():
                known = raws.get(item.key.offset)
                if item.key.type == disk.CHUNK and (known is None or known[0] <= one.generation):
                    raws[item.key.offset] = (one.generation, item.data)
        if not raws:
            return self._guessed()
        ids = Counter(number for _, raw in raws.values() for number in disk.devices(raw))
        device = ids.most_common(1)[0][0] if ids else 0
        for logical, (_, raw) in raws.items():
            try:
                self.map.add(disk.chunk(logical, raw, device))
            except Malformed:
                continue
        votes: Counter[int] = Counter()
        for one in self.nodes[:4096]:
            chunk = self.map.find(one.logical)
            for copy in chunk.copies if chunk else ():
                votes[one.at - copy - (one.logical - (chunk.logical if chunk else 0))] += 1
        good = [(count, -origin) for origin, count in votes.items() if origin >= 0]
        if not good:
            return False
        self.origin = -max(good)[1]
        self.map.size = self.source.size - self.origin
        return True

    def _guessed(self) -> bool:
        """Without a chunk that tells of it: nodes that lie as far from their addresses as their
        neighbours say where the stretch between them lies.
        """
        first: dict[int, int] = {}
        for one in self.nodes:
            first[one.logical] = min(one.at, first.get(one.logical, one.at))
        bounds: list[tuple[int, int]] = []
        for logical, at in sorted(first.items()):
            if not bounds or bounds[-1][1] != at - logical:
                bounds.append((logical, at - logical))
        ends = [*(logical for logical, _ in bounds[1:]), max(first, default=0) + (1 << 30)]
        for (logical, apart), end in zip(bounds, ends, strict=True):
            low = max(0, -apart) if not self.map.chunks else logical
            if end > low:
                self.map.add(disk.Chunk(low, end - low, 1, low + apart, (low + apart,)))
        self.map.size = self.source.size
        return bool(bounds)

    def _volume(self) -> Span:
        return Span(self.origin, self.source.size - self.origin)

    def _who_lives(self) -> None:
        """The inodes of the file system that stands there now, if it is the same one."""
        if not self.ground.walked(self.origin):
            return
        window = Window(self.source, self._volume(), self.source.locator)
        try:
            trees = disk.trees(Cursor(window), self.budget)
            if trees.sb.fsid != self.nodes[0].fsid:
                return
            self.standing = True
            for root in roots(trees).values():
                paths = self.paths.setdefault(root.number, Paths(TOP))
                for one in every_file(trees, root):
                    if one.inode is not None and one.inode.links:
                        self.living[root.number, one.number] = one.inode.generation
                    if one.names:
                        paths.names.setdefault(one.number, one.names[0])
        except Spent:
            raise
        except Malformed:
            return

    # --- what leaves say ---

    def _learn(self, one: _Found) -> None:
        """From an older leaf to a newer: what is newer stands."""
        leaf = self._leaf(one.at)
        for item in leaf.items() if leaf else ():
            if item.key.type == disk.CSUM:
                if len(self.sums.runs) < _MOST_SUMS:
                    place = (one.at + item.at, len(item.data))
                    self.sums.runs.append((item.key.offset, one.generation, *place))
                continue
            number = item.key.objectid
            if not disk.FIRST_FREE < number <= disk.LAST_FREE:
                continue
            key = (one.owner, number)
            if key in self.living and item.key.type not in (disk.REF, disk.EXTREF):
                continue
            if key not in self.gone and len(self.gone) >= _MOST_FILES:
                self.dropped += 1
                continue
            self._take(self.gone.setdefault(key, _Gone(File(number))), item, one)

    def _take(self, gone: _Gone, item: disk.Item, leaf: _Found) -> None:
        fresh = File(item.key.objectid)
        fresh.take(item)
        if fresh.inode is not None and fresh.inode.links:
            gone.file.inode, gone.born, gone.at = fresh.inode, leaf.generation, leaf.at
        if fresh.names:
            gone.file.names = fresh.names
            self.paths.setdefault(leaf.owner, Paths(TOP)).names.setdefault(
                item.key.objectid, fresh.names[0]
            )
        for extent in fresh.extents:
            gone.extents[extent.at] = (leaf.generation, extent, leaf.at)

    # --- artifacts ---

    def _told(self, lost: list[tuple[tuple[int, int], _Gone]]) -> Iterator[Artifact]:
        place = self.source.locator.step(FORMAT, f"{self.origin}-{self.number}")
        span = self._volume()
        run = Run(span.offset, span.length)
        yield Artifact(place, "btrfs", State.DELETED, span.length, (run,), role=Role.VOLUME)
        for (owner, _), gone in lost:
            self.budget.pay()
            if gone.file.inode is not None:
                yield self._artifact(place, owner, gone)

    def _artifact(self, place: Locator, owner: int, gone: _Gone) -> Artifact:
        said = gone.file.inode
        assert said is not None
        path = self.paths.get(owner, Paths(TOP)).of(gone.file.number)
        held = "" if self.standing else HELD
        step = f"{owner}-{gone.file.number}{held}"
        if said.kind == disk.DIRECTORY:
            return Artifact(
                place.step(FORMAT, step), "directory", State.DELETED, 0, (), path,
                modified=said.modified,
            )  # fmt: skip
        extents, leaves = _newest(gone)
        name = Artifact(
            place.step(FORMAT, step), "name", State.DELETED, 0, (), path, Role.NAME,
            modified=said.modified,
        )  # fmt: skip
        if said.kind != disk.FILE or not extents or not 0 < said.size <= largest(self.source):
            return name
        try:
            used = self._runs(extents)
            runs = laid(self.map, extents, said.size) if is_plain(extents) else None
            if runs is None:
                step = self._address(owner, gone, leaves, extents) + held
        except Malformed:
            return name
        whole = _covers(extents, said) and not gone.file.broken
        proven = self._sums_hold(extents, said.size)
        free = not any(self.ground.used(_moved(r, self.origin)) for r in used)
        whole = whole and (free if proven is None else proven)
        return Artifact(
            place.step(FORMAT, step), "file", State.DELETED, said.size, runs, path,
            complete=whole, modified=said.modified, changed=said.changed,
        )  # fmt: skip

    def _runs(self, extents: list[Extent]) -> list[Run]:
        """Where the stored bytes of some extents lie in the volume. Raises Malformed."""
        return [
            Run(self.map.byte(one.logical, one.stored), one.stored)
            for one in extents
            if one.kind == disk.REGULAR and one.logical
        ]

    def _sums_hold(self, extents: list[Extent], size: int) -> bool | None:
        """Whether every sector has the checksum that it got with its extent: then it is the file's,
        whoever uses it too (a copy shares its bytes). None where some have no checksum left.
        """
        left, known_all = _CHECKED, True
        for one in extents:
            if one.kind != disk.REGULAR or not one.logical:
                continue
            # Of a plain extent only a part may be this file's; a packed one is read whole.
            packed = one.packed != disk.PLAIN
            start = one.logical if packed else one.logical + one.skip // _SECTOR * _SECTOR
            length = one.stored if packed else min(one.length, max(0, size - one.at))
            for logical in range(start, start + length, _SECTOR):
                left -= _SECTOR
                if left < 0:
                    return None
                self.budget.pay()
                holds = self._sum_holds(logical, one.generation)
                if holds is False:
                    return False
                known_all = known_all and holds is not None
        return True if known_all else None

    def _sum_holds(self, logical: int, since: int) -> bool | None:
        """Whether a sector has the checksum that it got; None where there is none left."""
        try:
            known = self.sums.of(logical, since)
            if known is None:
                return None
            at = self.origin + self.map.byte(logical, _SECTOR)
            return crc32c(self.cursor.take(at, _SECTOR)) == known
        except Malformed:
            return False

    def _address(self, owner: int, gone: _Gone, leaves: list[int], extents: list[Extent]) -> str:
        """A step that says where the items lie, and through which chunks. Raises Malformed."""
        chunks = {}
        for one in extents:
            chunk = self.map.find(one.logical) if one.kind == disk.REGULAR and one.logical else None
            if chunk is not None and chunk.physical is not None:
                chunks[chunk.logical] = f"{chunk.logical:x}:{chunk.length:x}:{chunk.physical:x}"
        if len(leaves) > _MOST_LEAVES or len(chunks) > _MOST_CHUNKS:
            raise Malformed("in too many pieces")
        where = ".".join(f"{at - self.origin:x}" for at in leaves)
        return f"{owner}-{gone.file.number}-{self.size:x}-{where}-{'.'.join(chunks.values())}"


def _newest(gone: _Gone) -> tuple[list[Extent], list[int]]:
    """The extents of a file, of those that overlap the newer; and the leaves that told them."""
    kept: list[Extent] = []
    leaves: dict[int, None] = {gone.at: None}
    for _, one, leaf in sorted(gone.extents.values(), key=lambda e: -e[0]):
        if all(one.end <= other.at or other.end <= one.at for other in kept[-64:]):
            kept.append(one)
            leaves[leaf] = None
    kept.sort(key=lambda e: e.at)
    return kept, list(leaves)


def _covers(extents: list[Extent], said: disk.Inode) -> bool:
    """Whether the extents stand for as many bytes as the inode says that it has."""
    stands = sum(
        one.ram if one.kind == disk.INLINE else one.length
        for one in extents
        if one.logical or one.kind == disk.INLINE
    )
    return stands == said.stored or (stands >= said.size and said.stored >= said.size)


def _moved(run: Run, by: int) -> Run:
    return run if run.at is None else Run(run.at + by, run.length)


def member(source: Source, step: str) -> Source:
    """The bytes of a file by its locator step; ``source`` is its volume."""
    parts = step.removesuffix(HELD).split("-")
    if len(parts) != 5 or len(step) > 2000:
        raise Malformed(f"no file is called {step[:60]!r}")
    try:
        number, size = int(parts[1]), int(parts[2], 16)
        leaves = [int(at, 16) for at in parts[3].split(".")]
        chunks = [[int(n, 16) for n in one.split(":")] for one in parts[4].split(".") if one]
        where = disk.Map(source.size)
        for logical, length, physical in chunks:
            where.add(disk.Chunk(logical, length, 1, physical))
    except ValueError:
        raise Malformed(f"no file is called {step[:60]!r}") from None
    cursor = Cursor(source)
    gone = _Gone(File(number))
    for at in leaves[:_MOST_LEAVES] if size in _NODES else ():
        leaf = disk.node(cursor.take(at, size))
        for item in leaf.items():
            if item.key.objectid == number:
                _add(gone, item, leaf.generation, at)
    if gone.file.inode is None:
        raise Malformed(f"inode {number} is not there")
    if gone.file.inode.size > largest(source):
        raise Malformed(f"it claims {gone.file.inode.size} bytes")
    extents, _ = _newest(gone)
    make = partial(content, cursor, where, extents, gone.file.inode.size)
    out = derive(make, source.locator.step(FORMAT, step))
    if out.size != gone.file.inode.size:
        raise Malformed(f"of its {gone.file.inode.size} bytes {out.size} are there")
    return out


def _add(gone: _Gone, item: disk.Item, generation: int, at: int) -> None:
    fresh = File(gone.file.number)
    fresh.take(item)
    if fresh.inode is not None and fresh.inode.links and generation >= gone.born:
        gone.file.inode, gone.born = fresh.inode, generation
    for extent in fresh.extents:
        known = gone.extents.get(extent.at)
        if known is None or known[0] <= generation:
            gone.extents[extent.at] = (generation, extent, at)


PLUGIN = Records("btrfs", (Sign("btrfs-node", disk.NODE_MARK, 0x38),), read)

"""Old XFS records: files that were deleted, by what is left in their inodes and in the log, and
files of a file system that was formatted over, by inodes that the new one has not written to.

Deleting sets an inode's mode, size and count of extents to nought, but leaves the extents where
they were; their length in bytes stands in the log, or is told by the content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.media import Runs
from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Extent,
    Extents,
    Locator,
    Malformed,
    Role,
    Run,
    Source,
    State,
    Unreadable,
)
from hakushi.recover import identify
from hakushi.recover.cursor import Budget, Cursor, Spent
from hakushi.recover.filesystem import xfs_disk as disk
from hakushi.recover.records import HELD, Ground, Records, Sign
from hakushi.recover.records._xfs_log import Version, versions

FORMAT = "xfsold"
"""The locator step of a volume, and of the files in it."""

_MOST_VOLUMES = 64
_DEEPEST = 128
_LARGEST_FILE = 1 << 40
_MOST_NAMES = 16
_LOW = 0xFFFFFFFF


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the records tell of."""
    cursor = Cursor(source)
    for number, (origin, sb) in enumerate(_volumes(cursor, ground, budget)):
        yield from _Volume(source, ground, origin, sb, budget, f"{origin}-{number}").files()


def _stretches(ground: Ground, *ids: str) -> Iterator[int]:
    """The sectors in which signs stand, or stand near."""
    for extent in Extents(e for id in ids for e in ground.signs.get(id, Extents())):
        yield from range(extent.offset, extent.end, SECTOR)


def _volumes(cursor: Cursor, ground: Ground, budget: Budget) -> list[tuple[int, disk.Super]]:
    """Where a volume begins, by any of its groups; one for each place."""
    found: dict[tuple[int, int, int, int], tuple[int, disk.Super]] = {}
    for at in _stretches(ground, "xfs-super"):
        budget.pay()
        try:
            sb = disk.superblock(cursor, at)
            if not cursor.has(at + sb.sector, b"XAGF"):
                continue
            group = cursor.u32(at + sb.sector + 8, ">")
        except Malformed:
            continue
        origin = at - group * sb.group_blocks * sb.block
        if origin >= 0 and group < sb.groups:
            key = (origin, sb.block, sb.group_blocks, sb.inode)
            if (key not in found and len(found) < _MOST_VOLUMES) or origin == at:
                found[key] = (origin, sb)
    return sorted(found.values(), key=lambda one: one[0])


@dataclass(slots=True)
class _Claim:
    """A file that is gone. ``size`` None: its length is not known, but where its blocks are."""

    one: disk.Inode
    pieces: list[disk.Piece]
    size: int | None
    held: bool = False
    """Its inode was in use until its file system ended."""


@dataclass(slots=True)
class _Volume:
    source: Source
    ground: Ground
    origin: int
    sb: disk.Super
    budget: Budget
    name: str
    cursor: Cursor = field(init=False)
    living: set[int] = field(default_factory=set)
    known: bool = True
    """Which inodes are in use now is known."""
    names: dict[int, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    logged: dict[int, list[Version]] = field(default_factory=lambda: defaultdict(list))
    leaves: dict[int, list[list[disk.Piece]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.cursor = Cursor(self.source)

    def files(self) -> Iterator[Artifact | Damage]:
        """The volume, and each file of it that is gone: a generation for each identifier."""
        self._who_lives()
        for version in versions(self.cursor, self.origin, self.sb, self.budget):
            self.logged[version.inode.number].append(version)
        self._learn_leaves()
        generations: dict[bytes, list[_Claim]] = defaultdict(list)
        folders: list[disk.Inode] = []
        for one in self._inodes():
            if one.kind == disk.DIRECTORY:
                folders.append(one)
            if one.number in self.living and one.uuid in {b"", self.sb.uuid}:
                generations[one.uuid] += self._before(one)
                continue
            generations[one.uuid] += self._gone(one)
        self._name_all(folders)
        for number, (_, claims) in enumerate(sorted(generations.items())):
            if claims:
                yield from self._told(f"{self.name}-{number}", claims)

    def _who_lives(self) -> None:
        try:
            standing = disk.superblock(self.cursor, self.origin).uuid == self.sb.uuid
            standing = standing and self.ground.walked(self.origin)
        except Malformed:
            standing = False
        room = self.cursor.size - self.origin
        for group in self.sb.groups_within(room) if standing else ():
            try:
                self.living.update(
                    disk.allocated_inodes(self.cursor, self.origin, self.sb, group, self.budget)
                )
            except Spent:
                raise
            except Malformed:
                self.known = False
        self.known = self.known and standing

    def _learn_leaves(self) -> None:
        """Leaves of trees of extents, which say whose they are, and outlive their roots."""
        for at, raw in self._blocks("xfs-map", self.sb.block):
            found = disk.left_leaf(raw, self.sb)
            if found and found[1] and at >= 0:
                self.leaves[found[0]].append(found[1])

    def _blocks(self, sign: str, length: int) -> Iterator[tuple[int, bytes]]:
        """(place, bytes) of each block of the volume in which a sign may stand."""
        for at in _stretches(self.ground, sign):
            self.budget.pay()
            place = at - self.origin
            if place < 0 or place % self.sb.block or place >= self.sb.size:
                continue
            try:
                yield place, self.cursor.take(at, length)
            except Malformed:
                continue

    def _inodes(self) -> Iterator[disk.Inode]:
        """Every inode that stands somewhere in the volume, living or not."""
        for at in _stretches(self.ground, "xfs-file", "xfs-folder", "xfs-free"):
            place = at - self.origin
            for inside in range(place, place + SECTOR, self.sb.inode):
                self.budget.pay()
                if inside < 0 or inside % self.sb.inode or inside >= self.sb.size:
                    continue
                try:
                    raw = self.cursor.take(self.origin + inside, self.sb.inode)
                except Malformed:
                    continue
                one = disk.inode(raw, self.sb, self.sb.number_at(inside))
                if one is not None:
                    yield one

    # --- who is gone ---

    def _gone(self, one: disk.Inode) -> Iterator[_Claim]:
        """The file of an inode that is not in use, and those that the log knows it held before."""
        told: set[tuple[tuple[int, int], ...]] = set()
        found: list[_Claim] = []
        if one.kind == disk.FILE and one.size and one.links:
            found.append(_Claim(one, self._pieces(one), one.size, held=not self.known))
        elif one.kind == disk.DIRECTORY:
            found.append(_Claim(one, [], 0, held=not self.known))
        if one.uuid in {b"", self.sb.uuid}:
            found += self._before(one)
        if not one.mode and one.form == disk.EXTENTS:
            left = disk.pieces(one.fork, self.sb, len(one.fork) // 16) or self._leaves(one)
            if left:
                found.append(_Claim(one, left, self._length(one, left)))
        for claim in found:
            key = tuple((piece.block, piece.count) for piece in claim.pieces)
            if key not in told or not key:
                told.add(key)
                yield claim

    def _leaves(self, one: disk.Inode) -> list[disk.Piece]:
        """The extents of a freed inode that had a tree of them."""
        every = sorted((p for leaf in self.leaves.get(one.number, ()) for p in leaf), key=_offset)
        ends = [0, *(piece.offset + piece.count for piece in every)]
        apart = all(piece.offset >= end for piece, end in zip(every, ends, strict=False))
        return every if apart else []

    def _length(self, one: disk.Inode, left: list[disk.Piece]) -> int | None:
        """The bytes that the log last knew in an inode, if they end in the last block left."""
        room = (left[-1].offset + left[-1].count) * self.sb.block
        for version in reversed(self.logged.get(one.number, ())):
            size = version.inode.size
            if version.inode.kind == disk.FILE and size:
                return size if 0 <= room - size < self.sb.block else None
        return None

    def _pieces(self, one: disk.Inode) -> list[disk.Piece]:
        try:
            return disk.extents(self.cursor, self.origin, self.sb, one, self.budget)
        except Spent:
            raise
        except Malformed:
            return []

    def _before(self, now: disk.Inode) -> Iterator[_Claim]:
        """Files that an inode held, by the log: a file is a number with a generation."""
        lives: dict[int, _Claim] = {}
        alive = now.mode and now.number in self.living
        for version in self.logged.get(now.number, ()):
            one = version.inode
            if one.kind != disk.FILE or (alive and one.generation == now.generation):
                continue
            claim = lives.setdefault(one.generation, _Claim(one, [], 0))
            if one.size:
                claim.one, claim.size = one, one.size
            if version.fork and one.form == disk.EXTENTS and one.links:
                pieces = disk.pieces(version.fork, self.sb, one.extents)
                if pieces:
                    claim.pieces = pieces
        for claim in lives.values():
            if claim.pieces and claim.size:
                yield claim

    # --- names ---

    def _name_all(self, folders: list[disk.Inode]) -> None:
        owners: dict[int, int] = {}
        for one in folders:
            self.budget.pay()
            if one.form == disk.LOCAL:
                self._say(one.number, disk.short_entries(one.fork, self.sb))
            elif self.sb.version == 4:
                for piece in self._pieces(one):
                    for n in range(min(piece.count, 1 << 16)):
                        owners[self.sb.byte(piece.block) + n * self.sb.block] = one.number
        for number, some in self.logged.items():
            for version in some:
                if version.inode.kind == disk.DIRECTORY and version.inode.form == disk.LOCAL:
                    self._say(number, disk.short_entries(version.fork or b"", self.sb))
        self._name_by_sign(owners)

    def _name_by_sign(self, owners: dict[int, int]) -> None:
        for place, raw in self._blocks("xfs-names", self.sb.folder_block):
            if raw[:4] in disk.DATA_BLOCKS:
                owner = disk.block_owner(raw)
                owner = owners.get(place, -1) if owner is None else owner
                self._say(owner, disk.block_entries(raw, self.sb, self.budget))

    def _say(self, owner: int, entries: Iterator[disk.Entry]) -> None:
        for entry in entries:
            some = self.names[entry.number & _LOW]
            said = (owner, entry.name)
            if entry.name not in {b".", b".."} and said not in some and len(some) < _MOST_NAMES:
                some.append(said)

    def _path(self, number: int) -> str:
        names: list[str] = []
        seen: set[int] = set()
        while number != self.sb.root:
            some = self.names.get(number & _LOW)
            if not some or number in seen or len(names) > _DEEPEST:
                return "/".join(["$Orphan", f"inode-{number}", *reversed(names)])
            seen.add(number)
            number = some[0][0]
            names.append(some[0][1].decode("utf-8", "backslashreplace"))
            if number < 0:
                return "/".join(["$Orphan", *reversed(names)])
        return "/".join(reversed(names))

    # --- artifacts ---

    def _told(self, name: str, claims: list[_Claim]) -> Iterator[Artifact]:
        place = self.source.locator.step(FORMAT, name)
        length = min(self.sb.size, self.source.size - self.origin)
        run = Run(self.origin, length)
        yield Artifact(place, "xfs", State.DELETED, length, (run,), role=Role.VOLUME)
        for number, claim in enumerate(claims):
            self.budget.pay()
            yield self._artifact(place, claim, number, length)

    def _artifact(self, place: Locator, claim: _Claim, number: int, length: int) -> Artifact:
        one, path = claim.one, self._path(claim.one.number)
        step = f"{one.number}-{number}" + (HELD if claim.held else "")
        locator = place.step(FORMAT, step)
        if one.kind == disk.DIRECTORY:
            return Artifact(locator, "directory", State.DELETED, 0, (), path, modified=one.modified)
        whole, size = True, claim.size
        if size is None:
            whole, size = self._measured(claim)
        if not claim.pieces or not 0 < size <= _LARGEST_FILE:
            return Artifact(
                locator, "name", State.DELETED, 0, (), path, Role.NAME, modified=one.modified
            )
        runs, covered = disk.runs(claim.pieces, self.sb, size)
        # Holes are believed only of an inode that says how many extents it has.
        whole = whole and (covered or 0 < one.extents == len(claim.pieces))
        inside = all(run.at is None or run.at + run.length <= length for run in runs)
        if not inside:
            return Artifact(
                locator, "name", State.DELETED, 0, (), path, Role.NAME, modified=one.modified
            )
        taken = any(
            self.ground.used(Run(self.origin + run.at, run.length))
            for run in runs
            if run.at is not None
        )
        return Artifact(
            locator, "file", State.DELETED, size, runs, path,
            complete=whole and not taken, modified=one.modified or None, changed=one.changed,
        )  # fmt: skip

    def _measured(self, claim: _Claim) -> tuple[bool, int]:
        """(whether that is sure, the length) of a file whose blocks alone are known: by its own
        structure, or up to the zeros with which the last block is filled.
        """
        last = claim.pieces[-1]
        size = (last.offset + last.count) * self.sb.block
        runs, _ = disk.runs(claim.pieces, self.sb, size)
        content = Runs(self.source, [_moved(r, self.origin) for r in runs], size, _PLACE)
        try:
            one = identify(content)
            found = one.measure(content, Budget.of(seconds=20)) if one and one.measure else None
            if found and found.complete and size - found.length < self.sb.block:
                return True, found.length
            tail = content.read(Extent(size - self.sb.block, self.sb.block))
        except (Malformed, Unreadable):
            return False, size
        return False, size - self.sb.block + len(tail.rstrip(b"\0"))


def _offset(piece: disk.Piece) -> int:
    return piece.offset


_PLACE = Locator.root("memory", "xfs")


def _moved(run: Run, by: int) -> Run:
    return run if run.at is None else Run(run.at + by, run.length)


PLUGIN = Records(
    "xfs",
    (
        Sign("xfs-super", disk.MAGIC),
        Sign("xfs-file", b"IN\x81"),
        Sign("xfs-folder", b"IN\x41"),
        Sign("xfs-free", b"IN\x00\x00"),
        Sign("xfs-map", b"BMA3"),
        Sign("xfs-names", b"XD2"),
        Sign("xfs-names", b"XDB3"),
        Sign("xfs-names", b"XDD3"),
    ),
    read,
)

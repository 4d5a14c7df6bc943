"""Old ext2, ext3 and ext4 records: deleted files by the copies of their inodes in the journal, and
files of a file system that was formatted over by inodes that the new one has not written to.

Deleting in ext4 clears an inode's extents, but each transaction of the journal holds whole blocks
of inode tables and directories as they were. Time is counted in transactions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

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
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.records import Ground, Records, Sign
from hakushi.recover.records._ext_inode import DIRECTORY, FILE, BlockMap, Inode, Laid, inodes
from hakushi.recover.records._ext_journal import MAGIC, Copies, Head, copies, head
from hakushi.recover.records._ext_names import DOT, ROOT, Names
from hakushi.recover.records._ext_volume import Geometry, geometries

FORMAT = "extold"
"""The locator step of a volume, and of the files in it."""

_JOURNAL = 8
_LEFT, _NOW = -1, 1 << 40
"""When an inode stood that an older file system left in place; and one that stands now."""

_INLINE_AT = 40
"""Where in an inode a small file's bytes stand."""

_LARGEST_FOLDER = 1 << 30
_CLEARED = 1 << 16
"""Bytes at its end that mke2fs clears of what a RAID may have left there."""

_ENTRY_KINDS = {FILE: 1, DIRECTORY: 2, 0x2000: 3, 0x6000: 4, 0x1000: 5, 0xC000: 6, 0xA000: 7}


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the records tell of."""
    cursor = Cursor(source)
    known = geometries(cursor, ground.signs.get("ext-super", Extents()), budget)
    signs = ground.signs.get("ext-journal", Extents())
    heads = _heads(cursor, known, signs, budget)
    for number, geometry in enumerate(known):
        own, foreign = _journals(cursor, geometry, known, heads, budget)
        name = f"{geometry.origin}-{number}"
        yield from _Volume(source, ground, geometry, own, budget, name).files()
        for n, one in enumerate(foreign):
            yield from _Volume(
                source, ground, geometry, [one], budget, f"{name}-{n}", old=True
            ).files()


# --- journals ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Journal:
    """``places``: the bytes at which its blocks stand, in order."""

    head: Head
    places: Sequence[int]
    owner: Geometry | None
    """The file system whose inode 8 it is now."""


def _heads(cursor: Cursor, known: list[Geometry], where: Extents, budget: Budget) -> list[_Journal]:
    """Journals that a standing file system names, then those found by their magic alone, which
    are taken to lie in one piece.
    """
    out: dict[int, _Journal] = {}
    for geometry in known:
        places = _named(cursor, geometry, budget)
        found = head(cursor, places[0]) if places else None
        if found is not None and found.block == geometry.sb.block and found.at not in out:
            out[found.at] = _Journal(found, places[: found.blocks], geometry)
    for extent in where:
        for at in range(extent.offset, extent.end, SECTOR):
            budget.pay()
            found = head(cursor, at)
            if found is None or at in out:
                continue
            end = min(found.at + found.blocks * found.block, cursor.size)
            out[at] = _Journal(found, range(found.at, end, found.block), None)
    return list(out.values())


def _named(cursor: Cursor, geometry: Geometry, budget: Budget) -> list[int]:
    """The places of the blocks of inode 8."""
    one = _inode_now(cursor, geometry, _JOURNAL)
    if one is None or one.size > 1 << 36:
        return []
    block = geometry.sb.block

    def now(number: int) -> Iterator[bytes]:
        yield from _taken(cursor, geometry.place(number), block)

    laid = BlockMap(block, geometry.sb.blocks, now, budget).of(one)
    out: list[int] = []
    for run in laid.runs:
        if run.at is None:
            break
        budget.pay(steps=1 + run.length // block)
        out += range(geometry.origin + run.at, geometry.origin + run.at + run.length, block)
    return out


def _taken(cursor: Cursor, at: int, length: int) -> Iterator[bytes]:
    try:
        yield cursor.take(at, length)
    except Malformed:
        return


def _inode_now(cursor: Cursor, geometry: Geometry, number: int) -> Inode | None:
    at = geometry.inode_at(number)
    for raw in _taken(cursor, at, geometry.sb.inode_size) if at is not None else ():
        for _, one in inodes(raw, at or 0, geometry.sb.inode_size):
            return one
    return None


def _journals(
    cursor: Cursor,
    geometry: Geometry,
    known: list[Geometry],
    heads: list[_Journal],
    budget: Budget,
) -> tuple[list[_Journal], list[_Journal]]:
    """A file system's own journals, and older ones in its place that no superblock owns."""
    uuids = {one.sb.uuid for one in known}
    own, foreign = [], []
    for one in heads:
        if one.owner is geometry:
            own.append(one)
        elif one.owner is None and one.head.uuid == geometry.sb.uuid:
            own.append(_without_lists(cursor, geometry, one, budget))
        elif (
            one.owner is None
            and one.head.uuid not in uuids
            and one.head.block == geometry.sb.block
            and 0 <= one.head.at - geometry.origin < geometry.size
        ):
            foreign.append(_without_lists(cursor, geometry, one, budget))
    return own, foreign


def _without_lists(
    cursor: Cursor, geometry: Geometry, journal: _Journal, budget: Budget
) -> _Journal:
    """Without the indirect blocks that stand among the blocks of an ext3 journal: each lists first
    the block that follows it.
    """
    out: list[int] = []
    size, at = geometry.sb.block, journal.head.at
    while len(out) < journal.head.blocks and at + size <= cursor.size:
        budget.pay()
        following = (at - geometry.origin) // size + 1
        lists = any(int.from_bytes(raw, "little") == following for raw in _taken(cursor, at, 4))
        if not lists:
            out.append(at)
        at += size
    return replace(journal, places=out)


# --- one volume ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Version:
    """An inode as it was in a transaction."""

    sequence: int
    inode: Inode


@dataclass(slots=True)
class _Claim:
    """A file that is gone, and its blocks."""

    number: int
    version: _Version
    laid: Laid
    lost: bool = False

    @property
    def contested(self) -> bool:
        """Whether another file may have been given its blocks."""
        return self.version.inode.kind == FILE and not self.version.inode.inline


@dataclass(slots=True)
class _Volume:
    """A file system and the journals that tell of it. ``old``: it is no more, another one stands
    in its place and says who lives there now.
    """

    source: Source
    ground: Ground
    geometry: Geometry
    journals: list[_Journal]
    budget: Budget
    name: str
    old: bool = False
    cursor: Cursor = field(init=False)
    copies: Copies = field(default_factory=Copies)
    versions: dict[int, list[_Version]] = field(default_factory=lambda: defaultdict(list))
    live: dict[int, Inode] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.cursor = Cursor(self.source)

    def files(self) -> Iterator[Artifact | Damage]:
        """The volume, and each file of it that is gone."""
        for journal in self.journals:
            self.copies.add(copies(self.cursor, journal.head, journal.places, self.budget))
        self._from_journal()
        if not self.old:
            self._from_tables()
        claims = list(self._gone())
        if not claims:
            return
        self._name_all()
        _contest(claims, self.copies, self.geometry.sb.block, self.budget)
        place = self.source.locator.step(FORMAT, self.name)
        length = min(self.geometry.size, self.source.size - self.geometry.origin)
        run = Run(self.geometry.origin, length)
        yield Artifact(place, "ext", State.DELETED, length, (run,), role=Role.VOLUME)
        for claim in claims:
            found = self._artifact(place, claim, length)
            yield found
            if claim.version.inode.encrypted and found.kind == "file":
                locked = place.step(FORMAT, f"{found.locator.last[1]}-locked")
                yield Artifact(locked, "fscrypt", State.DELETED, 0, (), found.path, Role.ENCRYPTED)

    # --- inodes ---

    def _from_journal(self) -> None:
        sb = self.geometry.sb
        for block in sorted(self.copies.of):
            first = self.geometry.first_inode_of(block)
            for copy in self.copies.of[block] if first is not None else ():
                self.budget.pay(steps=sb.block // sb.inode_size)
                try:
                    raw = copy.read(self.cursor, sb.block)
                except Malformed:
                    continue
                for index, one in inodes(raw, copy.at, sb.inode_size):
                    number = (first or 0) + index
                    if one.named and (number >= sb.first_inode or number == ROOT):
                        self.versions[number].append(_Version(copy.sequence, one))

    def _from_tables(self) -> None:
        """Who lives now, as far as it matters, and whom an older file system left in place."""
        sb = self.geometry.sb
        bitmaps: dict[int, bytes] = {}
        for group, at, raw in self.geometry.tables(self.cursor, self.budget):
            if group not in bitmaps:
                bitmaps = {group: self._bitmap(group)}
            bits = bitmaps[group]
            start = self.geometry.place(self.geometry.groups[group].inode_table)
            self.budget.pay(steps=len(raw) // sb.inode_size)
            for index, one in inodes(raw, at, sb.inode_size):
                bit = (at - start) // sb.inode_size + index
                number = group * sb.inodes_per_group + bit + 1
                if bit >= sb.inodes_per_group or not one.named:
                    continue
                if bit >> 3 < len(bits) and bits[bit >> 3] >> (bit & 7) & 1:
                    if not self.ground.walked(self.geometry.origin) and number >= sb.first_inode:
                        self.versions[number].append(_Version(_NOW, one))
                    elif number in self.versions or one.kind == DIRECTORY:
                        self.live[number] = one
                elif number >= sb.first_inode and self.geometry.standing:
                    self.versions[number].append(_Version(_LEFT, one))
                elif number >= sb.first_inode or number == ROOT:
                    # Nothing was written to this table after the journal's last transaction.
                    self.versions[number].append(_Version(_NOW, one))

    def _bitmap(self, group: int) -> bytes:
        try:
            return self.geometry.allocated(self.cursor, group)
        except Malformed:
            return b""

    def _gone(self) -> Iterator[_Claim]:
        """The newest copy of each file that lives no more."""
        for number in sorted(self.versions):
            best: dict[tuple[int, int, int], _Version] = {}
            for version in self.versions[number]:
                before = best.get(version.inode.who)
                if before is None or before.sequence <= version.sequence:
                    best[version.inode.who] = version
            now = self.live.get(number)
            for who, version in best.items():
                if number == ROOT or (now is not None and now.who == who):
                    continue
                self.budget.pay()
                yield _Claim(number, version, self._laid(version))

    def _laid(self, version: _Version) -> Laid:
        one, sb = version.inode, self.geometry.sb
        if one.inline and one.kind == FILE and 0 < one.size <= len(one.block):
            at = one.at + _INLINE_AT - self.geometry.origin
            return Laid((Run(at, one.size),) if at >= 0 else (), whole=at >= 0)
        if one.kind not in (FILE, DIRECTORY) or one.inline:
            return Laid((), whole=False)

        def read(block: int) -> Iterator[bytes]:
            return self._blocks(block, version.sequence)

        return BlockMap(sb.block, sb.blocks, read, self.budget).of(one)

    def _blocks(self, block: int, sequence: int) -> Iterator[bytes]:
        """The bytes a block may have had in a transaction, the likeliest first."""
        size = self.geometry.sb.block
        if sequence in (_LEFT, _NOW):
            yield from _taken(self.cursor, self.geometry.place(block), size)
        for copy in self.copies.before(block, sequence):
            try:
                yield copy.read(self.cursor, size)
            except Malformed:
                continue
        yield from _taken(self.cursor, self.geometry.place(block), size)

    # --- names ---

    def _name_all(self) -> None:
        """Every name that any copy of any directory tells of."""
        folders = [(n, _Version(_NOW, one)) for n, one in self.live.items()]
        folders += [(n, v) for n, some in self.versions.items() for v in some]
        owners: dict[int, set[int]] = defaultdict(set)
        for number, version in folders:
            one = version.inode
            if one.kind == DIRECTORY and one.size <= _LARGEST_FOLDER:
                for block in self._numbers(self._laid(version)):
                    owners[block].add(number)
        for block in list(self.copies.of):
            if block not in owners and self.geometry.first_inode_of(block) is None:
                owners[block] = set()
        for block, numbers in owners.items():
            self._names_of(block, numbers)
        self._names_by_sign()

    def _numbers(self, laid: Laid) -> Iterator[int]:
        size = self.geometry.sb.block
        for run in laid.runs:
            if run.at is not None:
                self.budget.pay(steps=1 + run.length // size)
                yield from range(run.at // size, -(-(run.at + run.length) // size))

    def _names_of(self, block: int, numbers: set[int]) -> None:
        size = self.geometry.sb.block
        for copy in self.copies.of.get(block, ()):
            for raw in _taken(self.cursor, copy.at, size):
                self._say(raw, copy.sequence, numbers)
        if numbers:
            for raw in _taken(self.cursor, self.geometry.place(block), size):
                self._say(raw, _LEFT if self.old else _NOW, numbers)

    def _names_by_sign(self) -> None:
        """First blocks of directories that no inode leads to any more."""
        size = self.geometry.sb.block
        for extent in self.ground.signs.get("ext-folder", Extents()):
            for at in range(extent.offset, extent.end, SECTOR):
                self.budget.pay()
                if (at - self.geometry.origin) % size or at < self.geometry.origin:
                    continue
                for raw in _taken(self.cursor, at, size):
                    self._say(raw, _LEFT, set())

    def _say(self, raw: bytes, sequence: int, numbers: set[int]) -> None:
        """A block of a directory: whose, it says itself if it is the first one."""
        inodes_ = self.geometry.sb.inodes
        if raw[4:12] == DOT:
            numbers = {int.from_bytes(raw[:4], "little")}
        for number in numbers:
            self.names.add(number, raw, sequence, inodes_, self.budget)

    # --- artifacts ---

    def _artifact(self, place: Locator, claim: _Claim, length: int) -> Artifact:
        one, sequence = claim.version.inode, claim.version.sequence
        path = self.names.path(claim.number, sequence, _ENTRY_KINDS[one.kind])
        locator = place.step(FORMAT, f"{claim.number}-{one.at}")
        if one.kind == DIRECTORY:
            return Artifact(locator, "directory", State.DELETED, 0, (), path, modified=one.modified)
        some = any(run.at is not None for run in claim.laid.runs)
        inside = all(r.at is None or r.at + r.length <= length for r in claim.laid.runs)
        if one.kind != FILE or not one.size or not some or not inside:
            return Artifact(
                locator, "name", State.DELETED, 0, (), path, Role.NAME, modified=one.modified
            )
        origin = self.geometry.origin
        taken = any(
            self.ground.used(Run(origin + run.at, run.length))
            for run in claim.laid.runs
            if run.at is not None and not one.inline
        )
        wiped = sequence == _LEFT and self._wiped(claim.laid)
        whole = claim.laid.whole and not (claim.lost or taken or wiped)
        return Artifact(
            locator, "file", State.DELETED, one.size, claim.laid.runs, path,
            complete=whole, modified=one.modified,
        )  # fmt: skip

    def _wiped(self, laid: Laid) -> bool:
        """Whether a part lies where formatters clear the end of a volume, and is all zeros."""
        end = self.geometry.size
        for run in laid.runs:
            low = max(run.at or 0, end - _CLEARED)
            length = (run.at or 0) + run.length - low
            if run.at is None or length <= 0:
                continue
            for raw in _taken(self.cursor, self.geometry.origin + low, length):
                if not any(raw):
                    return True
        return False


# --- who wrote last ------------------------------------------------------------------------


def _contest(claims: list[_Claim], copies: Copies, block: int, budget: Budget) -> None:
    """Marks the claims with a block that a later transaction gave to another file, or to a
    directory or a list of blocks: only such blocks stand in the journal.
    """
    spans = sorted(
        ((run.at, run.at + run.length, n)
        for n, claim in enumerate(claims)
        for run in claim.laid.runs
        if run.at is not None and claim.contested),
    )  # fmt: skip
    metadata = sorted(copies.of)
    at = 0
    active: list[tuple[int, int]] = []
    for start, end, n in spans:
        mine = claims[n]
        active = [(stop, other) for stop, other in active if stop > start]
        budget.pay(steps=1 + len(active))
        for _, other in active:
            theirs = claims[other]
            if other != n and theirs.version.sequence <= mine.version.sequence:
                theirs.lost = True
            if other != n and theirs.version.sequence >= mine.version.sequence:
                mine.lost = True
        active.append((end, n))
        while at < len(metadata) and metadata[at] * block < start:
            at += 1
        index = at
        while index < len(metadata) and metadata[index] * block < end:
            budget.pay()
            if copies.newest(metadata[index]) > mine.version.sequence:
                mine.lost = True
            index += 1


PLUGIN = Records(
    "ext",
    (
        Sign("ext-super", b"\x53\xef", 56),
        Sign("ext-journal", MAGIC),
        Sign("ext-folder", DOT, 4),
    ),
    read,
)

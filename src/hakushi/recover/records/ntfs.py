"""Old NTFS file records: a quick-formatted or overwritten volume's files, by their own records.

Two passes: the first learns who stands where, which volumes there were and their folders, the
second makes the files. So a million records need little memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

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
from hakushi.recover.cursor import Budget
from hakushi.recover.filesystem.ntfs_journal import LOG_SIGN, USN_SIGN, USN_SIGN_AT
from hakushi.recover.filesystem.ntfs_records import Attribute, Record, record
from hakushi.recover.records import Ground, Records, Sign
from hakushi.recover.records._ntfs_origin import (
    Geometry,
    Piece,
    choose,
    directory_block,
    from_boots,
    learn,
    stripes,
    vote,
    vote_by_magic,
)
from hakushi.recover.records._ntfs_scan import (
    DATA,
    DIRECTORY,
    LIST,
    ROOT,
    Head,
    IndexBlock,
    changed,
    cluster_of,
    file_name,
    first_cluster,
    index_blocks,
    journal_blocks,
    modified,
    records,
)
from hakushi.recover.records._ntfs_streams import Stream, laid, step, streams

FORMAT = "ntfsold"
"""The locator step of a generation, and of the files in it."""

_OWN = 24
"""Records below this number are the volume's own."""

_DEEPEST = 128
_EXTENSIONS = 1024
_GENERATIONS = 64
_VOLUMES = 256
"""More are noise: the rest of the records count as of no known volume."""


@dataclass(slots=True)
class _Generation:
    """A table that once was: pieces in which no number stands twice."""

    geometry: Geometry
    locator: Locator
    size: int
    """Bytes of the volume that the medium holds."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """(least, greatest) number of each piece, sorted."""

    def holds(self, at: int) -> bool:
        origin = self.geometry.origin
        return bool(self.geometry.cluster) and origin <= at < origin + self.size

    def takes(self, piece: Piece) -> bool:
        index = bisect_right(self.spans, (piece.low, piece.high))
        before = self.spans[index - 1][1] if index else -1
        after = self.spans[index][0] if index < len(self.spans) else piece.high + 1
        return before < piece.low and piece.high < after


@dataclass(frozen=True, slots=True)
class _Folder:
    sequence: int
    used: bool
    parent: int
    parent_sequence: int
    name: str


@dataclass(slots=True)
class _Survey:
    """What the first pass keeps of all records."""

    pieces: list[Piece] = field(default_factory=list)
    of: array[int] = field(default_factory=lambda: array("i"))
    """For each record the index of its piece."""
    index: dict[int, int] = field(default_factory=dict)
    """`Head.origin` -> piece."""
    known: set[int] = field(default_factory=set)
    """Numbers and sequences of the records."""
    first_blocks: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Number of a folder -> where the first block of its index stands."""
    listed: dict[int, list[tuple[int, _Folder]]] = field(default_factory=lambda: defaultdict(list))
    """Number of a folder -> (where, what) an index block says of it."""
    folders: list[tuple[int, int, _Folder]] = field(default_factory=list)
    """(piece, number, what it says)"""
    blocks: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(piece, number, first cluster of its index blocks, cluster size)"""
    tables: list[tuple[int, int]] = field(default_factory=list)
    """(first cluster, cluster size) that records of $MFT itself tell."""
    extensions: dict[tuple[int, int], list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """(number, sequence) of a record -> (piece, offset) of those that extend it."""

    def add(self, head: Head, data: bytes) -> None:
        key = -1 if head.number < 0 else head.origin
        piece = self.index.setdefault(key, len(self.pieces))
        if piece == len(self.pieces):
            self.pieces.append(Piece())
        self.pieces[piece].add(head)
        self.of.append(piece)
        self.known.add(head.number << 16 | head.sequence)
        if not head.used:
            # Freeing a record counts its sequence up.
            self.known.add(head.number << 16 | head.sequence - 1 & 0xFFFF)
        if head.base is not None:
            some = self.extensions[head.base]
            if len(some) < _EXTENSIONS:
                some.append((piece, head.at))
        elif head.flags & DIRECTORY or head.number == 0:
            self._special(head, data, piece)

    def add_block(self, block: IndexBlock) -> None:
        if block.first:
            self.first_blocks[block.folder].append(block.at)
        for entry in block.entries:
            if entry.folder:
                name = entry.name
                folder = _Folder(entry.sequence, True, name.parent, name.parent_sequence, name.name)
                self.listed[entry.number].append((entry.at, folder))

    def by_size(self) -> list[int]:
        """The pieces, those with the most records first."""
        return sorted(range(len(self.pieces)), key=lambda i: -self.pieces[i].count)

    def _special(self, head: Head, data: bytes, piece: int) -> None:
        try:
            found = record(data)
        except Malformed:
            return
        if head.number == 0:
            parts = (a for a in found.attributes if a.type == DATA and not a.name)
            for attribute in parts:
                start, cluster = first_cluster(attribute), cluster_of(attribute)
                if start and cluster:
                    self.tables.append((start, cluster))
        name = file_name(found.attributes)
        if head.flags & DIRECTORY and name is not None:
            folder = _Folder(head.sequence, head.used, name.parent, name.parent_sequence, name.name)
            self.folders.append((piece, head.number, folder))
            block = directory_block(head, found.attributes)
            if block is not None:
                self.blocks.append((piece, head.number, *block))


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the records tell of."""
    where = ground.signs.get("ntfs-file", Extents())
    survey = _Survey()
    for head, data in records(source, where, budget):
        survey.add(head, data)
    for block in chain(_blocks(source, ground, budget), _pages(source, ground, budget)):
        survey.add_block(block)
    striped = stripes(survey.pieces)
    if striped is not None:
        yield Damage(source.locator.step("records", "ntfs"), striped)
    generations = _generations(source, survey, _geometries(source, ground, survey, budget))
    for generation in {id(one): one for one in generations}.values():
        yield _volume(generation)
    files = _Files(source, ground, survey, generations, _Tree(survey, generations))
    for piece, (head, data) in zip(survey.of, records(source, where, budget), strict=False):
        budget.pay()
        yield from files.of(head, data, generations[piece])
    yield from _names(source, ground, survey, files, budget)


def _blocks(source: Source, ground: Ground, budget: Budget) -> Iterator[IndexBlock]:
    """The index blocks that no standing file system has in use."""
    for block in index_blocks(source, ground.signs.get("ntfs-index", Extents()), budget):
        if not ground.used(Run(block.at, SECTOR)):
            yield block


def _pages(source: Source, ground: Ground, budget: Budget) -> Iterator[IndexBlock]:
    """The pages of journals that no standing file system has in use."""
    usn, log = (ground.signs.get(id, Extents()) for id in ("ntfs-usn", "ntfs-log"))
    for block in journal_blocks(source, usn, log, budget):
        if not ground.used(Run(block.at, SECTOR)):
            yield block


def _names(
    source: Source, ground: Ground, survey: _Survey, files: _Files, budget: Budget
) -> Iterator[Artifact]:
    """The names in folders whose records are lost."""
    known = {id(one): one for one in files.generations}
    nowhere = _generation(source, Geometry(0, 0), _GENERATIONS)
    told: set[tuple[Locator, int, str]] = set()
    for block in chain(_blocks(source, ground, budget), _pages(source, ground, budget)):
        inside = (g for g in known.values() if g.holds(block.at))
        generation = next(inside, nowhere)
        for entry in block.entries:
            reference = entry.number << 16 | entry.sequence
            key = (generation.locator, reference, entry.name.name)
            if reference in survey.known or entry.number < _OWN or key in told:
                continue
            if generation is nowhere and not any(k[0] == nowhere.locator for k in told):
                yield _volume(nowhere)
            told.add(key)
            folder = files.tree.path(generation, entry.name.parent, entry.name.parent_sequence)
            step = f"{entry.at - generation.geometry.origin}-entry"
            yield _name(generation, step, folder + entry.name.name, entry.modified)


# --- which volumes there were --------------------------------------------------------------


def _geometries(
    source: Source, ground: Ground, survey: _Survey, budget: Budget
) -> list[Geometry | None]:
    """For each piece the geometry of its volume, where it can be told."""
    signs = ground.signs.get("ntfs-boot", Extents())
    boots = (e.offset + n for e in signs for n in range(0, e.length, SECTOR))
    known = from_boots(source, boots, budget)
    vote(survey.blocks, survey.first_blocks, survey.pieces)
    for piece in survey.pieces:
        learn(source, piece, budget)
    for start, cluster in list(dict.fromkeys(survey.tables))[:1024]:
        for base in list(survey.index)[:1024]:
            if base >= start * cluster:
                guess = Geometry(base - start * cluster, cluster)
                survey.pieces[survey.index[base]].votes[guess] += 1
    out: list[Geometry | None] = [None] * len(survey.pieces)
    neighbours = _Neighbours(survey.pieces)
    for i in survey.by_size():
        budget.pay()
        piece = survey.pieces[i]
        near = neighbours.of(piece) if piece.small else None
        found = choose(source, piece, known, alone=near is None)
        if found is None and near is None:
            vote_by_magic(piece, ground.magics)
            found = choose(source, piece, known, alone=True)
        if found is None and near is not None:
            found = out[near]
        if found is not None:
            sized = (g for g in known if (g.origin, g.cluster) == (found.origin, found.cluster))
            out[i] = found = max((found, *sized), key=lambda g: g.size)
            known[found] += 1
    return out


class _Neighbours:
    """The tables in which stray records stand: those whose number is not that of their place."""

    def __init__(self, pieces: list[Piece]) -> None:
        large = (i for i, piece in enumerate(pieces) if not piece.small)
        self._large = sorted(large, key=lambda i: pieces[i].first)
        self._starts = [pieces[i].first for i in self._large]

    def of(self, piece: Piece) -> int | None:
        """The large piece that begins last before this one, or first of all."""
        index = max(0, bisect_right(self._starts, piece.first) - 1)
        return self._large[index] if self._large else None


def _generations(
    source: Source, survey: _Survey, chosen: list[Geometry | None]
) -> list[_Generation]:
    """For each piece its generation: of one volume, and no number twice in it."""
    by_volume: dict[tuple[int, int], list[_Generation]] = defaultdict(list)
    out: dict[int, _Generation] = {}
    neighbours = _Neighbours(survey.pieces)
    for i in survey.by_size():
        piece, geometry = survey.pieces[i], chosen[i] or Geometry(0, 0)
        if len(by_volume) > _VOLUMES and (geometry.origin, geometry.cluster) not in by_volume:
            geometry = Geometry(0, 0)
        some = by_volume[geometry.origin, geometry.cluster]
        near = neighbours.of(piece) if piece.small else None
        if near is not None and near in out and out[near].geometry == geometry:
            out[i] = out[near]
            continue
        own = next((g for g in some if g.takes(piece)), None)
        if own is None and len(some) < _GENERATIONS:
            own = _generation(source, geometry, len(some))
            some.append(own)
        if own is not None:
            insort(own.spans, (piece.low, piece.high))
        out[i] = own or some[-1]
    return [out[i] for i in range(len(chosen))]


def _generation(source: Source, geometry: Geometry, number: int) -> _Generation:
    name = f"{geometry.origin}-{geometry.cluster}-{number}"
    left = max(0, source.size - geometry.origin)
    size = min(geometry.size or left, left)
    return _Generation(geometry, source.locator.step(FORMAT, name), size)


def _volume(generation: _Generation) -> Artifact:
    run = Run(generation.geometry.origin, generation.size)
    return Artifact(generation.locator, "ntfs", State.DELETED, run.length, (run,), role=Role.VOLUME)


# --- the tree ------------------------------------------------------------------------------


class _Tree:
    """Folders by generation and number; paths by parent references, their sequence checked."""

    def __init__(self, survey: _Survey, generations: list[_Generation]) -> None:
        self._folders: dict[tuple[int, int], list[_Folder]] = defaultdict(list)
        self._listed = survey.listed
        self._paths: dict[tuple[int, int, int], str] = {}
        for piece, number, folder in survey.folders:
            self._folders[id(generations[piece]), number].append(folder)

    def path(self, generation: _Generation, number: int, sequence: int) -> str:
        """The folder's path, ending in a slash; empty for the root."""
        names: list[str] = []
        seen: list[tuple[int, int, int]] = []
        base = ""
        while number != ROOT:
            key = (id(generation), number, sequence)
            if key in self._paths:
                base = self._paths[key]
                break
            folder = self._folder(generation, number, sequence)
            if folder is None or len(names) >= _DEEPEST or key in seen:
                base = f"$Orphan/{number}-{sequence}/"
                break
            seen.append(key)
            names.append(folder.name)
            number, sequence = folder.parent, folder.parent_sequence
        for key, name in zip(reversed(seen), reversed(names), strict=True):
            base += name + "/"
            self._paths[key] = base
        return base

    def _folder(self, generation: _Generation, number: int, sequence: int) -> _Folder | None:
        """What its record says, in use or freed since (which may count its sequence up); where
        it is lost, an index block of its volume.
        """
        for folder in self._folders.get((id(generation), number), ()):
            counted = folder.sequence - sequence
            if not counted or (counted == 1 and not folder.used):
                return folder
        for at, folder in self._listed.get(number, ()):
            if sequence == folder.sequence and generation.holds(at):
                return folder
        return None


# --- files ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Files:
    """The artifacts of one record after the other."""

    source: Source
    ground: Ground
    survey: _Survey
    generations: list[_Generation]
    tree: _Tree

    def of(self, head: Head, data: bytes, generation: _Generation) -> Iterator[Artifact]:
        """What the record tells of; one that is torn is still the record of a file."""
        if head.at < generation.geometry.origin:
            return
        place = str(head.at - generation.geometry.origin)
        try:
            found = record(data)
        except Malformed:
            yield _name(generation, f"{place}-torn", None, None)
            return
        named = file_name(found.attributes)
        if head.base is not None or (named is None and not streams(_at(head, found))):
            return
        path = f"$Orphan/record-{head.number}"
        if named is not None:
            folder = self.tree.path(generation, named.parent, named.parent_sequence)
            path = folder + named.name
        when = modified(found.attributes)
        if 0 <= head.number < _OWN:
            yield _name(generation, place, path, when)
            return
        if head.flags & DIRECTORY:
            yield _name(generation, place, path, when, directory=True)
        held = streams(self._parts(head, generation, found))
        for stream in held:
            full = f"{path}:{stream.name}" if stream.name else path
            for one in self._stream(head, generation, stream, full, when):
                yield replace(one, changed=changed(found.attributes))
        if not held and not head.flags & DIRECTORY:
            yield _name(generation, place, path, when)

    def _parts(
        self, head: Head, generation: _Generation, found: Record
    ) -> Iterator[tuple[int, Attribute]]:
        """(offset of the record, attribute), of the record and of those that extend it."""
        yield from _at(head, found)
        if not any(a.type == LIST for a in found.attributes):
            return
        for piece, at in self.survey.extensions.get((head.number, head.sequence), ()):
            if self.generations[piece] is not generation:
                continue
            try:
                more = record(self.source.read(Extent(at, head.size)))
            except (Malformed, Unreadable):
                continue
            if more.live == head.used:
                yield from ((at, a) for a in more.attributes)

    def _stream(
        self, head: Head, generation: _Generation, stream: Stream, path: str, when: int | None
    ) -> Iterator[Artifact]:
        origin, name = (
            generation.geometry.origin,
            step(stream, generation.geometry.origin, head.used),
        )
        found = laid(stream, generation.geometry.cluster, generation.size)
        if not found.size or not (found.covered or stream.first.content):
            yield _name(generation, name, path, when)
            return
        whole = found.whole and not any(
            self.ground.used(Run(origin + run.at, run.length))
            for run in found.runs
            if run.at is not None
        )
        yield Artifact(
            generation.locator.step(FORMAT, name),
            "file",
            State.DELETED,
            found.size,
            None if stream.derived else found.runs,
            path,
            complete=whole,
            modified=when,
        )
        if stream.encrypted:
            locked = generation.locator.step(FORMAT, f"{name}-locked")
            yield Artifact(locked, "efs", State.DELETED, 0, (), path, Role.ENCRYPTED)


def _at(head: Head, found: Record) -> list[tuple[int, Attribute]]:
    return [(head.at, a) for a in found.attributes]


def _name(
    generation: _Generation,
    step: str,
    path: str | None,
    when: int | None,
    *,
    directory: bool = False,
) -> Artifact:
    """A folder, or a record or name without bytes."""
    return Artifact(
        generation.locator.step(FORMAT, step),
        "directory" if directory else "name",
        State.DELETED,
        0,
        (),
        path,
        Role.CONTENT if directory else Role.NAME,
        modified=when,
    )


PLUGIN = Records(
    "ntfs",
    (
        Sign("ntfs-file", b"FILE"),
        Sign("ntfs-index", b"INDX"),
        Sign("ntfs-log", LOG_SIGN),
        Sign("ntfs-usn", USN_SIGN, USN_SIGN_AT),
        Sign("ntfs-boot", b"\xebR\x90NTFS    "),
    ),
    read,
)

"""What old FAT and exFAT volumes have in common: clusters, folders, and where files lie whose
allocation table is gone.

A formatter wipes the table, so most files are known by their first cluster alone. Two facts put
them together: an allocator takes the next free cluster, and of two files that were held at the same
time neither can have a cluster of the other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hakushi.media import Runs, Window
from hakushi.model import (
    SECTOR,
    Artifact,
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
from hakushi.recover import Family, registered
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.records import HELD, Ground

_SIZES = tuple(SECTOR << n for n in range(17))
"""Clusters of 512 bytes to 32 MiB."""
_NEAR = 48
_MOST_PAIRS = 500_000
_DEEPEST = 128
_MOST_CLUSTERS = 1 << 20
_SKIPS = 1 << 12
_LARGEST_CHECK = 64 << 20
_SLACK = 8 * SECTOR
"""What a program may leave behind the end of a format's structure."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """``data``: where cluster 2 stands, which may lie before the medium's first byte."""

    data: int
    cluster: int

    def at(self, cluster: int) -> int:
        return self.data + (cluster - 2) * self.cluster

    def number(self, at: int) -> int | None:
        """The cluster that begins at an offset."""
        number, rest = divmod(at - self.data, self.cluster)
        return None if rest or number < 0 else number + 2


@dataclass(frozen=True, slots=True)
class Entry:
    """What a directory says of a file. ``cluster`` 0: it has none. ``straight``: the directory
    itself says that the file's clusters follow each other (exFAT).
    """

    at: int
    name: str
    directory: bool
    live: bool
    cluster: int
    size: int
    modified: int | None
    straight: bool = False


@dataclass(slots=True)
class Block:
    """A cluster of a directory. ``owner``: first cluster of its directory, 0 the root, -1 unknown.
    ``full``: the directory may go on in another cluster. ``used``: a standing file system has it.
    """

    at: int
    entries: list[Entry]
    full: bool
    owner: int = -1
    used: bool = False


@dataclass(slots=True)
class Volume:
    """One generation: all directory clusters that agree on where its clusters lie."""

    source: Source
    ground: Ground
    locator: Locator
    kind: str
    geometry: Geometry
    blocks: list[Block]
    chain: Callable[[int, int], list[int]] = lambda _first, _count: []
    """The clusters of a file by an old table: first cluster, how many; empty if it does not say."""
    bare: bool = False
    """Geometry is unknown: names alone."""

    @property
    def origin(self) -> int:
        return 0 if self.bare else max(0, self.geometry.data)

    @property
    def size(self) -> int:
        return max(0, self.source.size - self.origin)

    def artifacts(self, budget: Budget) -> Iterator[Artifact]:
        """The volume, its folders, files and names."""
        run = Run(self.origin, self.size)
        yield Artifact(self.locator, self.kind, State.DELETED, self.size, (run,), role=Role.VOLUME)
        tree = _Tree(self.blocks)
        files: list[tuple[Entry, str]] = []
        for block in self.blocks:
            budget.pay()
            if block.used:
                continue
            folder = tree.path(block)
            if not block.entries:
                yield self._name(f"{block.at}-folder", folder.rstrip("/"), None, directory=True)
            for entry in block.entries:
                budget.pay()
                path = folder + entry.name
                if entry.directory:
                    yield self._name(f"{entry.at}", path, entry.modified, directory=True)
                elif self.bare or not entry.cluster or not entry.size:
                    yield self._name(f"{entry.at}", path, entry.modified)
                else:
                    files.append((entry, path))
        yield from self._files(files, budget)

    def _name(self, step: str, path: str, when: int | None, *, directory: bool = False) -> Artifact:
        return Artifact(
            self.locator.step(self.locator.last[0], step),
            "directory" if directory else "name",
            State.DELETED,
            0,
            (),
            path,
            Role.CONTENT if directory else Role.NAME,
            modified=when,
        )

    def _files(self, files: list[tuple[Entry, str]], budget: Budget) -> Iterator[Artifact]:
        folders = (self.geometry.number(b.at) for b in self.blocks)
        placing = _Placing(self, [e for e, _ in files], {n for n in folders if n}, budget)
        for entry, path in files:
            budget.pay()
            placed = placing.of(entry)
            runs = tuple(
                Run(run.at - self.origin, run.length)
                for run in placed.runs(self.geometry, entry.size)
                if run.at is not None
            )
            if not runs or sum(r.length for r in runs) < entry.size:
                yield self._name(f"{entry.at}", path, entry.modified)
                continue
            yield Artifact(
                self.locator.step(self.locator.last[0], f"{entry.at}{HELD if entry.live else ''}"),
                "file",
                State.DELETED,
                entry.size,
                runs,
                path,
                complete=placed.sure,
                modified=entry.modified,
            )


class _Tree:
    """Paths of folders by the entries that name their first clusters."""

    def __init__(self, blocks: list[Block]) -> None:
        self._named: dict[int, tuple[Block, str]] = {}
        for block in blocks:
            for entry in block.entries:
                if entry.directory and entry.cluster:
                    known = entry.cluster in self._named
                    if not known or entry.live:
                        self._named[entry.cluster] = (block, entry.name)

    def path(self, block: Block) -> str:
        """The path of the folder that a cluster is of, ending in a slash; empty for the root."""
        names: list[str] = []
        seen: set[int] = set()
        while block.owner > 0:
            named = self._named.get(block.owner)
            if named is None or block.owner in seen or len(names) >= _DEEPEST:
                names += [f"cluster-{block.owner}", "$Orphan"]
                break
            seen.add(block.owner)
            names.append(named[1])
            block = named[0]
        if block.owner < 0:
            names += [f"at-{block.at}", "$Orphan"]
        return "".join(f"{name}/" for name in reversed(names))


# --- where files lie -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """Clusters in their order, as (first, count), and whether they are surely the file's."""

    rows: tuple[tuple[int, int], ...]
    sure: bool

    def runs(self, geometry: Geometry, size: int) -> Iterator[Run]:
        left = size
        for first, count in self.rows:
            length = min(left, count * geometry.cluster)
            if length > 0:
                yield Run(geometry.at(first), length)
            left -= length


@dataclass(slots=True)
class _Taken:
    """Clusters that files surely have: sorted rows that do not overlap."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, rows: Iterable[tuple[int, int]]) -> None:
        for first, count in rows:
            place = bisect_left(self.starts, first)
            self.starts.insert(place, first)
            self.ends.insert(place, first + count)

    def free(self, first: int, count: int) -> list[tuple[int, int]]:
        """The next ``count`` clusters from ``first`` on that are nobody's."""
        out: list[tuple[int, int]] = []
        place = max(0, bisect_right(self.starts, first) - 1)
        while count > 0 and len(out) < _SKIPS:
            while place < len(self.starts) and self.ends[place] <= first:
                place += 1
            if place < len(self.starts) and self.starts[place] <= first:
                first = self.ends[place]
                continue
            room = self.starts[place] - first if place < len(self.starts) else count
            take = min(count, room)
            out.append((first, take))
            first, count = first + take, count - take
        return out if count <= 0 else []


class _Placing:
    """Settles where every file of a volume lies: those held to the end first."""

    def __init__(
        self, volume: Volume, entries: list[Entry], folders: set[int], budget: Budget
    ) -> None:
        self._volume = volume
        self._budget = budget
        self._taken = _Taken()
        self._taken.add((n, 1) for n in sorted(folders))
        self._placed: dict[int, _Placed] = {}
        self._starts = sorted({e.cluster for e in entries if e.live} | folders)
        for live in (True, False):
            these = sorted((e for e in entries if e.live is live), key=lambda e: e.cluster)
            later = [e for e in these if not self._straight(e)]
            for entry in later:
                self._skipping(entry)

    def of(self, entry: Entry) -> _Placed:
        return self._placed.get(entry.at, _Placed((), sure=False))

    def _count(self, entry: Entry) -> int:
        return -(-entry.size // self._volume.geometry.cluster)

    def _straight(self, entry: Entry) -> bool:
        """Places a file whose clusters are told by a table, or follow each other undisputed."""
        self._budget.pay()
        count = self._count(entry)
        told = self._volume.chain(entry.cluster, count) if count <= _MOST_CLUSTERS else []
        if told:
            rows = tuple(_rows(told))
            self._place(entry, rows, sure=self._sound(entry, rows) is not False)
            return True
        rows = ((entry.cluster, count),)
        if not self._fits(rows):
            return True
        disputed = self._disputed(entry.cluster, count)
        if entry.straight:
            alone = entry.live or not disputed
            self._place(entry, rows, sure=alone and self._sound(entry, rows) is not False)
            return True
        if disputed:
            return False
        sound = self._sound(entry, rows)
        if sound is False and count > 1:
            return False
        follows = entry.cluster + count
        neighbour = bisect_left(self._starts, follows)
        goes_on = neighbour < len(self._starts) and self._starts[neighbour] == follows
        self._place(entry, rows, sure=bool(sound) or (sound is None and (count == 1 or goes_on)))
        return True

    def _disputed(self, first: int, count: int) -> bool:
        """Whether another held file begins, or surely lies, within these clusters."""
        other = bisect_right(self._starts, first)
        begins = other < len(self._starts) and self._starts[other] < first + count
        return begins or self._taken.free(first, count) != [(first, count)]

    def _skipping(self, entry: Entry) -> None:
        """Places a file that lies in pieces: in the clusters that no other file has."""
        count = self._count(entry)
        whole = ((entry.cluster, count),)
        rows = tuple(self._taken.free(entry.cluster, count))
        if rows and rows[0][0] == entry.cluster and self._fits(rows) and rows != whole:
            sound = self._sound(entry, rows)
            if sound is not False:
                self._place(entry, rows, sure=bool(sound) and entry.live)
                return
        self._placed[entry.at] = _Placed(whole, sure=False)

    def _place(self, entry: Entry, rows: tuple[tuple[int, int], ...], *, sure: bool) -> None:
        runs = list(_Placed(rows, sure).runs(self._volume.geometry, entry.size))
        sure = sure and not any(self._volume.ground.used(run) for run in runs)
        self._placed[entry.at] = _Placed(rows, sure)
        free = [self._taken.free(first, count) == [(first, count)] for first, count in rows]
        if entry.live and all(free):
            self._taken.add(rows)

    def _fits(self, rows: tuple[tuple[int, int], ...]) -> bool:
        geometry, size = self._volume.geometry, self._volume.source.size
        return all(geometry.at(f) >= 0 and geometry.at(f + n - 1) < size for f, n in rows)

    def _sound(self, entry: Entry, rows: tuple[tuple[int, int], ...]) -> bool | None:
        """What the bytes say themselves: whole, broken, or None where they do not tell."""
        runs = list(_Placed(rows, sure=False).runs(self._volume.geometry, entry.size))
        length = sum(run.length for run in runs)
        if length < entry.size:
            return False
        source = self._volume.source
        view: Source = (
            Window(source, Extent(runs[0].at or 0, length), source.locator)
            if len(runs) == 1
            else Runs(source, tuple(runs), length, source.locator)
        )
        return sound(view, self._budget)


def _rows(clusters: list[int]) -> Iterator[tuple[int, int]]:
    """Clusters in a row as one."""
    start = 0
    for index, (a, b) in enumerate(pairwise([*clusters, -1]), 1):
        if b != a + 1:
            yield clusters[start], index - start
            start = index


def sound(view: Source, budget: Budget) -> bool | None:
    """Whether bytes are a whole file of what they begin as; None where nothing can tell."""
    if view.size > _LARGEST_CHECK:
        return None
    budget.pay(steps=1 + view.size // SECTOR)
    try:
        head = view.read(Extent(0, 4096))
        for one in registered(Family.ARCHIVE, Family.DOCUMENT, Family.MEDIA):
            begins = any(head.startswith(m.value, m.at) for m in one.magics)
            found = one.measure(view, Budget.of(seconds=20)) if one.measure and begins else None
            if found is not None:
                return found.complete and view.size - found.length < _SLACK
        return _is_text(view) or None
    except Spent:
        return None
    except (Malformed, Unreadable):
        return False


def _is_text(view: Source) -> bool:
    """Whether no byte is one that text never has; so of a file's last cluster too."""
    data = view.read(Extent(0, view.size))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return len(data) % 2 == 0 and b"\0\0\0\0" not in data
    return not data.translate(None, _TEXT)


_TEXT = bytes(n for n in range(256) if n >= 32 or n in (9, 10, 12, 13, 27))


# --- where clusters lie --------------------------------------------------------------------


def from_pairs(pairs: list[tuple[int, int]], budget: Budget) -> Counter[Geometry]:
    """Votes by directories that say themselves which cluster they are: (where, cluster)."""
    votes: Counter[Geometry] = Counter()
    for index, (at, cluster) in enumerate(pairs):
        for other, number in pairs[index + 1 : index + 1 + _NEAR]:
            budget.pay()
            apart, count = other - at, number - cluster
            if count and apart % count == 0 and apart // count in _SIZES:
                size = apart // count
                votes[Geometry(at - (cluster - 2) * size, size)] += 1
    return votes


def from_guesses(
    places: Iterable[int], clusters: Iterable[int], budget: Budget, most: int = 200
) -> Counter[Geometry]:
    """Votes by all pairs of a place where something begins and a cluster that is named."""
    votes: Counter[Geometry] = Counter()
    named = list(dict.fromkeys(clusters))[:most]
    begins = list(dict.fromkeys(places))[:most]
    for at in begins:
        for cluster in named:
            budget.pay()
            for size in _SIZES[:9]:
                votes[Geometry(at - (cluster - 2) * size, size)] += 1
    return votes


def sectors(source: Source, where: Extents, budget: Budget) -> Iterator[tuple[int, bytes]]:
    """Each sector of ``where`` that can be read."""
    for extent in where:
        for start in range(extent.offset, extent.end, 1 << 20):
            piece = Extent(start, min(1 << 20, extent.end - start))
            budget.pay(steps=1 + piece.length // SECTOR)
            data = readable(source, piece)
            for at in range(0, len(data) - SECTOR + 1, SECTOR):
                yield start + at, data[at : at + SECTOR]


def readable(source: Source, extent: Extent) -> bytes:
    """The bytes, with zeros for the sectors that cannot be read."""
    try:
        return source.read(extent)
    except Unreadable:
        out = bytearray()
        for at in range(extent.offset, min(extent.end, source.size), SECTOR):
            try:
                out += source.read(Extent(at, min(SECTOR, extent.end - at)))
            except Unreadable:
                out += bytes(SECTOR)
        return bytes(out)

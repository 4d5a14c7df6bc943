"""Where the volumes began whose records are left, and how long a cluster was.

Boot sectors and their copies say it; where none is left, the records do: a directory's record
names the cluster of its first index block, which names the directory; a file's record names the
cluster where the magic of its kind must stand; $MFT's record where its own table lies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from hakushi.model import SECTOR, Extent, Locator, Malformed, Source, Unreadable
from hakushi.recover import by_id
from hakushi.recover import registered as formats
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem.ntfs import boot
from hakushi.recover.filesystem.ntfs_records import Attribute, record
from hakushi.recover.records._ntfs_scan import (
    DATA,
    DIRECTORY,
    INDEX,
    Head,
    cluster_of,
    file_name,
    first_cluster,
)

_SAMPLES = 192
"""Records of one piece of a table that are put to the test."""

_TRIED = 24
"""Geometries that are put to the test for one piece."""

_FEW = 4

_CONVINCING = 3
"""Hits that no chance gives."""


@dataclass(frozen=True, slots=True, order=True)
class Geometry:
    """A volume's first byte on the medium and its cluster, in bytes; ``size`` 0 is unknown."""

    origin: int
    cluster: int
    size: int = 0


_STRETCHES, _MEMBERS = 4, 64
"""So many stretches of one length, one behind the other, are no chance."""


@dataclass(slots=True)
class Piece:
    """Records that lie as they would in one run of a table: `Head.origin` is the same for all."""

    first: int = 1 << 62
    """The least offset of a record."""
    low: int = 1 << 62
    high: int = -1
    """The least and the greatest number."""
    count: int = 0
    size: int = 0
    """Bytes of a record."""
    samples: list[int] = field(default_factory=list)
    """Offsets of some of its records, spread over it."""
    step: int = 1
    clusters: Counter[int] = field(default_factory=Counter)
    votes: Counter[Geometry] = field(default_factory=Counter)
    expected: list[tuple[int, str]] = field(default_factory=list)
    """(first cluster, ending) of files whose first bytes can be told by their name."""

    def add(self, head: Head) -> None:
        self.first, self.low = min(self.first, head.at), min(self.low, head.number)
        self.high, self.size = max(self.high, head.number), head.size
        if self.count % self.step == 0:
            self.samples.append(head.at)
            if len(self.samples) > _SAMPLES:
                self.samples, self.step = self.samples[::2], self.step * 2
        self.count += 1

    @property
    def small(self) -> bool:
        """Too few to stand for a table of its own, where there is another."""
        return self.count <= _FEW

    @property
    def cluster(self) -> int:
        """The cluster that most of its records tell of; 0 where none does."""
        return self.clusters.most_common(1)[0][0] if self.clusters else 0


def stripes(pieces: Iterable[Piece]) -> str | None:
    """What it means if a table lies here in stretches of one length, with as many numbers left out
    between each two: the rest is on the other members of a striped array. None where it does not.
    """
    steps: Counter[tuple[int, int, int]] = Counter()
    whole = sorted((p for p in pieces if p.count == p.high - p.low + 1), key=lambda p: p.first)
    for one, following in pairwise(whole):
        apart, numbers = following.first - one.first, (following.low - one.low) * one.size
        # The numbers of a table in pieces go on; these run ahead of the bytes between them.
        if one.count > 1 and one.size and numbers > apart and numbers % apart == 0:
            steps[one.count * one.size, apart, numbers // apart] += 1
    (length, _, share), times = max(steps.items(), key=lambda s: s[1], default=((0, 0, 0), 0))
    # Copies of a table's parts (shadow copies have some) may look alike here and there.
    if times < max(_STRETCHES, len(whole) // 2) or share > _MEMBERS:
        return None
    return (
        "it looks like one member of an array without a superblock: its NTFS records lie in"
        f" stretches of {length >> 10} KiB, and one in {share} of them is here"
    )


@cache
def _beginnings() -> dict[str, tuple[tuple[bytes, int], ...]]:
    """File name ending -> (magic, where) of which one must stand in such a file."""
    out: dict[str, tuple[tuple[bytes, int], ...]] = {}
    for one in formats():
        for ending in one.extensions:
            out[ending] = (*out.get(ending, ()), *((m.value, m.at) for m in one.magics))
    bare = {ending for one in formats() if not one.magics for ending in one.extensions}
    return {e: magics for e, magics in out.items() if magics and e not in bare}


def from_boots(source: Source, offsets: Iterable[int], budget: Budget) -> Counter[Geometry]:
    """What the boot sectors say, and how many of them: each may be the first of its volume, or the
    copy at its end.
    """
    out: Counter[Geometry] = Counter()
    for at in offsets:
        budget.pay()
        try:
            sector = source.read(Extent(at, SECTOR))
            found = boot(Cursor(_Sector(sector, source.locator)))
        except (Malformed, Unreadable):
            continue
        size = found.end + SECTOR
        out[Geometry(at, found.cluster, size)] += 1
        if at >= found.end:
            out[Geometry(at - found.end, found.cluster, size)] += 1
    return out


@dataclass(frozen=True, slots=True)
class _Sector:
    """A Source over one sector, that needs no digest of it."""

    data: bytes
    locator: Locator

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, extent: Extent) -> bytes:
        return self.data[extent.offset : extent.end]


def learn(source: Source, piece: Piece, budget: Budget) -> None:
    """What a piece's samples tell of their cluster, and what must stand where."""
    for at in piece.samples:
        budget.pay()
        try:
            found = record(source.read(Extent(at, 4096))[: _size(source, at)])
        except (Malformed, Unreadable):
            continue
        named = file_name(found.attributes)
        for attribute in found.attributes:
            size = cluster_of(attribute)
            if size is None:
                continue
            piece.clusters[size] += 1
            start = first_cluster(attribute)
            ending = named.name.rpartition(".")[2].lower() if named else ""
            plain = attribute.type == DATA and not attribute.name and start is not None
            if plain and start is not None and ending in _beginnings():
                piece.expected.append((start, ending))


def _size(source: Source, at: int) -> int:
    return int.from_bytes(source.read(Extent(at + 28, 4)), "little")


def vote(
    directories: Iterable[tuple[int, int, int, int]],
    blocks: dict[int, list[int]],
    pieces: list[Piece],
) -> None:
    """Each directory whose first index block is found tells the origin of its piece.

    ``directories``: (piece, number, first cluster, cluster size); ``blocks``: number -> offsets.
    """
    for piece, number, start, cluster in directories:
        for at in blocks.get(number, ())[:64]:
            origin = at - start * cluster
            if origin >= 0 and origin % SECTOR == 0:
                pieces[piece].votes[Geometry(origin, cluster)] += 1


def vote_by_magic(piece: Piece, magics: Iterable[tuple[int, str]]) -> None:
    """Every file against every magic of its kind: the true origin is met again and again."""
    import numpy as np

    if not piece.expected or not piece.cluster:
        return
    places: dict[str, list[int]] = defaultdict(list)
    for at, id in magics:
        places[id].append(at)
    tallies = []
    for start, ending in piece.expected[:_SAMPLES]:
        for id, offsets in places.items():
            if ending in by_id(id).extensions:
                tallies.append(np.array(offsets, np.int64) - start * piece.cluster)
    if not tallies:
        return
    origins, counts = np.unique(np.concatenate(tallies), return_counts=True)
    good = (counts >= _CONVINCING) & (origins >= 0) & (origins % SECTOR == 0)
    origins, counts = origins[good], counts[good]
    for i in np.argsort(-counts, kind="stable")[:_TRIED].tolist():
        geometry = Geometry(int(origins[i]), piece.cluster)
        piece.votes[geometry] = max(piece.votes[geometry], int(counts[i]))


def choose(
    source: Source, piece: Piece, known: Counter[Geometry], *, alone: bool
) -> Geometry | None:
    """The geometry under which the piece's records come true; None where none does.

    ``known``: those that boot sectors or other pieces vouch for, and how many. ``alone``: whether
    their word is enough where no record can be put to the test.
    """
    tried = dict.fromkeys(g for g, _ in piece.votes.most_common(_TRIED))
    tried |= dict.fromkeys(known)
    best: tuple[tuple[int, ...], Geometry] | None = None
    for geometry in tried:
        if piece.cluster and geometry.cluster != piece.cluster:
            continue
        inside = geometry.origin <= piece.first and (
            not geometry.size or piece.first < geometry.origin + geometry.size
        )
        hits = _hits(source, piece, geometry) + _votes(piece, geometry)
        vouched = geometry.size > 0 and alone
        if not inside or not (hits >= _CONVINCING or vouched or (hits and geometry in known)):
            continue
        worth = (hits, known[geometry], geometry.origin)
        if best is None or worth > best[0]:
            best = worth, geometry
    return None if best is None else best[1]


def _votes(piece: Piece, geometry: Geometry) -> int:
    return piece.votes[Geometry(geometry.origin, geometry.cluster)]


def _hits(source: Source, piece: Piece, geometry: Geometry) -> int:
    """How many files begin as their names promise."""
    out = 0
    for start, ending in piece.expected[:_SAMPLES]:
        at = geometry.origin + start * geometry.cluster
        try:
            data = source.read(Extent(at, SECTOR))
        except Unreadable:
            continue
        out += any(data.startswith(value, where) for value, where in _beginnings()[ending])
    return out


def own_place(head: Head, attributes: tuple[Attribute, ...]) -> Geometry | None:
    """The geometry by $MFT's own record: its first cluster is where the record stands."""
    for attribute in attributes:
        start, cluster = first_cluster(attribute), cluster_of(attribute)
        if attribute.type == DATA and start and cluster and head.at >= start * cluster:
            return Geometry(head.at - start * cluster, cluster)
    return None


def directory_block(head: Head, attributes: tuple[Attribute, ...]) -> tuple[int, int] | None:
    """(first cluster, cluster size) of a directory's index blocks."""
    for attribute in attributes:
        start, cluster = first_cluster(attribute), cluster_of(attribute)
        if head.flags & DIRECTORY and attribute.type == INDEX and start and cluster:
            return start, cluster
    return None

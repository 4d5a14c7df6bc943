"""Deleted files of FAT and exFAT in pieces: deleting takes away which clusters followed the first.

A file took the next clusters that were free when it was written. What is in use today was not free;
what other deleted files had may have been, or not: where the file's own format can tell right from
wrong, it decides. What it proves is then no other file's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hakushi.media import Runs
from hakushi.model import Artifact, Extent, Malformed, Role, Run, Source, State, Unreadable
from hakushi.recover import Format, identify
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.encoding import text_sectors

_MOST_FILES = 200_000
"""Deleted files that are reasoned about together: beyond, all stay as they were found."""

_MOST_TORN = 5000
"""Files in pieces that are looked for; of more, those with the least between their pieces."""

_MOST_OWNED = 4_000_000
"""Clusters that are kept as some file's."""

_LONGEST = 256 << 20
_EACH, _ALL = 384 << 20, 2 << 30
"""Bytes that are measured for one file, and for all of a volume."""

_LOOKS, _SKIPS = 3000, 5
"""Places that are looked at for one file; stretches that would fit, but are left out."""

_PIECES = 64
_GLANCE, _LATE = 128 << 10, 6144
"""Bytes of a piece that are looked at, and how late a validator may see that they are wrong."""

_TRAILING = 4096
"""Bytes that may follow what ends by its own structure."""


class Geometry(Protocol):
    """What FAT and exFAT have in common."""

    @property
    def cluster(self) -> int: ...
    @property
    def data(self) -> int: ...
    @property
    def clusters(self) -> int: ...
    def at(self, cluster: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Volume:
    """``used``: whether a run is in use now. ``follow``: the cluster that the table says follows,
    where the table still tells of deleted files (exFAT).
    """

    source: Source
    geometry: Geometry
    used: Callable[[Run], bool | None]
    follow: Callable[[int], int] | None = None


@dataclass(slots=True)
class _File:
    """A deleted file. ``proven``: its clusters, where its own structure says that they are its."""

    artifact: Artifact
    first: int
    count: int
    plain: bool = True
    """It lies in a row, free, and no other file begins inside."""
    proven: list[tuple[int, int]] | None = None
    """(first cluster, clusters) of its pieces."""
    judged: bool = False
    contested: bool = False
    """One in pieces, of which nobody knows which, may have written over it."""


def rechained(volume: Volume, found: Iterable[Artifact], budget: Budget) -> Iterator[Artifact]:
    """The deleted files of a volume, those in pieces put together where that can be proven."""
    every = list(found)
    files = [one for artifact in every if (one := _file(volume.geometry, artifact)) is not None]
    if len(files) > _MOST_FILES:
        yield from every
        return
    known = _Chains(volume, files, budget)
    known.settle()
    by = {one.artifact.locator: one for one in files}
    for artifact in every:
        one = by.get(artifact.locator)
        yield artifact if one is None else known.told(one)


def _file(geometry: Geometry, artifact: Artifact) -> _File | None:
    """None for what has no place among the clusters."""
    if artifact.runs is None or not artifact.runs or artifact.size <= 0:
        return None
    at = artifact.runs[0].at
    if at is None or at < geometry.data or (at - geometry.data) % geometry.cluster:
        return None
    first = (at - geometry.data) // geometry.cluster + 2
    return _File(artifact, first, -(-artifact.size // geometry.cluster))


@dataclass(slots=True)
class _Chains:
    volume: Volume
    files: list[_File]
    budget: Budget
    starts: list[int] = field(default_factory=list)
    by_start: dict[int, list[_File]] = field(default_factory=dict)
    owned: dict[int, _File] = field(default_factory=dict)
    """Clusters that are proven to be a file's."""
    measured: int = 0

    def settle(self) -> None:
        """Proves what can be proven, the simplest first."""
        for one in self.files:
            self.by_start.setdefault(one.first, []).append(one)
        self.starts = sorted(self.by_start)
        for one in self.files:
            self.budget.pay()
            one.plain = self._is_plain(one)
            self._by_table(one)
        torn = [one for one in self.files if not one.plain and one.proven is None]
        crowded = len(torn) > _MOST_TORN
        torn = sorted(torn, key=lambda f: (len(self._inside(f)), f.first))[:_MOST_TORN]
        for one in torn:
            if one.proven is None and self.measured < _ALL:
                _Search(self, one).run()
        for one in torn:
            if one.proven is None and one.first not in self.owned:
                _Search(self, one).contest()
        for one in self.files if crowded else ():
            # So many lie in pieces that nobody's place is sure without a proof.
            one.contested = True

    def _inside(self, one: _File) -> list[int]:
        """Starts of other files where this one would lie in a row."""
        low = bisect_right(self.starts, one.first)
        return self.starts[low : bisect_right(self.starts, one.first + one.count - 1)]

    def _is_plain(self, one: _File) -> bool:
        runs = one.artifact.runs or ()
        alone = len(runs) == 1 and not self._inside(one)
        return alone and not self.in_use(one.first, one.count)

    def in_use(self, first: int, count: int) -> bool:
        """Whether any of some clusters is in use now, or not there at all."""
        geometry = self.volume.geometry
        run = Run(geometry.at(first), count * geometry.cluster)
        return self.volume.used(run) is not False

    def _by_table(self, one: _File) -> None:
        """The chain that an exFAT table still has, if it ends just where the file does."""
        follow = self.volume.follow
        if follow is None or one.count < 2:
            return
        chain = [one.first]
        while len(chain) < one.count:
            self.budget.pay()
            following = follow(chain[-1])
            if not 2 <= following < self.volume.geometry.clusters + 2 or following in chain[-64:]:
                return
            chain.append(following)
        if follow(chain[-1]) < self.volume.geometry.clusters + 2 or len(set(chain)) < len(chain):
            return
        pieces = _pieces(chain)
        if not any(self.in_use(first, count) for first, count in pieces):
            self.prove(one, pieces)

    def judge(self, one: _File) -> None:
        """Whether a file in a row is proven by its own structure; asked once."""
        if one.judged or one.proven is not None:
            return
        one.judged = True
        if one.plain:
            pieces = [(one.first, one.count)]
            if self.holds(one, pieces, self.format_of(one)):
                self.prove(one, pieces)

    def prove(self, one: _File, pieces: Sequence[tuple[int, int]]) -> None:
        one.proven = list(pieces)
        for first, count in pieces if len(self.owned) < _MOST_OWNED else ():
            for cluster in range(first, first + count):
                self.owned.setdefault(cluster, one)

    def source_of(self, pieces: Sequence[tuple[int, int]], size: int) -> Source:
        volume = self.volume
        runs = [
            Run(volume.geometry.at(first), count * volume.geometry.cluster)
            for first, count in pieces
        ]
        length = min(size, sum(run.length for run in runs))
        return Runs(volume.source, runs, length, volume.source.locator)

    def format_of(self, one: _File) -> Format | None:
        try:
            found = identify(self.source_of([(one.first, 1)], one.artifact.size))
        except (Malformed, Unreadable):
            return None
        if found is None or found.measure is None:
            return None
        try:
            first = found.measure(self.source_of([(one.first, 1)], one.artifact.size), Budget())
        except (Malformed, Unreadable):
            return None
        # What looks at no content cannot tell right from wrong.
        return found if first is not None and first.checked else None

    def holds(self, one: _File, pieces: Sequence[tuple[int, int]], format: Format | None) -> bool:
        """Whether the pieces are the whole file, by a validator that looks at content."""
        size = one.artifact.size
        if format is None or format.measure is None or size > _LONGEST:
            return False
        # Of two that begin in one place, one wrote over the other: its size tells which.
        shared = len(self.by_start[one.first]) > 1
        self.measured += size
        try:
            found = format.measure(self.source_of(pieces, size), Budget.of(seconds=60))
        except (Malformed, Unreadable):
            return False
        return (
            found is not None
            and found.complete
            and found.checked
            and size - found.length <= (0 if shared else _TRAILING)
        )

    def told(self, one: _File) -> Artifact:
        """The file with what is known of its clusters now."""
        artifact, geometry = one.artifact, self.volume.geometry
        if one.proven is not None:
            runs = tuple(
                Run(geometry.at(first), count * geometry.cluster) for first, count in one.proven
            )
            free = not any(self.in_use(first, count) for first, count in one.proven)
            return replace(artifact, runs=_cut(runs, artifact.size), complete=free)
        kept, size = list[Run](), 0
        for run in artifact.runs or ():
            take = self._unproven(run)
            kept.append(Run(run.at, take))
            size += take
            if take < run.length:
                break
        if size < artifact.size and size < sum(run.length for run in artifact.runs or ()):
            if not size:
                return replace(
                    artifact, kind="name", size=0, runs=(), role=Role.NAME, complete=True
                )
            runs = tuple(run for run in kept if run.length)
            return replace(artifact, size=size, runs=runs, complete=False)
        sure = one.plain and not one.contested
        return artifact if sure else replace(artifact, complete=False)

    def _unproven(self, run: Run) -> int:
        """Bytes of a run up to a cluster that is proven to be another file's."""
        assert run.at is not None
        geometry = self.volume.geometry
        first = (run.at - geometry.data) // geometry.cluster + 2
        for number in range(-(-run.length // geometry.cluster)):
            if first + number in self.owned:
                return number * geometry.cluster
        return run.length


def _pieces(chain: Sequence[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for cluster in chain:
        if out and sum(out[-1]) == cluster:
            out[-1] = (out[-1][0], out[-1][1] + 1)
        else:
            out.append((cluster, 1))
    return out


def _cut(runs: Iterable[Run], size: int) -> tuple[Run, ...]:
    out = []
    for run in runs:
        take = min(run.length, size)
        if take > 0:
            out.append(Run(run.at, take))
        size -= take
    return tuple(out)


@dataclass(slots=True)
class _Search:
    """For one file: which of the stretches from its start on it took."""

    chains: _Chains
    one: _File
    format: Format | None = None
    looks: int = 0
    limit: int = 0
    known: dict[tuple[tuple[int, int], ...], bool] = field(default_factory=dict)

    def run(self) -> None:
        chains, one = self.chains, self.one
        if chains.in_use(one.first, 1):
            return
        self.format = chains.format_of(one)
        if self.format is not None:
            self._prove(self._stretches())

    def contest(self) -> None:
        """Whoever may lie where this one may, if it left out about as much as it took."""
        left, end = 2 * self.one.count, self.one.first
        for first, count, _ in self._stretches():
            if left <= 0:
                break
            end = first + count
            left -= count
        chains = self.chains
        low = bisect_right(chains.starts, self.one.first)
        for start in chains.starts[low : bisect_right(chains.starts, end - 1)]:
            for other in chains.by_start[start]:
                if chains.measured < _ALL:
                    chains.judge(other)
                other.contested = True

    def _prove(self, stretches: list[tuple[int, int, bool]]) -> None:
        chains, one = self.chains, self.one
        self.limit = chains.measured + _EACH
        for skip in (False, True):
            pieces = self._greedy(stretches, skip=skip)
            if pieces is not None and chains.holds(one, pieces, self.format):
                chains.prove(one, pieces)
                return
        # Text is seldom a piece of what has a structure; where it is, the second turn finds it.
        for tried in (self._binary(stretches), stretches):
            self.looks = 0
            for skips in range(_SKIPS):
                found = self._try(tried, 0, [], one.count, skips)
                if found is not None:
                    chains.prove(one, found)
                    return

    def _stretches(self) -> list[tuple[int, int, bool]]:
        """(first cluster, clusters, whether another deleted file may have had them) in order."""
        chains, one = self.chains, self.one
        end = chains.volume.geometry.clusters + 2
        edges, claimed = self._claims(end)
        out: list[tuple[int, int, bool]] = []
        at, have = one.first, 0
        while at < end and len(out) < _PIECES and have < 4 * one.count + 4096:
            chains.budget.pay()
            stop = min(edges[bisect_right(edges, at)] if at < edges[-1] else end, end)
            if chains.owned.get(at, one) is not one or chains.in_use(at, 1):
                at += 1
                continue
            count = 1
            while at + count < stop and count <= one.count and self._free(at + count):
                count += 1
            mine = at == one.first
            inside = not mine and any(low <= at < high for low, high in claimed)
            out.append((at, count, inside))
            have += count
            at += count
        return out

    def _free(self, cluster: int) -> bool:
        chains = self.chains
        return chains.owned.get(cluster, self.one) is self.one and not chains.in_use(cluster, 1)

    def _binary(self, stretches: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
        """Those that are no text, and the first."""
        out = stretches[:1]
        for stretch in stretches[1:]:
            data = self.chains.source_of([stretch[:2]], 1 << 16).read(Extent(0, 1 << 16))
            if not text_sectors(data, behind=False).all():
                out.append(stretch)
        return out

    def _claims(self, end: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Where other files would lie in a row, behind this one's start; those that are proven to
        lie there are owned from now on.
        """
        chains, one = self.chains, self.one
        high = one.first + 8 * one.count + 8192
        claimed: list[tuple[int, int]] = []
        low = bisect_right(chains.starts, one.first)
        near = chains.starts[low : bisect_right(chains.starts, high - 1)]
        for start, other in ((s, o) for s in near for o in chains.by_start[s]):
            chains.budget.pay()
            if start < one.first + 2 * one.count:
                chains.judge(other)
            if other.proven is None:
                claimed.append((start, min(end, start + other.count)))
        edges = sorted({edge for pair in claimed for edge in pair} | {end})
        return edges, claimed

    def _greedy(
        self, stretches: Sequence[tuple[int, int, bool]], *, skip: bool
    ) -> list[tuple[int, int]] | None:
        out: list[tuple[int, int]] = []
        left = self.one.count
        for first, count, claimed in stretches:
            if claimed and skip:
                continue
            out.append((first, min(count, left)))
            left -= min(count, left)
            if not left:
                return _joined(out)
        return None

    def _try(
        self,
        stretches: Sequence[tuple[int, int, bool]],
        index: int,
        have: list[tuple[int, int]],
        left: int,
        skips: int,
    ) -> list[tuple[int, int]] | None:
        """Takes each stretch that goes on from what it has, ``skips`` of these apart."""
        chains, one = self.chains, self.one
        if not left:
            pieces = _joined(have)
            fresh = skips == 0 and chains.holds(one, pieces, self.format)
            return pieces if fresh else None
        while index < len(stretches) and self.looks < _LOOKS and chains.measured < self.limit:
            first, count, _ = stretches[index]
            index += 1
            taken = [*have, (first, min(count, left))]
            if have and not self._goes_on(taken):
                continue
            found = self._try(stretches, index, taken, left - min(count, left), skips)
            if found is not None or not skips or not have:
                return found
            skips -= 1
        return None

    def _goes_on(self, pieces: list[tuple[int, int]]) -> bool:
        """Whether the last piece may follow: the structure is not broken inside of it."""
        if self.format is None or self.format.measure is None:
            return False
        key = tuple(pieces)
        if key not in self.known:
            self.known[key] = self._fits(pieces)
        return self.known[key]

    def _fits(self, pieces: list[tuple[int, int]]) -> bool:
        chains, cluster = self.chains, self.chains.volume.geometry.cluster
        assert self.format is not None
        assert self.format.measure is not None
        self.looks += 1
        first, count = pieces[-1]
        glance = [*pieces[:-1], (first, min(count, -(-_GLANCE // cluster)))]
        view = chains.source_of(_joined(glance), self.one.artifact.size)
        chains.measured += view.size
        try:
            found = self.format.measure(view, Budget.of(seconds=60))
        except Spent:
            raise
        except (Malformed, Unreadable):
            return False
        if found is None:
            return False
        # What breaks is told late, and not to the byte.
        return not found.broken or found.length >= view.size - _LATE


def _joined(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for first, count in pieces:
        if out and sum(out[-1]) == first:
            out[-1] = (out[-1][0], out[-1][1] + count)
        elif count:
            out.append((first, count))
    return out


def deleted(one: object) -> bool:
    """Whether it is a deleted file whose clusters are a guess."""
    return (
        isinstance(one, Artifact)
        and one.state is State.DELETED
        and one.role is Role.CONTENT
        and one.kind == "file"
    )

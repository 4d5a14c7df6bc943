"""Harvest, resolve, look inside: the order of an assessment, kept in its case.

One process keeps the case and the order; an Engine does the units. Stopped anywhere, it goes on
where the case's finished units end.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from hakushi.assess import units
from hakushi.assess.case import Case
from hakushi.assess.findings import Pack
from hakushi.assess.medium import Medium
from hakushi.assess.units import Carve, Draw, Harvest, Inspect, Old, Scan, Unit, Walk
from hakushi.fleet import Engine
from hakushi.model import (
    Artifact,
    Assessment,
    Class,
    Extent,
    Extents,
    Locator,
    Role,
    Run,
    State,
)
from hakushi.recover import records
from hakushi.recover.resolve import Claim, Resolved, resolve

_COMMIT_SECONDS = 2.0
_STRETCH = 256 << 20
"""Bytes of the medium that one carve or scan unit looks after."""

_DRAWN = 4096
"""So many sampled blocks make a unit."""

_BATCH_BYTES = 8 << 20
_BATCH_FILES = 48
_MAGICS = 20_000
"""So many file magics help to learn where an old volume began."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a phase is: for progress bars."""

    phase: str
    done: int
    of: int


@dataclass(slots=True)
class Work:
    """One run of an assessment over its case."""

    medium: Medium
    case: Case
    engine: Engine
    key: bytes
    metadata: bool = True
    pictures: bool = False
    findings: bool = True
    """Look for personal data in what is found."""
    say: Callable[[Step], None] = lambda _step: None
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(unit, why) of units that did not end in this run."""
    _settled: tuple[int, Resolved | None] = (0, None)
    """How many artifacts had come when the case was settled last, and how."""

    def harvest(self) -> None:
        """Every sector's kind, every magic, every file system that still stands."""
        size = self.medium.source.size
        work: list[Unit] = []
        if self.metadata:
            work.append(Walk("walk", self.medium.root))
        work += [Harvest(f"cell:{e.offset}", self.medium.root, e) for e in units.grid(size)]
        self._do("harvest", work)
        if self.metadata:
            self._do("records", self._old())

    def _old(self) -> list[Unit]:
        """A unit for each kind of old record that stands outside live files."""
        found: dict[str, dict[str, list[Extent]]] = defaultdict(lambda: defaultdict(list))
        kinds = {sign.id: one.id for one in records.registered() for sign in one.signs}
        for cell in self.case.cells():
            for offset, length, sign in cell.records:
                if sign in kinds:
                    found[kinds[sign]][sign].append(Extent(offset, length))
        if not found:
            return []
        live = self._settle().live
        volumes = [Extent(0, self.medium.source.size)]
        for one in self._volumes().values():
            runs = absolute(one, self.medium.source.locator, self._volumes()) or ()
            volumes += [Extent(r.at, r.length) for r in runs[:1] if r.at is not None]
        magics = tuple(self._some_magics())
        return [
            Old(
                f"records:{kind}",
                self.medium.root,
                kind,
                tuple((s, tuple(Extents(e) - live)) for s, e in sorted(signs.items())),
                tuple(volumes),
                magics,
            )
            for kind, signs in sorted(found.items())
        ]

    def _some_magics(self) -> Iterator[tuple[int, str]]:
        """At most `_MAGICS` of the file magics, spread over the medium."""
        count = sum(len(cell.candidates) for cell in self.case.cells())
        every = (one for cell in self.case.cells() for one in cell.candidates)
        return islice(every, 0, None, count // _MAGICS + 1)

    def inspect(self) -> None:
        """Inside every file that a file system names; deleted ones are judged by their content."""
        self._settle()
        self._do("inspect", self._batches("known", "state<>'carved'"))

    def carve(self) -> None:
        """What nothing owns, by content; and inside that."""
        resolved = self._settle()
        structured = self._of_class(Class.STRUCTURED)
        candidates = [c for cell in self.case.cells() for c in cell.candidates]
        small = Extents() if self.metadata else self._small() & resolved.free
        work: list[Unit] = []
        for stretch in _stretches(self.medium.source.size):
            inside = [c for c in candidates if stretch.offset <= c[0] < stretch.end]
            inside = [c for c in inside if c[0] in resolved.free]
            text = structured & resolved.free & Extents([stretch])
            held = small & Extents([stretch])
            if inside or text or held:
                work.append(
                    Carve(
                        f"carve:{stretch.offset}",
                        self.medium.root,
                        tuple(inside),
                        tuple(resolved.free & Extents([_ahead(stretch)])),
                        tuple(text),
                        tuple(held),
                    )
                )
        self._do("carve", work)
        self._settle()
        self._do("inspect carved", self._batches("carved", "state='carved'"))

    def _small(self) -> Extents:
        """Where records stand that may hold small files themselves."""
        return Extents(
            Extent(offset, length)
            for cell in self.case.cells()
            for offset, length, sign in cell.records
            if sign == "ntfs-file"
        )

    def inspect_further(self) -> None:
        """Inside what was added to the carved ones since they were looked into."""
        self._settle()
        further = self._batches("further", "state='carved' AND sha256 IS NULL")
        self._do("inspect carved", further)

    def scan(self) -> None:
        """The structured bytes that no inspected file holds."""
        if not self.findings:
            return
        held = Extents(
            Extent(run.at, run.length)
            for claim in self._claims()
            if claim.artifact.role is Role.CONTENT
            for run in claim.runs
            if run.at is not None
        )
        left = self._of_class(Class.STRUCTURED) - held
        work = [
            Scan(f"scan:{stretch.offset}", self.medium.root, tuple(part), self.key)
            for stretch in _stretches(self.medium.source.size)
            if (part := left & Extents([stretch]))
        ]
        self._do("scan", work)

    def place(self) -> None:
        """Each finding once: the same bytes of the medium in two files are one place, and what a
        file system's own structures hold of a small file was found in the file already.
        """
        contested = Extents(
            extent for claim in self._claims("overlaid") for extent in _extents(claim)
        )
        places: list[tuple[Locator, int, int, int]] = []
        if contested:
            for claim in self._claims("NOT superseded AND NOT nested AND role='content'"):
                if any(contested.meets(extent) for extent in _extents(claim)):
                    places += self._placed(claim)
            top = self.medium.source.locator
            places += [(top, at, length, at) for at, length in self._found(top)]
        self.case.put_places(places)
        self.case.drop_repeated(self.explained())

    def _placed(self, claim: Claim) -> Iterator[tuple[Locator, int, int, int]]:
        locator = claim.artifact.locator
        for offset, length in self._found(locator):
            at = _offset(claim.runs, offset)
            if at is not None:
                yield locator, offset, length, at

    def _found(self, locator: Locator) -> Iterator[tuple[int, int]]:
        """Where in the bytes of a place something was found: offset and length."""
        for columns in self.case.found(locator):
            yield from zip(columns.offsets.tolist(), columns.lengths.tolist(), strict=True)

    def draw(self, offsets: Iterable[int], length: int) -> None:
        """Reads a sample's blocks instead of everything."""
        every = list(offsets)
        chunks = [every[i : i + _DRAWN] for i in range(0, len(every), _DRAWN)]
        root, key = self.medium.root, self.key
        self._do("sample", [Draw(f"draw:{c[0]}", root, tuple(c), length, key) for c in chunks])

    # --- the whole --------------------------------------------------------------------------

    def _settle(self) -> Resolved:
        """Who owns which bytes of the medium, over everything the case knows now."""
        known, resolved = self._settled
        if resolved is None or known != self.case.joined:
            resolved = resolve(self._claims(), self.medium.source.size)
            self.case.settle(resolved.incomplete, resolved.superseded)
            self._settled = self.case.joined, resolved
        return resolved

    def _claims(self, which: str = "1") -> Iterator[Claim]:
        top = self.medium.source.locator
        volumes = self._volumes()
        for artifact in self.case.artifacts(f"runs IS NOT NULL AND {which}"):
            runs = absolute(artifact, top, volumes)
            if runs is not None:
                yield _claim(artifact, runs, volumes)

    def _volumes(self) -> dict[Locator, Artifact]:
        return {a.locator: a for a in self.case.artifacts("role=?", (Role.VOLUME.value,))}

    def explained(self) -> Extents:
        """Bytes of the medium that partition tables and new, empty file systems account for."""
        return Extents(
            Extent(run.at, run.length)
            for claim in self._claims(f"role='{Role.STRUCTURE.value}'")
            for run in claim.runs
            if run.at is not None
        )

    def _of_class(self, which: Class) -> Extents:
        return Extents(e for cell in self.case.cells() for e in cell.extents_of(which))

    def _batches(self, name: str, which: str) -> Iterator[Inspect]:
        """Content artifacts right on the medium's volumes, in batches of neighbours."""
        volumes = self._volumes()
        batch: list[Artifact] = []
        size = 0

        def unit() -> Inspect:
            above = {v for a in batch for v in _ancestors(a.locator)} & volumes.keys()
            return Inspect(
                f"{name}:{_digest(batch)}",
                self.medium.root,
                tuple(volumes[v] for v in sorted(above)),
                tuple(batch),
                self.key,
                self.pictures,
                self.findings,
            )

        query = (
            f"role=? AND size>0 AND kind<>'directory' AND NOT nested AND NOT superseded AND {which}"
        )
        for artifact in self.case.artifacts(query, (Role.CONTENT.value,)):
            if batch and (size + artifact.size > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
                yield unit()
                batch, size = [], 0
            batch.append(artifact)
            size += artifact.size
        if batch:
            yield unit()

    # --- doing ------------------------------------------------------------------------------

    def _do(self, phase: str, work: Iterable[Unit]) -> None:
        """Runs the units that the case has not seen the end of; joins what they give."""
        every = list(work)
        over = self.case.done()
        left = [u for u in every if u.id not in over]
        done = len(every) - len(left)
        self.say(Step(phase, done, len(every)))
        pieces: list[Assessment | list[Pack]] = []
        ended: list[str] = []
        last = time.monotonic()
        for piece in self.engine.run(units.look, left):
            if piece.value is not None:
                pieces.append(piece.value)
            if piece.last:
                done += 1
                if piece.failed is None:
                    ended.append(piece.unit.id)
                else:
                    self.failed.append((piece.unit.id, piece.failed))
                self.say(Step(phase, done, len(every)))
            if time.monotonic() - last > _COMMIT_SECONDS or len(pieces) > 64:
                self.case.join(pieces, ended)
                pieces, ended, last = [], [], time.monotonic()
        self.case.join(pieces, ended)


def _claim(artifact: Artifact, runs: tuple[Run, ...], volumes: Mapping[Locator, Artifact]) -> Claim:
    """A file's claim; an old file system's one with whether its record was in use to the end."""
    parent = artifact.locator.parent
    volume = None if parent is None else volumes.get(parent)
    if volume is None or volume.state is not State.DELETED:
        return Claim(artifact, runs)
    return Claim(artifact, runs, parent, artifact.locator.last[1].endswith(records.HELD))


def absolute(
    artifact: Artifact, top: Locator, volumes: dict[Locator, Artifact]
) -> tuple[Run, ...] | None:
    """The artifact's runs on the medium, cut to its size; None where it is not bytes of it."""
    if artifact.runs is None:
        return None
    runs = _cut(artifact.runs, artifact.size)
    parent = artifact.locator.parent
    while parent is not None and parent != top:
        volume = volumes.get(parent)
        if volume is None or volume.runs is None:
            return None
        runs = _through(runs, volume.runs)
        parent = parent.parent
    return None if parent is None else runs


def _digest(batch: Iterable[Artifact]) -> str:
    """Names a batch by its members: after a crash other batches may be cut."""
    names = "\n".join(f"{a.locator} {a.state} {a.size}" for a in batch)
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _extents(claim: Claim) -> list[Extent]:
    return [Extent(run.at, run.length) for run in claim.runs if run.at is not None]


def _cut(runs: Iterable[Run], size: int) -> tuple[Run, ...]:
    out = []
    for run in runs:
        take = min(run.length, size)
        if take <= 0:
            break
        out.append(Run(run.at, take))
        size -= take
    return tuple(out)


def _offset(runs: Iterable[Run], at: int) -> int | None:
    """Where the byte at ``at`` of these runs lies on the medium."""
    for run in runs:
        if at < run.length:
            return None if run.at is None else run.at + at
        at -= run.length
    return None


def _through(runs: Iterable[Run], outer: tuple[Run, ...]) -> tuple[Run, ...]:
    """Runs inside a volume as runs of the volume's parent."""
    if len(outer) == 1 and outer[0].at is not None:
        base = outer[0].at
        return tuple(Run(None if r.at is None else r.at + base, r.length) for r in runs)
    out = []
    for run in runs:
        if run.at is None:
            out.append(run)
            continue
        start = 0
        for piece in outer:
            low, high = max(run.at, start), min(run.at + run.length, start + piece.length)
            if low < high:
                at = None if piece.at is None else piece.at + low - start
                out.append(Run(at, high - low))
            start += piece.length
    return tuple(out)


def _ancestors(locator: Locator) -> Iterator[Locator]:
    parent = locator.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _ahead(stretch: Extent) -> Extent:
    """Where a file that begins in a stretch may go on."""
    return Extent(stretch.offset, 2 * _STRETCH + stretch.length)


def _stretches(size: int) -> Iterator[Extent]:
    return (Extent(at, min(_STRETCH, size - at)) for at in range(0, size, _STRETCH))


def owners(case: Case, top: Locator) -> list[tuple[int, int, str]]:
    """Runs (offset, length, ``live``, ``deleted``, ``carved`` or ``structure``) for the picture."""
    volumes = {a.locator: a for a in case.artifacts("role=?", (Role.VOLUME.value,))}
    out = []
    query = (
        "runs IS NOT NULL AND NOT nested AND NOT superseded AND role IN ('content', 'structure')"
    )
    for artifact in case.artifacts(query):
        name = "structure" if artifact.role is Role.STRUCTURE else artifact.state.value
        out += [
            (run.at, run.length, name)
            for run in absolute(artifact, top, volumes) or ()
            if run.at is not None
        ]
    return out

"""The piece of work that travels, and `look`, which does it.

A unit names its medium by `Root` and is opened again by whoever does it, so no bytes travel. Pieces
that it gives are Assessments, to be joined with ``|``.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from hakushi import detect
from hakushi.assess import triage
from hakushi.assess.case import relative
from hakushi.assess.findings import Pack, pack
from hakushi.assess.medium import Root, reopen
from hakushi.model import (
    CELL,
    SECTOR,
    Artifact,
    Assessment,
    Cell,
    Damage,
    Extent,
    Extents,
    Locator,
    Malformed,
    Role,
    Source,
    State,
    Text,
    Unreadable,
)
from hakushi.recover import (
    Budget,
    Family,
    Format,
    Measure,
    identify,
    ocr,
    promised,
    reach,
    records,
    registered,
    walk,
)
from hakushi.recover.cursor import Spent

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_log = logging.getLogger(__name__)

_READ = 1 << 20
_BATCH, _PACKED = 500, 1 << 18
"""So many artifacts, or bytes of findings, go into one piece."""

_TOGETHER = 1 << 16
"""Characters of small texts that are read in one go."""

_UNREADABLE_STEPS = (1 << 20, 1 << 16, 4096, SECTOR)
"""Sizes in which a cell with bad sectors is read again, ever smaller."""


_NEAR = 8192
"""Old records that begin so near each other are one stretch."""

_NARROWED = 64 << 20
"""Bytes up to which a live file is measured only to narrow its kind (a zip that is a docx)."""

_TRAILING = 4096
"""Bytes behind a file's own end that programs leave there."""

_MOST_FAILURES = 400
"""Failed reads of one cell after which the rest of it counts as unreadable: a dying drive takes
seconds for each."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """Read one cell of the grid: triage, file magics."""

    id: str
    root: Root
    extent: Extent


@dataclass(frozen=True, slots=True)
class Walk:
    """Walk the partition tables and file systems that still stand."""

    id: str
    root: Root


@dataclass(frozen=True, slots=True)
class Old:
    """Read the old records of one kind that harvest saw outside live files."""

    id: str
    root: Root
    kind: str
    signs: tuple[tuple[str, tuple[Extent, ...]], ...]
    volumes: tuple[Extent, ...]
    """The medium and its partitions: a file system may stand at the start of each."""
    magics: tuple[tuple[int, str], ...]
    """Some of the file magics."""


@dataclass(frozen=True, slots=True)
class Carve:
    """Carve the file magics of one stretch of the medium out of what nothing owns."""

    id: str
    root: Root
    candidates: tuple[tuple[int, str], ...]
    free: tuple[Extent, ...]
    text: tuple[Extent, ...]
    """The structured part of ``free``, where text without a header may lie."""
    small: tuple[Extent, ...] = ()
    """Where NTFS records stand that hold small files, if no record is read as one."""


@dataclass(frozen=True, slots=True)
class Inspect:
    """Look inside artifacts: digest, kind, text, findings, what they hold."""

    id: str
    root: Root
    above: tuple[Artifact, ...]
    """The artifacts that the locators of ``artifacts`` go through."""
    artifacts: tuple[Artifact, ...]
    key: bytes
    pictures: bool = False
    """Read the text in pictures, too."""
    findings: bool = True
    """Look for personal data; without, only for the files that they hold."""


class _Texts:
    """Texts that wait to be read together: most of a mail store are small."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._waiting: list[detect.Waiting] = []
        self._size = 0

    def find(self, text: Text, locator: Locator) -> Iterator[detect.Found | Damage]:
        """What is in a text, now or with one of the next."""
        if detect.small(text):
            yield from self._wait(detect.Waiting(text, locator))
        else:
            yield detect.find(text, locator, self._key)

    def _wait(self, one: detect.Waiting) -> Iterator[detect.Found | Damage]:
        self._waiting.append(one)
        self._size += len(one.text.chars)
        if self._size >= _TOGETHER or len(self._waiting) >= _BATCH:
            yield from self.rest()

    def scan(self, source: Source) -> Iterator[detect.Found | Damage]:
        """What is in a source's bytes: with other texts where they are a small one."""
        text = detect.clean(source)
        if text is None:
            yield from detect.scan(source, self._key)
        else:
            yield from self._wait(detect.Waiting(text, source.locator, raw=True))

    def rest(self) -> Iterator[detect.Found | Damage]:
        """What is in those that still wait."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if not waiting:
            return
        try:
            yield from detect.find_all(waiting, self._key)
        except Exception:  # noqa: BLE001 - told below, by the text that it came from
            for one in waiting:
                yield from self._alone(one)

    def _alone(self, one: detect.Waiting) -> Iterator[detect.Found | Damage]:
        try:
            yield from detect.find_all([one], self._key)
        except MemoryError:
            yield Damage(one.locator, "out of memory")
        except Exception as error:  # noqa: BLE001 - the one boundary: a bug becomes Damage
            _log.exception("bug while reading %s", one.locator)
            yield Damage(one.locator, f"internal error: {type(error).__name__}")


class How:
    """How files are looked into: with which counting key, whether text in pictures is read, and
    whether there is a look for ``findings`` at all; ``texts`` are those that wait.
    """

    def __init__(self, key: bytes, *, pictures: bool = False, findings: bool = True) -> None:
        self.pictures = pictures
        self.findings = findings
        self.texts = _Texts(key)


@dataclass(frozen=True, slots=True)
class Scan:
    """Look for findings in bytes of the medium that no inspected artifact holds."""

    id: str
    root: Root
    extents: tuple[Extent, ...]
    key: bytes


@dataclass(frozen=True, slots=True)
class Draw:
    """Read sampled blocks: is each the expected fill, or other?"""

    id: str
    root: Root
    offsets: tuple[int, ...]
    length: int
    key: bytes


Unit = Harvest | Walk | Old | Carve | Inspect | Scan | Draw


def look(unit: Unit) -> Iterator[Assessment | list[Pack]]:
    """Does one unit. Pure but for reading its medium."""
    source = reopen(unit.root)
    match unit:
        case Harvest():
            yield harvest(source, unit.extent)
        case Walk():
            yield from _gather(_walk(source), source.locator)
        case Old():
            yield from _gather(_old(source, unit), source.locator)
        case Carve():
            yield from _gather(_carve(source, unit), source.locator)
        case Inspect():
            yield from _gather(_inspect_all(source, unit), source.locator)
        case Scan():
            found = detect.scan(source, unit.key, extents=Extents(unit.extents))
            yield from _gather(found, source.locator)
        case Draw():
            yield from _draw(source, unit)


def _gather(
    found: Iterator[Artifact | detect.Found | Damage], root: Locator
) -> Iterator[Assessment | list[Pack]]:
    """Pieces of some `_BATCH` things; findings packed, their locators below ``root``."""
    prefix = str(root)
    artifacts: dict[Locator, Artifact] = {}
    packs: list[Pack] = []
    size = 0
    damage: list[Damage] = []
    for one in found:
        if isinstance(one, detect.Found):
            if one.places:
                packs.append(pack(relative(one.locator, prefix), one.places))
                size += len(packs[-1].body)
            if size >= _PACKED or len(packs) >= _BATCH:
                yield packs
                packs, size = [], 0
            continue
        if isinstance(one, Artifact):
            artifacts[one.locator] = one
        elif isinstance(one, Damage):
            damage.append(one)
        if len(artifacts) + len(damage) >= _BATCH:
            yield Assessment(artifacts=artifacts, damage=frozenset(damage))
            artifacts, damage = {}, []
    if packs:
        yield packs
    if artifacts or damage:
        yield Assessment(artifacts=artifacts, damage=frozenset(damage))


# --- harvest -----------------------------------------------------------------------------


def harvest(source: Source, extent: Extent) -> Assessment:
    """One cell: what was read, what kind of bytes its sectors hold, where file magics and old
    records stand.
    """
    import numpy as np

    data, missing = _read_around(source, extent)
    classes, histogram = triage.classify(data)
    for gap in missing:
        first = (gap.offset - extent.offset) // SECTOR
        classes[first : -(-(gap.end - extent.offset) // SECTOR)] = triage.UNREAD
    interesting = (classes == triage.STRUCTURED) | (classes == triage.RANDOM)
    found = _magics_in(extent, data, interesting)
    cell = Cell(
        offset=extent.offset,
        length=len(data),
        classes=triage.runs(classes),
        candidates=tuple(one for one in found if one[1] not in _signs()),
        histogram=tuple(histogram.tolist()) if np.any(classes == triage.RANDOM) else (),
        records=_stretches(one for one in found if one[1] in _signs()),
    )
    gaps = Extents(missing)
    return Assessment(seen=Extents([extent]) - gaps, unreadable=gaps, cells={extent.offset: cell})


def _read_around(source: Source, extent: Extent) -> tuple[bytes, list[Extent]]:
    """The bytes, with zeros for what could not be read, and where that was."""
    try:
        return source.read(extent), []
    except Unreadable:
        pass
    out = bytearray(extent.length)
    missing: list[Extent] = []

    failures = 0

    def fill(piece: Extent, level: int) -> None:
        nonlocal failures
        while failures <= _MOST_FAILURES:
            try:
                data = source.read(piece)
            except Unreadable as error:
                gone = error.extent
                inside = piece.offset <= gone.offset < gone.end <= piece.end
                if not (error.lasting and inside):
                    failures += 1
                    break
                # No smaller read gives these; what stands around them may be there.
                missing.append(gone)
                if gone.offset > piece.offset:
                    fill(Extent(piece.offset, gone.offset - piece.offset), level)
                if gone.end == piece.end:
                    return
                piece = Extent(gone.end, piece.end - gone.end)
            else:
                start = piece.offset - extent.offset
                out[start : start + len(data)] = data
                return
        if failures > _MOST_FAILURES or level == len(_UNREADABLE_STEPS):
            missing.append(piece)
        else:
            step = _UNREADABLE_STEPS[level]
            for at in range(piece.offset, piece.end, step):
                fill(Extent(at, min(step, piece.end - at)), level + 1)

    fill(extent, 0)
    return bytes(out), missing


@dataclass(frozen=True, slots=True)
class _Magics:
    """File magics ``at`` one offset of a sector, and a table of how they begin (two bytes)."""

    at: int
    begins: npt.NDArray[np.bool_]
    values: tuple[tuple[bytes, str], ...]


@cache
def _signs() -> dict[str, str]:
    """Sign id -> the kind of old record."""
    return {sign.id: one.id for one in records.registered() for sign in one.signs}


def _stretches(signs: Iterable[tuple[int, str]]) -> tuple[tuple[int, int, str], ...]:
    """Signs near each other as one stretch: a million records are few of these."""
    open_: dict[str, Extent] = {}
    out: list[tuple[int, int, str]] = []
    for at, id in signs:
        last = open_.get(id)
        if last is not None and at - last.end < _NEAR:
            open_[id] = Extent(last.offset, at + SECTOR - last.offset)
            continue
        if last is not None:
            out.append((last.offset, last.length, id))
        open_[id] = Extent(at, SECTOR)
    return tuple(sorted([*out, *((e.offset, e.length, id) for id, e in open_.items())]))


@cache
def _magics() -> tuple[_Magics, ...]:
    """The magics of every format that can be carved and whose magic lies in its first sector, and
    the signs of old records.
    """
    import numpy as np

    by_offset: dict[int, list[tuple[bytes, str]]] = {}
    for one in registered(Family.ARCHIVE, Family.DOCUMENT, Family.MEDIA):
        for magic in one.magics if one.measure is not None else ():
            if len(magic.value) >= 2 and magic.at + len(magic.value) <= SECTOR:
                by_offset.setdefault(magic.at, []).append((magic.value, one.id))
    for kind in records.registered():
        for sign in kind.signs:
            by_offset.setdefault(sign.at, []).append((sign.value, sign.id))
    out = []
    for at, values in sorted(by_offset.items()):
        begins = np.zeros(1 << 16, bool)
        begins[[int.from_bytes(value[:2], "little") for value, _ in values]] = True
        out.append(_Magics(at, begins, tuple(values)))
    return tuple(out)


def _magics_in(
    extent: Extent, data: bytes, interesting: npt.NDArray[np.bool_]
) -> tuple[tuple[int, str], ...]:
    """File magics at the starts of sectors: (offset on the medium, format or sign id), sorted."""
    import numpy as np

    sectors = np.flatnonzero(interesting)
    if not len(sectors):
        return ()
    view = np.frombuffer(data, np.uint8)
    starts = sectors * SECTOR
    found: set[tuple[int, str]] = set()
    for magics in _magics():
        here = starts[starts + magics.at + 1 < len(data)] + magics.at
        pairs = view[here].astype(np.uint16) | view[here + 1].astype(np.uint16) << 8
        for at in here[magics.begins[pairs]].tolist():
            found.update(
                (extent.offset + at - magics.at, format_id)
                for value, format_id in magics.values
                if data.startswith(value, at)
            )
    return tuple(sorted(found))


def _draw(source: Source, unit: Draw) -> Iterator[Assessment | list[Pack]]:
    """Sampled blocks, and what those of them say that are not the expected fill."""
    from hakushi.recover.carve import text_runs

    whole = Assessment()
    other: list[Extent] = []
    seen: list[Extent] = []
    for offset in unit.offsets:
        extent = Extent(offset, min(unit.length, source.size - offset))
        piece = harvest(source, extent)
        seen += piece.seen
        structured = any(kind == triage.STRUCTURED for kind, _ in piece.cells[offset].classes)
        if structured or piece.unreadable:
            whole |= Assessment(unreadable=piece.unreadable, cells=piece.cells)
        if structured:
            other.append(extent)
    yield whole | Assessment(seen=Extents(seen))
    extents = Extents(other)
    texts = text_runs(source, extents, Budget.of(seconds=600))
    yield from _gather(texts, source.locator)
    yield from _gather(detect.scan(source, unit.key, extents=extents), source.locator)


# --- walk and carve ----------------------------------------------------------------------


def _walk(source: Source) -> Iterator[Artifact | Damage]:
    budget = Budget.of(seconds=6 * 3600)
    yield from walk(source, budget, Family.VOLUMES, Family.FILESYSTEM, Family.ENCRYPTED)


def _old(source: Source, unit: Old) -> Iterator[Artifact | Damage]:
    from hakushi.recover import standing

    budget = Budget.of(seconds=6 * 3600)
    place = source.locator.step("records", unit.kind)
    try:
        stands = standing.standing(source, unit.volumes, budget)
        ground = records.Ground(
            {id: Extents(where) - stands.walked for id, where in unit.signs},
            stands.used,
            unit.magics,
            frozenset(stands.starts).__contains__,
        )
        for one in records.registered():
            if one.id == unit.kind:
                yield from one.read(source, ground, budget)
    except (Malformed, Unreadable) as error:
        yield Damage(place, str(error))
    except Exception as error:  # noqa: BLE001 - the one boundary: a bug becomes Damage
        _log.exception("bug in the records of %s", unit.kind)
        yield Damage(place, f"internal error: {type(error).__name__}")


def _carve(source: Source, unit: Carve) -> Iterator[Artifact | Damage]:
    from hakushi.recover.carve import carve, text_runs
    from hakushi.recover.records._ntfs_resident import resident

    free = Extents(unit.free)
    taken = []
    yield from resident(source, Extents(unit.small), Budget.of(seconds=3600))
    for found in carve(source, unit.candidates, free, Budget.of(seconds=3600)):
        if isinstance(found, Artifact):
            taken.append(found.extents)
        yield found
    owned = Extents(run for extents in taken for run in extents)
    rest = Extents(unit.text) - owned
    yield from text_runs(source, rest, Budget.of(seconds=3600))


# --- look inside -------------------------------------------------------------------------


def _inspect_all(source: Source, unit: Inspect) -> Iterator[Artifact | detect.Found | Damage]:
    known = {a.locator: a for a in (*unit.above, *unit.artifacts)}
    how = How(unit.key, pictures=unit.pictures, findings=unit.findings)

    def find(locator: Locator) -> Artifact:
        if locator not in known:
            raise Malformed(f"nothing is known of {locator}")
        return known[locator]

    for artifact in unit.artifacts:
        seconds = (120 + artifact.size / 1e6) * (20 if unit.pictures else 1)
        budget = Budget.of(seconds=seconds, output=max(1 << 30, artifact.size * 20))
        try:
            inner = reach(source, artifact.locator, find)
            yield from _inspect(inner, artifact, how, budget)
        except (Malformed, Unreadable) as error:
            yield replace(artifact, complete=False)
            yield Damage(artifact.locator, str(error))
        except MemoryError:
            yield Damage(artifact.locator, "out of memory")
        except Exception as error:  # noqa: BLE001 - the one boundary: a bug becomes Damage
            _log.exception("bug while looking into %s", artifact.locator)
            yield Damage(artifact.locator, f"internal error: {type(error).__name__}")
    yield from how.texts.rest()


def _inspect(
    source: Source, artifact: Artifact, how: How, budget: Budget
) -> Iterator[Artifact | detect.Found | Damage]:
    """One artifact and all that it holds: told once with its digest, then what is in it."""
    digest = _digest(source, budget)
    one = identify(source)
    known = replace(artifact, sha256=digest)
    if one is None and artifact.state is State.DELETED:
        told = _unchained(artifact) or bool(promised(known.path))
        known = replace(known, complete=known.complete and not told)
    if one is not None and artifact.state is not State.CARVED:
        known = replace(known, kind=one.id)
        if one.measure is not None and artifact.state is State.DELETED:
            known = _validated(known, one.measure(source, budget))
        elif one.measure is not None and one.narrows and artifact.size <= _NARROWED:
            measure = one.measure(source, budget)
            known = replace(known, kind=measure.kind or one.id if measure else one.id)
    yield known
    yield from _inside(source, known, one, how, budget)


def _unchained(artifact: Artifact) -> bool:
    """Was it deleted where records do not tell which clusters newer files took?"""
    step, place = artifact.locator.last
    return step in records.UNCHAINED and not place.endswith(records.HELD)


def _validated(artifact: Artifact, measure: Measure | None) -> Artifact:
    """A deleted file is complete only if its content, where it can be judged, says so too.

    What ends whole long before the file does is another one, that came to its first bytes later;
    not so where the record was in use to the end.
    """
    if measure is None:
        return replace(artifact, complete=False)
    wanted = promised(artifact.path)
    held = artifact.locator.last[1].endswith(records.HELD)
    near = artifact.size - measure.length <= _TRAILING
    own = held or (near and (not wanted or artifact.kind in wanted))
    whole = (measure.complete and own) or measure.length >= artifact.size
    return replace(
        artifact, kind=measure.kind or artifact.kind, complete=artifact.complete and whole
    )


def _digest(source: Source, budget: Budget) -> str:
    digest = hashlib.sha256()
    for at in range(0, source.size, _READ):
        budget.pay()
        digest.update(source.read(Extent(at, min(_READ, source.size - at))))
    return digest.hexdigest()


def _inside(
    source: Source, artifact: Artifact, one: Format | None, how: How, budget: Budget
) -> Iterator[Artifact | detect.Found | Damage]:
    """Findings of its text (its raw bytes where it has none), and of what it holds."""
    told = False
    for read in _readers(source, one, how):
        try:
            for text in read(source, budget):
                told = told or text.part != ocr.PART
                yield from how.texts.find(text, _place(source, text))
        except (Malformed, Unreadable) as error:
            told = False
            yield Damage(source.locator, str(error))
    held: list[Artifact] = []
    if one is not None:
        try:
            for found in one.open(source, budget):
                if isinstance(found, Artifact):
                    budget.pay(artifacts=1)
                    held.append(replace(found, state=artifact.state, nested=True))
                else:
                    yield found
        except (Malformed, Unreadable) as error:
            yield Damage(source.locator, str(error))
    if how.findings and not told and not held:
        yield from how.texts.scan(source)
    for child in held:
        yield from _inspect_child(source, child, how, budget)


def _readers(
    source: Source, one: Format | None, how: How
) -> Iterator[Callable[[Source, Budget], Iterator[Text]]]:
    """What gives the text of a file."""
    if not how.findings:
        return
    if one is not None and one.text is not None:
        yield one.text
    if one is not None and how.pictures and ocr.is_picture(source, one.id):
        yield ocr.pages


def _place(source: Source, text: Text) -> Locator:
    """Derived text is a place of its own, counted in characters; other text is the bytes' place."""
    if text.offsets is not None and not text.part:
        return source.locator
    return source.locator.step("text", text.part)


def _inspect_child(
    source: Source, child: Artifact, how: How, budget: Budget
) -> Iterator[Artifact | detect.Found | Damage]:
    if child.role is not Role.CONTENT or not child.size:
        yield child
        return
    try:
        inner = reach(source, child.locator, lambda _: child)
        yield from _inspect(inner, child, how, budget.deeper())
    except Spent as error:
        yield child
        yield Damage(child.locator, str(error))
    except (Malformed, Unreadable) as error:
        yield replace(child, complete=False)
        yield Damage(child.locator, str(error))


def grid(size: int) -> Iterator[Extent]:
    """The cells of a medium."""
    return (Extent(at, min(CELL, size - at)) for at in range(0, size, CELL))

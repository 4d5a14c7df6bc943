"""From bytes to artifacts. Trusts nothing.

One word, `Format`, serves containers, volumes, file systems, archives, documents and carvers: bytes
that hold more artifacts, or whose end can be told. A file in ``formats/`` is registered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from hakushi import plugins
from hakushi.media import Runs, Window
from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Locator,
    Malformed,
    Role,
    Source,
    Text,
    Unreadable,
)
from hakushi.recover.cursor import Budget, Cursor, Spent

__all__ = [
    "Budget",
    "Cursor",
    "Family",
    "Format",
    "Magic",
    "Measure",
    "Text",
    "identify",
    "promised",
    "reach",
    "registered",
    "walk",
]

_log = logging.getLogger(__name__)


class Family(StrEnum):
    """What kind of thing a format is; decides when the walk tries it."""

    CONTAINER = "container"
    """An image file around a medium: E01, qcow2 …"""
    VOLUMES = "volumes"
    """A partition table."""
    FILESYSTEM = "filesystem"
    ENCRYPTED = "encrypted"
    """A volume or archive whose content needs a key."""
    ARCHIVE = "archive"
    """Holds members: zip, gzip, mail box."""
    DOCUMENT = "document"
    """Holds text for a person: PDF, OOXML, plain text, SQLite."""
    MEDIA = "media"
    """Pictures, sound."""


@dataclass(frozen=True, slots=True)
class Magic:
    """Bytes that stand ``at`` bytes after the start of a thing of this format."""

    value: bytes
    at: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a thing that starts at 0 reaches, by its own structure.

    ``complete``: a validator saw its whole structure up to ``length``; False where the end is a
    guess or the structure breaks off. ``kind`` narrows the format's id (zip -> docx). ``more``:
    it broke off because the source ended; further bytes might complete it (then ``length``, how far
    it is sound, may be 0).
    """

    length: int
    complete: bool
    kind: str | None = None
    more: bool = False
    broken: bool = False
    """The structure is violated at ``length``, or not far behind it: other bytes stand there."""
    checked: bool = True
    """Content was looked at, not places alone: pieces that were put together prove each other.
    Where it is False, ``complete`` holds for what lies in one row."""
    sound: int | None = None
    """Up to where nothing is violated, where that is known and not ``length``."""


def _nothing(_source: Source, _budget: Budget) -> Iterator[Artifact | Damage]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Format:
    """Bytes with a structure. Every function gets hostile bytes and raises only `Malformed`.

    ``probe``: cheap; is it this, at offset 0? ``open``: what it holds, as artifacts whose parent is
    the source's locator (locators made by ``source.locator.step(id, name)``), with Damage for what
    it could not parse; pays its Budget in every loop. ``member``: the bytes behind one such step
    whose artifact has no runs; a pure function of the source's bytes. ``measure``: where a thing
    that starts at 0 ends; None if it is none. ``text``: its text for the detectors.
    """

    id: str
    family: Family
    probe: Callable[[Source], bool]
    magics: tuple[Magic, ...] = ()
    open: Callable[[Source, Budget], Iterator[Artifact | Damage]] = _nothing
    member: Callable[[Source, str], Source] | None = None
    measure: Callable[[Source, Budget], Measure | None] | None = None
    text: Callable[[Source, Budget], Iterator[Text]] | None = None
    extensions: tuple[str, ...] = ()
    narrows: bool = False
    """Whether ``measure`` tells a narrower kind than the id. Of a file whose end is known it is
    asked for that alone, which takes as long as reading all of it."""
    summed: bool = False
    """Whether checksums over its content stand in it, so that nothing else passes for it."""
    inner: Callable[[bytes], bool] | None = None
    """Cheap: could a cluster of these bytes stand in the middle of one? Where pieces of a file are
    looked for, those that cannot are passed over."""
    seams: Callable[[Source, Budget, Sequence[int]], list[float]] | None = None
    """Of places where pieces may meet: how badly what follows goes on from what stands before, as a
    ratio, 1 where nothing says so. For formats that take another file's bytes for their own."""
    goes_on: Callable[[Source, Budget], Callable[[bytes], float] | None] | None = None
    """The same for the end of a source, quickly for many: what gives for some bytes how badly they
    go on from there; infinite where they break soon, 0 where all ends as it must. None
    where that cannot be told."""


def registered(*families: Family) -> tuple[Format, ...]:
    """Every registered format, or those of some families."""
    every = plugins.load("hakushi.recover.formats", Format)
    return tuple(f for f in every if not families or f.family in families)


@cache
def by_id(id: str) -> Format:
    """The format of a locator step. Raises Malformed for an unknown one."""
    for one in registered():
        if one.id == id:
            return one
    raise Malformed(f"no format is called {id!r}")


class _Ahead:
    """A Source whose first bytes are read once: each of some fifty probes asks for them."""

    __slots__ = ("_head", "_source", "locator", "size")

    def __init__(self, source: Source) -> None:
        self._source = source
        self.locator, self.size = source.locator, source.size
        try:
            self._head = source.read(Extent(0, _HEAD))
        except Unreadable:
            self._head = b""

    def read(self, extent: Extent) -> bytes:
        if min(extent.end, self.size) <= len(self._head):
            return self._head[extent.offset : extent.end]
        return self._source.read(extent)


_HEAD = 8192
"""Bytes at the start of a source in which most formats show themselves."""

_SMALLEST, _LARGE = 8192, frozenset({Family.VOLUMES, Family.FILESYSTEM})
"""No table of partitions and no file system has its data in fewer bytes: of small files, of which
there are very many, that need not be asked."""


def identify(source: Source, *families: Family) -> Format | None:
    """The first format (of these families) whose probe says yes, or None."""
    ahead = _Ahead(source)
    small = source.size < _SMALLEST
    for one in registered(*families):
        if small and one.family in _LARGE:
            continue
        try:
            if one.probe(ahead):
                return one
        except (Malformed, Unreadable):
            continue
    return None


def promised(path: str | None) -> frozenset[str]:
    """Ids of the formats that a file's name promises; none where it promises nothing."""
    ending = (path or "").rpartition(".")[2].lower()
    return frozenset(one.id for one in registered() if ending in one.extensions)


def walk(source: Source, budget: Budget, *families: Family) -> Iterator[Artifact | Damage]:
    """What the source holds, and what the volumes in it hold, as deep as the budget allows.

    Only artifacts that are volumes are entered: a file's inside is looked at file by file, later.
    Only formats of ``families`` are entered (all, if none is named). The one place where
    `Malformed` becomes `Damage`, and where a bug in a parser becomes Damage and a traceback.
    """
    one = identify(source, *families)
    if one is None:
        return
    held: list[Artifact] = []
    try:
        for found in one.open(source, budget):
            if isinstance(found, Artifact):
                budget.pay(artifacts=1)
                if found.role is Role.VOLUME and found.size:
                    held.append(found)
            yield found
    except (Malformed, Unreadable) as error:
        yield Damage(source.locator.step(one.id, "*"), str(error))
    except Exception as error:  # noqa: BLE001 - the one boundary: a bug becomes Damage
        _log.exception("bug in format %s", one.id)
        yield Damage(source.locator.step(one.id, "*"), f"internal error: {type(error).__name__}")
    for child in held:
        try:
            inner = budget.deeper()
            yield from walk(_child(source, child), inner, *families)
        except Spent as error:
            yield Damage(child.locator, str(error))
            return
        except Malformed as error:
            yield Damage(child.locator, str(error))


def _child(parent: Source, artifact: Artifact) -> Source:
    """The Source of an artifact right below ``parent``."""
    if artifact.runs is None:
        kind, value = artifact.locator.last
        member = by_id(kind).member
        if member is None:
            raise Malformed(f"{kind} derives nothing")
        return member(parent, value)
    if len(artifact.runs) == 1 and artifact.runs[0].at is not None:
        extent = Extent(artifact.runs[0].at, min(artifact.size, artifact.runs[0].length))
        return Window(parent, extent, artifact.locator)
    return Runs(parent, artifact.runs, artifact.size, artifact.locator)


def reach(root: Source, locator: Locator, artifacts: Callable[[Locator], Artifact]) -> Source:
    """Walks a locator down from its root to its Source.

    ``artifacts`` gives what is known of each step (from the case file); it raises Malformed for
    what it does not know.
    """
    if locator.names[: len(root.locator.names)] != root.locator.names:
        raise Malformed(f"{locator} does not lie below {root.locator}")
    source = root
    for depth in range(len(root.locator.names), len(locator.names)):
        source = _child(source, artifacts(Locator(locator.names[: depth + 1])))
    return source

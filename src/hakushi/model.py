"""The nouns that every room speaks: plain values, no I/O, no clock.

Laws are stated beside each type and tested under ``tests/property``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Protocol, Self, TypeVar, runtime_checkable
from urllib.parse import quote, unquote

SECTOR = 512
"""Bytes of the smallest unit that is judged on its own."""

CELL = 16 << 20
"""Bytes of one cell of the grid that coverage is counted on."""


# --- errors: five words, the fifth is "a bug" --------------------------------------------


class Malformed(Exception):
    """These bytes are not what their format says. Raised by parsers only; becomes `Damage`."""


class Unreadable(Exception):
    """These bytes could not be read. Raised by `Source.read` only; becomes a gap in coverage.

    ``lasting``: none of them can be, in no smaller piece either: they are not here.
    """

    def __init__(self, extent: Extent, why: str, *, lasting: bool = False) -> None:
        super().__init__(f"{extent.length} bytes at {extent.offset}: {why}")
        self.extent = extent
        self.why = why
        self.lasting = lasting

    def moved(self, by: int) -> Unreadable:
        """The same, as it is told in a Source in which these bytes lie ``by`` further."""
        extent = Extent(self.extent.offset + by, self.extent.length)
        return Unreadable(extent, self.why, lasting=self.lasting)


class Refused(Exception):
    """We will not do this: what was wrong, where, what to do. Carries a `Message` for a person."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class Conflict(Exception):
    """Somebody else changed the same thing first: try again or stop."""


# --- crossing processes -----------------------------------------------------------------------

_C = TypeVar("_C")


def light(cls: type[_C]) -> type[_C]:
    """Lets a frozen dataclass with slots cross processes four times as fast as `dataclasses` does.

    Law: what arrives equals what was sent. Nothing is checked again: both ends are ours.
    """
    names = [one.name for one in fields(cls)]  # type: ignore[arg-type]
    read = attrgetter(*names, names[0])  # at least two: else it gives no tuple
    write = [cls.__dict__[name].__set__ for name in names]

    def made(*values: object) -> _C:
        one = object.__new__(cls)
        for put, value in zip(write, values, strict=False):
            put(one, value)
        return one

    made.__module__, made.__qualname__ = cls.__module__, f"{cls.__qualname__}._made"
    cls._made = staticmethod(made)  # type: ignore[attr-defined]
    cls.__reduce__ = lambda self: (made, read(self))  # type: ignore[method-assign]
    return cls


# --- words for people --------------------------------------------------------------------


@light
@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person, not yet in a language: English template and its arguments.

    Pure code returns these; skins translate them with `hakushi.lang`. ``id`` is the English
    text with ``{name}`` fields, and is the key of the catalogues.
    """

    id: str
    args: tuple[tuple[str, str | int | float], ...] = ()

    def __str__(self) -> str:
        return self.id.format(**dict(self.args))


def message(id: str, **args: str | int | float) -> Message:
    """A `Message` with named arguments."""
    return Message(id, tuple(sorted(args.items())))


# --- bytes -------------------------------------------------------------------------------


@light
@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A half-open run of bytes: ``offset <= x < offset + length``; both are never negative."""

    offset: int
    length: int

    def __post_init__(self) -> None:
        if self.offset < 0 or self.length < 0:
            raise ValueError(f"no such extent: {self.offset}+{self.length}")

    @property
    def end(self) -> int:
        return self.offset + self.length


class Extents:
    """A set of bytes, held as sorted runs that neither touch nor overlap.

    Law: equals the set of its integers under ``|``, ``&``, ``-``, ``in`` and ``len``-like `size`.
    """

    __slots__ = ("_runs", "_starts")

    def __init__(self, runs: Iterable[Extent] = ()) -> None:
        merged: list[Extent] = []
        for run in sorted(r for r in runs if r.length):
            if merged and run.offset <= merged[-1].end:
                last = merged.pop()
                run = Extent(last.offset, max(last.end, run.end) - last.offset)
            merged.append(run)
        self._runs = tuple(merged)
        self._starts = [r.offset for r in merged]

    def __iter__(self) -> Iterator[Extent]:
        return iter(self._runs)

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __len__(self) -> int:
        """How many runs."""
        return len(self._runs)

    @property
    def size(self) -> int:
        """How many bytes."""
        return sum(r.length for r in self._runs)

    def __contains__(self, at: int) -> bool:
        i = bisect_right(self._starts, at) - 1
        return i >= 0 and at < self._runs[i].end

    def meets(self, extent: Extent) -> bool:
        """Whether any byte of ``extent`` is in the set."""
        i = bisect_right(self._starts, extent.end - 1) - 1
        return extent.length > 0 and i >= 0 and self._runs[i].end > extent.offset

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extents) and self._runs == other._runs

    def __hash__(self) -> int:
        return hash(self._runs)

    def __repr__(self) -> str:
        return f"Extents({', '.join(f'{r.offset}+{r.length}' for r in self._runs)})"

    def __or__(self, other: Extents) -> Extents:
        if not other._runs:
            return self
        if not self._runs:
            return other
        return Extents((*self._runs, *other._runs))

    def __and__(self, other: Extents) -> Extents:
        out: list[Extent] = []
        i = j = 0
        a, b = self._runs, other._runs
        while i < len(a) and j < len(b):
            start, end = max(a[i].offset, b[j].offset), min(a[i].end, b[j].end)
            if start < end:
                out.append(Extent(start, end - start))
            if a[i].end < b[j].end:
                i += 1
            else:
                j += 1
        return Extents(out)

    def __sub__(self, other: Extents) -> Extents:
        out: list[Extent] = []
        j = 0
        for run in self._runs:
            at = run.offset
            while j < len(other._runs) and other._runs[j].end <= at:
                j += 1
            k = j
            while k < len(other._runs) and other._runs[k].offset < run.end:
                cut = other._runs[k]
                if cut.offset > at:
                    out.append(Extent(at, cut.offset - at))
                at = max(at, cut.end)
                k += 1
            if at < run.end:
                out.append(Extent(at, run.end - at))
        return Extents(out)


@light
@dataclass(frozen=True, slots=True)
class Run:
    """One piece of an artifact's bytes, in its parent's offsets; ``at`` None is a hole of zeros."""

    at: int | None
    length: int

    def __post_init__(self) -> None:
        if self.length < 0 or (self.at is not None and self.at < 0):
            raise ValueError(f"no such run: {self.at}+{self.length}")


@cache
def _is_kind(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_.-]+", text) is not None


@light
@dataclass(frozen=True, slots=True, order=True)
class Locator:
    """Where a claim points: a root and the steps down from it.

    Text form ``image:ab12/part:1/ntfs:37/gzip:0``; each name is ``kind:value``, the kind a word of
    letters, digits and ``_.-``, the value percent-encoded UTF-8 in which lone surrogates (NTFS
    names may hold them) stand as if they were characters. Law: ``Locator.parse(str(x)) == x``; any
    host that has the medium can walk it.
    """

    names: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not self.names or not all(_is_kind(kind) for kind, _ in self.names):
            raise ValueError("a locator needs a root, and every name a kind")

    @classmethod
    def root(cls, kind: str, value: str) -> Self:
        return cls(((kind, value),))

    @classmethod
    def parse(cls, text: str) -> Self:
        names = []
        for name in text.split("/"):
            kind, colon, value = name.partition(":")
            if not colon:
                raise ValueError(f"not a locator: {text!r}")
            names.append((kind, unquote(value, errors="surrogatepass")))
        return cls(tuple(names))

    def __str__(self) -> str:
        return "/".join(
            f"{k}:{quote(v, safe=',;=@+~', errors='surrogatepass')}" for k, v in self.names
        )

    def step(self, kind: str, value: str | int) -> Locator:
        return Locator((*self.names, (kind, str(value))))

    @property
    def parent(self) -> Locator | None:
        return Locator(self.names[:-1]) if len(self.names) > 1 else None

    @property
    def last(self) -> tuple[str, str]:
        return self.names[-1]

    @property
    def depth(self) -> int:
        return len(self.names) - 1


@runtime_checkable
class Source(Protocol):
    """Bytes addressed by offset: read-only, no cursor.

    Laws: the same extent gives the same bytes, in any order, from any thread. `read` raises only
    `Unreadable`; a read that leaves the source is cut at its end, as a slice is.
    """

    @property
    def locator(self) -> Locator: ...

    @property
    def size(self) -> int: ...

    def read(self, extent: Extent) -> bytes: ...


# --- drives ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing that a drive may do: ``supported`` None is "it did not say"."""

    name: str
    supported: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Drive:
    """What a drive says of itself, as probed: claims, not facts."""

    path: str
    serial: str
    size: int
    model: str = ""
    wwn: str = ""
    firmware: str = ""
    transport: str = ""
    logical_sector: int = SECTOR
    physical_sector: int = SECTOR
    native_size: int | None = None
    rotational: bool | None = None
    read_only: bool = False
    held_by: tuple[str, ...] = ()
    """Mount points, holders, swap: whoever uses it now."""
    abilities: tuple[Ability, ...] = ()
    said_by: tuple[tuple[str, str], ...] = ()
    """(what, which source said so), where it matters or sources disagree."""
    zoned: str = ""
    """``host-aware`` or ``host-managed`` where its zones must be written in order."""
    health: tuple[tuple[str, int | str], ...] = ()
    """What it says of its health; empty where it says nothing."""
    sed: tuple[tuple[str, int | str], ...] = ()
    """What it says of its own encryption and locking; empty where it says nothing."""


# --- what looking finds ------------------------------------------------------------------


class State(StrEnum):
    """How an artifact was found; the earlier, the better the claim on its bytes."""

    LIVE = "live"
    DELETED = "deleted"
    CARVED = "carved"


class Role(StrEnum):
    """What an artifact means for the verdict."""

    CONTENT = "content"
    """A file of a user or of software, or a record of one: residue."""
    STRUCTURE = "structure"
    """A partition table or a file system's own, new and empty: explains bytes, is no residue."""
    VOLUME = "volume"
    """Holds other artifacts; no residue by itself."""
    LABEL = "label"
    """A volume label that someone chose: residue."""
    NAME = "name"
    """An old name or record without bytes: residue."""
    ENCRYPTED = "encrypted"
    """An encrypted volume or archive whose key is unknown: inconclusive."""
    MEMBER = "member"
    """A part of an array or volume group whose other parts are not here: inconclusive."""


_STATE_RANK = {State.LIVE: 2, State.DELETED: 1, State.CARVED: 0}


@light
@dataclass(frozen=True, slots=True)
class Artifact:
    """What recovery found at ``locator``.

    Its bytes are ``runs`` of its parent (in order, cut to ``size``), or, where ``runs`` is None,
    derived from the parent by the format that its last locator step names. Laws: runs lie inside
    the parent; derived bytes are a pure function of the parent's.
    ``complete``: every byte is still the artifact's own; False where that cannot be known.
    """

    locator: Locator
    kind: str
    state: State
    size: int
    runs: tuple[Run, ...] | None = None
    path: str | None = None
    role: Role = Role.CONTENT
    complete: bool = True
    sha256: str | None = None
    modified: int | None = None
    """Seconds since 1970, as the medium says it."""
    nested: bool = False
    """It lies inside another file: an archive's member, a mail's attachment."""
    changed: int | None = None
    """Seconds since 1970 when its record changed last: copying keeps no such time, so this one,
    where it is known, tells which of two files came to their bytes later."""

    @property
    def extents(self) -> Extents:
        """The parent's bytes that it claims."""
        return Extents(Extent(r.at, r.length) for r in self.runs or () if r.at is not None)

    def rank(self) -> tuple[object, ...]:
        """The stated order in which, of two claims under one locator, the greater one stays."""
        return (
            self.sha256 is not None,
            _STATE_RANK[self.state],
            not self.complete,
            self.size,
            self.sha256 or "",
            self.kind,
            self.path or "",
            self.role.value,
            tuple((r.at is not None, r.at or 0, r.length) for r in self.runs or ()),
            self.runs is not None,
            self.modified or 0,
            self.modified is not None,
            self.path is not None,
            self.nested,
            self.changed or 0,
            self.changed is not None,
        )


@dataclass(frozen=True, slots=True)
class Text:
    """Characters, with a map back to bytes where there is one, and, for tables, their cells.

    ``offsets``: for each character the byte offset of its first byte in the source, and one more
    entry for the end; None where the text was derived (inflated, laid out), then a character's
    own index stands for its offset. ``cells``: rows of (start, end) character spans; the first row
    is the header where ``header`` is true. Law: every character maps to its bytes.
    """

    chars: str
    offsets: Sequence[int] | None = None
    encoding: str = ""
    cells: tuple[tuple[tuple[int, int], ...], ...] = ()
    header: bool = False
    part: str = ""
    """Which part of a document: a sheet, a page, a table."""

    def extent(self, start: int, end: int) -> Extent:
        """The source bytes of ``chars[start:end]``."""
        if self.offsets is None:
            return Extent(start, end - start)
        return Extent(self.offsets[start], self.offsets[end] - self.offsets[start])


class Strength(StrEnum):
    LABELLED = "labelled"
    """A label, header or the form alone says what it is: counted."""
    UNLABELLED = "unlabelled"
    """A candidate: shown apart, never counted."""


@light
@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of personal data at one place; never its value.

    ``extent`` is in the bytes of ``locator``. ``masked`` shows at most what a person needs to
    recognise the kind. ``key`` is a keyed hash for counting equal values; the hash key lies apart.
    """

    kind: str
    locator: Locator
    extent: Extent
    strength: Strength
    masked: str
    key: bytes


@light
@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read, parsed or finished: it can only worsen a verdict."""

    locator: Locator
    what: str


class Class(StrEnum):
    """What a sector's bytes look like."""

    ZERO = "zero"
    CONSTANT = "constant"
    RANDOM = "random_like"
    STRUCTURED = "structured"
    UNREAD = "unread"


CLASSES = tuple(Class)


@light
@dataclass(frozen=True, slots=True)
class Cell:
    """What triage saw in one cell of the fixed grid (`CELL` bytes, the last one shorter).

    ``classes`` is the run-length map of its sectors: (index into `CLASSES`, sectors) pairs whose
    sectors add up to the cell. ``candidates`` are (offset, format id) of file magics.
    ``histogram``: 256 byte counts over its random-like sectors, empty if there are none.
    ``records`` are (offset, length, sign id) of stretches in which old records begin.
    """

    offset: int
    length: int
    classes: tuple[tuple[int, int], ...]
    candidates: tuple[tuple[int, str], ...] = ()
    histogram: tuple[int, ...] = ()
    records: tuple[tuple[int, int, str], ...] = ()

    def bytes_of(self, which: Class) -> int:
        wanted = CLASSES.index(which)
        total, at = 0, 0
        for index, sectors in self.classes:
            span = min(sectors * SECTOR, self.length - at)
            total += span if index == wanted else 0
            at += span
        return total

    def extents_of(self, which: Class) -> Extents:
        """Where on the source the sectors of one class lie."""
        wanted = CLASSES.index(which)
        out, at = [], 0
        for index, sectors in self.classes:
            span = min(sectors * SECTOR, self.length - at)
            if index == wanted:
                out.append(Extent(self.offset + at, span))
            at += span
        return Extents(out)

    def rank(self) -> tuple[object, ...]:
        """The better read of two cells at one offset stays."""
        unread = self.bytes_of(Class.UNREAD)
        return (-unread, self.classes, self.candidates, self.histogram, self.length, self.records)


class _Ranked(Protocol):
    def rank(self) -> tuple[object, ...]: ...


_K = TypeVar("_K")
_R = TypeVar("_R", bound=_Ranked)


def _join(a: Mapping[_K, _R], b: Mapping[_K, _R]) -> Mapping[_K, _R]:
    """Both maps; under one key the value of the greater rank stays (equal ranks are equal)."""
    if not (a and b):
        return a or b
    out = dict(a)
    for key, value in b.items():
        mine = out.get(key)
        if mine is None or mine.rank() < value.rank():
            out[key] = value
    return out


@light
@dataclass(frozen=True, slots=True)
class Assessment:
    """What was seen of a source, and what was found there.

    Law: ``|`` is associative, commutative and idempotent, with ``Assessment()`` as its zero; so
    processes, a crash and a re-run, and a distributed engine all come to the same whole.
    """

    seen: Extents = field(default_factory=Extents)
    unreadable: Extents = field(default_factory=Extents)
    cells: Mapping[int, Cell] = field(default_factory=dict)
    artifacts: Mapping[Locator, Artifact] = field(default_factory=dict)
    findings: frozenset[Finding] = frozenset()
    damage: frozenset[Damage] = frozenset()

    def __or__(self, other: Assessment) -> Assessment:
        return Assessment(
            self.seen | other.seen,
            self.unreadable | other.unreadable,
            _join(self.cells, other.cells),
            _join(self.artifacts, other.artifacts),
            self.findings | other.findings,
            self.damage | other.damage,
        )


class Verdict(StrEnum):
    """Law: more badness never improves it; unread or unparsed is never `CLEAN`."""

    CLEAN = "clean"
    RESIDUE = "residue"
    INCONCLUSIVE = "inconclusive"


class Severity(StrEnum):
    NONE = "none"
    TRIVIAL = "trivial"
    PERSONAL = "personal"
    GRAVE = "grave"


class Scope(StrEnum):
    IMAGE = "image"
    PARTITION = "partition"
    DRIVE = "drive"

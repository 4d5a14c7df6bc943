"""File systems that still stand: names, live and deleted, through The Sleuth Kit in a child.

Each format adds a `Layout`: its own small parser of what the file system itself owns, so that a
new, empty one is explained byte by byte, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hakushi.fleet.child import Child
from hakushi.model import (
    Artifact,
    Damage,
    Locator,
    Malformed,
    Role,
    Run,
    Source,
    State,
    Unreadable,
)
from hakushi.recover.cursor import Budget

PROGRAM = ("-m", "hakushi.recover.filesystem.child")
_DAMAGES = 1000
"""Damage told of one file system; what is beyond is counted."""

_LARGEST = 4 << 30
"""Bytes that a file may claim to hold, or four times its file system if that is more."""

_DATA = 128
_FILE, _DIRECTORY, _LINK = 1, 2, 6

_RESIDENT, _ENCRYPTED, _COMPRESSED = 4, 0x10, 0x20
_FILLER, _SPARSE = 1, 2


@dataclass(frozen=True, slots=True)
class Stream:
    """One attribute of a record. ``runs`` in blocks, or None where it must be read by the child."""

    type: int
    id: int
    name: str
    size: int
    flags: int
    runs: tuple[tuple[int, int, int], ...] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One name or record. ``live`` None: the name alone, its record is gone or another file's."""

    inum: int
    named: bool
    live: bool | None
    path: str
    place: str
    type: int
    size: int
    modified: int
    streams: tuple[Stream, ...]


_CONTENT = {"ntfs": (_DATA,), "hfs": (4352, 4353)}
"""Types of the streams that are a file's content; (1, 128) elsewhere. HFS+ has two forks."""


@dataclass(slots=True)
class Layout:
    """What a file system's own structures say, without The Sleuth Kit.

    ``own``: artifacts of its structures and its label. ``foreign``: what of an entry is not the
    file system's own. ``allocated``: whether a byte run is in use now, None where that is unknown.
    ``later``: structures that depend on whether the walk found live files. ``short``: streams
    (inum, id) that hold fewer bytes than their runs (the rest are zeros), which are read through
    the child. ``claimed``: sizes of deleted files of which fewer bytes have a place. ``log``: the
    journal of its structures, where that remembers names.
    """

    id: str
    type: str
    block: int
    own: list[Artifact | Damage] = field(default_factory=list)
    foreign: Callable[[Entry], Entry | None] = lambda entry: entry
    label: Callable[[Entry], str | None] = lambda _entry: None
    allocated: Callable[[Run], bool | None] = lambda _run: None
    later: Callable[[bool], Iterable[Artifact]] = lambda _live: ()
    short: frozenset[tuple[int, int]] = frozenset()
    claimed: dict[Locator, int] = field(default_factory=dict)
    log: Source | None = None


def files(source: Source, budget: Budget, layout: Layout) -> Iterator[Artifact | Damage]:
    """The structures, then every file, live and deleted. Keeps what came before a failure."""
    for own in layout.own:
        yield from _clipped(own, source)
    told = 0
    live = False
    place = source.locator.step(layout.id, "*")
    child = Child(PROGRAM, source)
    try:
        for batch in child.ask(["walk", layout.type], budget.pay):
            for item in _list(batch):
                budget.pay()
                for one in _translate(item, source, layout):
                    told += isinstance(one, Damage)
                    live = live or _is_live_file(one)
                    if not isinstance(one, Damage) or told <= _DAMAGES:
                        yield one
    except (Malformed, Unreadable) as error:
        yield Damage(place, str(error))
    finally:
        child.close()
    for structure in layout.later(live):
        yield from _clipped(structure, source)
    if told > _DAMAGES:
        yield Damage(place, f"{told - _DAMAGES} more things could not be read")


def _clipped(own: Artifact | Damage, source: Source) -> Iterator[Artifact | Damage]:
    """A structure without what lies outside the source; nothing if that is all of it."""
    if isinstance(own, Damage) or own.role is not Role.STRUCTURE:
        yield own
        return
    runs = tuple(
        Run(r.at, min(r.length, source.size - r.at))
        for r in own.runs or ()
        if r.at is not None and 0 <= r.at < source.size
    )
    if runs:
        yield replace(own, runs=runs, size=sum(r.length for r in runs))


def _is_live_file(one: Artifact | Damage) -> bool:
    return isinstance(one, Artifact) and one.role is Role.CONTENT and one.state is State.LIVE


def _translate(item: Any, source: Source, layout: Layout) -> Iterator[Artifact | Damage]:
    if isinstance(item, str):
        yield Damage(source.locator.step(layout.id, "*"), item[:500])
        return
    entry, damage = _decode(item)
    for what in damage:
        yield Damage(source.locator.step(layout.id, str(entry.inum)), what)
    foreign = layout.foreign(entry)
    if foreign is not None:
        yield from _Artifacts(source, layout, foreign).all()


# --- entries to artifacts ----------------------------------------------------------------


@dataclass(slots=True)
class _Artifacts:
    source: Source
    layout: Layout
    entry: Entry

    def all(self) -> Iterator[Artifact | Damage]:
        entry = self.entry
        label = self.layout.label(entry)
        if label is not None:
            if label:
                yield self._bare(self._step("label", entry.place), "label", Role.LABEL, label)
            return
        if entry.live is None:
            yield self._bare(self._step("name", entry.place), "name", Role.NAME, entry.path)
            return
        if entry.type == _DIRECTORY:
            yield from self._directory()
            return
        data = [s for s in entry.streams if s.type in self._data_types()]
        if entry.type == _LINK and not any(_covered(self._runs(s)[0]) for s in data):
            data = []  # Its target stands in the record itself.
        for stream in data:
            yield from self._content(stream)
        if not data:
            yield from self._without_bytes()
        yield from self._tables()

    def _without_bytes(self) -> Iterator[Artifact | Damage]:
        """A live file of which only the name is known, or an old record."""
        entry, locator = self.entry, self._step(str(self.entry.inum))
        if self.state is not State.LIVE:
            yield self._bare(locator, "name", Role.NAME, entry.path)
            return
        link = entry.type == _LINK
        lost = entry.size if not link else 0
        if lost and entry.type == _FILE:
            yield Damage(locator, f"none of its {entry.size} bytes has a place")
        kind = "link" if link else "file"
        found = self._bare(locator, kind, Role.CONTENT, entry.path)
        yield replace(found, complete=not lost)

    @property
    def state(self) -> State:
        return State.LIVE if self.entry.live and self.entry.named else State.DELETED

    def _data_types(self) -> tuple[int, ...]:
        return _CONTENT.get(self.layout.type, (1, _DATA))

    def _step(self, *parts: str) -> Locator:
        return self.source.locator.step(self.layout.id, "-".join(parts))

    def _bare(self, locator: Locator, kind: str, role: Role, path: str) -> Artifact:
        state = State.DELETED if role is Role.NAME else self.state
        return Artifact(locator, kind, state, 0, (), path, role, modified=self._modified())

    def _modified(self) -> int | None:
        return self.entry.modified if 0 < self.entry.modified < 1 << 40 else None

    def _directory(self) -> Iterator[Artifact | Damage]:
        entry = self.entry
        yield self._bare(self._step(str(entry.inum)), "directory", Role.CONTENT, entry.path)
        for stream in entry.streams:
            if stream.type == _DATA and self.layout.type == "ntfs":
                yield from self._content(stream)
        yield from self._tables()

    def _tables(self) -> Iterator[Artifact]:
        """Blocks in use that are no content by themselves: directories, indirect blocks, the
        stored form of compressed files.
        """
        if self.state is not State.LIVE:
            return
        for stream in self.entry.streams:
            data = stream.type in self._data_types() and (
                self.entry.type != _DIRECTORY or self.layout.type == "ntfs"
            )
            if not stream.runs or (data and not self._derived(stream)):
                continue
            runs, _ = self._runs(stream)
            kept = tuple(r for r in runs if r.at is not None)
            if kept:
                yield Artifact(
                    self._step(str(self.entry.inum), str(stream.type), str(stream.id), "stored"),
                    "table",
                    State.LIVE,
                    sum(r.length for r in kept),
                    kept,
                    role=Role.STRUCTURE,
                )

    def _content(self, stream: Stream) -> Iterator[Artifact | Damage]:
        """A file's bytes; without any, its name."""
        entry, state = self.entry, self.state
        path = f"{entry.path}:{stream.name}" if stream.name else entry.path
        locator = self._step(str(entry.inum), str(stream.type), str(stream.id))
        kind = "link" if entry.type == _LINK else "file"
        size, runs, whole = self._extent(stream)
        if state is State.DELETED and (not size or (runs is not None and not _covered(runs))):
            yield Artifact(
                locator, "name", state, 0, (), path, Role.NAME, modified=self._modified()
            )
            return
        if state is State.LIVE and not whole:
            yield Damage(locator, f"of its {stream.size} bytes {stream.size - size} have no place")
        if state is State.DELETED:
            whole = whole and self._free(stream)
            if size < stream.size <= largest(self.source):
                self.layout.claimed[locator] = stream.size
        yield Artifact(
            locator, kind, state, size, runs, path, complete=whole, modified=self._modified()
        )
        if stream.flags & _ENCRYPTED:
            locked = self._step(str(entry.inum), str(stream.type), str(stream.id), "locked")
            yield self._bare(locked, "efs", Role.ENCRYPTED, path)

    def _extent(self, stream: Stream) -> tuple[int, tuple[Run, ...] | None, bool]:
        """The bytes that have a place, their runs (None: derived), and whether these are all."""
        most = min(stream.size, largest(self.source))
        if stream.size and self._derived(stream):
            return most, None, most == stream.size
        runs, inside = self._runs(stream)
        size = min(most, sum(r.length for r in runs))
        return size, _cut(runs, size), inside and size == stream.size

    def _derived(self, stream: Stream) -> bool:
        return bool(
            stream.flags & (_RESIDENT | _COMPRESSED)
            or stream.runs is None
            or (self.entry.inum, stream.id) in self.layout.short
        )

    def _runs(self, stream: Stream) -> tuple[list[Run], bool]:
        """Byte runs, cut where they leave the source; whether none did."""
        out: list[Run] = []
        block = self.layout.block
        for addr, length, flags in stream.runs or ():
            if length <= 0 or addr < 0:
                return out, False
            if flags & _SPARSE or (flags & _FILLER and self.layout.type == "ext"):
                # The library fills gaps between extents like runs that it has not seen.
                out.append(Run(None, length * block))
                continue
            at, size = addr * block, length * block
            fits = min(size, self.source.size - at)
            if flags & _FILLER or fits <= 0:
                return out, False
            out.append(Run(at, fits))
            if fits < size:
                return out, False
        return out, True

    def _free(self, stream: Stream) -> bool:
        """Whether no block of a deleted stream is in use now."""
        if stream.flags & _RESIDENT:
            return True
        runs, _ = self._runs(stream)
        used = (self.layout.allocated(r) for r in runs if r.at is not None)
        return all(answer is False for answer in used)


def largest(source: Source) -> int:
    """Bytes that a file of this file system may claim to hold, holes included."""
    return max(_LARGEST, 4 * source.size)


def _covered(runs: Sequence[Run]) -> int:
    return sum(r.length for r in runs if r.at is not None)


def _cut(runs: Sequence[Run], size: int) -> tuple[Run, ...]:
    out: list[Run] = []
    for run in runs:
        if size <= 0:
            break
        take = min(run.length, size)
        last = out[-1] if out else None
        following = None if last is None or last.at is None else last.at + last.length
        if last is not None and run.at == following:
            out[-1] = Run(last.at, last.length + take)
        else:
            out.append(Run(run.at, take))
        size -= take
    return tuple(out)


# --- answers of the child, which nobody trusts -------------------------------------------


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("the parser sent nonsense")
    return value


def _decode(item: Any) -> tuple[Entry, list[str]]:
    match item:
        case [
            int(inum),
            int(),
            bool(named),
            (bool() | None) as live,
            str(path),
            str(place),
            int(type),
            int(size),
            int(modified),
            list(streams),
        ]:
            damage = [s[:500] for s in streams if isinstance(s, str)]
            kept = tuple(_stream(s) for s in streams if not isinstance(s, str))
            clean = path.replace("\0", "").encode("utf-8", "replace").decode()
            return Entry(
                inum, named, live, clean, place, type, max(0, size), modified, kept
            ), damage
    raise Malformed("the parser sent nonsense")


def _stream(item: Any) -> Stream:
    match item:
        case [int(type), int(id), str(name), int(size), int(flags), runs]:
            clean = name.replace("\0", "").replace("/", "_").encode("utf-8", "replace").decode()
            return Stream(type, id, clean, max(0, size), flags, _blocks(runs))
    raise Malformed("the parser sent nonsense")


def _blocks(runs: Any) -> tuple[tuple[int, int, int], ...] | None:
    if runs is None:
        return None
    out = []
    for run in _list(runs):
        match run:
            case [int(addr), int(length), int(flags)]:
                out.append((addr, length, flags))
            case _:
                raise Malformed("the parser sent nonsense")
    return tuple(out)

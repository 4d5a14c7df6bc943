"""Names that NTFS journals remember: $UsnJrnl (USN_RECORD_V2, as Microsoft documents it), and the
index entries in $LogFile pages. What stands there may long be gone from the file table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.media import Runs
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Source, State, Unreadable
from hakushi.recover.cursor import Budget
from hakushi.recover.filesystem.ntfs_records import fixed

PAGE = 4096
USN_SIGN, USN_SIGN_AT = b"\x3c\0", 58
"""Where a record says that its name stands behind its 60 bytes."""

LOG_SIGN = b"RCRD"
_REFERENCE = (1 << 48) - 1
_EPOCH = 11_644_473_600
_NAME_HEAD, _DOS, _IS_FOLDER = 66, 2, 0x10000000
_USN_HEAD, _USN_FOLDER = 60, 0x10
_USN_PATH = "$Extend/$UsnJrnl:$J"
_LOG_HEAD = 64
_OWN = 24
_ROOT = 5
_MOST = 500_000
_MOST_BYTES = 1 << 30
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class FileName:
    """A $FILE_NAME attribute: who the parent is, and the name in it."""

    parent: int
    parent_sequence: int
    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """What a record says of a file. ``at``: where it stands in what was read."""

    at: int
    number: int
    sequence: int
    folder: bool
    modified: int | None
    name: FileName


def seconds(ticks: bytes) -> int | None:
    """A FILETIME as seconds since 1970; None for none."""
    value = int.from_bytes(ticks, "little") // 10_000_000 - _EPOCH
    return value if 0 < value < 1 << 34 else None


def named(content: bytes) -> tuple[FileName, int, int] | None:
    """(the name, the bytes that it takes, its name space) of a $FILE_NAME."""
    if len(content) < _NAME_HEAD + 2:
        return None
    letters, space = content[64], content[65]
    raw = content[_NAME_HEAD : _NAME_HEAD + 2 * letters]
    if not letters or len(raw) != 2 * letters or space > 3:
        return None
    (parent,) = struct.unpack_from("<Q", content)
    return _file_name(parent, raw), _NAME_HEAD + len(raw), space


def _file_name(parent: int, raw: bytes) -> FileName:
    text = raw.decode("utf-16-le", "replace").replace("\0", "").replace("/", "_")
    return FileName(parent & _REFERENCE, parent >> 48, text or "_")


def entries(data: bytes, start: int, at: int = 0) -> Iterator[Named]:
    """The index entries at every eighth byte from ``start`` on, those of unused parts too."""
    while start % 8 == 0 and start + 16 + _NAME_HEAD < len(data):
        reference, length, key, _ = struct.unpack_from("<QHHI", data, start)
        content = data[start + 16 : start + 16 + key]
        name = named(content) if len(content) == key else None
        if name is None or name[1] != key or not reference:
            start += 8
            continue
        (attributes,) = struct.unpack_from("<I", content, 56)
        found = Named(
            at + start, reference & _REFERENCE, reference >> 48, bool(attributes & _IS_FOLDER),
            seconds(content[16:24]), name[0],
        )  # fmt: skip
        if name[2] != _DOS:
            yield found
        start += max(8, length - length % 8)


def log(data: bytes, at: int = 0) -> Iterator[Named]:
    """The index entries in a page of $LogFile, one after the other. Nothing where it is torn."""
    try:
        page = fixed(data[:PAGE])
    except (Malformed, struct.error):
        return
    yield from entries(page, _LOG_HEAD, at)


def usn(data: bytes, at: int = 0) -> Iterator[Named]:
    """The records of a page of $UsnJrnl, from its start to the first that is none."""
    start = 0
    while start + _USN_HEAD + 2 <= len(data):
        length, major, minor, reference, parent = struct.unpack_from("<IHHQQ", data, start)
        letters, place = struct.unpack_from("<HH", data, start + 56)
        when = seconds(data[start + 32 : start + 40])
        raw = data[start + _USN_HEAD : start + _USN_HEAD + letters]
        sane = (major, minor, place) == (2, 0, _USN_HEAD) and letters and not letters % 2
        if not sane or when is None or length % 8 or not reference or not parent:
            return
        if not _USN_HEAD + letters <= length <= _USN_HEAD + letters + 16 or len(raw) != letters:
            return
        flags = struct.unpack_from("<I", data, start + 52)[0]
        yield Named(
            at + start, reference & _REFERENCE, reference >> 48, bool(flags & _USN_FOLDER), when,
            _file_name(parent, raw),
        )  # fmt: skip
        start += length


# --- a volume that stands -----------------------------------------------------------------


@dataclass(slots=True)
class Journals:
    """Learns which names a volume still has, then tells what else its journals name."""

    source: Source
    budget: Budget
    pages: list[tuple[Source, bool]] = field(default_factory=list)
    """(a journal's bytes, whether it is $UsnJrnl's)"""
    told: set[int] = field(default_factory=set)
    folders: dict[int, str] = field(default_factory=dict)

    def saw(self, one: Artifact | Damage) -> None:
        """Learns of what the volume's own records tell."""
        number = one.locator.last[1].partition("-")[0]
        if not isinstance(one, Artifact) or one.path is None or not number.isdecimal():
            return
        if one.path == _USN_PATH and one.runs:
            kept = [run for run in one.runs if run.at is not None]
            size = sum(run.length for run in kept)
            self.pages.append((Runs(self.source, kept, size, one.locator), True))
        path = one.path.partition(":")[0]
        self.told.add(hash((int(number), path.rpartition("/")[2])))
        if one.kind == "directory" and one.state is State.LIVE:
            self.folders[int(number)] = path

    def names(self) -> Iterator[Artifact | Damage]:
        """Each name once, with its folder where that is known."""
        if not self.pages:
            return
        gone: dict[int, FileName] = {}
        for one in self._all():
            if one.folder and one.number not in self.folders and len(gone) < _MOST:
                gone[one.number] = one.name
        if any(source.size > _MOST_BYTES for source, _ in self.pages):
            place = self.source.locator.step("ntfs", "journal")
            yield Damage(place, f"of a journal only {_MOST_BYTES} bytes were read")
        count = 0
        for one in self._all():
            seen = hash((one.number, one.name.name))
            if seen in self.told or one.number < _OWN:
                continue
            self.told.add(seen)
            count += 1
            place = self.source.locator.step("ntfs", f"journal-{one.number}-{one.sequence}-{count}")
            if count > _MOST:
                yield Damage(place, f"more than {_MOST} old names: the rest was not told")
                return
            path = self._folder(one.name.parent, gone) + one.name.name
            yield Artifact(
                place, "name", State.DELETED, 0, (), path, Role.NAME, modified=one.modified
            )

    def _all(self) -> Iterator[Named]:
        for source, of_usn in self.pages:
            for at in range(0, min(source.size, _MOST_BYTES), PAGE):
                self.budget.pay()
                try:
                    data = source.read(Extent(at, min(PAGE, source.size - at)))
                except Unreadable:
                    continue
                if of_usn:
                    yield from usn(data)
                elif data.startswith(LOG_SIGN):
                    yield from log(data)

    def _folder(self, number: int, gone: dict[int, FileName]) -> str:
        names: list[str] = []
        while number != _ROOT and number not in self.folders:
            name = gone.get(number)
            if name is None or len(names) > _DEEPEST:
                return "/".join(["$Orphan", str(number), *reversed(names), ""])
            names.append(name.name)
            number = name.parent
        top = [] if number == _ROOT else [self.folders[number]]
        return "/".join([*top, *reversed(names), ""])

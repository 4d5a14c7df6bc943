"""Pieces that the layouts share: bitmaps, paths, structures of whole sectors, default labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hakushi.model import SECTOR, Artifact, Locator, Malformed, Role, Run, Source, State
from hakushi.recover.cursor import Cursor
from hakushi.recover.filesystem import Entry

_LABEL_SUFFIX = " (Volume Label Entry)"
_DEEPEST = 128
_MOST = 1 << 24
"""Blocks of one run whose bits are looked at."""


@dataclass(slots=True)
class Paths:
    """Paths of inodes by their numbers, as far up as names are known; they end in ``tops``."""

    tops: frozenset[int]
    prefix: str = ""
    names: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    """Number -> (the folder's number, the name in it)."""

    def of(self, number: int) -> str:
        parts: list[str] = []
        while number not in self.tops and len(parts) < _DEEPEST:
            parent, name = self.names.get(number, (-1, b""))
            if parent < 0:
                return "/".join(["$Orphan", f"inode-{number}", *reversed(parts)])
            parts.append(name.decode("utf-8", "backslashreplace").replace("/", "_"))
            number = parent
        return "/".join(filter(None, [self.prefix, *reversed(parts)]))


class Bits:
    """A bitmap, least significant bit first, of blocks from byte ``start`` on."""

    def __init__(self, bits: Source, block: int, start: int = 0) -> None:
        self._cursor = Cursor(bits)
        self._block = block
        self._start = start

    def used(self, run: Run) -> bool | None:
        """Whether any block of the run is in use; None where the bitmap does not say."""
        if run.at is None or run.at < self._start:
            return None
        first = (run.at - self._start) // self._block
        count = -(-run.length // self._block)
        if count > _MOST:
            return None
        try:
            data = self._cursor.take(first >> 3, ((first + count + 7) >> 3) - (first >> 3))
        except Malformed:
            return None
        value = int.from_bytes(data, "little") >> (first & 7)
        return bool(value & ((1 << count) - 1))


def structure(locator: Locator, kind: str, runs: Iterable[Run], path: str) -> Artifact:
    """An artifact for bytes that a file system itself needs; touching runs are joined."""
    merged = joined(runs)
    size = sum(r.length for r in merged)
    return Artifact(locator, kind, State.LIVE, size, tuple(merged), path, role=Role.STRUCTURE)


def joined(runs: Iterable[Run]) -> list[Run]:
    """Sorted runs, those that touch as one."""
    out: list[Run] = []
    for run in sorted((r for r in runs if r.at is not None), key=lambda r: (r.at or 0, r.length)):
        at = run.at or 0
        last = out[-1] if out else None
        if last is not None and last.at is not None and at <= last.at + last.length:
            out[-1] = Run(last.at, max(last.at + last.length, at + run.length) - last.at)
        elif run.length:
            out.append(run)
    return out


def whole_sectors(source: Source, runs: Sequence[Run], size: int) -> list[Run]:
    """The runs that a stream of ``size`` bytes fills, and its last sectors if the rest is zeros."""
    out, left = [], size
    for run in runs:
        if run.at is None:
            continue
        take = min(left, run.length)
        out.append(Run(run.at, take))
        left -= take
        if left <= 0:
            break
    if not out:
        return []
    return [*_sound(out), *zero_tail(source, runs, size)]


def _sound(runs: list[Run]) -> list[Run]:
    """Cut to whole sectors: what shares a sector with slack is judged with the slack."""
    last = runs[-1]
    return [*runs[:-1], Run(last.at, last.length - last.length % SECTOR)]


def zero_tail(source: Source, runs: Sequence[Run], size: int) -> list[Run]:
    """The slack behind a stream, from the sector its end lies in, if it is all zeros."""
    at = 0
    out = []
    cursor = Cursor(source)
    for run in runs:
        start = max(size, at) - at
        at += run.length
        if run.at is None or start >= run.length:
            continue
        tail = cursor.take(run.at + start, min(run.length - start, 1 << 20))
        if any(tail):
            return []
        low = run.at + start - (run.at + start) % SECTOR
        out.append(Run(low, run.at + run.length - low))
    return out


def chosen(label: str) -> bool:
    """Whether a volume label was given by someone, and is no formatter's default."""
    return label.strip(" \0").upper() not in ("", "NO NAME", "EFI", "NONAME")


def library_label(entry: Entry, known: str) -> str | None:
    """The label that The Sleuth Kit lists as an empty file of a FAT; empty for one that is
    ``known`` already, and for a default one; None for what is no label.
    """
    if not entry.path.endswith(_LABEL_SUFFIX) or "/" in entry.path or entry.size:
        return None
    text = entry.path.removesuffix(_LABEL_SUFFIX).strip()
    return text if chosen(text) and text != known else ""

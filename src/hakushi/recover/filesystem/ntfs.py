"""NTFS: boot sector, file records, and what a volume's own records claim.

Structures by their names in Microsoft's and the Linux-NTFS documentation ($MFT, $Bitmap, update
sequence array, mapping pairs).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hakushi.media import Runs
from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Extent,
    Locator,
    Malformed,
    Role,
    Run,
    Source,
    State,
    Unreadable,
)
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import Entry, Layout
from hakushi.recover.filesystem.ntfs_proof import as_formatted
from hakushi.recover.filesystem.ntfs_records import (
    Attribute,
    Record,
    fixed,
    mapping_pairs,
    record,
)
from hakushi.recover.filesystem.parts import Bits, structure, whole_sectors, zero_tail
from hakushi.recover.volumes import code_like

__all__ = ["Attribute", "Boot", "Record", "boot", "fixed", "layout", "mapping_pairs", "record"]

_LIST, _NAME, _VOLUME_NAME, _DATA, _BITMAP = 0x20, 0x30, 0x60, 0x80, 0xB0
_FIXED = 16
"""Records whose use is fixed."""

_SMALL = 64
"""A volume with no more records in use may be new and empty: then every structure is proven."""

_OWN = {
    0: {""},
    1: {""},
    2: {""},
    3: {""},
    4: {""},
    5: set[str](),
    6: {"", "$SRAT"},
    7: {""},
    8: {"", "$Bad"},
    9: {"", "$SDS"},
    10: {"", "$Info"},
    11: set[str](),
}
"""Data streams of the records that a volume's format makes (their use is fixed)."""

_EXTENDED = {"$Quota", "$ObjId", "$Reparse"}
"""Files of $Extend that hold indexes alone."""


@dataclass(frozen=True, slots=True)
class Boot:
    """The boot sector's geometry, in bytes."""

    cluster: int
    clusters: int
    record: int
    mft: int
    mirror: int
    end: int
    """Where the copy of the boot sector stands."""


def boot(cursor: Cursor) -> Boot:
    """Raises Malformed for what no NTFS formatter writes."""
    head = cursor.take(0, SECTOR)
    if head[3:11] != b"NTFS    " or head[510:] != b"\x55\xaa":
        raise Malformed("no NTFS boot sector")
    sector = int.from_bytes(head[11:13], "little")
    per_cluster = head[13] if head[13] <= 128 else 1 << (256 - head[13])
    if sector not in (256, 512, 1024, 2048, 4096) or per_cluster & (per_cluster - 1):
        raise Malformed("NTFS: impossible sector or cluster size")
    cluster = sector * per_cluster
    sectors, mft, mirror = struct.unpack_from("<QQQ", head, 40)
    size = int.from_bytes(head[64:65], "little", signed=True)
    record = size * cluster if size > 0 else 1 << -size
    if not (SECTOR <= cluster <= 2 << 20 and 256 <= record <= 1 << 16 and sectors):
        raise Malformed("NTFS: impossible geometry")
    return Boot(
        cluster,
        sectors // per_cluster,
        record,
        mft * cluster,
        mirror * cluster,
        sectors * sector,
    )


# --- the volume's own ---------------------------------------------------------------------


def layout(source: Source, budget: Budget) -> Layout:
    """What the volume itself owns. A broken master file table is Damage, and explains nothing."""
    cursor = Cursor(source)
    geometry = boot(cursor)
    out = Layout("ntfs", "ntfs", geometry.cluster)
    if geometry.end + SECTOR > source.size and geometry.clusters * geometry.cluster > source.size:
        out.own.append(_damage(source, "the file system is larger than what holds it"))
    try:
        volume = _Volume(source, budget, geometry)
        out.short = volume.short
        out.log = volume.stream(2, "")
        bitmap = volume.stream(6, "")
        if bitmap is not None:
            out.allocated = Bits(bitmap, geometry.cluster).used
        out.own += volume.structures()
    except (Malformed, Unreadable) as error:
        out.own.append(_damage(source, str(error)))
    out.foreign = _foreign
    return out


def standing(source: Source, budget: Budget) -> tuple[list[Run], Bits | None]:
    """Where the file records lie that the volume's own table and its mirror hold, and its bitmap.

    Raises Malformed where there is no table.
    """
    volume = _Volume(source, budget, boot(Cursor(source)), most=_FIXED)
    out: list[Run] = []
    for inum in (0, 1):
        left = volume.mft.size if inum == 0 else 1 << 32
        for run in volume.bytes_of(inum, ""):
            take = min(run.length, left)
            out += [Run(run.at, take)] if take and run.at is not None else []
            left -= take
    bitmap = volume.stream(6, "")
    return out, None if bitmap is None else Bits(bitmap, volume.geometry.cluster)


def _damage(source: Source, what: str) -> Damage:
    return Damage(source.locator.step("ntfs", "*"), what)


def _foreign(entry: Entry) -> Entry | None:
    """An entry without what every volume has; None where nothing is left of it."""
    if not entry.live:
        # A record that never was a file was made ahead: no name, no data.
        known = any(s.type in (_NAME, _DATA, _LIST) for s in entry.streams)
        return entry if entry.live is None or known else None
    own = _OWN.get(entry.inum)
    if own is None and 12 <= entry.inum < 16 and entry.path == f"$OrphanFiles/{entry.inum}":
        own = {""}
        if any(s.size for s in entry.streams if s.type == _DATA):
            return entry
    if own is None and entry.path.removeprefix("$Extend/") in _EXTENDED and "/" in entry.path:
        own = set()
    if own is None:
        return entry
    left = tuple(s for s in entry.streams if s.type == _DATA and s.name not in own)
    return replace(entry, streams=left, type=1) if left else None


class _Volume:
    """The master file table, read once."""

    def __init__(
        self, source: Source, budget: Budget, geometry: Boot, most: int | None = None
    ) -> None:
        self.source = source
        self.geometry = geometry
        self.budget = budget
        self.most = most
        """Read so many records only."""
        self.own: dict[int, list[Attribute]] = {}
        self.used = 0
        self.live = 0
        """Bit by bit, the records in use among the first ones."""
        self.good: list[Run] = []
        """Records that hold nothing but what they say."""
        self.clusters: list[tuple[int, int]] = []
        short: set[tuple[int, int]] = set()
        self.mft = self._table()
        self._read(short)
        self.short = frozenset(short)

    @property
    def small(self) -> bool:
        return self.used <= _SMALL

    def stream(self, inum: int, name: str, type: int = _DATA) -> Source | None:
        """A stream of one of the volume's own records."""
        parts = [a for a in self.own.get(inum, ()) if (a.type, a.name) == (type, name)]
        if not parts or parts[0].content is not None:
            return None
        runs = self._bytes(parts)
        return Runs(self.source, runs, parts[0].size, self.source.locator)

    def bytes_of(self, inum: int, name: str) -> list[Run]:
        """Where a stream of one of the volume's own records lies."""
        return self._bytes([a for a in self.own.get(inum, ()) if (a.type, a.name) == (_DATA, name)])

    def _bytes(self, parts: list[Attribute]) -> list[Run]:
        cluster = self.geometry.cluster
        pieces = [r for a in sorted(parts, key=lambda a: a.first) for r in a.runs]
        return [Run(None if at is None else at * cluster, n * cluster) for at, n in pieces]

    def _table(self) -> Source:
        """$MFT itself, by its own record and its extension records."""
        first = self._record_at(self.geometry.mft)
        parts = [a for a in first.attributes if (a.type, a.name) == (_DATA, "")]
        if not parts or parts[0].content is not None:
            raise Malformed("$MFT has no runs")
        size = parts[0].size
        table: Source = Runs(self.source, self._bytes(parts), size, self.source.locator)
        for inum in sorted(_extensions(first)):
            self.budget.pay()
            cursor = Cursor(table)
            more = record(cursor.take(inum * self.geometry.record, self.geometry.record))
            parts += [a for a in more.attributes if (a.type, a.name) == (_DATA, "")]
            table = Runs(self.source, self._bytes(parts), size, self.source.locator)
        return table

    def _record_at(self, at: int) -> Record:
        try:
            return record(Cursor(self.source).take(at, self.geometry.record))
        except Malformed:
            # The mirror holds the first records again.
            return record(Cursor(self.source).take(self.geometry.mirror, self.geometry.record))

    def _read(self, short: set[tuple[int, int]]) -> None:
        size = self.geometry.record
        cursor = Cursor(self.mft, page=1 << 20)
        count = min(self.mft.size, self.source.size) // size
        for inum in range(count if self.most is None else min(count, self.most)):
            self.budget.pay()
            data = cursor.take(inum * size, size)
            if data[:4] != b"FILE":
                if not any(data):
                    self.good.append(Run(inum * size, size))
                continue
            try:
                found = record(data)
            except Malformed:
                continue
            self._keep(inum, found, short)
            if not any(_tail(data, found.used)):
                self.good.append(Run(inum * size, size))

    def _keep(self, inum: int, found: Record, short: set[tuple[int, int]]) -> None:
        for attribute in found.attributes:
            partial = attribute.initialized < attribute.size and attribute.first == 0
            if attribute.type == _DATA and attribute.content is None and partial:
                short.add((found.base or inum, attribute.id))
        if not found.live:
            return
        self.used += 1
        self.live |= 1 << inum if inum < _SMALL * 8 else 0
        if (found.base or inum) < 12:
            self.own.setdefault(found.base or inum, []).extend(found.attributes)
        if self.small:
            self.clusters += [
                (at, n) for a in found.attributes for at, n in a.runs if at is not None
            ]

    # --- structures ---

    def structures(self) -> Iterator[Artifact]:
        """One artifact for each structure that is as a formatter leaves it."""
        yield from self._boot()
        yield self._piece("table", "$MFT", self._records())
        label = self._label()
        if label is not None:
            yield label
        for inum, attributes in sorted(self.own.items()):
            for type, name in sorted({(a.type, a.name) for a in attributes if a.runs}):
                runs = self._proven(inum, type, name)
                if runs:
                    yield self._piece(f"own-{inum}-{type}-{name}", f"{inum}:{name}", runs)

    def _piece(self, step: str, path: str, runs: list[Run]) -> Artifact:
        locator: Locator = self.source.locator.step("ntfs", step)
        return structure(locator, "ntfs", runs, path)

    def _boot(self) -> Iterator[Artifact]:
        head = Cursor(self.source).take(0, SECTOR)
        runs = [Run(0, SECTOR)] if code_like(head[84:510]) else []
        end = self.geometry.end
        if runs and Cursor(self.source).has(end, head):
            runs.append(Run(end, SECTOR))
        yield self._piece("boot", "$Boot", runs)

    def _label(self) -> Artifact | None:
        for attribute in self.own.get(3, ()):
            if attribute.type == _VOLUME_NAME and attribute.content:
                text = attribute.content.decode("utf-16-le", "replace")
                step = self.source.locator.step("ntfs", "label")
                return Artifact(step, "label", State.LIVE, 0, (), text, Role.LABEL)
        return None

    def _records(self) -> list[Run]:
        """The good records' places in the volume."""
        table = self._bytes([a for a in self.own.get(0, ()) if (a.type, a.name) == (_DATA, "")])
        good = table if not self.small else _through(self.good, table)
        tail = zero_tail(self.source, table, self.mft.size)
        return [*good, *tail]

    def _proven(self, inum: int, type: int, name: str) -> list[Run]:
        """The runs of an own stream, where its content is as it must be."""
        if (inum, type) == (0, _DATA):
            return []
        parts = [a for a in self.own[inum] if (a.type, a.name) == (type, name)]
        runs = [r for r in self._bytes(parts) if r.at is not None]
        stream = self.stream(inum, name, type)
        if stream is None or not runs or (inum, type) == (8, _DATA):
            return []
        if self.small or inum == 2:
            if stream.size > 64 << 20:
                return []
            data = stream.read(Extent(0, stream.size))
            if not self._as_formatted(inum, type, name, data):
                return []
        return whole_sectors(self.source, runs, stream.size)

    def _as_formatted(self, inum: int, type: int, name: str, data: bytes) -> bool:
        if inum == 2:
            return len(set(data)) <= 1
        if inum == 7:
            # Code behind the first sector differs from formatter to formatter.
            return not any(data[SECTOR:]) and code_like(data[84:510])
        if inum == 1:
            return data == Cursor(self.mft).take(0, len(data))
        if (inum, type) == (6, _DATA):
            return data == self._bitmap(len(data))
        if (inum, type) == (0, _BITMAP):
            return data == self.live.to_bytes(len(data), "little")
        return as_formatted(inum, type, name, data)

    def _bitmap(self, size: int) -> bytes:
        """$Bitmap as the runs of all records say; the bits past the end are set."""
        out = bytearray(size)
        last = size * 8
        for at, count in (*self.clusters, (self.geometry.clusters, last)):
            for cluster in range(at, min(at + count, last)):
                out[cluster >> 3] |= 1 << (cluster & 7)
        return bytes(out)


def _extensions(first: Record) -> set[int]:
    """Records that hold more runs of $MFT, by its resident attribute list."""
    out: set[int] = set()
    for attribute in first.attributes:
        data = attribute.content or b""
        at = 0
        while attribute.type == _LIST and at + 26 <= len(data) and len(out) < 4096:
            kind, length = struct.unpack_from("<IH", data, at)
            (reference,) = struct.unpack_from("<Q", data, at + 16)
            inum = reference & ((1 << 48) - 1)
            if kind == _DATA and inum:
                out.add(inum)
            if length < 26:
                break
            at += length
    return out


def _tail(data: bytes, used: int) -> bytes:
    """What lies behind a record's used part, without the update sequence numbers."""
    out = bytearray(data)
    for end in range(SECTOR, len(out) + 1, SECTOR):
        out[end - 2 : end] = b"\0\0"
    return bytes(out[used:])


def _through(pieces: list[Run], runs: list[Run]) -> list[Run]:
    """Runs of a stream as runs of what its own runs lie in."""
    out: list[Run] = []
    starts, at = [], 0
    for run in runs:
        starts.append(at)
        at += run.length
    i = 0
    for piece in pieces:
        low, end = piece.at or 0, (piece.at or 0) + piece.length
        while low < end and i < len(runs):
            stop = starts[i] + runs[i].length
            if low >= stop:
                i += 1
                continue
            take = min(end, stop) - low
            base = runs[i].at
            if base is not None:
                out.append(Run(base + low - starts[i], take))
            low += take
    return out

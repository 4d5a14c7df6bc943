"""FAT12, FAT16 and FAT32: boot sector, allocation tables, root directory (Microsoft's FAT
specification, 1.03).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Malformed,
    Role,
    Run,
    Source,
    State,
    Unreadable,
)
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import Layout
from hakushi.recover.filesystem.parts import chosen, library_label, structure
from hakushi.recover.volumes import boot_sector_of_filesystem, code_like

_CHUNK = 1 << 20
_CHAIN = 1 << 16
"""Clusters of a root directory."""


@dataclass(frozen=True, slots=True)
class Boot:
    """Geometry in bytes. ``bits``: 12, 16 or 32 a cluster in the table."""

    bits: int
    sector: int
    cluster: int
    tables: int
    table: int
    count: int
    root: int
    root_size: int
    root_cluster: int
    data: int
    clusters: int
    info: int
    backup: int
    size: int
    label: str

    def at(self, cluster: int) -> int:
        return self.data + (cluster - 2) * self.cluster


def boot(cursor: Cursor) -> Boot:
    """Raises Malformed for what no FAT formatter writes."""
    head = cursor.take(0, SECTOR)
    if head[3:11] in (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-") or not boot_sector_of_filesystem(head):
        raise Malformed("no FAT boot sector")
    sector, per_cluster, reserved, count, root_entries, small = struct.unpack_from(
        "<HBHBHH", head, 11
    )
    table = int.from_bytes(head[22:24], "little") or int.from_bytes(head[36:40], "little")
    sectors = small or int.from_bytes(head[32:36], "little")
    wide = int.from_bytes(head[22:24], "little") == 0
    root_sectors = -(-root_entries * 32 // sector)
    data = reserved + count * table + root_sectors
    if not table or not sectors or data >= sectors or (not wide and not root_entries):
        raise Malformed("FAT: impossible geometry")
    clusters = (sectors - data) // per_cluster
    bits = 32 if wide else 12 if clusters < 4085 else 16
    if (clusters + 2) * bits > table * sector * 8:
        raise Malformed("FAT: the table is too small for the clusters")
    at = 71 if wide else 43
    label = head[at : at + 11] if head[at - 5] == 0x29 else b""
    return Boot(
        bits=bits,
        sector=sector,
        cluster=per_cluster * sector,
        tables=reserved * sector,
        table=table * sector,
        count=count,
        root=(reserved + count * table) * sector,
        root_size=root_sectors * sector,
        root_cluster=int.from_bytes(head[44:48], "little") if wide else 0,
        data=data * sector,
        clusters=clusters,
        info=int.from_bytes(head[48:50], "little") if wide else 0,
        backup=int.from_bytes(head[50:52], "little") if wide else 0,
        size=sectors * sector,
        label=_letters(label),
    )


def _letters(raw: bytes) -> str:
    return raw.decode("cp932", "replace").rstrip(" \0")


class Table:
    """The first allocation table, entry by entry."""

    def __init__(self, source: Source, geometry: Boot) -> None:
        self._cursor = Cursor(source)
        self._geometry = geometry

    def entry(self, cluster: int) -> int:
        """What the table says of a cluster. Raises Malformed."""
        start = self._geometry.tables
        if self._geometry.bits == 32:
            return self._cursor.u32(start + 4 * cluster) & 0x0FFFFFFF
        if self._geometry.bits == 16:
            return self._cursor.u16(start + 2 * cluster)
        pair = self._cursor.u16(start + cluster * 3 // 2)
        return pair >> 4 if cluster & 1 else pair & 0xFFF

    def used(self, run: Run) -> bool | None:
        """Whether a cluster of the run is in use now; None outside the clusters."""
        geometry = self._geometry
        if run.at is None or run.at < geometry.data:
            return None
        first = (run.at - geometry.data) // geometry.cluster + 2
        last = (run.at + run.length - 1 - geometry.data) // geometry.cluster + 2
        if last >= geometry.clusters + 2:
            return None
        try:
            if geometry.bits == 12:
                return any(self.entry(c) for c in range(first, last + 1))
            width = geometry.bits // 8
            raw = self._cursor.take(geometry.tables + first * width, (last - first + 1) * width)
        except Malformed:
            return None
        return any(raw)

    def chain(self, cluster: int) -> list[int]:
        """The clusters of a chain; it ends where it leaves the volume or meets itself."""
        out: list[int] = []
        seen: set[int] = set()
        while 2 <= cluster < self._geometry.clusters + 2 and cluster not in seen:
            seen.add(cluster)
            out.append(cluster)
            if len(out) >= _CHAIN:
                break
            cluster = self.entry(cluster)
        return out


def layout(source: Source, budget: Budget) -> Layout:
    """What the volume itself owns."""
    geometry = boot(Cursor(source))
    out = Layout("fat", "fat", geometry.sector)
    if geometry.size > source.size:
        what = "the file system is larger than what holds it"
        out.own.append(Damage(source.locator.step("fat", "*"), what))
    volume = _Volume(source, budget, geometry)
    out.allocated = volume.table.used
    out.label = lambda entry: library_label(entry, geometry.label)
    try:
        out.own += volume.structures()
    except (Malformed, Unreadable) as error:
        out.own.append(Damage(source.locator.step("fat", "*"), str(error)))
    out.later = volume.tables
    return out


class _Volume:
    def __init__(self, source: Source, budget: Budget, geometry: Boot) -> None:
        self.source = source
        self.budget = budget
        self.geometry = geometry
        self.cursor = Cursor(source)
        self.table = Table(source, geometry)

    def _piece(self, step: str, runs: list[Run]) -> Artifact:
        return structure(self.source.locator.step("fat", step), "fat", runs, step)

    def structures(self) -> Iterator[Artifact]:
        yield self._piece("boot", list(self._reserved()))
        root = list(self._root())
        if root:
            yield self._piece("root", root)
        if chosen(self.geometry.label):
            locator = self.source.locator.step("fat", "label")
            text = self.geometry.label
            yield Artifact(locator, "label", State.LIVE, 0, (), text, Role.LABEL)

    def _reserved(self) -> Iterator[Run]:
        """Boot sectors and their copies, as far as they are what they must be."""
        unit = self.geometry.sector
        head = self.cursor.take(0, unit)
        if code_like(head[90 if self.geometry.bits == 32 else 62 : 510]):
            yield Run(0, unit)
        if self.geometry.bits != 32:
            return
        wanted = {self.geometry.info: _is_info, 2: _is_empty_boot}
        backup = self.geometry.backup
        if 0 < backup < 0xFFFF:
            wanted |= {backup + n: test for n, test in list(wanted.items())}
            if self.cursor.has(backup * unit, head):
                yield Run(backup * unit, unit)
        for number, test in sorted(wanted.items()):
            at = number * unit
            if 0 < at < self.geometry.tables and test(self.cursor.take(at, unit)):
                yield Run(at, unit)

    def _root(self) -> Iterator[Run]:
        """Sectors of the root directory without a trace of a deleted name."""
        geometry = self.geometry
        if geometry.bits == 32:
            pieces = [
                (geometry.at(c), geometry.cluster) for c in self.table.chain(geometry.root_cluster)
            ]
        else:
            pieces = [(geometry.root, geometry.root_size)]
        ended = False
        for start, size in pieces:
            for at in range(start, start + size, SECTOR):
                self.budget.pay()
                data = self.cursor.take(at, SECTOR)
                sound, ended = _entries(data, ended=ended)
                if sound:
                    yield Run(at, SECTOR)

    def tables(self, live: bool) -> Iterator[Artifact]:
        """The allocation tables: whatever they say if there are files, else as a formatter does."""
        geometry = self.geometry
        runs = []
        try:
            if live or self._fresh():
                runs.append(Run(geometry.tables, geometry.table))
            for number in range(1, geometry.count if runs else 0):
                runs += list(self._copy(geometry.tables + number * geometry.table))
        except (Malformed, Unreadable):
            # What could not be read is not explained; the medium's own pass says so.
            runs = []
        if runs:
            yield self._piece("table", runs)

    def _fresh(self) -> bool:
        """Whether no cluster is in use but the root directory's."""
        geometry = self.geometry
        mine = {0, 1, *(self.table.chain(geometry.root_cluster) if geometry.bits == 32 else ())}
        last = geometry.clusters + 2
        start = 0
        for cluster in sorted(mine):
            if self._any(start, cluster):
                return False
            start = cluster + 1
        if self._any(start, last):
            return False
        tail = geometry.tables + -(-last * geometry.bits // 8)
        return not self._nonzero(tail, geometry.tables + geometry.table)

    def _any(self, first: int, end: int) -> bool:
        """Whether an entry of ``first .. end`` is in use."""
        if self.geometry.bits == 12:
            return any(self.table.entry(c) for c in range(first, end))
        width = self.geometry.bits // 8
        start = self.geometry.tables
        return self._nonzero(start + first * width, start + end * width)

    def _nonzero(self, at: int, end: int) -> bool:
        while at < end:
            self.budget.pay()
            take = min(_CHUNK, end - at)
            if any(self.cursor.take(at, take)):
                return True
            at += take
        return False

    def _copy(self, start: int) -> Iterator[Run]:
        """The parts of a further table that are like the first."""
        geometry = self.geometry
        for at in range(0, geometry.table, _CHUNK):
            self.budget.pay()
            take = min(_CHUNK, geometry.table - at)
            if self.cursor.has(start + at, self.cursor.take(geometry.tables + at, take)):
                yield Run(start + at, take)


def _is_info(data: bytes) -> bool:
    """FSInfo: two signatures, two counts, nothing else."""
    return (
        data[:4] == b"RRaA"
        and data[484:488] == b"rrAa"
        and data[508:512] == b"\0\0\x55\xaa"
        and not any(data[4:484])
        and not any(data[496:508])
    )


def _is_empty_boot(data: bytes) -> bool:
    return data[510:512] == b"\x55\xaa" and not any(data[:510])


def _entries(data: bytes, *, ended: bool) -> tuple[bool, bool]:
    """Whether a directory sector holds entries in use alone, then zeros; and whether it ended."""
    for at in range(0, len(data), 32):
        entry = data[at : at + 32]
        if ended or entry[0] == 0:
            ended = True
            if any(entry):
                return False, True
        elif entry[0] == 0xE5:
            return False, ended
    return True, ended

"""exFAT: boot regions, allocation table and bitmap, up-case table, root directory (Microsoft's
exFAT specification).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hakushi.media import Runs
from hakushi.model import SECTOR, Artifact, Damage, Malformed, Role, Run, Source, State, Unreadable
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import Entry, Layout
from hakushi.recover.filesystem.parts import Bits, chosen, library_label, structure, whole_sectors
from hakushi.recover.volumes import code_like

_REGION = 12
"""Sectors of a boot region: boot sector, eight extended ones, parameters, reserved, checksum."""

_BITMAP, _UPCASE, _LABEL = 0x81, 0x82, 0x83
_CHAIN = 1 << 16
_CHUNK = 1 << 20
_OWN_NAMES = {"$ALLOC_BITMAP", "$UPCASE_TABLE"}


@dataclass(frozen=True, slots=True)
class Boot:
    """Geometry in bytes."""

    sector: int
    cluster: int
    table: int
    table_size: int
    tables: int
    data: int
    clusters: int
    root: int
    size: int

    def at(self, cluster: int) -> int:
        return self.data + (cluster - 2) * self.cluster


def boot(cursor: Cursor) -> Boot:
    """Raises Malformed for what no exFAT formatter writes."""
    head = cursor.take(0, SECTOR)
    if head[3:11] != b"EXFAT   " or head[510:] != b"\x55\xaa" or any(head[11:64]):
        raise Malformed("no exFAT boot sector")
    size, table, table_size, data, clusters, root = struct.unpack_from("<QIIIII", head, 72)
    shift, more, tables = head[108], head[109], head[110]
    if not (9 <= shift <= 12 and shift + more <= 25 and tables in (1, 2)):
        raise Malformed("exFAT: impossible sector or cluster size")
    sector = 1 << shift
    if not (24 <= table < data < size and clusters and (clusters + 2) * 4 <= table_size << shift):
        raise Malformed("exFAT: impossible geometry")
    return Boot(
        sector,
        sector << more,
        table << shift,
        table_size << shift,
        tables,
        data << shift,
        clusters,
        root,
        size << shift,
    )


@dataclass(slots=True)
class _Root:
    """What the root directory says of the volume."""

    clusters: list[int] = field(default_factory=list)
    sound: list[Run] = field(default_factory=list)
    """Sectors without a trace of a deleted name."""
    bitmap: tuple[int, int] = (0, 0)
    upcase: tuple[int, int] = (0, 0)
    upcase_sum: int = 0
    label: str = ""


def layout(source: Source, budget: Budget) -> Layout:
    """What the volume itself owns."""
    geometry = boot(Cursor(source))
    out = Layout("exfat", "exfat", geometry.sector)
    place = source.locator.step("exfat", "*")
    if geometry.size > source.size:
        out.own.append(Damage(place, "the file system is larger than what holds it"))
    volume = _Volume(source, budget, geometry)
    try:
        volume.read()
        out.own += volume.structures()
        out.allocated = volume.used
        out.later = volume.tables
    except (Malformed, Unreadable) as error:
        out.own.append(Damage(place, str(error)))
    out.foreign = volume.foreign
    out.label = lambda entry: library_label(entry, volume.root.label)
    return out


def follow(source: Source) -> Callable[[int], int]:
    """What the table says that follows a cluster. Deleting leaves it as it was."""
    cursor = Cursor(source)
    table = boot(cursor).table

    def following(cluster: int) -> int:
        try:
            return cursor.u32(table + 4 * cluster)
        except Malformed:
            return 0

    return following


class _Volume:
    def __init__(self, source: Source, budget: Budget, geometry: Boot) -> None:
        self.source = source
        self.budget = budget
        self.geometry = geometry
        self.cursor = Cursor(source)
        self.root = _Root()
        self._bits: Bits | None = None

    def _piece(self, step: str, runs: list[Run]) -> Artifact:
        return structure(self.source.locator.step("exfat", step), "exfat", runs, step)

    def entry(self, cluster: int) -> int:
        return self.cursor.u32(self.geometry.table + 4 * cluster)

    def chain(self, cluster: int) -> list[int]:
        """The clusters of a chain; it ends where it leaves the volume or meets itself."""
        out: list[int] = []
        seen: set[int] = set()
        while 2 <= cluster < self.geometry.clusters + 2 and cluster not in seen:
            seen.add(cluster)
            out.append(cluster)
            if len(out) >= _CHAIN:
                break
            cluster = self.entry(cluster)
        return out

    def _runs(self, first: int) -> list[Run]:
        return [Run(self.geometry.at(c), self.geometry.cluster) for c in self.chain(first)]

    def _stream(self, place: tuple[int, int]) -> Source:
        return Runs(self.source, self._runs(place[0]), place[1], self.source.locator)

    # --- the root directory ---

    def read(self) -> None:
        """Raises Malformed where the root directory cannot be read."""
        root = self.root
        root.clusters = self.chain(self.geometry.root)
        if not root.clusters:
            raise Malformed("exFAT: no root directory")
        ended = False
        for cluster in root.clusters:
            start = self.geometry.at(cluster)
            for at in range(start, start + self.geometry.cluster, SECTOR):
                self.budget.pay()
                sound, ended = self._sector(self.cursor.take(at, SECTOR), ended=ended)
                if sound:
                    root.sound.append(Run(at, SECTOR))
        if root.bitmap[0]:
            self._bits = Bits(self._stream(root.bitmap), self.geometry.cluster, self.geometry.data)

    def _sector(self, data: bytes, *, ended: bool) -> tuple[bool, bool]:
        """Whether a sector holds entries in use alone, then zeros; and whether it ended."""
        sound = True
        for at in range(0, len(data), 32):
            entry = data[at : at + 32]
            if ended or entry[0] == 0:
                ended = True
                sound = sound and not any(entry)
            elif entry[0] == _LABEL & 0x7F:
                sound = sound and not any(entry[1:])
            elif not entry[0] & 0x80:
                sound = False
            else:
                self._own_entry(entry)
        return sound, ended

    def _own_entry(self, entry: bytes) -> None:
        root = self.root
        first, size = struct.unpack_from("<IQ", entry, 20)
        if entry[0] == _BITMAP and not entry[1] & 1:
            root.bitmap = (first, size)
        elif entry[0] == _UPCASE:
            root.upcase, root.upcase_sum = (first, size), int.from_bytes(entry[4:8], "little")
        elif entry[0] == _LABEL:
            letters = min(entry[1], 11)
            root.label = entry[2 : 2 + 2 * letters].decode("utf-16-le", "replace")

    def foreign(self, entry: Entry) -> Entry | None:
        """An entry without the bitmap and the up-case table, which the library lists as files."""
        if entry.path not in _OWN_NAMES or not entry.live:
            return entry
        place = self.root.bitmap if entry.path == "$ALLOC_BITMAP" else self.root.upcase
        same = entry.size == place[1] and all(
            s.runs and s.runs[0][0] * self.geometry.sector == self.geometry.at(place[0])
            for s in entry.streams
        )
        return None if same else entry

    def used(self, run: Run) -> bool | None:
        """Whether a cluster of the run is in use now."""
        return None if self._bits is None else self._bits.used(run)

    # --- structures ---

    def structures(self) -> Iterator[Artifact]:
        yield self._piece("boot", list(self._boot()))
        if self.root.sound:
            yield self._piece("root", self.root.sound)
        upcase = self._upcase()
        if upcase:
            yield self._piece("upcase", upcase)
        if chosen(self.root.label):
            locator = self.source.locator.step("exfat", "label")
            yield Artifact(locator, "label", State.LIVE, 0, (), self.root.label, Role.LABEL)

    def _boot(self) -> Iterator[Run]:
        """Both boot regions, as far as their checksums hold and their reserved parts are empty."""
        unit = self.geometry.sector
        for start in (0, _REGION * unit):
            region = self.cursor.take(start, _REGION * unit)
            total = checksum(region[: 11 * unit], skip=(106, 107, 112))
            if region[11 * unit :] != total.to_bytes(4, "little") * (unit // 4):
                continue
            if code_like(region[120:510].replace(b"\xf4", b"\0")):
                yield Run(start, unit)
            for number in range(1, 9):
                sector = region[number * unit : (number + 1) * unit]
                if not any(sector[:-4]):
                    yield Run(start + number * unit, unit)
            for number in (9, 10):
                sector = region[number * unit : (number + 1) * unit]
                if len(set(sector)) == 1:
                    yield Run(start + number * unit, unit)
            yield Run(start + 11 * unit, unit)

    def _upcase(self) -> list[Run]:
        first, size = self.root.upcase
        if not first or not 0 < size <= 1 << 17:
            return []
        raw = Cursor(self._stream(self.root.upcase)).take(0, size)
        if checksum(raw) != self.root.upcase_sum:
            return []
        return whole_sectors(self.source, self._runs(first), size)

    def tables(self, live: bool) -> Iterator[Artifact]:
        """Allocation table and bitmap: whatever they say if there are files, else as new."""
        runs: list[Run] = []
        try:
            geometry = self.geometry
            own = [
                self.chain(first)
                for first in (self.root.bitmap[0], self.root.upcase[0], geometry.root)
            ]
            if live or self._fresh_table(own):
                runs.append(Run(geometry.table, geometry.table_size * geometry.tables))
            if self.root.bitmap[0] and (live or self._fresh_bitmap(own)):
                bitmap = self._runs(self.root.bitmap[0])
                runs += whole_sectors(self.source, bitmap, self.root.bitmap[1])
        except (Malformed, Unreadable):
            # What could not be read is not explained; the medium's own pass says so.
            runs = []
        runs = [r for r in runs if (r.at or 0) + r.length <= self.source.size]
        if runs:
            yield self._piece("table", runs)

    def _fresh_table(self, own: list[list[int]]) -> bool:
        """Whether the table holds the chains of the volume's own files and nothing else."""
        wanted = {0: 0xFFFFFFF8, 1: 0xFFFFFFFF}
        for chain in own:
            wanted |= dict(zip(chain, [*chain[1:], 0xFFFFFFFF], strict=False))
        last = max(wanted)
        if last > 1 << 20 or self.geometry.tables != 1:
            return False
        head = b"".join(wanted.get(n, 0).to_bytes(4, "little") for n in range(last + 1))
        if not self.cursor.has(self.geometry.table, head):
            return False
        end = self.geometry.table + self.geometry.table_size
        return self._zeros(self.geometry.table + len(head), end)

    def _fresh_bitmap(self, own: list[list[int]]) -> bool:
        size = self.root.bitmap[1]
        bits = 0
        for cluster in (c for chain in own for c in chain):
            bits |= 1 << (cluster - 2)
        if bits.bit_length() > size * 8:
            return False
        wanted = bits.to_bytes(-(-bits.bit_length() // 8), "little")
        stream = self._stream(self.root.bitmap)
        cursor = Cursor(stream)
        if not cursor.has(0, wanted):
            return False
        at = len(wanted)
        while at < size:
            take = min(_CHUNK, size - at)
            if any(cursor.take(at, take)):
                return False
            at += take
        return True

    def _zeros(self, at: int, end: int) -> bool:
        while at < end:
            self.budget.pay()
            take = min(_CHUNK, end - at)
            if any(self.cursor.take(at, take)):
                return False
            at += take
        return True


def checksum(data: bytes, skip: tuple[int, ...] = ()) -> int:
    """The 32-bit rotating sum of boot regions and of the up-case table."""
    total = 0
    for at, byte in enumerate(data):
        if at not in skip:
            total = ((total >> 1 | (total & 1) << 31) + byte) & 0xFFFFFFFF
    return total

"""Master boot records: primary, extended and logical partitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import SECTOR, Artifact, Damage, Locator, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.volumes import boot_sector_of_filesystem, code_like, partition

_TABLE = 446
_EXTENDED = (0x05, 0x0F, 0x85)
_PROTECTIVE = 0xEE
_CHAIN = 4096
"""Logical partitions that a chain may have."""


@dataclass(frozen=True, slots=True)
class _Entry:
    active: int
    type: int
    first: int
    sectors: int

    @property
    def used(self) -> bool:
        return self.type != 0 and self.sectors != 0


def _entries(sector: bytes) -> list[_Entry]:
    """The four entries of a boot record. Raises Malformed where the signature is missing."""
    if sector[510:] != b"\x55\xaa":
        raise Malformed("no boot record signature")
    out = []
    for at in range(_TABLE, _TABLE + 64, 16):
        raw = sector[at : at + 16]
        first, count = (int.from_bytes(raw[i : i + 4], "little") for i in (8, 12))
        out.append(_Entry(raw[0], raw[4], first, count))
    return out


def _probe(source: Source) -> bool:
    try:
        cursor = Cursor(source, page=SECTOR)
        sector = cursor.take(0, SECTOR)
        entries = _entries(sector)
    except Malformed:
        return False
    if boot_sector_of_filesystem(sector):
        return False
    if any(e.active not in (0, 0x80) for e in entries):
        return False
    used = [e for e in entries if e.used]
    return bool(used) and all(e.first > 0 for e in used)


class _Walk:
    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.cursor = Cursor(source, page=SECTOR)
        self.unit = _unit(self.cursor)
        sound = code_like(self.cursor.take(0, 440))
        self.tables = [Run(0, SECTOR)] if sound else []
        self.number = 4
        self.found: list[tuple[int, int]] = []

    def place(self, name: str) -> Locator:
        return self.source.locator.step("mbr", name)

    def run(self) -> Iterator[Artifact | Damage]:
        entries = _entries(self.cursor.take(0, SECTOR))
        for number, entry in enumerate(entries, 1):
            self.budget.pay()
            if not entry.used:
                continue
            if entry.type == _PROTECTIVE:
                yield Damage(self.place(f"entry-{number}"), "protective, but there is no GPT")
            elif entry.type in _EXTENDED:
                yield from self._chain(entry)
            else:
                yield from self._partition(number, entry.first, entry.sectors)
        if self.tables:
            size = SECTOR * len(self.tables)
            runs = tuple(self.tables)
            place = self.place("table")
            yield Artifact(place, "mbr", State.LIVE, size, runs, role=Role.STRUCTURE)

    def _partition(self, number: int, first: int, sectors: int) -> Iterator[Artifact | Damage]:
        at, length = first * self.unit, sectors * self.unit
        for start, size in self.found:
            if at < start + size and start < at + length:
                what = f"partition {number} overlaps another one"
                yield Damage(self.place(f"entry-{number}"), what)
                break
        self.found.append((at, length))
        yield from partition(self.source, number, at, length)

    def _chain(self, container: _Entry) -> Iterator[Artifact | Damage]:
        """Logical partitions: each boot record names one, and where the next record is."""
        base = container.first
        at, seen = base, set[int]()
        while True:
            self.budget.pay()
            if at in seen or len(seen) >= _CHAIN:
                yield Damage(self.place(f"extended-{base}"), "the chain of partitions is a loop")
                return
            seen.add(at)
            try:
                entries = _entries(self.cursor.take(at * self.unit, SECTOR))
            except Malformed as error:
                yield Damage(self.place(f"extended-{base}"), f"boot record at {at}: {error}")
                return
            if not any(self.cursor.take(at * self.unit, _TABLE)):
                self.tables.append(Run(at * self.unit, SECTOR))
            following = None
            for entry in entries:
                if not entry.used:
                    continue
                if entry.type in _EXTENDED:
                    following = base + entry.first
                else:
                    self.number += 1
                    yield from self._partition(self.number, at + entry.first, entry.sectors)
            if following is None:
                return
            at = following


def _unit(cursor: Cursor) -> int:
    """Bytes of a sector: 4096 where only then something known stands at a partition's start."""
    first = [e.first for e in _entries(cursor.take(0, SECTOR)) if e.used]
    for unit in (512, 4096):
        for start in first:
            try:
                if boot_sector_of_filesystem(cursor.take(start * unit, SECTOR)):
                    return unit
                if cursor.u16(start * unit + 1024 + 56) == 0xEF53:
                    return unit
            except Malformed:
                continue
    return 512


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    return _Walk(source, budget).run()


PLUGIN = Format("mbr", Family.VOLUMES, _probe, open=_open)

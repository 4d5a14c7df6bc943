"""GUID partition tables (UEFI specification, chapter 5)."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
    Extents,
    Locator,
    Malformed,
    Role,
    Run,
    Source,
    State,
)
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.volumes import boot_sector_of_filesystem, code_like, partition

_SIGNATURE = b"EFI PART"
_UNITS = (512, 4096)
_ENTRIES = 4096
"""Entries that a table may have; the specification's own number is 128."""

_DEFAULTS = frozenset(
    {
        "",
        "basic data partition",
        "microsoft basic data",
        "efi system partition",
        "efi system",
        "efi",
        "microsoft reserved partition",
        "microsoft reserved",
        "linux filesystem",
        "linux swap",
        "linux lvm",
        "linux raid",
        "bios boot partition",
        "bios boot",
        "primary",
        "recovery",
    }
)
"""Names that partitioning tools give by themselves."""


@dataclass(frozen=True, slots=True)
class _Header:
    unit: int
    at: int
    """Its own sector, where it was found."""
    other: int
    entries: int
    count: int
    size: int
    crc: int
    sound: bool
    """Its own checksum holds."""


@dataclass(frozen=True, slots=True)
class _Table:
    header: _Header
    data: bytes
    sound: bool


def _header(cursor: Cursor, unit: int, at: int) -> _Header | None:
    """The header in sector ``at``; None where there is none."""
    try:
        if not cursor.has(at * unit, _SIGNATURE):
            return None
        raw = cursor.take(at * unit, 512)
    except Malformed:
        return None
    size, crc = struct.unpack_from("<II", raw, 12)
    mine, other = struct.unpack_from("<QQ", raw, 24)
    entries, count, entry_size, entries_crc = struct.unpack_from("<QIII", raw, 72)
    sound = (
        92 <= size <= 512
        and binascii.crc32(raw[:16] + bytes(4) + raw[20:size]) == crc
        and mine == at
    )
    return _Header(unit, at, other, entries, count, entry_size, entries_crc, sound)


def _headers(cursor: Cursor) -> tuple[_Header | None, _Header | None]:
    """The primary and the backup header, of one sector size."""
    best: tuple[_Header | None, _Header | None] = (None, None)
    for unit in _UNITS:
        primary = _header(cursor, unit, 1)
        last = cursor.size // unit - 1
        backup = _header(cursor, unit, last) if last > 1 else None
        if backup is None and primary is not None and primary.sound and 1 < primary.other <= last:
            backup = _header(cursor, unit, primary.other)
        if (primary and primary.sound) or (backup and backup.sound):
            return primary, backup
        if primary or backup:
            best = (primary, backup)
    return best


def _protective(sector: bytes) -> bool:
    return sector[510:] == b"\x55\xaa" and any(sector[i + 4] == 0xEE for i in range(446, 510, 16))


def _probe(source: Source) -> bool:
    try:
        cursor = Cursor(source, page=SECTOR)
        first = cursor.take(0, SECTOR)
        if boot_sector_of_filesystem(first):
            return False
        primary, backup = _headers(cursor)
    except Malformed:
        return False
    if primary is not None and primary.sound:
        return True
    if primary is None and backup is None:
        return False
    # An old backup at the end of a drive that is partitioned otherwise now is none.
    return _protective(first) or (backup is not None and backup.sound and not any(first))


class _Walk:
    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.cursor = Cursor(source, page=SECTOR)
        self.owned: list[Run] = []

    def place(self, name: str) -> Locator:
        return self.source.locator.step("gpt", name)

    def run(self) -> Iterator[Artifact | Damage]:
        tables: list[_Table] = []
        for name, header in zip(("primary", "backup"), _headers(self.cursor), strict=True):
            table = self._table(header)
            if table is None:
                yield Damage(self.place(name), f"the {name} partition table is missing")
                continue
            if not table.sound:
                yield Damage(self.place(name), f"the {name} partition table's checksum is wrong")
            tables.append(table)
        if not tables:
            raise Malformed("no partition table can be read")
        best = next((t for t in tables if t.sound), tables[0])
        yield from self._partitions(best)
        if len(tables) == 2 and tables[0].data != tables[1].data:
            yield Damage(self.place("backup"), "the two partition tables differ")
        yield from self._structure(best, tables)

    def _table(self, header: _Header | None) -> _Table | None:
        if header is None:
            return None
        count, size = header.count, header.size
        if not (0 < count <= _ENTRIES and 128 <= size <= 4096 and size % 8 == 0):
            return None
        self.budget.pay(steps=count)
        try:
            data = self.cursor.take(header.entries * header.unit, count * size)
        except Malformed:
            return None
        return _Table(header, data, header.sound and binascii.crc32(data) == header.crc)

    def _partitions(self, table: _Table) -> Iterator[Artifact | Damage]:
        size, unit = table.header.size, table.header.unit
        taken = Extents()
        for index in range(table.header.count):
            self.budget.pay()
            raw = table.data[index * size : (index + 1) * size]
            name = raw[56:128].decode("utf-16-le", "replace").partition("\0")[0]
            if not any(raw[:16]):
                if any(raw):
                    yield self._name(f"old-{index + 1}", "name", name, Role.NAME)
                continue
            if name.strip().lower() not in _DEFAULTS:
                yield self._name(f"label-{index + 1}", "label", name, Role.LABEL)
            first, last = struct.unpack_from("<QQ", raw, 32)
            if not 0 < first <= last:
                yield Damage(
                    self.place(f"entry-{index + 1}"), "the partition ends before it starts"
                )
                continue
            for found in partition(self.source, index + 1, first * unit, (last - first + 1) * unit):
                if isinstance(found, Artifact):
                    if taken & found.extents:
                        what = f"partition {index + 1} overlaps another one"
                        yield Damage(self.place(f"entry-{index + 1}"), what)
                    taken |= found.extents
                yield found

    def _name(self, step: str, kind: str, name: str, role: Role) -> Artifact:
        state = State.LIVE if role is Role.LABEL else State.DELETED
        return Artifact(self.place(step), kind, state, 0, (), name, role)

    def _structure(self, best: _Table, tables: list[_Table]) -> Iterator[Artifact]:
        """The protective boot record, headers and entries, as far as they are what they must be."""
        first = self.cursor.take(0, SECTOR)
        runs = [Run(0, SECTOR)] if _protective(first) and code_like(first[:440]) else []
        for table in tables:
            if not table.sound or table.data != best.data:
                continue
            header = table.header
            at = header.at * header.unit
            tail = self.cursor.take(at + 92, header.unit - 92)
            if not any(tail):
                runs.append(Run(at, header.unit))
            runs.append(Run(header.entries * header.unit, len(table.data)))
        if runs:
            size = sum(r.length for r in runs)
            yield Artifact(
                self.place("table"), "gpt", State.LIVE, size, tuple(runs), role=Role.STRUCTURE
            )


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    return _Walk(source, budget).run()


PLUGIN = Format("gpt", Family.VOLUMES, _probe, open=_open)

"""Apple partition maps (Inside Macintosh: Devices, chapter 3): disks of Macs before Intel's."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Artifact, Damage, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem.parts import structure
from hakushi.recover.volumes import partition

_DRIVER, _ENTRY = b"ER", b"PM"
_UNITS = (512, 1024, 2048, 4096)
_ENTRIES = 256
_OWN = frozenset(
    {
        "Apple_partition_map",
        "Apple_Free",
        "Apple_Void",
        "Apple_Extra",
        "Apple_Scratch",
        "Apple_Driver",
        "Apple_Driver43",
        "Apple_Driver43_CD",
        "Apple_Driver_ATA",
        "Apple_Driver_ATAPI",
        "Apple_Driver_IOKit",
        "Apple_Driver_OpenFirmware",
        "Apple_FWDriver",
        "Apple_Patches",
    }
)
"""Types of what holds no volume; its bytes are searched like free space."""

_DEFAULTS = frozenset(
    {"", "apple", "macintosh", "partition map", "extra", "disk image", "untitled"}
)
_HEAD = 136
"""Bytes of an entry that are defined for every type."""

_DISC = 0x8001
"""Where ISO 9660 has its mark: such a disc may have a map, too, and is read as what it is."""


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    at: int
    first: int
    blocks: int
    name: str
    type: str
    bare: bool
    """Nothing stands behind what is defined."""


def _unit(cursor: Cursor) -> int:
    """Bytes of a block of the map. Raises Malformed where there is no map."""
    said = cursor.u16(2, ">") if cursor.has(0, _DRIVER) else 0
    for unit in dict.fromkeys((said, *_UNITS)):
        if unit in _UNITS and cursor.has(unit, _ENTRY):
            return unit
    raise Malformed("no Apple partition map")


def _entries(cursor: Cursor, unit: int, budget: Budget) -> Iterator[_Entry]:
    count = cursor.u32(unit + 4, ">")
    for number in range(1, min(count, _ENTRIES) + 1):
        budget.pay()
        raw = cursor.take(number * unit, 512)
        if raw[:2] != _ENTRY:
            raise Malformed(f"entry {number} of the partition map is torn")
        first, blocks = struct.unpack_from(">II", raw, 8)
        name, type = (
            raw[at : at + 32].split(b"\0", 1)[0].decode("mac_roman").strip() for at in (16, 48)
        )
        yield _Entry(number, number * unit, first, blocks, name, type, not any(raw[_HEAD:]))


def _probe(source: Source) -> bool:
    cursor = Cursor(source, page=4096)
    try:
        unit = _unit(cursor)
        return not cursor.has(_DISC, b"CD001") and 0 < cursor.u32(unit + 4, ">") <= _ENTRIES
    except Malformed:
        return False


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    cursor = Cursor(source)
    unit = _unit(cursor)
    place = source.locator.step("apm", "map")
    runs = [Run(0, 512)] if cursor.has(0, _DRIVER) and not any(cursor.take(82, 430)) else []
    try:
        for entry in _entries(cursor, unit, budget):
            if entry.bare:
                runs.append(Run(entry.at, 512))
            if entry.name.lower() not in _DEFAULTS and entry.type not in _OWN:
                label = source.locator.step("apm", f"label-{entry.number}")
                yield Artifact(label, "label", State.LIVE, 0, (), entry.name, Role.LABEL)
            if entry.type not in _OWN and entry.blocks:
                yield from partition(source, entry.number, entry.first * unit, entry.blocks * unit)
    except Malformed as error:
        yield Damage(place, str(error))
    if runs:
        yield structure(place, "apm", runs, "map")


PLUGIN = Format("apm", Family.VOLUMES, _probe, open=_open)

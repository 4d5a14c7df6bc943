"""Small files that NTFS keeps inside their records, as content: where no record is believed."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hakushi.model import SECTOR, Artifact, Extents, Malformed, Run, Source, State
from hakushi.recover.cursor import Budget
from hakushi.recover.filesystem.ntfs_records import fixed
from hakushi.recover.records._ntfs_scan import DATA, Head, records

_OWN = 24
_END = 0xFFFFFFFF


def resident(source: Source, where: Extents, budget: Budget) -> Iterator[Artifact]:
    """Every stream that lies in a record that is whole, as carved bytes without a name.

    The last two bytes of each sector lie elsewhere in the record (its update sequence): the runs go
    there.
    """
    for head, data in records(source, where, budget):
        if 0 <= head.number < _OWN:
            continue
        try:
            whole = fixed(data)
        except (Malformed, struct.error):
            continue
        for at, size in _contents(whole, head):
            runs = tuple(_runs(head, data, at, size))
            place = source.locator.step("carve", head.at + at)
            yield Artifact(place, "file", State.CARVED, size, runs)


def _contents(data: bytes, head: Head) -> Iterator[tuple[int, int]]:
    """(place in the record, bytes) of each resident stream."""
    at, used = struct.unpack_from("<HxxI", data, 20)
    end = min(used, head.size, len(data))
    while at + 24 <= end:
        kind, length, outside = struct.unpack_from("<IIB", data, at)
        if kind == _END or length < 24 or length % 8 or at + length > end:
            return
        size, offset = struct.unpack_from("<IH", data, at + 16)
        if kind == DATA and not outside and 0 < size <= length - offset and offset >= 24:
            yield at + offset, size
        at += length


def _runs(head: Head, data: bytes, at: int, size: int) -> Iterator[Run]:
    fixups = int.from_bytes(data[4:6], "little")
    end = at + size
    while at < end:
        sector, within = divmod(at, SECTOR)
        if within < SECTOR - 2:
            stop = min(end, sector * SECTOR + SECTOR - 2)
            yield Run(head.at + at, stop - at)
        else:
            stop = min(end, (sector + 1) * SECTOR)
            yield Run(head.at + fixups + 2 + 2 * sector + within - (SECTOR - 2), stop - at)
        at = stop

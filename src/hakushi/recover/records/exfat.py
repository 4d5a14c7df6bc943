"""Old exFAT folders: a quick-formatted volume's files, by their own directory entry sets.

Every set has a checksum, so one that holds is no accident. Directories do not say which cluster
they are: a boot sector does, or the folders and files that fit (Microsoft's exFAT specification,
6 and 7).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from hakushi.media import Window
from hakushi.model import SECTOR, Artifact, Damage, Extent, Extents, Malformed, Run, Source
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import exfat
from hakushi.recover.records import Ground, Records, Sign
from hakushi.recover.records._fat_volume import (
    Block,
    Entry,
    Geometry,
    Volume,
    from_guesses,
    readable,
    sectors,
)

FORMAT = "exfatold"
"""The locator step of a generation, and of the files in it."""

_ENTRY = 32
_FILE, _STREAM, _NAME = 0x85, 0xC0, 0xC1
_USED = 0x80
_STRAIGHT = 2
_FOLDER = 0x10
_BACKUP = 12
_MOST_BOOTS = 1024
_GEOMETRIES = 16
_LARGEST_CLUSTER = 0xFFFFFFF6
_UNKNOWN = Geometry(0, 1 << 12)


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the entry sets tell of."""
    found = _found(source, ground, budget)
    roots = _roots(source, ground, budget)
    rest = dict(found)
    number = 0
    while rest and number <= _GEOMETRIES:
        geometry = _choose(rest, roots, ground, budget) if number < _GEOMETRIES else None
        mine = rest if geometry is None else _of(geometry, rest)
        last = geometry is None or len(mine) == len(rest)
        blocks = _blocks(source, ground, geometry or _UNKNOWN, mine, roots, budget)
        if any(not b.used for b in blocks):
            what = geometry or _UNKNOWN
            step = f"{what.data}-{what.cluster}-{number}" if geometry else "lost"
            place = source.locator.step(FORMAT, step)
            yield from Volume(
                source, ground, place, "exfat", what, blocks, bare=geometry is None
            ).artifacts(budget)
        number += 1
        if last:
            break
        rest = {at: sets for at, sets in rest.items() if at not in mine}


def _found(source: Source, ground: Ground, budget: Budget) -> dict[int, list[Entry]]:
    """Sets by the sector in which they begin."""
    out: dict[int, list[Entry]] = {}
    where = Extents()
    for sign in SIGNS:
        where = where | ground.signs.get(sign.id, Extents())
    for at, data in sectors(source, where, budget):
        if not _may_hold(data):
            continue
        sets = list(_sets(at, readable(source, Extent(at, 2 * SECTOR)), SECTOR))
        if sets:
            out[at] = sets
    return out


def _may_hold(data: bytes) -> bool:
    return any(data[at] & 0x7F == _FILE & 0x7F for at in range(0, SECTOR, _ENTRY))


def _sets(at: int, data: bytes, until: int) -> Iterator[Entry]:
    """The entry sets that begin before ``until``, in use or not, whose checksum holds."""
    start = 0
    while start < until and start + 3 * _ENTRY <= len(data):
        entry = _set(at + start, data[start : start + 19 * _ENTRY])
        if entry is None:
            start += _ENTRY
            continue
        yield entry
        start += _ENTRY * (1 + data[start + 1])


def _set(at: int, raw: bytes) -> Entry | None:
    count = raw[1]
    if raw[0] & 0x7F != _FILE & 0x7F or not 2 <= count <= 18 or len(raw) < (1 + count) * _ENTRY:
        return None
    live = raw[0] & _USED
    data = bytearray(raw[: (1 + count) * _ENTRY])
    types = [data[n] & 0x7F for n in range(0, len(data), _ENTRY)]
    if types[1] != _STREAM & 0x7F or any(t != _NAME & 0x7F for t in types[2:3]):
        return None
    for n in range(0, len(data), _ENTRY):
        # Freeing a set clears this bit of each entry, and leaves the sum as it was.
        data[n] |= _USED
    if checksum(data) != int.from_bytes(data[2:4], "little"):
        return None
    attributes, when = (
        struct.unpack_from("<H6xI", data, 4)[0],
        int.from_bytes(data[12:16], "little"),
    )
    flags, letters = data[33], data[35]
    valid, cluster, size = struct.unpack_from("<Q4xIQ", data, 40)
    units = b"".join(
        data[n + 2 : n + _ENTRY] for n in range(64, len(data), _ENTRY) if data[n] == _NAME
    )
    name = units[: 2 * letters].decode("utf-16-le", "replace").replace("\0", "").replace("/", "_")
    if valid > size or cluster >= _LARGEST_CLUSTER or size >= 1 << 62:
        return None
    return Entry(
        at,
        name or "_",
        bool(attributes & _FOLDER),
        bool(live),
        cluster if cluster >= 2 else 0,
        size,
        _when(when, data[21], data[23]),
        bool(flags & _STRAIGHT),
    )


def checksum(data: bytes | bytearray) -> int:
    """Of an entry set without its own field (7.4.1)."""
    total = 0
    for at, byte in enumerate(data):
        if at not in (2, 3):
            total = ((total & 1) << 15 | total >> 1) + byte & 0xFFFF
    return total


def _when(stamp: int, hundredths: int, zone: int) -> int | None:
    """Seconds since 1970; UTC where the zone is not said."""
    date, time = stamp >> 16, stamp & 0xFFFF
    try:
        when = datetime(
            1980 + (date >> 9),
            date >> 5 & 15,
            date & 31,
            time >> 11,
            time >> 5 & 63,
            (time & 31) * 2,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    quarters = (zone & 0x7F) - (0x80 if zone & 0x40 else 0) if zone & 0x80 else 0
    return int(when.timestamp()) + hundredths // 100 - quarters * 900


def _roots(source: Source, ground: Ground, budget: Budget) -> dict[Geometry, int]:
    """What boot sectors say of where clusters lie -> first cluster of the root. Each is also taken
    as the copy that stands behind the first.
    """
    out: dict[Geometry, int] = {}
    for at, _ in sectors(source, ground.signs.get("exfat-boot", Extents()), budget):
        try:
            boot = exfat.boot(Cursor(Window(source, Extent(at, source.size - at), source.locator)))
        except Malformed:
            continue
        for origin in (at, at - _BACKUP * boot.sector):
            if origin >= 0:
                out[Geometry(origin + boot.data, boot.cluster)] = boot.root
        if len(out) > _MOST_BOOTS:
            break
    return out


def _choose(
    found: dict[int, list[Entry]], roots: dict[Geometry, int], ground: Ground, budget: Budget
) -> Geometry | None:
    """The geometry with the most witnesses: folders where a set says, magics."""
    every = [e for sets in found.values() for e in sets if e.cluster]
    folders = [e.cluster for e in every if e.directory]
    begins = [at for at in sorted(found) if at - SECTOR not in found]
    votes = from_guesses(begins, folders, budget)
    guesses = [g for g, n in votes.most_common(64) if n > 1]
    if not guesses:
        begins = [at for at, _ in ground.magics]
        votes = from_guesses(begins, (e.cluster for e in every), budget)
        guesses = [g for g, n in votes.most_common(64) if n > 1]
    magics = {at for at, _ in ground.magics}
    score: Counter[Geometry] = Counter()
    for guess in dict.fromkeys([*roots, *guesses]):
        budget.pay(steps=1 + len(every))
        score[guess] += 2 * sum(guess.at(c) in found for c in set(folders))
        score[guess] += sum(guess.at(e.cluster) in magics for e in every if not e.directory)
        score[guess] += guess in roots
    best = max(score, key=lambda g: (score[g], g.cluster, -g.data), default=None)
    return best if best is not None and (score[best] >= 2 or best in roots) else None


def _of(geometry: Geometry, found: dict[int, list[Entry]]) -> dict[int, list[Entry]]:
    """The sets in the volume's clusters. Two volumes are apart by where their clusters begin."""
    return {at: sets for at, sets in found.items() if at >= geometry.data} or found


def _blocks(
    source: Source,
    ground: Ground,
    geometry: Geometry,
    found: dict[int, list[Entry]],
    roots: dict[Geometry, int],
    budget: Budget,
) -> list[Block]:
    """The sets by directory cluster, each with the folder that it belongs to."""
    out: dict[int, Block] = {}
    for at, sets in sorted(found.items()):
        budget.pay()
        start = at - (at - geometry.data) % geometry.cluster
        block = out.setdefault(
            start, Block(start, [], full=False, used=ground.used(Run(at, SECTOR)))
        )
        block.entries += sets
    for block in out.values():
        end = readable(source, Extent(block.at + geometry.cluster - _ENTRY, _ENTRY))
        block.full = bool(end) and end[0] != 0
    root = geometry.at(roots[geometry]) if geometry in roots else -1
    if root in out:
        out[root].owner = 0
    _own(out, geometry)
    return list(out.values())


def _own(blocks: dict[int, Block], geometry: Geometry) -> None:
    """Says of each cluster which folder it belongs to: the first by the set that names it, the
    others as the next one that nobody has.
    """
    folders = {
        e.cluster: e for b in blocks.values() for e in b.entries if e.directory and e.cluster
    }
    for cluster, entry in folders.items():
        first = blocks.get(geometry.at(cluster))
        if first is not None and first.owner < 0:
            first.owner = cluster
        for n in range(1, min(1024, entry.size // geometry.cluster) if entry.straight else 1):
            more = blocks.get(geometry.at(cluster + n))
            if more is not None and more.owner < 0:
                more.owner = cluster
    spare = sorted(at for at, b in blocks.items() if b.owner < 0)
    for at in sorted(blocks):
        block = blocks[at]
        while block.owner > 0 and block.full:
            place = bisect_right(spare, block.at)
            if place == len(spare):
                break
            after = blocks[spare.pop(place)]
            after.owner = block.owner
            block = after


SIGNS = tuple(
    Sign(f"exfat-set-{at}-{kind:x}{flags}", bytes((kind, flags, 0)), at)
    for at in (32, 64, 96, 128)
    for kind in (_STREAM, _STREAM & 0x7F)
    for flags in (0, 1, 3)
)
"""A file's second entry, where it stands behind a first one in a sector."""

PLUGIN = Records("exfat", (*SIGNS, Sign("exfat-boot", b"\xebv\x90EXFAT   ")), read)

"""Several sources as what they are together: md arrays, and LVM's logical volumes across them.

`gather` gives one Source: a table of what stands where, then each array and volume. Each byte of
the members' data is in it once, and what a missing member held is computed from the others where
the level allows it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hakushi.media import Joined, Memory, Runs, Window
from hakushi.model import (
    Artifact,
    Extent,
    Extents,
    Locator,
    Malformed,
    Role,
    Run,
    Source,
    Unreadable,
)
from hakushi.recover import Budget, Family, identify
from hakushi.recover.grammar import lvm, md, striping

TABLE = b"hakushi set 1\n"
"""How the table of a set begins (`formats/aa_set.py` reads it)."""
_PAGE = 4096
_MOST_TIMES = 4
"""A set holds at most so many times its members' bytes: more is a claim without bytes behind it."""
_ROUNDS = 4
"""Arrays may be members of arrays; so deep and no deeper."""
_RAIDS = {
    "raid1": (1, 0),
    "mirror": (1, 0),
    "raid4": (4, 0),
    "raid5": (5, 2),
    "raid5_la": (5, 0),
    "raid5_ra": (5, 1),
    "raid5_ls": (5, 2),
    "raid5_rs": (5, 3),
    "raid10": (10, 0x102),
    "raid10_near": (10, 0x102),
    "raid0": (0, 0),
    "raid0_meta": (0, 0),
}
"""LVM's raid types as md's level and layout."""


class Array:
    """The Source of an array: ``members`` in their places, None where one is missing.

    Raises `Unreadable` for what neither a member nor the parity gives. Any number of threads.
    """

    def __init__(
        self, members: Sequence[Source | None], layout: striping.Layout, locator: Locator
    ) -> None:
        self.size, self.locator = layout.size, locator
        self._members, self._layout = tuple(members), layout

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        out, at = [], extent.offset
        while at < end:
            spot = self._layout.spot(at)
            length = min(end - at, spot.length)
            out.append(self._piece(spot, at, length))
            at += length
        return out[0] if len(out) == 1 else b"".join(out)

    def _piece(self, spot: striping.Spot, at: int, length: int) -> bytes:
        for member, where in spot.copies:
            if (data := self._from(member, where, length)) is not None:
                return data
        if not spot.parity:
            gone = all(self._members[member] is None for member, _ in spot.copies)
            why = "on a member that is missing or cannot be read"
            raise Unreadable(Extent(at, length), why, lasting=gone)
        total = 0
        for member, where in spot.parity:
            data = self._from(member, where, length)
            if data is None:
                gone = self._members[member] is None
                gone = gone and all(self._members[one] is None for one, _ in spot.copies)
                why = "two members are missing or cannot be read"
                raise Unreadable(Extent(at, length), why, lasting=gone)
            total ^= int.from_bytes(data, "little")
        return total.to_bytes(length, "little")

    def _from(self, member: int, at: int, length: int) -> bytes | None:
        source = self._members[member]
        if source is None:
            return None
        try:
            data = source.read(Extent(at, length))
        except Unreadable:
            return None
        return data if len(data) == length else None


@dataclass(frozen=True, slots=True)
class Piece:
    """One array or volume of a set."""

    kind: str
    name: str
    source: Source
    volume: bool = True
    """False for what belongs to no volume: the free rest of a volume group."""


@dataclass(slots=True)
class Set:
    """What became of the members."""

    pieces: list[Piece] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


def gather(members: Mapping[str, Source]) -> tuple[Source, tuple[str, ...]]:
    """The sources (by name) together, and what is wrong with them.

    Malformed where they are members of nothing.
    """
    found = Set()
    parts = [
        (name, part) for name, source in members.items() for part in _parts(name, source, found)
    ]
    for _ in range(_ROUNDS):
        parts, more = _arrays(parts, found)
        if not more:
            break
        parts += [(name, part) for name, array in more for part in _within(array)]
    _groups(parts, found)
    _bound(found, _MOST_TIMES * sum(source.size for source in members.values()))
    if not found.pieces:
        said = "none of them is a member of an array or of a volume group"
        raise Malformed("; ".join(found.damage) or said)
    return _joined(found), tuple(found.damage)


def _bound(found: Set, room: int) -> None:
    """Leaves out what is larger than the members can bear out."""
    kept = []
    for piece in found.pieces:
        if piece.source.size > room:
            found.damage.append(f"{piece.name}: more than its members can hold, left out")
        else:
            room -= piece.source.size
            kept.append(piece)
    found.pieces = kept


def _parts(name: str, source: Source, found: Set) -> Iterator[Source]:
    """The source, or those of its partitions, that may be members."""
    parts = list(_within(source))
    if not parts:
        found.damage.append(f"{name}: no member of an array, left out of the set")
    yield from parts


def _within(source: Source) -> Iterator[Source]:
    if md.superblock(source) or lvm.physical(source):
        yield source
        return
    table = identify(source, Family.VOLUMES)
    if table is None:
        return
    try:
        for one in table.open(source, Budget.of(seconds=60)):
            if isinstance(one, Artifact) and one.role is Role.VOLUME and one.runs:
                run = one.runs[0]
                window = Window(source, Extent(run.at or 0, run.length), one.locator)
                if md.superblock(window) or lvm.physical(window):
                    yield window
    except Malformed:
        return


# --- md ----------------------------------------------------------------------------------


def _arrays(
    parts: Sequence[tuple[str, Source]], found: Set
) -> tuple[list[tuple[str, Source]], list[tuple[str, Source]]]:
    """(what is no member, the arrays that hold further members); other arrays become pieces."""
    groups: dict[str, list[tuple[str, Source, md.Superblock]]] = defaultdict(list)
    left = []
    for name, part in parts:
        block = md.superblock(part)
        if block is None:
            left.append((name, part))
        else:
            groups[block.array].append((name, part, block))
    more: list[tuple[str, Source]] = []
    for uuid, group in sorted(groups.items()):
        try:
            array, label = _array(uuid, group, found)
        except Malformed as error:
            found.damage.append(f"array {uuid[:8]}: {error}")
            continue
        if any(True for _ in _within(array)):
            more.append((label, array))
        else:
            found.pieces.append(Piece(group[0][2].kind, label, array))
    return left, more


def _array(
    uuid: str, group: list[tuple[str, Source, md.Superblock]], found: Set
) -> tuple[Source, str]:
    newest = max(block.events for _, _, block in group)
    first = next(block for _, _, block in group if block.events == newest)
    if first.doubt == "the array was being reshaped":
        raise Malformed(first.doubt)
    label = first.name or uuid[:8]
    places: list[Source | None] = [None] * first.disks
    sizes = [0] * first.disks
    for name, part, block in group:
        if block.role is None or block.role >= first.disks:
            found.damage.append(f"{name}: a spare or failed member of {label}, left out")
        elif block.doubt or block.events + 1 < newest:
            found.damage.append(f"{name}: {block.doubt or 'an older state'} of {label}, left out")
        elif places[block.role] is not None:
            found.damage.append(f"{name}: member {block.role} of {label} a second time, left out")
        else:
            data = Extent(block.begins, block.holds)
            places[block.role] = Window(part, data, part.locator.step("md", "data"))
            sizes[block.role] = block.holds
    missing = [n for n, place in enumerate(places) if place is None]
    here = first.disks - len(missing)
    if not here or (first.level != 1 and here < len(missing)):
        raise Malformed(f"too few members are here: {here} of {first.disks}")
    if first.used > max(sizes):
        raise Malformed("every member is smaller than what the array uses of each")
    for number, size in enumerate(sizes):
        if size and size < first.used:
            found.damage.append(f"{label}: member {number} ends {first.used - size} bytes early")
    for number in missing:
        found.damage.append(f"{label}: member {number} of {first.disks} is missing")
    layout = _layout(first, sizes, bool(missing))
    return Array(places, layout, Locator.root("array", uuid[:16])), label


def _layout(block: md.Superblock, sizes: list[int], missing: bool) -> striping.Layout:
    if block.level == 1:
        return striping.mirror(block.disks, block.used)
    if block.level in {4, 5, 6}:
        return striping.parity(block.disks, block.used, block.chunk, block.level, block.layout)
    if block.level == 10:
        return striping.raid10(block.disks, block.used, block.chunk, block.layout)
    if block.level not in {-1, 0}:
        raise Malformed(f"level {block.level} is not read")
    if missing:
        # How much a missing member held is not written down: members of one size are supposed.
        sizes = [size or max(sizes) for size in sizes]
    if block.level == -1:
        return striping.linear([size - size % (block.chunk or 512) for size in sizes])
    return striping.striped(sizes, block.chunk, original=block.layout == 1)


# --- LVM ---------------------------------------------------------------------------------


def _groups(parts: Sequence[tuple[str, Source]], found: Set) -> None:
    """Logical volumes over all physical ones, and what of these belongs to none."""
    physical: dict[str, tuple[str, Source]] = {}
    newest: dict[str, lvm.Group] = {}
    for name, part in parts:
        label = lvm.physical(part)
        if label is None:
            continue
        physical[label.id] = (name, part)
        try:
            group = lvm.group(part, label, Budget.of(seconds=60))
        except Malformed as error:
            found.damage.append(f"{name}: {error}")
            continue
        if group and (group.id not in newest or newest[group.id].sequence < group.sequence):
            newest[group.id] = group
    told = {id for group in newest.values() for id, _, _ in group.physical.values()}
    for id, (name, part) in physical.items():
        if id not in told:
            found.damage.append(f"{name}: no readable metadata of its volume group")
            found.pieces.append(Piece("lvm-pv", name, part, volume=False))
    for group in newest.values():
        _group(group, physical, found)


def _group(group: lvm.Group, physical: Mapping[str, tuple[str, Source]], found: Set) -> None:
    volumes = Volumes(group, {id: part for id, (_, part) in physical.items()})
    for name, (id, _, _) in group.physical.items():
        if id not in physical:
            found.damage.append(f"{group.name}: the physical volume {name} is missing")
    for logical in group.logical.values():
        if not logical.visible:
            continue
        try:
            source = volumes.open(logical.name)
        except Malformed as error:
            found.damage.append(f"{group.name}/{logical.name}: {error}")
            continue
        found.pieces.append(Piece("lvm", f"{group.name}/{logical.name}", source))
    for id, rest in volumes.rest():
        place, size = Locator.root("pv", id), sum(run.length for run in rest)
        source = Runs(physical[id][1], rest, size, place)
        found.pieces.append(Piece("lvm-rest", f"{group.name}: {physical[id][0]}", source, False))


class Volumes:
    """The logical volumes of a group, over those physical volumes (by identifier) that are here."""

    def __init__(self, group: lvm.Group, physical: Mapping[str, Source]) -> None:
        self._group, self._physical = group, physical
        self._budget = Budget.of(steps=1_000_000, seconds=60)
        self._taken: dict[str, list[Extent]] = defaultdict(list)

    def open(self, name: str, depth: int = 0) -> Source:
        """The volume's Source. Malformed for kinds that are not read (thin, cache, snapshots)."""
        logical = self._group.logical.get(name)
        self._budget.pay()
        if logical is None or depth > 4:
            raise Malformed(f"no logical volume {name}")
        place = Locator.root("lvm", f"{self._group.name}/{name}")
        pieces, at = [], 0
        for segment in logical.segments:
            self._budget.pay()
            if segment.start != at or not segment.count:
                raise Malformed("its segments do not follow each other")
            pieces.append(self._segment(segment, place, depth))
            at += segment.count
        if not pieces:
            raise Malformed("it has no segments")
        return pieces[0] if len(pieces) == 1 else Joined(pieces, place)

    def _segment(self, segment: lvm.Segment, place: Locator, depth: int) -> Source:
        size, count = segment.count * self._group.extent, len(segment.parts)
        if not count:
            raise Malformed(f"{segment.kind} volumes are not read")
        if segment.kind in {"striped", "linear"}:
            each = size // count
            members = [self._part(name, at, each, depth) for name, at in segment.parts]
            layout = (
                striping.linear([size])
                if count == 1
                else striping.striped([each] * count, segment.stripe)
            )
            return Array(members, layout, place)
        if segment.kind not in _RAIDS:
            raise Malformed(f"{segment.kind} volumes are not read")
        level, layout_number = _RAIDS[segment.kind]
        legs = [self.open(name, depth + 1) for name, _ in segment.parts]
        if level == 1:
            return Array(legs, striping.mirror(count, size), place)
        used = min(leg.size for leg in legs)
        if level == 0:
            return Array(legs, striping.striped([leg.size for leg in legs], segment.stripe), place)
        if level == 10:
            return Array(legs, striping.raid10(count, used, segment.stripe, layout_number), place)
        return Array(
            legs, striping.parity(count, used, segment.stripe, level, layout_number), place
        )

    def _part(self, name: str, at: int, size: int, depth: int) -> Source | None:
        if name in self._group.logical:
            leg = self.open(name, depth + 1)
            return Window(leg, Extent(at * self._group.extent, size), leg.locator)
        id, begins, count = self._group.physical.get(name, ("", 0, 0))
        source = self._physical.get(id)
        if source is None:
            return None
        extent = Extent(begins + at * self._group.extent, size)
        end = at * self._group.extent + size
        if end > count * self._group.extent or extent.end > source.size:
            raise Malformed("an extent past its physical volume")
        self._taken[id].append(extent)
        return Window(source, extent, source.locator)

    def rest(self) -> Iterator[tuple[str, tuple[Run, ...]]]:
        """Runs of each physical volume that no opened volume took."""
        for id, _, _ in self._group.physical.values():
            if id in self._physical:
                whole = Extents([Extent(0, self._physical[id].size)])
                left = whole - Extents(self._taken[id])
                if left:
                    yield id, tuple(Run(one.offset, one.length) for one in left)


# --- together ----------------------------------------------------------------------------


def _joined(found: Set) -> Source:
    """A table of the pieces, then the pieces, each at a page's start."""
    rows: list[dict[str, object]] = []
    at = size = 0
    for _ in range(3):
        # The table's own length moves what it tells of; after the second time it stands still.
        rows, at = [], -(-size // _PAGE) * _PAGE
        for piece in found.pieces:
            if piece.volume:
                rows.append(
                    {"at": at, "size": piece.source.size, "kind": piece.kind, "name": piece.name}
                )
            at += -(-piece.source.size // _PAGE) * _PAGE
        size = len(_table(rows))
    head = _table(rows)
    parts: list[Source] = [Memory(head + bytes(-len(head) % _PAGE))]
    for piece in found.pieces:
        parts.append(piece.source)
        if filler := -piece.source.size % _PAGE:
            parts.append(Memory(bytes(filler)))
    digest = "-".join(sorted(str(piece.source.locator.last[1])[:16] for piece in found.pieces))
    return Joined(parts, Locator.root("set", digest[:64]))


def _table(rows: list[dict[str, object]]) -> bytes:
    return TABLE + json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

"""Old FAT12, FAT16 and FAT32 folders: a quick-formatted volume's files, by their own directories.

A formatter wipes the tables and the root; the clusters of folders stay. Each begins with two
entries that say which cluster it is, and which its parent's: so a few of them tell where the
volume's clusters lie.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hakushi.media import Window
from hakushi.model import SECTOR, Artifact, Damage, Extent, Extents, Malformed, Run, Source
from hakushi.recover.cursor import Budget, Cursor
from hakushi.recover.filesystem import fat
from hakushi.recover.records import Ground, Records, Sign
from hakushi.recover.records._fat_entries import CASES, Dots, dots, entries
from hakushi.recover.records._fat_volume import (
    Block,
    Geometry,
    Volume,
    from_guesses,
    from_pairs,
    readable,
    sectors,
)

FORMAT = "fatold"
"""The locator step of a generation, and of the files in it."""

_GEOMETRIES = 32
_UNKNOWN = Geometry(0, 1 << 12)
_BACKUP = 6
_MOST_BOOTS = 1024


@dataclass(frozen=True, slots=True)
class _Boot:
    origin: int
    boot: fat.Boot

    @property
    def geometry(self) -> Geometry:
        return Geometry(self.origin + self.boot.data, self.boot.cluster)


def read(source: Source, ground: Ground, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file, folder and name that the directories tell of."""
    heads = _heads(source, ground, budget)
    boots = _boots(source, ground, budget)
    strays = _strays(source, ground, budget)
    by_geometry, rest = _geometries(heads, strays, boots, ground, source, budget)
    done: set[int] = set()
    number = 0
    for geometry, folders in by_geometry.items():
        boot = next((b for b in boots if b.geometry == geometry), None)
        spare = [at for at in strays if at not in done]
        blocks = _blocks(source, ground, geometry, folders, spare, boot, budget)
        done.update(at for b in blocks for at in range(b.at, b.at + geometry.cluster, SECTOR))
        if any(not b.used for b in blocks):
            place = source.locator.step(FORMAT, f"{geometry.data}-{geometry.cluster}-{number}")
            chain = _chains(source, boot) if boot else _no_chain
            yield from Volume(source, ground, place, "fat", geometry, blocks, chain).artifacts(
                budget
            )
            number += 1
    lost = [
        Block(at, entries(at, readable(source, Extent(at, SECTOR)))[0], full=False)
        for at in rest
        if at not in done and not ground.used(Run(at, SECTOR))
    ]
    if lost:
        place = source.locator.step(FORMAT, "lost")
        yield from Volume(source, ground, place, "fat", _UNKNOWN, lost, bare=True).artifacts(budget)


def _no_chain(_first: int, _count: int) -> list[int]:
    return []


def _heads(source: Source, ground: Ground, budget: Budget) -> dict[int, Dots]:
    """Where folders begin."""
    where = ground.signs.get("fat-folder", Extents())
    found = ((at, dots(data)) for at, data in sectors(source, where, budget))
    return {at: head for at, head in found if head is not None}


def _boots(source: Source, ground: Ground, budget: Budget) -> list[_Boot]:
    """Boot sectors, each also taken as the copy that stands behind the first."""
    out: list[_Boot] = []
    where = ground.signs.get("fat32-boot", Extents()) | ground.signs.get("fat16-boot", Extents())
    for at, _ in sectors(source, where, budget):
        try:
            boot = fat.boot(Cursor(Window(source, Extent(at, source.size - at), source.locator)))
        except Malformed:
            continue
        out.append(_Boot(at, boot))
        if boot.bits == 32 and at >= _BACKUP * boot.sector:
            out.append(_Boot(at - _BACKUP * boot.sector, boot))
        if len(out) > _MOST_BOOTS:
            break
    return out


def _geometries(
    heads: dict[int, Dots],
    strays: list[int],
    boots: list[_Boot],
    ground: Ground,
    source: Source,
    budget: Budget,
) -> tuple[dict[Geometry, dict[int, Dots]], list[int]]:
    """The volumes that there were, each with its folders; and the folders of which nothing tells
    where their volume lay.
    """
    rest = dict(sorted(heads.items()))
    out: dict[Geometry, dict[int, Dots]] = {}
    known = list(dict.fromkeys(b.geometry for b in boots))

    def take(geometry: Geometry, least: int) -> None:
        mine = {at: h for at, h in rest.items() if geometry.at(h.own) == at}
        if len(mine) >= least:
            out[geometry] = mine
            for at in mine:
                del rest[at]

    for geometry in known:
        take(geometry, 1)
    while len(out) < _GEOMETRIES and len(rest) > 1:
        votes = from_pairs([(at, head.own) for at, head in rest.items()], budget)
        if not votes:
            break
        before = len(rest)
        take(max(votes, key=lambda g: (votes[g], -g.cluster, g.data)), 2)
        if len(rest) == before:
            break
    for at, head in list(rest.items())[:_GEOMETRIES]:
        guess = _by_magics(at, head, ground, source, budget)
        if guess is not None:
            take(guess, 1)
    if strays and not out and known:
        named = [e for at in strays for e in entries(at, readable(source, Extent(at, SECTOR)))[0]]
        begins = {at for at, _ in ground.magics}
        hits = {g: sum(g.at(e.cluster) in begins for e in named) for g in known}
        out[max(known, key=lambda g: hits[g])] = {}
    return out, [*rest, *strays]


def _by_magics(
    at: int, head: Dots, ground: Ground, source: Source, budget: Budget
) -> Geometry | None:
    """One folder alone: where its files would have to begin so that file magics stand there."""
    named, _, _ = entries(at, readable(source, Extent(at, 1 << 16)))
    clusters = {e.cluster for e in named if e.cluster and e.size}
    begins = {offset for offset, _ in ground.magics}
    scored = []
    for guess in from_guesses([at], [head.own], budget):
        hits = sum(guess.at(c) in begins for c in clusters)
        scored.append((hits, guess.cluster, guess))
    hits, _, best = max(scored, key=lambda s: s[:2])
    return best if hits >= 2 else None


def _strays(source: Source, ground: Ground, budget: Budget) -> list[int]:
    """Sectors that hold nothing but directory entries, two at least."""
    out: list[int] = []
    where = Extents()
    for sign in _NAMES:
        where = where | ground.signs.get(sign.id, Extents())
    for at, data in sectors(source, where, budget):
        if any(data.startswith(sign.value, sign.at) for sign in _NAMES):
            named, sound, _ = entries(at, data)
            if sound and named and any(data[32:43]):
                out.append(at)
    return out


def _blocks(
    source: Source,
    ground: Ground,
    geometry: Geometry,
    folders: dict[int, Dots],
    strays: list[int],
    boot: _Boot | None,
    budget: Budget,
) -> list[Block]:
    """The volume's directory clusters, each with the folder that it belongs to."""
    out: dict[int, Block] = {}

    def add(at: int, owner: int) -> Block | None:
        data = readable(source, Extent(at, geometry.cluster)) if 0 <= at < source.size else b""
        named, sound, full = entries(at, data)
        if at in out or not data or not (sound or dots(data)):
            return None
        budget.pay(steps=1 + len(data) // SECTOR)
        used = ground.used(Run(at, SECTOR))
        out[at] = Block(at, named, full, owner, used)
        return out[at]

    for at, head in folders.items():
        add(at, head.own)
    if boot is not None:
        out |= {b.at: b for b in _fixed_root(source, ground, geometry, strays, boot)}
    if boot is not None and boot.boot.bits == 32:
        block = add(geometry.at(boot.boot.root_cluster), 0)
        if block is not None and not block.entries:
            del out[block.at]
    waiting = sorted(
        {at - (at - geometry.data) % geometry.cluster for at in strays if at >= geometry.data}
        - set(out)
    )
    if boot is None and not folders:
        waiting = []
    for block in sorted(out.values(), key=lambda b: b.at):
        _follow(block, geometry, waiting, add)
    for at in waiting:
        if at not in out and ((boot and at < boot.origin + boot.boot.size) or not boot):
            block = add(at, -1)
            if block is not None and not block.entries:
                del out[at]
    return sorted(out.values(), key=lambda b: b.at)


def _fixed_root(
    source: Source, ground: Ground, geometry: Geometry, strays: list[int], boot: _Boot
) -> Iterator[Block]:
    """The sectors of a FAT12 or FAT16 root. They lie outside the clusters, so no table tells
    whether the volume stands: what they list does.
    """
    start = boot.origin + boot.boot.root
    for at in strays:
        if start <= at < start + boot.boot.root_size:
            named = entries(at, readable(source, Extent(at, SECTOR)))[0]
            held = [Run(geometry.at(e.cluster), SECTOR) for e in named if e.live and e.cluster]
            used = bool(held) and all(ground.used(run) for run in held)
            yield Block(at, named, full=False, owner=0, used=used)


def _follow(
    block: Block,
    geometry: Geometry,
    waiting: list[int],
    add: Callable[[int, int], Block | None],
) -> None:
    """The further clusters of a full folder: the next one that is a directory without a head."""
    while block.full:
        after = block.at + geometry.cluster
        place = bisect_left(waiting, after)
        if place == len(waiting):
            return
        more = add(waiting.pop(place), block.owner)
        if more is None:
            return
        block = more


def _chains(source: Source, boot: _Boot) -> Callable[[int, int], list[int]]:
    """Chains by the volume's tables, as far as they still stand."""
    window = Window(source, Extent(boot.origin, max(0, source.size - boot.origin)), source.locator)
    table = fat.Table(window, boot.boot)

    def chain(first: int, count: int) -> list[int]:
        out: list[int] = []
        seen: set[int] = set()
        cluster = first
        try:
            while 2 <= cluster < boot.boot.clusters + 2 and cluster not in seen:
                seen.add(cluster)
                out.append(cluster)
                if len(out) > count:
                    return []
                cluster = table.entry(cluster)
        except Malformed:
            return []
        ended = cluster >= (1 << min(28, boot.boot.bits)) - 8
        return out if ended and len(out) == count else []

    return chain


_NAMES = (
    Sign("fat-name", b"\x0f\0", 11),
    Sign("fat-name-behind", b"\x0f\0", 43),
    *(Sign(f"fat-file-{case:x}", bytes((32, case)), 11) for case in CASES),
)
"""How a sector of a directory begins that is not its first: a long name, or a file's entry."""

PLUGIN = Records(
    "fat",
    (
        Sign("fat-folder", b".          \x10"),
        *_NAMES,
        Sign("fat32-boot", b"\xebX\x90"),
        Sign("fat16-boot", b"\xeb<\x90"),
    ),
    read,
)

"""Deleted files of FAT32 as Windows deletes them: the upper half of the first cluster's number is
gone. Of the clusters that are left to choose from, the one is taken where a file of that name's
format, and of that size, begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hakushi.media import Runs
from hakushi.model import Artifact, Extent, Locator, Malformed, Role, Run, Source, State, Unreadable
from hakushi.recover import identify, promised
from hakushi.recover.cursor import Budget
from hakushi.recover.filesystem.fat_chains import Volume

HALF = 1 << 16
_MOST = 8
"""Places that are measured for one file: of more than these, those that fit best at a glance."""

_LONGEST = 64 << 20
_ALL = 1 << 30
_SECTOR = 512


def is_high(volume: Volume, one: Artifact) -> bool:
    """Whether a file that lives begins where a number needs its upper half."""
    return one.state is State.LIVE and one.role is Role.CONTENT and _first(volume, one) >= HALF


def raised(
    volume: Volume, gone: Sequence[Artifact], claimed: Mapping[Locator, int], budget: Budget
) -> list[Artifact]:
    """The deleted files of a volume that has some above, moved to where they began. As they came,
    where one of them still has its upper half: then nothing was taken away. ``claimed``: the
    sizes of those that have fewer bytes where they seem to begin.
    """
    if any(_first(volume, one) >= HALF for one in gone):
        return list(gone)
    left = [_ALL]
    return [_moved(volume, one, claimed.get(one.locator, one.size), left, budget) for one in gone]


def _first(volume: Volume, one: Artifact) -> int:
    at = one.runs[0].at if one.runs else None
    if at is None or at < volume.geometry.data:
        return 0
    return (at - volume.geometry.data) // volume.geometry.cluster + 2


def _moved(volume: Volume, seen: Artifact, size: int, left: list[int], budget: Budget) -> Artifact:
    geometry, low = volume.geometry, _first(volume, seen)
    if low < 2 or seen.runs is None:
        return seen
    one = replace(seen, size=size)
    places = []
    for cluster in range(low, geometry.clusters + 2, HALF):
        budget.pay()
        runs = _row(volume, cluster, one.size)
        if runs is not None:
            places.append((_glance(volume, one, runs), cluster, runs))
    # Equal ones by where they lie, so that every run comes to the same.
    places.sort(key=lambda place: (-place[0], place[1]))
    best = [place for place in places if place[0] == places[0][0]]
    if len(best) > 1 and best[0][0]:
        best = [place for place in best[:_MOST] if _whole(volume, one, place[2], left)]
    if len(best) != 1 or not best[0][0]:
        # Nothing tells where it was: where its lower half points to is as good as any.
        return replace(seen, complete=False)
    _, cluster, runs = best[0]
    return seen if cluster == low else replace(one, runs=runs, complete=len(runs) == 1)


def _row(volume: Volume, cluster: int, size: int) -> tuple[Run, ...] | None:
    """The next free clusters from one on, as many as the size needs; None where it is in use."""
    geometry, out = volume.geometry, list[Run]()
    if volume.used(Run(geometry.at(cluster), geometry.cluster)) is not False:
        return None
    whole = Run(geometry.at(cluster), -(-size // geometry.cluster) * geometry.cluster)
    if volume.used(whole) is False:
        return (Run(whole.at, size),)
    while size > 0 and cluster < geometry.clusters + 2 and len(out) < HALF:
        at = geometry.at(cluster)
        cluster += 1
        if volume.used(Run(at, geometry.cluster)) is not False:
            continue
        take = min(size, geometry.cluster)
        last = out[-1] if out else None
        if last is not None and last.at is not None and last.at + last.length == at:
            out[-1] = Run(last.at, last.length + take)
        else:
            out.append(Run(at, take))
        size -= take
    return tuple(out) if size <= 0 else None


def _glance(volume: Volume, one: Artifact, runs: tuple[Run, ...]) -> int:
    """How well a file of this name and size fits here: 0 for not at all."""
    wanted = promised(one.path)
    source = _view(volume, one, runs)
    try:
        found = identify(source)
        fits = found is not None and found.id in wanted
        if wanted and not fits:
            return 0
        return 1 + 2 * fits + _ends(volume, runs)
    except (Malformed, Unreadable):
        return 0


def _ends(volume: Volume, runs: tuple[Run, ...]) -> bool:
    """Whether its last sector looks like a file's end: something, and zeros behind it."""
    last = runs[-1]
    assert last.at is not None
    end = last.at + last.length
    rest = -end % _SECTOR
    data = volume.source.read(Extent(end - 1, 1 + rest))
    return bool(data) and data[0] != 0 and not any(data[1:])


def _whole(volume: Volume, one: Artifact, runs: tuple[Run, ...], left: list[int]) -> bool:
    """Whether its own structure says that it lies here."""
    if one.size > _LONGEST or left[0] < one.size:
        return False
    left[0] -= one.size
    source = _view(volume, one, runs)
    try:
        found = identify(source)
        if found is None or found.measure is None:
            return False
        measure = found.measure(source, Budget.of(seconds=30))
    except (Malformed, Unreadable):
        return False
    return measure is not None and measure.complete and one.size - measure.length < 4096


def _view(volume: Volume, one: Artifact, runs: tuple[Run, ...]) -> Source:
    return Runs(volume.source, runs, one.size, volume.source.locator)

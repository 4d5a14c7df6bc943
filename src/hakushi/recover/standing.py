"""What the file systems that still stand have in use: an older file's claim on it is void."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hakushi.media import Window
from hakushi.model import Extent, Extents, Malformed, Run, Source, Unreadable
from hakushi.recover import Family, identify
from hakushi.recover.cursor import Budget
from hakushi.recover.filesystem import apfs, btrfs, exfat, ext, fat, ntfs, xfs


@dataclass(slots=True)
class Standing:
    """``walked``: bytes of record tables, which the walk has read. Volumes do not overlap."""

    walked: Extents = field(default_factory=Extents)
    starts: list[int] = field(default_factory=list)
    volumes: list[tuple[Extent, Callable[[Run], bool | None]]] = field(default_factory=list)

    def used(self, run: Run) -> bool:
        """Whether a volume has a byte of the run in use, as far as its bitmap says."""
        if run.at is None:
            return False
        end = run.at + run.length
        first = max(0, bisect_right(self.starts, run.at) - 1)
        for extent, used in self.volumes[first:]:
            if extent.offset >= end:
                break
            low, high = max(run.at, extent.offset), min(end, extent.end)
            if low < high and used(Run(low - extent.offset, high - low)):
                return True
        return False


def standing(source: Source, volumes: Iterable[Extent], budget: Budget) -> Standing:
    """The file systems that begin at the starts of ``volumes``. One that is broken has no say."""
    out = Standing()
    for extent in sorted(volumes):
        window = Window(source, extent, source.locator)
        one = identify(window, Family.FILESYSTEM)
        if one is None:
            continue
        try:
            used = _bitmap(window, one.id, extent, out, budget)
        except (Malformed, Unreadable):
            continue
        if used is not None:
            out.starts.append(extent.offset)
            out.volumes.append((extent, used))
    return out


def _bitmap(
    window: Source, id: str, extent: Extent, out: Standing, budget: Budget
) -> Callable[[Run], bool | None] | None:
    if id == "ntfs":
        tables, bits = ntfs.standing(window, budget)
        out.walked |= Extents(
            Extent(extent.offset + run.at, run.length) for run in tables if run.at is not None
        )
        return None if bits is None else bits.used
    if id == "xfs":
        taken = xfs.in_use(window, budget)
        return lambda run: run.at is not None and taken.meets(Extent(run.at, run.length))
    if id in ("btrfs", "apfs"):
        held = (btrfs if id == "btrfs" else apfs).in_use(window, budget)
        return lambda run: run.at is not None and held.meets(Extent(run.at, run.length))
    layouts = {"fat": fat.layout, "exfat": exfat.layout, "ext": ext.layout}
    return layouts[id](window, budget).allocated if id in layouts else None

"""Files that shadow copies of an NTFS volume still have, and the volume of today has no more."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hakushi.model import Artifact, Damage, Locator, Malformed, Role, Run, Source, State, Unreadable
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.filesystem import Layout, files
from hakushi.recover.filesystem.ntfs_shadow import Copy, Shadow, copies
from hakushi.recover.filesystem.streams import foundation

_MOST_TOLD = 4_000_000
_KEPT = 2


@dataclass(slots=True)
class Before:
    """Learns what the volume of today has, then tells what else its shadow copies have."""

    source: Source
    budget: Budget
    copies: list[Copy] = field(init=False)
    damage: list[str] = field(init=False)
    told: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.copies, self.damage = copies(self.source, self.budget)

    def saw(self, one: Artifact | Damage) -> None:
        """Learns of what was told already."""
        if self.copies and isinstance(one, Artifact) and len(self.told) < _MOST_TOLD:
            self.told.add(_likeness(one))

    def files(self, layout: Callable[[Source, Budget], Layout]) -> Iterator[Artifact | Damage]:
        """From the newest copy to the oldest, each file once."""
        for what in self.damage:
            yield Damage(self.source.locator.step("ntfs", "shadow"), what)
        for copy in reversed(self.copies):
            shadow = _shadow(self.source, self.copies, copy.number)
            try:
                for one in files(shadow, self.budget, layout(shadow, self.budget)):
                    yield from self._moved(one, shadow, copy)
            except Spent:
                raise
            except (Malformed, Unreadable) as error:
                yield Damage(shadow.locator, str(error))

    def _moved(
        self, one: Artifact | Damage, shadow: Shadow, copy: Copy
    ) -> Iterator[Artifact | Damage]:
        """A file of a copy, its runs where they lie today; nothing, if it was told already."""
        step = one.locator.last[1]
        place = self.source.locator.step("ntfs", f"shadow{copy.number}-{step}")
        if isinstance(one, Damage):
            yield replace(one, locator=place)
            return
        if one.state is not State.LIVE or one.role in (Role.STRUCTURE, Role.LABEL, Role.NAME):
            return
        runs, whole = one.runs, one.complete
        if runs is not None:
            moved = [
                part
                for run in runs
                for part in ([run] if run.at is None else shadow.places(run.at, run.length))
            ]
            # A hole that the copy alone has: it did not keep what lay there.
            whole = whole and _bytes(moved) == _bytes(runs)
            runs = tuple(moved)
        here = replace(one, locator=place, runs=runs, complete=whole)
        seen = _likeness(here)
        if seen in self.told:
            return
        if len(self.told) < _MOST_TOLD:
            self.told.add(seen)
        yield replace(here, path=f"{_name(copy)}/{one.path}")


def _name(copy: Copy) -> str:
    try:
        made = datetime.fromtimestamp(copy.created, UTC).strftime("%Y-%m-%d")
    except (ValueError, OSError, OverflowError):
        made = "0"
    return f"$Shadow-{copy.number}-{made}"


def _bytes(runs: tuple[Run, ...] | list[Run]) -> int:
    return sum(run.length for run in runs if run.at is not None)


def _likeness(one: Artifact) -> int:
    """Equal for one file in two copies: the same name and the same bytes in the same place, or,
    where these lie in its record, the same times.
    """
    where = (one.modified, one.changed) if not one.runs else _joined(one.runs)
    return hash((one.path, one.size, one.kind, one.role, where))


def _joined(runs: tuple[Run, ...]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for run in runs:
        at = -1 if run.at is None else run.at
        if out and at >= 0 and out[-1][0] >= 0 and sum(out[-1]) == at:
            out[-1] = (out[-1][0], out[-1][1] + run.length)
        else:
            out.append((at, run.length))
    return tuple(out)


# --- one copy as a Source ------------------------------------------------------------------

_pool: OrderedDict[tuple[int, Locator], list[Copy]] = OrderedDict()
_lock = threading.Lock()


def opened(source: Source, number: str) -> Shadow:
    """A shadow copy by its number. Raises Malformed where there is none."""
    key = (id(foundation(source)), source.locator)
    with _lock:
        found = _pool.get(key)
        if found is None:
            found = _pool[key] = copies(source, Budget())[0]
        if len(_pool) > _KEPT:
            _pool.popitem(last=False)
    for one in found:
        if str(one.number) == number:
            return _shadow(source, found, one.number)
    raise Malformed(f"no shadow copy has the number {number[:20]!r}")


def _shadow(source: Source, found: list[Copy], number: int) -> Shadow:
    return Shadow(source, found, number, source.locator.step("ntfs", f"shadow{number}"))

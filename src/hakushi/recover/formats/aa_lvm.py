"""An LVM2 physical volume: logical volumes that lie on it alone are volumes, others are parts."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import SECTOR, Artifact, Damage, Locator, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Family, Format
from hakushi.recover.grammar import lvm


def _probe(source: Source) -> bool:
    return lvm.physical(source) is not None


def _runs(
    group: lvm.Group, own: str, name: str, budget: Budget, depth: int = 0
) -> tuple[Run, ...] | None:
    """The volume's runs; None where it is not on this physical volume alone, or no plain one."""
    logical = group.logical.get(name)
    if logical is None or depth > 4 or not logical.segments:
        return None
    out: list[Run] = []
    at = 0
    for segment in logical.segments:
        budget.pay()
        if segment.start != at or not segment.parts:
            return None
        at += segment.count
        size = segment.count * group.extent
        if segment.kind in {"raid1", "mirror"}:
            legs = (_runs(group, own, leg, budget, depth + 1) for leg, _ in segment.parts)
            leg = next((one for one in legs if one is not None), None)
            if leg is None:
                return None
            out += leg
        elif segment.kind in {"striped", "linear"} and len(segment.parts) == 1:
            place, extent = segment.parts[0]
            id, begins, count = group.physical.get(place, ("", 0, 0))
            if id != own or extent + segment.count > count:
                return None
            out.append(Run(begins + extent * group.extent, size))
        else:
            return None
    return tuple(out)


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    label = lvm.physical(source)
    if label is None:
        raise Malformed("no physical volume")
    group = lvm.group(source, label, budget)
    yield from _structure(source, label)
    if group is None:
        return
    place = source.locator.step("lvm", "group")
    yield Artifact(place, "label", State.LIVE, 0, (), group.name, Role.LABEL)
    for name, logical in group.logical.items():
        if not logical.visible:
            continue
        runs = _runs(group, label.id, name, budget)
        size = sum(segment.count for segment in logical.segments) * group.extent
        if runs is not None and all(0 <= (r.at or 0) <= source.size - r.length for r in runs):
            yield _artifact(source.locator.step("lvm", name), name, size, runs, Role.VOLUME)
        else:
            yield _artifact(source.locator.step("lvm", name), name, size, None, Role.MEMBER)
    for name in sorted(lvm.names_before(source, label, budget) - group.logical.keys()):
        place = source.locator.step("lvm-old", name)
        yield Artifact(place, "name", State.DELETED, 0, (), name, Role.NAME)


def _artifact(
    place: Locator, name: str, size: int, runs: tuple[Run, ...] | None, role: Role
) -> Artifact:
    return Artifact(place, "lvm", State.LIVE, size, runs or (), name, role)


def _structure(source: Source, label: lvm.Physical) -> Iterator[Artifact]:
    runs = [Run(label.label_at, SECTOR)]
    runs += [Run(one.at, SECTOR) for one in label.areas if one.at + SECTOR <= source.size]
    place = source.locator.step("lvm", "*label")
    size = sum(run.length for run in runs)
    yield Artifact(place, "lvm", State.LIVE, size, tuple(runs), role=Role.STRUCTURE)


PLUGIN = Format("lvm", Family.VOLUMES, _probe, open=_open)

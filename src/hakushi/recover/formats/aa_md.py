"""One member of a Linux md array. This name sorts before the file systems': a member whose
superblock lies at the end begins like a file system that it holds a part of.
"""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Family, Format
from hakushi.recover.grammar.md import superblock


def _probe(source: Source) -> bool:
    return superblock(source) is not None


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    block = superblock(source)
    if block is None:
        raise Malformed("no member of an array")
    budget.pay()
    if block.name:
        place = source.locator.step("md", "name")
        yield Artifact(place, "label", State.LIVE, 0, (), block.name, Role.LABEL)
    own = source.locator.step("md", "superblock")
    run = (Run(block.at, block.length),)
    yield Artifact(own, "md", State.LIVE, block.length, run, role=Role.STRUCTURE)
    size = min(block.used or block.holds, source.size - block.begins)
    if size <= 0:
        raise Malformed("a member without room for data")
    run = (Run(block.begins, size),)
    place = source.locator.step("md", "data")
    if block.mirror:
        yield Artifact(place, block.kind, State.LIVE, size, run, block.name, Role.VOLUME)
        return
    yield Artifact(place, block.kind, State.LIVE, size, run, block.name, Role.MEMBER)


PLUGIN = Format("md", Family.VOLUMES, _probe, open=_open)

"""RAR 4 and 5: header by header, each with its checksum, to the one that ends the archive.

Members that are stored are read and checked; the compression itself is not undone here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hakushi.model import Artifact, Damage, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar import rar as grammar
from hakushi.recover.grammar.rar import Member
from hakushi.recover.grammar.stream import follow


def probe(source: Source) -> bool:
    return grammar.version(source) is not None


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the header that ends the archive; stored members are checked, packed ones are not."""
    if not probe(source):
        return None
    packed: list[Member] = []
    found = follow(source, _walk(source, budget, packed))
    return replace(found, checked=not packed) if found else None


def _walk(source: Source, budget: Budget, packed: list[Member]) -> Iterator[int]:
    for block in grammar.blocks(source, budget):
        if isinstance(block, Member) and not block.directory:
            if not block.stored or block.encrypted:
                packed.append(block)
            elif block.end <= source.size and not grammar.sound(source, block, budget):
                raise Malformed("a stored member's checksum")
        yield min(block.end, source.size)


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Each member; those that are packed by name only, which is told as Damage once."""
    packed = 0
    flaw = ""
    try:
        for block in grammar.blocks(source, budget):
            if block.locked:
                locator = source.locator.step("rar", "encrypted")
                yield Artifact(locator, "rar", State.LIVE, 0, (), role=Role.ENCRYPTED)
                return
            if isinstance(block, Member) and not block.directory:
                packed += not block.stored and not block.encrypted
                yield _member(source, block, budget)
    except grammar.Broken as error:
        flaw = str(error)
    if packed:
        what = f"{packed} members are packed by RAR; what they hold was not looked into"
        yield Damage(source.locator.step("rar", "*"), what)
    if flaw:
        raise Malformed(flaw)


def _member(source: Source, one: Member, budget: Budget) -> Artifact:
    locator = source.locator.step("rar", one.at)
    told = Artifact(
        locator, "file", State.LIVE, 0, (), path=one.name or None, modified=one.modified or None
    )
    if one.encrypted:
        return replace(told, role=Role.ENCRYPTED, kind="rar member")
    if not one.stored:
        return replace(told, kind="rar member", complete=False)
    length = max(0, min(one.packed, source.size - one.data))
    sound = length == one.packed and grammar.sound(source, one, budget)
    return replace(told, size=length, runs=(Run(one.data, length),), complete=sound)


PLUGIN = Format(
    id="rar",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(grammar.MAGIC4), Magic(grammar.MAGIC5)),
    open=open_,
    measure=measure,
    extensions=("rar",),
)

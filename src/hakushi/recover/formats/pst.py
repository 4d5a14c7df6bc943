"""Outlook's stores (MS-PST), PST and OST: as large as their header tells, under its checksum.

Their words are read out of decoded blocks, not message by message.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hakushi.model import Artifact, Damage, Malformed, Source, State
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.cursor import Spent
from hakushi.recover.grammar.pst import Store, header
from hakushi.recover.grammar.stream import derive

_REST = "rest"


def probe(source: Source) -> bool:
    return header(source) is not None


def measure(source: Source, _budget: Budget) -> Measure | None:
    """As long as the header says. Pages and blocks are not held against it: never complete."""
    found = header(source)
    if found is None or not found.size:
        return None
    return Measure(min(found.size, source.size), complete=False, kind=found.kind)


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """What lies in several blocks, each by itself; all the rest as one."""
    store = Store(source, budget)
    for id, said in store.trees():
        size, flaw = _size(store.content(id))
        if size:
            locator = source.locator.step("pst", id)
            whole = not flaw and size == said
            yield Artifact(locator, "file", State.LIVE, size, complete=whole)
            if not whole:
                yield Damage(locator, flaw or f"{size} of {said} bytes")
    size, flaw = _size(store.rest())
    locator = source.locator.step("pst", _REST)
    yield Artifact(locator, "blocks", State.LIVE, size, complete=False)
    if flaw:
        yield Damage(locator, flaw)


def _size(pieces: Iterator[bytes]) -> tuple[int, str]:
    """How many bytes come, and what ends them."""
    size = 0
    try:
        for data in pieces:
            size += len(data)
    except Spent:
        raise
    except Malformed as error:
        return size, str(error)
    return size, ""


class _Last:
    """The store that was asked last: what it holds is asked for one after the other."""

    def __init__(self) -> None:
        self._held: tuple[Source, Store] | None = None

    def store(self, source: Source) -> Store:
        if self._held is None or self._held[0] is not source:
            self._held = source, Store(source, Budget())
        return self._held[1]


_last = _Last()


def member(source: Source, step: str) -> Source:
    store = _last.store(source)
    if step == _REST:
        return derive(store.rest, source.locator.step("pst", step))
    if not step.isdecimal() or len(step) > 20:
        raise Malformed(f"the store has no block {step!r}")
    return derive(partial(store.content, int(step)), source.locator.step("pst", step))


PLUGIN = Format(
    id="pst",
    family=Family.DOCUMENT,
    probe=probe,
    narrows=True,
    magics=(Magic(b"!BDN"),),
    open=open_,
    member=member,
    measure=measure,
    extensions=("pst", "ost"),
)

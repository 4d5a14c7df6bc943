"""Files that are one content in compressed members, one behind the other: gzip, bzip2, xz."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from hakushi.model import Artifact, Damage, Extent, Malformed, Source, State
from hakushi.recover import Measure
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.stream import derive, follow


class Member(Protocol):
    """One member; ``end`` is how far it was read, at last the offset behind it."""

    end: int

    def run(self, budget: Budget) -> Iterator[bytes]: ...


class Chain:
    """The functions of a format whose ``member`` reads one member at an offset.

    ``magic``: how each member begins.
    """

    def __init__(
        self, id: str, magic: bytes, member: Callable[[Source, int, Budget], Member]
    ) -> None:
        self._id = id
        self._magic = magic
        self._member = member

    def _follows(self, source: Source, at: int) -> bool:
        return source.read(Extent(at, len(self._magic))) == self._magic

    def measure(self, source: Source, budget: Budget) -> Measure | None:
        """To the end of the last member; where one breaks, to the break."""
        return follow(source, self._walk(source, budget)) if self._follows(source, 0) else None

    def _walk(self, source: Source, budget: Budget) -> Iterator[int]:
        at = members = 0
        while not at or self._follows(source, at):
            try:
                member = self._member(source, at, budget)
                for _ in member.run(budget):
                    yield max(at, member.end)
            except Spent:
                raise
            except Malformed:
                # Whatever stands behind one whole member may be another file's.
                if members != 1:
                    raise
                break
            at, members = member.end, members + 1
            yield at
        yield at

    def content(self, source: Source, budget: Budget) -> Iterator[bytes]:
        """The bytes of all members."""
        at = 0
        while not at or self._follows(source, at):
            member = self._member(source, at, budget)
            yield from member.run(budget)
            at = member.end

    def open(self, source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
        """Its one content, as far as it unpacks."""
        first, size, flaw = self._member(source, 0, budget), 0, ""
        try:
            for data in self.content(source, budget):
                size += len(data)
        except Spent:
            raise
        except Malformed as error:
            flaw = str(error)
        locator = source.locator.step(self._id, 0)
        name: bytes = getattr(first, "name", b"")
        yield Artifact(
            locator,
            "file",
            State.LIVE,
            size,
            path=name.decode("utf-8", "surrogateescape") or None,
            complete=not flaw,
            modified=getattr(first, "modified", 0) or None,
        )
        if flaw:
            yield Damage(locator, flaw)

    def member(self, source: Source, step: str) -> Source:
        """The content as a Source."""
        if step != "0":
            raise Malformed(f"{self._id} has no content {step!r}")
        return derive(lambda: self.content(source, Budget()), source.locator.step(self._id, 0))

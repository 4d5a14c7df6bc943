"""HFS+ and HFSX volumes."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.hfs import header, layout
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        header(Cursor(source, page=512))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from files(source, budget, layout(source))


def _member(source: Source, value: str) -> Source:
    return member(source, "hfs", "hfs", value)


PLUGIN = Format("hfs", Family.FILESYSTEM, _probe, open=_open, member=_member)

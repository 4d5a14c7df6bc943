"""ISO 9660 discs and their images, by Joliet's names where it has them."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.optical import layout, volume
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        volume(Cursor(source, page=2048))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from files(source, budget, layout(source))


def _member(source: Source, value: str) -> Source:
    return member(source, "iso9660", "iso9660", value)


PLUGIN = Format("iso9660", Family.FILESYSTEM, _probe, open=_open, member=_member)

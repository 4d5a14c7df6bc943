"""FAT12, FAT16 and FAT32 volumes."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.fat import boot, layout
from hakushi.recover.filesystem.fat_chains import Volume, deleted, rechained
from hakushi.recover.filesystem.fat_high import is_high, raised
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        boot(Cursor(source, page=512))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    said = layout(source, budget)
    geometry = boot(Cursor(source))
    volume = Volume(source, geometry, said.allocated)
    gone: list[Artifact] = []
    high = False
    for one in files(source, budget, said):
        if isinstance(one, Artifact) and deleted(one):
            gone.append(one)
        else:
            high = high or (isinstance(one, Artifact) and is_high(volume, one))
            yield one
    if high:
        gone = raised(volume, gone, said.claimed, budget)
    yield from rechained(volume, gone, budget)


def _member(source: Source, value: str) -> Source:
    return member(source, "fat", "fat", value)


PLUGIN = Format("fat", Family.FILESYSTEM, _probe, open=_open, member=_member)

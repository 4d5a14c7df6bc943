"""exFAT volumes."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.exfat import boot, follow, layout
from hakushi.recover.filesystem.fat_chains import Volume, deleted, rechained
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        boot(Cursor(source, page=512))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    said = layout(source, budget)
    gone: list[Artifact] = []
    for one in files(source, budget, said):
        if isinstance(one, Artifact) and deleted(one):
            gone.append(one)
        else:
            yield one
    volume = Volume(source, boot(Cursor(source)), said.allocated, follow(source))
    yield from rechained(volume, gone, budget)


def _member(source: Source, value: str) -> Source:
    return member(source, "exfat", "exfat", value)


PLUGIN = Format("exfat", Family.FILESYSTEM, _probe, open=_open, member=_member)

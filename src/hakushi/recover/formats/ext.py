"""ext2, ext3 and ext4."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.ext import layout
from hakushi.recover.filesystem.ext_disk import superblock
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        superblock(Cursor(source, page=1024))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from files(source, budget, layout(source, budget))


def _member(source: Source, value: str) -> Source:
    return member(source, "ext", "ext", value)


PLUGIN = Format("ext", Family.FILESYSTEM, _probe, open=_open, member=_member)

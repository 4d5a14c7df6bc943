"""XFS, versions 4 and 5."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem.xfs import files
from hakushi.recover.filesystem.xfs_disk import superblock


def _probe(source: Source) -> bool:
    try:
        superblock(Cursor(source, page=512))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from files(source, budget)


PLUGIN = Format("xfs", Family.FILESYSTEM, _probe, open=_open)

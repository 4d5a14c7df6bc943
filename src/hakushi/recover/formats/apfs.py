"""APFS containers, with their volumes and snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem.apfs import files, member
from hakushi.recover.filesystem.apfs_disk import container


def _probe(source: Source) -> bool:
    try:
        container(Cursor(source, page=4096), Budget())
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from files(source, budget)


PLUGIN = Format("apfs", Family.FILESYSTEM, _probe, open=_open, member=member)

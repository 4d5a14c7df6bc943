"""btrfs on one device, or what of it lies on this one."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem.btrfs import files, member
from hakushi.recover.filesystem.btrfs_disk import superblock


def _probe(source: Source) -> bool:
    try:
        superblock(Cursor(source, page=4096))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    yield from files(source, budget)


PLUGIN = Format("btrfs", Family.FILESYSTEM, _probe, open=_open, member=member)

"""NTFS volumes, with what their shadow copies still have."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.ntfs import boot, layout
from hakushi.recover.filesystem.ntfs_before import Before, opened
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        boot(Cursor(source, page=512))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    before = Before(source, budget)
    for one in files(source, budget, layout(source, budget)):
        yield one
        before.saw(one)
    yield from before.files(layout)


def _member(source: Source, value: str) -> Source:
    if value.startswith("shadow"):
        copy, _, inner = value.removeprefix("shadow").partition("-")
        return member(
            opened(source, copy), "ntfs", "ntfs", inner, source.locator.step("ntfs", value)
        )
    return member(source, "ntfs", "ntfs", value)


PLUGIN = Format("ntfs", Family.FILESYSTEM, _probe, open=_open, member=_member)

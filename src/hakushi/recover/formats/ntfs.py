"""NTFS volumes, with what their shadow copies still have and what their journals still name."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.filesystem import files
from hakushi.recover.filesystem.ntfs import boot, layout
from hakushi.recover.filesystem.ntfs_before import Before, opened
from hakushi.recover.filesystem.ntfs_journal import Journals
from hakushi.recover.filesystem.streams import member


def _probe(source: Source) -> bool:
    try:
        boot(Cursor(source, page=512))
    except Malformed:
        return False
    return True


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    before, journals = Before(source, budget), Journals(source, budget)
    said = layout(source, budget)
    if said.log is not None:
        journals.pages.append((said.log, False))
    for one in files(source, budget, said):
        yield one
        before.saw(one)
        journals.saw(one)
    yield from before.files(layout)
    yield from journals.names()


def _member(source: Source, value: str) -> Source:
    if value.startswith("shadow"):
        copy, _, inner = value.removeprefix("shadow").partition("-")
        return member(
            opened(source, copy), "ntfs", "ntfs", inner, source.locator.step("ntfs", value)
        )
    return member(source, "ntfs", "ntfs", value)


PLUGIN = Format("ntfs", Family.FILESYSTEM, _probe, open=_open, member=_member)

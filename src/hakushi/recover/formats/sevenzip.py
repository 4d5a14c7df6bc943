"""7z archives: the header at the start says where the one at the end is; folders are unpacked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from hakushi.media import Window
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Source, State
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar import sevenzip as grammar
from hakushi.recover.grammar.sevenzip import MAGIC, Archive, File
from hakushi.recover.grammar.stream import derive, follow


def probe(source: Source) -> bool:
    try:
        return grammar.extent(source).end <= source.size
    except Malformed:
        return False


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the end of the header at the end; complete where every folder unpacks to its checksum."""
    if source.read(Extent(0, 6)) != MAGIC:
        return None
    return follow(source, _walk(source, budget))


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    end = grammar.extent(source).end
    yield min(end, source.size)
    header = grammar.header(source)
    yield end
    archive = grammar.parse(header, source, budget)
    for index in range(len(archive.folders)):
        _, flaw = grammar.unpacked(source, archive, index, budget)
        if flaw:
            raise Malformed(flaw)


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Each file, as far as its folder unpacks; one whose key is unknown as encrypted."""
    if not grammar.extent(source).length:
        return
    try:
        archive = grammar.parse(grammar.header(source), source, budget)
    except Malformed as error:
        if "encrypted" not in str(error):
            raise
        locator = source.locator.step("7z", "encrypted")
        yield Artifact(locator, "7z", State.LIVE, 0, (), role=Role.ENCRYPTED)
        return
    files: dict[int, list[tuple[int, File]]] = {}
    for number, one in enumerate(archive.files):
        if one.folder >= 0 and one.size:
            files.setdefault(one.folder, []).append((number, one))
    for index, held in files.items():
        yield from _folder(source, archive, index, held, budget)


def _folder(
    source: Source, archive: Archive, index: int, held: list[tuple[int, File]], budget: Budget
) -> Iterator[Artifact | Damage]:
    folder = archive.folders[index]
    made, flaw = (0, "") if folder.encrypted else grammar.unpacked(source, archive, index, budget)
    for number, one in held:
        locator = source.locator.step("7z", number)
        size = max(0, min(one.size, made - one.offset))
        artifact = Artifact(
            locator, "file", State.LIVE, one.size, path=one.name or None, modified=one.modified
        )
        if folder.encrypted:
            yield replace(artifact, role=Role.ENCRYPTED, kind="7z member")
            continue
        whole = not flaw and size == one.size
        yield replace(artifact, size=size, complete=whole)
        if not whole:
            yield Damage(locator, flaw or "the folder breaks off")


class _Last:
    """The archive that was asked last: files of one folder are asked for one after the other."""

    def __init__(self) -> None:
        self._held: tuple[Source, Archive, dict[int, Source]] | None = None

    def content(self, source: Source, number: int) -> tuple[File, Source]:
        held = self._held
        if held is None or held[0] is not source:
            held = (source, grammar.parse(grammar.header(source), source, Budget()), {})
            self._held = held
        _, archive, folders = held
        if not 0 <= number < len(archive.files) or archive.files[number].folder < 0:
            raise Malformed(f"the 7z archive has no file {number}")
        one = archive.files[number]
        if one.folder not in folders:
            folders.clear()
            unpack = partial(grammar.unpack, source, archive.folders[one.folder], Budget())
            folders[one.folder] = derive(unpack, source.locator.step("7z", f"folder {one.folder}"))
        return one, folders[one.folder]


_last = _Last()


def member(source: Source, step: str) -> Source:
    if not step.isdecimal() or len(step) > 9:
        raise Malformed(f"the 7z archive has no file {step!r}")
    one, folder = _last.content(source, int(step))
    return Window(folder, Extent(one.offset, one.size), source.locator.step("7z", step))


PLUGIN = Format(
    id="7z",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(MAGIC),),
    open=open_,
    member=member,
    measure=measure,
    summed=True,
    extensions=("7z",),
)

"""OLE2 compound files: Word, Excel and PowerPoint to 2003, Outlook messages, and others.

Its size is what its allocation table covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Source, State, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar import biff, ole_text
from hakushi.recover.grammar.cfb import MAGIC, CompoundFile, Entry
from hakushi.recover.grammar.stream import derive, follow

_LARGEST = 256 << 20
_KINDS = {
    "WordDocument": "doc",
    "Workbook": "xls",
    "Book": "xls",
    "PowerPoint Document": "ppt",
    "__properties_version1.0": "msg",
    "EncryptedPackage": "encrypted",
    "VisioDocument": "vsd",
    "DocumentText": "jtd",
}
_PROPERTIES = ("\5SummaryInformation", "\5DocumentSummaryInformation")
_ALWAYS = frozenset({*_PROPERTIES, "\1CompObj", "\1Ole", "\3ObjInfo"})
_TOLD = {
    "doc": frozenset({"WordDocument", "0Table", "1Table"}),
    "xls": frozenset({"Workbook", "Book"}),
    "ppt": frozenset({"PowerPoint Document", "Current User"}),
    "msg": frozenset({"__properties_version1.0"}),
}
"""Streams at the top that `text` tells of, by what the file is."""


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 32))
    return head[:8] == MAGIC and head[26:32] in {b"\3\0\xfe\xff\x09\0", b"\4\0\xfe\xff\x0c\0"}


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the last sector in use; complete where the table bears itself and the directory out."""
    if not probe(source):
        return None
    kinds: list[str] = []
    found = follow(source, _walk(source, budget, kinds))
    return replace(found, kind=kinds[0] if kinds else "ole") if found else None


def _walk(source: Source, budget: Budget, kinds: list[str]) -> Iterator[int]:
    file = CompoundFile(source, budget)
    size = file.size
    yield min(size, source.size)
    entries = file.entries()
    kinds.append(_kind(entries))
    # The last sector of some files is cut to what is used of it.
    if source.size < size - file.sector + 1:
        raise Short("the last sectors are missing")
    file.check()
    yield min(size, source.size)
    for entry in entries:
        if sum(1 for _ in file.pieces(entry)) == 0 and entry.size:
            raise Malformed("a stream without sectors")


def _kind(entries: list[Entry]) -> str:
    names = {entry.path[0] for entry in entries}
    return next((kind for name, kind in _KINDS.items() if name in names), "ole")


def _locked(file: CompoundFile, streams: dict[str, Entry]) -> bool:
    """Whether a password hides the words."""
    if "EncryptedPackage" in streams:
        return True
    if "WordDocument" in streams:
        return ole_text.word_encrypted(next(file.pieces(streams["WordDocument"]), b""))
    book = streams.get("Workbook") or streams.get("Book")
    try:
        return book is not None and biff.encrypted(file.read(book, _LARGEST)[: 1 << 16])
    except Spent:
        raise
    except Malformed:
        return False


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Streams that `text` does not tell of; the document itself, where it is encrypted."""
    file = CompoundFile(source, budget)
    entries = file.entries()
    streams = {entry.path[0]: entry for entry in entries if len(entry.path) == 1}
    kind = _kind(entries)
    if _locked(file, streams):
        locator = source.locator.step("ole", "encrypted")
        yield Artifact(locator, kind, State.LIVE, 0, (), role=Role.ENCRYPTED)
        return
    for entry in entries:
        if not entry.size or _covered(kind, entry):
            continue
        locator, size, flaw = source.locator.step("ole", entry.id), 0, ""
        try:
            for data in file.pieces(entry):
                size += len(data)
        except Spent:
            raise
        except Malformed as error:
            flaw = str(error)
        path = "/".join(entry.path)
        yield Artifact(locator, "file", State.LIVE, size, path=path, complete=not flaw)
        if flaw:
            yield Damage(locator, flaw)


def _covered(kind: str, entry: Entry) -> bool:
    """Whether `text` tells of the stream; a workbook inside a letter is a stream of its own."""
    if len(entry.path) == 1 and entry.name in _ALWAYS | _TOLD.get(kind, frozenset()):
        return True
    return entry.name in {"\1CompObj", "\1Ole", "\3ObjInfo"} or _told_as_mail(kind, entry)


def _told_as_mail(kind: str, entry: Entry) -> bool:
    """A string property of an Outlook message, or its body as a page."""
    if kind != "msg" or entry.name == "__properties_version1.0":
        return kind == "msg"
    tag = entry.name[-8:].upper()
    return tag[4:] in {"001F", "001E"} or tag == "10130102"


def member(source: Source, step: str) -> Source:
    file = CompoundFile(source, Budget())
    for entry in file.entries():
        if str(entry.id) == step:
            return derive(partial(file.pieces, entry), source.locator.step("ole", step))
    raise Malformed(f"the compound file has no stream {step!r}")


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """The words of the document, then its properties."""
    file = CompoundFile(source, budget)
    entries = file.entries()
    streams = {entry.path[0]: entry for entry in entries if len(entry.path) == 1}
    if _locked(file, streams):
        return
    kind = _kind(entries)
    if kind == "doc":
        yield from ole_text.word(streams, file)
    elif kind == "xls":
        book = streams.get("Workbook") or streams["Book"]
        yield from biff.texts(file.read(book, _LARGEST), budget)
    elif kind == "ppt":
        data = file.read(streams["PowerPoint Document"], _LARGEST)
        yield from ole_text.powerpoint(data, budget)
    elif kind == "msg":
        yield from ole_text.outlook(entries, file, budget)
    for name in _PROPERTIES:
        if name in streams:
            yield from ole_text.properties(file.read(streams[name], _LARGEST), name[1:])


PLUGIN = Format(
    id="ole",
    family=Family.DOCUMENT,
    probe=probe,
    narrows=True,
    magics=(Magic(MAGIC),),
    open=open_,
    member=member,
    measure=measure,
    text=text,
    extensions=("doc", "xls", "ppt", "msg", "jtd", "vsd"),
)

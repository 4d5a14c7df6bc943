"""ZIP (APPNOTE 6.3.10), and the office documents that are one: OOXML, ODF, EPUB.

Measured member by member, each unpacked and checked, through the central directory to its end
record.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import gmtime

from hakushi.media import Memory, Window
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Run, Source, State, Text
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar import jpeg, office
from hakushi.recover.grammar import zip as grammar
from hakushi.recover.grammar.stream import Remembered, Torn, derive, find, follow, inflates_on
from hakushi.recover.grammar.zip import CENTRAL, END, END64, LOCAL, LOCATOR64, Entry

_SEARCH = 256 << 20
_TRIES = 64
_LARGEST_PICTURE = 32 << 20

_BEFORE = Remembered[dict[int, bytes]]()

_BY_MIMETYPE = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/vnd.oasis.opendocument.graphics": "odg",
    b"application/epub+zip": "epub",
}
_BY_FOLDER = {b"word/": "docx", b"xl/": "xlsx", b"ppt/": "pptx", b"visio/": "vsdx"}


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 30))
    if head.startswith(END):
        return len(head) >= 22
    return head.startswith(LOCAL) and len(head) == 30 and head[4] < 64


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the end record; where a member is broken, still there if the directory can be found."""
    if not probe(source):
        return None
    seen: dict[int, bytes] = {}
    found = follow(source, _walk(source, budget, seen))
    if found is None:
        return None
    if found.more and seen:
        found = _cut(source, found, grammar.local(Cursor(source), max(seen)), budget)
    return replace(found, kind=kind_of(source, list(seen.values())))


def _cut(source: Source, found: Measure, entry: Entry, budget: Budget) -> Measure:
    """What ends amid a member: if that is a picture, it may be broken before."""
    drawn = _drawn(source, entry, budget)
    if drawn is None or not drawn[1]:
        return replace(found, sound=source.size)
    return replace(found, more=False, broken=True, sound=drawn[0])


def _members(source: Source, budget: Budget) -> Iterator[Entry]:
    """The members by their headers and the sizes that these say, as far as they can be followed."""
    cursor, at = Cursor(source), 0
    while True:
        budget.pay()
        try:
            entry = grammar.local(cursor, at)
        except Malformed:
            return
        yield entry
        at = entry.data + entry.packed


def seams(source: Source, budget: Budget, places: Sequence[int]) -> list[float]:
    """Pictures in it go on or not (`Format.seams`)."""
    apart = dict[int, float]()
    for entry in _members(source, budget):
        inside = [place for place in places if entry.data < place < entry.data + entry.packed]
        picture = _Picture.of(source, entry, budget) if inside else None
        if picture is not None:
            drawn = [picture.drawn(place) for place in inside]
            apart.update(zip(inside, jpeg.seams(picture.source, budget, drawn), strict=True))
    return [apart.get(place, 1.0) for place in places]


def goes_on(source: Source, budget: Budget) -> Callable[[bytes], float] | None:
    """For an archive that is cut amid a member (`Format.goes_on`)."""

    def picture(held: Source) -> Callable[[bytes], float] | None:
        return jpeg.goes_on(held, budget) if jpeg.begins(held) else None

    for entry in _members(source, budget):
        if entry.data + entry.packed < source.size:
            continue
        if grammar.stored(entry):
            return picture(Window(source, Extent(entry.data, entry.packed), source.locator))
        return inflates_on(source, entry.data, False, picture) if grammar.deflated(entry) else None
    return None


def kind_of(source: Source, names: list[bytes]) -> str:
    """docx, xlsx, pptx, odt … by the names of the members; else zip."""
    if names and names[0] == b"mimetype":
        head = source.read(Extent(0, 256))
        for mimetype, kind in _BY_MIMETYPE.items():
            if head[38:].startswith(mimetype):
                return kind
    if b"[Content_Types].xml" in names:
        for folder, kind in _BY_FOLDER.items():
            if any(name.startswith(folder) for name in names):
                return kind
    return "zip"


def _walk(source: Source, budget: Budget, seen: dict[int, bytes]) -> Iterator[int]:
    cursor, at = Cursor(source), 0
    entry = None
    if known := _BEFORE.start(source):
        at = known[0]
        seen.update(known[1])
        yield at
    try:
        while cursor.take(at, 4) == LOCAL:
            budget.pay()
            _BEFORE.keep(source, at, seen.copy)
            entry = grammar.local(cursor, at)
            seen[at] = entry.name
            yield min(entry.data, source.size)
            at = grammar.data_end(source, entry, budget)
            yield at
            entry = None
        yield _directory(cursor, at, seen, budget)
    except (Spent, Short):
        raise
    except Malformed as error:
        torn = error.sound if isinstance(error, Torn) else at
        sound = torn if entry is None else _sound(source, entry, torn, budget)
        end = _search(cursor, at, budget) if at or seen else None
        if sound or end is not None:
            raise Torn("a member does not check", max(sound, end or 0), sound) from None
        raise


def _sound(source: Source, entry: Entry, torn: int, budget: Budget) -> int:
    """How far a member is sound that does not check or is ``torn``: a picture may tell more."""
    drawn = _drawn(source, entry, budget)
    return drawn[0] if drawn is not None else max(torn, entry.data)


def _drawn(source: Source, entry: Entry, budget: Budget) -> tuple[int, bool] | None:
    """Of a member that is a picture: up to where it is sound, and whether it is broken there."""
    picture = _Picture.of(source, entry, budget)
    found = follow(picture.source, jpeg.walk(picture.source, budget)) if picture else None
    return (picture.packed(found.length), found.broken) if picture and found else None


@dataclass(frozen=True, slots=True)
class _Picture:
    """A member that is a JPEG picture, as far as it can be unpacked."""

    source: Source
    steps: tuple[tuple[int, int], ...]
    """(offset in the archive, offset in the picture) of places that belong together."""

    @classmethod
    def of(cls, source: Source, entry: Entry, budget: Budget) -> _Picture | None:
        parts, steps, size = list[bytes](), [(entry.data, 0)], 0
        try:
            unpacker = grammar.unpacked(source, entry)
            for data in unpacker.run(budget):
                if not size and not data.startswith(b"\xff\xd8\xff"):
                    return None
                parts.append(data)
                size += len(data)
                steps.append((unpacker.fed, size))
                if size > _LARGEST_PICTURE:
                    break
        except Spent:
            raise
        except Malformed:
            pass
        memory = Memory(b"".join(parts), source.locator)
        return cls(memory, tuple(steps)) if jpeg.begins(memory) else None

    def drawn(self, place: int) -> int:
        """The place in the picture of one in the archive."""
        return _between(self.steps, place)

    def packed(self, place: int) -> int:
        """The place in the archive of one in the picture."""
        return _between([(drawn, packed) for packed, drawn in self.steps], place)


def _between(steps: Sequence[tuple[int, int]], place: int) -> int:
    """On the line through the two steps around a place; what hardly packs is even."""
    index = min(max(1, bisect_left(steps, (place, 0))), len(steps) - 1)
    (low, start), (high, end) = steps[index - 1], steps[index]
    return start + (place - low) * (end - start) // max(1, high - low)


def _directory(cursor: Cursor, start: int, seen: dict[int, bytes], budget: Budget) -> int:
    """Behind the end record, where the directory at ``start`` tells of all that was seen."""
    at, told = start, 0
    while cursor.take(at, 4) == CENTRAL:
        budget.pay()
        entry, at = grammar.central(cursor, at)
        if seen.get(entry.header) != entry.name:
            raise Malformed("the central directory tells of another member")
        told += 1
    if cursor.has(at, END64):
        at += 12 + cursor.u64(at + 4)
    if cursor.has(at, LOCATOR64):
        at += 20
    count, directory, end = grammar.ending(cursor, at)
    if (count, directory) != (told, start) or told != len(seen):
        raise Malformed("the central directory does not tell of every member")
    return end


def _search(cursor: Cursor, at: int, budget: Budget) -> int | None:
    """End of the file by an end record further on whose directory stands where it says."""
    for _ in range(_TRIES):
        at = find(cursor.source, END, at, budget, at + _SEARCH)
        if at < 0:
            return None
        try:
            _, directory, end = grammar.ending(cursor, at)
            length = cursor.u32(at + 12)
            if directory + length == at and cursor.has(directory, CENTRAL):
                return end
        except Spent:
            raise
        except Malformed:
            pass
        at += 4
    return None


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Each member that is a file, as far as it unpacks."""
    entries, flaw = grammar.entries(source, budget)
    if flaw:
        yield Damage(source.locator.step("zip", "*"), flaw)
    kind = kind_of(source, [entry.name for entry in entries])
    for entry in entries:
        if not entry.directory and (entry.encrypted or not office.covered(kind, entry.name)):
            yield from _member(source, entry, budget)


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """The text of an office document; a plain archive has none of its own."""
    entries, _ = grammar.entries(source, budget)
    kind = kind_of(source, [entry.name for entry in entries])
    if kind in office.OFFICE:
        yield from office.texts(source, entries, kind, budget)


def _member(source: Source, entry: Entry, budget: Budget) -> Iterator[Artifact | Damage]:
    locator = source.locator.step("zip", entry.header)
    one = Artifact(
        locator, "file", State.LIVE, entry.size, path=entry.path, modified=_seconds(entry.modified)
    )
    if entry.encrypted:
        yield replace(one, role=Role.ENCRYPTED, kind="zip member")
        return
    size, flaw = 0, ""
    try:
        for data in grammar.content(source, entry, budget):
            size += len(data)
    except Spent:
        raise
    except Malformed as error:
        flaw = str(error)
    runs = (Run(entry.data, size),) if grammar.stored(entry) and size else None
    yield replace(one, size=size, runs=runs, complete=not flaw)
    if flaw:
        yield Damage(locator, flaw)


def _seconds(stamp: int) -> int | None:
    """A DOS date and time as seconds since 1970, taken as UTC; None where it is no date."""
    from calendar import timegm

    date, clock = stamp >> 16, stamp & 0xFFFF
    if not 1 <= (date >> 5 & 15) <= 12 or not date & 31:
        return None
    parts = (1980 + (date >> 9), date >> 5 & 15, date & 31)
    seconds = timegm((*parts, clock >> 11, clock >> 5 & 63, (clock & 31) * 2, 0, 0, 0))
    return seconds if gmtime(seconds).tm_mday == date & 31 else None


def member(source: Source, step: str) -> Source:
    if not step.isdecimal() or len(step) > 20:
        raise Malformed(f"zip has no member {step!r}")
    entry = grammar.one(source, int(step))
    if entry.encrypted:
        raise Malformed("the member is encrypted")
    locator = source.locator.step("zip", step)
    return derive(lambda: grammar.content(source, entry, Budget()), locator)


PLUGIN = Format(
    id="zip",
    family=Family.ARCHIVE,
    probe=probe,
    narrows=True,
    magics=(Magic(LOCAL), Magic(END + b"\0\0\0\0\0\0\0\0")),
    open=open_,
    member=member,
    measure=measure,
    seams=seams,
    goes_on=goes_on,
    text=text,
    summed=True,
    extensions=("zip", "docx", "xlsx", "pptx", "odt", "ods", "odp", "epub", "jar"),
)

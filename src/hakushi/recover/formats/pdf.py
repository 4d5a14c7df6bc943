"""PDF (ISO 32000-2): walks the objects in file order up to the %%EOF that its own startxref proves.

Incremental updates follow one another (7.5.6); a linearized file (Annex F) has a first %%EOF with
``startxref 0`` that ends nothing. Deflated streams and JPEG pictures are decoded, so that bytes
which a newer file wrote over do not pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hakushi.media import Memory, Window
from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Source, State
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short, Spent
from hakushi.recover.grammar import jpeg
from hakushi.recover.grammar.pdf import Document, Stream
from hakushi.recover.grammar.pdf_picture import picture
from hakushi.recover.grammar.pdf_text import texts
from hakushi.recover.grammar.stream import (
    Remembered,
    Torn,
    exhaust,
    find,
    follow,
    inflates,
    inflates_on,
)

_BEFORE = Remembered["_Seen"]()

_HEADER = re.compile(rb"%PDF-[12]\.\d")
_SKIP = re.compile(rb"(?:[\t\n\f\r ]|%(?!%EOF)[^\r\n]*[\r\n])*")
_OBJECT = re.compile(rb"(\d{1,10})[\t\n\f\r ]+(\d{1,5})[\t\n\f\r ]+obj(?![a-z])")
_END = re.compile(rb"startxref[\t\n\f\r ]+(\d{1,11})[\t\n\f\r ]+(?:%[^%\r\n][^\r\n]*\s+)?%%EOF")
_BODY = re.compile(rb"stream(\r\n|\n|\r)|endobj")
_LENGTH = re.compile(rb"/Length[\t\n\f\r ]+(\d{1,10})(?![\t\n\f\r ]+\d+[\t\n\f\r ]+R)(?!\d)")
_ELSEWHERE = re.compile(rb"/Length[\t\n\f\r ]+(\d{1,10})[\t\n\f\r ]+\d+[\t\n\f\r ]+R")
_FLATE = re.compile(rb"/Filter[\t\n\f\r ]*\[?[\t\n\f\r ]*/(?:FlateDecode|Fl)\b")
_JPEG = re.compile(rb"/Filter[\t\n\f\r ]*\[?[\t\n\f\r ]*/(?:DCTDecode|DCT)\b")

_LARGEST_DICTIONARY = 4 << 20
_LARGEST_TABLE = 64 << 20
_LARGEST_STREAM = 1 << 30
_NEAR = 1024
"""A length that is wrong is so by a few bytes."""

_TORN = 8.0
"""How far apart pieces are where what is deflated breaks."""

_LATE = 8192
"""Bytes behind a place in which what does not belong there is noticed."""


@dataclass(slots=True)
class _Seen:
    sections: set[int] = field(default_factory=set)
    """Offsets at which a startxref may point: objects and xref tables."""
    lengths: dict[int, int] = field(default_factory=dict)
    """Object number -> the length that a stream was found to have, which it must say."""
    encrypted: bool = False
    flawed: int | None = None
    """Where the first stream breaks that does not decode."""
    streams: list[tuple[bytes, int]] = field(default_factory=list)
    """The dictionary of each stream, and where its bytes begin."""

    def take(self, other: _Seen) -> None:
        """Makes it one that knows what another knows."""
        self.sections = set(other.sections)
        self.lengths = dict(other.lengths)
        self.streams = list(other.streams)
        self.encrypted, self.flawed = other.encrypted, other.flawed

    def copy(self) -> _Seen:
        one = _Seen()
        one.take(self)
        return one


def probe(source: Source) -> bool:
    return _HEADER.match(source.read(Extent(0, 8))) is not None


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the last %%EOF that belongs to it; to the last whole object if one is broken."""
    found = follow(source, _walk(source, budget)) if probe(source) else None
    return replace(found, sound=source.size) if found and found.more else found


def seams(source: Source, budget: Budget, places: Sequence[int]) -> list[float]:
    """Pictures go on or not; what is deflated does not where it breaks (`Format.seams`)."""
    seen, apart = _Seen(), dict[int, float]()
    exhaust(_walk(source, budget, seen))
    starts = [start for _, start in seen.streams]
    ends = [*starts[1:], source.size][: len(starts)]
    for (dictionary, start), end in zip(seen.streams, ends, strict=True):
        inside = [place for place in places if start < place < end]
        if inside and _FLATE.search(dictionary):
            torn = inflates(source, start, source.size, budget)
            near = [] if torn is None else [one for one in inside if one <= torn < one + _LATE]
            apart.update(dict.fromkeys(near[-1:], _TORN))
        elif inside and _JPEG.search(dictionary):
            picture = Window(source, Extent(start, source.size - start), source.locator)
            found = jpeg.seams(picture, budget, [place - start for place in inside])
            apart.update(zip(inside, found, strict=True))
    return [apart.get(place, 1.0) for place in places]


def goes_on(source: Source, budget: Budget) -> Callable[[bytes], float] | None:
    """For a document that is cut amid a stream (`Format.goes_on`)."""
    seen = _Seen()
    exhaust(_walk(source, budget, seen))
    dictionary, start = seen.streams[-1] if seen.streams else (b"", 0)
    said = _LENGTH.search(dictionary)
    if said is None or start + int(said[1]) <= source.size:
        return None
    if _FLATE.search(dictionary):
        return inflates_on(source, start, True, lambda _held: None)
    picture = Window(source, Extent(start, source.size - start), source.locator)
    return jpeg.goes_on(picture, budget) if _JPEG.search(dictionary) else None


def _walk(source: Source, budget: Budget, seen: _Seen | None = None) -> Iterator[int]:
    cursor, seen, at, end = Cursor(source), seen or _Seen(), 8, 0
    if known := _BEFORE.start(source):
        at, state = known
        seen.take(state)
        yield at
    while True:
        budget.pay()
        if not end:
            _BEFORE.keep(source, at, seen.copy)
        try:
            at, ends = _next(cursor, seen, at, budget)
        except Malformed:
            # Whole objects behind an end are an update that was torn.
            if not end or at > end:
                raise
            break
        if ends:
            end = at
        if ends or not end:
            yield at
    yield end
    if seen.flawed is not None and not seen.encrypted:
        raise Torn("a stream does not decode", end, seen.flawed)


def _next(cursor: Cursor, seen: _Seen, at: int, budget: Budget) -> tuple[int, bool]:
    """(offset behind the next object or section, whether the file may end there)."""
    at = _skip(cursor, at)
    head = _ahead(cursor, at, 128)
    if match := _OBJECT.match(head):
        seen.sections.add(at)
        return _object(cursor, seen, int(match[1]), at + match.end(), budget), False
    if head.startswith(b"xref"):
        seen.sections.add(at)
        behind = find(cursor.source, b"startxref", at, budget, at + _LARGEST_TABLE)
        if behind < 0:
            raise _broken(cursor, at + _LARGEST_TABLE, "a cross-reference table without an end")
        if b"/Encrypt" in _ahead(cursor, max(at, behind - 4096), min(4096, behind - at)):
            seen.encrypted = True
        return behind, False
    if match := _END.match(head):
        behind = at + match.end()
        eol = re.match(rb"\r?\n|\r", _ahead(cursor, behind, 2))
        behind += eol.end() if eol else 0
        return behind, int(match[1]) in seen.sections
    raise _broken(cursor, at + 128, "neither an object nor a cross-reference")


def _broken(cursor: Cursor, needed: int, why: str) -> Malformed:
    return Short(why) if needed > cursor.size else Malformed(why)


def _skip(cursor: Cursor, at: int) -> int:
    """Behind white space and comments; another file's header is none."""
    for _ in range(64):
        head = _ahead(cursor, at, 512)
        match = _SKIP.match(head)
        step = match.end() if match else 0
        if b"%PDF-" in head[:step]:
            raise Malformed("another PDF begins")
        at += step
        if step < len(head) or not head:
            return at
    raise Malformed("nothing but white space")


def _ahead(cursor: Cursor, at: int, length: int) -> bytes:
    """Up to ``length`` bytes, fewer at the end."""
    return cursor.take(at, max(0, min(length, cursor.size - at)))


def _object(cursor: Cursor, seen: _Seen, number: int, at: int, budget: Budget) -> int:
    """Behind the endobj of an object whose body starts at ``at``."""
    reach = 1024
    while True:
        budget.pay()
        body = _ahead(cursor, at, reach)
        match = _BODY.search(body)
        if match:
            break
        if at + reach >= cursor.size:
            raise Short("an object without an end")
        if reach >= _LARGEST_DICTIONARY:
            raise Malformed("an object without an end")
        reach *= 4
    if match[0] == b"endobj":
        found, said = seen.lengths.pop(number, None), body[: match.start()].strip()
        # Writers differ about the line end before ``endstream``.
        if found is not None and (not said.isdigit() or abs(int(said) - found) > 2):
            raise Malformed("a stream is not as long as it says")
        return at + match.end()
    dictionary = body[: match.start()]
    if b"/Encrypt" in dictionary:
        seen.encrypted = True
    start = at + match.end()
    seen.streams.append((dictionary, start))
    end = _stream_end(cursor, seen, dictionary, start, budget)
    torn = _torn(cursor.source, dictionary, Extent(start, end - start), budget)
    if seen.flawed is None:
        seen.flawed = torn
    tail = re.match(rb"\s*endstream\s*(?:endobj)?", _ahead(cursor, end, 64))
    return end + (tail.end() if tail else 0)


def _torn(source: Source, dictionary: bytes, extent: Extent, budget: Budget) -> int | None:
    """Where a stream breaks, as far as that can be told: deflated bytes and JPEG pictures."""
    if _FLATE.search(dictionary):
        return inflates(source, extent.offset, extent.end, budget)
    if _JPEG.search(dictionary):
        picture = Window(source, extent, source.locator)
        found = follow(picture, jpeg.walk(picture, budget))
        if found is None:
            return extent.offset
        return None if found.complete else extent.offset + found.length
    return None


def _stream_end(cursor: Cursor, seen: _Seen, dictionary: bytes, start: int, budget: Budget) -> int:
    """Where the data of a stream end: by its length where that is said there, else by the word."""
    said = _LENGTH.search(dictionary)
    most = start + (int(said[1]) + _NEAR if said else _LARGEST_STREAM)
    if said:
        end = start + int(said[1])
        if end > cursor.size:
            here = Extent(start, max(0, cursor.size - start))
            torn = _torn(cursor.source, dictionary, here, budget)
            if torn is not None and torn < cursor.size:
                raise Torn("a stream does not decode", torn)
            raise Short("a stream runs past the end")
        if re.match(rb"\s*endstream", _ahead(cursor, end, 32)):
            return end
        torn = _torn(cursor.source, dictionary, Extent(start, int(said[1])), budget)
        if torn is not None:
            raise Torn("a stream does not decode", torn)
    end = find(cursor.source, b"endstream", start, budget, most)
    if end < 0:
        raise _broken(cursor, most, "a stream without an end")
    elsewhere = _ELSEWHERE.search(dictionary)
    if elsewhere and int(elsewhere[1]) not in seen.lengths:
        seen.lengths[int(elsewhere[1])] = end - start
    return end


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Files that are embedded in it, and its pictures; itself, where it is encrypted."""
    document = Document(source, budget)
    if document.encrypted:
        locator = source.locator.step("pdf", "encrypted")
        yield Artifact(locator, "pdf", State.LIVE, 0, (), role=Role.ENCRYPTED)
        return
    for number in document.numbers():
        found = document.object(number)
        if not isinstance(found, Stream):
            continue
        locator = source.locator.step("pdf", number)
        try:
            data = _held(document, found)
        except Spent:
            raise
        except Malformed as error:
            yield Damage(locator, str(error))
            continue
        if data is not None:
            yield Artifact(locator, "file", State.LIVE, len(data))


def _held(document: Document, stream: Stream) -> bytes | None:
    """The file that a stream holds; None where it is no file."""
    if stream.dictionary.get("Type") == "EmbeddedFile":
        return document.data(stream)
    return picture(document, stream)


_last: list[tuple[Source, Document]] = []
"""The document that was asked last: one of a hundred scanned pages is asked a hundred times."""


def member(source: Source, step: str) -> Source:
    if not _last or _last[0][0] is not source:
        _last[:] = [(source, Document(source, Budget()))]
    document = _last[0][1]
    found = document.object(int(step)) if step.isdecimal() and len(step) < 9 else None
    data = _held(document, found) if isinstance(found, Stream) else None
    if data is None:
        raise Malformed(f"the PDF has no embedded file {step!r}")
    return Memory(data, source.locator.step("pdf", step))


PLUGIN = Format(
    id="pdf",
    family=Family.DOCUMENT,
    probe=probe,
    magics=(Magic(b"%PDF-1."), Magic(b"%PDF-2.")),
    open=open_,
    member=member,
    measure=measure,
    seams=seams,
    goes_on=goes_on,
    text=texts,
    extensions=("pdf",),
)

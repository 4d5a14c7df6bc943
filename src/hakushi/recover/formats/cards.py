"""Address cards and calendars: vCard (2.1 to 4.0) and iCalendar (RFC 5545), both lines of text."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from functools import partial

from hakushi.model import Extent, Source, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar.encoding import LEAST, guess, settle, text_end
from hakushi.recover.grammar.mail import characters
from hakushi.recover.grammar.stream import whole

_LARGEST = 64 << 20
_LINE = re.compile(rb"(?:[\w-]+\.)?([A-Za-z-]+)((?:;[^:\r\n]*)?):(.*)")
_LABELS = {
    b"FN": "氏名",
    b"N": "氏名",
    b"X-PHONETIC-LAST-NAME": "フリガナ",
    b"X-PHONETIC-FIRST-NAME": "フリガナ",
    b"SORT-STRING": "フリガナ",
    b"TEL": "電話番号",
    b"EMAIL": "メール",
    b"ADR": "住所",
    b"BDAY": "生年月日",
    b"ORG": "会社名",
    b"TITLE": "役職",
    b"NOTE": "備考",
    b"SUMMARY": "件名",
    b"LOCATION": "場所",
    b"DESCRIPTION": "内容",
    b"ATTENDEE": "出席者",
    b"ORGANIZER": "主催者",
    b"URL": "URL",
}


def _probe(word: bytes, source: Source) -> bool:
    head = source.read(Extent(0, 64)).removeprefix(b"\xef\xbb\xbf")
    return re.match(rb"BEGIN:" + word + rb"\r?\n", head, re.IGNORECASE) is not None


def _measure(word: bytes, source: Source, budget: Budget) -> Measure | None:
    """To where its bytes stop being text; complete where its end is the last word of it."""
    found = text_end(source, budget) if _probe(word, source) else None
    if found is None:
        return None
    end, sure = settle(source, found[0])
    if end < LEAST:
        return None
    tail = source.read(Extent(max(0, end - 64), min(64, end))).rstrip()
    return Measure(end, complete=sure and tail.upper().endswith(b"END:" + word))


def _lines(data: bytes) -> Iterator[bytes]:
    """Unfolded: a line that begins with a space, or follows a soft line end, goes on."""
    held = b""
    for line in data.splitlines():
        if line[:1] in b" \t" and held and line:
            held += line[1:]
        elif held.endswith(b"=") and b"QUOTED-PRINTABLE" in held.partition(b":")[0].upper():
            held = held[:-1] + line
        else:
            yield held
            held = line
    yield held


def _text(source: Source, budget: Budget) -> Iterator[Text]:
    """Its fields, each with what it is in front."""
    out: list[str] = []
    data = whole(source, budget, _LARGEST)
    other = guess(data[:4096]) or "utf-8"
    for line in _lines(data):
        budget.pay()
        match = _LINE.match(line)
        if match is None:
            continue
        name, said, value = match[1].upper(), match[2].upper(), match[3]
        if b"QUOTED-PRINTABLE" in said:
            value = quopri.decodestring(value)
        charset = re.search(rb"CHARSET=\"?([\w-]+)", said)
        word = characters(value, charset[1].decode("ascii", "replace") if charset else other)
        word = " ".join(re.sub(r"\\n", " ", word, flags=re.IGNORECASE).replace(";", " ").split())
        if name in {b"BEGIN", b"END"}:
            out.append("\n")
        elif word:
            out.append(f"{_LABELS.get(name, name.decode('ascii'))}: {word}\n")
    if out:
        yield Text("".join(out))


def _format(id: str, word: bytes, extensions: tuple[str, ...]) -> Format:
    return Format(
        id=id,
        family=Family.DOCUMENT,
        probe=partial(_probe, word),
        magics=tuple(Magic(mark + b"BEGIN:" + word) for mark in (b"", b"\xef\xbb\xbf")),
        measure=partial(_measure, word),
        text=_text,
        extensions=extensions,
    )


PLUGIN = (
    _format("vcard", b"VCARD", ("vcf", "vcard")),
    _format("icalendar", b"VCALENDAR", ("ics", "vcs")),
)

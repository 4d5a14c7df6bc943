"""Mail boxes (RFC 4155): mails one behind the other, each after a From line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Extent, Run, Source, State, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar.encoding import LEAST, first_control, settle
from hakushi.recover.grammar.mail import looks_like_mail
from hakushi.recover.grammar.stream import pieces

_FROM = re.compile(
    rb"From [^\r\n]{1,200}?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d [\d:]{5,8} [^\r\n]{4,40}\r?\n"
)
_LONGEST = 512


def probe(source: Source) -> bool:
    sample = source.read(Extent(0, 4096))
    line = _FROM.match(sample)
    if line is None:
        return False
    rest = sample[line.end() :]
    return looks_like_mail(rest[: first_control(rest)])


def measure(source: Source, budget: Budget) -> Measure | None:
    """To where its bytes stop being text. Nothing in it tells where it ends: never complete."""
    if not probe(source):
        return None
    stop = 0
    for at, data in pieces(source, budget):
        stop = at + first_control(data)
        if stop < at + len(data):
            break
    end, _ = settle(source, stop)
    return Measure(end, complete=False) if end >= LEAST else None


def _lines(source: Source, budget: Budget) -> Iterator[tuple[int, bytes]]:
    """(offset, From line) of each mail."""
    held = b"\n"
    for at, data in pieces(source, budget):
        window, base = held + data, at - len(held)
        # A line that starts in the last bytes is left for the next piece, which holds it whole.
        limit = len(window) - (_LONGEST if at + len(data) < source.size else 0)
        hit = window.find(b"\nFrom ", 0, limit + 6)
        while 0 <= hit < limit:
            line = _FROM.match(window, hit + 1)
            if line is not None:
                budget.pay()
                yield base + hit + 1, line[0]
            hit = window.find(b"\nFrom ", hit + 1, limit + 6)
        held = window[max(0, limit) :]


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Each mail, without its From line; their bytes lie in the box as they are."""
    start = None
    for offset, line in _lines(source, budget):
        if start is not None and offset > start:
            yield _mail(source, start, offset)
        start = offset + len(line)
    if start is not None and source.size > start:
        yield _mail(source, start, source.size)


def _mail(source: Source, start: int, end: int) -> Artifact:
    locator = source.locator.step("mbox", start)
    return Artifact(locator, "eml", State.LIVE, end - start, (Run(start, end - start),))


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """The From lines: they name senders, and belong to no mail."""
    chars, offsets = "", list[int]()
    for offset, line in _lines(source, budget):
        chars += line.decode("latin-1")
        offsets += range(offset, offset + len(line))
        if len(chars) > 1 << 16:
            yield Text(chars, (*offsets, offsets[-1] + 1), "latin-1")
            chars, offsets = "", []
    if chars:
        yield Text(chars, (*offsets, offsets[-1] + 1), "latin-1")


PLUGIN = Format(
    id="mbox",
    family=Family.ARCHIVE,
    probe=probe,
    magics=(Magic(b"From "),),
    open=open_,
    measure=measure,
    text=text,
    extensions=("mbox", "mbx"),
)

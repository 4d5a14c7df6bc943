"""Plain text without a header: tried last, as anything may look like it."""

from __future__ import annotations

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Family, Format, Measure
from hakushi.recover.grammar.encoding import LEAST, SAMPLE, guess, settle, text_end

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CLUSTER = 4096


def probe(source: Source) -> bool:
    return guess(source.read(Extent(0, SAMPLE)).rstrip(b"\0")) is not None and source.size > 0


def measure(source: Source, budget: Budget) -> Measure | None:
    """To where the bytes stop being text in its encoding, or to zeros that fill its last sector.

    Complete only where a byte-order mark is its start and it ends within its first cluster: of
    others nobody can tell where they began, or whether another text was put together with them.
    """
    found = text_end(source, budget)
    if found is None or found[0] < LEAST:
        return None
    end, sure = settle(source, found[0])
    if end < LEAST:
        return None
    marked = source.read(Extent(0, 3)).startswith(_MARKS)
    return Measure(end, complete=sure and marked and end < _CLUSTER, kind="text")


PLUGIN = Format(
    id="text",
    family=Family.DOCUMENT,
    probe=probe,
    measure=measure,
    extensions=("txt", "csv", "tsv", "log", "md", "ini"),
)

"""JPEG pictures, by every code of their scans."""

from __future__ import annotations

import re

from hakushi.model import Source
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar.jpeg import FIRST, begins, goes_on, seams, walk
from hakushi.recover.grammar.stream import follow


def measure(source: Source, budget: Budget) -> Measure | None:
    """To EOI; where the structure breaks off, to the break."""
    return follow(source, walk(source, budget)) if begins(source) else None


_FOREIGN = re.compile(rb"\xff[^\x00\xc4\xd0-\xda\xff]")
_END = b"\xff\xd9"


def inner(cluster: bytes) -> bool:
    """In scans only zeros, restart marks, tables, the next scan and the end follow 0xFF (B.1.1)."""
    return _FOREIGN.search(cluster.partition(_END)[0]) is None


PLUGIN = Format(
    id="jpeg",
    family=Family.MEDIA,
    probe=begins,
    magics=tuple(Magic(b"\xff\xd8\xff" + bytes([marker])) for marker in sorted(FIRST)),
    measure=measure,
    inner=inner,
    seams=seams,
    goes_on=goes_on,
    extensions=("jpg", "jpeg", "jpe", "jfif"),
)

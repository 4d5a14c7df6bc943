"""JPEG pictures, by every code of their scans."""

from __future__ import annotations

import re

from hakushi.model import Extent, Source
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar.jpeg import FIRST, walk
from hakushi.recover.grammar.stream import follow


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 4))
    return len(head) == 4 and head[:3] == b"\xff\xd8\xff" and head[3] in FIRST


def measure(source: Source, budget: Budget) -> Measure | None:
    """To EOI; where the structure breaks off, to the break."""
    return follow(source, walk(source, budget)) if probe(source) else None


_FOREIGN = re.compile(rb"\xff[^\x00\xc4\xd0-\xda\xff]")
_END = b"\xff\xd9"


def inner(cluster: bytes) -> bool:
    """In scans only zeros, restart marks, tables, the next scan and the end follow 0xFF (B.1.1)."""
    return _FOREIGN.search(cluster.partition(_END)[0]) is None


PLUGIN = Format(
    id="jpeg",
    family=Family.MEDIA,
    probe=probe,
    magics=tuple(Magic(b"\xff\xd8\xff" + bytes([marker])) for marker in sorted(FIRST)),
    measure=measure,
    inner=inner,
    extensions=("jpg", "jpeg", "jpe", "jfif"),
)

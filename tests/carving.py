"""Carving over made media: by every magic at a sector, over free bytes."""

from __future__ import annotations

from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents
from hakushi.recover import Budget, reach, registered
from hakushi.recover.carve import carve

MAGICS = [(m.at, m.value, one.id) for one in registered() if one.measure for m in one.magics]


def carved(data: bytes) -> list[tuple[int, Artifact]]:
    """(where it begins, artifact) of all that is carved where nothing is owned."""
    candidates = [
        (offset, id)
        for offset in range(0, len(data), 512)
        for at, value, id in MAGICS
        if data.startswith(value, offset + at)
    ]
    found = carve(Memory(data), candidates, Extents([Extent(0, len(data))]), Budget.of(seconds=120))
    return [(int(a.locator.last[1]), a) for a in found if isinstance(a, Artifact)]


def content(data: bytes, artifact: Artifact) -> bytes:
    source = reach(Memory(data), artifact.locator, lambda _: artifact)
    return source.read(Extent(0, source.size))

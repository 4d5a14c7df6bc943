"""Findings by the hundred thousand: what a list of people tells, as plain tuples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Extent, Finding, Locator, Strength

Place = tuple[int, int, str, str, str, bytes]
"""One finding: offset, length, kind, strength, what may be shown of it, the key of its value."""


@dataclass(frozen=True, slots=True)
class Found:
    """Findings in the bytes of one place; each is an object when it is asked for."""

    locator: Locator
    places: list[Place]

    def __iter__(self) -> Iterator[Finding]:
        for offset, length, kind, strength, masked, key in self.places:
            extent = Extent(offset, length)
            yield Finding(kind, self.locator, extent, Strength(strength), masked, key)

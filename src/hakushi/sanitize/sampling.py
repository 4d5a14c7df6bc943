"""Which parts of a drive a sampled read-back reads, and what it could miss."""

from __future__ import annotations

import random

from hakushi.model import Extent

SECTIONS, _PER_SECTION = 1000, 2
_SHARE = 20
"""Each of the two stretches of a section is a twentieth of it (NIST SP 800-88 Rev. 1, 4.7.2)."""

_WHOLE = 256 << 20
"""Drives up to this size are read in full: a sample would save seconds."""

CONFIDENCE = 99


def parts(size: int, unit: int, choose: random.Random) -> list[Extent]:
    """Two stretches at random places in each section, the first and the last units.

    In order, none overlapping another, on boundaries of ``unit``; all of a small drive. The places
    must be unknown before everything is written, so that no drive can prepare for them.
    """
    if size <= _WHOLE:
        return [Extent(0, size)]
    section = size // SECTIONS // unit * unit
    length = -(-section // (_SHARE * unit)) * unit
    out = [Extent(0, length)]
    for number in range(SECTIONS):
        start = number * section
        end = start + section if number < SECTIONS - 1 else size
        half = (end - start) // _PER_SECTION // unit * unit
        for first in range(start, start + _PER_SECTION * half, half):
            room = (half - length) // unit
            out.append(Extent(first + choose.randint(0, room) * unit, length))
    out.append(Extent((size - 1) // unit * unit, size - (size - 1) // unit * unit))
    return _merged(out)


def _merged(extents: list[Extent]) -> list[Extent]:
    out: list[Extent] = []
    for one in sorted(extents, key=lambda e: e.offset):
        if out and one.offset <= out[-1].end:
            last = out[-1]
            out[-1] = Extent(last.offset, max(last.end, one.end) - last.offset)
        else:
            out.append(one)
    return out


def bound(size: int, read: list[Extent]) -> int:
    """Bytes of which a sample of so many independent places would have met one, with 99 %.

    Law: 0 where everything was read. Each stretch is taken for a single place, which is cautious.
    """
    if sum(one.length for one in read) >= size:
        return 0
    share = 1 - (1 - CONFIDENCE / 100) ** (1 / max(1, len(read)))
    return int(share * size) + 1

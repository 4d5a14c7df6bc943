"""The compiled part of triage. Imported where it is used: it brings the compiler with it.

Its functions stand at the top of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hakushi.model import SECTOR

ZERO, CONSTANT, RANDOM, STRUCTURED = 0, 1, 2, 3

LOW, HIGH = 1244, 1950
"""Bounds of the sum of squares of 512 bytes' counts: 2 * (chi-square + 512), chi-square 110-463."""

ASCII_WORDS = 4
"""So many aligned 8-byte words of ASCII in a row are text (1e-12 a random sector)."""

LONGEST_PERIOD = 8

_HIGH_BITS = np.uint64(0x8080808080808080)


@numba.njit(cache=True, nogil=True)
def _periodic(data: Any, base: int) -> bool:
    for period in range(1, LONGEST_PERIOD + 1):
        same = True
        for i in range(base + period, base + SECTOR):
            if data[i] != data[i - period]:
                same = False
                break
        if same:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _plain(words: Any, first: int) -> bool:
    for i in range(first + 1, first + 64):  # noqa: SIM110 - the compiler knows no generators
        if words[i] != words[first]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _ascii(words: Any, first: int) -> bool:
    run = 0
    for i in range(first, first + 64):
        run = run + 1 if words[i] & _HIGH_BITS == 0 else 0
        if run >= ASCII_WORDS:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def classify(data: Any, classes: Any, histogram: Any) -> None:
    """Fills ``classes`` for each sector of ``data``; adds random-like bytes to ``histogram``."""
    words = data.view(np.uint64)
    counts = np.zeros(256, np.uint16)
    for sector in range(len(classes)):
        first, base = sector * 64, sector * SECTOR
        if _plain(words, first):
            classes[sector] = ZERO if words[first] == 0 else CONSTANT
            continue
        for i in range(256):
            counts[i] = 0
        for i in range(base, base + SECTOR):
            counts[data[i]] += 1
        squares = np.uint32(0)
        for i in range(256):
            squares += np.uint32(counts[i]) * np.uint32(counts[i])
        if LOW <= squares <= HIGH and not _ascii(words, first):
            classes[sector] = RANDOM
            for i in range(256):
                histogram[i] += counts[i]
        elif _periodic(data, base):
            classes[sector] = CONSTANT
        else:
            classes[sector] = STRUCTURED

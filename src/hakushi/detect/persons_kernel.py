"""The compiled part of counting people. Imported where it is used: it brings the compiler with it.

Its functions stand at the top of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_KINDS = 256


@numba.njit(cache=True, nogil=True)
def records(texts: Any, offsets: Any, kinds: Any, keys: Any, gap: int, which: Any) -> int:
    """Tells of each finding in which record it stands, in order; returns how many there are.

    A record ends where its text does, where a kind comes again (but the same value right behind
    itself), or after ``gap`` without a finding.
    """
    holds = np.full(_KINDS, -1, np.int64)
    """The record that holds a kind last, and the place of its key."""
    at = np.zeros(_KINDS, np.int64)
    number = 0
    for i in range(len(kinds)):
        kind = kinds[i]
        if i:
            again = holds[kind] == number and (
                kind != kinds[i - 1]
                or keys[at[kind], 0] != keys[i, 0]
                or keys[at[kind], 1] != keys[i, 1]
            )
            if again or texts[i] != texts[i - 1] or offsets[i] - offsets[i - 1] > gap:
                number += 1
        holds[kind] = number
        at[kind] = i
        which[i] = number
    return number + 1

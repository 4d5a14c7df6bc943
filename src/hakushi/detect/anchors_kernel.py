"""The compiled part of `anchors`: bytes of UTF-8 and characters.

Its functions stand at the top of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def characters(data: Any, places: Any) -> Any:
    """How many characters begin before each of some ``places``, none beyond the end."""
    begun = np.empty(len(data) + 1, np.int32)
    count = 0
    for i in range(len(data)):
        begun[i] = count
        count += data[i] & 0xC0 != 0x80
    begun[len(data)] = count
    out = np.empty(len(places), np.int64)
    for i in range(len(places)):
        out[i] = begun[places[i]]
    return out


@numba.njit(cache=True, nogil=True, inline="always")
def _letter(code: Any) -> Any:
    return 97 <= code | 0x20 <= 122


@numba.njit(cache=True, nogil=True)
def apart(data: Any, starts: Any, ends: Any) -> Any:
    """Which words are no part of a longer one in Latin letters; a capital behind a letter that is
    none begins one.
    """
    out = np.empty(len(starts), np.bool_)
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        before = data[start - 1] if start else np.uint8(0)
        behind = data[end] if end < len(data) else np.uint8(0)
        first, last = data[start], data[end - 1]
        joined = _letter(first) and first < 97 and not (_letter(before) and before < 97)
        inside = _letter(first) and _letter(last)
        out[i] = not (inside and ((_letter(before) and not joined) or _letter(behind)))
    return out

"""The compiled part of `layout`: lines without what stands around them, in three passes.

Its functions stand at the top of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_TAB, _NEWLINE, _CARRIAGE, _QUOTE = 9, 10, 13, ord(">")


@numba.njit(cache=True, nogil=True)
def signs(codes: Any, first: Any, behind: Any) -> Any:
    """Where characters stand for which ``first``, a table by code points, has the number of a row
    of ``behind`` (from one on) that has the next character. Those beyond the tables always do.
    """
    out = np.empty(len(codes), np.int64)
    count = 0
    for i in range(len(codes)):
        code = codes[i]
        row = first[code] if code < len(first) else np.uint8(1)
        if not row:
            continue
        after = codes[i + 1] if i + 1 < len(codes) else np.uint32(0)
        if after >= behind.shape[1] or behind[row - 1, after]:
            out[count] = i
            count += 1
    return out[:count].copy()


@numba.njit(cache=True, nogil=True, inline="always")
def _gap(code: int) -> bool:
    return code in (0x20, 0x3000, 0xA0)


@numba.njit(cache=True, nogil=True, inline="always")
def _kanji(codes: Any, at: int) -> bool:
    return 0 <= at < len(codes) and 0x3400 <= codes[at] <= 0x9FFF


@numba.njit(cache=True, nogil=True)
def apart(codes: Any, most: int) -> Any:
    """Where a kanji without another beside it stands, up to ``most`` gaps behind one like it."""
    out = np.empty(len(codes) // 2 + 1, np.int64)
    count, last = 0, -1
    for i in range(len(codes)):
        if not _kanji(codes, i):
            if not _gap(codes[i]):
                last = -1
            continue
        if _kanji(codes, i - 1) or _kanji(codes, i + 1):
            last = -1
            continue
        if last >= 0 and i - last <= most + 1:
            out[count] = i
            count += 1
        last = i
    return out[:count].copy()


@numba.njit(cache=True, nogil=True)
def _line_ends(codes: Any, kept: Any) -> None:
    """One newline for each end of a line, whatever ended it."""
    size = len(codes)
    for i in range(size):
        if codes[i] == _CARRIAGE and kept[i]:
            if i + 1 < size and (codes[i + 1] == _NEWLINE or codes[i + 1] == _CARRIAGE):
                kept[i] = False
            else:
                codes[i] = _NEWLINE


@numba.njit(cache=True, nogil=True)
def _edges(codes: Any, kept: Any, low: int, high: int) -> None:
    """Takes away what a line begins with, and the gap at its end. Tabs are cells where others
    stand behind them.
    """
    tabs, first, last = 0, high, low - 1
    for i in range(low, high):
        if not kept[i] or _gap(codes[i]):
            continue
        last = i
        if codes[i] == _TAB:
            tabs += first < high
        elif first == high and codes[i] != _QUOTE:
            first = i
    for i in range(low, first):
        if not (tabs and codes[i] == _TAB):
            kept[i] = False
    for i in range(max(first, last + 1), high):
        kept[i] = False


@numba.njit(cache=True, nogil=True)
def _runs(codes: Any, kept: Any, halved: bool) -> tuple[int, int]:
    """How many runs of line ends stand between characters, and how many of two or more.

    ``halved``: takes half of each away.
    """
    size, i, runs, doubled, started = len(codes), 0, 0, 0, False
    while i < size:
        if not kept[i] or codes[i] != _NEWLINE:
            started = started or kept[i]
            i += 1
            continue
        at, length = i, 0
        while i < size and (not kept[i] or codes[i] == _NEWLINE):
            length += kept[i]
            i += 1
        if not started or i == size:
            continue
        runs += 1
        doubled += length > 1
        left = (length + 1) // 2
        while halved and at < i:
            if kept[at]:
                left -= 1
                kept[at] = left >= 0
            at += 1
    return runs, doubled


@numba.njit(cache=True, nogil=True)
def typed(codes: Any, kept: Any, share: float) -> None:
    """Leaves the lines as they would be typed: ``codes`` (uint32) are written over, ``kept`` (bool)
    says which of them are left. ``share``: of line ends, how many doubled ones mean one each.
    """
    _line_ends(codes, kept)
    low, size = 0, len(codes)
    for i in range(size + 1):
        if i == size or (kept[i] and codes[i] == _NEWLINE):
            _edges(codes, kept, low, i)
            low = i + 1
    runs, doubled = _runs(codes, kept, False)
    if runs and doubled >= share * runs:
        _runs(codes, kept, True)

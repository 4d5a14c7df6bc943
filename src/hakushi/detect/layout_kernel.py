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


@numba.njit(cache=True, nogil=True)
def beside(codes: Any, first: Any, behind: Any, before: Any, most: int) -> Any:
    """The same, where a character of class 1 stands before it, with up to ``most`` of class 2
    between them. ``before``: the classes by code points.
    """
    out = np.empty(len(codes), np.int64)
    count = 0
    for i in range(1, len(codes)):
        row = first[codes[i]] if codes[i] < len(first) else np.uint8(0)
        if not row:
            continue
        after = codes[i + 1] if i + 1 < len(codes) else np.uint32(0)
        if after < behind.shape[1] and not behind[row - 1, after]:
            continue
        for at in range(i - 1, max(-1, i - 2 - most), -1):
            kind = before[codes[at]] if codes[at] < len(before) else np.uint8(0)
            if kind != 2:
                if kind == 1:
                    out[count] = i
                    count += 1
                break
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


@numba.njit(cache=True, nogil=True, inline="always")
def _around(codes: Any, kept: Any, at: int) -> bool:
    """Does the character say nothing where a line begins or ends?"""
    return not kept[at] or _gap(codes[at])


@numba.njit(cache=True, nogil=True)
def _edges(codes: Any, kept: Any, low: int, high: int) -> bool:
    """Takes away what a line begins with, and the gap at its end; is anything left? Tabs are cells
    where others stand behind them.
    """
    first, tabs = low, 0
    while first < high and (
        _around(codes, kept, first) or codes[first] == _QUOTE or codes[first] == _TAB
    ):
        tabs += kept[first] and codes[first] == _TAB
        first += 1
    last = high - 1
    while last >= low and _around(codes, kept, last):
        kept[last] = False
        last -= 1
    cells = False
    for i in range(first, high if tabs else first):
        cells = cells or (kept[i] and codes[i] == _TAB)
    for i in range(low, first):
        if not (cells and codes[i] == _TAB):
            kept[i] = False
    return first < high


@numba.njit(cache=True, nogil=True)
def _halve(codes: Any, kept: Any) -> None:
    """Takes half of each run of line ends between characters away."""
    size, i, started = len(codes), 0, False
    while i < size:
        if not kept[i] or codes[i] != _NEWLINE:
            started = started or kept[i]
            i += 1
            continue
        at, length = i, 0
        while i < size and (not kept[i] or codes[i] == _NEWLINE):
            length += kept[i]
            i += 1
        left = (length + 1) // 2
        while started and i < size and at < i:
            if kept[at]:
                left -= 1
                kept[at] = left >= 0
            at += 1


@numba.njit(cache=True, nogil=True)
def typed(codes: Any, kept: Any, share: float) -> None:
    """Leaves the lines as they would be typed: ``codes`` (uint32) are written over, ``kept`` (bool)
    says which of them are left. One newline ends a line, whatever ended it. ``share``: of line
    ends between characters, how many doubled ones mean one each.
    """
    low, size = 0, len(codes)
    ends = runs = doubled = 0
    started = False
    for i in range(size + 1):
        if i < size:
            code = codes[i]
            if code > _CARRIAGE or not kept[i] or code not in (_NEWLINE, _CARRIAGE):
                continue
            if code == _CARRIAGE:
                if i + 1 < size and (codes[i + 1] == _NEWLINE or codes[i + 1] == _CARRIAGE):
                    kept[i] = False
                    continue
                codes[i] = _NEWLINE
        if _edges(codes, kept, low, i):
            runs += started
            doubled += started and ends > 1
            started, ends = True, 0
        ends += 1
        low = i + 1
    if runs and doubled >= share * runs:
        _halve(codes, kept)


@numba.njit(cache=True, nogil=True)
def left(codes: Any, kept: Any) -> Any:
    """The characters that are left, and where they stood."""
    out, places = np.empty(len(codes), np.uint32), np.empty(len(codes), np.int64)
    count = 0
    for i in range(len(codes)):
        out[count], places[count] = codes[i], i
        count += kept[i]
    return out[:count], places[:count]

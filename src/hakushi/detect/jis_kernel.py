"""ISO-2022-JP, compiled: the only encoding in which Python does not tell where characters stand."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

_ESCAPE, _NEWLINE, _CARRIAGE = 0x1B, 10, 13
_BROKEN = 0xFFFD
_SINGLE, _KATAKANA, _DOUBLE, _SUPPLEMENT = 0, 1, 2, 3
"""What bytes stand for: themselves, half-width katakana, pairs of JIS X 0208, of JIS X 0212."""


@numba.njit(cache=True, nogil=True)
def _escape(data: Any, at: int) -> tuple[int, int]:
    """How long the escape sequence at ``at`` is, 0 where none is, and what it begins."""
    left = len(data) - at
    if left < 3 or data[at] != _ESCAPE:
        return 0, _SINGLE
    first, second = data[at + 1], data[at + 2]
    if first == 0x28 and second in (0x42, 0x4A, 0x48, 0x41, 0x49):  # ( B J H A I
        return 3, _KATAKANA if second == 0x49 else _SINGLE
    if first == 0x24 and second in (0x40, 0x42):  # $ @ B
        return 3, _DOUBLE
    if first == 0x24 and second == 0x41:  # $ A
        return 3, _SINGLE
    if first == 0x24 and second == 0x28 and left > 3 and data[at + 3] in (0x44, 0x4F):  # $ ( D O
        return 4, _SUPPLEMENT if data[at + 3] == 0x44 else _SINGLE
    if first == 0x2E and second in (0x41, 0x46):  # . A F
        return 3, _SINGLE
    if first != 0x26 or second != 0x40 or left < 6 or data[at + 3] != _ESCAPE:  # & @ ESC $ B
        return 0, _SINGLE
    return (6, _DOUBLE) if data[at + 4] == 0x24 and data[at + 5] == 0x42 else (0, _SINGLE)


@numba.njit(cache=True, nogil=True)
def _decode(data: Any, double: Any, supplement: Any, codes: Any, offsets: Any) -> int:
    count, at, mode, pairs = 0, 0, _SINGLE, False
    while at < len(data):
        length, next_mode = _escape(data, at)
        if length:
            mode, at = next_mode, at + length
            pairs = mode >= _DOUBLE
            continue
        if pairs and data[at] in (_NEWLINE, _CARRIAGE):
            pairs = False
        offsets[count] = at
        if pairs and at + 1 < len(data) and not _escape(data, at + 1)[0]:
            table = double if mode == _DOUBLE else supplement
            codes[count] = table[data[at] & 0x7F, data[at + 1] & 0x7F]
            at += 2
        else:
            byte = data[at]
            pairs = False
            if mode == _KATAKANA and 0x21 <= byte <= 0x5F:
                codes[count] = 0xFF40 + byte
            else:
                codes[count] = byte if byte < 0x80 else _BROKEN
            at += 1
        count += 1
    offsets[count] = at
    return count


@cache
def _tables() -> tuple[Any, Any]:
    """The code points of pairs of 7-bit bytes, in JIS X 0208 and in 0212."""
    double = np.full((128, 128), _BROKEN, np.uint32)
    supplement = double.copy()
    for table, shift in ((double, b""), (supplement, b"\x8f")):
        for lead in range(128):
            for trail in range(128):
                char = (shift + bytes((lead | 0x80, trail | 0x80))).decode("euc_jp", "replace")
                table[lead, trail] = ord(char) if len(char) == 1 else _BROKEN
    return double, supplement


def decode(data: bytes) -> tuple[Any, Any]:
    """Code points, and for each the offset of its first byte; one more offset for the end.

    A line end returns to single bytes until the next escape (RFC 1468); escapes are no characters.
    """
    codes, offsets = np.empty(len(data), np.uint32), np.empty(len(data) + 1, np.int64)
    count = _decode(np.frombuffer(data, np.uint8), *_tables(), codes, offsets)
    return codes[:count], offsets[: count + 1]

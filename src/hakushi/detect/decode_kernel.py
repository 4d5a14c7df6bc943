"""UTF-8, CP932 and EUC-JP, compiled: characters and where each begins, however broken the bytes.

What is broken is what Python's decoders take for it, byte for byte. The functions stand at the top
of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

_BROKEN = 0xFFFD
_FAR = 1 << 30
"""Bytes from which on places take twice as many bytes."""

_TWO, _THREE = 0xFFFFFFFE, 0xFFFFFFFF
"""Stand for a byte that begins a character of two, or of three."""


@numba.njit(cache=True, nogil=True)
def _utf8(data: Any, codes: Any, offsets: Any) -> int:
    count, at, size = 0, 0, len(data)
    while at < size:
        offsets[count] = at
        byte = data[at]
        at += 1
        code, more = np.uint32(byte), 0
        low, high = np.uint8(0x80), np.uint8(0xBF)
        if byte >= 0x80:
            if 0xC2 <= byte <= 0xDF:
                code, more = np.uint32(byte & 0x1F), 1
            elif 0xE0 <= byte <= 0xEF:
                code, more = np.uint32(byte & 0x0F), 2
                low = np.uint8(0xA0) if byte == 0xE0 else low
                high = np.uint8(0x9F) if byte == 0xED else high
            elif 0xF0 <= byte <= 0xF4:
                code, more = np.uint32(byte & 0x07), 3
                low = np.uint8(0x90) if byte == 0xF0 else low
                high = np.uint8(0x8F) if byte == 0xF4 else high
            else:
                code = np.uint32(_BROKEN)
            while more and at < size and low <= data[at] <= high:
                code = code << np.uint32(6) | np.uint32(data[at] & 0x3F)
                at, more = at + 1, more - 1
                low, high = np.uint8(0x80), np.uint8(0xBF)
        codes[count] = np.uint32(_BROKEN) if more else code
        count += 1
    offsets[count] = at
    return count


@numba.njit(cache=True, nogil=True)
def _pairs(data: Any, single: Any, double: Any, triple: Any, codes: Any, offsets: Any) -> int:
    count, at, size = 0, 0, len(data)
    while at < size:
        offsets[count] = at
        byte = data[at]
        code, length = single[byte], 1
        if code >= _TWO:
            length = int(code - _TWO) + 2
            code = np.uint32(_BROKEN)
            if at + length > size:
                length = size - at
            else:
                code = double[byte, data[at + 1]]
                if length == 3:
                    code = triple[data[at + 1], data[at + 2]]
                length = 1 if code == _BROKEN else length
        codes[count] = code
        count, at = count + 1, at + length
    offsets[count] = at
    return count


@cache
def _tables(encoding: str) -> tuple[Any, Any, Any]:
    """The code points of single bytes (or how many begin there), of pairs, and of pairs behind
    0x8F, by Python's own decoder.
    """
    single = np.full(256, _TWO, np.uint32)
    for byte in range(256):
        said = bytes((byte,)).decode(encoding, "ignore")
        single[byte] = ord(said) if said else _TWO
    double = _square(b"", single == _TWO, encoding)
    triple = double[:1, :1]
    if encoding == "euc_jp":
        single[0x8F] = _THREE
        triple = _square(b"\x8f", np.arange(256) >= 0xA1, encoding)
    return single, double, triple


def _square(before: bytes, leads: Any, encoding: str) -> Any:
    """The code points of pairs of bytes behind some other."""
    table = np.full((256, 256), _BROKEN, np.uint32)
    for lead in np.flatnonzero(leads).tolist():
        for trail in range(0x40, 0x100):
            try:
                table[lead, trail] = ord((before + bytes((lead, trail))).decode(encoding))
            except (UnicodeDecodeError, TypeError):
                continue
    return table


def decode(data: bytes | memoryview, encoding: str) -> tuple[Any, Any]:
    """Code points, U+FFFD for what is broken, and for each the offset of its first byte; one more
    offset for the end. ``encoding``: utf-8, cp932 or euc_jp.
    """
    raw = np.frombuffer(data, np.uint8)
    place = np.int32 if len(raw) < _FAR else np.int64
    codes, offsets = np.empty(len(raw), np.uint32), np.empty(len(raw) + 1, place)
    if encoding == "utf-8":
        count = _utf8(raw, codes, offsets)
    else:
        count = _pairs(raw, *_tables(encoding), codes, offsets)
    return codes[:count], offsets[: count + 1]

"""What btrfs packs: zlib and zstd streams, and its own frame around LZO."""

from __future__ import annotations

import zlib

from hakushi.model import Malformed
from hakushi.recover.cursor import Budget

_LARGEST = 1 << 20
"""Bytes that one packed extent may hold (the format allows 128 KiB)."""

_PAGE = 4096


def unpacked(data: bytes, how: int, size: int, budget: Budget) -> bytes:
    """At most ``size`` bytes out of an extent packed by zlib (1), LZO (2) or zstd (3)."""
    if size > _LARGEST:
        raise Malformed("a packed extent that is too large")
    budget.pay(output=size)
    if how == 1:
        try:
            out = zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise Malformed(f"zlib: {error}") from None
    elif how == 3:
        out = _zstd(data, size)
    else:
        out = _lzo_frame(data, size)
    if len(out) < size:
        raise Malformed("a packed extent ends early")
    return out[:size]


def _zstd(data: bytes, size: int) -> bytes:
    import zstandard

    try:
        return (
            zstandard.ZstdDecompressor(max_window_size=1 << 20)
            .decompressobj()
            .decompress(data)[:size]
        )
    except zstandard.ZstdError as error:
        raise Malformed(f"zstd: {error}") from None


def _lzo_frame(data: bytes, size: int) -> bytes:
    """A length, then segments of a page each, with a length of their own; none crosses a page with
    its length.
    """
    total = int.from_bytes(data[:4], "little")
    at, out = 4, bytearray()
    while at + 4 <= min(total, len(data)) and len(out) < size:
        if _PAGE - at % _PAGE < 4:
            at += _PAGE - at % _PAGE
        length = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if not 0 < length <= 2 * _PAGE or at + length > len(data):
            raise Malformed("LZO: a segment outside its extent")
        out += lzo1x(data[at : at + length], _PAGE)
        at += length
    return bytes(out)


def lzo1x(data: bytes, most: int) -> bytes:
    """LZO1X (after the kernel's description of its stream). Raises Malformed."""
    try:
        return _lzo1x(data, most)
    except IndexError:
        raise Malformed("LZO: it ends early") from None


def _lzo1x(data: bytes, most: int) -> bytes:
    out = bytearray()
    at = state = 0

    def run(length: int, base: int) -> int:
        """A length that zeros continue."""
        nonlocal at
        if length:
            return length
        while data[at] == 0:
            length += 255
            at += 1
            if length > most:
                raise Malformed("LZO: too long")
        length += base + data[at]
        at += 1
        return length

    first = data[0]
    if first > 17:
        at = 1
        count = first - 17
        out += data[at : at + count]
        at += count
        state = min(4, count)
    while True:
        op = data[at]
        at += 1
        if op < 16 and state == 0:
            count = run(op, 15) + 3
            if at + count > len(data):
                raise IndexError
            out += data[at : at + count]
            at += count
            state = 4
            continue
        if op >= 64:
            length = 3 + (op >> 5 & 1) if op < 128 else 5 + (op >> 5 & 3)
            distance = (data[at] << 3) + (op >> 2 & 7) + 1
            at += 1
            state = op & 3
        elif op >= 32:
            length = run(op & 31, 31) + 2
            low = data[at] | data[at + 1] << 8
            at += 2
            distance, state = (low >> 2) + 1, low & 3
        elif op >= 16:
            length = run(op & 7, 7) + 2
            low = data[at] | data[at + 1] << 8
            at += 2
            distance, state = ((op & 8) << 11) + (low >> 2), low & 3
            if not distance:
                return bytes(out)
            distance += 0x4000
        else:
            distance = (op >> 2) + (data[at] << 2) + (1 if state < 4 else 2049)
            length = 2 if state < 4 else 3
            at += 1
            state = op & 3
        if distance > len(out) or len(out) + length > most:
            raise Malformed("LZO: outside its page")
        for _ in range(length):
            out.append(out[-distance])
        out += data[at : at + state]
        at += state

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
        return _Lzo(data, most).all()
    except IndexError:
        raise Malformed("LZO: it ends early") from None


class _Lzo:
    """A stream of LZO1X. ``state``: how many literals came last; 4 stands for a run of them."""

    def __init__(self, data: bytes, most: int) -> None:
        self.data, self.most = data, most
        self.at = self.state = 0
        self.out = bytearray()

    def all(self) -> bytes:
        if self.data[0] > 17:
            self.at = 1
            self._literals(self.data[0] - 17)
            self.state = min(4, self.data[0] - 17)
        while True:
            op = self._byte()
            if op < 16 and self.state == 0:
                self._literals(self._length(op, 15) + 3)
                self.state = 4
                continue
            length, distance, self.state = self._match(op)
            if not distance:
                return bytes(self.out)
            if distance > len(self.out) or len(self.out) + length > self.most:
                raise Malformed("LZO: outside its page")
            for _ in range(length):
                self.out.append(self.out[-distance])
            self._literals(self.state)

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _literals(self, count: int) -> None:
        if self.at + count > len(self.data):
            raise IndexError
        self.out += self.data[self.at : self.at + count]
        self.at += count

    def _length(self, said: int, base: int) -> int:
        """A length that zeros continue."""
        if said:
            return said
        more = 0
        while (byte := self._byte()) == 0:
            more += 255
            if more > self.most:
                raise Malformed("LZO: too long")
        return base + more + byte

    def _pair(self) -> tuple[int, int]:
        """A distance, and how many literals follow."""
        value = self._byte() | self._byte() << 8
        return value >> 2, value & 3

    def _match(self, op: int) -> tuple[int, int, int]:
        """(length, distance, literals behind it); a distance of 0 is the end."""
        if op >= 64:
            length = 3 + (op >> 5 & 1) if op < 128 else 5 + (op >> 5 & 3)
            return length, (self._byte() << 3) + (op >> 2 & 7) + 1, op & 3
        if op >= 32:
            length = self._length(op & 31, 31) + 2
            distance, state = self._pair()
            return length, distance + 1, state
        if op >= 16:
            length = self._length(op & 7, 7) + 2
            distance, state = self._pair()
            distance += (op & 8) << 11
            return length, distance + 0x4000 if distance else 0, state
        distance = (self._byte() << 2) + (op >> 2) + 1
        if self.state < 4:
            return 2, distance, op & 3
        return 3, distance + 2048, op & 3

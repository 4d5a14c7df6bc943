"""NTFS compression: LZNT1 chunks in compression units (MS-XCA 2.5, Linux-NTFS documentation)."""

from __future__ import annotations

from collections.abc import Sequence

from hakushi.model import Extent, Locator, Malformed, Run, Source, Unreadable

_CHUNK = 4096
_LARGEST = 1 << 24
_KEPT = 16


def _split() -> list[int]:
    """For each position in a chunk, how many bits of a token are the length."""
    out, bits = [], 12
    for at in range(_CHUNK):
        while at > 1 << (16 - bits) and bits > 4:
            bits -= 1
        out.append(bits)
    return out


_LENGTH_BITS = _split()


def inflate(data: bytes, size: int) -> bytes:
    """At most ``size`` bytes. Raises Malformed for a token that reaches before its chunk."""
    out = bytearray()
    at = 0
    while at + 2 <= len(data) and len(out) < size:
        header = data[at] | data[at + 1] << 8
        if not header:
            break
        end = at + 3 + (header & 0xFFF)
        if end > len(data) or header & 0x7000 != 0x3000:
            raise Malformed("no chunk of compressed data")
        chunk = data[at + 2 : end]
        out += _chunk(chunk) if header & 0x8000 else chunk
        out += bytes(-len(out) % _CHUNK)
        at = end
    return bytes(out[:size])


def _chunk(data: bytes) -> bytes:
    out = bytearray()
    at, length = 0, len(data)
    while at < length:
        flags = data[at]
        at += 1
        for bit in range(8):
            if at >= length:
                break
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 2 > length or not out or len(out) >= _CHUNK:
                raise Malformed("a token of compressed data is cut")
            token = data[at] | data[at + 1] << 8
            at += 2
            _copy(out, token)
    if len(out) > _CHUNK:
        raise Malformed("a chunk of compressed data is too long")
    return bytes(out)


def _copy(out: bytearray, token: int) -> None:
    bits = _LENGTH_BITS[len(out)]
    count, back = (token & (1 << bits) - 1) + 3, (token >> bits) + 1
    start = len(out) - back
    if start < 0:
        raise Malformed("a token of compressed data reaches too far back")
    if back >= count:
        out += out[start : start + count]
    else:
        out += (out[start:] * (count // back + 1))[:count]


class Compressed:
    """A compressed stream as a Source. A unit that is not right is `Unreadable`."""

    __slots__ = ("_kept", "_parent", "_unit", "_units", "locator", "size")

    def __init__(
        self, parent: Source, runs: Sequence[Run], unit: int, size: int, locator: Locator
    ) -> None:
        if not 0 < unit <= _LARGEST:
            raise Malformed("impossible compression unit")
        self._parent = parent
        self._unit = unit
        self._units = _cut(runs, unit, size)
        self._kept: dict[int, bytes] = {}
        self.size = size
        self.locator = locator

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        out, at = [], extent.offset
        while at < end:
            index, inside = divmod(at, self._unit)
            piece = self._inflated(index)[inside : inside + end - at]
            out.append(piece)
            at += len(piece)
        return b"".join(out)

    def _inflated(self, index: int) -> bytes:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        start = index * self._unit
        length = min(self._unit, self.size - start)
        runs = self._units[index] if index < len(self._units) else ()
        stored = b"".join(self._stored(run) for run in runs if run.at is not None)
        # A unit is compressed where a hole stands for the clusters that this saved.
        packed = stored and any(run.at is None for run in runs)
        try:
            data = inflate(stored, length) if packed else stored
        except Malformed as error:
            raise Unreadable(Extent(start, length), str(error)) from None
        data = data[:length] + bytes(max(0, length - len(data)))
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[index] = data
        return data

    def _stored(self, run: Run) -> bytes:
        data = self._parent.read(Extent(run.at or 0, run.length))
        if len(data) != run.length:
            raise Unreadable(Extent(run.at or 0, run.length), "outside its parent")
        return data


def _cut(runs: Sequence[Run], unit: int, size: int) -> list[list[Run]]:
    """The runs of each compression unit; those past the size are not asked for."""
    out: list[list[Run]] = []
    left = 0
    for run in runs:
        at, length = run.at, run.length
        while length:
            if not left:
                if len(out) * unit >= size:
                    return out
                out.append([])
                left = unit
            take = min(length, left)
            if at is None and take == unit and length >= 2 * unit and len(out) * unit < size:
                # A hole of many units: no need to step through each.
                whole = min(length // unit, -(-size // unit) - len(out) + 1)
                out.extend([] for _ in range(whole - 1))
                take, left = whole * unit, unit * whole
            out[-1].append(Run(at, take))
            at = None if at is None else at + take
            length -= take
            left -= take
    return out

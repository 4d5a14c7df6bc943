"""A medium that lies in blocks of a container: where each one is, and what unpacks it."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Locator,
    Malformed,
    Role,
    Source,
    State,
    Unreadable,
)
from hakushi.recover.cursor import Budget

LARGEST = 1 << 62
"""No medium has more bytes; a size beyond it is a broken answer."""
LARGEST_BLOCK = 256 << 20
_KEPT = 16 << 20


class Incomplete(Malformed):
    """An image that holds only the differences from another one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block is: ``at`` in the container; ``packed`` bytes of it where it is compressed."""

    at: int
    packed: int = 0
    unpack: Callable[[bytes, int], bytes] | None = None


class Mapped:
    """A Source whose blocks ``where`` finds: None is zeros. Raises `Unreadable` for what is not
    there; keeps the blocks that were unpacked last. Any number of threads.
    """

    def __init__(
        self,
        parent: Source,
        size: int,
        block: int,
        where: Callable[[int], Place | None],
        locator: Locator,
    ) -> None:
        if not 0 <= size <= LARGEST or not 0 < block <= LARGEST_BLOCK:
            raise Malformed("impossible sizes")
        self.size, self.locator = size, locator
        self._parent, self._block, self._where = parent, block, where
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._most = max(2, _KEPT // block)
        self._lock = threading.Lock()

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        out, at = [], extent.offset
        while at < end:
            number, inside = divmod(at, self._block)
            length = min(end - at, self._block - inside)
            try:
                out.append(self._piece(number, inside, length))
            except (Malformed, Unreadable) as error:
                raise Unreadable(Extent(at, length), str(error)) from None
            at += length
        return out[0] if len(out) == 1 else b"".join(out)

    def _piece(self, number: int, inside: int, length: int) -> bytes:
        place = self._where(number)
        if place is None:
            return bytes(length)
        if place.unpack is None:
            data = self._parent.read(Extent(place.at + inside, length))
        else:
            data = self._unpacked(number, place)[inside : inside + length]
        if len(data) != length:
            raise Malformed("a block past the end of the container")
        return data

    def _unpacked(self, number: int, place: Place) -> bytes:
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        assert place.unpack is not None
        raw = self._parent.read(Extent(place.at, place.packed))
        data = place.unpack(raw, self._block).ljust(self._block, b"\0")
        with self._lock:
            self._kept[number] = data
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return data


def told(medium: Source, *wrong: str) -> Iterator[Artifact | Damage]:
    """The one medium of an image, after what is wrong with it."""
    for what in wrong:
        yield Damage(medium.locator, what)
    yield Artifact(
        medium.locator, "medium", State.LIVE, medium.size, role=Role.VOLUME, complete=not wrong
    )


def only(id: str, opened: Callable[[Source, Locator, Budget], Source]) -> Callable[..., Source]:
    """`Format.member` of an image, which holds one medium."""

    def member(source: Source, value: str) -> Source:
        if value != "0":
            raise Malformed("an image holds one medium")
        return opened(source, source.locator.step(id, "0"), Budget.of())

    return member


def inflated(raw: bytes, most: int) -> bytes:
    """A zlib stream of at most so many bytes."""
    return _unzip(zlib.decompressobj(), raw, most)


def inflated_raw(raw: bytes, most: int) -> bytes:
    """A deflate stream without a header; what follows it is filling."""
    return _unzip(zlib.decompressobj(-15), raw, most)


def _unzip(unpacker: zlib._Decompress, raw: bytes, most: int) -> bytes:
    try:
        data = unpacker.decompress(raw, most + 1)
    except zlib.error:
        raise Malformed("a block does not inflate") from None
    if len(data) > most or (not unpacker.eof and len(data) < most):
        raise Malformed("a block does not inflate to its size")
    return data


def unzstd(raw: bytes, most: int) -> bytes:
    """A zstd frame of at most so many bytes; what follows it is filling."""
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    try:
        data: bytes = unpacker.decompress(raw)
    except zstandard.ZstdError:
        raise Malformed("a block does not unpack") from None
    if len(data) > most:
        raise Malformed("a block does not unpack to its size")
    return data


def checked(source: Source, entries: int, width: int, at: int, budget: Budget) -> None:
    """Raises `Malformed` where a table of that many entries does not lie in the container."""
    budget.pay()
    if entries < 0 or at < 0 or at + entries * width > source.size:
        raise Malformed("a table past the end of the container")

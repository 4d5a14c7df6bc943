"""Bytes in pieces, and bytes that a decompressor makes: bounded memory, whatever the size."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from threading import Lock
from typing import Generic, Protocol, TypeVar, cast

from hakushi.media import Memory
from hakushi.model import Extent, Locator, Malformed, Source, Unreadable
from hakushi.recover import Measure
from hakushi.recover.cursor import Budget, Short, Spent

T = TypeVar("T")

PIECE = 1 << 20
"""Bytes of the largest piece that is read at once."""

_FIRST = 1 << 16
"""Bytes of the first piece: most candidates end in it."""

_BITE = 4096
"""Bytes that a decompressor gets at once."""

_STEP, _SOON = 1024, 6144
"""Bytes that are inflated at once where many are tried, and within which foreign ones break."""

HELD = 32 << 20
"""Derived bytes up to this size are kept in memory; larger ones are made anew by each pass."""

LARGEST = 16 << 30
"""No member is derived beyond so many bytes, whoever asks."""

_REMEMBERED = 2 << 20
"""Bytes of a beginning that are remembered."""

_NEAR = 4 << 20
"""Bytes behind the furthest byte made that a large derived source still holds."""


class Torn(Malformed):
    """Broken, and known where: it reaches to ``at``, and is sound up to there or to ``sound``."""

    def __init__(self, why: str, at: int, sound: int | None = None) -> None:
        super().__init__(why)
        self.at = at
        self.sound = at if sound is None else min(at, sound)


def follow(source: Source, walk: Iterator[int]) -> Measure | None:
    """How far ``walk`` comes, which yields how far the structure is sound and ends at its end.

    None where it breaks before it said anything greater than 0.
    """
    at = 0
    try:
        for at in walk:  # noqa: B007 - the last one is used
            pass
    except Spent:
        raise
    except Short:
        return Measure(min(at, source.size), complete=False, more=True)
    except Malformed as error:
        sound = None
        if isinstance(error, Torn):
            at = max(at, min(error.at, source.size))
            sound = error.sound if error.sound < error.at else None
        return Measure(at, complete=False, broken=True, sound=sound) if at else None
    return Measure(at, complete=True) if at else None


def exhaust(walk: Iterator[object]) -> None:
    """Goes through a walk as far as it comes."""
    try:
        for _ in walk:
            pass
    except Spent:
        raise
    except Malformed:
        pass


def pieces(
    source: Source, budget: Budget, at: int = 0, end: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of neighbouring pieces from ``at``; pays a step for each."""
    stop = source.size if end is None else min(end, source.size)
    length = _FIRST
    while at < stop:
        budget.pay()
        data = source.read(Extent(at, min(length, stop - at)))
        if not data:
            return
        yield at, data
        at += len(data)
        length = PIECE


def find(source: Source, needle: bytes, at: int, budget: Budget, end: int | None = None) -> int:
    """Offset of the first ``needle`` at or after ``at``, or -1."""
    tail = b""
    for start, data in pieces(source, budget, at, end):
        window = tail + data
        hit = window.find(needle)
        if hit >= 0:
            return start - len(tail) + hit
        tail = window[len(window) - len(needle) + 1 :]
    return -1


def rfind(source: Source, needle: bytes, reach: int) -> int:
    """Offset of the last ``needle`` within ``reach`` bytes of the end, or -1."""
    start = max(0, source.size - reach)
    hit = source.read(Extent(start, source.size - start)).rfind(needle)
    return -1 if hit < 0 else start + hit


def whole(source: Source, budget: Budget, most: int) -> bytes:
    """All bytes of a small source. Raises Malformed where it is larger than ``most``."""
    if source.size > most:
        raise Malformed(f"{source.size} bytes are too many to parse at once")
    return b"".join(data for _, data in pieces(source, budget))


class Remembered(Generic[T]):
    """What walks found of the last beginnings, by their bytes: whoever puts a file together out of
    pieces asks again and again for the same one.
    """

    def __init__(self) -> None:
        self._data = b""
        self._states: list[tuple[int, T]] = []

    def start(self, source: Source) -> tuple[int, T] | None:
        """The furthest (offset, state) of the last walk whose bytes before it stand here, too."""
        if not self._states:
            return None
        data = source.read(Extent(0, min(source.size, len(self._data))))
        self._states = [one for one in self._states if data[: one[0]] == self._data[: one[0]]]
        self._data = self._data[: self._states[-1][0]] if self._states else b""
        return self._states[-1] if self._states else None

    def keep(self, source: Source, at: int, state: Callable[[], T]) -> None:
        """Notes the state of a walk that came to ``at``; fewer the further it is."""
        last = self._states[-1][0] if self._states else 0
        if last + last // 4 + _FIRST // 4 <= at <= _REMEMBERED:
            self._data += source.read(Extent(last, at - last))
            self._states.append((at, state()))


class Decompressor(Protocol):
    """What bz2, lzma and igzip decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Packed:
    """One compressed stream inside a source, from ``at``.

    ``end`` is the offset behind it, valid once `run` has ended; where it breaks off, the place up
    to which it was read. ``fed`` is the offset behind what made the last piece.
    """

    def __init__(
        self, make: Callable[[], Decompressor], source: Source, at: int, end: int | None = None
    ) -> None:
        self._make = make
        self._source = source
        self._at = at
        self._stop = source.size if end is None else min(end, source.size)
        self.end = self.fed = at

    def run(self, budget: Budget) -> Iterator[bytes]:
        """Unpacked pieces of at most `PIECE` bytes; Malformed where the stream breaks off."""
        engine = guarded(self._make)
        for at, data in pieces(self._source, budget, self._at, self._stop):
            # Small bites, so that `end` tells where it broke.
            for start in range(0, len(data), _BITE):
                self.end = at + start
                fed = data[start : start + _BITE]
                self.fed = behind = self.end + len(fed)
                while True:
                    out = guarded(partial(engine.decompress, fed, PIECE))
                    if out:
                        budget.pay(output=len(out))
                        yield out
                    if engine.eof:
                        self.end = behind - len(engine.unused_data)
                        return
                    fed = b""
                    if engine.needs_input:
                        break
        self.end = self._stop
        if self._stop == self._source.size:
            raise Short("the compressed stream breaks off")
        raise Malformed("the compressed stream breaks off")


def guarded(act: Callable[[], T]) -> T:
    """What it gives; whatever a decompressor raises is `Malformed`."""
    try:
        return act()
    except _broken() as error:
        raise Malformed(f"compressed stream: {error}") from None


@cache
def _broken() -> tuple[type[Exception], ...]:
    from lzma import LZMAError

    from isal import igzip_lib
    from zstandard import ZstdError

    # Its stub calls the exception class an exception.
    igzip_error = cast("type[Exception]", igzip_lib.IsalError)
    return (OSError, LZMAError, EOFError, ValueError, MemoryError, ZstdError, igzip_error)


def inflate(source: Source, at: int, end: int | None = None) -> Packed:
    """A raw deflate stream (RFC 1951)."""

    def make() -> Decompressor:
        from isal import igzip_lib

        engine: Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        return engine

    return Packed(make, source, at, end)


def inflates(source: Source, at: int, end: int, budget: Budget) -> int | None:
    """Where a zlib stream (RFC 1950) breaks; None if it stands there whole, with its checksum."""
    packed = Packed(_zlib, source, at, end)
    try:
        for _ in packed.run(budget):
            pass
    except Spent:
        raise
    except Malformed:
        return packed.end
    return None


def _zlib() -> Decompressor:
    from isal import igzip_lib

    engine: Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    return engine


def inflates_on(
    source: Source,
    at: int,
    wrapped: bool,
    inner: Callable[[Source], Callable[[bytes], float] | None],
) -> Callable[[bytes], float] | None:
    """For a deflated stream (``wrapped``: of zlib) that the source's end cuts: `Format.goes_on`.

    ``inner`` gets what it holds so far, and may tell how that goes on.
    """
    engine = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    try:
        held = engine.decompress(source.read(Extent(at, min(source.size - at, HELD))), HELD)
    except zlib.error:
        return None
    if engine.eof or engine.unconsumed_tail:
        return None
    further = inner(Memory(held, source.locator))

    def tried(data: bytes) -> float:
        made = inflated(engine, data)
        if made is None:
            return math.inf
        return further(made) if further else 1.0

    return tried


def inflated(engine: zlib._Decompress, data: bytes) -> bytes | None:
    """What a copy of an inflater makes of some bytes more; None where they soon break it."""
    copy, parts = engine.copy(), list[bytes]()
    for start in range(0, len(data), _STEP):
        try:
            parts.append(copy.decompress(data[start : start + _STEP], PIECE))
        except zlib.error:
            if start < _SOON:
                return None
            break
        if copy.eof:
            break
    return b"".join(parts)


def derive(make: Callable[[], Iterator[bytes]], locator: Locator) -> Source:
    """The bytes that ``make`` makes, as a Source; they end where it raises `Malformed`.

    ``make`` is run once now and, for what is too large to keep, again whenever a read goes back.
    """
    held: list[bytes] = []
    size = 0
    try:
        for piece in make():
            size += len(piece)
            if size <= HELD:
                held.append(piece)
            else:
                held.clear()
            if size > LARGEST:
                size = LARGEST
                break
    except Malformed:
        pass
    return Memory(b"".join(held), locator) if size <= HELD else Derived(make, size, locator)


class Derived:
    """A large derived Source: keeps a window of what was made last, starts again to go back."""

    def __init__(self, make: Callable[[], Iterator[bytes]], size: int, locator: Locator) -> None:
        self._make = make
        self.size = size
        self.locator = locator
        self._lock = Lock()
        self._restart()

    def _restart(self) -> None:
        self._run = self._make()
        self._at = 0
        self._window = b""

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        if extent.offset >= end:
            return b""
        with self._lock:
            if extent.offset < self._at:
                self._restart()
            return self._upto(extent.offset, end)

    def _upto(self, start: int, end: int) -> bytes:
        """``start`` is not before the window."""
        parts, have = [self._window], self._at + len(self._window)
        while have < end:
            try:
                piece = next(self._run)
            except (StopIteration, Malformed) as error:
                self._restart()
                raise Unreadable(Extent(start, end - start), str(error) or "ended early") from None
            parts.append(piece)
            have += len(piece)
            if have - self._at > 2 * _NEAR and have < start:
                parts, self._at = [], have
        data = b"".join(parts)
        out = data[start - self._at : end - self._at]
        drop = max(0, min(len(data) - _NEAR, start - self._at))
        self._at += drop
        self._window = data[drop:]
        return out

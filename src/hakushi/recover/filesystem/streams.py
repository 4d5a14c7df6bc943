"""Streams that only The Sleuth Kit can put together: resident, compressed, or oddly stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from hakushi.fleet.child import Child, Limits
from hakushi.model import Extent, Locator, Malformed, Source, Unreadable
from hakushi.recover.filesystem import PROGRAM, largest

_KEPT = 4
"""Children that stay, those used last."""

_PIECE = 4 << 20
_LIMITS = Limits(cpu=4 * 3600, seconds=120.0)


def member(
    source: Source, format: str, type: str, value: str, locator: Locator | None = None
) -> Source:
    """The bytes of a stream by its locator step (``INUM-TYPE-ID``), at its own or ``locator``."""
    parts = value.split("-")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 16 for p in parts):
        raise Malformed(f"no stream is called {value[:60]!r}")
    place = locator or source.locator.step(format, value)
    return Derived(source, place, [type, *map(int, parts)])


class Derived:
    """One stream, by way of the child that is kept for its file system."""

    __slots__ = ("_parent", "_stream", "locator", "size")

    def __init__(self, source: Source, locator: Locator, stream: list[Any]) -> None:
        self._parent = source
        self._stream = stream
        self.locator = locator
        self.size = min(_child(source).open(stream), largest(source))

    def read(self, extent: Extent) -> bytes:
        length = max(0, min(extent.end, self.size) - extent.offset)
        out = []
        for at in range(extent.offset, extent.offset + length, _PIECE):
            piece = min(_PIECE, extent.offset + length - at)
            try:
                data = _child(self._parent).read(self._stream, at, piece)
            except Malformed as error:
                raise Unreadable(Extent(extent.offset, length), str(error)) from None
            if len(data) != piece:
                raise Unreadable(Extent(extent.offset, length), "the stream ended early")
            out.append(data)
        return out[0] if len(out) == 1 else b"".join(out)


class _Opened:
    """A child and the stream that is open in it; a dead child is replaced once a question."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._child = Child(PROGRAM, source, _LIMITS)
        self._at: list[Any] | None = None
        self._size = 0

    def open(self, stream: list[Any]) -> int:
        with self._lock:
            return self._open(stream)

    def read(self, stream: list[Any], offset: int, length: int) -> bytes:
        with self._lock:
            self._open(stream)
            answer = list(self._child.ask(["read", offset, length]))
        return b"".join(part for part in answer if isinstance(part, bytes))

    def _open(self, stream: list[Any]) -> int:
        if self._at == stream and self._child.alive:
            return self._size
        if not self._child.alive:
            self._child = Child(PROGRAM, self.source, _LIMITS)
        self._at = None
        answer = list(self._child.ask(["open", *stream]))
        if len(answer) != 1 or not isinstance(answer[0], int) or answer[0] < 0:
            raise Malformed("the parser sent nonsense")
        self._at, self._size = stream, answer[0]
        return self._size

    def close(self) -> None:
        with self._lock:
            self._child.close()


_pool: OrderedDict[tuple[int, Locator], _Opened] = OrderedDict()
_pool_lock = threading.Lock()


def _child(source: Source) -> _Opened:
    """The child of this file system. What it reads through stays the same object, so that a
    drive that was opened afresh is read afresh.
    """
    key = (id(foundation(source)), source.locator)
    with _pool_lock:
        opened = _pool.get(key)
        if opened is None:
            opened = _pool[key] = _Opened(source)
        _pool.move_to_end(key)
        old = _pool.popitem(last=False)[1] if len(_pool) > _KEPT else None
    if old is not None:
        old.close()
    return opened


def foundation(source: Source) -> Source:
    """The Source that is opened, below all windows on it."""
    while (parent := getattr(source, "_parent", None)) is not None:
        source = parent
    return source

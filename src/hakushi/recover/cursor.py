"""Checked reads, and what a walk may spend: the only way in which our parsers get bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hakushi.model import Extent, Malformed, Source, Unreadable


class Short(Malformed):
    """The source ended before the structure did."""


class Cursor:
    """Checked reads over a Source. Past the end is `Short`, unreadable is `Malformed`, no other.

    Reads ahead in pages of 64 KiB (``page``), so that small fields are cheap.
    """

    __slots__ = ("_at", "_page", "_page_at", "_size", "source")

    def __init__(self, source: Source, page: int = 1 << 16) -> None:
        self.source = source
        self._page = b""
        self._page_at = 0
        self._size = page
        self._at = 0

    @property
    def size(self) -> int:
        return self.source.size

    def take(self, at: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``at``."""
        if at < 0 or length < 0 or at + length > self.source.size:
            raise Short(f"{length} bytes at {at} are past the end")
        start = at - self._page_at
        if start >= 0 and start + length <= len(self._page):
            return self._page[start : start + length]
        try:
            if length >= self._size:
                return self.source.read(Extent(at, length))
            self._page = self.source.read(Extent(at, self._size))
            self._page_at = at
        except Unreadable as error:
            # A smaller read may still miss the bad sector behind the page's first bytes.
            try:
                return self.source.read(Extent(at, length))
            except Unreadable:
                raise Malformed(f"unreadable: {error}") from None
        return self._page[:length]

    def uint(self, at: int, length: int, order: str = "<") -> int:
        """An unsigned integer of 1 to 8 bytes, ``<`` little or ``>`` big endian."""
        return int.from_bytes(self.take(at, length), "little" if order == "<" else "big")

    def u8(self, at: int) -> int:
        return self.take(at, 1)[0]

    def u16(self, at: int, order: str = "<") -> int:
        return self.uint(at, 2, order)

    def u32(self, at: int, order: str = "<") -> int:
        return self.uint(at, 4, order)

    def u64(self, at: int, order: str = "<") -> int:
        return self.uint(at, 8, order)

    def has(self, at: int, value: bytes) -> bool:
        """Whether ``value`` stands at ``at``; False past the end."""
        return at >= 0 and at + len(value) <= self.size and self.take(at, len(value)) == value


class Spent(Malformed):
    """A budget ran out: the walk stops here, and says so."""


@dataclass(slots=True)
class Budget:
    """What a walk may spend. Every loop over bytes from outside pays; `Spent` when it is gone.

    ``depth`` counts nesting that is still allowed; `deeper` shares every purse but that one.
    """

    artifacts: int = 5_000_000
    output: int = 1 << 40
    """Bytes that derivation may make."""
    steps: int = 200_000_000
    depth: int = 8
    deadline: float | None = None
    """`time.monotonic` value."""
    _shared: Budget | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        *,
        seconds: float | None = None,
        output: int = 1 << 40,
        depth: int = 8,
        artifacts: int = 5_000_000,
        steps: int = 200_000_000,
    ) -> Budget:
        return cls(
            artifacts, output, steps, depth, None if seconds is None else time.monotonic() + seconds
        )

    def _purse(self) -> Budget:
        return self if self._shared is None else self._shared

    def pay(self, *, steps: int = 1, output: int = 0, artifacts: int = 0) -> None:
        purse = self._purse()
        purse.steps -= steps
        purse.output -= output
        purse.artifacts -= artifacts
        if purse.steps < 0:
            raise Spent("budget: too many steps")
        if purse.output < 0:
            raise Spent("budget: too much output")
        if purse.artifacts < 0:
            raise Spent("budget: too many artifacts")
        if purse.deadline is not None and time.monotonic() > purse.deadline:
            raise Spent("budget: out of time")

    def deeper(self) -> Budget:
        """The budget for what lies one level inside."""
        if self.depth <= 0:
            raise Spent("budget: nested too deep")
        return Budget(depth=self.depth - 1, _shared=self._purse())

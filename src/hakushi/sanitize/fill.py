"""What an overwrite writes, and how to see where something else lies: fills addressed by offset."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from hakushi.media.linux import buffer
from hakushi.model import SECTOR, Extent, Message, message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

_STRIDE = 256 << 10
"""Bytes that stay in a core's cache between the cipher and the comparison."""
_AES = 16
MOST = 4 << 20
"""Bytes that a fill renders at once."""
_ZEROS = bytes(_STRIDE)


class Fill(Protocol):
    """Bytes for every offset of a drive. Law: `differs` is empty on what `render` gave there."""

    name: str
    writing: Message
    reading: Message

    def render(self, at: int, length: int) -> memoryview:
        """The bytes from ``at`` (a multiple of 16) on, page-aligned; until the thread's next."""

    def differs(self, at: int, data: memoryview) -> list[Extent]:
        """The sectors of ``data``, read from ``at``, that are not this fill's: runs, in order."""


class Keystream:
    """AES-256-CTR, its counter the byte offset over 16 (NIST SP 800-38A, 6.5).

    Any block can be made again from the key and its address: nothing is stored, a run can go on
    from anywhere, and a block that lies at a wrong address is seen.
    """

    name = "keystream"
    writing = message("writing the keystream")
    reading = message("reading the keystream back")

    def __init__(self, key: bytes, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._own = threading.local()

    def _stream(self, at: int) -> CipherContext:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        counter = modes.CTR((at // _AES).to_bytes(_AES, "big"))
        return Cipher(algorithms.AES256(self._key), counter).encryptor()

    def render(self, at: int, length: int) -> memoryview:
        if not hasattr(self._own, "out"):
            # The library wants room for one more block behind what it writes.
            self._own.out = memoryview(buffer(self._most + _AES))
        out: memoryview = self._own.out
        stream = self._stream(at)
        for start in range(0, length, _STRIDE):
            size = min(_STRIDE, length - start)
            stream.update_into(_ZEROS[:size], out[start : start + size + _AES])
        return out[:length]

    def differs(self, at: int, data: memoryview) -> list[Extent]:
        if not hasattr(self._own, "scratch"):
            self._own.scratch = bytearray(_STRIDE + _AES)
        scratch: bytearray = self._own.scratch
        stream = self._stream(at)
        found: list[Extent] = []
        for start in range(0, len(data), _STRIDE):
            piece = data[start : start + _STRIDE]
            # Keystream over keystream is zeros: one pass of the cipher, one of the comparison.
            stream.update_into(piece, scratch)
            found += _nonzero(at + start, memoryview(scratch)[: len(piece)])
        return _merged(found)


class Served:
    """A keystream whose key stays with somebody else, who serves its bytes.

    ``fetch`` gives ``length`` bytes from ``at`` on; raises OSError.
    """

    name = "served keystream"
    writing = message("writing the owner's keystream")
    reading = message("reading the owner's keystream back")

    def __init__(self, fetch: Callable[[int, int], bytes]) -> None:
        self._fetch = fetch
        self._own = threading.local()

    def render(self, at: int, length: int) -> memoryview:
        if not hasattr(self._own, "out"):
            self._own.out = memoryview(buffer(MOST))
        out: memoryview = self._own.out
        out[:length] = self._fetch(at, length)
        return out[:length]

    def differs(self, at: int, data: memoryview) -> list[Extent]:
        import numpy as np

        wanted = np.frombuffer(self._fetch(at, len(data)), np.uint8)
        return _nonzero(at, (wanted ^ np.frombuffer(data, np.uint8)).data)


class Zeros:
    """Nothing but zeros."""

    name = "zeros"
    writing = message("writing zeros")
    reading = message("reading the zeros back")

    def __init__(self, most: int) -> None:
        self._zeros = memoryview(buffer(most))

    def render(self, at: int, length: int) -> memoryview:  # noqa: ARG002 the same everywhere
        return self._zeros[:length]

    def differs(self, at: int, data: memoryview) -> list[Extent]:
        return _nonzero(at, data)


def _nonzero(at: int, data: memoryview) -> list[Extent]:
    """The sectors that hold anything but zeros, as runs."""
    import numpy as np

    whole = len(data) - len(data) % SECTOR
    words = np.frombuffer(data, np.uint64, whole // 8)
    tail = any(data[whole:])
    if not tail and not np.bitwise_or.reduce(words):
        return []
    dirty = words.reshape(-1, SECTOR // 8).any(axis=1)
    found = [Extent(at + int(i) * SECTOR, SECTOR) for i in np.flatnonzero(dirty)]
    if tail:
        found.append(Extent(at + whole, len(data) - whole))
    return _merged(found)


def _merged(runs: list[Extent]) -> list[Extent]:
    """Neighbours joined; the runs are in order."""
    out: list[Extent] = []
    for run in runs:
        if out and out[-1].end == run.offset:
            out[-1] = Extent(out[-1].offset, out[-1].length + run.length)
        else:
            out.append(run)
    return out

"""A Source that asks the medium itself: O_DIRECT, so that no page cache answers for it."""

from __future__ import annotations

import errno
import mmap
import os
import threading
from pathlib import Path

from hakushi.media.image import aligned
from hakushi.media.linux import buffer
from hakushi.model import Extent, Locator, Unreadable

PAGE = 4096
"""Every medium that we know takes direct I/O at this boundary; files need it."""
_STEP = 4 << 20


def open_direct(path: Path, flags: int) -> tuple[int, bool]:
    """A descriptor with O_DIRECT and True, or, where its file system has none, plain and False."""
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_DIRECT), True
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, flags | os.O_CLOEXEC), False


class Direct:
    """A Source over a block device or file, read past the page cache.

    ``direct`` is False where the file system refused O_DIRECT: then the cache may have answered.
    ``unit`` is the boundary of direct reads. Any number of threads.
    """

    def __init__(self, path: Path, size: int, locator: Locator, unit: int = PAGE) -> None:
        self._fd = -1
        self.path = path
        self.size = size
        self.locator = locator
        self.unit = unit
        self._own = threading.local()
        self._fd, self.direct = open_direct(path, os.O_RDONLY)

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        parts, at = [], extent.offset
        while at < end:
            wide = aligned(Extent(at, min(_STEP, end - at)), self.unit)
            bounce = memoryview(self._bounce(wide.length))[: wide.length]
            got = self._fill(wide.offset, bounce, min(wide.end, self.size) - wide.offset)
            upto = min(end, wide.offset + got)
            parts.append(bytes(bounce[at - wide.offset : upto - wide.offset]))
            at = upto
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def into(self, at: int, view: memoryview) -> None:
        """Fills the view with the bytes from ``at`` on, without a copy where it is aligned.

        The view must begin on a page boundary and lie inside the source. Raises `Unreadable`.
        """
        if at % self.unit or len(view) % self.unit:
            view[:] = self.read(Extent(at, len(view)))
        else:
            self._fill(at, view, len(view))

    def _fill(self, at: int, view: memoryview, wanted: int) -> int:
        """Reads at least ``wanted`` bytes (the rest of the view may lie past the end)."""
        done = 0
        while done < wanted:
            try:
                got = os.preadv(self._fd, [view[done:]], at + done)
            except OSError as error:
                why = error.strerror or "error"
                raise Unreadable(Extent(at, wanted), why) from None
            if not got:
                raise Unreadable(Extent(at, wanted), "the medium ended early")
            done += got
        return done

    def _bounce(self, size: int) -> mmap.mmap:
        mine: mmap.mmap | None = getattr(self._own, "buffer", None)
        if mine is None or len(mine) < size:
            mine = self._own.buffer = buffer(max(size, 1 << 20))
        return mine

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()

"""Sources over files and memory: raw, split raw, windows, runs."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hakushi.model import (
    SECTOR,
    Extent,
    Locator,
    Message,
    Refused,
    Run,
    Source,
    Unreadable,
    message,
)

_ENDS = 1 << 20
"""Bytes at each end that an image's locator digests."""


class Memory:
    """A Source over bytes in memory."""

    __slots__ = ("_data", "locator", "size")

    def __init__(self, data: bytes, locator: Locator | None = None) -> None:
        self._data = data
        self.size = len(data)
        self.locator = locator or Locator.root("memory", hashlib.sha256(data).hexdigest()[:16])

    def read(self, extent: Extent) -> bytes:
        return self._data[extent.offset : extent.end]


class File:
    """A Source over one open file or block device, by `os.pread`: any number of threads.

    A file that shrank or vanished under us is `Unreadable`, never shorter data.
    """

    __slots__ = ("_fd", "locator", "path", "size")

    def __init__(self, path: Path, size: int, locator: Locator, flags: int = 0) -> None:
        self.path = path
        self.size = size
        self.locator = locator
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)

    def read(self, extent: Extent) -> bytes:
        length = max(0, min(extent.end, self.size) - extent.offset)
        parts, at, left = [], extent.offset, length
        while left:
            try:
                part = os.pread(self._fd, left, at)
            except OSError as error:
                raise Unreadable(Extent(extent.offset, length), error.strerror or "error") from None
            if not part:
                raise Unreadable(Extent(extent.offset, length), "the file ended early")
            parts.append(part)
            at += len(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


class Joined:
    """Sources one after the other: split raw."""

    __slots__ = ("_ends", "_parts", "locator", "size")

    def __init__(self, parts: Sequence[Source], locator: Locator) -> None:
        self._parts = tuple(parts)
        self._ends: list[int] = []
        self.size = 0
        for part in parts:
            self.size += part.size
            self._ends.append(self.size)
        self.locator = locator

    def read(self, extent: Extent) -> bytes:
        out = []
        for part, end in zip(self._parts, self._ends, strict=True):
            start = end - part.size
            lo, hi = max(extent.offset, start), min(extent.end, end)
            if lo < hi:
                try:
                    out.append(part.read(Extent(lo - start, hi - lo)))
                except Unreadable as error:
                    raise error.moved(start) from None
        return b"".join(out)


class Window:
    """A contiguous part of another Source."""

    __slots__ = ("_at", "_parent", "locator", "size")

    def __init__(self, parent: Source, extent: Extent, locator: Locator) -> None:
        self._parent = parent
        self._at = min(extent.offset, parent.size)
        self.size = max(0, min(extent.end, parent.size) - self._at)
        self.locator = locator

    def read(self, extent: Extent) -> bytes:
        length = max(0, min(extent.end, self.size) - extent.offset)
        if not length:
            return b""
        try:
            return self._parent.read(Extent(self._at + extent.offset, length))
        except Unreadable as error:
            raise error.moved(-self._at) from None


class Runs:
    """Runs of another Source in order, holes as zeros, cut to ``size``: a file's content.

    Shorter runs than ``size`` give zeros at the end only for holes that are listed: bytes that no
    run covers are `Unreadable`.
    """

    __slots__ = ("_parent", "_runs", "_starts", "locator", "size")

    def __init__(self, parent: Source, runs: Sequence[Run], size: int, locator: Locator) -> None:
        self._parent = parent
        self._runs = tuple(runs)
        self._starts: list[int] = []
        at = 0
        for run in runs:
            self._starts.append(at)
            at += run.length
        self.size = size
        self.locator = locator

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        out, at = [], extent.offset
        # Not from the first run on: a file may lie in as many runs as it has clusters.
        first = max(0, bisect_right(self._starts, at) - 1)
        for index in range(first, len(self._runs)):
            if at >= end:
                break
            start, run = self._starts[index], self._runs[index]
            if start + run.length <= at:
                continue
            take = min(end, start + run.length) - at
            if run.at is None:
                out.append(bytes(take))
            else:
                try:
                    part = self._parent.read(Extent(run.at + at - start, take))
                except Unreadable as error:
                    raise error.moved(at - (run.at + at - start)) from None
                if len(part) != take:
                    raise Unreadable(Extent(at, take), "outside its parent")
                out.append(part)
            at += take
        if at < end:
            raise Unreadable(Extent(at, end - at), "no run holds these bytes")
        return b"".join(out)


# --- opening -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Medium:
    """An opened path: its Source, whether it is a device, and what must not change under us."""

    source: Source
    device: bool
    split: int = 1


def identity(source: Source) -> str:
    """Digest of the size and of both ends: names an image wherever it lies."""
    digest = hashlib.sha256(str(source.size).encode())
    for at in (0, max(0, source.size - _ENDS)):
        try:
            digest.update(source.read(Extent(at, _ENDS)))
        except Unreadable:
            digest.update(b"unreadable")
    return digest.hexdigest()[:16]


def open_path(path: Path) -> Medium:
    """Opens a raw image, the first part of a split raw image, or a block device, read-only.

    Refuses, with what to do: missing, a directory, no permission, an empty file, a pipe or socket.
    """
    try:
        info = path.stat()
    except OSError as error:
        raise Refused(_why_not(path, error)) from None
    if stat.S_ISDIR(info.st_mode):
        raise Refused(
            message("{path} is a directory; name a drive or an image file.", path=str(path))
        )
    if not (stat.S_ISREG(info.st_mode) or stat.S_ISBLK(info.st_mode)):
        raise Refused(message("{path} is neither a file nor a block device.", path=str(path)))
    root = Locator.root("image", "0")
    try:
        parts = [File(part, size_of(part), root) for part in _parts(path)]
    except OSError as error:
        raise Refused(_why_not(path, error)) from None
    whole = parts[0] if len(parts) == 1 else Joined(parts, root)
    if whole.size == 0:
        raise Refused(message("{path} is empty: there is nothing to look at.", path=str(path)))
    whole.locator = Locator.root("image", identity(whole))
    return Medium(whole, stat.S_ISBLK(info.st_mode), len(parts))


def size_of(path: Path) -> int:
    """Bytes of a file or a block device."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(fd, 0, os.SEEK_END)
    finally:
        os.close(fd)


def _parts(path: Path) -> list[Path]:
    """The path itself, or all parts of a split raw image that starts at it (.000 or .001)."""
    match = re.fullmatch(r"(.*\.)(0*)([01])", path.name)
    if not match or len(match[2]) + 1 < 3:
        return [path]
    width, parts, number = len(match[2]) + 1, [path], int(match[3]) + 1
    while (following := path.with_name(f"{match[1]}{number:0{width}d}")).is_file():
        parts.append(following)
        number += 1
    return parts


def _why_not(path: Path, error: OSError) -> Message:
    if isinstance(error, FileNotFoundError):
        return message("{path} does not exist; check the name.", path=str(path))
    if isinstance(error, PermissionError):
        return message(
            "No permission to read {path}; run as a user who may (for a drive, usually root).",
            path=str(path),
        )
    return message("{path} cannot be opened: {why}.", path=str(path), why=error.strerror or "?")


def aligned(extent: Extent, unit: int = SECTOR) -> Extent:
    """The smallest extent of whole units that holds it."""
    start = extent.offset - extent.offset % unit
    return Extent(start, -(-extent.end // unit) * unit - start)

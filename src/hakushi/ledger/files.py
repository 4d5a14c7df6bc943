"""A store in a folder: one file an object, durable, whole, with one writer.

A file is written beside its place, fsynced and renamed; then its folder is fsynced. Folders are
made 0700 and files 0600, as entries are not public.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from hakushi.ledger.store import Busy
from hakushi.model import Conflict, Refused, message

_LOCK = ".state/lock"
_BESIDE = ".new"
"""How a file is called that is not yet whole."""


class Files:
    """The store below ``folder``. `writing` makes the one that may change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = -1
        self._durable: set[Path] = set()
        """Folders that are known to be entered in the folder above, durably."""

    @classmethod
    def writing(cls, folder: Path) -> Files:
        """The folder's one writer, until `close` or the process ends; else `Busy`."""
        store = cls(folder)
        store._make((folder / _LOCK).parent)
        fd = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise Busy(
                message("Another process writes to {path}; let it end first.", path=str(folder))
            ) from None
        store._lock = fd
        return store

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # --- Store ------------------------------------------------------------------------------

    def read(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, objects: Mapping[str, bytes]) -> None:
        fresh = {}
        for name, data in objects.items():
            kept = self.read(name)
            if kept is None:
                fresh[name] = data
            elif kept != data:
                raise Conflict(f"{name} is there with other bytes")
        self._write(fresh)
        # Also of those that were there: who wrote them may have died before this.
        for folder in dict.fromkeys(self._path(name).parent for name in objects):
            _sync(folder)

    def swap(self, name: str, old: bytes | None, new: bytes) -> None:
        if self.read(name) != old:
            raise Conflict(f"{name} was changed by another")
        self._write({name: new})
        _sync(self._path(name).parent)

    def names(self, prefix: str) -> list[str]:
        return sorted(self._below(self._path(prefix), prefix))

    def remove(self, names: Iterable[str]) -> None:
        self._writer()
        for name in names:
            path = self._path(name)
            path.unlink(missing_ok=True)
            if path.parent.suffix == ".p":
                self._drop(path.parent)

    # --- files ------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        if ".." in name.split("/") or name.startswith("/"):
            raise ValueError(f"no name of an object: {name}")
        return self.folder / name

    def _writer(self) -> None:
        if self._lock < 0:
            raise Refused(message("{path} was opened for reading only.", path=str(self.folder)))

    def _write(self, objects: Mapping[str, bytes]) -> None:
        """Whole files under their names; their folders are not yet fsynced."""
        self._writer()
        paths = {self._path(name): data for name, data in objects.items()}
        besides = {path: path.with_name(path.name + _BESIDE) for path in paths}
        try:
            with ExitStack() as opened:
                # All are written before the first fsync, which then carries most of the rest.
                fds = [self._begin(besides[p], data, opened) for p, data in paths.items()]
                for fd in fds:
                    os.fsync(fd)
            for path, beside in besides.items():
                beside.replace(path)
        except OSError:
            # A checkpoint that was signed but never became the head must not lie about.
            with suppress(OSError):
                for beside in besides.values():
                    beside.unlink(missing_ok=True)
            raise

    def _begin(self, path: Path, data: bytes, opened: ExitStack) -> int:
        """Writes a new file; it stays open to be fsynced."""
        self._make(path.parent)
        fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        opened.callback(os.close, fd)
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        return fd

    def _make(self, folder: Path) -> None:
        """Makes a folder and those above it, each durable in its own."""
        if folder in self._durable:
            return
        if folder != self.folder:
            self._make(folder.parent)
        folder.mkdir(0o700, parents=folder == self.folder, exist_ok=True)
        # Also where it was there: who made it may have died before this.
        _sync(folder.parent)
        self._durable.add(folder)

    def _drop(self, folder: Path) -> None:
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise
        else:
            self._durable.discard(folder)

    def _below(self, folder: Path, prefix: str) -> Iterator[str]:
        if not folder.is_dir():
            return
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(folder / entry.name, f"{prefix}{entry.name}/")
            elif not entry.name.endswith(_BESIDE):
                yield prefix + entry.name


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

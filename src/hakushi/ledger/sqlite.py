"""A store in one SQLite file, durable on every commit, with one writer."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from hakushi.ledger.store import Busy
from hakushi.model import Conflict, Refused, message

_TABLE = "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT"


class Sqlite:
    """The store in ``path``; `writing` makes the one that may change it.

    Whatever SQLite cannot do (a full disk, a damaged file) is an `OSError`, as of any store.
    """

    def __init__(self, path: Path, lock: int = -1) -> None:
        self.path = path
        self._lock = lock
        self._using = threading.Lock()
        mode = "ro" if lock < 0 else "rw"
        with _told(path):
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )

    @classmethod
    def writing(cls, path: Path) -> Sqlite:
        """The file's one writer, until `close` or the process ends; else `Busy`."""
        lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Busy(
                message("Another process writes to {path}; let it end first.", path=str(path))
            ) from None
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        store = cls(path, lock)
        try:
            with _told(path):
                store._db.execute("PRAGMA journal_mode = WAL")
                # FULL: a commit returns once the write-ahead log is on the disk.
                store._db.execute("PRAGMA synchronous = FULL")
                store._db.execute(_TABLE)
        except OSError:
            store.close()
            raise
        return store

    def close(self) -> None:
        self._db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # --- Store ------------------------------------------------------------------------------

    def read(self, name: str) -> bytes | None:
        with self._using, _told(self.path):
            return self._get(name)

    def put(self, objects: Mapping[str, bytes]) -> None:
        with self._change():
            for name, data in objects.items():
                kept = self._get(name)
                if kept is None:
                    self._db.execute("INSERT INTO kept VALUES (?, ?)", (name, data))
                elif kept != data:
                    raise Conflict(f"{name} is there with other bytes")

    def swap(self, name: str, old: bytes | None, new: bytes) -> None:
        with self._change():
            if self._get(name) != old:
                raise Conflict(f"{name} was changed by another")
            self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, new))

    def names(self, prefix: str) -> list[str]:
        # "0" follows "/", so this is a run of the index.
        end = prefix[:-1] + "0"
        query = "SELECT name FROM kept WHERE name >= ? AND name < ? ORDER BY name"
        with self._using, _told(self.path), closing(self._db.execute(query, (prefix, end))) as rows:
            return [name for (name,) in rows]

    def remove(self, names: Iterable[str]) -> None:
        with self._change():
            self._db.executemany("DELETE FROM kept WHERE name = ?", [(name,) for name in names])

    # --- SQL ----------------------------------------------------------------------------------

    def _get(self, name: str) -> bytes | None:
        row = self._db.execute("SELECT data FROM kept WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction: all of it, durable, or nothing."""
        if self._lock < 0:
            raise Refused(message("{path} was opened for reading only.", path=str(self.path)))
        with self._using, _told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(path)) from error

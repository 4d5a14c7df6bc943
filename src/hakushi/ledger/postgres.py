"""A store in PostgreSQL, durable on every commit, with one writer (a lock of the session's).

Needs the part ``server``. A lost connection is an `OSError`, as a full disk is; the next call
connects again, and the swap of a cell still lets only one writer through.
"""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from hakushi.ledger.store import Busy
from hakushi.model import Conflict, Refused, message

if TYPE_CHECKING:
    from pg8000.native import Connection

SCHEME = "postgresql://"
_T = TypeVar("_T")
_TABLE = "CREATE TABLE IF NOT EXISTS hakushi_kept (name TEXT PRIMARY KEY, data BYTEA NOT NULL)"
_TIMEOUT = 30.0


class Postgres:
    """The store in a database, by its address. `writing` makes the one that may change it."""

    def __init__(self, url: str, *, writer: bool = False) -> None:
        self.url = url
        self._words = connection_words(url)
        self._writer = writer
        self._using = threading.Lock()
        self._db: Connection | None = None

    @classmethod
    def writing(cls, url: str) -> Postgres:
        """The database's one writer, until `close` or the connection ends; else `Busy`."""
        store = cls(url, writer=True)
        store._do(lambda db: db.run(_TABLE))
        return store

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(Exception):
                db.close()

    # --- Store ------------------------------------------------------------------------------

    def read(self, name: str) -> bytes | None:
        return self._do(lambda db: _get(db, name))

    def put(self, objects: Mapping[str, bytes]) -> None:
        def change(db: Connection) -> None:
            for name, data in objects.items():
                words = "INSERT INTO hakushi_kept VALUES (:name, :data) ON CONFLICT DO NOTHING"
                db.run(words, name=name, data=data)
                if not db.row_count and _get(db, name) != data:
                    raise Conflict(f"{name} is there with other bytes")

        self._change(change)

    def swap(self, name: str, old: bytes | None, new: bytes) -> None:
        def change(db: Connection) -> None:
            if old is None:
                words = "INSERT INTO hakushi_kept VALUES (:name, :new) ON CONFLICT DO NOTHING"
                db.run(words, name=name, new=new)
            else:
                words = "UPDATE hakushi_kept SET data = :new WHERE name = :name AND data = :old"
                db.run(words, name=name, new=new, old=old)
            if db.row_count != 1:
                raise Conflict(f"{name} was changed by another")

        self._change(change)

    def names(self, prefix: str) -> list[str]:
        words = (
            'SELECT name FROM hakushi_kept WHERE starts_with(name, :p) ORDER BY name COLLATE "C"'
        )
        return [name for (name,) in self._do(lambda db: db.run(words, p=prefix)) or ()]

    def remove(self, names: Iterable[str]) -> None:
        wanted = list(names)

        def change(db: Connection) -> None:
            for name in wanted:
                db.run("DELETE FROM hakushi_kept WHERE name = :name", name=name)

        self._change(change)

    # --- SQL ----------------------------------------------------------------------------------

    def _change(self, what: Callable[[Connection], None]) -> None:
        """One transaction: all of it, durable, or nothing."""
        if not self._writer:
            raise Refused(message("{path} was opened for reading only.", path=shown(self.url)))

        def whole(db: Connection) -> None:
            db.run("BEGIN")
            try:
                what(db)
            except Conflict:
                db.run("ROLLBACK")
                raise
            db.run("COMMIT")

        self._do(whole)

    def _do(self, what: Callable[[Connection], _T]) -> _T:
        from pg8000.exceptions import DatabaseError, InterfaceError

        with self._using:
            try:
                return what(self._connected())
            except (DatabaseError, InterfaceError, OSError) as error:
                # Whatever it was, what the session held is not known any more.
                self.close()
                full = "53100" in str(error)
                code = errno.ENOSPC if full else errno.EIO
                raise OSError(code, _why(error), shown(self.url)) from error

    def _connected(self) -> Connection:
        from pg8000.native import Connection

        if self._db is None:
            self._db = Connection(timeout=_TIMEOUT, application_name="hakushi", **self._words)
            self._db.run("SET synchronous_commit = on")
            if self._writer:
                lock = int.from_bytes(hashlib.sha256(b"hakushi log").digest()[:8], signed=True)
                if self._db.run("SELECT pg_try_advisory_lock(:lock)", lock=lock) != [[True]]:
                    self.close()
                    raise Busy(
                        message(
                            "Another process writes to {path}; let it end first.",
                            path=shown(self.url),
                        )
                    )
        return self._db


def _get(db: Connection, name: str) -> bytes | None:
    rows = db.run("SELECT data FROM hakushi_kept WHERE name = :name", name=name) or ()
    for (data,) in rows:
        return bytes(data)
    return None


def _why(error: Exception) -> str:
    told = error.args[0] if error.args else str(error)
    return str(told.get("M", told) if isinstance(told, dict) else told)[:200]


def connection_words(url: str) -> dict[str, Any]:
    """``postgresql://user:password@host:port/database?host=/socket/folder`` as what connects."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    try:
        port = parts.port or 5432
    except ValueError:
        raise Refused(message("{path} is no address of a database.", path=shown(url))) from None
    words: dict[str, Any] = {
        "user": unquote(parts.username or "postgres"),
        "database": unquote(parts.path.strip("/")) or "postgres",
        "port": port,
    }
    if parts.password is not None:
        words["password"] = unquote(parts.password)
    if "host" in asked:
        words["unix_sock"] = f"{asked['host'][0]}/.s.PGSQL.{port}"
    else:
        words["host"] = parts.hostname or "localhost"
    return words


def shown(url: str) -> str:
    """The address without its password."""
    parts = urlsplit(url)
    return f"{SCHEME}{parts.hostname or ''}{parts.path}"

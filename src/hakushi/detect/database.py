"""Compiled sets of patterns for hyperscan, kept in files between processes."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


class Missing(Exception):
    """No library for fast search is installed."""


class Compiled:
    """A database that any thread may search: each has its own scratch."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._local = threading.local()

    def search(self, data: bytes, hit: Callable[[int, int, int, int, object], None]) -> None:
        """Calls ``hit`` with (pattern, start, end, …) for every match."""
        import hyperscan

        if not hasattr(self._local, "scratch"):
            self._local.scratch = hyperscan.Scratch(self._database)
        self._database.scan(data, match_event_handler=hit, scratch=self._local.scratch)


def compiled(patterns: Sequence[bytes], flags: Sequence[int], path: Path | None = None) -> Compiled:
    """The database of some patterns, whose ids are their places.

    Kept in ``path``, made anew where the file is not ours to the byte, or of another processor.
    Raises `Missing` without the library.
    """
    try:
        import hyperscan
    except ImportError:
        raise Missing("hyperscan is not installed") from None
    name = _name(patterns, flags, str(getattr(hyperscan, "__version__", "")))
    database = None if path is None else _load(path, name)
    if database is None:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        ids = list(range(len(patterns)))
        database.compile(expressions=list(patterns), ids=ids, flags=list(flags))
        if path is not None:
            _save(path, name, hyperscan.dumpb(database))
    return Compiled(database)


def _name(patterns: Sequence[bytes], flags: Sequence[int], version: str) -> str:
    state = hashlib.sha256(version.encode())
    for pattern, flag in zip(patterns, flags, strict=True):
        state.update(pattern + b"\0%d\0" % flag)
    return state.hexdigest()


def _load(path: Path, name: str) -> Any:
    import hyperscan

    try:
        head, body = path.read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        return None
    if head != _stamp(name, body):
        return None
    try:
        return hyperscan.loadb(body, hyperscan.HS_MODE_BLOCK)
    except hyperscan.error:
        return None


def _stamp(name: str, body: bytes) -> bytes:
    return f"hakushi {name} {hashlib.sha256(body).hexdigest()}".encode()


def _save(path: Path, name: str, body: bytes) -> None:
    """Aside and renamed: a reader sees a whole file or none. A full disk is no error here."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(_stamp(name, body) + b"\n" + body)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)

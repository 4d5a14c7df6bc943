"""Settings -> the real objects of a bench, in one place."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from functools import partial
from pathlib import Path

from hakushi import detect
from hakushi.detect import persons
from hakushi.fleet import here
from hakushi.fleet.here import Here
from hakushi.model import Refused, message


def engine(name: str, jobs: int) -> Here:
    """``here``, or refused: other engines are not built in yet."""
    if name == "here":
        return Here(jobs, begin=partial(_begin, prefilter_cache()))
    raise Refused(
        message("There is no engine called {name}; only 'here' is built in.", name=name[:60])
    )


def _begin(cache: Path | None) -> None:
    """A worker's first act, unless it was prepared."""
    if not detect.is_warm():
        detect.warm(cache)


def prepare() -> None:
    """Begins to load what an engine's workers need, and what counts in the end, beside what is done
    before that.
    """
    here.prepare("hakushi.app.ready")
    threading.Thread(target=persons.warm, daemon=True).start()


def prefilter_cache() -> Path | None:
    """Where the compiled prefilter is kept: in the environment that the program runs in."""
    folder = Path(sys.prefix) / "hakushi"
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return folder / "prefilter.db"


def key_path(case: Path) -> Path:
    """Where the key of a case's counting hashes lies while it is needed."""
    return case.with_name(case.name + ".key")


def new_key(case: Path, key: bytes | None = None) -> bytes:
    """A counting key, a fresh one unless given, kept beside the case with mode 0600."""
    key = secrets.token_bytes(32) if key is None else key
    path = key_path(case)
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    return key


def read_key(case: Path) -> bytes | None:
    """The counting key of a case, or None where it is gone."""
    try:
        key = key_path(case).read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == 32 else None


def destroy_key(case: Path) -> None:
    """Overwrites and removes the counting key. On flash the old cells may outlive this."""
    path = key_path(case)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.write(fd, bytes(32))
        os.fsync(fd)
    finally:
        os.close(fd)
    path.unlink(missing_ok=True)

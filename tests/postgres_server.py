"""A PostgreSQL server of the tests' own, in a temporary folder, on a socket alone."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pg8000.native import Connection

_numbers = count()


def binaries() -> Path | None:
    """Where the newest server is installed; Debian keeps it off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def server() -> Iterator[Path]:
    """Runs one; gives the folder of its socket. The server refuses root, so another user runs it."""
    where = binaries()
    assert where is not None
    folder = Path(tempfile.mkdtemp(prefix="hakushi-pg-"))
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    try:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        words = ("-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run([where / "initdb", *words], check=True, capture_output=True, cwd="/", **user)
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        ctl = [where / "pg_ctl", "-D", folder / "data", "-w", "-s"]
        log = ("-l", folder / "log", "-o", options)
        subprocess.run([*ctl, *log, "start"], check=True, cwd="/", **user)
        try:
            yield folder
        finally:
            subprocess.run([*ctl, "-m", "immediate", "stop"], check=False, cwd="/", **user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def database(folder: Path) -> str:
    """The address of a new, empty database."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    db = Connection("postgres", unix_sock=str(folder / ".s.PGSQL.5432"))
    try:
        db.run(f"CREATE DATABASE {name}")
    finally:
        db.close()
    return f"postgresql://postgres@/{name}?host={folder}"

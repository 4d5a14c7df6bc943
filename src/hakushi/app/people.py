"""People as commitments; what opens them is kept beside the keys, readable to nobody else."""

from __future__ import annotations

import fcntl
import os
import secrets

from hakushi.app import keys
from hakushi.custody.events import Commitment, commitment


def opened(made: str) -> tuple[str, str] | None:
    """(salt, name) of a commitment that was made here; None where it was not."""
    path = keys.settings_folder() / "people"
    if not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        known, _, rest = line.partition(" ")
        if known == made:
            salt, _, name = rest.partition(" ")
            return salt, name
    return None


def commit(name: str) -> Commitment:
    """The commitment to a person: the same each time here, so that the rule can hold that nobody
    accepts their own work; another one at any other bench.
    """
    name = " ".join(name.split())
    folder = keys.settings_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC
    with os.fdopen(os.open(folder / "people", flags, 0o600), "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for line in file:
            made, _, rest = line.rstrip("\n").partition(" ")
            if rest.partition(" ")[2] == name:
                return Commitment(made)
        salt = secrets.token_bytes(16)
        made = commitment(name, salt)
        file.write(f"{made} {salt.hex()} {name}\n")
        file.flush()
        os.fsync(file.fileno())
    return made

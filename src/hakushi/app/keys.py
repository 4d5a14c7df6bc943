"""The verbs on keys: make one, find one, show its public half.

A key is a file of one line, mode 0600, in the form of Go's ``note`` package
(``docs/decisions/0011-keys-are-one-line.md``).
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from hakushi.app import extras
from hakushi.ledger import token
from hakushi.ledger.keys import Kind, Signer
from hakushi.ledger.token import Place
from hakushi.model import Malformed, Message, Refused, message

__all__ = ["KINDS", "PIN", "Place", "folder", "known", "load", "new", "new_in_token", "place"]

KINDS = {
    "ed25519": Kind.ED25519,
    "ed25519-cosign": Kind.ED25519_COSIGNATURE,
    "ml-dsa-44": Kind.ML_DSA_44_COSIGNATURE,
}
"""What a person calls each type of key."""

PIN = "HAKUSHI_PIN"
"""Names the variable that holds a token's PIN."""
_LARGEST = 4096

Say = Callable[[Message], None]


def folder() -> Path:
    """Where keys lie that are called by name."""
    return settings_folder() / "keys"


def settings_folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "hakushi"


def new_name() -> str:
    """A name that nobody else has and that says nothing of a person."""
    return f"hakushi/{secrets.token_hex(8)}"


def new(name: str | None, kind: str = "ed25519", path: Path | None = None) -> tuple[Path, Signer]:
    """Makes a key and keeps it. Refused where there is a file already."""
    if kind not in KINDS:
        raise Refused(
            message(
                "There is no key type {kind}; there are: {known}.",
                kind=kind[:40],
                known=", ".join(KINDS),
            )
        )
    try:
        signer = Signer.new(name or new_name(), KINDS[kind])
    except Malformed:
        raise Refused(
            message("A key's name has no spaces and no plus signs: {name}", name=str(name)[:80])
        ) from None
    path = path or _place(signer.name)
    write(path, signer)
    return path, signer


def new_in_token(
    name: str | None, kind: str, where: Place, path: Path | None, say: Say
) -> tuple[Path, Signer]:
    """Makes a key in a token, and a file that says where it is."""
    extras.need("hsm", say)
    name = name or new_name()
    path = path or _place(name)
    if path.exists():
        raise Refused(message("{path} exists already; a key is never overwritten.", path=str(path)))
    signer = token.new(name, KINDS.get(kind, Kind.ED25519), where, _pin())
    _write(path, token.line(signer.verifier, where))
    return path, signer


def _pin() -> str:
    """The token's PIN: from the environment, else asked for where somebody sits."""
    if (told := os.environ.get(PIN)) is not None:
        return told
    if not sys.stdin.isatty():
        raise Refused(message("The token's PIN is needed; set {name}.", name=PIN))
    return getpass.getpass("PIN: ")


def _silent(_told: Message) -> None:
    """A key is opened in the midst of other work: nobody to tell."""


def write(path: Path, signer: Signer) -> None:
    """Keeps a key in a new file that only its owner can read."""
    _write(path, signer.secret)


def _write(path: Path, line: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Refused(
            message("{path} exists already; a key is never overwritten.", path=str(path))
        ) from None
    try:
        os.write(fd, f"{line}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def load(name: str) -> Signer:
    """The key in that file, or of that name; `Refused` where it is missing, torn or open to all."""
    path = Path(name) if Path(name).is_file() else _place(name)
    if not path.is_file():
        raise Refused(
            message("There is no key {name}; `hakushi key new` makes one.", name=name[:200])
        )
    if path.stat().st_mode & 0o077:
        raise Refused(
            message("Others can read the key {path}; run: chmod 600 {path}", path=str(path))
        )
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace").removesuffix("\n")
        if text.startswith(token.MARK):
            extras.need("hsm", _silent)
            return token.parse(text, _pin)
        return Signer.parse(text)
    except Malformed as error:
        raise Refused(
            message("{path} is not a key: {why}.", path=str(path), why=str(error))
        ) from None


def place(name: str) -> Path:
    """The file of a key: the one of that name among the kept ones, where no such path is."""
    if not Path(name).is_file() and _place(name).is_file():
        return _place(name)
    return Path(name)


def known() -> Iterator[tuple[Path, Signer]]:
    """Every key that is called by name."""
    if folder().is_dir():
        for path in sorted(folder().glob("*.key")):
            yield path, load(str(path))


def _place(name: str) -> Path:
    """A file name of our own making; names differ, so do their files."""
    safe = re.sub(r"[^\w.-]+", "-", name)[:80]
    return folder() / f"{safe}.key"

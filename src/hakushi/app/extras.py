"""Heavier parts of the program that are added when a command first needs them.

An extra is a lock file ``requirements/NAME.lock`` beside the source and the modules it gives. It
is installed into a folder of the virtual environment, built aside and renamed; a ``.pth`` file,
written last, makes every process of the environment see it, so that an interrupted set-up leaves
nothing that looks finished. An environment that the launcher did not make is left alone.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import hakushi
from hakushi.app.words import tell
from hakushi.model import Message, Refused, message

_LOCKS = Path(hakushi.__file__).resolve().parents[2] / "requirements"


@dataclass(frozen=True, slots=True)
class Extra:
    """One part: what it is for, the modules that it gives, and its size on the line and disk."""

    name: str
    about: Message
    modules: tuple[str, ...]
    fetch_mb: int
    disk_mb: int


EXTRAS = {
    one.name: one
    for one in (
        Extra(
            "pdf",
            message("setting and signing of PDF certificates"),
            ("typst", "pyhanko", "segno"),
            45,
            130,
        ),
        Extra("hsm", message("keys in hardware (PKCS#11)"), ("pkcs11",), 5, 15),
        Extra("server", message("logs in PostgreSQL"), ("pg8000",), 1, 3),
        Extra(
            "ocr",
            message("reading of text in pictures"),
            ("PIL", "cv2", "onnxruntime", "rapidocr"),
            130,
            330,
        ),
    )
}


def present(name: str) -> bool:
    """Whether the modules of an extra can be imported now."""
    return all(find_spec(module) is not None for module in EXTRAS[name].modules)


def need(name: str, say: Callable[[Message], None]) -> None:
    """Makes the modules of an extra importable: adds it, once, saying what and how large.

    Refused where it cannot be added: no network, no room, an environment that is not ours.
    """
    extra, lock = EXTRAS[name], _LOCKS / f"{name}.lock"
    kept = Path(sys.prefix) / "extras" / name / "made-from.lock"
    if present(name) and (not kept.exists() or _same(kept, lock)):
        return
    if not (lock.is_file() and (Path(sys.prefix) / "made-from.lock").is_file()):
        raise Refused(
            message(
                "This needs a further part: {about}. Add it with: pip install 'hakushi[{name}]'",
                about=tell(extra.about),
                name=name,
            )
        )
    say(
        message(
            "Adding a further part, once: {about} (about {fetch} MB to fetch, {disk} MB on disk).",
            about=tell(extra.about),
            fetch=extra.fetch_mb,
            disk=extra.disk_mb,
        )
    )
    _install(name, lock)
    importlib.invalidate_caches()
    if not present(name):
        raise Refused(_failed(name, "its modules cannot be imported"))


def _install(name: str, lock: Path) -> None:
    """Fetches what the lock names; whoever comes second waits and finds it done."""
    home = Path(sys.prefix) / "extras"
    place, new = home / name, home / f"{name}.new"
    pth = Path(sysconfig.get_path("purelib")) / f"hakushi-{name}.pth"
    try:
        home.mkdir(exist_ok=True)
        with _alone(home / f"{name}.lock"):
            if not (pth.exists() and _same(place / "made-from.lock", lock)):
                pth.unlink(missing_ok=True)
                for left in (new, place):
                    shutil.rmtree(left, ignore_errors=True)
                _fetch(name, lock, new)
                shutil.copyfile(lock, new / "made-from.lock")
                new.rename(place)
                _write_last(pth, f"{os.path.relpath(place, pth.parent)}\n")
    except OSError as error:
        raise Refused(_failed(name, error.strerror or str(error))) from None
    site.addsitedir(str(place))


def _fetch(name: str, lock: Path, into: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            *("-I", "-m", "pip", "install", "-qq", "--no-input", "--no-compile"),
            *("--disable-pip-version-check", "--require-hashes", "--no-deps"),
            *("--only-binary", ":all:", "--target", str(into), "--requirement", str(lock)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PIP_USER": "0"},
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Refused(_failed(name, lines[-1][:300] if lines else f"pip {done.returncode}"))


def _failed(name: str, why: str) -> Message:
    return message(
        "The part {name} could not be added: {why}. pip must reach a package index, and the disk"
        " needs the room named.",
        name=name,
        why=why,
    )


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def _write_last(path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.rename(path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock file; the kernel lets go of it with the process."""
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield

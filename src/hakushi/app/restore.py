"""Writes restorable files into a folder: each once, by path where known, never outside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from hakushi.assess.case import Case
from hakushi.assess.medium import Medium
from hakushi.assess.pipeline import Step
from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Locator,
    Malformed,
    Refused,
    Role,
    Source,
    State,
    Unreadable,
    message,
)
from hakushi.recover import reach

_PIECE = 1 << 20
_NAME_BYTES = 180
_DEPTH = 40
_PATH_BYTES = 2000
_OURS = "="
"""Begins the folder for files that cannot have their own names; no harmless name begins so."""

_FILES = "role='content' AND NOT nested AND NOT superseded AND kind<>'directory'"


def restore(case: Case, medium: Medium, directory: Path, say: Callable[[Step], None]) -> int:
    """Writes every file of the case under ``live/``, ``deleted/``, ``carved/``; says how many.

    What the medium no longer gives is filled with zeros and said as Damage of the case.
    """
    root = _folder(directory)
    volumes = {a.locator: a for a in case.artifacts("role=?", (Role.VOLUME.value,))}
    total = next(case.rows(f"SELECT count(*) FROM artifact WHERE {_FILES}"))[0]  # noqa: S608
    done = 0
    for artifact in list(case.artifacts(_FILES)):
        damage = _restore_one(case, medium.source, volumes, artifact, root)
        if damage:
            case.damaged(damage)
        done += 1
        if done % 50 == 0 or done == total:
            say(Step("recover", done, total))
    return done


def _folder(directory: Path) -> Path:
    if directory.exists() and not directory.is_dir():
        raise Refused(message("{path} is not a folder.", path=str(directory)))
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    root = directory.resolve()
    for state in State:
        (root / state.value).mkdir(exist_ok=True, mode=0o700)
        if (root / state.value).is_symlink():
            raise Refused(message("{path} is a link; name an empty folder.", path=str(root)))
    return root


def _restore_one(
    case: Case, source: Source, volumes: dict[Locator, Artifact], artifact: Artifact, root: Path
) -> list[Damage]:
    known = {**volumes, artifact.locator: artifact}

    def find(locator: Locator) -> Artifact:
        if locator not in known:
            raise Malformed(f"nothing is known of {locator}")
        return known[locator]

    try:
        inner = reach(source, artifact.locator, find) if artifact.size else None
    except (Malformed, Unreadable) as error:
        return [Damage(artifact.locator, str(error))]
    place = case.restored(artifact.locator, root)
    target = root / place if place else _free(root, wanted(artifact), artifact)
    target, fd = _create(root, target, artifact)
    try:
        case.restore_at(artifact.locator, root, target.relative_to(root))
        missing = 0 if inner is None else _copy(inner, fd)
    finally:
        os.close(fd)
    if missing:
        return [Damage(artifact.locator, f"{missing} bytes could not be read for --recover")]
    return []


def wanted(artifact: Artifact) -> Path:
    """Where a file should go, below the folder: every component made harmless."""
    if artifact.path is None:
        _, value = artifact.locator.last
        return Path(artifact.state.value, harmless(f"{value}.{artifact.kind}"))
    names = [harmless(n) for n in artifact.path.split("/") if n not in ("", ".", "..")]
    names = names[:_DEPTH] or ["_"]
    place = Path(artifact.state.value, *names)
    if len(os.fsencode(place)) > _PATH_BYTES:
        return _elsewhere(artifact)
    return place


def harmless(name: str) -> str:
    """A name that is one component, printable, and short enough for every file system."""
    name = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in name)
    if name.strip(". ") == "" or name.startswith(_OURS):
        name = "_" + name[1:]
    if len(name.encode()) <= _NAME_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending if stem and len(ending) <= 8 else ""
    stem = name.encode()[: _NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    return stem + ending


def _elsewhere(artifact: Artifact) -> Path:
    """A place for what cannot have its own name: by its locator."""
    digest = hashlib.sha256(str(artifact.locator).encode()).hexdigest()[:16]
    return Path(artifact.state.value, f"{_OURS}unnamed", digest)


def _free(root: Path, place: Path, artifact: Artifact) -> Path:
    """A target that nothing has taken; names that collide get ``~2``, ``~3`` …"""
    for number in range(1, 100):
        stem = place.stem if number == 1 else f"{place.stem}~{number}"
        target = root / place.with_name(stem + place.suffix)
        if not os.path.lexists(target):
            return target
    return root / _elsewhere(artifact)


def _create(root: Path, target: Path, artifact: Artifact) -> tuple[Path, int]:
    flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        _mkdirs(root, target.parent)
        if target.parent.resolve().is_relative_to(root):
            return target, os.open(target, flags, 0o600)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        pass  # A name that is a file here and a folder there: both existed at different times.
    target = root / _elsewhere(artifact)
    _mkdirs(root, target.parent)
    return target, os.open(target, flags, 0o600)


def _mkdirs(root: Path, folder: Path) -> None:
    """Makes the folders below ``root``, all of them for the owner alone."""
    place = root
    for name in folder.relative_to(root).parts:
        place /= name
        place.mkdir(exist_ok=True, mode=0o700)


def _copy(source: Source, fd: int) -> int:
    """Copies all bytes; returns how many could not be read (zeros stand for them)."""
    missing = 0
    for at in range(0, source.size, _PIECE):
        piece = Extent(at, min(_PIECE, source.size - at))
        try:
            data = source.read(piece)
        except Unreadable:
            data, lost = _by_sectors(source, piece)
            missing += lost
        os.write(fd, data)
    return missing


def _by_sectors(source: Source, piece: Extent) -> tuple[bytes, int]:
    out, missing = bytearray(), 0
    for at in range(piece.offset, piece.end, 512):
        sector = Extent(at, min(512, piece.end - at))
        try:
            out += source.read(sector)
        except Unreadable:
            out += bytes(sector.length)
            missing += sector.length
    return bytes(out), missing

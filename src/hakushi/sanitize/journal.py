"""What an erasure has done so far: an append-only, fsynced file that a killed run resumes from.

One line of JSON an entry, each with a sum chained over all before it: a torn or changed line ends
what is believed. The journal belongs to one drive (serial, WWN and size). The run's random key
lies beside it, mode 0600, and goes when the journal is finished; a finished journal is no evidence
for a later run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hakushi.model import Drive, Extent, Extents, Refused, message

SCHEMA = "hakushi.journal/1"
_LONGEST = 1 << 20
"""Bytes that a line may have; a longer one is not ours."""
_KEY = 32


@dataclass(slots=True)
class Done:
    """What a journal's entries add up to, since its last (re)start."""

    number: int = 0
    """The pass that is being written."""
    to: int = 0
    """Its bytes below here were written and flushed, but for ``failed``."""
    failed: Extents = field(default_factory=Extents)
    verified: int = 0
    """So many passes were read back in full and hold."""
    canaries: dict[int, str] = field(default_factory=dict)
    """Offset -> keyed digest of what lay there before."""
    sampled: bool = False
    sent: bool = False
    """The drive's own command was sent, or was about to be."""


@dataclass(slots=True)
class _Told:
    """What is believed of a journal's file: entries whose chained sums hold."""

    first: dict[str, Any] = field(default_factory=dict)
    done: Done = field(default_factory=Done)
    entries: int = 0
    bytes: int = 0
    sum: str = ""
    ended: bool = False

    def take(self, entry: dict[str, Any], total: str, length: int) -> None:
        self.first = self.first or entry
        self.entries += 1
        self.bytes += length
        self.sum = total
        match entry["what"]:
            case "restarted":
                self.done = Done()
            case "sampled":
                self.done.canaries = {int(k): v for k, v in entry["canaries"].items()}
                self.done.sampled = True
            case "sent":
                self.done.sent = True
            case "wrote":
                self.done.number, self.done.to = entry["number"], entry["to"]
                self.done.failed |= Extents(Extent(*run) for run in entry["failed"])
            case "verified":
                self.done.verified = self.done.number = entry["number"] + 1
                self.done.to = 0
            case "ended":
                self.ended = True


class Journal:
    """An open journal. Every method that adds an entry returns after it is on the disk.

    Raises OSError where it cannot be kept: then the run stops, for it could not be resumed.
    """

    def __init__(self, path: Path, told: _Told, key: bytes, fd: int) -> None:
        self.path = path
        self.key = key
        self.resumed = told.entries > 1
        self.done = told.done
        self._sum = told.sum
        self._fd = fd

    # --- entries ------------------------------------------------------------------------

    def sampled(self, canaries: dict[int, str]) -> None:
        self.done.canaries, self.done.sampled = canaries, True
        self._add("sampled", canaries={str(k): v for k, v in canaries.items()})

    def sent(self) -> None:
        """The drive's own command is sent now."""
        self.done.sent = True
        self._add("sent")

    def wrote(self, number: int, to: int, failed: Iterable[Extent] = ()) -> None:
        """Pass ``number`` was written up to ``to`` and flushed; ``failed`` since the last entry."""
        runs = [[e.offset, e.length] for e in failed]
        self.done.number, self.done.to = number, to
        self.done.failed |= Extents(Extent(*run) for run in runs)
        self._add("wrote", number=number, to=to, failed=runs)

    def verified(self, number: int) -> None:
        """Pass ``number`` was read back in full and holds."""
        self.done.verified, self.done.number, self.done.to = number + 1, number + 1, 0
        self._add("verified", number=number)

    def restarted(self, why: str) -> None:
        """What was noted does not hold on the drive: forgets it, with a new key."""
        self.key = _new_key(_key_path(self.path))
        self.done = Done()
        self._add("restarted", why=why)

    def ended(self, outcome: str) -> None:
        """The run is over; its key goes."""
        self._add("ended", outcome=outcome)
        _destroy(_key_path(self.path))
        self.close()

    def _add(self, what: str, **fields: Any) -> None:
        line, self._sum = _line(self._sum, {"what": what, **fields})
        data = memoryview(line)
        while data:
            data = data[os.write(self._fd, data) :]
        os.fsync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def open_journal(folder: Path, drive: Drive, technique: str, policy: str, now: float) -> Journal:
    """The drive's unfinished journal of this technique and policy, or a new one.

    Refused where the folder cannot be written or another run holds the journal.
    """
    name = _name(drive)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = [int(p.name.split(".")[-2]) for p in folder.glob(f"{name}.[0-9]*.journal")]
        last = max(numbers, default=0)
        if last:
            known = _resume(folder / f"{name}.{last:04d}.journal", drive, technique, policy)
            if known is not None:
                return known
        return _begin(folder / f"{name}.{last + 1:04d}.journal", drive, technique, policy, now)
    except (OSError, ValueError) as error:
        raise Refused(
            message(
                "No journal can be kept in {path}: {why}; name another folder with --evidence.",
                path=str(folder),
                why=str(error),
            )
        ) from None


def _name(drive: Drive) -> str:
    """A file name of our own making: a drive's strings are not trusted with one."""
    digest = hashlib.sha256(json.dumps(_identity(drive)).encode()).hexdigest()[:12]
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", drive.serial)[:40].strip("_") or "drive"
    return f"{safe}-{digest}"


def _identity(drive: Drive) -> list[str | int]:
    return [drive.serial, drive.wwn, drive.size]


def _begin(path: Path, drive: Drive, technique: str, policy: str, now: float) -> Journal:
    key = _new_key(_key_path(path))
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    first = {
        "what": "begun",
        "schema": SCHEMA,
        "drive": _identity(drive),
        "technique": technique,
        "policy": policy,
        "at": now,
    }
    line, total = _line("", first)
    os.write(fd, line)
    os.fsync(fd)
    _sync_folder(path.parent)
    told = _Told()
    told.take(first, total, len(line))
    return Journal(path, told, key, fd)


def _resume(path: Path, drive: Drive, technique: str, policy: str) -> Journal | None:
    """The journal at ``path`` where it is unfinished and this drive's; else None."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        told = _replay(path)
        key = _key_path(path).read_bytes() if _key_path(path).exists() else b""
        mine = [told.first.get(name) for name in ("drive", "technique", "policy")]
        if mine != [_identity(drive), technique, policy] or len(key) != _KEY or told.ended:
            os.close(fd)
            return None
        # A torn last line is cut off, so that the next entry follows what is believed.
        os.ftruncate(fd, told.bytes)
        return Journal(path, told, key, fd)
    except BaseException:
        os.close(fd)
        raise


def _line(before: str, entry: dict[str, Any]) -> tuple[bytes, str]:
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    total = hashlib.sha256((before + body).encode()).hexdigest()[:16]
    return f"{total} {body}\n".encode(), total


def _replay(path: Path) -> _Told:
    """Reads a journal up to the first line that is torn or whose sum does not hold."""
    told = _Told()
    with path.open("rb") as file:
        while (line := file.readline(_LONGEST)).endswith(b"\n"):
            total, _, body = line[:-1].decode("utf-8", "replace").partition(" ")
            if hashlib.sha256((told.sum + body).encode()).hexdigest()[:16] != total:
                break
            told.take(json.loads(body), total, len(line))
    return told


# --- the key -----------------------------------------------------------------------------


def _key_path(path: Path) -> Path:
    return path.with_suffix(".key")


def _new_key(path: Path) -> bytes:
    key = secrets.token_bytes(_KEY)
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    _sync_folder(path.parent)
    return key


def _destroy(path: Path) -> None:
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""The verbs on a log: make one, show its head, check it whole, prove an entry, check a proof."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hakushi.app import extras, keys
from hakushi.ledger import postgres
from hakushi.ledger.audit import Audit, audit
from hakushi.ledger.bundle import Bundle
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Signer, Verifier
from hakushi.ledger.log import HEAD, PUBLISHED, Log
from hakushi.ledger.policy import LARGEST, Policy
from hakushi.ledger.postgres import Postgres
from hakushi.ledger.receipt import Checked, Receipt, check
from hakushi.ledger.sqlite import Sqlite
from hakushi.ledger.store import Busy, Store
from hakushi.ledger.view import View
from hakushi.model import Malformed, Message, Refused, message

_LARGEST_FILE = 4 << 20
_SQLITE = "sqlite:"
_POINTER = ".pg"
"""How the small file ends that holds the address of a log in PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Made:
    """A log that was made."""

    place: Path
    key: Path
    policy: Path
    signer: Signer


def init(place: str, origin: str | None, key: Path | None, *, remember: bool = True) -> Made:
    """Makes a log in a folder or a SQLite file, its key and its policy beside it.

    They lie beside it, not in it, so that it can be served or copied as it is. From then on it is
    the log that verbs use.
    """
    path = _new_place(place)
    secret = _beside(path, ".key") if key is None else keys.place(str(key))
    if not secret.exists():
        keys.write(secret, Signer.new(origin or keys.new_name()))
    signer = keys.load(str(secret))
    if key is not None and not _beside(path, ".key").exists():
        # Who writes to it later finds the key there.
        _beside(path, ".key").symlink_to(secret.absolute())
    if origin is not None and signer.name != origin:
        raise Refused(
            message("The key {path} is called {name}.", path=str(secret), name=signer.name)
        )
    if place.startswith(postgres.SCHEME):
        _point(path, place)
    with _writer(path, sqlite=place.startswith(_SQLITE)) as store:
        make = Log if store.read(HEAD) is not None else Log.create
        make(store, [signer], time.time)
    policy = _beside(path, ".policy")
    policy.write_text(f"log {signer.verifier}\nquorum none\n", encoding="utf-8")
    if remember:
        _remember(path)
    return Made(path, secret, policy, signer)


def _new_place(place: str) -> Path:
    """Where a new log will lie; nothing of others may be there."""
    if place.startswith(postgres.SCHEME):
        database = str(postgres.connection_words(place)["database"])
        return _free(Path.cwd() / f"{re.sub('[^A-Za-z0-9_.-]', '_', database)}{_POINTER}")
    if "://" in place and not place.startswith(_SQLITE):
        raise Refused(
            message(
                "A log is kept in a folder, in sqlite:FILE or in postgresql://HOST/DATABASE;"
                " {place} is none of these.",
                place=place[:200],
            )
        )
    name = place.removeprefix(_SQLITE)
    name = name.removeprefix("//") if name.startswith("///") else name
    path = Path(os.path.abspath(name))  # noqa: PTH100 - absolute, and a link stays a link
    if place.startswith(_SQLITE):
        taken = path.exists()
    else:
        # A folder with nothing but our own state is one whose making was cut short.
        taken = path.exists() and (
            not path.is_dir() or any(entry.name != ".state" for entry in path.iterdir())
        )
    if taken:
        raise Refused(message("{path} is taken; name a new place.", path=str(path)))
    return path


def _free(path: Path) -> Path:
    if path.exists():
        raise Refused(message("{path} is taken; name a new place.", path=str(path)))
    return path


def _point(path: Path, url: str) -> None:
    """Keeps the address of a database, which may hold a password, in a file of ours."""
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(f"{url}\n")


def _pointed(path: Path) -> str | None:
    """The address in such a file; None where it is none."""
    if path.suffix != _POINTER or not path.is_file():
        return None
    url = _bytes(path, 4096).decode("utf-8", "replace").strip()
    return url if url.startswith(postgres.SCHEME) else None


@contextmanager
def writing(place: Path, patience: float = 0.0) -> Iterator[Log]:
    """The log in that place, to append to. `Busy` if another writes for longer than that."""
    signer = keys.load(str(_beside(place, ".key")))
    with _writer(place, sqlite=place.is_file(), patience=patience) as store:
        yield Log(store, [signer], time.time)


def head(place: Path | None) -> bytes:
    """The checkpoint that is published. Raises `Malformed` where it is none."""
    with _reading(place) as (_, _, note):
        Checkpoint.of(note)
        return note


def check_all(place: Path | None, policy: Path | None, since: Path | None) -> Audit:
    """Re-reads the whole log; ``since`` is a checkpoint that somebody kept."""
    with _reading(place) as (path, store, note):
        earlier = None if since is None else _bytes(since)
        trust = _policy(path, policy)
        try:
            return audit(store.read, note, trust, earlier)
        except OSError as error:
            why = error.strerror or str(error)
            return Audit(None, (message("The log cannot be read: {why}.", why=why),))


def unpublished(place: Path | None) -> bool:
    """Whether a checkpoint was signed that is not yet published; the next start publishes it."""
    with _reading(place) as (_, store, note):
        newest = store.read(HEAD)
        try:
            return newest is not None and Checkpoint.of(newest).size > Checkpoint.of(note).size
        except Malformed:
            return False


def entries(
    place: Path | None, policy: Path | None = None, *, witnessed: bool = True
) -> Iterator[bytes]:
    """Every entry, once the whole log was checked. Raises `Malformed` where it does not hold.

    Without ``witnessed`` the log's own signature suffices: for whoever has just written to it.
    """
    with _reading(place) as (path, store, note):
        trust = _policy(path, policy)
        found = audit(store.read, note, trust if witnessed else Policy.of_log(*trust.logs))
    if not found.holds:
        raise Malformed("; ".join(map(str, found.failures)) or "the log does not hold")
    with _reading(place) as (_, store, note):
        yield from View(store.read, note).entries()


def authority(place: Path | None, policy: Path | None = None) -> tuple[Verifier, ...]:
    """The keys of the log that are trusted: they may say who else may sign."""
    with _reading(place) as (path, _, note):
        origin = Checkpoint.of(note).origin
        return tuple(key for key in _policy(path, policy).logs if key.name == origin)


def stretch(place: Path | None, start: int) -> Bundle:
    """Everything from an entry on, as a bundle. Raises `Malformed` where the log is damaged."""
    found = check_all(place, None, None)
    if not found.holds:
        raise Malformed("; ".join(map(str, found.failures)) or "the log does not hold")
    with _reading(place) as (_, store, note):
        view = View(store.read, note)
        if not 0 <= start <= view.size:
            raise Refused(
                message(
                    "There is no entry {index}; the log has {size}, counted from 0.",
                    index=start,
                    size=view.size,
                )
            )
        return Bundle.of(view, start)


def policy_of(place: Path | None, policy: Path | None = None) -> Policy:
    """Whom to trust for a log: the policy that was named, else the one beside it."""
    return _policy(chosen(place), policy)


def prove(place: Path | None, index: int, policy: Path | None) -> tuple[Receipt, Checked]:
    """The receipt of an entry, and whether it holds; `Malformed` where the log is damaged."""
    with _reading(place) as (path, store, note):
        view = View(store.read, note)
        if not 0 <= index < view.size:
            raise Refused(
                message(
                    "There is no entry {index}; the log has {size}, counted from 0.",
                    index=index,
                    size=view.size,
                )
            )
        trust = _policy(path, policy)
        try:
            receipt = view.receipt(index).trimmed(trust)
        except OSError as error:
            raise Malformed(error.strerror or str(error)) from None
        return receipt, check(receipt, trust)


def verify(proof: Path, entry: Path, policy: Path | None) -> Checked:
    """Checks a proof and its entry, offline. Raises `Malformed` where they are no such thing."""
    receipt = Receipt.of(_bytes(entry), _bytes(proof))
    return check(receipt, None if policy is None else read_policy(policy))


def chosen(place: Path | None) -> Path:
    """The log that was named, else that of HAKUSHI_LOG, else the one that was made last."""
    named = place or _named()
    if named is None:
        raise Refused(
            message("No log is set up; `hakushi log init DIR` makes one, --log names one.")
        )
    return named


def read_policy(path: Path) -> Policy:
    try:
        return Policy.parse(_bytes(path, LARGEST))
    except Malformed as error:
        raise Refused(
            message("{path} is not a policy: {why}.", path=str(path), why=str(error))
        ) from None


# --- files ------------------------------------------------------------------------------------


def _named() -> Path | None:
    if told := os.environ.get("HAKUSHI_LOG"):
        return Path(told)
    try:
        return Path((keys.settings_folder() / "log").read_text(encoding="utf-8").rstrip("\n"))
    except FileNotFoundError:
        return None


def _remember(folder: Path) -> None:
    settings = keys.settings_folder()
    settings.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = settings / "log.new"
    beside.write_text(f"{folder}\n", encoding="utf-8")
    beside.replace(settings / "log")


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(folder.name + ending)


@contextmanager
def _reading(place: Path | None) -> Iterator[tuple[Path, Store, bytes]]:
    """A log's place, its store, and the checkpoint that it publishes."""
    path = chosen(place)
    store: Files | Sqlite | Postgres = Files(path)
    note = None
    try:
        if (url := _pointed(path)) is not None:
            extras.need("server", _silent)
            store = Postgres(url)
        elif path.is_file():
            store = Sqlite(path)
        note = store.read(PUBLISHED)
    except OSError as error:
        store.close()
        if url is not None:
            why = error.strerror or "?"
            raise Refused(
                message("{path} cannot be read: {why}.", path=str(path), why=why)
            ) from None
    if note is None:
        raise Refused(message("{path} is not a log.", path=str(path)))
    try:
        yield path, store, note
    finally:
        store.close()


@contextmanager
def _writer(path: Path, *, sqlite: bool, patience: float = 0.0) -> Iterator[Store]:
    """The place's one writer; waits for another's end."""
    give_up = time.monotonic() + patience
    url = _pointed(path)
    if url is not None:
        extras.need("server", _silent)
    while True:
        try:
            store: Files | Sqlite | Postgres
            if url is not None:
                store = Postgres.writing(url)
            else:
                store = Sqlite.writing(path) if sqlite else Files.writing(path)
        except Busy:
            if time.monotonic() >= give_up:
                raise
            time.sleep(0.02)
        else:
            break
    try:
        yield store
    finally:
        store.close()


def _silent(_told: Message) -> None:
    """Parts that a log needs are added without a word: its verbs have no one to tell."""


def _policy(folder: Path, named: Path | None) -> Policy:
    """The policy that was named, else the one that was made with the log."""
    path = named or _beside(folder, ".policy")
    if not path.is_file():
        raise Refused(
            message("Whom to trust is not known: {path} is missing; use --policy.", path=str(path))
        )
    return read_policy(path)


def _bytes(path: Path, most: int = _LARGEST_FILE) -> bytes:
    if not path.is_file():
        raise Refused(message("{path} does not exist; check the name.", path=str(path)))
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Refused(message("{path} is too large for what it should be.", path=str(path)))
    return data

"""The verbs on a log: make one, show its head, check it whole, prove an entry, check a proof."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hakushi.app import keys
from hakushi.ledger.audit import Audit, audit
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Signer
from hakushi.ledger.log import HEAD, PUBLISHED, Log
from hakushi.ledger.policy import LARGEST, Policy
from hakushi.ledger.receipt import Checked, Receipt, check
from hakushi.ledger.view import View
from hakushi.model import Malformed, Refused, message

_LARGEST_FILE = 4 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """A log that was made."""

    place: Path
    key: Path
    policy: Path
    signer: Signer


def init(place: str, origin: str | None, key: Path | None, *, remember: bool = True) -> Made:
    """Makes a log in a folder, its key and its policy beside it; the log that verbs then use.

    They lie beside the folder, not in it, so that the folder can be served or copied as it is.
    """
    if "://" in place:
        raise Refused(
            message("A log is kept in a folder; {place} is an address.", place=place[:200])
        )
    folder = Path(os.path.abspath(place))  # noqa: PTH100 - absolute, and a link stays a link
    # A folder with nothing but our own state is one whose making was cut short.
    if folder.exists() and (
        not folder.is_dir() or any(entry.name != ".state" for entry in folder.iterdir())
    ):
        raise Refused(message("{path} is not an empty folder; name a new one.", path=str(folder)))
    path = key or _beside(folder, ".key")
    if not path.exists():
        keys.write(path, Signer.new(origin or keys.new_name()))
    signer = keys.load(str(path))
    if origin is not None and signer.name != origin:
        raise Refused(message("The key {path} is called {name}.", path=str(path), name=signer.name))
    files = Files.writing(folder)
    try:
        make = Log if files.read(HEAD) is not None else Log.create
        make(files, [signer], time.time)
    finally:
        files.close()
    policy = _beside(folder, ".policy")
    policy.write_text(f"log {signer.verifier}\nquorum none\n", encoding="utf-8")
    if remember:
        _remember(folder)
    return Made(folder, path, policy, signer)


@contextmanager
def writing(place: Path, key: Path | None = None) -> Iterator[Log]:
    """The log in that folder, to append to. Refused while another process does."""
    signer = keys.load(str(key or _beside(place, ".key")))
    files = Files.writing(place)
    try:
        yield Log(files, [signer], time.time)
    finally:
        files.close()


def head(place: Path | None) -> bytes:
    """The checkpoint that is published. Raises `Malformed` where it is none."""
    note = _published(chosen(place))
    Checkpoint.of(note)
    return note


def check_all(place: Path | None, policy: Path | None, since: Path | None) -> Audit:
    """Re-reads the whole log; ``since`` is a checkpoint that somebody kept."""
    folder = chosen(place)
    note = _published(folder)
    earlier = None if since is None else _bytes(since)
    return audit(Files(folder).read, note, _policy(folder, policy), earlier)


def unpublished(place: Path | None) -> bool:
    """Whether a checkpoint was signed that is not yet published; the next start publishes it."""
    files = Files(chosen(place))
    newest, published = files.read(HEAD), files.read(PUBLISHED)
    try:
        return (
            newest is not None
            and published is not None
            and Checkpoint.of(newest).size > Checkpoint.of(published).size
        )
    except Malformed:
        return False


def prove(place: Path | None, index: int, policy: Path | None) -> tuple[Receipt, Checked]:
    """The receipt of an entry, and whether it holds; `Malformed` where the log is damaged."""
    folder = chosen(place)
    view = View(Files(folder).read, _published(folder))
    if not 0 <= index < view.size:
        raise Refused(
            message(
                "There is no entry {index}; the log has {size}, counted from 0.",
                index=index,
                size=view.size,
            )
        )
    trust = _policy(folder, policy)
    receipt = view.receipt(index).trimmed(trust)
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
    if not (named / PUBLISHED).is_file():
        raise Refused(message("{path} is not a log.", path=str(named)))
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


def _published(folder: Path) -> bytes:
    return _bytes(folder / PUBLISHED)


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

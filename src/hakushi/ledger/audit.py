"""Re-reads a whole log: every entry, leaf, tile and root, against what was signed."""

from __future__ import annotations

from dataclasses import dataclass

from hakushi.ledger import tiles
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.merkle import Frontier, leaf_hash
from hakushi.ledger.note import Note
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import signature_failures
from hakushi.ledger.view import Read, View
from hakushi.model import Malformed, Message, message

_MOST_FAILURES = 100


@dataclass(frozen=True, slots=True)
class Audit:
    """What re-reading a log showed."""

    head: Checkpoint | None
    """What the log says of itself; None where not even that could be read."""
    failures: tuple[Message, ...]

    @property
    def holds(self) -> bool:
        return not self.failures


def audit(read: Read, note: bytes, policy: Policy, earlier: bytes | None = None) -> Audit:
    """Reads the log under the checkpoint ``note`` whole; ``earlier`` is one that somebody kept.

    Cost: one pass over all bundles, three hashes an entry, constant memory.
    """
    try:
        view = View(read, note)
    except Malformed as error:
        return Audit(None, (message("The checkpoint cannot be read: {why}.", why=str(error)),))
    failures = signature_failures(view.head.origin, policy.standing(Note.parse(note)))
    before = None
    if earlier is not None:
        try:
            before = Checkpoint.of(earlier)
            failures += _before(before, view.head, earlier, policy)
        except Malformed as error:
            failures.append(
                message("The earlier checkpoint cannot be read: {why}.", why=str(error))
            )
    failures += _tree(view, before)
    return Audit(view.head, tuple(failures[:_MOST_FAILURES]))


def _before(before: Checkpoint, now: Checkpoint, note: bytes, policy: Policy) -> list[Message]:
    failures = []
    if not policy.standing(Note.parse(note)).logs:
        failures.append(message("The earlier checkpoint is not signed by this log."))
    if before.origin != now.origin:
        failures.append(
            message("The earlier checkpoint is of another log, {origin}.", origin=before.origin)
        )
    if before.size > now.size:
        failures.append(
            message(
                "The log was rolled back: it had {before} entries and has {now}.",
                before=before.size,
                now=now.size,
            )
        )
    return failures


def _tree(view: View, before: Checkpoint | None) -> list[Message]:
    """Every bundle, the leaves that it makes, and every tile above."""
    failures: list[Message] = []
    tree, edge = Frontier(), tiles.Edge()
    if before is not None and before.size == 0 and before.root != tree.root:
        failures.append(_forked(0))
    for number in range(-(-view.size // tiles.WIDTH)):
        try:
            entries = view.bundle(number)
        except Malformed as error:
            # What follows can no longer be told from a forgery: the root is out of reach.
            failures.append(message("Entries cannot be read: {why}.", why=str(error)))
            return failures
        for entry in entries:
            tree.append(leaf_hash(entry))
            if before is not None and tree.size == before.size and tree.root != before.root:
                failures.append(_forked(before.size))
        failures += _tiles(view, edge.extend(entries))
        if len(failures) > _MOST_FAILURES:
            return failures
    if tree.root != view.head.root:
        failures.append(message("The entries do not have the root that was signed."))
    return failures


def _tiles(view: View, made: dict[str, bytes]) -> list[Message]:
    """Compares each tile that the entries make, where this tree has it in that width."""
    failures = []
    for name, data in made.items():
        if name.startswith("tile/entries/"):
            continue
        level, index = tiles.place_of(name)
        width = tiles.width_at(level, index, view.size)
        if len(data) != width * 32:
            continue  # an edge on the way, wider by now
        try:
            kept = b"".join(view.hashes(level, index))
        except Malformed as error:
            failures.append(message("A tile cannot be read: {why}.", why=str(error)))
            continue
        if kept != data:
            failures.append(message("{name} does not fit its entries.", name=name))
    return failures


def _forked(size: int) -> Message:
    return message(
        "The log was forked: its first {size} entries are not those of the earlier checkpoint.",
        size=size,
    )

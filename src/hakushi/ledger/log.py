"""The one writer of a log: stage, sign, swap the head, apply, publish.

Whatever a batch writes is written by `Log._write` and `Log._apply`; a start runs `_apply`, too, and
nothing else. The swap of the head is the commit point. Specified in ``docs/design/ledger.md``.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Signer, Verifier, signed_note
from hakushi.ledger.merkle import EMPTY, leaf_hash
from hakushi.ledger.note import Note, Signature
from hakushi.ledger.receipt import Receipt
from hakushi.ledger.store import Store
from hakushi.ledger.tiles import LARGEST_ENTRY, Edge, replaced_by
from hakushi.ledger.view import View
from hakushi.model import Conflict, Malformed, Refused, message

HEAD = ".state/head"
PUBLISHED = "checkpoint"
STAGED = ".state/staged/"
LARGEST_BATCH = 4096
"""Entries that are committed at once; what waits beyond forms the next batch."""


class Unsettled(OSError):
    """Whether these entries are in the log cannot be said: it could not even be read back.

    Appending the same bytes to the same `Log` finds them where they are in; after a restart,
    `View.find` does.
    """


@dataclass(slots=True, eq=False)
class _Waiting:
    """Entries of one caller, in the queue for a batch."""

    entries: Sequence[bytes]
    indices: list[int] | None = None
    error: Exception | None = None


class Log:
    """A log that grows. Safe for many threads; the store lets in one `Log` at a time.

    ``now`` gives seconds since 1970. All signers bear the log's name, its origin.
    """

    def __init__(self, store: Store, signers: Sequence[Signer], now: Callable[[], float]) -> None:
        """Opens a log that `create` made. Refused where it is damaged or has other keys."""
        self._store = store
        self._signers = tuple(signers)
        self._now = now
        self._queue: deque[_Waiting] = deque()
        self._queueing = threading.Lock()
        self._writing = threading.Lock()
        self._maybe: dict[bytes, int] = {}
        """Leaf hashes of batches that are unsettled, and where they are if they are anywhere."""
        self._stale = True
        """What is held here may be behind the store."""
        self._edge = Edge()
        self._tip: tuple[bytes, Mapping[str, bytes]] = (b"", {})
        """The head, and the objects of its batch that may not have been applied yet."""
        self._recover()

    @classmethod
    def create(cls, store: Store, signers: Sequence[Signer], now: Callable[[], float]) -> Log:
        """A new log, empty. Refused where the store holds one."""
        if len({signer.name for signer in signers}) != 1:
            raise ValueError("a log's signers bear one name, its origin")
        if store.read(HEAD) is not None:
            raise Refused(message("There is a log already; it is not overwritten."))
        text = Checkpoint(signers[0].name, 0, EMPTY).text
        store.swap(HEAD, None, signed_note(text, tuple(signers), int(now())).encode())
        return cls(store, signers, now)

    @property
    def origin(self) -> str:
        return self._signers[0].name

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        return tuple(signer.verifier for signer in self._signers)

    # --- appending --------------------------------------------------------------------------

    def append(self, entry: bytes) -> Receipt:
        """Appends one entry; returns once it is in the log, durable."""
        (index,) = self.extend([entry])
        try:
            return self.view().receipt(index)
        except OSError as error:
            # It is in, but that cannot be shown: appended again, it must be found.
            with self._writing:
                self._maybe = {**self._maybe, leaf_hash(entry): index}
            raise Unsettled(*error.args) from error

    def extend(self, entries: Sequence[bytes]) -> list[int]:
        """Appends entries, all or none; returns their indices once they are durable.

        Raises `Refused` for an entry that is too large, `OSError` or `Conflict` where they are
        not in the log, `Unsettled` where that is not known.
        """
        for entry in entries:
            if len(entry) > LARGEST_ENTRY:
                raise Refused(
                    message(
                        "An entry of {size} bytes is too large; a log takes {most}.",
                        size=len(entry),
                        most=LARGEST_ENTRY,
                    )
                )
        mine = _Waiting(entries)
        with self._queueing:
            self._queue.append(mine)
        while mine.indices is None and mine.error is None:
            # Whoever gets the lock commits for all that wait; the others find theirs done.
            with self._writing:
                if mine.indices is None and mine.error is None:
                    self._commit(self._next_batch())
        if mine.error is not None:
            raise mine.error
        return mine.indices or []

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        total = 0
        with self._queueing:
            while self._queue and (
                not batch or total + len(self._queue[0].entries) <= LARGEST_BATCH
            ):
                batch.append(self._queue.popleft())
                total += len(batch[-1].entries)
        return batch

    def _commit(self, batch: list[_Waiting]) -> None:
        """One batch: each caller in it gets indices or an error."""
        try:
            placed = self._write([entry for one in batch for entry in one.entries])
        except Exception as error:  # noqa: BLE001 - every caller of the batch raises it
            for one in batch:
                one.error = error
            return
        except BaseException:
            for one in batch:
                one.error = Unsettled("interrupted")
            raise
        for one in batch:
            one.indices, placed = placed[: len(one.entries)], placed[len(one.entries) :]

    def _write(self, entries: Sequence[bytes]) -> list[int]:
        """Steps 1 to 3, then 4 to 6 if they can be done now; gives the indices."""
        if self._stale:
            self._recover()
        edge = self._edge.copy()
        fresh: list[bytes] = []
        placed: list[int] = []
        for entry in entries:
            known = self._maybe.get(leaf_hash(entry)) if self._maybe else None
            placed.append(edge.size + len(fresh) if known is None else known)
            if known is None:
                fresh.append(entry)
        objects = edge.extend(fresh)
        if fresh:
            head = Checkpoint(self.origin, edge.size, edge.root)
            note = signed_note(head.text, self._signers, int(self._now())).encode()
            self._stale = True
            self._store.put({_staged_name(head): _pack(objects)})
            self._swap_head(note, {leaf_hash(e): self._edge.size + i for i, e in enumerate(fresh)})
            self._edge, self._tip = edge, (note, objects)
            # The entries are in the log. What fails from here on, the next batch or start does.
            with suppress(OSError, Conflict):
                self._apply()
        return placed

    def _swap_head(self, note: bytes, placed: Mapping[bytes, int]) -> None:
        """The commit point. Where it fails, the head itself says whether it was done."""
        before = self._maybe
        self._maybe = {**before, **placed}
        try:
            self._store.swap(HEAD, self._tip[0], note)
        except OSError as error:
            try:
                done = self._store.read(HEAD) == note
                if done:
                    # Seen is not yet durable: the swap may have failed at its very last step.
                    self._store.swap(HEAD, note, note)
            except OSError:
                raise Unsettled(*error.args) from error
            if not done:
                self._maybe = before
                raise
        self._maybe = before

    # --- applying ---------------------------------------------------------------------------

    def _recover(self) -> None:
        """Takes up the log where its head stands: the start, and the way back after an error."""
        self._stale = True
        head = self._store.read(HEAD)
        if head is None:
            raise Refused(message("There is no log here; `hakushi log init` makes one."))
        # What is seen may come from a swap that died before it was durable.
        self._store.swap(HEAD, head, head)
        point = self._own(head)
        staged = self._store.read(_staged_name(point))
        self._tip = head, _unpack(staged) if staged is not None else {}
        try:
            self._apply()
        except Conflict as error:
            raise _damaged(str(error)) from None
        self._edge = self._read_edge(point)
        self._settle()

    def _apply(self) -> None:
        """Steps 4 to 6 for the head; done again, they change nothing."""
        head, objects = self._tip
        self._store.put(objects)
        published = self._store.read(PUBLISHED)
        if not _same_text(published, head):
            self._store.swap(PUBLISHED, published, head)
        for prefix in replaced_by(objects):
            self._store.remove(self._store.names(prefix))
        # Last, what was staged for this head: while it is there, all of the above is done again.
        keep = _staged_name(Checkpoint.of(head))
        others = [name for name in self._store.names(STAGED) if name != keep]
        self._store.remove(others)
        self._store.remove([keep])
        self._stale = False

    def _own(self, note: bytes) -> Checkpoint:
        """The head, which every key of ours must have signed."""
        try:
            head, parsed = Checkpoint.of(note), Note.parse(note)
        except Malformed as error:
            raise _damaged(str(error)) from None
        for key in self.verifiers:
            if not any(key.verifies(parsed.text, line) for line in parsed.signatures):
                raise Refused(
                    message("The key {name} is not the one that signs this log.", name=key.name)
                )
        if head.origin != self.origin:
            raise Refused(message("This is the log {origin}.", origin=head.origin))
        return head

    def _read_edge(self, head: Checkpoint) -> Edge:
        """The right edge out of the store; it must have the root that was signed."""
        try:
            edge = self.view().edge()
        except Malformed as error:
            raise _damaged(str(error)) from None
        last = [leaf_hash(entry) for entry in edge.entries]
        if edge.root != head.root or last != (edge.rows[0] if edge.rows else []):
            raise _damaged("the last tiles do not have the root that was signed")
        return edge

    def _settle(self) -> None:
        """Forgets of the unsettled entries those that are not in the log."""
        if self._maybe:
            view = self.view()
            self._maybe = {
                leaf: index
                for leaf, index in self._maybe.items()
                if index < view.size and view.leaf(index) == leaf
            }

    # --- reading ----------------------------------------------------------------------------

    def view(self) -> View:
        """The log at its newest checkpoint; with cosignatures where there are any."""
        head, objects = self._tip
        published = self._store.read(PUBLISHED)
        if published is not None and _same_text(published, head):
            head = published
        # What is staged but not yet applied reads as if it were.
        return View(lambda name: objects.get(name) or self._store.read(name), head)

    def cosign(self, lines: Sequence[Signature]) -> None:
        """Publishes the newest checkpoint with these lines, too. The caller has verified them."""
        with self._writing:
            if self._stale:
                self._recover()
            old = self._store.read(PUBLISHED)
            if old is None or not _same_text(old, self._tip[0]):
                raise Conflict("the checkpoint is no longer the newest")
            note = Note.parse(old)
            new = note.signed(*(line for line in lines if line not in note.signatures))
            self._store.swap(PUBLISHED, old, new.encode())


def _same_text(a: bytes | None, b: bytes) -> bool:
    """Whether two notes say the same, whoever signed them. A torn one says nothing."""
    try:
        return a is not None and Note.parse(a).text == Note.parse(b).text
    except Malformed:
        return False


def _damaged(why: str) -> Refused:
    return Refused(
        message(
            "The log is damaged ({why}); nothing is written to it. `hakushi log check` says more.",
            why=why,
        )
    )


# --- what is staged -------------------------------------------------------------------------


def _staged_name(head: Checkpoint) -> str:
    return f"{STAGED}{head.size}-{head.root.hex()}"


def _pack(objects: Mapping[str, bytes]) -> bytes:
    """Objects as one: name and bytes, each after its length."""
    pieces = []
    for name, data in objects.items():
        pieces += [struct.pack(">HI", len(name), len(data)), name.encode(), data]
    return b"".join(pieces)


def _unpack(packed: bytes) -> dict[str, bytes]:
    objects, at = {}, 0
    while at < len(packed):
        name, size = struct.unpack_from(">HI", packed, at)
        start = at + 6 + name
        objects[packed[at + 6 : start].decode()] = packed[start : start + size]
        at = start + size
    return objects

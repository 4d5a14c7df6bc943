"""A witness: cosigns checkpoints that extend what it saw, and keeps them to convict a fork.

The logic of C2SP tlog-witness without its HTTP: bytes of a request in, status and bytes out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from hakushi.ledger import merkle
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Signer, Verifier
from hakushi.ledger.note import (
    Note,
    Signature,
    decode64,
    decode_hash,
    decode_number,
    decode_text,
    encode64,
)
from hakushi.ledger.store import Store
from hakushi.ledger.view import View
from hakushi.model import Malformed, Refused, message

_LARGEST = 2 << 20
_FORK = "hakushi/fork/v1"


@dataclass(frozen=True, slots=True)
class Request:
    """The body of ``add-checkpoint``. Law: ``parse(x).encode() == x``."""

    old: int
    """Size of the checkpoint that the witness last cosigned; 0 for none."""
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        lines = [f"old {self.old}", *map(encode64, self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) > _LARGEST:
            raise Malformed("a request of more than 2 MiB")
        head, blank, checkpoint = data.partition(b"\n\n")
        first, *hashes = decode_text(head).split("\n")
        if not blank or not first.startswith("old ") or len(hashes) > merkle.LONGEST_PROOF:
            raise Malformed("a request is: old size, up to 63 hashes, blank line, checkpoint")
        Checkpoint.of(checkpoint)
        old = decode_number(first.removeprefix("old "))
        return cls(old, tuple(map(decode_hash, hashes)), checkpoint)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers: an HTTP status and a body."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Fork:
    """Two checkpoints of one log, of which neither begins the other: proof against its key.

    ``proof`` leads from ``prefix``, the root of the second tree's beginning, to the second root.
    For trees of one size there is nothing to lead: both are empty.
    """

    first: bytes
    second: bytes
    prefix: bytes = b""
    proof: tuple[bytes, ...] = ()

    def holds(self, *keys: Verifier) -> bool:
        """Whether it convicts one of these keys. Needs nothing else; raises `Malformed`."""
        one, two = Checkpoint.of(self.first), Checkpoint.of(self.second)
        if one.origin != two.origin or not any(
            _signed(self.first, key) and _signed(self.second, key) for key in keys
        ):
            return False
        if one.size == two.size:
            return one.root != two.root
        found = merkle.consistency_roots(0, one.size, two.size, self.proof, self.prefix)
        return found == (self.prefix, two.root) and self.prefix != one.root

    def encode(self) -> bytes:
        lines = [_FORK, *map(encode64, (self.first, self.second, self.prefix, *self.proof))]
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        head, *lines = decode_text(data).split("\n")
        if head != _FORK or len(lines) < 4 or lines.pop():
            raise Malformed("not a proof of a fork")
        first, second, prefix, *proof = map(decode64, lines)
        return cls(first, second, prefix, tuple(proof))

    @classmethod
    def against(cls, first: bytes, view: View) -> Self | None:
        """That the log that ``view`` reads does not go on from ``first``; None where it does."""
        one = Checkpoint.of(first)
        if not 0 < one.size <= view.size or view.root(one.size) == one.root:
            return None
        if one.size == view.size:
            return cls(first, view.note)
        return cls(first, view.note, view.root(one.size), view.consistency(one.size))


class Witness:
    """Keeps, for each log that it knows, the last checkpoint that it cosigned, and all it saw.

    ``logs`` are the keys it trusts, each under its log's origin; ``now`` gives seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        signers: Sequence[Signer],
        logs: Sequence[Verifier],
        now: Callable[[], float],
    ) -> None:
        if not signers or not all(signer.kind.cosigns for signer in signers):
            raise ValueError("a witness signs with keys that cosign")
        self._store = store
        self._signers = tuple(signers)
        self._logs = tuple(logs)
        self._now = now
        self._lock = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Answer:
        """One request, answered as tlog-witness says; 503 where the clock was set back."""
        try:
            request = Request.parse(body)
        except Malformed as error:
            return _no(400, str(error))
        note = Note.parse(request.checkpoint)
        head = Checkpoint.parse(note.text)
        keys = [key for key in self._logs if key.name == head.origin]
        if not keys:
            return _no(404, "this log is not known here")
        lines = [s for s in note.signatures if any(key.signed(s) for key in keys)]
        if not lines or not all(any(k.verifies(note.text, s) for k in keys) for s in lines):
            return _no(403, "no valid signature of a key that is trusted for this log")
        with self._lock:
            return self._decide(request, head, Note(note.text, tuple(lines)))

    def checkpoint(self, origin: str) -> bytes | None:
        """The last checkpoint of a log that was cosigned, with the cosignatures."""
        return self._store.read(_folder(origin) + "checkpoint")

    def forks(self, origin: str) -> list[Fork]:
        """Every fork of a log that this witness can prove."""
        found = (self._store.read(n) for n in self._store.names(_folder(origin) + "forks/"))
        return [Fork.parse(data) for data in found if data is not None]

    # --- deciding ---------------------------------------------------------------------------

    def _decide(self, request: Request, head: Checkpoint, note: Note) -> Answer:
        self._keep(head, note.encode())
        kept = self.checkpoint(head.origin)
        last = Checkpoint.of(kept) if kept is not None else None
        size = last.size if last is not None else 0
        if request.old > head.size:
            return _no(400, "the old size is above the checkpoint's")
        if request.old != size:
            return Answer(409, f"{size}\n".encode(), "text/x.tlog.size")
        if head.size == 0 and head.root != merkle.EMPTY:
            return _no(422, "the empty tree has another root")
        if last is None or size == 0:
            # The empty tree begins every tree: there is nothing to prove.
            extends = not request.proof
        else:
            extends = merkle.consistency_holds(size, head.size, request.proof, last.root, head.root)
        if not extends:
            if kept is not None and last is not None and size:
                self._convict(kept, last, head, request)
            return _no(422, "the checkpoint does not extend the one that was cosigned last")
        return self._cosign(head.origin, kept, note)

    def _cosign(self, origin: str, kept: bytes | None, note: Note) -> Answer:
        now = int(self._now())
        if now < max(self._time(kept), 1):
            return _no(503, "the clock is behind the last cosignature")
        lines = [signer.sign(note.text, now) for signer in self._signers]
        # Durable before anybody sees it: what was cosigned is never forgotten.
        self._store.swap(_folder(origin) + "checkpoint", kept, note.signed(*lines).encode())
        return Answer(200, "".join(line.encode() for line in lines).encode())

    def _time(self, kept: bytes | None) -> int:
        """The time of the last cosignature on a checkpoint."""
        if kept is None:
            return 0
        keys = [signer.verifier for signer in self._signers]
        lines = Note.parse(kept).signatures
        return max((k.time(s) or 0 for s in lines for k in keys if k.signed(s)), default=0)

    def _keep(self, head: Checkpoint, note: bytes) -> None:
        """Keeps a checkpoint that its log signed; another root at its size is a fork."""
        seen = f"{_folder(head.origin)}seen/{head.size}/"
        name = seen + head.root.hex()
        if self._store.read(name) is None:
            self._store.put({name: note})
        for other in self._store.names(seen):
            if other != name and (first := self._store.read(other)) is not None:
                self._accuse(head.origin, Fork(first, note))

    def _convict(self, kept: bytes, last: Checkpoint, head: Checkpoint, request: Request) -> None:
        """A log that proves its own history, but one that is not ours, proves its fork."""
        roots = merkle.consistency_roots(0, last.size, head.size, request.proof, last.root)
        if roots is not None and roots[1] == head.root and roots[0] != last.root:
            self._accuse(head.origin, Fork(kept, request.checkpoint, roots[0], request.proof))

    def _accuse(self, origin: str, fork: Fork) -> None:
        pair = sha256(min(fork.first, fork.second) + max(fork.first, fork.second)).hexdigest()
        name = f"{_folder(origin)}forks/{pair}"
        if self._store.read(name) is None:
            self._store.put({name: fork.encode()})


def cosignatures(
    view: View, ask: Callable[[bytes], Answer], keys: Sequence[Verifier], old: int = 0
) -> list[Signature]:
    """Asks a witness to cosign the checkpoint of ``view``; gives its lines that verify.

    ``old`` is the size that it is thought to know; it corrects that. `Refused` where it will not.
    """
    for _ in range(3):
        if old > view.size:
            raise Refused(
                message(
                    "The witness saw a log of {seen} entries, and this one has {here}: it was"
                    " rolled back, or others write to it.",
                    seen=old,
                    here=view.size,
                )
            )
        proof = view.consistency(old) if old else ()
        answer = ask(Request(old, proof, view.note).encode())
        if answer.status != 409:
            break
        old = decode_number(decode_text(answer.body).removesuffix("\n"))
    if answer.status != 200:
        why = answer.body.decode("utf-8", "replace").strip()[:200]
        raise Refused(
            message("The witness refuses ({status}): {why}", status=answer.status, why=why)
        )
    text = Note.parse(view.note).text
    lines = [Signature.parse(line) for line in decode_text(answer.body).split("\n")[:-1]]
    return [line for line in lines if any(key.verifies(text, line) for key in keys)]


def _signed(note: bytes, key: Verifier) -> bool:
    parsed = Note.parse(note)
    return any(key.verifies(parsed.text, line) for line in parsed.signatures)


def _folder(origin: str) -> str:
    """Where a log's checkpoints lie, also for tlog-witness's monitors."""
    return sha256(origin.encode()).hexdigest() + "/"


def _no(status: int, why: str) -> Answer:
    return Answer(status, f"{why}\n".encode())

"""Receipts: an entry with the proof that a signed log holds it (C2SP tlog-proof). Pure, offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.merkle import LONGEST_PROOF, inclusion_holds, leaf_hash
from hakushi.ledger.note import Note, decode64, decode_hash, decode_number, decode_text, encode64
from hakushi.ledger.policy import Policy, Standing
from hakushi.model import Malformed, Message, message

_HEAD = "c2sp.org/tlog-proof@v1"
_LARGEST = 2 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """A tlog-proof as it stands. Law: ``parse(x).encode() == x``."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    """The signed checkpoint, verbatim."""
    extra: bytes | None = None
    """Opaque, and authenticated by nothing."""

    def encode(self) -> bytes:
        lines = [_HEAD]
        if self.extra is not None:
            lines.append(f"extra {encode64(self.extra)}")
        lines += [f"index {self.index}", *map(encode64, self.path), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) > _LARGEST:
            raise Malformed("a proof of more than 2 MiB")
        head, blank, checkpoint = data.partition(b"\n\n")
        first, *lines = decode_text(head).split("\n")
        if first != _HEAD or not blank:
            raise Malformed("not a tlog-proof of version 1")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise Malformed("a tlog-proof without an index")
        index = decode_number(lines.pop(0).removeprefix("index "))
        if len(lines) > LONGEST_PROOF:
            raise Malformed(f"a proof with more than {LONGEST_PROOF} hashes")
        Checkpoint.of(checkpoint)
        return cls(index, tuple(map(decode_hash, lines)), checkpoint, extra)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry, where it stands in a log, and what proves it. Checks offline, with `check`."""

    entry: bytes
    proof: Proof

    @classmethod
    def of(cls, entry: bytes, proof: bytes) -> Self:
        """From an entry and its tlog-proof; raises `Malformed`."""
        return cls(entry, Proof.parse(proof))

    @property
    def index(self) -> int:
        return self.proof.index

    def trimmed(self, policy: Policy) -> Receipt:
        """Without the signatures that this policy does not name, so that it can be closed."""
        note = Note.parse(self.proof.checkpoint)
        kept = Note(note.text, tuple(s for s in note.signatures if policy.knows(s)))
        proof = Proof(self.proof.index, self.proof.path, kept.encode(), self.proof.extra)
        return Receipt(self.entry, proof)


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a receipt showed."""

    origin: str
    """What the log calls itself; believed only where `signers` is not empty."""
    index: int
    size: int
    failures: tuple[Message, ...]
    signers: tuple[str, ...] = ()
    """Keys of the log that signed and that the policy trusts."""
    witnesses: Mapping[str, int] = field(default_factory=dict)
    """Who cosigned, and when, in seconds since 1970."""

    @property
    def holds(self) -> bool:
        return not self.failures


def check(receipt: Receipt, policy: Policy | None) -> Checked:
    """Whether a log that the policy trusts holds the entry: no network, no log.

    Without a policy only whether the parts fit each other: then nobody is known to have signed.
    """
    proof = receipt.proof
    note = Note.parse(proof.checkpoint)
    head = Checkpoint.parse(note.text)
    leaf = leaf_hash(receipt.entry)
    failures = []
    if proof.extra is not None:
        failures.append(message("The proof carries extra data that nothing authenticates."))
    if not inclusion_holds(proof.index, head.size, leaf, proof.path, head.root):
        failures.append(message("The audit path does not lead from the entry to the log's root."))
    if len({(s.name, s.key_id) for s in note.signatures}) < len(note.signatures):
        failures.append(message("One key signed the checkpoint twice."))
    if policy is None:
        return Checked(head.origin, proof.index, head.size, tuple(failures))
    standing = policy.standing(note)
    failures += signature_failures(head.origin, standing)
    failures += [
        message(
            "The checkpoint is signed by {name}, whom the policy does not name.", name=line.name
        )
        for line in standing.unknown
    ]
    signers = tuple(str(key) for key in standing.logs)
    return Checked(
        head.origin, proof.index, head.size, tuple(failures), signers, standing.witnesses
    )


def signature_failures(origin: str, standing: Standing) -> list[Message]:
    """What the policy misses on a checkpoint of that log. Unknown signatures are nothing."""
    failures = [
        message("The signature of {name} on the checkpoint is wrong.", name=line.name)
        for line in standing.broken
    ]
    if not standing.logs:
        failures.append(
            message("No key that the policy trusts for the log {origin} signed it.", origin=origin)
        )
    if not standing.quorum:
        failures.append(message("Too few witnesses of the policy cosigned the checkpoint."))
    return failures

"""The file of a certificate: a statement, the log's entries it rests on, and their proofs. Pure.

Law: whatever `Certificate.parse` takes encodes to the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from hakushi.ledger import canonical
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.merkle import LONGEST_PROOF
from hakushi.ledger.note import decode_hash, encode64
from hakushi.ledger.tiles import LARGEST_ENTRY
from hakushi.model import Malformed

TYPE = "application/vnd.hakushi.certificate.v1+json"
LARGEST = canonical.LARGEST
MOST_KEYS = 8


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the log and its audit path under the certificate's checkpoint."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Nothing is verified yet. The last item is the event that certifies the statement."""

    statement: dict[str, Any]
    log: tuple[str, ...]
    """The vkeys that the log says to sign with; whom to trust is the reader's own policy."""
    checkpoint: bytes
    items: tuple[Item, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the statement, as the certifying event names it."""
        return digest(self.statement)

    def encode(self) -> bytes:
        return canonical.encode(
            {
                "type": TYPE,
                "statement": self.statement,
                "log": list(self.log),
                "checkpoint": self.checkpoint.decode(),
                "entries": [
                    {
                        "index": one.index,
                        "entry": one.entry.decode(),
                        "path": [encode64(hash) for hash in one.path],
                    }
                    for one in self.items
                ],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        match canonical.decode(data, LARGEST):
            case {
                "type": str(type),
                "statement": dict(statement),
                "log": list(log),
                "checkpoint": str(note),
                "entries": list(entries),
                **rest,
            } if not rest:
                pass
            case _:
                raise Malformed("not a certificate of this kind")
        if type != TYPE:
            raise Malformed(f"a document of another type: {type[:80]}")
        if not 0 < len(log) <= MOST_KEYS or not all(isinstance(key, str) for key in log):
            raise Malformed("a certificate names one to eight keys of its log")
        if not entries:
            raise Malformed("a certificate that rests on no entry")
        Checkpoint.of(note.encode())
        items = tuple(map(_item, entries))
        if any(a.index >= b.index for a, b in pairwise(items)):
            raise Malformed("entries out of their order")
        return cls(statement, tuple(log), note.encode(), items)


def digest(statement: dict[str, Any]) -> str:
    """SHA-256 over the canonical statement, in hexadecimal."""
    return hashlib.sha256(canonical.encode(statement)).hexdigest()


def _item(value: object) -> Item:
    match value:
        case {"index": int(index), "entry": str(entry), "path": list(path), **rest} if (
            not rest and not isinstance(index, bool)
        ):
            pass
        case _:
            raise Malformed("not an entry with its proof")
    if index < 0 or len(entry.encode()) > LARGEST_ENTRY or len(path) > LONGEST_PROOF:
        raise Malformed("an entry or a proof beyond its bounds")
    if not all(isinstance(hash, str) for hash in path):
        raise Malformed("not an audit path")
    return Item(index, entry.encode(), tuple(decode_hash(hash) for hash in path))

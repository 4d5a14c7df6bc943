"""A stretch of one log as a file: for a bench without a network, taken over by another log. Pure.

Specified in ``docs/design/events.md``. The tree over the entries has the root that the bench's log
signed, so a bundle that was cut, reordered or changed shows it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from hakushi.ledger import canonical
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Verifier
from hakushi.ledger.merkle import Frontier, leaf_hash
from hakushi.ledger.note import Note, decode_hash, encode64
from hakushi.ledger.tiles import LARGEST_ENTRY
from hakushi.ledger.view import View
from hakushi.model import Malformed

TYPE = "application/vnd.hakushi.bundle.v1"
LARGEST = 256 << 20
_LARGEST_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Bundle:
    """Entries ``start`` to the end of a log. Law: ``parse(x).encode() == x``."""

    checkpoint: bytes
    start: int
    peaks: tuple[bytes, ...]
    """The roots of the full subtrees over what comes before ``start``, left to right."""
    entries: tuple[bytes, ...]

    @classmethod
    def of(cls, view: View, start: int) -> Self:
        """Everything of a log from ``start`` on."""
        if not 0 <= start <= view.size:
            raise IndexError(f"no entry {start} in a log of {view.size}")
        peaks, at = [], 0
        for height in reversed(range(start.bit_length())):
            if start >> height & 1:
                peaks.append(view.node(height, at >> height))
                at += 1 << height
        entries = tuple(view.entry(index) for index in range(start, view.size))
        return cls(view.note, start, tuple(peaks), entries)

    @property
    def head(self) -> Checkpoint:
        return Checkpoint.of(self.checkpoint)

    def encode(self) -> bytes:
        head = canonical.encode(
            {
                "checkpoint": self.checkpoint.decode(),
                "peaks": [encode64(one) for one in self.peaks],
                "start": self.start,
                "type": TYPE,
            }
        )
        packed = (struct.pack(">H", len(one)) + one for one in self.entries)
        return head + b"\n" + b"".join(packed)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) > LARGEST:
            raise Malformed("a bundle of more than 256 MiB")
        end = data.find(b"\n", 0, _LARGEST_HEAD)
        if end < 0:
            raise Malformed("not a bundle")
        match canonical.decode(data[:end], _LARGEST_HEAD):
            case {
                "checkpoint": str(note),
                "peaks": list(peaks),
                "start": int(start),
                "type": str(type),
                **rest,
            } if not rest and type == TYPE and not isinstance(start, bool):
                pass
            case _:
                raise Malformed("not a bundle of this kind")
        if start < 0 or len(peaks) != start.bit_count() or not all(map(_is_text, peaks)):
            raise Malformed("a bundle whose beginning does not fit")
        Checkpoint.of(note.encode())
        hashes = tuple(decode_hash(one) for one in peaks)
        return cls(note.encode(), start, hashes, tuple(_entries(data, end + 1)))

    def roots(self, sizes: Sequence[int]) -> dict[int, bytes]:
        """The roots of the tree at these sizes; those before ``start`` are out of reach."""
        tree = Frontier.resumed(self.start, self.peaks)
        wanted, found = set(sizes), {}
        if tree.size in wanted:
            found[tree.size] = tree.root
        for entry in self.entries:
            tree.append(leaf_hash(entry))
            if tree.size in wanted:
                found[tree.size] = tree.root
        return found

    @property
    def whole(self) -> bool:
        """Whether these entries have the root that the checkpoint names."""
        head = self.head
        size = self.start + len(self.entries)
        return head.size == size and self.roots([size]).get(size) == head.root

    def signed_by(self, key: Verifier) -> bool:
        """Whether the log that bears a key's name signed the checkpoint with it."""
        note = Note.parse(self.checkpoint)
        return key.name == self.head.origin and any(
            key.verifies(note.text, line) for line in note.signatures
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _entries(data: bytes, at: int) -> list[bytes]:
    found = []
    while at < len(data):
        if at + 2 > len(data):
            raise Malformed("a bundle that ends within an entry")
        (size,) = struct.unpack_from(">H", data, at)
        if at + 2 + size > len(data) or size > LARGEST_ENTRY:
            raise Malformed("a bundle that ends within an entry")
        found.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return found

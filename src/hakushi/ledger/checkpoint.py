"""Checkpoints: which tree, how large, with which root (C2SP tlog-checkpoint). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from hakushi.ledger.note import Note, decode_hash, decode_number, encode64
from hakushi.model import Malformed


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The text of a checkpoint: one tree head. Law: ``parse(x.text) == x``, and back."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), encode64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        origin, *rest = text.split("\n")
        if len(rest) < 3 or rest[-1] or not origin or not all(rest[:-1]):
            raise Malformed("a checkpoint is three lines or more, none empty: origin, size, root")
        return cls(origin, decode_number(rest[0]), decode_hash(rest[1]), tuple(rest[2:-1]))

    @classmethod
    def of(cls, note: bytes) -> Self:
        """The checkpoint in a signed note, whoever signed it."""
        return cls.parse(Note.parse(note).text)

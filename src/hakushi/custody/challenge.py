"""Questions about a drive's bytes that only who holds those bytes can answer. Pure.

The asker keeps a `Secret`: keyed digests of blocks at places that nobody knows. A `Question` gives
places and key away once; the `Answer` is the digests again. What that proves depends on where the
bytes came from: docs/design/remote-proof.md.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from hakushi.ledger import canonical
from hakushi.model import Malformed

BLOCK = 4096
KEY = 32
MOST_SPOTS = 20_000
LARGEST = 8 << 20
_TYPE = "application/vnd.hakushi.{}.v1+json"


class Basis(StrEnum):
    """Where the asker knows the bytes from."""

    CONTENT = "content"
    """Read from the drive before it left: an answer shows that this drive is there."""
    KEYSTREAM = "keystream"
    """Made from a seed: an answer shows that the stream lies there, if the answerer has no seed."""


@dataclass(frozen=True, slots=True)
class Question:
    """May be given to whoever holds the drive, once."""

    id: str
    size: int
    key: bytes
    spots: tuple[int, ...]

    def encode(self) -> bytes:
        told = {"id": self.id, "size": self.size, "key": self.key.hex(), "spots": list(self.spots)}
        return canonical.encode({"type": _TYPE.format("question"), **told})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        told = _told(data, "question", {"id", "size", "key", "spots"})
        return cls(_text(told, "id"), *_places(told))


@dataclass(frozen=True, slots=True)
class Secret:
    """Stays with the asker until the answer is there."""

    basis: Basis
    serial: str
    made: int
    size: int
    key: bytes
    spots: tuple[int, ...]
    macs: tuple[str, ...]

    @property
    def question(self) -> Question:
        id = hashlib.sha256(self.encode()).hexdigest()[:32]
        return Question(id, self.size, self.key, self.spots)

    def encode(self) -> bytes:
        return canonical.encode(
            {
                "type": _TYPE.format("challenge"),
                "basis": self.basis.value,
                "serial": self.serial,
                "made": self.made,
                "size": self.size,
                "key": self.key.hex(),
                "spots": list(self.spots),
                "macs": list(self.macs),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        names = {"basis", "serial", "made", "size", "key", "spots", "macs"}
        told = _told(data, "challenge", names)
        size, key, spots = _places(told)
        macs = _macs(told)
        if len(macs) != len(spots) or "" in macs or type(told["made"]) is not int:
            raise Malformed("a challenge whose parts do not fit")
        basis = _text(told, "basis")
        if basis not in set(Basis):
            raise Malformed("a challenge of another basis")
        return cls(Basis(basis), _text(told, "serial"), told["made"], size, key, spots, macs)


@dataclass(frozen=True, slots=True)
class Answer:
    """The digests again; empty where a block could not be read."""

    id: str
    serial: str
    at: int
    macs: tuple[str, ...]

    def encode(self) -> bytes:
        told = {"id": self.id, "serial": self.serial, "at": self.at, "macs": list(self.macs)}
        return canonical.encode({"type": _TYPE.format("answer"), **told})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        told = _told(data, "answer", {"id", "serial", "at", "macs"})
        if type(told["at"]) is not int:
            raise Malformed("an answer without its time")
        return cls(_text(told, "id"), _text(told, "serial"), told["at"], _macs(told))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer compares: blocks that are right, wrong, and not read."""

    right: int
    wrong: int
    unread: int

    @property
    def holds(self) -> bool:
        """All that was read is right, and nine tenths were read."""
        return not self.wrong and self.right * 10 >= (self.right + self.unread) * 9

    def miss(self, share: float) -> float:
        """The chance that all of these are right although that share of blocks is not."""
        return (1 - share) ** self.right


def compare(secret: Secret, answer: Answer) -> Outcome:
    """Raises `Malformed` where the answer is to another question."""
    if answer.id != secret.question.id or len(answer.macs) != len(secret.macs):
        raise Malformed("an answer to another question")
    pairs = list(zip(secret.macs, answer.macs, strict=True))
    unread = sum(not given for _, given in pairs)
    right = sum(hmac.compare_digest(wanted, given) for wanted, given in pairs)
    return Outcome(right, len(pairs) - right - unread, unread)


def mac(key: bytes, at: int, block: bytes) -> str:
    """The digest of a block at its place."""
    return hmac.new(key, at.to_bytes(8, "big") + block, hashlib.sha256).hexdigest()


def reply(question: Question, serial: str, now: int, read: Callable[[int], bytes | None]) -> Answer:
    """Answers out of the bytes themselves; ``read`` gives a block, or None where it cannot."""
    macs = []
    for at in question.spots:
        block = read(at)
        macs.append(mac(question.key, at, block) if block is not None else "")
    return Answer(question.id, serial, now, tuple(macs))


# --- reading ----------------------------------------------------------------------------------


def _told(data: bytes, kind: str, names: set[str]) -> dict[str, Any]:
    told = canonical.decode(data, LARGEST)
    if not isinstance(told, dict) or told.get("type") != _TYPE.format(kind):
        raise Malformed(f"not a document of the kind {kind}")
    if set(told) != {"type", *names}:
        raise Malformed(f"a {kind} with other fields")
    return told


def _text(told: dict[str, Any], name: str) -> str:
    value = told[name]
    if not isinstance(value, str) or len(value) > 64 or not value.isprintable():
        raise Malformed(f"{name} is no short text")
    return value


def _places(told: dict[str, Any]) -> tuple[int, bytes, tuple[int, ...]]:
    size, spots = told["size"], told["spots"]
    try:
        key = bytes.fromhex(_text(told, "key"))
    except ValueError:
        raise Malformed("a key that is not hexadecimal") from None
    if type(size) is not int or not isinstance(spots, list) or len(key) != KEY:
        raise Malformed("places that do not fit")
    if not 0 < len(spots) <= MOST_SPOTS or any(type(one) is not int for one in spots):
        raise Malformed("too many places, or none")
    if any(at % BLOCK or not 0 <= at <= size - BLOCK for at in spots):
        raise Malformed("a place outside the drive")
    return size, key, tuple(spots)


def _macs(told: dict[str, Any]) -> tuple[str, ...]:
    macs = told["macs"]
    if not isinstance(macs, list) or len(macs) > MOST_SPOTS:
        raise Malformed("not a list of digests")
    if any(not isinstance(one, str) or len(one) not in {0, 64} for one in macs):
        raise Malformed("not a list of digests")
    return tuple(macs)

"""Every event there is, and its one encoding. Specified in ``docs/design/events.md``. Pure.

An event is one thing that happened to one drive or to several. It holds no personal data: people
appear as salted commitments (`commitment`), organisations by the name of their key. Law:
``decode(encode(e)) == e``, and what decodes encodes to the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, get_type_hints

from hakushi.ledger import canonical
from hakushi.ledger.dsse import Envelope
from hakushi.ledger.tiles import LARGEST_ENTRY
from hakushi.model import Malformed

PAYLOAD_TYPE = "application/vnd.hakushi.event.v1+json"
MOST_DRIVES = 1500
"""Serials that one event may list, so that it fits into an entry of the log."""

_NONCE = re.compile("[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile("[0-9a-f]{64}", re.ASCII)
_LONGEST_SERIAL, _LONGEST_TEXT, _LONGEST_KEY = 64, 500, 2000
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that no text of ours holds: controls, and those that turn the direction."""


class Role(StrEnum):
    """What a party may sign as."""

    OWNER = "owner"
    LESSOR = "lessor"
    CONTRACTOR = "contractor"
    CARRIER = "carrier"
    WITNESS = "witness"
    AUDITOR = "auditor"
    FINDER = "finder"


class Outcome(StrEnum):
    """What a bench knows of an erasure it did."""

    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Found(StrEnum):
    """The verdict of an assessment."""

    CLEAN = "clean"
    RESIDUE = "residue"
    INCONCLUSIVE = "inconclusive"


class Digest(str):
    """SHA-256 in hexadecimal, or nothing."""

    __slots__ = ()


class Commitment(str):
    """A person as SHA-256 over a salt and a name: who has both can show who it was."""

    __slots__ = ()


NO_DIGEST, NOBODY = Digest(), Commitment()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have: when it happened (seconds since 1970), and a nonce of 128 bits, so
    that nobody can guess an entry from its hash.
    """

    at: int
    nonce: str
    TYPE: ClassVar[str]

    @property
    def serials(self) -> tuple[str, ...]:
        """The drives that it happened to."""
        one = getattr(self, "drive", None)
        return (one,) if one is not None else getattr(self, "drives", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Event):
    """The owner enters a drive: it is in service from then on."""

    TYPE: ClassVar[str] = "registered"
    drive: str
    wwn: str = ""
    model: str = ""
    size: int = 0
    tag: str = ""
    """The organisation's own property number."""
    category: str = ""
    """What it holds, in the words of the owner's classes (``jp-mic-1``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired(Event):
    """Taken out of service."""

    TYPE: ClassVar[str] = "retired"
    drive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered(Event):
    """The owner's order, or one part of its manifest: these drives, this policy, by then."""

    TYPE: ClassVar[str] = "ordered"
    order: str
    drives: tuple[str, ...]
    policy: str
    deadline: int
    to: str
    """The party that the order goes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed(Event):
    """Packed under a numbered seal, each drive scanned, by two people."""

    TYPE: ClassVar[str] = "sealed"
    drives: tuple[str, ...]
    seal: str
    person: Commitment
    second_person: Commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    """One payload, two signatures: with the giver's alone it is an offer, with the receiver's as
    well it is accepted. Until then custody stays with the giver.
    """

    TYPE: ClassVar[str] = "handed_over"
    handover: str
    drives: tuple[str, ...]
    giver: str
    receiver: str
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Event):
    """What the receiver scanned, drive by drive; ``wwns`` in the same order, or none."""

    TYPE: ClassVar[str] = "received"
    drives: tuple[str, ...]
    handover: str = ""
    wwns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SanitizePlanned(Event):
    """What is about to be done, before anything is written."""

    TYPE: ClassVar[str] = "sanitize_planned"
    drive: str
    policy: str
    technique: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanitized(Event):
    """What a bench did, and what it knows of it."""

    TYPE: ClassVar[str] = "sanitized"
    drive: str
    wwn: str = ""
    policy: str
    technique: str
    method: str
    """Clear, Purge or Destroy (NIST SP 800-88r2)."""
    outcome: Outcome
    verification: str = ""
    tool: str
    evidence: Digest = NO_DIGEST
    person: Commitment = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed(Event):
    """What looking at a drive found. ``bound``: what a sample could have missed; empty if all was
    read.
    """

    TYPE: ClassVar[str] = "assessed"
    drive: str
    wwn: str = ""
    verdict: Found
    severity: str = ""
    scope: str = ""
    bytes_read: int = 0
    bytes_total: int = 0
    bound: str = ""
    tool: str
    evidence: Digest = NO_DIGEST
    person: Commitment = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated(Event):
    """Somebody other than the one who erased accepts the result, or does not (800-88r2 §4.5.2)."""

    TYPE: ClassVar[str] = "validated"
    drive: str
    accepted: bool
    person: Commitment = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Event):
    """The owner lets a drive go to be used again."""

    TYPE: ClassVar[str] = "released"
    drive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed(Event):
    """Physically destroyed before a witness: both sign. Photographs show the serial."""

    TYPE: ClassVar[str] = "destroyed"
    drive: str
    means: str
    photo_before: Digest = NO_DIGEST
    photo_after: Digest = NO_DIGEST
    person: Commitment = NOBODY
    second_person: Commitment = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """The owner closes a drive's file."""

    TYPE: ClassVar[str] = "closed"
    drive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified(Event):
    """A certificate was issued; its digest."""

    TYPE: ClassVar[str] = "certified"
    drives: tuple[str, ...]
    certificate: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(Event):
    """A certificate is taken back."""

    TYPE: ClassVar[str] = "revoked"
    drives: tuple[str, ...]
    certificate: Digest
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed(Event):
    """A party contradicts the record."""

    TYPE: ClassVar[str] = "disputed"
    drive: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Event):
    """A drive is not where it should be."""

    TYPE: ClassVar[str] = "missing"
    drive: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted(Event):
    """A drive was seen where it should not be: a listing, a finder's word."""

    TYPE: ClassVar[str] = "sighted"
    drive: str
    where: str
    evidence: Digest = NO_DIGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Event):
    """Back in the owner's hands. ``read_by_others``: whether somebody may have read it."""

    TYPE: ClassVar[str] = "recovered"
    drive: str
    read_by_others: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff(Event):
    """Given up, under the number of an incident."""

    TYPE: ClassVar[str] = "written_off"
    drive: str
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained(Event):
    """The owner's signed word on a break, by its rule and the entry that showed it: closes it."""

    TYPE: ClassVar[str] = "explained"
    drive: str
    rule: str
    entry: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """A remark. "Formatted" is one: never a state."""

    TYPE: ClassVar[str] = "noted"
    drive: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAdded(Event):
    """A key may sign from here on, for a party in a role. Signed by the log's key or an owner's;
    a further key of a known party, by one of its own keys, too.
    """

    TYPE: ClassVar[str] = "key_added"
    party: str
    role: Role
    key: str
    """The vkey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked(Event):
    """A key signs nothing any more from here on."""

    TYPE: ClassVar[str] = "key_revoked"
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported(Event):
    """What a bench's own log held up to a size was taken over; its root at that size."""

    TYPE: ClassVar[str] = "imported"
    origin: str
    """The bench's log, which bears the name of the key that signs it."""
    size: int
    root: Digest


# Slots make each class anew, under the name of the first: the later one stays.
EVENTS: dict[str, type[Event]] = {one.TYPE: one for one in Event.__subclasses__()}
"""Every event, by its name."""


def commitment(name: str, salt: bytes) -> Commitment:
    """A person, so that the log tells nothing of them and they can be shown to be meant."""
    return Commitment(hashlib.sha256(salt + b"\0" + name.encode()).hexdigest())


# --- encoding -----------------------------------------------------------------------------


def encode(event: Event) -> bytes:
    """The canonical payload of an event."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    for name, value in values.items():
        _check(event.TYPE, name, value, _types(event.TYPE)[name])
    plain = {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}
    return canonical.encode({"type": event.TYPE, **plain})


def decode(payload: bytes) -> Event:
    """The event of a payload. Raises `Malformed` for whatever is none, to the byte."""
    value = canonical.decode(payload, LARGEST_ENTRY)
    name = value.get("type") if isinstance(value, dict) else None
    kind = EVENTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Malformed("not an event of a known type")
    types = _types(kind.TYPE)
    if set(value) != {"type", *types}:
        raise Malformed(f"{kind.TYPE}: not its fields")
    made = {name: _made(value[name], wanted) for name, wanted in types.items()}
    for name, one in made.items():
        _check(kind.TYPE, name, one, types[name])
    return kind(**made)


def envelope(event: Event) -> Envelope:
    """The event as a payload to sign."""
    return Envelope(PAYLOAD_TYPE, encode(event), ())


def of_envelope(one: Envelope) -> Event:
    """The event of an envelope, whoever signed it."""
    if one.type != PAYLOAD_TYPE:
        raise Malformed("an envelope of another type")
    return decode(one.payload)


@cache
def _types(kind: str) -> dict[str, Any]:
    hints = get_type_hints(EVENTS[kind])
    return {field.name: hints[field.name] for field in fields(EVENTS[kind])}


@cache
def _optional(kind: str) -> frozenset[str]:
    """The fields that may be empty: those that have a default."""
    return frozenset(field.name for field in fields(EVENTS[kind]) if field.default is not MISSING)


def _made(value: Any, wanted: Any) -> Any:
    if wanted == tuple[str, ...]:
        return tuple(value) if isinstance(value, list) else value
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        try:
            return wanted(value)
        except ValueError:
            raise Malformed(f"{wanted.__name__.lower()} is not one of {list(wanted)}") from None
    if wanted in (Digest, Commitment) and type(value) is str:
        return wanted(value)
    return value


def _check(kind: str, name: str, value: Any, wanted: Any) -> None:
    """What no field may break: its type, its bounds, its form."""
    where = f"{kind}.{name}"
    if wanted == tuple[str, ...]:
        _check_list(where, value, empty=name in _optional(kind))
    elif type(value) is not wanted:
        raise Malformed(f"{where} is of another type")
    elif wanted is int and value < 0:
        raise Malformed(f"{where} is below 0")
    elif name == "nonce" and not _NONCE.fullmatch(value):
        raise Malformed(f"{where} is 32 hexadecimal digits")
    elif wanted in (Digest, Commitment) and value and not _DIGEST.fullmatch(value):
        raise Malformed(f"{where} is a SHA-256 in hexadecimal")
    elif isinstance(value, str):
        longest = {"drive": _LONGEST_SERIAL, "key": _LONGEST_KEY}.get(name, _LONGEST_TEXT)
        _check_text(where, value, longest, empty=name in _optional(kind))


def _check_list(where: str, value: Any, *, empty: bool) -> None:
    if not isinstance(value, tuple) or not all(type(one) is str for one in value):
        raise Malformed(f"{where} is a list of texts")
    if len(value) > MOST_DRIVES or (not value and not empty):
        raise Malformed(f"{where} lists 1 to {MOST_DRIVES}")
    if not empty and len(set(value)) < len(value):
        raise Malformed(f"{where} lists one twice")
    for one in value:
        _check_text(where, one, _LONGEST_SERIAL, empty=empty)


def _check_text(where: str, value: str, most: int, *, empty: bool) -> None:
    if not value and not empty:
        raise Malformed(f"{where} is empty")
    if len(value) > most:
        raise Malformed(f"{where} has more than {most} characters")
    if CONTROL.search(value) or value != value.strip():
        raise Malformed(f"{where} holds control characters, or spaces at its ends")

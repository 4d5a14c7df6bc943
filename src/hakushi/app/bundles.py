"""The verbs on bundles: what a bench without a network recorded, carried to another log."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from hakushi.app import keys, log, record
from hakushi.custody import events as ev
from hakushi.custody.chain import Book
from hakushi.ledger.bundle import LARGEST, Bundle
from hakushi.ledger.dsse import Envelope, key_name
from hakushi.ledger.merkle import leaf_hash
from hakushi.model import Malformed, Message, Refused, message

_AHEAD = 86_400
"""Seconds by which a bench's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a bundle over came to."""

    origin: str
    new: int
    known: int
    left: int
    """Changes of keys and foreign entries, which stay where they are."""
    entry: int | None
    """The ``imported`` event; None where nothing was new."""


def make(place: Path | None, start: int, out: Path) -> Bundle:
    """Writes everything of a log from ``start`` on as a bundle; whole or not at all."""
    bundle = log.stretch(place, start)
    data = bundle.encode()
    if len(data) > LARGEST:
        raise Refused(message("It would be larger than 256 MiB; begin later, with --since."))
    beside = out.with_name(out.name + ".new")
    beside.write_bytes(data)
    beside.replace(out)
    return bundle


def take(file: Path, place: Path | None, signer: str) -> Taken:
    """Takes a bundle over. The same again changes nothing; refused where it does not join."""
    where, key = log.chosen(place), keys.load(signer)
    bundle = _read(file)
    leaves: set[bytes] = set()
    book = record.book(where, lambda one: leaves.add(leaf_hash(one)), witnessed=False)
    if key_name(key.verifier) not in book.parties:
        raise Refused(
            message("The log knows no party that signs with {key}.", key=str(key.verifier))
        )
    head = bundle.head
    _known_bench(bundle, book)
    joined = _joins(bundle, book.imports.get(head.origin))
    fresh, left = _fresh(bundle, leaves)
    if joined and fresh:
        raise Refused(
            message(
                "It ends before what was taken over of {origin} and yet holds what is not here: a"
                " log that was rolled back, or two benches with one key.",
                origin=head.origin,
            )
        )
    if joined:
        return Taken(head.origin, 0, len(bundle.entries) - left, left, None)
    event = ev.Imported(
        at=int(time.time()),
        nonce=secrets.token_hex(16),
        origin=head.origin,
        size=head.size,
        root=ev.Digest(head.root.hex()),
    )
    envelope = ev.envelope(event).signed(key)
    with log.writing(where, patience=30.0) as kept:
        indices = kept.extend([*fresh, envelope.encode()])
    known = len(bundle.entries) - left - len(fresh)
    return Taken(head.origin, len(fresh), known, left, indices[-1])


def _read(file: Path) -> Bundle:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        why = error.strerror or "?"
        raise Refused(message("{path} cannot be read: {why}.", path=str(file), why=why)) from None
    try:
        bundle = Bundle.parse(data)
        if bundle.whole:
            return bundle
        why = "its entries do not have the root that was signed"
    except Malformed as error:
        why = str(error)
    raise Refused(
        message("{path} is no whole bundle: {why}. Fetch it anew.", path=str(file), why=why)
    )


def _known_bench(bundle: Bundle, book: Book) -> None:
    """Its log must be signed by a key that a party of this log signs events with."""
    if not any(bundle.signed_by(party.key) for party in book.parties.values()):
        raise Refused(
            message(
                "No party here signs as {origin}, or its key was revoked. A bench's log is made"
                " with the key that it signs with (`hakushi log init DIR --key NAME`).",
                origin=bundle.head.origin,
            )
        )


def _joins(bundle: Bundle, before: ev.Imported | None) -> bool:
    """Whether it goes on from what was taken over before; True where it brings nothing newer."""
    if before is None:
        if bundle.start:
            raise Refused(_gap(0, bundle.start))
        return False
    if bundle.start > before.size:
        raise Refused(_gap(before.size, bundle.start))
    if bundle.head.size < before.size:
        # An older one again, or a log that was rolled back: it may bring nothing new.
        return True
    root = bundle.roots([before.size])[before.size].hex()
    if root != before.root:
        raise Refused(
            message(
                "At {size} entries the log {origin} had the root {before} when it was last taken"
                " over; this one has {now}. Two benches with one key, or a log that was made"
                " again: find out before anything of it is believed.",
                size=before.size,
                origin=before.origin,
                before=before.root[:16],
                now=root[:16],
            )
        )
    return bundle.head.size == before.size


def _gap(before: int, start: int) -> Message:
    return message(
        "It begins at entry {start}, but only {before} were taken over; bring the bundle in between"
        " first.",
        start=start,
        before=before,
    )


def _fresh(bundle: Bundle, leaves: set[bytes]) -> tuple[list[bytes], int]:
    """The entries that the log does not have, and how many stay where they are."""
    latest = time.time() + _AHEAD
    fresh, left = [], 0
    for number, entry in enumerate(bundle.entries, bundle.start):
        try:
            event = ev.of_envelope(Envelope.parse(entry))
        except Malformed:
            left += 1
            continue
        if event.at > latest:
            raise Refused(
                message(
                    "Entry {number} of the bundle is dated in the future ({when} UTC); set the"
                    " clocks right first. Nothing was taken over.",
                    number=number,
                    when=time.strftime("%Y-%m-%d %H:%M", time.gmtime(min(event.at, 1 << 40))),
                )
            )
        if isinstance(event, ev.KeyAdded | ev.KeyRevoked | ev.Imported):
            left += 1
        elif leaf_hash(entry) not in leaves:
            fresh.append(entry)
    return fresh, left

"""The verbs on custody: record what happened, hand drives over, show a drive's chain."""

from __future__ import annotations

import calendar
import hashlib
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_type_hints

from hakushi.app import keys, log
from hakushi.app.people import commit
from hakushi.custody import events as ev
from hakushi.custody.chain import Book, Chain, Read, read
from hakushi.custody.events import Commitment, Digest, Event
from hakushi.custody.orders import Reconciled, Standing, reconcile
from hakushi.ledger.dsse import Envelope
from hakushi.ledger.keys import Verifier
from hakushi.model import Malformed, Message, Refused, message

__all__ = [
    "Chain",
    "Reconciled",
    "Recorded",
    "Standing",
    "Writing",
    "accept",
    "book",
    "chain",
    "offer",
    "reconciled",
    "record",
    "told",
    "usage",
]

_FEW, _SOME, _AHEAD = 4096, 512, 8
"""Entries that one process reads alone; that go to another at once; and how many such wait."""
_YES = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that is in the log: where, and what it was."""

    entry: int
    event: Event
    breaks: tuple[Message, ...]
    """Rules of custody that it breaks: noted, never refused."""


Writing = Callable[[], Recorded]
"""Something that writes one event."""


def record(
    kind: str, drives: Sequence[str], values: Mapping[str, str], signers: Sequence[str], place: Path
) -> Recorded:
    """Signs one event and appends it. Refused where it is no event, never for what it means."""
    return _append(_event(kind, drives, values), signers, place)


def offer(drives: Sequence[str], giver: str, receiver: str, key: str, place: Path) -> Recorded:
    """A hand-over with the giver's signature alone: custody stays with the giver."""
    values = {"handover": secrets.token_hex(8), "giver": giver, "receiver": receiver}
    return _append(_event("handed_over", drives, values), [key], place)


def accept(handover: str, key: str, place: Path) -> Recorded:
    """The same payload with the receiver's signature as well."""
    envelope: Envelope | None = None
    for entry in log.entries(place, witnessed=False):
        try:
            one = Envelope.parse(entry)
            event = ev.of_envelope(one)
        except Malformed:
            continue
        if isinstance(event, ev.HandedOver) and event.handover == handover:
            envelope = one
    if envelope is None:
        raise Refused(
            message("The log holds no hand-over {number}; check it.", number=handover[:80])
        )
    return _write(envelope.signed(keys.load(key)), place)


def chain(serial: str, place: Path | None) -> Chain:
    """A drive's story. Refused where the log has none."""
    found = book(place).chains.get(serial)
    if found is None:
        raise Refused(message("The log tells nothing of a drive {serial}.", serial=serial[:80]))
    return found


def book(
    place: Path | None, seen: Callable[[bytes], object] | None = None, *, witnessed: bool = True
) -> Book:
    """Everything that the log tells; the log's own keys may introduce parties.

    ``seen`` is given every entry on its way.
    """
    kept = Book(log.authority(place))
    entries = log.entries(place, witnessed=witnessed)
    for index, (entry, before) in enumerate(_tried(entries, lambda: kept.keys)):
        if seen is not None:
            seen(entry)
        kept.take(index, entry, before)
    return kept


def _tried(
    entries: Iterable[bytes], keys: Callable[[], tuple[Verifier, ...]]
) -> Iterator[tuple[bytes, Read]]:
    """Every entry, read; in other processes too, where there are enough to pay for them.

    A key that was added in between is tried by the fold itself, so that nothing depends on this.
    """
    source = iter(entries)
    first = list(islice(source, _FEW))
    yield from ((entry, read(entry, keys())) for entry in first)
    if len(first) < _FEW:
        return
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        ahead: deque[tuple[list[bytes], Future[list[Read]]]] = deque()
        while True:
            while len(ahead) < _AHEAD and (some := list(islice(source, _SOME))):
                ahead.append((some, pool.submit(_read_all, some, keys())))
            if not ahead:
                return
            some, answers = ahead.popleft()
            yield from zip(some, answers.result(), strict=True)


def _read_all(entries: Sequence[bytes], keys: tuple[Verifier, ...]) -> list[Read]:
    return [read(entry, keys) for entry in entries]


def reconciled(order: str, place: Path | None, now: int) -> Reconciled:
    """An order, drive by drive. Refused where the log has no such order."""
    found = reconcile(book(place), order, now)
    if found is None:
        raise Refused(message("The log holds no order {order}.", order=order[:80]))
    return found


def usage() -> Iterator[tuple[str, str]]:
    """(event, its fields): those in brackets may be left out."""
    for kind, event in sorted(ev.EVENTS.items()):
        words = [
            f.name if f.default is MISSING else f"[{f.name}]"
            for f in fields(event)
            if f.name not in {"at", "nonce", "drive", "drives"}
        ]
        yield kind, " ".join(words)


def told(one: Chain, now: int) -> dict[str, Any]:
    """The chain as ``hakushi chain --json`` prints it."""
    return {
        "schema": "hakushi.chain/1",
        "serial": one.serial,
        "wwn": one.wwn,
        "state": one.state,
        "holder": one.holder,
        "order": one.order,
        "deadline": one.deadline,
        "overdue": one.overdue(now),
        "outcome": one.outcome,
        "verdict": one.verdict,
        "steps": [
            {
                "entry": step.entry,
                "at": step.event.at,
                "type": step.event.TYPE,
                "state": step.state,
                "signers": [{"party": p.name, "role": p.role.value} for p in step.signers],
            }
            for step in one.steps
        ],
        "breaks": [
            {
                "rule": b.rule,
                "entry": b.entry,
                "about": str(b.about),
                "explained": one.explained.get((b.rule, b.entry)),
            }
            for b in one.breaks
        ],
    }


# --- making events ---------------------------------------------------------------------------


def _event(kind: str, drives: Sequence[str], values: Mapping[str, str]) -> Event:
    made = ev.EVENTS.get(kind)
    if made is None:
        raise Refused(
            message(
                "There is no event {kind}; there are: {known}.",
                kind=kind[:40],
                known=", ".join(sorted(ev.EVENTS)),
            )
        )
    types = get_type_hints(made)
    known = {f.name: f for f in fields(made)}
    given: dict[str, Any] = {"at": int(time.time()), "nonce": secrets.token_hex(16)}
    given |= _drives(kind, known, drives)
    for name, value in values.items():
        if name not in known or name in {"nonce", "drive", "drives"}:
            raise Refused(
                message(
                    "{kind} has no field {name}; see `hakushi record --fields`.",
                    kind=kind,
                    name=name[:40],
                )
            )
        given[name] = _value(name, value, types[name])
    lacking = [n for n, f in known.items() if f.default is MISSING and n not in given]
    if lacking:
        raise Refused(message("{kind} needs: {names}.", kind=kind, names=", ".join(lacking)))
    event = made(**given)
    try:
        ev.encode(event)
    except Malformed as error:
        raise Refused(message("This cannot be recorded: {why}.", why=str(error))) from None
    return event


def _drives(kind: str, known: Mapping[str, object], drives: Sequence[str]) -> dict[str, Any]:
    if "drives" in known and drives:
        return {"drives": tuple(drives)}
    if "drive" in known and len(drives) == 1:
        return {"drive": drives[0]}
    if "drive" in known or "drives" in known:
        raise Refused(message("{kind} needs a drive: --drive SERIAL.", kind=kind))
    if drives:
        raise Refused(message("{kind} is of no drive.", kind=kind))
    return {}


def _value(name: str, value: str, wanted: Any) -> Any:
    """A word from the command line as what the field holds."""
    try:
        if wanted is bool:
            return _YES[value.lower()]
        if wanted is int:
            return int(value) if value.isdigit() else _day(value)
        if wanted == tuple[str, ...]:
            return tuple(value.split(","))
        if isinstance(wanted, type) and issubclass(wanted, StrEnum):
            return wanted(value)
    except (KeyError, ValueError):
        raise Refused(
            message("{value} is nothing that {name} may be.", value=value[:80], name=name)
        ) from None
    if wanted is Commitment:
        return commit(value)
    if wanted is Digest:
        return _digest(name, value)
    return wanted(value)


def _digest(name: str, value: str) -> Digest:
    """A digest as it was given, or of the file of that name: a photograph, a report."""
    if re.fullmatch("[0-9a-f]{64}", value):
        return Digest(value)
    try:
        with Path(value).open("rb") as file:
            return Digest(hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, ValueError) as error:
        raise Refused(
            message(
                "{name} takes a file or its SHA-256; {value} is neither ({why}).",
                name=name,
                value=value[:80],
                why=getattr(error, "strerror", None) or str(error),
            )
        ) from None


def _day(value: str) -> int:
    """The end of a day, UTC."""
    return calendar.timegm(time.strptime(value, "%Y-%m-%d")) + 86_399


def _append(event: Event, signers: Sequence[str], place: Path) -> Recorded:
    envelope = ev.envelope(event)
    for name in signers:
        envelope = envelope.signed(keys.load(name))
    return _write(envelope, place)


def _write(envelope: Envelope, place: Path) -> Recorded:
    entry = envelope.encode()
    try:
        Envelope.parse(entry)
    except Malformed as error:
        raise Refused(message("This cannot be recorded: {why}.", why=str(error))) from None
    event = ev.of_envelope(envelope)
    with log.writing(place) as kept:
        (index,) = kept.extend([entry])
    chains = book(place, witnessed=False).chains
    breaks = [
        b.about for s in event.serials if s in chains for b in chains[s].breaks if b.entry == index
    ]
    return Recorded(index, event, tuple(dict.fromkeys(breaks)))

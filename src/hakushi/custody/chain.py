"""Events -> who holds each drive, in which state, and every break of custody. Pure.

A fold over the log's entries in their order. An illegal step is noted, never refused: it happened.
A break stays open until the owner's signed explanation closes it. Rules: docs/design/events.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from hakushi.custody import events as ev
from hakushi.custody.events import Event, Found, Outcome, Role
from hakushi.ledger.dsse import Envelope, key_name
from hakushi.ledger.keys import Verifier
from hakushi.model import Malformed, Message, message

_OPEN = frozenset(
    {"", "in_service", "retired", "ordered", "sealed", "in_transit", "received", "sanitized"}
) | {"validated", "missing", "suspect"}
_FINAL = frozenset({"destroyed", "closed"})

_STEPS: dict[str, tuple[frozenset[str], str]] = {
    # event: (states that it may come from, state after it)
    "registered": (frozenset({""}), "in_service"),
    "retired": (frozenset({"in_service"}), "retired"),
    "ordered": (frozenset({"retired"}), "ordered"),
    "sealed": (frozenset({"ordered"}), "sealed"),
    "received": (frozenset({"in_transit"}), "received"),
    "released": (frozenset({"validated"}), "released"),
    "destroyed": (frozenset({"ordered", "received", "sanitized", "validated"}), "destroyed"),
    "closed": (frozenset({"destroyed"}), "closed"),
    "missing": (_OPEN, "missing"),
    "recovered": (frozenset({"missing", "suspect"}), "received"),
    "written_off": (frozenset({"missing"}), "written_off"),
}
_LEAVES = frozenset({"ordered", "sealed", "received", "sanitized", "validated"})
"""States from which a drive may be handed over."""

_OWNERS = frozenset({"registered", "retired", "ordered", "released", "closed", "explained"}) | {
    "written_off"
}
_AFTER_THE_END = frozenset({"closed", "certified", "revoked", "noted", "explained"}) | {
    "disputed",
    "recovered",
}
_NO_ERASURE = frozenset({"format", "formatted", "initialize", "initialized", "quick-format"})
_BACK = 300
"""Seconds by which clocks of two parties may differ."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who a key signs for, and in which role."""

    name: str
    role: Role
    key: Verifier


@dataclass(frozen=True, slots=True)
class Break:
    """A rule that a drive's story breaks, at an entry of the log."""

    rule: str
    entry: int
    about: Message


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a drive's story, and who signed it."""

    entry: int
    event: Event
    signers: tuple[Party, ...]
    state: str
    """The drive's state after it."""


@dataclass(slots=True)
class Chain:
    """One drive's story so far."""

    serial: str
    state: str = ""
    holder: str = ""
    wwn: str = ""
    deadline: int = 0
    order: str = ""
    steps: list[Step] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    explained: dict[tuple[str, int], str] = field(default_factory=dict)
    """(rule, entry) of breaks that the owner explained, and how."""
    outcome: Outcome | None = None
    verdict: Found | None = None
    """Of the last assessment since the last erasure."""
    erased_by: tuple[frozenset[str], str] = (frozenset(), "")
    """The parties that signed the last erasure, and the commitment to who did it."""
    offer: str = ""
    """A hand-over that the giver alone has signed."""

    @property
    def open(self) -> tuple[Break, ...]:
        """The breaks that nobody explained."""
        return tuple(b for b in self.breaks if (b.rule, b.entry) not in self.explained)

    @property
    def ended(self) -> bool:
        """Whether nothing is owed any more."""
        return self.state in {"released", "destroyed", "closed", "written_off"}

    def overdue(self, now: int) -> bool:
        """Whether the order's deadline passed without a verified end."""
        return 0 < self.deadline < now and not self.ended


@dataclass(frozen=True, slots=True)
class Read:
    """An entry, read and its signatures tried: what may be done anywhere, in any order."""

    event: Event | None
    """None where it is no event."""
    why: str = ""
    names: tuple[str, ...] = ()
    """The keys that it names, in its order."""
    held: tuple[tuple[Verifier, bool], ...] = ()
    """Keys, and whether each made one of its signatures."""


def read(entry: bytes, keys: Iterable[Verifier]) -> Read:
    """Reads an entry and tries those of the keys that it names. Never raises."""
    try:
        envelope = Envelope.parse(entry)
        event = ev.of_envelope(envelope)
    except Malformed as error:
        return Read(None, str(error))
    names = tuple(one.key_id for one in envelope.signatures)
    tried = (key for key in keys if key_name(key) in names)
    held = tuple((key, envelope.signed_by(key)) for key in tried)
    return Read(event, "", names, held)


class Book:
    """Everything that a log's entries tell, taken one by one in their order.

    ``authority``: keys that may introduce parties; the log's own.
    """

    def __init__(self, authority: Collection[Verifier]) -> None:
        self.chains: dict[str, Chain] = {}
        self.parties: dict[str, Party] = {}
        """By the name of the key."""
        self.foreign: list[tuple[int, str]] = []
        """Entries that are no events, and why not."""
        self._authority = {key_name(key): key for key in authority}
        self._handovers: dict[str, tuple[int, ev.HandedOver]] = {}
        self.imports: dict[str, ev.Imported] = {}
        """How much of each bench's log was taken over, by its origin."""
        self.key_entries: list[int] = []
        """Entries that changed who may sign."""

    @property
    def keys(self) -> tuple[Verifier, ...]:
        """Every key that may sign now."""
        return (*self._authority.values(), *(one.key for one in self.parties.values()))

    def take(self, index: int, entry: bytes, before: Read | None = None) -> None:
        """The next entry, and what reading it ``before`` gave. Never raises for what is in it."""
        if before is None:
            before = read(entry, self.keys)
        if before.event is None:
            self.foreign.append((index, before.why))
            return
        event, envelope = before.event, _Signatures(entry, before)
        signers = self._signers(envelope)
        if isinstance(event, ev.KeyAdded | ev.KeyRevoked):
            self._key(index, event, envelope, signers)
        if isinstance(event, ev.Imported) and signers:
            self.imports[event.origin] = event
        for serial in event.serials:
            _Taking(self, index, event, signers).into(self._chain(serial))
        if isinstance(event, ev.HandedOver) and signers:
            self._handovers.setdefault(event.handover, (index, event))
        if isinstance(event, ev.Received) and signers:
            self._left_behind(index, event)

    def take_all(self, entries: Iterable[bytes]) -> None:
        for index, entry in enumerate(entries):
            self.take(index, entry)

    def handover(self, id: str) -> ev.HandedOver | None:
        """The hand-over of that number: the first that a known party signed; it stays."""
        found = self._handovers.get(id)
        return found[1] if found else None

    def needed(self, serial: str) -> list[int]:
        """The entries that a drive's story rests on, in their order, keys included."""
        steps = self.chains[serial].steps
        found = {step.entry for step in steps}.union(self.key_entries)
        for step in steps:
            if isinstance(step.event, ev.Received) and step.event.handover in self._handovers:
                found.add(self._handovers[step.event.handover][0])
        return sorted(found)

    def _chain(self, serial: str) -> Chain:
        return self.chains.setdefault(serial, Chain(serial))

    def _left_behind(self, index: int, event: ev.Received) -> None:
        """What was handed over and not scanned is told on those drives, once."""
        given = self.handover(event.handover)
        if given is None or not _differ(given, event):
            return
        about = message("It was handed over, and not among the drives that were scanned.")
        for serial in sorted(set(given.drives) - set(event.drives)):
            self._chain(serial).breaks.append(Break("count-mismatch", index, about))

    def _signers(self, signatures: _Signatures) -> tuple[Party, ...]:
        """The known parties whose signatures hold, in the order of the signatures."""
        named = (self.parties.get(one) for one in signatures.names)
        return tuple(p for p in named if p is not None and signatures.of(p.key))

    def _key(
        self,
        index: int,
        event: ev.KeyAdded | ev.KeyRevoked,
        signatures: _Signatures,
        signers: tuple[Party, ...],
    ) -> None:
        """Keys change by the log's own word, by an owner's, or by the party's own."""
        above = any(signatures.of(key) for key in self._authority.values())
        above = above or any(one.role is Role.OWNER for one in signers)
        try:
            key = Verifier.parse(event.key)
        except Malformed as error:
            self.foreign.append((index, str(error)))
            return
        name = key_name(key)
        if isinstance(event, ev.KeyRevoked):
            known = self.parties.get(name)
            if known and (above or any(one.name == known.name for one in signers)):
                del self.parties[name]
                self.key_entries.append(index)
                return
        elif above or any(s.name == event.party and s.role is event.role for s in signers):
            self.parties[name] = Party(event.party, event.role, key)
            self.key_entries.append(index)
            return
        self.foreign.append((index, "a change of keys that nobody with the right to it signed"))


class _Signatures:
    """Who signed an entry: as it was found before, or tried now where that was not."""

    def __init__(self, entry: bytes, before: Read) -> None:
        self.names = before.names
        self._entry, self._held = entry, dict(before.held)

    def of(self, key: Verifier) -> bool:
        if key_name(key) not in self.names:
            return False
        found = self._held.get(key)
        return Envelope.parse(self._entry).signed_by(key) if found is None else found


def _differ(given: ev.HandedOver, scanned: ev.Received) -> bool:
    """Are they other drives? Asked for each of them: equal lists, the rule, are seen at once."""
    return given.drives != scanned.drives and set(given.drives) != set(scanned.drives)


class _Taking:
    """One event on its way into a chain."""

    def __init__(self, book: Book, index: int, event: Event, signers: tuple[Party, ...]) -> None:
        self.book, self.index, self.event, self.signers = book, index, event, signers

    def into(self, chain: Chain) -> None:
        event = self.event
        believed = self._who(chain)
        if self._goes_back(chain):
            self._break(
                chain,
                "time-goes-back",
                message("It is dated before what the same party had recorded before it."),
            )
        if chain.state in _FINAL and event.TYPE not in _AFTER_THE_END:
            self._break(
                chain, "after-destruction", message("The drive had been destroyed before this.")
            )
        self._same_drive(chain)
        if believed:
            self._move(chain)
        chain.steps.append(Step(self.index, event, self.signers, chain.state))

    def _break(self, chain: Chain, rule: str, about: Message) -> None:
        chain.breaks.append(Break(rule, self.index, about))

    def _goes_back(self, chain: Chain) -> bool:
        """Is it dated before the last event of the same signer? Parties without a network are
        told late, so the others' dates show nothing.
        """
        names = {one.name for one in self.signers}
        last = next(
            (s.event.at for s in reversed(chain.steps) if names & {p.name for p in s.signers}), None
        )
        return last is not None and self.event.at < last - _BACK and not self._accepted()

    def _accepted(self) -> bool:
        """A hand-over that was offered before: its payload bears the date of the offer."""
        event = self.event
        return isinstance(event, ev.HandedOver) and self.book.handover(event.handover) == event

    # --- who ------------------------------------------------------------------------------

    def _who(self, chain: Chain) -> bool:
        """May they sign this at all? If not it is noted, and moves nothing."""
        roles = {one.role for one in self.signers}
        if not self.signers:
            self._break(chain, "unknown-signer", message("No known party signed it."))
            return False
        if self.event.TYPE in _OWNERS and Role.OWNER not in roles:
            self._break(chain, "wrong-signer", message("Only the owner may sign this."))
            return False
        if self.event.TYPE == "destroyed" and len({one.name for one in self.signers}) < 2:
            self._break(
                chain,
                "one-signature",
                message("Destruction needs the signature of a witness, too."),
            )
        return True

    def _same_drive(self, chain: Chain) -> None:
        """Is it the drive that was registered under this serial?"""
        event = self.event
        told = getattr(event, "wwn", "")
        if isinstance(event, ev.Received) and len(event.wwns) == len(event.drives):
            told = event.wwns[event.drives.index(chain.serial)]
        if isinstance(event, ev.Registered) and chain.steps:
            self._break(chain, "serial-twice", message("The serial had been registered before."))
        elif told and chain.wwn and told != chain.wwn:
            self._break(
                chain,
                "wrong-wwn",
                message("Another WWN than the one that was registered with this serial."),
            )
        chain.wwn = chain.wwn or told

    # --- what -----------------------------------------------------------------------------

    def _move(self, chain: Chain) -> None:
        match self.event:
            case ev.HandedOver():
                self._handed_over(chain, self.event)
            case ev.Sanitized():
                self._sanitized(chain, self.event)
            case ev.Assessed(verdict=verdict):
                chain.verdict = verdict
            case ev.Validated():
                self._validated(chain, self.event)
            case ev.Certified():
                self._certified(chain)
            case ev.Explained(rule=rule, entry=entry, reason=reason):
                chain.explained[rule, entry] = reason
            case ev.Sighted():
                chain.state = "suspect"
            case _:
                self._step(chain)

    def _step(self, chain: Chain) -> None:
        event = self.event
        if event.TYPE not in _STEPS:
            return
        allowed, after = _STEPS[event.TYPE]
        self._from(chain, allowed)
        if isinstance(event, ev.Registered) and chain.state:
            return
        chain.state = after
        if isinstance(event, ev.Registered):
            chain.holder = self._name()
        elif isinstance(event, ev.Ordered):
            chain.order, chain.deadline = event.order, event.deadline
        elif isinstance(event, ev.Received):
            self._received(chain, event)

    def _from(self, chain: Chain, allowed: Collection[str]) -> None:
        if chain.state not in allowed:
            self._break(
                chain,
                "illegal-step",
                message(
                    "{step} does not follow from {state}.",
                    step=self.event.TYPE,
                    state=chain.state or "unregistered",
                ),
            )

    def _name(self) -> str:
        return self.signers[0].name if self.signers else ""

    def _handed_over(self, chain: Chain, event: ev.HandedOver) -> None:
        """With the giver's signature alone it is an offer: custody stays where it is."""
        names = {one.name for one in self.signers}
        first = self.book.handover(event.handover)
        if first is not None and first != event:
            self._break(
                chain, "number-twice", message("Another hand-over has the same number already.")
            )
        if event.giver not in names:
            self._break(chain, "wrong-signer", message("The giver did not sign the hand-over."))
        if event.receiver not in names:
            chain.offer = event.handover
            return
        if chain.holder and event.giver != chain.holder:
            self._break(
                chain, "not-the-holder", message("{giver} does not hold it.", giver=event.giver)
            )
        self._from(chain, _LEAVES)
        chain.offer = ""
        chain.holder, chain.state = event.receiver, "in_transit"

    def _received(self, chain: Chain, event: ev.Received) -> None:
        given = self.book.handover(event.handover)
        if chain.offer:
            self._break(
                chain,
                "one-signature",
                message("It was received, but the hand-over has one signature."),
            )
        if given is not None and _differ(given, event):
            self._break(
                chain,
                "count-mismatch",
                message(
                    "{given} drives were handed over, {scanned} scanned, and not the same ones.",
                    given=len(given.drives),
                    scanned=len(event.drives),
                ),
            )

    def _sanitized(self, chain: Chain, event: ev.Sanitized) -> None:
        self._from(chain, {"ordered", "sealed", "received", "sanitized"})
        if event.technique.lower() in _NO_ERASURE:
            self._break(
                chain, "formatted", message("Formatting is no erasure: the data can be restored.")
            )
            return
        chain.outcome, chain.verdict = event.outcome, None
        chain.erased_by = (frozenset(one.name for one in self.signers), event.person)
        if event.outcome is Outcome.COMPLETED:
            chain.state = "sanitized"

    def _validated(self, chain: Chain, event: ev.Validated) -> None:
        parties, person = chain.erased_by
        if parties & {one.name for one in self.signers} or (person and person == event.person):
            self._break(
                chain, "same-person", message("Who erased it and who accepts it are the same.")
            )
        self._from(chain, {"sanitized"})
        if event.accepted and (chain.outcome, chain.verdict) != (Outcome.COMPLETED, Found.CLEAN):
            self._break(
                chain,
                "not-proven",
                message(
                    "It was accepted without a completed erasure and a clean verdict after it."
                ),
            )
        if event.accepted:
            chain.state = "validated"

    def _certified(self, chain: Chain) -> None:
        if chain.state not in {"validated", "released", "destroyed", "closed"}:
            self._break(
                chain,
                "certificate-before-validation",
                message("A certificate was issued before anyone accepted the result."),
            )

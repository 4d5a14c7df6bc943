"""Whether a certificate holds: offline, from its own bytes and a policy of whom to trust. Pure.

Every failure has a class, so that other checkers can be held against the same vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hakushi.certify.certificate import Certificate
from hakushi.certify.statement import Claims, claims_of, of_chain
from hakushi.custody import events as ev
from hakushi.custody.chain import Book, Chain, Step
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Verifier
from hakushi.ledger.merkle import inclusion_holds, leaf_hash
from hakushi.ledger.note import Note
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import signature_failures
from hakushi.model import Malformed, Message, message


class Kind(StrEnum):
    """Classes of failure, in the order in which they are looked for."""

    MALFORMED = "malformed"
    UNTRUSTED_LOG = "untrusted-log"
    NOT_IN_LOG = "not-in-log"
    FOREIGN_ENTRY = "foreign-entry"
    NOT_CERTIFIED = "not-certified"
    UNKNOWN_ISSUER = "unknown-issuer"
    STATEMENT_DIFFERS = "statement-differs"
    FALSE_NAME = "false-name"
    OPEN_BREAK = "open-break"
    NOT_FINISHED = "not-finished"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why a certificate does not hold."""

    kind: Kind
    about: Message


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking showed. ``trusted``: a policy was given, and it trusts who signed the log."""

    failures: tuple[Failure, ...]
    trusted: bool = False
    certificate: Certificate | None = None
    issuer: str = ""
    origin: str = ""
    size: int = 0
    witnesses: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.failures


def check(data: bytes, policy: Policy | None) -> Checked:
    """Checks the bytes of a certificate. Never raises for what is in them."""
    try:
        certificate = Certificate.parse(data)
        note = Note.parse(certificate.checkpoint)
        head = Checkpoint.parse(note.text)
        keys = tuple(Verifier.parse(key) for key in certificate.log)
    except Malformed as error:
        why = message("It cannot be read as a certificate: {why}.", why=str(error))
        return Checked((Failure(Kind.MALFORMED, why),))
    # Without a policy the log's word for its own keys shows only that the parts fit each other.
    trust = policy or Policy.of_log(*keys)
    standing = trust.standing(note)
    failures = [
        Failure(Kind.UNTRUSTED_LOG, why) for why in signature_failures(head.origin, standing)
    ]
    if set(map(str, standing.logs)) != set(certificate.log) or standing.unknown:
        why = message("The log's keys are not exactly those that signed it and are trusted.")
        failures.append(Failure(Kind.UNTRUSTED_LOG, why))
    failures += _proofs(certificate, head)
    if not failures:
        failures += _facts(certificate, standing.logs)
    return Checked(
        tuple(failures),
        policy is not None and not failures,
        certificate,
        str(certificate.statement.get("issuer", "")),
        head.origin,
        head.size,
        standing.witnesses,
    )


def _proofs(certificate: Certificate, head: Checkpoint) -> list[Failure]:
    return [
        Failure(
            Kind.NOT_IN_LOG,
            message("Entry {index} is not proven to be in the log.", index=one.index),
        )
        for one in certificate.items
        if not inclusion_holds(one.index, head.size, leaf_hash(one.entry), one.path, head.root)
    ]


def _facts(certificate: Certificate, keys: tuple[Verifier, ...]) -> list[Failure]:
    """What the entries say, against what the statement says."""
    book = Book(keys)
    for one in certificate.items[:-1]:
        book.take(one.index, one.entry)
    if book.foreign:
        index, why = book.foreign[0]
        about = message("Entry {index} has no place here: {why}.", index=index, why=why)
        return [Failure(Kind.FOREIGN_ENTRY, about)]
    # As it stood before it was certified.
    chains = [book.chains[one] for one in _serials(certificate) if one in book.chains]
    made = [of_chain(chain) for chain in chains]
    reasons = [reason for chain in chains for reason in unfinished(chain)]
    if failures := _certified(certificate, book):
        return failures
    if made != certificate.statement["drives"]:
        about = message("The statement is not what the log's entries say.")
        return [Failure(Kind.STATEMENT_DIFFERS, about)]
    return _names(claims_of(certificate.statement), certificate) + reasons


def _certified(certificate: Certificate, book: Book) -> list[Failure]:
    """Does the last entry certify this statement, signed by a known party?"""
    statement, last = certificate.statement, certificate.items[-1]
    book.take(last.index, last.entry)
    serials = _serials(certificate)
    step: Step | None = None
    if serials and serials[0] in book.chains:
        step = book.chains[serials[0]].steps[-1]
    event = step.event if step is not None else None
    if (
        set(statement) != {"claims", "drives", "issued", "issuer"}
        or not isinstance(event, ev.Certified)
        or step is None
        or step.entry != last.index
        or event.certificate != certificate.digest
        or event.drives != serials
        or event.at != statement["issued"]
    ):
        about = message("The log's last entry here does not certify this statement.")
        return [Failure(Kind.NOT_CERTIFIED, about)]
    if statement["issuer"] not in [one.name for one in step.signers]:
        about = message("It is not signed by the issuer that it names.")
        return [Failure(Kind.UNKNOWN_ISSUER, about)]
    return []


def _serials(certificate: Certificate) -> tuple[str, ...]:
    drives = certificate.statement.get("drives")
    if not isinstance(drives, list):
        return ()
    return tuple(str(one.get("serial")) for one in drives if isinstance(one, dict))


def _names(claims: Claims | None, certificate: Certificate) -> list[Failure]:
    """Names that are told must open the commitments that the entries hold."""
    if claims is None:
        about = message("The issuer's own words are not in their form.")
        return [Failure(Kind.MALFORMED, about)]
    held = people_of(certificate.statement["drives"])
    for one in claims.people:
        try:
            salt = bytes.fromhex(one.salt)
        except ValueError:
            salt = b""
        made = hashlib.sha256(salt + b"\0" + one.name.encode()).hexdigest()
        if made != one.commitment or made not in held:
            about = message("The name {name} is not whom the log means.", name=one.name)
            return [Failure(Kind.FALSE_NAME, about)]
    return []


def people_of(value: object) -> set[str]:
    """Every person in the drives' facts, as a commitment."""
    match value:
        case dict():
            person = value.get("person")
            found = {person} if isinstance(person, str) and person else set()
            if isinstance(people := value.get("people"), list):
                found |= {one for one in people if isinstance(one, str)}
            return found.union(*map(people_of, value.values()))
        case list():
            return set[str]().union(*map(people_of, value))
    return set()


def unfinished(chain: Chain) -> list[Failure]:
    """Why no certificate may be issued for a drive: the rule, for who issues and who checks.

    A passed deadline is no reason. What certifies a destruction gives no verdict.
    """
    failures = [
        Failure(
            Kind.OPEN_BREAK,
            message(
                "{serial}: a break of custody that nobody explained: {rule}, entry {entry}.",
                serial=chain.serial,
                rule=one.rule,
                entry=one.entry,
            ),
        )
        for one in chain.open
    ]
    if chain.state not in {"validated", "released", "destroyed", "closed"}:
        about = message(
            "{serial}: nobody accepted its erasure or witnessed its destruction yet.",
            serial=chain.serial,
        )
        failures.append(Failure(Kind.NOT_FINISHED, about))
    return failures

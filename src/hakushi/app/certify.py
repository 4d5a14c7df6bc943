"""The verbs on certificates: build one out of a log, check one offline or against its log."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hakushi.app import extras, keys, log, paper, record, seal, witness
from hakushi.app.paper import Signing
from hakushi.app.people import opened
from hakushi.app.words import answer, broken, technical, tell
from hakushi.certify import (
    Certificate,
    Checked,
    Claims,
    Failure,
    Item,
    Kind,
    code,
    people_of,
    state,
    unfinished,
)
from hakushi.certify import check as checked_bytes
from hakushi.certify import told as telling
from hakushi.certify.certificate import LARGEST, digest
from hakushi.certify.code import Read as Code
from hakushi.certify.pdf import embedded, is_pdf
from hakushi.certify.statement import Opening, claims_of
from hakushi.custody import events as ev
from hakushi.custody.chain import Book, Chain, Step
from hakushi.ledger.dsse import key_name
from hakushi.ledger.keys import Signer
from hakushi.ledger.policy import Policy
from hakushi.ledger.view import View
from hakushi.model import Malformed, Message, Refused, message

__all__ = ["Built", "Claims", "Code", "Looked", "Signing", "build", "check", "written"]


@dataclass(frozen=True, slots=True)
class Built:
    """A certificate that the log knows of."""

    certificate: Certificate
    entry: int
    checked: Checked


@dataclass(frozen=True, slots=True)
class Looked:
    """What checking showed, and, where a log was asked, what happened since."""

    checked: Checked
    failures: tuple[Failure, ...]
    later: tuple[Step, ...] = ()
    asked: bool = False
    """Whether the log itself was asked."""

    @property
    def holds(self) -> bool:
        return not self.failures


def _open_break(chain: Chain) -> Message:
    """What is broken in a drive's custody, and how it is explained."""
    first = next(iter(chain.open))
    return message(
        "{serial}: nobody explained this break of custody in entry {entry}: {about} Say why, then"
        " build again: hakushi record explained --drive {serial} rule={rule} entry={entry}"
        " reason=TEXT --as OWNER",
        serial=chain.serial,
        entry=first.entry,
        rule=first.rule,
        about=broken(first.about),
    )


def build(
    serials: Sequence[str], claims: Claims, signer: str, place: Path | None, *, names: bool
) -> Built:
    """Certifies drives: states what the log says of them, and has the log say that it was stated.

    Refused where a break is open or a drive has come to no accepted end; nothing is recorded then.
    ``names``: open the commitments to people that this bench can open.
    """
    where, key = log.chosen(place), keys.load(signer)
    book = record.book(where, witnessed=False)
    chains = [_chain(book, serial) for serial in sorted(set(serials))]
    for chain in chains:
        if chain.open:
            raise Refused(_open_break(chain))
        if reasons := unfinished(chain):
            raise Refused(reasons[0].about)
    issuer = _issuer(book, key)
    if claims_of(state([], claims, issuer, 0)) is None:
        raise Refused(
            message("What is printed is at most 500 characters each, without control characters.")
        )
    now = int(time.time())
    statement = state(chains, claims, issuer, now)
    if names:
        claims = _opened(claims, statement)
        statement = state(chains, claims, issuer, now)
    event = ev.Certified(
        at=now,
        nonce=secrets.token_hex(16),
        drives=tuple(chain.serial for chain in chains),
        certificate=ev.Digest(digest(statement)),
    )
    envelope = ev.envelope(event).signed(key)
    policy = log.policy_of(where)
    with log.writing(where, patience=30.0) as kept:
        (index,) = kept.extend([envelope.encode()])
    if policy.urls:
        # A witness that does not answer is missed in the check, not here.
        witness.ask(where, None)
    with log.writing(where, patience=30.0) as kept:
        view = kept.view()
        needed = {index}.union(*(book.needed(chain.serial) for chain in chains))
        items = _items(view, policy, sorted(needed))
    note = items[-1][1]
    signed = tuple(str(one) for one in policy.logs if one.name == view.head.origin)
    certificate = Certificate(statement, signed, note, tuple(item for item, _ in items))
    return Built(certificate, index, checked_bytes(certificate.encode(), policy))


def check(file: Path, policy: Path | None, place: Path | None) -> Looked:
    """Checks a certificate from its own bytes; where a log is named, against what it holds, too."""
    data = _bytes(file)
    try:
        # Of a PDF only what it carries counts.
        data = embedded(data) if is_pdf(data) else data
    except Malformed as error:
        why = message("It cannot be read as a certificate: {why}.", why=str(error))
        failure = Failure(Kind.MALFORMED, why)
        return Looked(Checked((failure,)), (failure,))
    trust = log.read_policy(policy) if policy is not None else None
    if trust is None and place is not None:
        trust = log.policy_of(place)
    checked = checked_bytes(data, trust)
    if place is None or checked.certificate is None or not checked.holds:
        return Looked(checked, checked.failures)
    return _against(checked, checked.certificate, place)


def read_code(file: Path, policy: Path | None) -> Code | None:
    """What the text of a QR code says; None where the file is no such text."""
    data = _bytes(file)
    if not data.startswith(code.PREFIX.encode()):
        return None
    trust = log.read_policy(policy) if policy is not None else None
    return code.read(data.decode("ascii", "replace").rstrip("\r\n"), trust)


def _bytes(file: Path) -> bytes:
    if not file.is_file():
        raise Refused(message("{path} does not exist; check the name.", path=str(file)))
    with file.open("rb") as opened_file:
        data = opened_file.read(2 * LARGEST + 1)
    if len(data) > 2 * LARGEST:
        raise Refused(message("{path} is too large for what it should be.", path=str(file)))
    return data


def written(
    built: Built, out: Path, signing: Signing, say: Callable[[Message], None]
) -> list[Path]:
    """The certificate as JSON, and, where ``out`` asks for it, as PDF: each whole or not at all."""
    plain = out.with_suffix(".json")
    _whole(plain, built.certificate.encode())
    if out.suffix.lower() != ".pdf":
        return [plain]
    extras.need("pdf", say)
    chosen = seal.find(signing.key, built.checked.issuer)
    said = {"not_proven": not_proven(built.checked, asked=False), "seal": tell(chosen.about)}
    page = paper.page(built.certificate, built.checked, said)
    document = paper.pdf(built.certificate, page)
    _whole(out, paper.signed(document, signing, built.checked.issuer))
    return [plain, out]


def _whole(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.replace(path)


def word(told: str) -> str:
    """A verdict, a technique or a limit in the current language."""
    return technical(told) if technical(told) != told else answer(told)


def sentence(drive: Mapping[str, Any]) -> Message:
    """What a certificate says of one drive, in the current language's words."""
    return telling.sentence(drive, word)


def not_proven(checked: Checked, *, asked: bool) -> list[Message]:
    """What a certificate that holds leaves open; never an empty list."""
    return telling.not_proven(checked, asked=asked, word=word)


# --- against the log -------------------------------------------------------------------------


def _against(checked: Checked, certificate: Certificate, place: Path) -> Looked:
    """Did the certificate leave an entry out, was it revoked, what happened since?"""
    book = record.book(place)
    held = {item.index for item in certificate.items}
    last = certificate.items[-1].index
    failures: list[Failure] = []
    later: list[Step] = []
    for drive in certificate.statement["drives"]:
        chain = book.chains.get(drive["serial"])
        for step in chain.steps if chain is not None else ():
            if step.entry > last:
                later.append(step)
                failures += _since(step, certificate)
            elif step.entry not in held:
                about = message(
                    "{serial}: the log's entry {entry} is left out.",
                    serial=drive["serial"],
                    entry=step.entry,
                )
                failures.append(Failure(Kind.STATEMENT_DIFFERS, about))
    unique = {step.entry: step for step in later}
    return Looked(
        checked, tuple(failures), tuple(unique[entry] for entry in sorted(unique)), asked=True
    )


def _since(step: Step, certificate: Certificate) -> list[Failure]:
    event = step.event
    if isinstance(event, ev.Revoked) and event.certificate == certificate.digest and step.signers:
        about = message(
            "It was revoked in entry {entry}: {why}", entry=step.entry, why=event.reason
        )
        return [Failure(Kind.REVOKED, about)]
    if isinstance(event, ev.Sighted | ev.Missing):
        about = message("A drive of it was reported in entry {entry}.", entry=step.entry)
        return [Failure(Kind.REVOKED, about)]
    return []


# --- parts -----------------------------------------------------------------------------------


def _chain(book: Book, serial: str) -> Chain:
    found = book.chains.get(serial)
    if found is None:
        raise Refused(message("The log tells nothing of a drive {serial}.", serial=serial[:80]))
    return found


def _issuer(book: Book, key: Signer) -> str:
    party = book.parties.get(key_name(key.verifier))
    if party is None:
        raise Refused(
            message("The log knows no party that signs with {key}.", key=str(key.verifier))
        )
    return party.name


def _items(view: View, policy: Policy, indices: Sequence[int]) -> list[tuple[Item, bytes]]:
    """Each entry with its proof, and the checkpoint without signatures that nobody trusts."""
    found = []
    for index in sorted(set(indices)):
        receipt = view.receipt(index).trimmed(policy)
        item = Item(index, receipt.entry, receipt.proof.path)
        found.append((item, receipt.proof.checkpoint))
    return found


def _opened(claims: Claims, statement: Mapping[str, Any]) -> Claims:
    """The names behind the commitments that this bench can open."""
    found = {}
    for made in sorted(people_of(statement["drives"])):
        if (known := opened(made)) is not None:
            found[made] = Opening(made, known[0], known[1])
    return replace(claims, people=tuple(found.values()))

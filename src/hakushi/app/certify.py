"""The verbs on certificates: build one out of a log, check one offline or against its log."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hakushi.app import keys, log, record
from hakushi.app.people import opened
from hakushi.app.words import answer, technical
from hakushi.certify import (
    Certificate,
    Checked,
    Claims,
    Failure,
    Item,
    Kind,
    people_of,
    state,
    unfinished,
)
from hakushi.certify import check as checked_bytes
from hakushi.certify.certificate import LARGEST, digest
from hakushi.certify.statement import Opening
from hakushi.custody import events as ev
from hakushi.custody.chain import Book, Chain, Step
from hakushi.ledger.dsse import key_name
from hakushi.ledger.keys import Signer
from hakushi.ledger.policy import Policy
from hakushi.ledger.view import View
from hakushi.model import Message, Refused, message

__all__ = ["Built", "Claims", "Looked", "build", "check", "written"]


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


def build(
    serials: Sequence[str], claims: Claims, signer: str, place: Path | None, *, names: bool
) -> Built:
    """Certifies drives: states what the log says of them, and has the log say that it was stated.

    Refused where a break is open or a drive has come to no accepted end; nothing is recorded then.
    ``names``: open the commitments to people that this bench can open.
    """
    where, key = log.chosen(place), keys.load(signer)
    book = record.book(where)
    chains = [_chain(book, serial) for serial in sorted(set(serials))]
    for chain in chains:
        if reasons := unfinished(chain):
            raise Refused(reasons[0].about)
    issuer = _issuer(book, key)
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
    with log.writing(where, patience=30.0) as kept:
        (index,) = kept.extend([envelope.encode()])
        view = kept.view()
        policy = log.policy_of(where)
        needed = {index}.union(*(book.needed(chain.serial) for chain in chains))
        items = _items(view, policy, sorted(needed))
    note = items[-1][1]
    signed = tuple(str(one) for one in policy.logs if one.name == view.head.origin)
    certificate = Certificate(statement, signed, note, tuple(item for item, _ in items))
    return Built(certificate, index, checked_bytes(certificate.encode(), policy))


def check(file: Path, policy: Path | None, place: Path | None) -> Looked:
    """Checks a certificate from its own bytes; where a log is named, against what it holds, too."""
    data = read(file)
    trust = log.read_policy(policy) if policy is not None else None
    if trust is None and place is not None:
        trust = log.policy_of(place)
    checked = checked_bytes(data, trust)
    if place is None or checked.certificate is None or not checked.holds:
        return Looked(checked, checked.failures)
    return _against(checked, checked.certificate, place)


def read(file: Path) -> bytes:
    """The certificate's own bytes: a JSON file as it is, or what a PDF has attached."""
    if not file.is_file():
        raise Refused(message("{path} does not exist; check the name.", path=str(file)))
    with file.open("rb") as opened_file:
        data = opened_file.read(2 * LARGEST + 1)
    if len(data) > 2 * LARGEST:
        raise Refused(message("{path} is too large for what it should be.", path=str(file)))
    return data


def written(built: Built, out: Path) -> list[Path]:
    """The certificate as JSON, and, where ``out`` asks for it, as PDF: whole or not at all."""
    plain = out.with_suffix(".json")
    _whole(plain, built.certificate.encode())
    return [plain]


def _whole(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.replace(path)


def sentence(drive: Mapping[str, Any]) -> Message:
    """What a certificate says of one drive, in a sentence."""
    if drive["state"] == "destroyed":
        done = drive["destruction"]
        return message(
            "{serial}: destroyed ({means}), witnessed by {signers}. No verdict on its data.",
            serial=drive["serial"],
            means=done["means"],
            signers=", ".join(done["signers"]),
        )
    done, look, accepted = drive["sanitization"], drive.get("verification"), drive["validation"]
    return message(
        "{serial}: erased by {by} ({technique}, {method}); looked at again: {verdict};"
        " accepted by {accepted}.",
        serial=drive["serial"],
        by=", ".join(done["signers"]),
        technique=technical(done["technique"]),
        method=technical(done["method"]),
        verdict=answer(look["verdict"]) if look else "-",
        accepted=", ".join(accepted["signers"]),
    )


def not_proven(checked: Checked, *, asked: bool) -> list[Message]:
    """What a certificate that holds leaves open; never an empty list."""
    told = [
        message("that the parties told the truth: it is their signed word, bound to its time."),
        message("that the drive before you is the one that was erased: compare its serial."),
    ]
    assert checked.certificate is not None
    drives = checked.certificate.statement["drives"]
    missed = sorted({word for one in drives for word in one.get("not_reached", ())})
    if missed:
        told.append(
            message(
                "that nothing is left where the technique does not reach: {what}.",
                what=", ".join(map(technical, missed)),
            )
        )
    if any("sanitization" in one and "real" not in one.get("proven_on", ()) for one in drives):
        told.append(
            message("that the technique works on this model: it was not tried on real drives.")
        )
    if not asked:
        told.append(
            message("that nothing came later, and that no entry was left out: ask the log (--log).")
        )
    if not checked.witnesses:
        told.append(message("that the log shows everybody the same: no witness has signed it."))
    return told


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

"""The demo's paper trail: three drives are ordered away, two arrive, one comes to a good end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from hakushi.app import certify, extras, keys, log, record, seal
from hakushi.app.certify import Claims, Looked, Signing
from hakushi.app.recording import Recording
from hakushi.app.words import custody, tell
from hakushi.custody.orders import Reconciled, Standing
from hakushi.model import Message, Refused, message

_PARTIES = {"prefecture": "owner", "contractor": "contractor", "auditor": "auditor"}
_ORDER = "DEMO-ORDER"
_DAYS = 30


class Trail:
    """A log of its own, its parties, and an order over some drives."""

    def __init__(self, folder: Path, drives: Iterable[str]) -> None:
        self._folder, self._drives = folder, tuple(drives)
        made = log.init(str(folder / "log"), "example.org/demo", None, remember=False)
        self.place, self._log_key = made.place, str(made.key)
        for name, role in _PARTIES.items():
            _, signer = keys.new(f"example.org/{name}", path=self._key(name))
            words = {"party": name, "role": role, "key": str(signer.verifier)}
            record.record("key_added", (), words, [self._log_key], self.place)

    def _key(self, name: str) -> Path:
        return self._folder / "keys" / f"{name}.key"

    def _say(self, who: str, kind: str, drives: Iterable[str], **values: str) -> record.Recorded:
        return record.record(kind, tuple(drives), values, [str(self._key(who))], self.place)

    def send(self, arrived: Iterable[str]) -> None:
        """Registered, retired, ordered, handed over; what arrives is scanned."""
        for one in self._drives:
            self._say("prefecture", "registered", [one], tag=f"K-{one}", category="jp-mic-1")
            self._say("prefecture", "retired", [one])
        deadline = str(int(time.time()) + _DAYS * 86_400)
        words = {"order": _ORDER, "policy": "kanagawa", "deadline": deadline, "to": "contractor"}
        self._say("prefecture", "ordered", self._drives, **words)
        giver, receiver = (str(self._key(one)) for one in ("prefecture", "contractor"))
        offer = record.offer(self._drives, "prefecture", "contractor", giver, self.place)
        number = str(getattr(offer.event, "handover", ""))
        record.accept(number, receiver, self.place)
        self._say("contractor", "received", arrived, handover=number)

    def bench(self) -> Recording:
        """The contractor's bench, which records what it does."""
        return Recording(self.place, (keys.load(str(self._key("contractor"))),))

    def accept(self, drive: str) -> None:
        """The auditor accepts the result."""
        self._say("auditor", "validated", [drive], accepted="yes")

    def explain(self, drive: str) -> None:
        """The owner answers for the count that was wrong."""
        for one in record.chain(drive, self.place).open:
            words = {"rule": one.rule, "entry": str(one.entry)}
            reason = "This drive did arrive; the search is for the other one."
            self._say("prefecture", "explained", [drive], **words, reason=reason)

    def certify(self, drive: str) -> list[Path]:
        """A certificate as JSON, and as a page where the part for it is at hand."""
        folder = self._folder / "certificates"
        folder.mkdir()
        ending = "pdf" if extras.present("pdf") else "json"
        seal.make(self._folder / "keys" / "page.pem", "contractor")
        claims = Claims(organisation="Contractor KK (invented)", remark="Made by the demo.")
        key = str(self._key("contractor"))
        built = certify.build([drive], claims, key, self.place, names=False)
        pdf_key = Signing(self._folder / "keys" / "page.pem")
        return certify.written(built, folder / f"{drive}.{ending}", pdf_key, lambda _: None)

    def check(self, file: Path) -> Looked:
        """Checks a certificate by its own bytes and the log's public key."""
        return certify.check(file, self.place.with_name("log.policy"), None)

    def refused(self, drive: str) -> Message | None:
        """Why no certificate is issued for a drive; None if it would be."""
        try:
            certify.build([drive], Claims(), str(self._key("contractor")), self.place, names=False)
        except Refused as error:
            return error.message
        return None

    def reconciled(self) -> Reconciled:
        return record.reconciled(_ORDER, self.place, int(time.time()))


def standing(found: Reconciled) -> list[Message]:
    """Each drive of the order: where it stands, and who owes what."""
    return [
        message(
            "   - {serial}: {standing}; {who}: {duty}",
            serial=line.serial,
            standing=custody(line.standing),
            who=line.owes or "-",
            duty=tell(line.duty) if line.duty else "-",
        )
        for line in found.lines
        if line.standing is not Standing.MATCHED
    ]

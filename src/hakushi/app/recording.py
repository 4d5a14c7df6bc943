"""What a bench does, signed and appended to a log while it works.

Law: nothing is written to a drive before the log says that it is planned; what cannot be recorded
afterwards is told, and the drive does not count as done.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hakushi import __version__
from hakushi.app import keys, log
from hakushi.app.people import commit
from hakushi.custody import events as ev
from hakushi.ledger.keys import Signer
from hakushi.model import Drive, Malformed, Refused, message

_TOOL = f"hakushi {__version__}"
_PATIENCE = 30.0
"""Seconds to wait for another process that writes to the same log."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A log, and who signs. Safe for many threads."""

    place: Path
    signers: tuple[Signer, ...]
    person: ev.Commitment = ev.NOBODY
    """Who works at the bench."""
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @classmethod
    def into(cls, place: Path | None, names: Sequence[str], person: str | None) -> Self | None:
        """Where and as whom to record; None where nobody signs. Refused if it cannot be written."""
        if not names:
            if place is not None:
                raise Refused(message("Who signs? Name a key with --as."))
            return None
        chosen = log.chosen(place)
        signers = tuple(keys.load(name) for name in names)
        with log.writing(chosen, _PATIENCE):
            pass
        return cls(chosen, signers, commit(person) if person else ev.NOBODY)

    def planned(self, drive: Drive, policy: str, technique: str) -> int:
        """What is about to be done. Refused where the log does not take it."""
        return self._append(
            ev.SanitizePlanned(**_now(), drive=drive.serial, policy=policy, technique=technique)
        )

    def sanitized(
        self, drive: Drive, told: Mapping[str, Any], evidence: Path | None
    ) -> tuple[int, ...]:
        """What was done, and what looking at the drive again found; ``told`` is the evidence.

        One entry of the log, or two. Raises `Refused` or OSError where it does not take them.
        """
        digest = _digest(evidence.read_bytes()) if evidence is not None else ev.NO_DIGEST
        first = self._append(
            ev.Sanitized(
                **_now(),
                drive=drive.serial,
                wwn=drive.wwn or "",
                policy=str(told["policy"]),
                technique=str(told["technique"]),
                method=str(told["method"]),
                outcome=ev.Outcome(told["outcome"]),
                verification=str(told["verification"]),
                tool=_TOOL,
                evidence=digest,
                person=self.person,
            )
        )
        if told.get("assessment") is None or told.get("verdict") is None:
            return (first,)
        verdict = ev.Found(told["verdict"])
        return first, self._looked(drive.serial, drive.wwn, told["assessment"], verdict, digest)

    def assessed(self, serial: str, wwn: str | None, summary: Mapping[str, Any]) -> int:
        """What an assessment found; the digest is of its JSON with sorted keys and no spaces."""
        plain = json.dumps(summary, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        verdict = ev.Found(summary["verdict"])
        return self._looked(serial, wwn, summary, verdict, _digest(plain.encode()))

    def _looked(
        self,
        serial: str,
        wwn: str | None,
        summary: Mapping[str, Any],
        verdict: ev.Found,
        digest: ev.Digest,
    ) -> int:
        coverage = summary["coverage"]
        bound = coverage.get("bound") if coverage.get("sampled") else None
        return self._append(
            ev.Assessed(
                **_now(),
                drive=serial,
                wwn=wwn or "",
                verdict=verdict,
                severity=str(summary["severity"] or ""),
                scope=str(summary["scope"]),
                bytes_read=int(coverage["read"]),
                bytes_total=int(coverage["bytes"]),
                bound=str(bound or ""),
                tool=_TOOL,
                evidence=digest,
                person=self.person,
            )
        )

    def _append(self, event: ev.Event) -> int:
        try:
            envelope = ev.envelope(event)
        except Malformed as error:
            raise Refused(message("This cannot be recorded: {why}.", why=str(error))) from None
        for signer in self.signers:
            envelope = envelope.signed(signer)
        with self._lock, log.writing(self.place, _PATIENCE) as kept:
            (index,) = kept.extend([envelope.encode()])
        return index


def _now() -> dict[str, Any]:
    return {"at": int(time.time()), "nonce": secrets.token_hex(16)}


def _digest(data: bytes) -> ev.Digest:
    return ev.Digest(hashlib.sha256(data).hexdigest())

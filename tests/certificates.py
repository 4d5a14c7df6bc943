"""A certificate whose every byte is known, and broken ones, each with the class of its failure.

``python -m tests.certificates`` writes them anew into ``tests/vectors/certificate``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hakushi.certify import Certificate, Claims, Item, Kind, state
from hakushi.certify.certificate import digest
from hakushi.certify.statement import Opening
from hakushi.custody import events as ev
from hakushi.custody.chain import Book
from hakushi.ledger import canonical
from hakushi.ledger.keys import Kind as KeyKind
from hakushi.ledger.keys import Signer
from hakushi.ledger.log import Log
from hakushi.ledger.store import Memory

FOLDER = Path(__file__).parent / "vectors" / "certificate"
SALT = bytes(range(16))
WORKER = ev.commitment("Yamada Taro", SALT)
DAY = 1_790_000_000


def key(name: str, seed: int) -> Signer:
    return Signer(f"example.org/{name}", KeyKind.ED25519, bytes([seed]) * 32)


KEYS = {
    "log": key("log", 1), "pref": key("pref", 2), "bench": key("bench", 3),
    "audit": key("audit", 4), "stranger": key("stranger", 5), "other-log": key("log", 6),
}  # fmt: skip
ROLES = {"pref": ev.Role.OWNER, "bench": ev.Role.CONTRACTOR, "audit": ev.Role.AUDITOR}
POLICY = f"log {KEYS['log'].verifier}\nquorum none\n"


class Writer:
    """A log in memory; each event a minute after the last."""

    def __init__(self, log_key: str = "log") -> None:
        self.log = Log.create(Memory(), [KEYS[log_key]], lambda: DAY)
        self.count = 0
        for name, role in ROLES.items():
            self.tell("key_added", log_key, party=name, role=role, key=str(KEYS[name].verifier))

    def tell(self, kind: str, *signers: str, **values: Any) -> int:
        made = {"at": DAY + 60 * self.count, "nonce": f"{self.count:032x}"} | values
        self.count += 1
        envelope = ev.envelope(ev.EVENTS[kind](**made))
        for name in signers:
            envelope = envelope.signed(KEYS[name])
        (index,) = self.log.extend([envelope.encode()])
        return index

    def noise(self, count: int) -> None:
        """Other people's entries, so that proofs have a path."""
        self.log.extend([b"opaque %d" % n for n in range(count)])


def to_the_bench(to: Writer, serial: str) -> None:
    to.tell("registered", "pref", drive=serial, model="Made Up 1", tag="K-1", wwn=f"5000{serial}")
    to.tell("retired", "pref", drive=serial)
    to.tell("ordered", "pref", order="R1", drives=(serial,), policy="p", deadline=DAY, to="bench")
    give = {"handover": "ab" * 8, "drives": (serial,), "giver": "pref", "receiver": "bench"}
    at = {"at": DAY + 60 * to.count, "nonce": f"{to.count:032x}"}
    to.tell("handed_over", "pref", **give, **at)
    to.tell("handed_over", "pref", "bench", **give, **at)
    to.tell("received", "bench", drives=(serial,), handover="ab" * 8)


def erase(to: Writer, serial: str) -> None:
    to.tell(
        "sanitized", "bench", drive=serial, policy="p", technique="overwrite", method="clear",
        outcome=ev.Outcome.COMPLETED, verification="full read-back", tool="hakushi", person=WORKER,
    )  # fmt: skip
    to.tell(
        "assessed", "bench", drive=serial, verdict=ev.Found.CLEAN, severity="none", scope="drive",
        bytes_read=1000, bytes_total=1000, tool="hakushi",
    )  # fmt: skip


def accepted(to: Writer, serial: str, by: str = "audit") -> None:
    to.tell("validated", by, drive=serial, accepted=True)


def certificate(
    to: Writer,
    serial: str = "S1",
    issuer: str = "bench",
    claims: Claims | None = None,
    change: Callable[[dict[str, Any]], object] = lambda statement: None,
) -> Certificate:
    """Issued by whoever, whatever stands in the way."""
    log_key = to.log.verifiers[0]
    book = Book([log_key])
    book.take_all(to.log.view().entries())
    claims = claims or Claims("Bench KK", people=(Opening(WORKER, SALT.hex(), "Yamada Taro"),))
    issued = DAY + 60 * to.count
    statement = state([book.chains[serial]], claims, issuer, issued)
    change(statement)
    index = to.tell(
        "certified", issuer if issuer in KEYS else "stranger", drives=(serial,), at=issued,
        certificate=ev.Digest(digest(statement)),
    )  # fmt: skip
    view = to.log.view()
    needed = [*book.needed(serial), index]
    items = tuple(Item(i, view.entry(i), view.inclusion(i)) for i in needed)
    return Certificate(statement, (str(log_key),), view.note, items)


def good() -> Writer:
    to = Writer()
    to.noise(300)
    to_the_bench(to, "S1")
    erase(to, "S1")
    accepted(to, "S1")
    to.noise(5)
    return to


def _destroyed() -> Certificate:
    to = Writer()
    to_the_bench(to, "S1")
    to.tell("destroyed", "bench", "audit", drive="S1", means="shredder", person=WORKER)
    return certificate(to)


def _explained() -> Certificate:
    to = Writer()
    to_the_bench(to, "S1")
    erase(to, "S1")
    accepted(to, "S1", "bench")
    entry = to.log.view().size - 1
    reason = "One shift that day."
    to.tell("explained", "pref", drive="S1", rule="same-person", entry=entry, reason=reason)
    return certificate(to)


def _open_break() -> Certificate:
    to = Writer()
    to_the_bench(to, "S1")
    erase(to, "S1")
    accepted(to, "S1", "bench")
    return certificate(to)


def _unfinished() -> Certificate:
    to = Writer()
    to_the_bench(to, "S1")
    erase(to, "S1")
    return certificate(to)


def _other_log() -> Certificate:
    to = Writer("other-log")
    to_the_bench(to, "S1")
    erase(to, "S1")
    accepted(to, "S1")
    return certificate(to)


def _left_out() -> Certificate:
    """Without the entry that accepted it: the statement says more than the entries."""
    whole = certificate(good())
    return replace(whole, items=(*whole.items[:-2], whole.items[-1]))


def _moved() -> Certificate:
    whole = certificate(good())
    first = replace(whole.items[0], index=whole.items[0].index + 1)
    return replace(whole, items=(first, *whole.items[2:]))


def _foreign() -> Certificate:
    to = good()
    whole = certificate(to)
    view = to.log.view()
    noise = Item(3, view.entry(3), view.inclusion(3))
    return replace(whole, items=(*whole.items[:3], noise, *whole.items[3:]))


def _another_word() -> Certificate:
    whole = certificate(good())
    statement = json.loads(canonical.encode(whole.statement))
    statement["drives"][0]["model"] = "Another"
    return replace(whole, statement=statement)


def _false_name() -> Certificate:
    claims = Claims(people=(Opening(WORKER, SALT.hex(), "Tanaka Jiro"),))
    return certificate(good(), claims=claims)


def _lying_issuer() -> Certificate:
    def richer(statement: dict[str, Any]) -> None:
        statement["drives"][0]["sanitization"]["method"] = "purge"

    return certificate(good(), change=richer)


def cases() -> Iterator[tuple[str, bytes, Kind | None]]:
    """(name, bytes, class of failure; None where it holds)."""
    whole = certificate(good())
    yield "good", whole.encode(), None
    yield "good-destroyed", _destroyed().encode(), None
    yield "good-explained", _explained().encode(), None
    yield "spaces", json.dumps(json.loads(whole.encode())).encode(), Kind.MALFORMED
    yield "truncated", whole.encode()[:-100], Kind.MALFORMED
    extra = canonical.decode(whole.encode()) | {"more": 1}
    yield "another-key", canonical.encode(extra), Kind.MALFORMED
    yield "another-log", _other_log().encode(), Kind.UNTRUSTED_LOG
    yield "entry-moved", _moved().encode(), Kind.NOT_IN_LOG
    yield "entry-foreign", _foreign().encode(), Kind.FOREIGN_ENTRY
    yield "word-changed", _another_word().encode(), Kind.NOT_CERTIFIED
    stranger = certificate(good(), issuer="stranger")
    yield "unknown-issuer", stranger.encode(), Kind.UNKNOWN_ISSUER
    yield "entry-left-out", _left_out().encode(), Kind.STATEMENT_DIFFERS
    yield "issuer-adds", _lying_issuer().encode(), Kind.STATEMENT_DIFFERS
    yield "false-name", _false_name().encode(), Kind.FALSE_NAME
    yield "open-break", _open_break().encode(), Kind.OPEN_BREAK
    yield "not-finished", _unfinished().encode(), Kind.NOT_FINISHED


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "policy").write_text(POLICY, encoding="utf-8")
    expected = {}
    for name, data, kind in cases():
        (FOLDER / f"{name}.json").write_bytes(data)
        expected[name] = kind.value if kind else "holds"
    text = json.dumps(expected, indent=1) + "\n"
    (FOLDER / "expected.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()

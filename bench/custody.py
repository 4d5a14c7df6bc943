#!/usr/bin/env python3
"""How fast custody is: signed events verified and folded, and an order of many drives reconciled.

    bench/custody.py [--events N] [--drives N] [--log N]

Events are checked in full: parsed, signature verified, decoded, folded; first in one process, then
as the commands do it: a whole log in a SQLite file, its tree audited and its events read on all
cores. The order's drives come in lists of 1,000, as manifests and hand-overs do, and wait at the
bench. Last, certificates checked offline.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from tests.certificates import POLICY, certificate, good

from hakushi.app import log as logs
from hakushi.app import record
from hakushi.certify import check
from hakushi.custody import events as ev
from hakushi.custody.chain import Book
from hakushi.custody.orders import reconcile
from hakushi.ledger.keys import Kind, Signer
from hakushi.ledger.policy import Policy

LOG, OWNER, BENCH = (
    Signer(n, Kind.ED25519, bytes([i] * 32)) for i, n in enumerate(("log", "o", "b"))
)
LIST = 1000


class Entries:
    """Signed entries, made one by one."""

    def __init__(self) -> None:
        self.made: list[bytes] = []
        for name, role, key in (("o", "owner", OWNER), ("b", "contractor", BENCH)):
            self.add("key_added", LOG, party=name, role=ev.Role(role), key=str(key.verifier))

    def add(self, kind: str, *signers: Signer, **values: object) -> None:
        one = ev.EVENTS[kind](at=10_000, nonce=f"{len(self.made):032x}", **values)
        envelope = ev.envelope(one)
        for signer in signers:
            envelope = envelope.signed(signer)
        self.made.append(envelope.encode())


def fold(entries: list[bytes]) -> tuple[Book, float]:
    book = Book([LOG.verifier])
    start = time.perf_counter()
    book.take_all(entries)
    return book, time.perf_counter() - start


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--events", type=int, default=20_000)
    words.add_argument("--drives", type=int, default=100_000)
    words.add_argument("--log", type=int, default=100_000)
    asked = words.parse_args()

    one = Entries()
    for n in range(asked.events):
        one.add("noted", BENCH, drive=f"D{n % 5000}", text="x")
    _, took = fold(one.made)
    print(f"verify and fold {asked.events:,} events: {asked.events / took:,.0f} a second")

    many = Entries()
    for first in range(0, asked.drives, LIST):
        drives = tuple(f"D{n:07}" for n in range(first, min(first + LIST, asked.drives)))
        order = {"order": "O", "policy": "p", "deadline": 20_000, "to": "b"}
        many.add("ordered", OWNER, drives=drives, **order)
        words_of = {"handover": f"h{first}", "giver": "o", "receiver": "b"}
        many.add("handed_over", OWNER, BENCH, drives=drives, **words_of)
        many.add("received", BENCH, drives=drives, handover=f"h{first}")
    book, took = fold(many.made)
    print(f"fold {len(many.made):,} lists of {asked.drives:,} drives: {took:.1f} s")
    start = time.perf_counter()
    found = reconcile(book, "O", 30_000)
    assert found is not None
    print(f"reconcile {len(found.lines):,} drives: {time.perf_counter() - start:.2f} s")
    whole_log(asked.log)
    certificates()


def whole_log(count: int) -> None:
    """A log as `hakushi chain` reads it."""
    one = Entries()
    for n in range(count):
        one.add("noted", BENCH, drive=f"D{n % 20_000}", text="x")
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CONFIG_HOME"] = name
        key = Path(name) / "key"
        key.write_text(f"{LOG.secret}\n")
        key.chmod(0o600)
        place = logs.init(f"sqlite:{name}/log", None, key, remember=False).place
        with logs.writing(place) as kept:
            for at in range(0, len(one.made), 4096):
                kept.extend(one.made[at : at + 4096])
        del one
        start = time.perf_counter()
        book = record.book(place)
        took = time.perf_counter() - start
    assert not book.foreign
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"a log of {count:,} events, tree and all, on {os.cpu_count()} cores: {took:.1f} s,"
        f" {count / took:,.0f} a second; at most {most:,} MiB"
    )


def certificates(count: int = 200) -> None:
    data, trust = certificate(good()).encode(), Policy.parse(POLICY.encode())
    start = time.perf_counter()
    for _ in range(count):
        assert check(data, trust).trusted
    took = (time.perf_counter() - start) / count
    print(f"a certificate checked offline ({len(data):,} bytes): {took * 1000:.2f} ms")


if __name__ == "__main__":
    main()

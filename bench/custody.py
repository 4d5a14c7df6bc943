#!/usr/bin/env python3
"""How fast custody is: signed events verified and folded, and an order of many drives reconciled.

    bench/custody.py [--events N] [--drives N]

One process. Events are checked in full: parsed, signature verified, decoded, folded. The order's
drives come in lists of 1,000, as manifests and hand-overs do, and wait at the bench.
"""

from __future__ import annotations

import argparse
import time

from hakushi.custody import events as ev
from hakushi.custody.chain import Book
from hakushi.custody.orders import reconcile
from hakushi.ledger.keys import Kind, Signer

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


if __name__ == "__main__":
    main()

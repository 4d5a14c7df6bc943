#!/usr/bin/env python3
"""How fast the ledger is: durable appends, proofs, checks, witness, audit. One process.

    bench/ledger.py [--out DIR] [--entries N]

Entries are 500 random bytes, about a small event. DIR should lie on the disk in question: a durable
append is as fast as its fsync, which is measured first.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hakushi.ledger.audit import audit
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Kind, Signer
from hakushi.ledger.log import PUBLISHED, Log
from hakushi.ledger.merkle import Frontier, leaf_hash
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import Receipt, check
from hakushi.ledger.sqlite import Sqlite
from hakushi.ledger.store import Memory, Store
from hakushi.ledger.witness import Witness, cosignatures

ENTRY = 500


def rate(what: str, count: int, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    print(f"{what:58} {count / took:12,.0f} /s   ({count:,} in {took:.2f} s)")


def fsyncs(folder: Path, count: int = 50) -> None:
    with (folder / "fsync").open("wb") as file:

        def work() -> None:
            for _ in range(count):
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())

        rate("the disk itself: 4 KiB and fsync", count, work)


def tree(count: int) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(count)]
    rate("merkle: append to a frontier", count, lambda: Frontier.of(leaves))


def appends(what: str, store: Store, key: Signer, batch: int, total: int) -> Log:
    log = Log.create(store, [key], time.time)
    batches = [[secrets.token_bytes(ENTRY) for _ in range(batch)] for _ in range(total // batch)]
    count = batch * len(batches)
    rate(
        f"{what}: durable appends, batches of {batch:,}",
        count,
        lambda: [log.extend(one) for one in batches],
    )
    return log


def threads(what: str, store: Store, key: Signer, many: int, each: int) -> None:
    log = Log.create(store, [key], time.time)

    def one() -> None:
        for _ in range(each):
            log.extend([secrets.token_bytes(ENTRY)])

    def work() -> None:
        workers = [threading.Thread(target=one) for _ in range(many)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    rate(f"{what}: durable appends, {many} threads, one entry each time", many * each, work)


def proofs(log: Log, policy: Policy, count: int) -> None:
    view = log.view()
    indices = [secrets.randbelow(view.size) for _ in range(count)]
    rate(f"receipts made, tree of {view.size:,}", count, lambda: [view.receipt(i) for i in indices])
    receipts = [view.receipt(i) for i in indices[:1000]]
    texts = [(r.entry, r.proof.encode()) for r in receipts]
    rate(
        "receipts parsed and checked (one Ed25519 signature)",
        len(texts),
        lambda: [check(Receipt.of(*text), policy).holds or sys.exit("!") for text in texts],
    )


def witnessed(key: Signer, kind: Kind, rounds: int = 200) -> None:
    log = Log.create(Memory(), [key], time.time)
    cosigner = Signer.new("w", kind)
    witness = Witness(Memory(), [cosigner], [key.verifier], time.time)

    def work() -> None:
        for _ in range(rounds):
            old = log.view().size
            log.extend([secrets.token_bytes(ENTRY)])
            log.cosign(cosignatures(log.view(), witness.add_checkpoint, [cosigner.verifier], old))

    rate(f"memory: append, witness and publish, {kind.name.lower()}", rounds, work)
    lines = f"log {key.verifier}\nwitness w {cosigner.verifier}\nquorum w\n"
    policy, receipt = Policy.parse(lines.encode()), log.view().receipt(0)
    rate(
        "receipts checked with that cosignature",
        500,
        lambda: [check(receipt, policy).holds or sys.exit("!") for _ in range(500)],
    )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--out", type=Path, default=None)
    words.add_argument("--entries", type=int, default=100_000)
    asked = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hakushi-ledger-", dir=asked.out))
    key = Signer.new("example.org/bench")
    policy = Policy.of_log(key.verifier)
    try:
        fsyncs(folder)
        tree(asked.entries)
        for what, kind in (("sqlite", Sqlite.writing), ("files", Files.writing)):
            appends(what, kind(folder / f"{what}-one"), key, 1, 100)
            appends(what, kind(folder / f"{what}-hundred"), key, 100, 5000)
            log = appends(what, kind(folder / f"{what}-thousand"), key, 1000, asked.entries)
            threads(what, kind(folder / f"{what}-threads"), key, 32, 20)
        proofs(log, policy, 5000)
        witnessed(key, Kind.ED25519_COSIGNATURE)
        witnessed(key, Kind.ML_DSA_44_COSIGNATURE)
        files = Files(folder / "files-thousand")
        note = files.read(PUBLISHED) or b""
        rate(
            "audit: the whole log read again",
            log.view().size,
            lambda: audit(files.read, note, policy).holds or sys.exit("!"),
        )
        size = sum(p.stat().st_size for p in (folder / "files-thousand").rglob("*") if p.is_file())
        beside = size / log.view().size - ENTRY
        print(f"{'on disk, beside the entries themselves':58} {beside:12.1f} bytes an entry")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Asks Go's own packages (x/mod/sumdb) about our checkpoints and proofs. Needs `go`.

bench/ledger_go.py
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from hakushi.ledger.keys import Signer
from hakushi.ledger.log import Log
from hakushi.ledger.store import Memory

SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 513, 1000, 70000]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> int:
    key = Signer.new("example.org/log")
    log = Log.create(Memory(), [key], lambda: 0)
    trees, leaves = [], []
    roots = {0: log.view().head.root}
    for before, size in zip([0, *SIZES], SIZES, strict=False):
        log.extend([b"entry %d" % i for i in range(before, size)])
        view = log.view()
        roots[size] = view.head.root
        for old in [0, *(s for s in SIZES if s <= size)]:
            proof = view.consistency(old) if old else ()
            trees.append(
                {
                    "Size": size,
                    "Root": b64(view.head.root),
                    "Checkpoint": view.note.decode(),
                    "Before": old,
                    "OldRoot": b64(roots[old]),
                    "Proof": [b64(h) for h in proof],
                }
            )
        for index in sorted({0, size // 3, size // 2, size - 1}):
            receipt = view.receipt(index)
            leaves.append(
                {
                    "Size": size,
                    "Index": index,
                    "Root": b64(view.head.root),
                    "Entry": b64(receipt.entry),
                    "Proof": [b64(h) for h in receipt.proof.path],
                }
            )
    told = {"Key": str(key.verifier), "Secret": key.secret, "Trees": trees, "Leaves": leaves}
    folder = Path(__file__).with_name("ledger_go")
    # Debian keeps the sources of Go packages where an old-style build finds them.
    env = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    done = subprocess.run(
        ["go", "run", "main.go"],
        cwd=folder,
        env=env,
        input=json.dumps(told),
        text=True,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

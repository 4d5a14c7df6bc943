"""How fast triage and harvest are, a core: ``python -m bench.triage [MIB]``.

Triage classes bytes that lie in memory; harvest reads them from a file (in the page cache) as well,
and looks for file magics. One process, one thread; the best of three rounds, as a table.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hakushi.assess import triage
from hakushi.assess.units import grid, harvest
from hakushi.media import open_path
from hakushi.model import Source

_TEXT = "".join(
    f"{n},架空　太郎{n},静岡県架空市本町{n % 40}-{n % 9},090-{n:08}\r\n" for n in range(9000)
)


def _contents(size: int) -> dict[str, bytes]:
    text = _TEXT.encode("cp932")
    return {
        "random": os.urandom(size),
        "zeros": bytes(size),
        "a CP932 list": (text * (size // len(text) + 1))[:size],
    }


def _best(work: Callable[[], object], size: int) -> float:
    """GB/s of the fastest of three rounds."""
    fastest = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        fastest = min(fastest, time.perf_counter() - began)
    return size / fastest / 1e9


def _harvest(source: Source, size: int) -> None:
    for cell in grid(size):
        harvest(source, cell)


def _read(path: Path, size: int) -> None:
    with path.open("rb", buffering=0) as file:
        for _ in range(0, size, 1 << 24):
            file.read(1 << 24)


def main(mib: int) -> None:
    size = mib << 20
    triage.classify(bytes(512))
    print("| bytes | read alone, GB/s | triage, GB/s | harvest, GB/s |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.img"
        for name, content in _contents(size).items():
            path.write_bytes(content)
            source = open_path(path).source
            rates = (
                _best(partial(_read, path, size), size),
                _best(partial(triage.classify, content), size),
                _best(partial(_harvest, source, size), size),
            )
            print(f"| {name} | " + " | ".join(f"{rate:.2f}" for rate in rates) + " |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 256)

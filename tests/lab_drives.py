"""What tests about drives share: content with a mark in each sector, and a plain look at bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hakushi.app.dispose import Say
from hakushi.media import simulated
from hakushi.media.image import Memory
from hakushi.media.probe import open_medium, probe
from hakushi.model import SECTOR, Drive, Extent, Unreadable, Verdict

MARK = "個人番号 ".encode("cp932")
SIZE = 12 << 20


def old_data(size: int = SIZE) -> bytes:
    """A list of people: every sector begins with the mark and its own number."""
    head = len(MARK)
    return b"".join(
        MARK + str(n).encode().ljust(SECTOR - head, b".") for n in range(size // SECTOR)
    )


def survivors(surface: Path) -> int:
    """How many sectors of old data really lie there."""
    data = surface.read_bytes()
    return sum(data.startswith(MARK, at) for at in range(0, len(data), SECTOR))


def virtual(path: Path, size: int = SIZE, bus: str = "ata", **faults: int | None) -> Drive:
    """A virtual drive full of old data; ``drops_writes=None`` is the fault ``drops-writes``."""
    named = {name.replace("_", "-"): value for name, value in faults.items()}
    content = Memory(old_data(size))
    simulated.create(path, size, bus, serial="V1", content=content, faults=named)
    return probe(f"sim:{path}")


def look(name: str, _case: Path, _say: Say) -> tuple[Verdict, dict[str, Any]]:
    """Reads everything: old data are residue, what cannot be read makes it inconclusive."""
    source, verdict = open_medium(name).source, Verdict.CLEAN
    for at in range(0, source.size, SECTOR * 512):
        try:
            data = source.read(Extent(at, SECTOR * 512))
        except Unreadable:
            verdict = Verdict.INCONCLUSIVE if verdict is Verdict.CLEAN else verdict
            continue
        if MARK in data:
            verdict = Verdict.RESIDUE
    return verdict, {}


@contextmanager
def loop_device(backing: Path) -> Iterator[str]:
    """A loop device over a file of ours, detached afterwards."""
    made = subprocess.run(
        ["losetup", "--direct-io=on", "--find", "--show", str(backing)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    try:
        yield made
    finally:
        subprocess.run(["losetup", "--detach", made], check=True)

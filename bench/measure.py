"""Runs one program and tells what it took: wall time, processor time, peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one child and everything below it took."""

    status: int
    wall: float
    cpu: float
    peak: int
    """Bytes resident at most, of the largest single process."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.status or other.status,
            self.wall + other.wall,
            self.cpu + other.cpu,
            max(self.peak, other.peak),
        )


def run(command: Sequence[str | Path], log: Path, cwd: Path | None = None) -> Cost:
    """Runs the command, its output to ``log``; `os.wait4` counts its children too."""
    with log.open("ab") as out:
        start = time.monotonic()
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=cwd,
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, wall, used.ru_utime + used.ru_stime, used.ru_maxrss << 10)

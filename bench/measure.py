"""Runs one program and tells what it took: wall time, processor time, peak memory."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BECOME_SUBREAPER = 36
_PATIENCE = 5.0


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
    """Runs the command, its output to ``log``.

    `os.wait4` counts what the child itself waited for; processes that outlive their parent come to
    us (Linux, prctl 36) and are counted too.
    """
    ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)
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
    return sum(_left_over(), Cost(child.returncode, wall, *_used(used)))


def _used(used: resource.struct_rusage) -> tuple[float, int]:
    return used.ru_utime + used.ru_stime, used.ru_maxrss << 10


def _left_over() -> Iterator[Cost]:
    """What the child's own orphans took; they end when it has ended, or are left alone."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            yield Cost(0, 0.0, *_used(used))
        else:
            time.sleep(0.05)

"""kill -9 in the middle of an erasure: the same command goes on, and little is written again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.lab_drives import MARK, look, loop_device

from hakushi.app.dispose import Options, dispose_all
from hakushi.media import simulated
from hakushi.media.probe import probe

MIB = 1 << 20
SIZE = 112 * MIB
REWRITTEN = 64 * MIB
ROOT = os.geteuid() == 0 and Path("/dev/loop-control").exists()

CHILD = """
import os, signal, sys
from pathlib import Path
from hakushi.app.dispose import Options, dispose_all
from tests.lab_drives import look
name, serial, evidence, phase, done = sys.argv[1:]
def say(step):
    if str(step.phase) == phase and step.done >= int(done):
        os.kill(os.getpid(), signal.SIGKILL)
options = Options("nist-800-88r2-clear", image=True, erase=frozenset({serial}), evidence=Path(evidence))
dispose_all([name], options, look, say)
"""

# where it is killed -> (fill whose pass goes on, at least so much of it is not written again)
POINTS = {
    ("writing the keystream", 4 * MIB): ("keystream", 0),
    ("writing the keystream", 100 * MIB): ("keystream", 100 * MIB - REWRITTEN),
    ("writing the keystream", SIZE): ("keystream", SIZE),
    ("reading the keystream back", 80 * MIB): ("keystream", SIZE),
    ("writing zeros", 4 * MIB): ("zeros", 0),
    ("writing zeros", 108 * MIB): ("zeros", 108 * MIB - REWRITTEN),
    ("reading the zeros back", SIZE): ("zeros", SIZE),
}


def _made(kind: str, tmp_path: Path, stack: ExitStack) -> tuple[str, Path]:
    """(name of the drive, file with its surface); old data at its start, middle and end."""
    path = tmp_path / "d"
    if kind == "sim":
        simulated.create(path, SIZE, serial="V1")
        surface, name = simulated.surface(path), f"sim:{path}"
    else:
        with path.open("wb") as file:
            file.truncate(SIZE)
        surface = path
        name = stack.enter_context(loop_device(path)) if kind == "loop" else str(path)
    with surface.open("r+b") as file:
        for at in (0, SIZE // 2, SIZE - 512):
            file.seek(at)
            file.write(MARK)
    return name, surface


LOOP = [pytest.mark.root, pytest.mark.skipif(not ROOT, reason="needs root and loop devices")]
# Every point on the simulated drive; one a pass beside it.
CASES = [
    *(pytest.param("sim", point) for point in POINTS),
    *(
        pytest.param(kind, point, marks=marks)
        for kind, marks in (("image", []), ("loop", LOOP))
        for point in POINTS
        if point[1] in (100 * MIB, 108 * MIB)
    ),
]


@pytest.mark.parametrize(("kind", "point"), CASES)
def test_goes_on_after_a_kill(kind, point, tmp_path):
    with ExitStack() as stack:
        name, surface = _made(kind, tmp_path, stack)
        serial = probe(name).serial
        words = [name, serial, str(tmp_path / "evidence"), point[0], str(point[1])]
        child = subprocess.run(
            [sys.executable, "-c", CHILD, *words],
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert child.returncode == -signal.SIGKILL
        options = Options(
            "nist-800-88r2-clear",
            image=True,
            erase=frozenset({serial}),
            evidence=tmp_path / "evidence",
        )
        (done,) = dispose_all([name], options, look, lambda _: None)
        assert (done.outcome, done.verdict) == ("completed", "clean"), done.reasons
        first = json.loads(done.evidence.read_text())["passes"][0]
        fill, kept = POINTS[point]
        assert first["fill"] == fill
        assert first["resumed_at"] >= kept
    assert surface.read_bytes().count(0) == SIZE


def test_interrupted_drives_keep_their_journals(tmp_path):
    name, _ = _made("sim", tmp_path, ExitStack())
    options = Options(
        "nist-800-88r2-clear", erase=frozenset({"V1"}), evidence=tmp_path / "evidence"
    )

    def full(step):
        if step.done > 96 * MIB:
            raise OSError(28, os.strerror(28))

    (done,) = dispose_all([name], options, look, full)
    assert (done.outcome, done.verdict, done.code) == ("unknown", None, 4)
    (done,) = dispose_all([name], options, look, lambda _: None)
    assert done.code == 0
    first = json.loads(done.evidence.read_text())["passes"][0]
    assert first["resumed_at"] >= 96 * MIB - REWRITTEN

"""Run twice by ``tools/vm``, over the same drives: the first time its power is cut on the way."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from tests.lab_drives import look
from tests.vm.vm_drives import named

from hakushi.app.dispose import Options, Step, dispose_all

STATE = Path("/state/evidence")
CUT_HERE = "VM: cut the power"
"""``tools/vm`` looks for this line."""
MIB = 1 << 20


def _cut(step: Step) -> None:
    if step.done >= 56 * MIB:
        Path("/dev/console").write_text(f"\n{CUT_HERE}\n")
        threading.Event().wait()


def test_an_erasure_goes_on_after_a_power_cut():
    again = STATE.exists()
    options = Options("nist-800-88r2-clear", erase=frozenset({"SATA0001"}), evidence=STATE)
    name = named("SATA0001")
    (done,) = dispose_all([name], options, look, (lambda _: None) if again else _cut)
    assert again, "the power was not cut"
    assert done.outcome == "completed", done.reasons
    assert not any(Path(name).read_bytes())
    told = json.loads(done.evidence.read_text())
    passes = told["result"]["passes"] if "result" in told else told["passes"]
    assert 0 < passes[0]["resumed_at"] < 64 * MIB

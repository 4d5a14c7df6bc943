"""One table, fault by technique: what must be said of a drive that lies, hides or fails.

The law above the table: whatever is said, nothing is called completed or clean while old data lie
on the surface.
"""

from __future__ import annotations

import pytest
from tests.lab_drives import SIZE, look, survivors, virtual

from hakushi.app.dispose import Options, dispose_all
from hakushi.media import simulated
from hakushi.sanitize import all_techniques

MIB = 1 << 20

# fault -> technique -> (outcome, verdict)
TABLE = {
    (): {"overwrite": ("completed", "clean")},
    ("drops-writes",): {"overwrite": ("failed", "residue")},
    ("drops-writes-after", 5 * MIB + 512): {"overwrite": ("failed", "residue")},
    ("drops-writes-after", SIZE - 512): {"overwrite": ("failed", "residue")},
    ("drops-writes-after", SIZE): {"overwrite": ("failed", "clean")},  # zeros dropped: keystream
    ("says-success",): {"overwrite": ("failed", "residue")},
    ("dies-after", 0): {"overwrite": ("failed", "inconclusive")},
    ("dies-after", 5 * MIB): {"overwrite": ("failed", "inconclusive")},
    ("dies-after", SIZE + MIB): {"overwrite": ("failed", "inconclusive")},
    ("bad-sectors", 1): {"overwrite": ("failed", "inconclusive")},
    ("bad-sectors", 7): {"overwrite": ("failed", "inconclusive")},
    ("hides", MIB): {"overwrite": ("failed", "inconclusive")},
    ("aliases", 4 * MIB): {"overwrite": ("failed", "clean")},
    ("zeros-until-power-cycle",): {"overwrite": ("failed", "residue")},
    ("loses-cache",): {"overwrite": ("failed", "residue")},
    ("swaps-identity",): {"overwrite": ("refused", None)},
    ("swaps-identity", 5 * MIB): {"overwrite": ("unknown", "clean")},
}


def _name(fault):
    return "=".join(str(part) for part in fault) or "healthy"


@pytest.mark.parametrize("technique", [t.id for t in all_techniques()])
@pytest.mark.parametrize("fault", TABLE, ids=_name)
def test_what_is_said(fault, technique, tmp_path):
    path = tmp_path / "d"
    virtual(path, **({fault[0]: fault[1] if len(fault) > 1 else None} if fault else {}))
    if fault == ("swaps-identity",):
        # `virtual` asked once: ask again, so that the plan meets the serial on the label.
        simulated.Simulated(path).identify()
    options = Options(
        "nist-800-88r2-clear",
        technique=technique,
        erase=frozenset({"V1"}),
        evidence=tmp_path / "evidence",
    )
    (done,) = dispose_all([f"sim:{path}"], options, look, lambda _: None)
    assert (done.outcome, done.verdict) == TABLE[fault][technique], [str(r) for r in done.reasons]
    surviving = survivors(simulated.surface(path))
    if surviving:
        assert done.outcome != "completed"
        assert done.verdict != "clean"
    assert (done.code == 0) == (fault == ())
    if done.outcome == "failed":
        assert done.failed
        assert done.code == 4
    if fault and fault[0] == "bad-sectors":
        bad = simulated.load(path).bad
        assert [(e.offset, e.length) for e in done.failed] == [(b * 512, 512) for b in bad]
        assert surviving == len(bad)


def test_every_fault_has_its_row():
    assert {f.name for f in simulated.FAULTS} == {row[0] for row in TABLE if row}
    assert all(set(row) == {t.id for t in all_techniques()} for row in TABLE.values())

"""One table, fault by technique: what must be said of a drive that lies, hides or fails.

The law above the table: whatever is said, nothing is called completed or clean while old data lie
on the surface.
"""

from __future__ import annotations

import pytest
from tests.lab_drives import SIZE, look, survivors, virtual

from hakushi.app.dispose import Options, dispose_all
from hakushi.media import simulated, tper
from hakushi.sanitize import all_techniques

MIB = 1 << 20
DONE = ("completed", "clean")
LIE = ("failed", "residue")
SILENT = ("unknown", "inconclusive")
UNTOUCHED = ("unknown", "residue")
REFUSED = ("refused", None)

# fault -> (of an overwrite, of a command that leaves one constant, of one that forgets a key)
TABLE = {
    (): (DONE, DONE, DONE),
    ("drops-writes",): (LIE, LIE, LIE),
    ("drops-writes-after", 5 * MIB + 512): (LIE, LIE, LIE),
    # The last sector is a planted one: what a crypto erase leaves elsewhere is told by no pattern.
    ("drops-writes-after", SIZE - 512): (LIE, ("failed", "clean"), ("failed", "clean")),
    # Zeros dropped: the keystream is left. Commands write no more than that.
    ("drops-writes-after", SIZE): (("failed", "clean"), DONE, DONE),
    ("says-success",): (LIE, LIE, LIE),
    ("dies-after", 0): (("failed", "inconclusive"), SILENT, SILENT),
    ("dies-after", 5 * MIB): (("failed", "inconclusive"), LIE, LIE),
    ("dies-after", SIZE + MIB): (("failed", "inconclusive"), DONE, DONE),
    ("bad-sectors", 1): (("failed", "inconclusive"), SILENT, SILENT),
    ("bad-sectors", 7): (("failed", "inconclusive"), SILENT, SILENT),
    # Opened first where the bus has a command for it.
    ("hides", MIB): (DONE, {"ata": DONE, "*": SILENT}, {"ata": DONE, "*": SILENT}),
    ("hides-ama", MIB): (DONE, DONE, DONE),
    ("hides-dco", MIB): (DONE, DONE, DONE),
    ("aliases", 4 * MIB): (("failed", "clean"), DONE, DONE),
    ("zeros-until-power-cycle",): (LIE, LIE, LIE),
    ("loses-cache",): (LIE, DONE, DONE),
    ("swaps-identity",): (REFUSED, REFUSED, REFUSED),
    ("swaps-identity", 5 * MIB): (("unknown", "clean"), DONE, DONE),
    ("frozen",): (
        DONE,
        {"ata": REFUSED, "*": UNTOUCHED},
        {"ata": REFUSED, "psid": UNTOUCHED, "tcg": REFUSED, "*": UNTOUCHED},
    ),
    ("keeps-key",): (DONE, DONE, LIE),
    ("opal-locked",): (REFUSED, REFUSED, {"psid": DONE, "*": REFUSED}),
    ("slow", 1): (DONE, DONE, DONE),
    # In its zones no block can be planted: what lies there already serves.
    ("zones", 2 * MIB): (DONE, DONE, DONE),
    ("stuck", 40): (DONE, {"sanitize": UNTOUCHED, "*": DONE}, {"sanitize": UNTOUCHED, "*": DONE}),
}

POLICY = """
standard = "a test's"
method = "clear"
techniques = ["{technique}"]
zeros_after = true
power_cycle = "if-possible"
operators = 0
[title]
en = "a test's"
[why]
en = "a test's"
"""


def bus_of(technique: str) -> str:
    bus = technique.partition("-")[0]
    return bus if bus in simulated.BUSES else {"tcg": "nvme"}.get(bus, "ata")


def expected(fault, technique: str) -> tuple[str, str | None]:
    crypto = "crypto" in technique or technique.endswith("enhanced") or "opal" in technique
    cell = TABLE[fault][0 if technique == "overwrite" else 2 if crypto else 1]
    if isinstance(cell, tuple):
        return cell
    return next((cell[part] for part in cell if part in technique.split("-")), cell["*"])


def _name(fault):
    return "=".join(str(part) for part in fault) or "healthy"


ATA_ONLY = ("hides-ama", "hides-dco")
"""Faults that a drive of another bus cannot have."""

CELLS = [
    pytest.param(fault, one.id, id=f"{_name(fault)}-{one.id}")
    for fault in TABLE
    for one in all_techniques()
    if fault[:1] == () or fault[0] not in ATA_ONLY or bus_of(one.id) == "ata"
]


@pytest.mark.parametrize(("fault", "technique"), CELLS)
def test_what_is_said(fault, technique, tmp_path):
    path = tmp_path / "d"
    named = {fault[0]: fault[1] if len(fault) > 1 else None} if fault else {}
    virtual(path, bus=bus_of(technique), **named)
    if fault == ("swaps-identity",):
        # `virtual` asked once: ask again, so that the plan meets the serial on the label.
        simulated.Simulated(path).identify()
    (tmp_path / "p.toml").write_text(POLICY.format(technique=technique))
    options = Options(
        str(tmp_path / "p.toml"),
        technique=technique,
        erase=frozenset({"V1"}),
        evidence=tmp_path / "evidence",
        psid={"V1": tper.psid("V1")},
    )
    (done,) = dispose_all([f"sim:{path}"], options, look, lambda _: None)
    said = (done.outcome, done.verdict)
    if fault == ("keeps-key",) and technique == "ata-security-erase-enhanced":
        # What the enhanced mode does is the maker's own; here it erases the blocks.
        assert said == DONE
    else:
        assert said == expected(fault, technique), [str(r) for r in done.reasons]
    surviving = survivors(simulated.surface(path))
    if surviving:
        assert done.outcome != "completed"
        assert done.verdict != "clean"
    assert (done.code == 0) == (said == DONE)
    if done.outcome == "failed":
        assert done.failed
        assert done.code in {3, 4}
    if fault and fault[0] == "bad-sectors" and technique == "overwrite":
        bad = simulated.load(path).bad
        assert [(e.offset, e.length) for e in done.failed] == [(b * 512, 512) for b in bad]
        assert surviving == len(bad)


def test_every_fault_has_its_row():
    assert {f.name for f in simulated.FAULTS} == {row[0] for row in TABLE if row}

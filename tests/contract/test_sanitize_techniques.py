"""Every technique that `all_techniques` knows keeps the promises of `Technique`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lab_drives import SIZE, survivors, virtual

from hakushi.certify.limits import limits_of
from hakushi.media import simulated, tper
from hakushi.media.device import claim
from hakushi.media.probe import probe
from hakushi.model import Drive, Extent, Message, Refused
from hakushi.sanitize import (
    Method,
    Order,
    Outcome,
    Policy,
    PowerCycle,
    Progress,
    Result,
    Technique,
    all_techniques,
    builtin_policies,
    find_policy,
    plan,
)
from hakushi.sanitize.journal import open_journal

TECHNIQUES = all_techniques()
CLEAR = find_policy("nist-800-88r2-clear")
AGAIN = {
    "ata-security-erase",
    "ata-security-erase-enhanced",
    "nvme-format-user",
    "nvme-format-crypto",
    "scsi-sanitize-block",
    "scsi-sanitize-crypto",
    "scsi-sanitize-overwrite",
    "tcg-opal-revert",
    "tcg-opal-genkey",
    "tcg-opal-psid-revert",
}
"""Commands of which no drive remembers that they were done: after a kill they are sent again."""


def order_of(drive: Drive, policy: Policy) -> Order:
    return Order(drive, policy, psid=tper.psid(drive.serial))


def drain(work, told: list[Progress], steps: int = 1 << 30) -> Result | None:
    """What it comes to; None where it is not done after so many steps."""
    while len(told) < steps:
        try:
            told.append(next(work))
        except StopIteration as end:
            return end.value
    return None


def finish(technique: Technique, folder: Path, policy: Policy = CLEAR, steps: int = 1 << 30):
    """Runs it on the drive ``folder/d``; None where it was closed after so many steps."""
    drive = probe(f"sim:{folder / 'd'}")
    device = claim(drive)
    journal = open_journal(folder / "journal", drive, technique.id, policy.id, 0.0)
    told: list[Progress] = []
    with closing(technique.run(device, order_of(drive, policy), journal)) as work:
        result = drain(work, told, steps)
    device.close()
    if result is None:
        journal.close()
    else:
        journal.ended(result.outcome.value)
    return result, told


def bus_of(technique: Technique) -> str:
    """The bus whose commands it uses."""
    bus = technique.id.partition("-")[0]
    return bus if bus in simulated.BUSES else "ata"


@pytest.fixture(params=TECHNIQUES, ids=lambda t: t.id)
def technique(request) -> Technique:
    return request.param


def test_a_healthy_drive_is_completed_and_nothing_survives(technique, tmp_path):
    virtual(tmp_path / "d", bus=bus_of(technique))
    result, told = finish(technique, tmp_path)
    assert isinstance(result, Result)
    assert result.outcome is Outcome.COMPLETED
    assert not result.failed
    assert survivors(simulated.surface(tmp_path / "d")) == 0
    assert told
    assert all(0 < step.done <= step.total == SIZE for step in told)


def test_closed_after_any_step_it_goes_on_from_its_journal(technique, tmp_path):
    virtual(tmp_path / "d", bus=bus_of(technique))
    result, rounds = None, 0
    while result is None:
        result, _ = finish(technique, tmp_path, steps=3 + rounds)
        rounds += 1
        assert rounds < 40
    assert rounds > 1
    assert result.outcome is Outcome.COMPLETED
    assert survivors(simulated.surface(tmp_path / "d")) == 0


def test_a_drive_that_changed_after_the_journal_is_done_again(technique, tmp_path):
    path = tmp_path / "d"
    virtual(path, bus=bus_of(technique))
    result, told = finish(technique, tmp_path)
    steps = len(told)
    for stop in (steps - 1, steps):
        simulated.remove(path)
        for journal in (tmp_path / "journal").iterdir():
            journal.unlink()
        virtual(path, bus=bus_of(technique))
        wwn = simulated.load(path).wwn
        assert finish(technique, tmp_path, steps=stop)[0] is None
        # Another medium with the same identity takes its place, full of old data.
        simulated.remove(path)
        virtual(path, bus=bus_of(technique))
        path.write_text(path.read_text().replace(simulated.load(path).wwn, wwn))
        result, _ = finish(technique, tmp_path)
        assert result.outcome is Outcome.COMPLETED
        assert survivors(simulated.surface(path)) == 0


def test_completed_before_a_kill_is_read_again_in_full(technique, tmp_path):
    path = tmp_path / "d"
    virtual(path, bus=bus_of(technique))
    drive = probe(f"sim:{path}")
    device = claim(drive)
    journal = open_journal(tmp_path / "journal", drive, technique.id, CLEAR.id, 0.0)
    assert drain(technique.run(device, order_of(drive, CLEAR), journal), []) is not None
    device.write(4096, memoryview(b"new old data".ljust(4096)))
    journal.close()
    device.close()
    result, _ = finish(technique, tmp_path)
    if technique.id in AGAIN:
        assert b"new old data" not in simulated.surface(path).read_bytes()
        return
    assert result.outcome is Outcome.FAILED
    assert [Extent(4096, 4096)] == list(result.failed)


def test_without_zeros_the_drive_holds_no_pattern(technique, tmp_path):
    virtual(tmp_path / "d", bus=bus_of(technique))
    result, _ = finish(technique, tmp_path, replace(CLEAR, zeros_after=False))
    assert result.outcome is Outcome.COMPLETED
    assert survivors(simulated.surface(tmp_path / "d")) == 0


def test_a_power_cycle_that_is_asked_for_is_given_or_missed(technique, tmp_path):
    image = tmp_path / "a.img"
    image.write_bytes(b"old" * 100_000)
    policy = replace(CLEAR, power_cycle=PowerCycle.REQUIRED)
    drive = probe(image)
    device = claim(drive, image=True)
    journal = open_journal(tmp_path / "journal", drive, technique.id, policy.id, 0.0)
    result = drain(technique.run(device, order_of(drive, policy), journal), [])
    assert result.outcome is Outcome.UNKNOWN
    virtual(tmp_path / "d", bus=bus_of(technique))
    assert finish(technique, tmp_path, policy)[0].outcome is Outcome.COMPLETED


def test_says_what_it_is(technique):
    assert technique.standard
    assert isinstance(technique.about, Message)
    assert technique.method in Method


class TestPlan:
    def test_every_technique_is_chosen_or_rejected_with_a_reason(self, tmp_path):
        drive = virtual(tmp_path / "d")
        for policy in builtin_policies():
            made = plan(drive, policy)
            named = {r.technique.id for r in made.rejected}
            assert all(str(r.why) for r in made.rejected)
            chosen = {made.technique.id} if made.technique else set()
            assert named | chosen == {t.id for t in TECHNIQUES}

    def test_weaker_than_the_policy_is_never_chosen(self, tmp_path):
        drive = virtual(tmp_path / "d")
        for method in Method:
            made = plan(drive, replace(CLEAR, method=method))
            assert made.technique is None or made.technique.method.reaches(method)

    def test_one_that_was_not_asked_for_is_not_chosen(self, tmp_path):
        made = plan(virtual(tmp_path / "d"), CLEAR, "no such thing")
        assert made.technique is None

    def test_a_hidden_area_is_told_before(self, tmp_path):
        made = plan(virtual(tmp_path / "d", hides=1 << 20), CLEAR)
        assert any("hidden area" in str(note) for note in made.notes)


class TestPolicy:
    TEXT = (
        Path(simulated.__file__).parents[1] / "sanitize/policies/nist-800-88r2-clear.toml"
    ).read_text()

    def test_a_file_of_ones_own(self, tmp_path):
        path = tmp_path / "ours.toml"
        path.write_text(self.TEXT.replace("operators = 0", "operators = 2"))
        assert find_policy(str(path)) == replace(CLEAR, id="ours", operators=2)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("operators = 0", "operators = 3"),
            ("operators = 0", ""),
            ("operators = 0", "operator = 0"),
            ('method = "clear"', 'method = "gentle"'),
            ("zeros_after = true", 'zeros_after = "yes"'),
            ('["overwrite", ', "[5, "),
            ('method = "clear"\n', 'method = "clear"\ntechniques = []\n#'),
            ("[title]", "[name]"),
            ("en = ", "fr = "),
        ],
    )
    def test_a_policy_that_is_not_understood_is_refused(self, tmp_path, old, new):
        path = tmp_path / "ours.toml"
        path.write_text(self.TEXT.replace(old, new))
        with pytest.raises(Refused):
            find_policy(str(path))

    def test_an_unknown_name_is_refused(self):
        for name in ("dod-5220", "../x", "missing.toml"):
            with pytest.raises(Refused):
                find_policy(name)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda t: t.id)
def test_a_certificate_says_what_each_was_proven_on(technique):
    assert "simulated" in limits_of(technique.id).proven_on

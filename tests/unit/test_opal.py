"""TCG's tokens, packets and sessions, and a drive that somebody else locked."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab_drives import look, survivors, virtual

from hakushi.app.dispose import Options, dispose_all, plan_all, psids
from hakushi.app.drives import one_drive
from hakushi.media import firmware, simulated, tcg, tper
from hakushi.media.opal import Channel
from hakushi.media.probe import hidden
from hakushi.media.tcg import Control
from hakushi.model import Drive, Malformed, Refused, Unreadable, Verdict
from hakushi.sanitize import all_techniques
from hakushi.sanitize.techniques import _opal

VALUES = st.recursive(
    st.integers(0, 1 << 64) | st.binary(max_size=3000),
    lambda inside: st.lists(inside, max_size=4) | st.tuples(inside, inside),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=5))
def test_what_is_encoded_decodes_to_itself(values):
    assert tcg.decode(b"".join(tcg.encode(one) for one in values)) == values


def test_a_session_is_asked_for_as_the_standard_lays_it_out():
    """Core 2.01 §5.2.3.1: call, session manager, StartSession, host number 1, Admin SP, write."""
    asked = tcg.call(tcg.MANAGER, tcg.START_SESSION, 1, tcg.ADMIN_SP, 1)
    assert asked == bytes.fromhex(
        "f8 a8 00000000000000ff a8 000000000000ff02 f0 01 a8 0000020500000001 01 f1 f9 f0 000000 f1"
    )


@given(st.integers(0, 0xFFFF), st.integers(0, 1 << 31), st.binary(max_size=1500))
def test_a_packet_gives_back_what_was_packed(comid, number, payload):
    whole = tcg.packed(comid, (number, 7), payload)
    assert len(whole) % 512 == 0
    if payload:
        assert tcg.unpacked(whole) == (comid, (number, 7), payload)


@given(st.binary(max_size=600))
def test_nonsense_is_malformed_and_a_drive_survives_it(data):
    for parse in (tcg.decode, tcg.unpacked):
        with suppress(Malformed):
            parse(data)
    drive = tper.Tper(tper.Memory(), "X", {}, lambda: None)
    drive.send(data)
    drive.send(tcg.packed(tper.COMID, (0, 0), data))
    tcg.unpacked(drive.receive())


@given(st.lists(VALUES, max_size=3))
def test_no_argument_of_a_call_breaks_the_drive(given_values):
    drive = tper.Tper(tper.Memory(), "X", {}, lambda: None)
    drive.send(
        tcg.packed(tper.COMID, (0, 0), tcg.call(tcg.MANAGER, tcg.START_SESSION, *given_values))
    )
    tcg.unpacked(drive.receive())


def test_an_empty_answer_means_not_yet():
    assert tcg.unpacked(bytes(20)) == (0, (0, 0), b"")


def test_deep_nesting_is_malformed():
    with pytest.raises(Malformed):
        tcg.decode(bytes([Control.LIST]) * 5000)


# --- a drive that somebody locked --------------------------------------------------------------


def locked(folder, bus="nvme"):
    virtual(folder / "d", bus=bus, opal_locked=None)
    return f"sim:{folder / 'd'}", simulated.surface(folder / "d")


def options(folder, **more):
    given = {"policy": "nist-800-88r2-purge", "erase": frozenset({"V1"})} | more
    return Options(evidence=folder / "evidence", **given)


@pytest.mark.parametrize("bus", simulated.BUSES)
def test_it_can_be_neither_read_nor_written_and_says_why(tmp_path, bus):
    name, _ = locked(tmp_path, bus)
    with pytest.raises(Unreadable):
        simulated.open_source(tmp_path / "d").read(simulated.Extent(0, 512))
    told = dict(one_drive(name).sed)
    assert (told["locking_locked"], told["sid_changed"]) == (1, 1)
    (planned,) = plan_all([name], options(tmp_path))
    assert planned.plan.technique.id == "tcg-opal-psid-revert"
    why = {r.technique.id: str(r.why) for r in planned.plan.rejected}
    assert "locked by its Opal password" in why[f"{bus}-sanitize-block"]
    assert "Somebody set an Opal password" in why["tcg-opal-revert"]


@pytest.mark.parametrize("bus", simulated.BUSES)
def test_the_label_opens_and_erases_it(tmp_path, bus):
    name, surface = locked(tmp_path, bus)
    (done,) = dispose_all(
        [name], options(tmp_path, psid={"V1": tper.psid("V1")}), look, lambda _: None
    )
    assert (done.outcome, done.verdict) == ("completed", Verdict.CLEAN), done.reasons
    assert not survivors(surface)
    assert tper.psid("V1") not in "".join(
        p.read_text() for p in done.evidence.parent.glob("*.json*")
    )


def test_without_the_label_nothing_happens(tmp_path):
    name, surface = locked(tmp_path)
    before = surface.read_bytes()
    (done,) = dispose_all([name], options(tmp_path), look, lambda _: None)
    assert done.code == 5
    assert "--psid V1=PSID" in str(done.reasons[0])
    assert surface.read_bytes() == before


def test_a_wrong_label_is_refused_by_the_drive(tmp_path):
    name, surface = locked(tmp_path)
    (done,) = dispose_all([name], options(tmp_path, psid={"V1": "A" * 32}), look, lambda _: None)
    assert (done.outcome, done.verdict) == ("unknown", Verdict.INCONCLUSIVE)
    assert "not authorized" in str(done.reasons[0])
    assert survivors(surface)


def test_another_drives_label_erases_nothing(tmp_path):
    name, surface = locked(tmp_path)
    (done,) = dispose_all(
        [name], options(tmp_path, psid={"V2": tper.psid("V2")}), look, lambda _: None
    )
    assert done.code == 5
    assert survivors(surface)


@pytest.mark.parametrize("text", ["V1", "V1=", "=" + "A" * 32, "V1=short", "V1=" + "é" * 32])
def test_what_is_no_psid_is_refused(text):
    with pytest.raises(Refused):
        psids([text])


def test_a_psid_is_taken_as_people_type_it():
    assert psids(["A=B=" + "ABCD-EFGH " * 4]) == {"A=B": "ABCDEFGH" * 4}


# --- what reverts do ---------------------------------------------------------------------------


def channel(folder):
    device = simulated.Simulated(folder / "d")
    return Channel(firmware.Firmware(simulated._Insides(device), "nvme", folder / "f"), "nvme")


def test_a_revert_of_a_drive_that_was_never_locked_erases_nothing_by_itself(tmp_path):
    """Why the Locking SP is made active first."""
    virtual(tmp_path / "d", bus="nvme")
    way = channel(tmp_path)
    comid = tper.COMID
    session = _opal._Session(way, comid, tcg.ADMIN_SP, tcg.SID, _opal._msid(way, comid))
    session.call(tcg.ADMIN_SP, tcg.REVERT)
    assert survivors(simulated.surface(tmp_path / "d"))
    _opal._reverted(way)
    assert not survivors(simulated.surface(tmp_path / "d"))


def test_a_session_that_is_over_is_refused(tmp_path):
    virtual(tmp_path / "d", bus="nvme")
    way = channel(tmp_path)
    session = _opal._Session(way, tper.COMID, tcg.ADMIN_SP, b"", b"")
    session.end()
    with pytest.raises(_opal._Declined):
        session.column(tcg.PIN_MSID, tcg.PIN)


def test_the_password_never_reaches_the_firmwares_file(tmp_path):
    virtual(tmp_path / "d", bus="nvme", opal_locked=None)
    _opal._by_psid(channel(tmp_path), tper.psid("V1"))
    assert tper.psid("V1") not in json.dumps((tmp_path / "f").read_text())


SHADOWED = (("locking_shadow_mbr", 1), ("locking_shadow_mbr_done", 0))


@pytest.mark.parametrize("sed", [SHADOWED, (("locking_locked", 1),)])
def test_what_stands_behind_a_lock_or_a_shadow_is_never_clean(sed):
    """A shadowed drive may answer zeros for everything: no reading of it shows anything."""
    drive = Drive("/dev/sdz", "Z", 1 << 30, transport="nvme", native_size=1 << 30, sed=sed)
    assert "need not be what lies there" in str(hidden(drive))
    reasons = {one.id: one.unfit(drive) for one in all_techniques()}
    assert "locked by its Opal" in str(reasons["overwrite"])
    assert hidden(replace(drive, sed=(*SHADOWED[:1], ("locking_shadow_mbr_done", 1)))) is None

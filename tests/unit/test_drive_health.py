"""What a drive says of its health, its locking and its hidden areas; and answers that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab_drives import look

from hakushi.app import drives
from hakushi.app.dispose import Options, Step, dispose_all
from hakushi.media import ata, health, opal, probe, simulated
from hakushi.media.commands import AtaReply
from hakushi.model import Malformed, Refused

MIB = 1 << 20
BUSES = ("ata", "scsi", "nvme")


def made(path, bus="ata", **faults):
    named = {name.replace("_", "-"): value for name, value in faults.items()}
    simulated.create(path, 4 * MIB, bus=bus, serial="H1", faults=named)
    return drives.one_drive(f"sim:{path}")


@pytest.mark.parametrize("bus", BUSES)
def test_a_virtual_drive_tells_of_its_health_and_its_locking(tmp_path, bus):
    told = drives.drive_json(made(tmp_path / "d", bus))
    assert told["health"]["status"] == "passed"
    assert told["health"]["temperature_c"] == 31
    assert told["sed"] == {
        "locking_supported": 1,
        "locking_enabled": 0,
        "locking_locked": 0,
        "locking_encrypts": 1,
        "locking_shadow_mbr": 0,
        "locking_shadow_mbr_done": 0,
        "protocol": "Opal 2",
        "comid": 0x07FE,
        "sid_changed": 0,
        "sid_blocked": 0,
    }
    assert told["zoned"] is None


@pytest.mark.parametrize(
    ("bus", "name"),
    [("ata", "pending_sectors"), ("scsi", "reallocated_sectors"), ("nvme", "media_errors")],
)
def test_bad_sectors_show_in_its_health(tmp_path, bus, name):
    told = dict(made(tmp_path / "d", bus, bad_sectors=120).health)
    assert told[name] == 120
    if bus != "scsi":
        assert told["status"] == "failing"


@pytest.mark.parametrize("fault", ["hides", "hides_ama", "hides_dco"])
def test_each_way_of_hiding_is_seen_and_opened_before_an_erase(tmp_path, fault):
    path = tmp_path / "d"
    drive = made(path, **{fault: MIB})
    assert (drive.size, drive.native_size) == (3 * MIB, 4 * MIB)
    assert probe.hidden(drive) is not None
    with simulated.surface(path).open("r+b") as file:
        file.seek(4 * MIB - 4096)
        file.write(b"a tax list" * 100)
    options = Options(
        "nist-800-88r2-clear", erase=frozenset({"H1"}), evidence=tmp_path / "evidence"
    )
    [done] = dispose_all([f"sim:{path}"], options, look, lambda _: None)
    assert (done.outcome, done.verdict) == ("completed", "clean")
    assert b"tax" not in simulated.surface(path).read_bytes()


def test_a_drive_hides_in_one_way_and_only_an_ata_drive_in_the_newer_ones(tmp_path):
    for bus, faults in (
        ("ata", {"hides": MIB, "hides-dco": MIB}),
        ("nvme", {"hides-ama": MIB}),
        ("scsi", {"hides-dco": MIB}),
    ):
        with pytest.raises(Refused):
            simulated.create(tmp_path / "d", 4 * MIB, bus=bus, faults=faults)


def test_an_overlay_with_a_wrong_checksum_tells_no_size():
    data = bytearray(512)
    data[6:14] = (8191).to_bytes(8, "little")
    data[510] = 0xA5
    data[511] = -sum(data) % 256
    assert ata.overlaid(bytes(data)) == 8192
    data[7] ^= 1
    with pytest.raises(Malformed):
        ata.overlaid(bytes(data))


def test_opal_2_with_its_locking_on():
    """A discovery as TCG Storage Opal SSC 2.01 §3.1.1 lays it out."""
    features = (
        bytes([0x00, 0x01, 0x10, 12, 0x11, *bytes(11)])
        + bytes([0x00, 0x02, 0x10, 12, 0b00001111, *bytes(11)])
        + bytes([0x02, 0x03, 0x10, 16, 0x10, 0, 0, 1, *bytes(12)])
    )
    head = (44 + len(features)).to_bytes(4, "big") + bytes([0, 0, 0, 1]) + bytes(40)
    told = dict(opal.discovered((head + features).ljust(2048, b"\0")))
    assert told["protocol"] == "Opal 2"
    assert (told["locking_enabled"], told["locking_locked"], told["locking_encrypts"]) == (1, 1, 1)


@given(st.binary(max_size=700), st.binary(max_size=300), st.binary(max_size=300))
def test_nonsense_is_malformed_or_says_little(data, page, grown):
    for parse in (
        lambda: health.ata(data, AtaReply(0x50)),
        lambda: health.nvme(data),
        lambda: health.scsi(data, page, grown),
        lambda: opal.discovered(data),
        lambda: ata.overlaid(data),
    ):
        try:
            told = parse()
        except Malformed:
            continue
        assert isinstance(told, int) or all(isinstance(name, str) for name, _ in told)


@pytest.mark.parametrize("bus", BUSES)
def test_the_live_view_tells_how_warm_a_drive_is(tmp_path, bus):
    made(tmp_path / "d", bus)
    options = Options("nist-800-88r2-clear", erase=frozenset({"H1"}), evidence=tmp_path / "e")
    seen: list[Step] = []
    dispose_all([f"sim:{tmp_path / 'd'}"], options, look, seen.append)
    assert {one.celsius for one in seen if "writ" in one.phase.id} == {31}

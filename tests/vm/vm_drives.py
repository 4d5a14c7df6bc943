"""Run by ``tools/vm`` in a machine of its own: the kernel's own drivers over emulated drives."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab_drives import look, old_data

from hakushi.app.dispose import Disposal, Options, dispose_all, plan_all
from hakushi.media.device import claim
from hakushi.media.probe import probe, probe_all
from hakushi.model import Refused

MIB = 1 << 20
SERIALS = {"ata": "SATA0001", "nvme": "NVME0001", "scsi": "SCSI0001"}
DONE = ("completed", "clean")
UNSURE = ("completed", "inconclusive")
"""Of a drive that does not say how large it natively is: QEMU's NVMe and SCSI drives do not."""


def named(serial: str) -> str:
    return next(one.path for one in probe_all() if one.serial == serial)


def erased(name: str, folder: Path, policy: str = "nist-800-88r2-clear", **more) -> Disposal:
    options = Options(
        policy, erase=frozenset({probe(name).serial}), evidence=folder / "evidence", **more
    )
    (done,) = dispose_all([name], options, look, lambda _: None)
    return done


def said(done: Disposal) -> tuple[str, str | None]:
    return done.outcome, done.verdict


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def fill(name: str) -> None:
    Path(name).write_bytes(old_data(probe(name).size))
    run("sync")


# --- what drives say ---------------------------------------------------------------------------


def test_each_bus_tells_who_is_there():
    found = {one.serial: one for one in probe_all()}
    for bus, serial in SERIALS.items():
        assert (found[serial].transport, found[serial].size) == (bus, 64 * MIB)
    assert "TESTSATA" in found["SATA0001"].model
    assert found["SCSI0001"].wwn


def test_ata_is_asked_through_the_kernel():
    drive = probe(named("SATA0001"))
    assert ("abilities", "IDENTIFY DEVICE") in drive.said_by
    able = {one.name: one.supported for one in drive.abilities}
    assert able["ata-sanitize-block"] is False
    assert able["tcg-opal-revert"] is False
    assert drive.native_size == drive.size == 64 * MIB
    assert dict(drive.health)["status"] == "passed"
    assert dict(drive.health)["temperature_c"] in range(100)


def test_nvme_is_asked_through_the_kernel():
    drive = probe(named("NVME0001"))
    assert ("abilities", "Identify Controller") in drive.said_by
    able = {one.name: one.supported for one in drive.abilities}
    assert able["nvme-format-user"] is True
    assert able["nvme-sanitize-block"] is False
    assert dict(drive.health)["temperature_c"] in range(1, 100)


def test_scsi_is_asked_through_the_kernel():
    drive = probe(named("SCSI0001"))
    able = {one.name: one.supported for one in drive.abilities}
    assert able["scsi-sanitize-block"] is False
    assert drive.native_size is None


# --- what becomes of them ----------------------------------------------------------------------


@pytest.mark.parametrize("bus", SERIALS)
def test_overwriting_through_each_driver(tmp_path, bus):
    name = named(SERIALS[bus])
    fill(name)
    done = erased(name, tmp_path)
    assert said(done) == (DONE if bus == "ata" else UNSURE), done.reasons
    assert not any(Path(name).read_bytes())


def test_nvme_format_through_the_kernel(tmp_path):
    name = named("NVME0001")
    fill(name)
    done = erased(name, tmp_path, "nist-800-88r2-purge", technique="nvme-format-user")
    assert said(done) == UNSURE, done.reasons
    assert not any(Path(name).read_bytes())


@contextlib.contextmanager
def flakey(feature: str) -> Iterator[tuple[str, str]]:
    """A device-mapper drive with a fault, and the drive under it."""
    under = named("SCSI0001")
    fill(under)
    sectors = probe(under).size // 512
    run("dmsetup", "create", "lie", "--table", f"0 {sectors} flakey {under} 0 0 1000 1 {feature}")
    run("dmsetup", "mknodes")
    try:
        yield str(Path("/dev/mapper/lie").resolve()), under
    finally:
        run("dmsetup", "remove", "lie")


def test_a_drive_that_drops_every_write(tmp_path):
    with flakey("drop_writes") as (name, under):
        done = erased(name, tmp_path)
        assert said(done) == ("failed", "residue"), done.reasons
        assert done.failed.size == 64 * MIB
    assert Path(under).read_bytes() == old_data(64 * MIB)


def test_a_drive_that_refuses_every_write(tmp_path):
    with flakey("error_writes") as (name, _):
        done = erased(name, tmp_path)
        assert said(done) == ("failed", "residue"), done.reasons


def test_what_device_mapper_holds_is_not_touched(tmp_path):
    with flakey("drop_writes") as (_, under), pytest.raises(Refused, match="in use"):
        claim(probe(under))


# --- drives made of the kernel's own modules ---------------------------------------------------


@contextlib.contextmanager
def debug_drive(*words: str) -> Iterator[str]:
    before = {one.path for one in probe_all()}
    run("modprobe", "scsi_debug", "dev_size_mb=64", *words)
    run("udevadm", "settle") if Path("/usr/bin/udevadm").exists() else None
    try:
        (name,) = {one.path for one in probe_all()} - before
        yield name
    finally:
        subprocess.run(["modprobe", "-r", "scsi_debug"], check=False)


@contextlib.contextmanager
def null_zoned(**more: int) -> Iterator[str]:
    run("modprobe", "null_blk", "nr_devices=0")
    if not Path("/sys/kernel/config/nullb").exists():
        run("mount", "-t", "configfs", "none", "/sys/kernel/config")
    folder = Path("/sys/kernel/config/nullb/z")
    folder.mkdir()
    wanted = {"size": 64, "memory_backed": 1, "zoned": 1, "zone_size": 8, "zone_nr_conv": 1}
    for key, value in (wanted | more).items():
        (folder / key).write_text(str(value))
    before = {one.path for one in probe_all()}
    (folder / "power").write_text("1")
    try:
        (name,) = {one.path for one in probe_all()} - before
        yield name
    finally:
        (folder / "power").write_text("0")
        folder.rmdir()
        run("modprobe", "-r", "null_blk")


def zones_filled(name: str) -> None:
    """Old data in every zone, in order, as such a drive wants it."""
    with contextlib.closing(claim(probe(name))) as device:
        data = memoryview(bytearray(old_data(device.size)))
        from hakushi.media.linux import buffer

        page = memoryview(buffer(MIB))
        for at in range(0, device.size, MIB):
            page[:] = data[at : at + MIB]
            device.write(at, page)
        device.flush()


def test_the_kernels_zoned_drive_is_overwritten_zone_by_zone(tmp_path):
    with null_zoned() as name:
        assert probe(name).zoned == "host-managed"
        zones_filled(name)
        assert any(Path(name).read_bytes()[:4096])
        done = erased(name, tmp_path)
        assert said(done) == DONE, done.reasons
        assert not any(Path(name).read_bytes())


def test_zones_with_less_room_than_addresses_are_left_alone(tmp_path):
    with null_zoned(zone_capacity=4) as name:
        done = erased(name, tmp_path)
        assert done.outcome == "unknown"
        assert "no place behind it" in str(done.reasons[0])


def test_a_zoned_scsi_drive(tmp_path):
    with debug_drive("zbc=managed", "zone_size_mb=8", "zone_nr_conv=0", "sector_size=4096") as name:
        assert probe(name).zoned == "host-managed"
        zones_filled(name)
        done = erased(name, tmp_path)
        assert done.outcome == "completed", done.reasons
        assert not any(Path(name).read_bytes())


# --- drives that come and go -------------------------------------------------------------------


def test_a_drive_that_is_pulled_out_is_never_called_done(tmp_path):
    with debug_drive() as name:
        fill(name)
        out = Path("/sys/block") / Path(name).name / "device/delete"

        def pull(step) -> None:
            if step.done >= 16 * MIB and out.exists():
                out.write_text("1")

        serial = probe(name).serial
        options = Options("nist-800-88r2-clear", erase=frozenset({serial}), evidence=tmp_path)
        (done,) = dispose_all([name], options, look, pull)
        assert done.outcome in {"failed", "unknown"}
        assert done.code == 4


def test_a_drive_that_was_out_in_between_is_another_one(tmp_path):
    with debug_drive() as name:
        (planned,) = plan_all([name], Options("nist-800-88r2-clear"))
        folder = Path("/sys/block") / Path(name).name / "device"
        host = next(p for p in folder.resolve().parents if p.name.startswith("host"))
        (folder / "delete").write_text("1")
        (host / "scsi_host" / host.name / "scan").write_text("- - -")
        assert planned.plan is not None
        for _ in range(200):
            if Path(name).exists():
                break
            time.sleep(0.1)  # the kernel scans in its own time
        with pytest.raises(Refused, match="not the drive it was"):
            claim(planned.plan.drive)

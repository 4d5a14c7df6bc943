"""A virtual drive is what it was made to be, and keeps its state from process to process."""

from __future__ import annotations

import json

import pytest
from tests.lab_drives import MARK, SIZE, look, old_data, survivors, virtual

from hakushi.app.dispose import Options, dispose_all
from hakushi.media import simulated
from hakushi.media.image import Memory
from hakushi.media.probe import hidden, hidden_bytes, open_medium, probe
from hakushi.media.simulated import Simulated
from hakushi.model import SECTOR, Extent, Refused, Unreadable


def test_holds_its_content_then_zeros(tmp_path):
    path = tmp_path / "d"
    simulated.create(path, 1 << 20, content=Memory(b"abc" * 1000))
    source = open_medium(f"sim:{path}").source
    assert source.size == 1 << 20
    assert source.read(Extent(0, 1 << 20)) == (b"abc" * 1000).ljust(1 << 20, b"\0")
    assert source.read(Extent((1 << 20) - 4, 100)) == bytes(4)


def test_a_write_is_there_for_the_next_process(tmp_path):
    path = tmp_path / "d"
    simulated.create(path, 1 << 20)
    drive = Simulated(path, writable=True)
    drive.write(512, memoryview(b"x" * 512))
    drive.close()
    assert Simulated(path).read(Extent(511, 3)) == b"\0xx"


def test_only_one_may_write(tmp_path):
    path = tmp_path / "d"
    simulated.create(path, 1 << 20)
    first = Simulated(path, writable=True)
    with pytest.raises(Refused):
        Simulated(path, writable=True)
    first.close()
    Simulated(path, writable=True).close()


@pytest.mark.parametrize(
    ("name", "value"),
    [("drops-writes", None), ("says-success", None), ("zeros-until-power-cycle", None)],
)
def test_what_only_pretends_to_write_keeps_the_old_data(tmp_path, name, value):
    path = tmp_path / "d"
    virtual(path, **{name: value})
    drive = Simulated(path, writable=True)
    drive.write(0, memoryview(bytes(SIZE)))
    drive.flush()
    assert survivors(simulated.surface(path)) == SIZE // SECTOR
    drive.power_cycle()
    assert drive.read(Extent(0, SIZE)) == old_data()


def test_zeros_until_power_cycle_shows_zeros_in_between(tmp_path):
    path = tmp_path / "d"
    virtual(path, zeros_until_power_cycle=None)
    drive = Simulated(path, writable=True)
    assert drive.read(Extent(0, len(MARK))) == MARK
    drive.write(0, memoryview(bytes(512)))
    assert drive.read(Extent(SIZE - 512, 512)) == bytes(512)
    assert Simulated(path).read(Extent(4096, 512)) == bytes(512)


def test_drops_writes_after_counts_over_processes(tmp_path):
    path = tmp_path / "d"
    virtual(path, drops_writes_after=3 * 512)
    for _ in range(2):
        drive = Simulated(path, writable=True)
        drive.write(0, memoryview(bytes(1024)))
        drive.close()
        drive = Simulated(path, writable=True)
        drive.write(1024, memoryview(bytes(1024)))
        drive.close()
    assert survivors(simulated.surface(path)) == SIZE // SECTOR - 3


def test_dies_after_stays_dead(tmp_path):
    path = tmp_path / "d"
    virtual(path, dies_after=1024)
    drive = Simulated(path, writable=True)
    with pytest.raises(OSError):
        drive.write(0, memoryview(bytes(4096)))
    drive.power_cycle()
    drive.close()
    with pytest.raises(Unreadable):
        Simulated(path).read(Extent(0, 512))
    assert survivors(simulated.surface(path)) == SIZE // SECTOR - 2


def test_bad_sectors_fail_alone(tmp_path):
    path = tmp_path / "d"
    virtual(path, bad_sectors=5)
    bad = simulated.load(path).bad
    assert len(bad) == 5
    drive = Simulated(path, writable=True)
    for sector in range(SIZE // SECTOR):
        extent = Extent(sector * SECTOR, SECTOR)
        if sector in bad:
            with pytest.raises(Unreadable):
                drive.read(extent)
            with pytest.raises(OSError):
                drive.write(extent.offset, memoryview(bytes(SECTOR)))
        elif sector % 997 == 0:
            assert drive.read(extent).startswith(MARK)
            drive.write(extent.offset, memoryview(bytes(SECTOR)))


def test_aliases_wrap_around(tmp_path):
    path = tmp_path / "d"
    simulated.create(path, 1 << 20, faults={"aliases": 1 << 18})
    drive = Simulated(path, writable=True)
    drive.write((1 << 18) - 512, memoryview(b"a" * 512 + b"b" * 512))
    assert drive.read(Extent(0, 512)) == b"b" * 512
    assert drive.read(Extent((3 << 18) - 512, 1024)) == b"a" * 512 + b"b" * 512
    assert simulated.surface(path).stat().st_size == 1 << 18


def test_hides_its_last_bytes(tmp_path):
    path = tmp_path / "d"
    drive = virtual(path, hides=1 << 20)
    assert (drive.size, drive.native_size) == (SIZE - (1 << 20), SIZE)
    assert hidden_bytes(drive) == 1 << 20
    assert hidden(drive) is not None
    handle = Simulated(path, writable=True)
    with pytest.raises(OSError):
        handle.write(drive.size, memoryview(bytes(512)))
    assert handle.read(Extent(drive.size, 512)) == b""


def test_a_lying_cache_forgets_its_last_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated, "CACHE", 2 << 20)
    path = tmp_path / "d"
    virtual(path, loses_cache=None)
    drive = Simulated(path, writable=True)
    for at in range(0, SIZE, 1 << 20):
        drive.write(at, memoryview(bytes(1 << 20)))
    drive.flush()
    assert Simulated(path).read(Extent(0, SIZE)) == bytes(SIZE)
    drive.power_cycle()
    assert drive.read(Extent(0, SIZE)) == bytes(SIZE - (2 << 20)) + old_data()[-(2 << 20) :]


def test_swaps_identity_between_two_questions(tmp_path):
    path = tmp_path / "d"
    virtual(path, swaps_identity=None)
    serials = {probe(f"sim:{path}").serial for _ in range(2)}
    assert len(serials) == 2


@pytest.mark.parametrize("bus", simulated.BUSES)
def test_a_healthy_drive_hides_nothing(tmp_path, bus):
    path = tmp_path / "d"
    simulated.create(path, 1 << 20, bus=bus, serial="S\x1b[2J")
    drive = probe(f"sim:{path}")
    assert drive.transport == bus
    assert hidden(drive) is None
    assert drive.serial.isprintable()


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (0, {}),
        (513, {}),
        (1 << 61, {}),
        (1024, {"bus": "scsi2"}),
        (1024, {"content": Memory(bytes(2048))}),
        (1024, {"faults": {"melts": None}}),
        (1024, {"faults": {"stuck": 400}}),
        (1024, {"faults": {"hides": None}}),
        (1024, {"faults": {"drops-writes": 5}}),
        (1024, {"faults": {"hides": 1024}}),
        (1024, {"faults": {"aliases": 0}}),
        (1024, {"faults": {"bad-sectors": 3}}),
    ],
)
def test_refuses_what_cannot_be(tmp_path, size, options):
    with pytest.raises(Refused):
        simulated.create(tmp_path / "d", size, **options)
    assert list(tmp_path.iterdir()) == []


def test_does_not_replace_what_is_there(tmp_path):
    path = tmp_path / "d"
    simulated.surface(path).write_bytes(b"mine")
    with pytest.raises(Refused):
        simulated.create(path, 1024)
    assert simulated.surface(path).read_bytes() == b"mine"


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "x"},
        {"size": -5},
        {"size": "x"},
        {"faults": {"hides": 1 << 30}},
        {"faults": {"melts": None}},
        {"faults": []},
        {"bad": ["x"]},
        {"faults": {"aliases": -1}},
    ],
)
def test_a_broken_identity_file_is_refused(tmp_path, change):
    path = tmp_path / "d"
    simulated.create(path, 1 << 20)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(Refused):
        open_medium(f"sim:{path}")


def test_no_drive_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\x00")
    for name in ("x", "missing", "."):
        with pytest.raises(Refused):
            probe(f"sim:{tmp_path / name}")


def test_a_slow_sector_is_told(tmp_path):
    simulated.create(tmp_path / "d", 8 << 20, serial="V1", faults={"slow": 1050})
    options = Options("nist-800-88r2-clear", erase=frozenset({"V1"}), evidence=tmp_path / "e")
    (done,) = dispose_all([f"sim:{tmp_path / 'd'}"], options, look, lambda _: None)
    assert done.outcome == "completed"
    (told,) = [str(why) for why in done.reasons if "longer than a second" in str(why)]
    assert "to read: 2; the slowest 1.1 s" in told

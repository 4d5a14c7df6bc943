"""Drives whose zones take writes in order alone: overwritten zone by zone, resumed within one."""

from __future__ import annotations

import struct
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab_drives import SIZE, look, survivors, virtual

from hakushi.app.dispose import Options, dispose_all
from hakushi.media import simulated, zones
from hakushi.media.device import claim
from hakushi.media.probe import probe
from hakushi.media.zones import Zone
from hakushi.model import Extent, Malformed, Refused
from hakushi.sanitize import Order, find_policy
from hakushi.sanitize.journal import open_journal
from hakushi.sanitize.techniques import overwrite

MIB = 1 << 20
ZONE = 3 * MIB
CLEAR = find_policy("nist-800-88r2-clear")


def zoned(folder, **faults):
    virtual(folder / "d", zones=ZONE, **faults)
    return f"sim:{folder / 'd'}"


def options(folder):
    return Options("nist-800-88r2-clear", erase=frozenset({"V1"}), evidence=folder / "evidence")


def test_a_zone_takes_writes_at_its_pointer_alone(tmp_path):
    with closing(claim(probe(zoned(tmp_path)))) as device:
        block = memoryview(bytes(4096))
        with pytest.raises(OSError):
            device.write(0, block)  # it is full
        device.reset_zone(device.zones()[0])
        with pytest.raises(OSError):
            device.write(4096, block)
        device.write(0, block)
        device.write(4096, block)


def test_a_reset_reads_as_zeros_and_erases_nothing(tmp_path):
    with closing(claim(probe(zoned(tmp_path)))) as device:
        for zone in device.zones():
            device.reset_zone(zone)
        with closing(device.reopen()) as reader:
            assert not any(reader.read(Extent(0, SIZE)))
    assert survivors(simulated.surface(tmp_path / "d")) == SIZE // 512


def test_overwriting_takes_every_byte(tmp_path):
    (done,) = dispose_all([zoned(tmp_path)], options(tmp_path), look, lambda _: None)
    assert (done.outcome, done.verdict) == ("completed", "clean"), done.reasons
    assert not any(simulated.surface(tmp_path / "d").read_bytes())


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6, 9, 12, 13])
def test_it_goes_on_after_a_stop_anywhere(tmp_path, steps):
    name = zoned(tmp_path)
    drive = probe(name)
    with closing(claim(drive)) as device:
        journal = open_journal(tmp_path / "evidence", drive, "overwrite", CLEAR.id, 0.0)
        with closing(overwrite.run(device, Order(drive, CLEAR), journal)) as work:
            for _ in range(steps):
                next(work)
        journal.close()
    (done,) = dispose_all([name], options(tmp_path), look, lambda _: None)
    assert (done.outcome, done.verdict) == ("completed", "clean"), done.reasons
    assert not any(simulated.surface(tmp_path / "d").read_bytes())
    told = "".join(p.read_text() for p in (tmp_path / "evidence").glob("*.journal"))
    assert "wrote" in told
    assert "restarted" not in told


def test_it_goes_on_where_the_pointer_stands(tmp_path):
    """More was written than the journal says: a zone takes no write twice."""
    name = zoned(tmp_path)
    drive = probe(name)
    with closing(claim(drive)) as device:
        journal = open_journal(tmp_path / "evidence", drive, "overwrite", CLEAR.id, 0.0)
        work = overwrite.run(device, Order(drive, CLEAR), journal)
        next(work)
        fill = overwrite._fills(Order(drive, CLEAR), journal.key)[0]
        zone = device.zones()[1]
        device.reset_zone(zone)
        device.write(zone.start, fill.render(zone.start, 8192))
        device.flush()
        journal.wrote(0, zone.start + 4096)
        work.close()
        journal.close()
    (done,) = dispose_all([name], options(tmp_path), look, lambda _: None)
    assert (done.outcome, done.verdict) == ("completed", "clean"), done.reasons


def test_behind_a_bad_sector_a_zone_is_lost_and_told(tmp_path):
    name = zoned(tmp_path, bad_sectors=1)
    (bad,) = simulated.load(tmp_path / "d").bad
    (done,) = dispose_all([name], options(tmp_path), look, lambda _: None)
    assert done.outcome == "failed"
    zone = bad * 512 // ZONE
    assert any(e.offset <= bad * 512 < e.end == (zone + 1) * ZONE for e in done.failed)
    assert survivors(simulated.surface(tmp_path / "d")) * 512 <= done.failed.size


def test_zones_with_less_room_than_addresses_are_left_alone(tmp_path, monkeypatch):
    name = zoned(tmp_path)
    before = simulated.surface(tmp_path / "d").read_bytes()
    short = (Zone(0, SIZE, SIZE - MIB, 0, ordered=True),)
    monkeypatch.setattr(simulated.Simulated, "zones", lambda _self: short)
    (done,) = dispose_all([name], options(tmp_path), look, lambda _: None)
    assert done.outcome == "unknown"
    assert f"{MIB:,} bytes have an address" in str(done.reasons[0])
    assert simulated.surface(tmp_path / "d").read_bytes() == before


@pytest.mark.parametrize("size", [0, 100, 5 * MIB])
def test_zones_that_do_not_fit_are_refused(tmp_path, size):
    with pytest.raises(Refused):
        simulated.create(tmp_path / "d", SIZE, faults={"zones": size})


def test_the_kernels_report_is_read_as_it_lays_it_out():
    """struct blk_zone_report and blk_zone of <linux/blkzoned.h>, packed by hand."""
    head = struct.pack("<QII", 0, 3, 1)
    conventional = struct.pack("<QQQ4B4sQ24s", 0, 8, 2**64 - 1, 1, 0, 0, 0, b"", 8, b"")
    full = struct.pack("<QQQ4B4sQ24s", 8, 8, 16, 2, 14, 0, 0, b"", 8, b"")
    small = struct.pack("<QQQ4B4sQ24s", 16, 8, 16, 2, 1, 0, 0, b"", 6, b"")
    found = list(zones.read(head + conventional + full + small))
    assert [(z.start, z.length, z.capacity, z.ordered) for z in found] == [
        (0, 4096, 4096, False),
        (4096, 4096, 4096, True),
        (8192, 4096, 3072, True),
    ]
    assert (found[1].pointer, found[2].pointer) == (8192, 8192)


@given(st.binary(min_size=16, max_size=600))
def test_nonsense_is_malformed_or_bounded(data):
    try:
        found = list(zones.read(data))
    except Malformed:
        return
    assert len(found) * 64 + 16 <= len(data)

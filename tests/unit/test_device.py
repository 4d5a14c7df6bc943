"""The one writable handle: what `claim` lets through, and what it writes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lab_drives import loop_device

from hakushi.media import linux
from hakushi.media.device import claim, differences
from hakushi.media.direct import Direct
from hakushi.media.probe import open_medium, probe, probe_all
from hakushi.model import Extent, Locator, Refused

ROOT = os.geteuid() == 0 and Path("/dev/loop-control").exists()


def _view(data: bytes) -> memoryview:
    buffer = linux.buffer(-(-len(data) // 4096) * 4096)
    buffer[: len(data)] = data
    return memoryview(buffer)[: len(data)]


def test_a_file_is_refused_unless_image(tmp_path):
    path = tmp_path / "a.img"
    path.write_bytes(b"old" * 1000)
    with pytest.raises(Refused, match="--image"):
        claim(probe(path))
    claim(probe(path), image=True).close()
    assert path.read_bytes() == b"old" * 1000


@pytest.mark.parametrize("size", [1, 511, 4096, 10_001, 3 << 20])
def test_every_byte_of_a_file_is_written_and_none_more(tmp_path, size):
    path = tmp_path / "a.img"
    path.write_bytes(b"o" * size)
    device = claim(probe(path), image=True)
    device.write(0, _view(b"n" * size))
    device.flush()
    reader = device.reopen()
    assert reader.read(Extent(0, size + 5000)) == b"n" * size
    view = _view(b"x" * size)
    reader.into(0, view)
    assert bytes(view) == b"n" * size
    with pytest.raises(OSError):
        device.write(0, _view(b"n" * (size + 1)))
    device.close()
    assert path.read_bytes() == b"n" * size


def test_two_may_not_hold_one_image(tmp_path):
    path = tmp_path / "a.img"
    path.write_bytes(bytes(8192))
    first = claim(probe(path), image=True)
    with pytest.raises(Refused, match="held"):
        claim(probe(path), image=True)
    first.close()


def test_a_file_that_was_replaced_is_refused(tmp_path):
    path = tmp_path / "a.img"
    path.write_bytes(bytes(8192))
    before = probe(path)
    other = tmp_path / "other"
    other.write_bytes(b"m" * 8192)
    other.replace(path)
    with pytest.raises(Refused, match="not the drive"):
        claim(before, image=True)
    assert path.read_bytes() == b"m" * 8192


def test_a_file_that_grew_is_refused(tmp_path):
    path = tmp_path / "a.img"
    path.write_bytes(bytes(8192))
    before = probe(path)
    path.write_bytes(bytes(8193))
    with pytest.raises(Refused):
        claim(before, image=True)


@pytest.mark.parametrize("field", ["serial", "wwn", "model", "firmware"])
def test_another_identity_is_refused(tmp_path, field):
    path = tmp_path / "a.img"
    path.write_bytes(bytes(8192))
    drive = probe(path)
    with pytest.raises(Refused):
        claim(replace(drive, **{field: "other"}), image=True)
    assert differences(drive, drive) == ()


def test_an_empty_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(Refused):
        claim(probe(tmp_path / "empty"), image=True)
    for name in (tmp_path, tmp_path / "missing", "/dev/null"):
        with pytest.raises(Refused):
            probe(name)


def test_the_systems_own_drive_is_refused():
    used = [drive for drive in probe_all() if drive.held_by]
    for drive in used:
        with pytest.raises(Refused, match="in use"):
            claim(drive)


def test_a_direct_source_gives_the_same_bytes_as_a_file(tmp_path):
    path = tmp_path / "a.img"
    data = os.urandom(5 << 20) + b"tail"
    path.write_bytes(data)
    source = Direct(path, len(data), Locator.root("image", "x"))
    for at, length in [(0, 1), (4095, 2), (1, 5 << 20), (len(data) - 3, 100), (len(data), 5)]:
        assert source.read(Extent(at, length)) == data[at : at + length]


def test_strings_of_a_device_cannot_steer_a_terminal():
    assert linux.printable(b"  ABC\x1b[2J\xff\0\0 ") == "ABC\\x1b[2J\\xff"


@pytest.mark.root
@pytest.mark.skipif(not ROOT, reason="needs root and loop devices")
class TestLoopDevice:
    def test_is_written_past_the_cache(self, tmp_path):
        backing = tmp_path / "b.img"
        backing.write_bytes(b"o" * (1 << 20))
        with loop_device(backing) as name:
            drive = probe(name)
            assert drive.serial == name.removeprefix("/dev/")
            assert drive.size == 1 << 20
            device = claim(drive)
            device.write(4096, _view(b"n" * 4096))
            device.flush()
            reader = device.reopen()
            assert reader.direct
            assert reader.read(Extent(4095, 3)) == b"onn"
            device.close()
            assert open_medium(name).source.read(Extent(8191, 2)) == b"no"
        assert backing.read_bytes()[4095:8193] == b"o" + b"n" * 4096 + b"o"

    def test_held_elsewhere_is_refused(self, tmp_path):
        backing = tmp_path / "b.img"
        backing.write_bytes(bytes(1 << 20))
        with loop_device(backing) as name:
            held = os.open(name, os.O_RDONLY | os.O_EXCL)
            try:
                with pytest.raises(Refused, match="held"):
                    claim(probe(name))
            finally:
                os.close(held)
            with pytest.raises(Refused, match="in use"):
                claim(probe(backing), image=True)

    def test_another_medium_in_the_same_slot_is_refused(self, tmp_path):
        backing = tmp_path / "b.img"
        backing.write_bytes(bytes(1 << 20))
        with loop_device(backing) as name:
            before = probe(name)
            since = replace(
                before, said_by=(*before.said_by[:-1], ("instance", "diskseq of another day"))
            )
            with pytest.raises(Refused, match="instance"):
                claim(since)

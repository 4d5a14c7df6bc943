"""What is made of sysfs: trees laid out as Linux shows ATA, SCSI, USB and NVMe drives."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.lab_drives import loop_device

from hakushi.media import linux, probe
from hakushi.media.device import claim
from hakushi.model import Refused

ROOT = os.geteuid() == 0 and Path("/dev/loop-control").exists()
ATA = "devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda"
USB = "devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host4/target4:0:0/4:0:0:0/block/sda"
SCSI = "devices/pci0000:00/0000:00:03.0/host2/target2:0:0/2:0:0:0/block/sda"
NVME = "devices/pci0000:00/0000:00:1d.0/nvme/nvme0/nvme0n1"
VIRTIO = "devices/pci0000:00/0000:00:05.0/virtio3/block/vdb"


def tree(root: Path, where: str, **files: bytes) -> linux.Node:
    """A drive's folder with these attributes; ``device__model`` is ``device/model``."""
    folder = root / where
    plain = {"size": b"2048\n", "dev": b"8:0\n", "ro": b"0\n", "queue__rotational": b"1\n"}
    for name, data in {**plain, **files}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return linux.node(folder)


def told(node: linux.Node):
    return probe._block(Path("/dev/x"), node)


def test_an_ata_drive(tmp_path):
    drive = told(
        tree(
            tmp_path,
            ATA,
            device__model=b"HGST HTS725050A7\n",
            device__vendor=b"ATA     \n",
            device__rev=b"A350\n",
            device__wwid=b"naa.5000cca85ce1f2b3\n",
            device__vpd_pg80=b"\x00\x80\x00\x14      RCF50ACE1ABCDE",
            queue__physical_block_size=b"4096\n",
            queue__logical_block_size=b"512\n",
        )
    )
    assert (drive.serial, drive.model, drive.firmware) == (
        "RCF50ACE1ABCDE",
        "HGST HTS725050A7",
        "A350",
    )
    assert (drive.wwn, drive.transport, drive.size) == ("naa.5000cca85ce1f2b3", "ata", 1 << 20)
    assert (drive.logical_sector, drive.physical_sector, drive.rotational) == (512, 4096, True)
    assert ("serial", "sysfs device/vpd_pg80") in drive.said_by
    assert probe.hidden(drive) is not None
    assert probe.hidden_bytes(drive) is None


@pytest.mark.parametrize(
    ("where", "transport"),
    [(ATA, "ata"), (USB, "usb"), (SCSI, "scsi"), (NVME, "nvme"), (VIRTIO, "virtio")],
)
def test_how_it_is_connected(tmp_path, where, transport):
    drive = told(tree(tmp_path, where, device__vendor=b"X\n"))
    assert drive.transport == transport
    assert drive.serial == Path(where).name
    assert (probe.hidden(drive) is None) == (transport == "virtio")


def test_an_nvme_drive(tmp_path):
    node = tree(
        tmp_path,
        NVME,
        wwid=b"eui.0025385b71b0a1c2\n",
        device__serial=b"S4EWNX0R123456      \n",
        device__firmware_rev=b"2B2QEXM7\n",
        queue__rotational=b"0\n",
    )
    drive = told(node)
    assert (drive.serial, drive.firmware) == ("S4EWNX0R123456", "2B2QEXM7")
    assert (drive.wwn, drive.rotational) == ("eui.0025385b71b0a1c2", False)


def test_control_characters_of_a_drive_are_escaped(tmp_path):
    drive = told(
        tree(tmp_path, ATA, device__model=b"\x1b[31mEVIL\x07\xff\n", serial=b"\x00A\r\nB\x9b\n")
    )
    assert drive.model == "\\x1b[31mEVIL\\x07\\xff"
    assert drive.serial == "A\\r\\nB\\x9b"


def test_sizes_that_are_no_numbers(tmp_path):
    for text in (b"", b"-5\n", b"1e9\n", b"\xd9\xa1\n"):
        assert told(tree(tmp_path, ATA, size=text)).size == 0


def test_a_partition_is_known_and_has_its_drives_identity(tmp_path):
    whole = tree(tmp_path, ATA, serial=b"S1\n")
    part = tree(tmp_path, ATA + "/sda1", partition=b"1\n", size=b"8\n", dev=b"8:1\n")
    assert part.is_partition
    assert not whole.is_partition
    assert [p.name for p in linux.node(whole.folder).parts] == ["sda1"]
    drive = told(part)
    assert (drive.serial, drive.size) == ("S1", 4096)


def test_what_is_built_on_a_part_holds_the_whole(tmp_path):
    whole = tree(tmp_path, ATA)
    tree(tmp_path, ATA + "/sda1", partition=b"1\n", dev=b"8:1\n", **{"holders__dm-0": b""})
    assert "dm-0" in linux.users(linux.node(whole.folder))


@pytest.mark.root
@pytest.mark.skipif(
    not ROOT or not shutil.which("mkfs.ext4"), reason="needs root, loop devices and mkfs.ext4"
)
class TestInUse:
    def test_mounted_is_refused(self, tmp_path):
        backing, point = tmp_path / "b.img", tmp_path / "a point"
        with backing.open("wb") as file:
            file.truncate(8 << 20)
        point.mkdir()
        subprocess.run(["mkfs.ext4", "-q", str(backing)], check=True)
        with loop_device(backing) as name:
            subprocess.run(["mount", name, str(point)], check=True)
            try:
                assert probe.probe(name).held_by == (str(point),)
                with pytest.raises(Refused, match="a point"):
                    claim(probe.probe(name))
            finally:
                subprocess.run(["umount", str(point)], check=True)
            claim(probe.probe(name)).close()

    def test_read_only_is_refused(self, tmp_path):
        backing = tmp_path / "b.img"
        backing.write_bytes(bytes(1 << 20))
        with loop_device(backing) as name:
            subprocess.run(["blockdev", "--setro", name], check=True)
            with pytest.raises(Refused, match="read-only"):
                claim(probe.probe(name))
            subprocess.run(["blockdev", "--setrw", name], check=True)


def test_the_locate_lights_of_a_drive_are_those_of_its_own_slots(tmp_path, monkeypatch):
    mine, other = tmp_path / "pci/target1/0:0:1:0", tmp_path / "pci/target2/0:0:2:0"
    for device in (mine, other):
        device.mkdir(parents=True)
    disk = tmp_path / "block" / "sdx"
    disk.mkdir(parents=True)
    (disk / "device").symlink_to(mine)
    for name, device in (("Slot 01", mine), ("Slot 02", other)):
        slot = tmp_path / "enclosure" / "0:0:9:0" / name
        slot.mkdir(parents=True)
        (slot / "device").symlink_to(device)
        (slot / "locate").write_text("0\n")
    monkeypatch.setattr(linux, "node_of", lambda _: linux.node(disk))
    lights = linux.locate_lights(0, tmp_path / "enclosure")
    assert [light.parent.name for light in lights] == ["Slot 01"]
    assert linux.locate_lights(0, tmp_path / "nothing") == ()

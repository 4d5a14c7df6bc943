"""What fails under an assessment: the medium vanishes or shrinks, the disk is full, a loop device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.lab_drives import loop_device

from hakushi.app import house
from hakushi.app.assess import AssessOptions, assess_source
from hakushi.fleet.here import Inline
from hakushi.model import Verdict

ROOT = os.geteuid() == 0
LIST = "".join(f"氏名 架空　花子{n}\r\n電話 090-1234-{n:04}\r\n" for n in range(400)).encode(
    "cp932"
)


class Meanwhile(Inline):
    """An engine during whose work something happens to the medium, after some units."""

    def __init__(self, after, happens):
        self._after, self._happens = after, happens

    def run(self, look, units):
        for number, piece in enumerate(super().run(look, units)):
            if number == self._after:
                self._happens()
            yield piece

    def close(self):
        pass


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "drive.img"
    with path.open("wb") as file:
        file.truncate(64 << 20)
        file.seek(40 << 20)
        file.write(LIST)
    return path


@pytest.mark.parametrize("size", [0, 20 << 20, (64 << 20) - 512])
def test_a_medium_that_shrinks_is_never_clean(tmp_path, image, monkeypatch, size):
    engine = Meanwhile(2, lambda: os.truncate(image, size))
    monkeypatch.setattr(house, "engine", lambda _name, _jobs: engine)
    told = assess_source(str(image), AssessOptions(), tmp_path / "c.hakushi").summary
    assert told["verdict"] == "inconclusive" if size <= 40 << 20 else told["verdict"] != "clean"
    assert told["damage"] or told["coverage"]["unreadable"]
    assert told["coverage"]["read"] + told["coverage"]["unreadable"] <= 64 << 20


def test_a_medium_that_changes_is_said_to(tmp_path, image, monkeypatch):
    def overwrite():
        with image.open("r+b") as file:
            for at in range(0, 64 << 20, 1 << 20):
                file.seek(at)
                file.write(b"\1" * (1 << 19))

    monkeypatch.setattr(house, "engine", lambda _name, _jobs: Meanwhile(2, overwrite))
    told = assess_source(str(image), AssessOptions(), tmp_path / "c.hakushi").summary
    assert told["verdict"] != "clean"
    assert any("changed" in one["what"] for one in told["damage"])


def test_a_medium_that_vanishes_keeps_its_case_unfinished(tmp_path, image):
    """Workers open the medium themselves; those that come too late find nothing."""
    words = [sys.executable, "-m", "hakushi.cli.main", "assess", str(image), "--jobs", "1"]
    with subprocess.Popen(
        words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        run.stderr.readline()
        image.unlink()
        out, err = run.communicate()
    assert "Traceback" not in err + out
    assert run.returncode in (3, 4)
    assert "CLEAN" not in out


@pytest.mark.skipif(not ROOT, reason="mounting a small file system needs root")
def test_a_full_disk_under_the_case_keeps_its_state(tmp_path, image):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", small], check=True)
    words = [sys.executable, "-m", "hakushi.cli.main", "assess", str(image), "--json", "-"]
    words += ["--case", str(small / "c.hakushi")]
    try:
        full = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert full.returncode in (4, 5), full.stderr
        assert "Traceback" not in full.stderr
        assert full.stdout == ""
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["coverage"]["read"] == 64 << 20


@pytest.mark.skipif(not ROOT or not Path("/dev/loop-control").exists(), reason="needs loop devices")
def test_a_block_device_is_read_past_the_cache_and_not_written(tmp_path, image):
    before = image.stat().st_mtime_ns
    with loop_device(image) as device:
        result = assess_source(device, AssessOptions(jobs=1), tmp_path / "c.hakushi")
    assert result.verdict is Verdict.RESIDUE
    assert result.summary["scope"] == "drive"
    assert result.summary["not_reached"]
    assert result.summary["source"]["locator"].startswith("drive:")
    assert image.stat().st_mtime_ns == before


def test_a_split_raw_image_is_one_medium(tmp_path, image):
    data = image.read_bytes()
    third = 20 << 20
    for number, at in enumerate(range(0, len(data), third)):
        (tmp_path / f"d.{number:03}").write_bytes(data[at : at + third])
    whole = assess_source(str(image), AssessOptions(jobs=1), tmp_path / "a.hakushi").summary
    split = assess_source(
        str(tmp_path / "d.000"), AssessOptions(jobs=1), tmp_path / "b.hakushi"
    ).summary
    for told in (whole, split):
        del told["elapsed_s"]
    assert split == whole

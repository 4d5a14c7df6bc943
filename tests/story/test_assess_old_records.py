"""An old file record anywhere is residue; the records of a new, empty volume are none."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ntfs_volumes import named, record, resident, times

IMAGES = Path(__file__).parent.parent / "images"


def assessed(folder: Path, data: bytes) -> dict[str, object]:
    image = folder / "drive.img"
    image.write_bytes(data)
    words = [sys.executable, "-m", "hakushi.cli.main", "assess", str(image), "--json", "-"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3, 4), done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def listed(folder: Path) -> list[dict[str, object]]:
    words = [sys.executable, "-m", "hakushi.cli.main", "case", "artifacts", "drive.img.hakushi"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def empty_ntfs() -> bytearray:
    return bytearray(gzip.decompress((IMAGES / "empty-ntfs.img.gz").read_bytes()))


def old_record() -> bytes:
    return record(70, times(), named("名簿.csv"), resident(0x80, "山田".encode(), id=1))


@pytest.mark.parametrize("place", ["nowhere", "free", "end", "zeros"])
def test_one_old_record_is_residue(tmp_path: Path, place: str) -> None:
    data = bytearray(2 << 20) if place == "zeros" else empty_ntfs()
    at = {"nowhere": None, "free": data.find(bytes(1 << 16), len(data) // 4), "end": -1}.get(
        place, 512
    )
    if at is not None:
        at = (len(data) // 4096 - 2) * 4096 if at < 0 else -(-at // 4096) * 4096
        data[at : at + 1024] = old_record()
    told = assessed(tmp_path, bytes(data))
    assert told["verdict"] == ("clean" if place == "nowhere" else "residue")
    if place != "nowhere":
        (one,) = (a for a in listed(tmp_path) if a["path"] == "名簿.csv")
        assert one["state"] == "deleted"
        assert one["size"] == len("山田".encode())


def test_a_volume_whose_beginning_is_gone_gives_its_tree(tmp_path: Path) -> None:
    """The boot sector and the table's first records are lost, as to a short overwriting."""
    data = bytearray(gzip.decompress((IMAGES / "ntfs.img.gz").read_bytes()))
    truth = json.loads((IMAGES / "manifest.json").read_text("utf-8"))
    files = truth["images"]["ntfs.img.gz"]["files"]
    data[: 16 << 10] = bytes(16 << 10)
    told = assessed(tmp_path, bytes(data))
    assert told["verdict"] == "residue"
    given = {(a["path"], a["sha256"]) for a in listed(tmp_path)}
    live = {(f["path"], f["sha256"]) for f in files if f["state"] == "live" and f["size"]}
    assert live
    assert live <= given

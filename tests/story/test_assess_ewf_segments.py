"""An E01 image in several segment files, made by the tool that makes most of them."""

import random
import shutil
import subprocess

import pytest

from hakushi.app.assess import AssessOptions, assess_source

MAKER = shutil.which("ewfacquire")
LIST = "".join(f"氏名 架空　花子{n}\r\n電話 090-1234-{n:04}\r\n" for n in range(300)).encode(
    "cp932"
)


@pytest.fixture
def segments(tmp_path):
    raw = tmp_path / "d.raw"
    data = bytearray(random.Random(1).randbytes(4 << 20))
    data[-len(LIST) :] = LIST
    raw.write_bytes(data)
    words = [MAKER, "-u", "-q", "-S", "1MiB", "-c", "none", "-t", str(tmp_path / "d"), str(raw)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return sorted(tmp_path.glob("d.E0*"))


@pytest.mark.skipif(MAKER is None, reason="needs ewfacquire (Debian: ewf-tools)")
def test_all_segments_are_one_medium(tmp_path, segments):
    assert len(segments) > 2
    told = assess_source(str(segments[0]), AssessOptions(jobs=1), tmp_path / "c.hakushi").summary
    assert told["source"] == {**told["source"], "format": "ewf", "size": 4 << 20}
    assert told["damage"] == []
    assert told["findings"]["phone"]["labelled"] == 300


@pytest.mark.skipif(MAKER is None, reason="needs ewfacquire (Debian: ewf-tools)")
def test_a_missing_segment_is_never_clean(tmp_path, segments):
    segments[-1].unlink()
    told = assess_source(str(segments[0]), AssessOptions(jobs=1), tmp_path / "c.hakushi").summary
    assert told["verdict"] == "inconclusive"
    assert told["damage"]
    assert told["coverage"]["unreadable"] > 0

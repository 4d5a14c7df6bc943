"""Bad input: a clear message or damage in the result, no traceback, never ``clean``."""

import json
import os
import random
import signal
import struct
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "hakushi.cli.main"]


def hakushi(*words, cwd, expect=None):
    done = subprocess.run(
        [*COMMAND, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr + done.stdout
    if expect is not None:
        assert done.returncode == expect, done.stderr
    return done


def assessed(image, folder, *words):
    done = hakushi("assess", image, "--json", "-", *words, cwd=folder)
    return done.returncode, json.loads(done.stdout)


LIST = "".join(f"氏名 架空　花子{n}\r\n電話 090-1234-{n:04}\r\n" for n in range(400)).encode(
    "cp932"
)


def written(path, size, *pieces):
    with path.open("wb") as file:
        file.truncate(size)
        for at, data in pieces:
            file.seek(at)
            file.write(data)
    return path


@pytest.mark.parametrize("make", ["missing", "directory", "empty", "fifo"])
def test_what_is_no_drive_is_refused_with_what_to_do(tmp_path, make):
    target = tmp_path / "x.img"
    {
        "missing": lambda: None,
        "directory": target.mkdir,
        "empty": lambda: target.write_bytes(b""),
        "fifo": lambda: os.mkfifo(target),
    }[make]()
    done = hakushi("assess", target, cwd=tmp_path, expect=5)
    assert str(target) in done.stderr
    assert not list(tmp_path.glob("*.hakushi*"))


def test_a_wrong_option_is_a_usage_error(tmp_path):
    hakushi("assess", "x.img", "--no-such-option", cwd=tmp_path, expect=2)


def test_a_partition_past_the_end_is_damage(tmp_path):
    entry = struct.pack("<B3xB3xII", 0x80, 0x07, 2048, 1 << 30)
    mbr = (b"\0" * 446 + entry).ljust(510, b"\0") + b"\x55\xaa"
    code, told = assessed(written(tmp_path / "p.img", 4 << 20, (0, mbr)), tmp_path)
    assert code == 4
    assert told["verdict"] == "inconclusive"
    assert told["damage"]


def test_a_file_system_that_claims_2_to_the_63_bytes_is_never_clean(tmp_path):
    boot = bytearray(512)
    boot[0:11] = b"\xeb\x52\x90NTFS    "
    struct.pack_into("<HB", boot, 11, 512, 8)
    boot[21] = 0xF8
    struct.pack_into("<QQQ", boot, 40, (1 << 63) // 512, 4, 8)
    struct.pack_into("<bxxxbxxx", boot, 64, -10, 1)
    boot[510:512] = b"\x55\xaa"
    code, told = assessed(written(tmp_path / "n.img", 4 << 20, (0, bytes(boot))), tmp_path)
    assert code in (3, 4)
    assert told["verdict"] != "clean"


def test_unreadable_sectors_are_counted_and_never_clean(tmp_path):
    hakushi(
        "simulate",
        "new",
        "bad",
        "--size",
        4 << 20,
        "--fault",
        "bad-sectors=3",
        cwd=tmp_path,
        expect=0,
    )
    code, told = assessed("sim:bad", tmp_path)
    assert code == 4
    assert told["coverage"]["unreadable"] == 3 * 512
    assert told["blocks"]["unread"] == 3 * 512
    assert told["coverage"]["read"] == (4 << 20) - 3 * 512


def test_a_case_of_something_else_is_refused(tmp_path):
    image = written(tmp_path / "a.img", 1 << 20)
    assert assessed(image, tmp_path)[0] == 0
    with image.open("r+b") as file:
        file.write(LIST)
    hakushi("assess", image, cwd=tmp_path, expect=5)
    assert assessed(image, tmp_path, "--fresh")[0] == 3
    hakushi("assess", image, "--no-metadata", cwd=tmp_path, expect=5)


def test_a_file_that_is_no_case_is_neither_read_nor_replaced(tmp_path):
    image = written(tmp_path / "a.img", 1 << 20)
    mine = tmp_path / "precious.txt"
    mine.write_text("mine")
    hakushi("assess", image, "--case", mine, cwd=tmp_path, expect=5)
    hakushi("assess", image, "--case", mine, "--fresh", cwd=tmp_path, expect=5)
    hakushi("case", "purge", mine, cwd=tmp_path, expect=5)
    assert mine.read_text() == "mine"


def test_the_counting_key_goes_with_the_verdict(tmp_path):
    image = written(tmp_path / "a.img", 1 << 20, (4096, LIST))
    assert assessed(image, tmp_path)[0] == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.img", "a.img.hakushi"]
    assert (tmp_path / "a.img.hakushi").stat().st_mode & 0o777 == 0o600
    assert assessed(image, tmp_path, "--fresh", "--keep-key")[0] == 3
    assert (tmp_path / "a.img.hakushi.key").stat().st_mode & 0o777 == 0o600


def big(path):
    """Enough structured bytes that a run can be stopped in the middle."""
    noise = random.Random(5)
    pieces = [(at, LIST + noise.randbytes(3000)) for at in range(1 << 20, 190 << 20, 1 << 20)]
    return written(path, 192 << 20, *pieces)


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_goes_on_and_comes_to_the_same(tmp_path, stop, code):
    image = big(tmp_path / "big.img")
    words = [*COMMAND, "assess", str(image), "--case", "stopped.hakushi"]
    with subprocess.Popen(
        words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as run:
        assert "…" in run.stderr.readline()
        run.send_signal(stop)
        assert "Traceback" not in run.stderr.read()
    assert run.returncode == code
    resumed = assessed(image, tmp_path, "--case", "stopped.hakushi")[1]
    whole = assessed(image, tmp_path, "--case", "whole.hakushi")[1]
    for told in (resumed, whole):
        del told["elapsed_s"]
    assert resumed == whole
    assert whole["verdict"] == "residue"


def test_a_finished_case_answers_at_once_with_the_same(tmp_path):
    image = written(tmp_path / "a.img", 1 << 20, (4096, LIST))
    first = assessed(image, tmp_path)
    assert assessed(image, tmp_path) == first


def test_one_bad_source_among_several_does_not_hide_the_others(tmp_path):
    written(tmp_path / "zero.img", 1 << 20)
    written(tmp_path / "list.img", 1 << 20, (8192, LIST))
    done = hakushi(
        "assess",
        "zero.img",
        "list.img",
        "none.img",
        "--json",
        "-",
        "--case",
        "cases",
        cwd=tmp_path,
        expect=5,
    )
    assert [one["verdict"] for one in json.loads(done.stdout)] == ["clean", "residue"]
    assert (tmp_path / "cases" / "zero.img.hakushi").exists()


def test_messages_come_in_japanese(tmp_path):
    done = hakushi("--lang", "ja", "assess", tmp_path / "x.img", cwd=tmp_path, expect=5)
    assert "がありません" in done.stderr


def test_a_reader_that_goes_away_hears_no_verdict(tmp_path):
    image = written(tmp_path / "list.img", 1 << 20, (4096, LIST))
    hakushi("assess", image, cwd=tmp_path, expect=3)
    gone, out = os.pipe()
    os.close(gone)
    done = subprocess.run(
        [*COMMAND, "assess", str(image)],
        cwd=tmp_path,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(out)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_whose_maker_is_gone_says_nothing():
    """As when a run is killed just as it makes one: no trace of Python's is left on the screen."""
    told = subprocess.run(
        [sys.executable, "-c", ORPHAN], capture_output=True, text=True, timeout=120, check=True
    )
    assert told.stdout == "made\n"
    assert told.stderr == ""


ORPHAN = """
import os
from multiprocessing import forkserver
from hakushi.fleet import here
here.prepare("hakushi.app.ready")
child, maker = forkserver.connect_to_new_process([])
os.close(maker)
os.read(child, 8)  # its process number
os.read(child, 8)  # its end
print("made")
"""

"""Block devices that the kernel believes in and that fail on demand: nbdkit under a loop device."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab_drives import look, loop_device, old_data, survivors

from hakushi.app.dispose import Options, dispose_all
from hakushi.media.probe import probe

SIZE = 8 << 20
TOOLS = ("nbdkit", "nbdfuse", "fusermount3", "losetup")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or bool(MISSING) or not Path("/dev/fuse").exists(),
        reason=f"needs root, /dev/fuse and {', '.join(TOOLS)}; missing: {MISSING}",
    ),
]


@dataclass
class Served:
    name: str
    surface: Path
    server: subprocess.Popen[bytes]


def _until(ready) -> None:
    for _ in range(400):
        if ready():
            return
        time.sleep(0.01)  # another process starts: nothing of ours to wait for
    raise TimeoutError


@contextmanager
def served(folder: Path, *words: str) -> Iterator[Served]:
    """A loop device over ``nbdkit WORDS``, its surface a file full of old data."""
    surface, socket, disk = folder / "surface", folder / "socket", folder / "disk"
    surface.write_bytes(old_data(SIZE))
    disk.touch()
    server = subprocess.Popen(["nbdkit", "-f", "-U", str(socket), *words])
    _until(socket.exists)
    fuse = subprocess.Popen(["nbdfuse", str(disk), "--unix", str(socket)])
    try:
        _until(lambda: disk.stat().st_size == SIZE)
        with loop_device(disk) as name:
            yield Served(name, surface, server)
    finally:
        subprocess.run(["fusermount3", "-uz", str(disk)], check=False, stderr=subprocess.DEVNULL)
        for child in (server, fuse):
            child.terminate()
            child.wait(10)


def dispose(one: Served, folder: Path, say=lambda _: None):
    serial = probe(one.name).serial
    options = Options(
        "nist-800-88r2-clear", erase=frozenset({serial}), evidence=folder / "evidence"
    )
    (done,) = dispose_all([one.name], options, look, say)
    if survivors(one.surface):
        assert done.outcome != "completed"
        assert done.verdict != "clean"
    return done


def test_a_healthy_one_is_completed_and_clean(tmp_path):
    with served(tmp_path, "file", str(tmp_path / "surface")) as one:
        done = dispose(one, tmp_path)
        assert (done.outcome, done.verdict, done.code) == ("completed", "clean", 0)
    assert survivors(tmp_path / "surface") == 0


def test_writes_that_are_dropped_are_seen(tmp_path):
    surface = tmp_path / "surface"
    read = f"dd if={surface} bs=1M skip=$4 count=$3 iflag=skip_bytes,count_bytes status=none"
    words = ["eval", f"get_size=echo {SIZE}", f"pread={read}", "pwrite=cat >/dev/null"]
    with served(tmp_path, *words, "can_write=exit 0", "can_flush=exit 0", "flush=exit 0") as one:
        done = dispose(one, tmp_path)
        assert (done.outcome, done.verdict) == ("failed", "residue")
        assert done.failed.size == SIZE


def test_writes_that_fail_are_listed(tmp_path):
    inject = tmp_path / "inject"
    words = ["--filter=error", "file", str(tmp_path / "surface"), "error=EIO"]
    words += ["error-rate=0", "error-pwrite-rate=100%", f"error-file={inject}"]
    with served(tmp_path, *words) as one:

        def say(step):
            if step.done >= SIZE // 2:
                inject.touch()

        done = dispose(one, tmp_path, say)
        assert done.outcome == "failed"
        assert done.failed


def test_reads_that_fail_leave_it_unknown(tmp_path):
    inject = tmp_path / "inject"
    words = ["--filter=error", "file", str(tmp_path / "surface"), "error=EIO"]
    words += ["error-rate=0", "error-pread-rate=100%", f"error-file={inject}"]
    with served(tmp_path, *words) as one:

        def say(step):
            if step.done == SIZE and "writing" in str(step.phase):
                inject.touch()

        done = dispose(one, tmp_path, say)
        assert (done.outcome, done.verdict) == ("unknown", "inconclusive")


def test_a_power_cut_in_the_middle_is_no_success(tmp_path):
    with served(tmp_path, "file", str(tmp_path / "surface")) as one:

        def say(step):
            if step.done >= SIZE // 2:
                one.server.kill()

        done = dispose(one, tmp_path, say)
        assert done.outcome in {"failed", "unknown"}
        assert done.verdict == "inconclusive"
        assert done.code == 4

"""What tools say about a drive that lies, beside what really survives: one table, one run.

    python bench/lying_drives.py [--json FILE]

Needs root, nbdkit, nbdfuse and loop devices. Each tool gets the same loop device of 16 MiB full of
old data, once honest and once dropping every write; its word (exit code, and what it prints) is
put beside the count of old sectors on the backing file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = 16 << 20
MARK = b"old data of a person "
NWIPE = ["nwipe", "--autonuke", "--nogui", "--nowait", "--noblank", "--rounds=1"]


def tools(name: str, folder: Path) -> dict[str, list[str]]:
    serial = Path(name).name
    hakushi = [sys.executable, "-m", "hakushi.cli.main", "--lang", "en", "dispose", name]
    table = {
        "dd (buffered)": ["dd", "if=/dev/zero", f"of={name}", "bs=1M", "count=16", "conv=fsync"],
        "dd (direct)": ["dd", "if=/dev/zero", f"of={name}", "bs=1M", "count=16", "oflag=direct"],
        "shred -n1 -z": ["shred", "-n", "1", "-z", name],
        "nwipe zero, verify off": [*NWIPE, "--method=zero", "--verify=off", name],
        "nwipe zero, verify last": [*NWIPE, "--method=zero", "--verify=last", name],
        "nwipe prng, verify all": [*NWIPE, "--method=prng", "--verify=all", name],
        "hakushi": [*hakushi, "--policy", "nist-800-88r2-clear", "--erase", serial,
                    "--evidence", str(folder / "evidence")],
    }  # fmt: skip
    return {what: words for what, words in table.items() if shutil.which(words[0])}


def fill(surface: Path) -> None:
    surface.write_bytes(MARK.ljust(512, b".") * (SIZE // 512))


def surviving(surface: Path) -> int:
    data = surface.read_bytes()
    return sum(data.startswith(MARK, at) for at in range(0, SIZE, 512))


@contextmanager
def drive(folder: Path, *, lies: bool) -> Iterator[str]:
    surface, socket, disk = folder / "surface", folder / "socket", folder / "disk"
    fill(surface)
    disk.touch()
    read = f"dd if={surface} bs=1M skip=$4 count=$3 iflag=skip_bytes,count_bytes status=none"
    write = "cat >/dev/null" if lies else (
        f"dd of={surface} bs=1M seek=$4 oflag=seek_bytes conv=notrunc iflag=fullblock status=none"
    )  # fmt: skip
    yes = ["can_write=exit 0", "can_flush=exit 0", "flush=exit 0"]
    words = ["eval", f"get_size=echo {SIZE}", f"pread={read}", f"pwrite={write}", *yes]
    server = subprocess.Popen(["nbdkit", "-f", "-U", str(socket), *words])
    while not socket.exists():
        time.sleep(0.01)
    fuse = subprocess.Popen(["nbdfuse", str(disk), "--unix", str(socket)])
    try:
        while disk.stat().st_size != SIZE:
            time.sleep(0.01)
        name = subprocess.run(
            ["losetup", "--direct-io=on", "--find", "--show", str(disk)],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        try:
            yield name
        finally:
            subprocess.run(["losetup", "--detach", name], check=True)
    finally:
        subprocess.run(["fusermount3", "-uz", str(disk)], check=False)
        for child in (server, fuse):
            child.terminate()
            child.wait(10)


def word(done: subprocess.CompletedProcess[str]) -> str:
    """What the tool says, in a word or two."""
    for text in ("COMPLETED and CLEAN", "FAILED", "| Erased |", "-FAILED-", "UNABLE"):
        if text in done.stdout:
            return text.strip("| -")
    return "success" if done.returncode == 0 else "failure"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    print(f"{'tool':26} {'drive':13} {'says':22} {'exit':>4} {'old sectors left':>17}")
    for lies in (False, True):
        kind = "drops writes" if lies else "honest"
        for what in tools("/dev/loop0", Path()):
            with tempfile.TemporaryDirectory() as folder:
                with drive(Path(folder), lies=lies) as name:
                    words = tools(name, Path(folder))[what]
                    done = subprocess.run(
                        words,
                        capture_output=True,
                        text=True,
                        check=False,
                        cwd=folder,
                        errors="replace",
                    )
                left = surviving(Path(folder) / "surface")
            rows.append(
                {
                    "tool": what,
                    "drive": kind,
                    "says": word(done),
                    "exit": done.returncode,
                    "left": left,
                }
            )
            print(f"{what:26} {kind:13} {word(done):22} {done.returncode:4} {left:17,}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

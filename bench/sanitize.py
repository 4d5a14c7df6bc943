"""How fast overwriting and reading back are, beside dd, shred and nwipe, in one run.

    python bench/sanitize.py [--size MiB] [--json FILE]

Needs root: it makes one loop device over a file in memory (/dev/shm) and works on that alone.
Trust the ratios, not the figures: the "drive" is memory. nwipe is given the better of two rates:
what the clock says, and what it says itself, as its process lives on for seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hakushi.media.device import Device, claim
from hakushi.media.probe import probe
from hakushi.sanitize.fill import Fill, Keystream, Zeros
from hakushi.sanitize.journal import open_journal
from hakushi.sanitize.techniques._sweep import CHUNK, read_back, write

MIB = 1 << 20


def timed(work: Callable[[], float | None]) -> tuple[float, float, float | None]:
    """Wall and CPU seconds, children included, and what the work says of its rate."""

    def cpu() -> float:
        parts = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(p.ru_utime + p.ru_stime for p in parts)

    wall, used = time.monotonic(), cpu()
    told = work()
    return time.monotonic() - wall, cpu() - used, told


def ours(device: Device, fill: Fill, folder: Path) -> list[tuple[str, Callable[[], float | None]]]:
    def writing() -> None:
        journal = open_journal(folder, probe(device.path), fill.name, "bench", 0.0)  # type: ignore[attr-defined]
        for _ in write(device, journal, 0, fill):
            pass
        journal.ended("bench")

    def reading() -> None:
        with closing(device.reopen()) as reader:
            work = read_back(reader, device.unit, fill)
            while True:
                try:
                    next(work)
                except StopIteration as end:
                    if end.value.differing or end.value.unreadable:
                        raise SystemExit("the read-back differs: no figure") from None
                    return

    return [(f"hakushi {fill.name}: write", writing), (f"hakushi {fill.name}: verify", reading)]


def run(words: list[str], folder: str) -> float | None:
    """Runs a tool; gives the rate that it tells of itself, if it does, in GB/s."""
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder)
    if words[0] != "nwipe":
        return None
    told = re.search(r"\| Erased \|\s*([\d.]+) ([MG])B/s", done.stdout)
    if told is None:
        # It exits 0 after printing its usage, too.
        raise SystemExit(f"nwipe did nothing: {done.stdout[:400]}")
    return float(told[1]) / (1000 if told[2] == "M" else 1)


def _help(tool: str) -> str:
    if not shutil.which(tool):
        return ""
    return subprocess.run([tool, "--help"], check=False, capture_output=True, text=True).stdout


def others(name: str, mib: int) -> list[tuple[str, list[str]]]:
    table = [
        (
            "dd zero, direct",
            ["dd", "if=/dev/zero", f"of={name}", "bs=4M", "oflag=direct", f"count={mib // 4}"],
        ),
        ("dd read, direct", ["dd", f"if={name}", "of=/dev/null", "bs=4M", "iflag=direct"]),
        ("shred -n0 -z (zero)", ["shred", "-n", "0", "-z", name]),
        ("shred -n1 (random)", ["shred", "-n", "1", name]),
    ]
    nwipe = ["nwipe", "--autonuke", "--nogui", "--nowait", "--noblank", "--rounds=1"]
    nwipe += ["-P", "noPDF"] if "PDF" in _help("nwipe") else []
    for method, verify in (("zero", "off"), ("prng", "off"), ("prng", "last")):
        table.append(
            (
                f"nwipe {method}, verify {verify}",
                [*nwipe, f"--method={method}", f"--verify={verify}", name],
            )
        )
    return [(what, words) for what, words in table if shutil.which(words[0])]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1024, help="MiB")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[dict[str, object]] = []

    def row(what: str, work: Callable[[], float | None]) -> None:
        gb = args.size * MIB / 1e9
        wall, cpu, told = timed(work)
        wall = min(wall, gb / told) if told else wall
        rows.append({"what": what, "gb_s": round(gb / wall, 2), "cpu_s_gb": round(cpu / gb, 2)})
        print(f"{what:34} {gb / wall:6.2f} GB/s {cpu / gb:6.2f} CPU s/GB", flush=True)

    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        backing = Path(folder) / "drive"
        backing.write_bytes(b"")
        with backing.open("r+b") as file:
            for _ in range(args.size):
                file.write(bytes(range(256)) * 4096)
        name = subprocess.run(
            ["losetup", "--direct-io=on", "--find", "--show", str(backing)],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        try:
            for what, words in others(name, args.size):
                row(what, lambda words=words: run(words, folder))
            with closing(claim(probe(name))) as device:
                for fill in (Keystream(b"k" * 32, CHUNK), Zeros(CHUNK)):
                    for what, work in ours(device, fill, Path(folder) / "journal"):
                        row(what, work)
        finally:
            subprocess.run(["losetup", "--detach", name], check=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())

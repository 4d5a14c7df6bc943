"""How near to its own speed each of many slow drives is erased, all at once.

    python bench/many_drives.py [--drives 16] [--size MiB] [--rate MB/s] [--json FILE]

Needs root and the blkio controller of cgroup version 1. Each drive is a loop device in memory that
the kernel slows down to the same rate, for reading and for writing. The figure is what each pass
made of that rate; the slowest drive counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hakushi.app.dispose import Options, dispose_all
from hakushi.model import Verdict

GROUP = Path("/sys/fs/cgroup/blkio/hakushi-bench")
MIB = 1 << 20


@contextmanager
def loop(folder: str, number: int, size: int) -> Iterator[str]:
    backing = Path(folder) / f"drive{number}"
    with backing.open("wb") as file:
        for _ in range(size // MIB):
            file.write(b"old" * (MIB // 3) + b".")
    words = ["losetup", "--direct-io=on", "--find", "--show", str(backing)]
    name = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield name
    finally:
        subprocess.run(["losetup", "--detach", name], check=True)


@contextmanager
def slowed(names: list[str], rate: int) -> Iterator[None]:
    GROUP.mkdir()
    home = Path("/sys/fs/cgroup/blkio/cgroup.procs")
    try:
        for name in names:
            number = Path(f"/sys/block/{Path(name).name}/dev").read_text().strip()
            for what in ("read", "write"):
                file = GROUP / f"blkio.throttle.{what}_bps_device"
                file.write_text(f"{number} {rate}")
        (GROUP / "cgroup.procs").write_text(str(os.getpid()))
        yield
    finally:
        home.write_text(str(os.getpid()))
        GROUP.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--drives", type=int, default=16)
    parser.add_argument("--size", type=int, default=512, help="MiB")
    parser.add_argument("--rate", type=int, default=50, help="MB/s")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rate = args.rate * 1_000_000
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, ExitStack() as stack:
        names = [stack.enter_context(loop(folder, n, args.size * MIB)) for n in range(args.drives)]
        stack.enter_context(slowed(names, rate))
        options = Options(
            "nist-800-88r2-clear",
            erase=frozenset(Path(name).name for name in names),
            evidence=Path(folder) / "evidence",
        )
        began, cpu = time.monotonic(), time.process_time()
        done = dispose_all(names, options, lambda *_: (Verdict.CLEAN, {}), lambda _: None)
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
        rows = []
        for one in done:
            if one.outcome != "completed" or one.evidence is None:
                raise SystemExit(f"{one.name}: {one.outcome}: no figure")
            for made in json.loads(one.evidence.read_text())["passes"]:
                for what in ("write_s", "read_s"):
                    share = args.size * MIB / made[what] / rate
                    rows.append(
                        {"drive": one.name, "pass": f"{made['fill']} {what[:-2]}", "share": share}
                    )
    for what in dict.fromkeys(row["pass"] for row in rows):
        shares = [row["share"] for row in rows if row["pass"] == what]
        mean = sum(shares) / len(shares)
        print(f"{what:18} slowest {min(shares):6.1%}, mean {mean:6.1%} of {args.rate} MB/s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{args.drives} drives: {wall:.1f} s, {cpu / wall:.2f} cores, {memory:.0f} MiB")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

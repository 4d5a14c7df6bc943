"""What tools say of a drive whose firmware lies, beside what survives: one table, one run.

    python -m bench.lying_firmware [--json FILE]

Needs root, gcc, loop devices, and hdparm, sg3-utils and nvme-cli where they are to be compared.
Each row is a fresh virtual drive full of old data. Other tools see its firmware through
`ioctl_shim.c` and its surface as a loop device; hakushi sees the same drive as ``sim:``. Waiting
costs nothing; what takes longer than 30 seconds all the same is killed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.lab_drives import survivors, virtual

from hakushi.media import simulated
from hakushi.media.commands import Ata, Nvme, Scsi
from hakushi.media.firmware import Firmware

HERE = Path(__file__).resolve().parent
SIZE = 8 << 20
PATIENCE = 30
REQUEST, REPLY = struct.Struct("<4I"), struct.Struct("<4I")

FAULTS: tuple[tuple[str, dict[str, int | None]], ...] = (
    ("honest", {}),
    ("says success, does nothing", {"says-success": None}),
    ("keeps its key", {"keeps-key": None}),
    ("stuck at 40 %", {"stuck": 40}),
    ("frozen", {"frozen": None}),
)

HDPARM = "--yes-i-know-what-i-am-doing"
TOOLS: dict[str, tuple[str, str, list[list[str]]]] = {
    "hdparm, security erase": ("ata", "ata-security-erase", [
        ["hdparm", "--user-master", "u", "--security-set-pass", "p", "DEV"],
        ["hdparm", "--user-master", "u", "--security-erase", "p", "DEV"],
    ]),
    "hdparm, sanitize block erase": ("ata", "ata-sanitize-block", [
        ["hdparm", HDPARM, "--sanitize-block-erase", "DEV"],
        *[["hdparm", "--sanitize-status", "DEV"]] * 5,
    ]),
    "hdparm, sanitize crypto scramble": ("ata", "ata-sanitize-crypto", [
        ["hdparm", HDPARM, "--sanitize-crypto-scramble", "DEV"],
        *[["hdparm", "--sanitize-status", "DEV"]] * 5,
    ]),
    "sg_sanitize, block erase": ("scsi", "scsi-sanitize-block", [
        ["sg_sanitize", "--block", "--quick", "DEV"],
    ]),
    "sg_sanitize, crypto erase": ("scsi", "scsi-sanitize-crypto", [
        ["sg_sanitize", "--crypto", "--quick", "DEV"],
    ]),
    "nvme format, user data erase": ("nvme", "nvme-format-user", [
        ["nvme", "format", "DEV", "--namespace-id=1", "--ses=1", "--force"],
    ]),
    "nvme format, crypto erase": ("nvme", "nvme-format-crypto", [
        ["nvme", "format", "DEV", "--namespace-id=1", "--ses=2", "--force"],
    ]),
    "nvme sanitize, block erase": ("nvme", "nvme-sanitize-block", [
        ["nvme", "sanitize", "DEV", "--sanact=start-block-erase"],
        *[["nvme", "sanitize-log", "DEV"]] * 5,
    ]),
}  # fmt: skip


Answer = tuple[int, bytes, bytes, int]
"""Status, sense, data, result."""


class Handler(socketserver.StreamRequestHandler):
    """One ioctl: from the shim to the virtual drive and back."""

    def handle(self) -> None:
        kind, words, out, wants = REQUEST.unpack(self.rfile.read(REQUEST.size))
        given, data = self.rfile.read(words), self.rfile.read(out)
        firmware = self.server.firmware  # type: ignore[attr-defined]
        try:
            ask = self.nvme if kind else self.scsi
            status, sense, back, result = ask(firmware, given, data, wants)
        except OSError:
            status, sense, back, result = 2, bytes([0x70, 0, 0x0B, *bytes(15)]), b"", 0
        back = back[:wants]
        with suppress(BrokenPipeError):  # a tool that was killed
            self.wfile.write(REPLY.pack(status, len(sense), len(back), result) + sense + back)

    @staticmethod
    def nvme(firmware: Firmware, given: bytes, data: bytes, wants: int) -> Answer:
        (opcode,), (nsid,) = struct.unpack_from("<B", given), struct.unpack_from("<I", given, 4)
        cdw10, cdw11 = struct.unpack_from("<II", given, 40)
        reply = firmware.nvme(Nvme(opcode, nsid, cdw10, cdw11, data, wants))
        return reply.status, b"", reply.data, reply.result

    @staticmethod
    def scsi(firmware: Firmware, cdb: bytes, data: bytes, wants: int) -> Answer:
        if cdb[0] not in (0x85, 0xA1):
            if cdb[0] == 0x12 and firmware._bus == "ata":
                return (
                    0,
                    b"",
                    bytes([0, 0, 6, 2, 91]).ljust(8, b"\0") + b"ATA     simulated".ljust(88),
                    0,
                )
            reply = firmware.scsi(Scsi(cdb, data, wants))
            return reply.status, reply.sense, reply.data, 0
        if cdb[0] == 0x85:
            feature, count, command = cdb[3] << 8 | cdb[4], cdb[5] << 8 | cdb[6], cdb[14]
            lba = int.from_bytes(
                bytes([cdb[8], cdb[10], cdb[12], cdb[7], cdb[9], cdb[11]]), "little"
            )
        else:
            feature, count, command = cdb[3], cdb[4], cdb[9]
            lba = int.from_bytes(cdb[5:8], "little")
        told = firmware.ata(Ata(command, feature, count, lba, data, wants))
        at = told.lba.to_bytes(6, "little")
        sense = bytes([0x72, 1 if told.ok else 0x0B, 0, 0x1D if told.ok else 0, 0, 0, 0, 14])
        sense += bytes([9, 12, 1, told.error, told.count >> 8 & 0xFF, told.count & 0xFF])
        sense += bytes([at[3], at[0], at[4], at[1], at[5], at[2], 0x40, told.status])
        return (2 if cdb[2] & 0x20 or not told.ok else 0), sense, told.data, 0


def built(folder: Path) -> Path:
    """The shim, compiled."""
    shim = folder / "shim.so"
    source = str(HERE / "ioctl_shim.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(shim), source, "-ldl"], check=True)
    return shim


def made(folder: Path, bus: str, faults: dict[str, int | None]) -> Path:
    """A virtual drive full of old data."""
    virtual(folder / "d", SIZE, bus, **faults)
    return folder / "d"


def remaining(drive: Path) -> int:
    """Old sectors on its surface as it really is."""
    return survivors(simulated.surface(drive))


@contextmanager
def shimmed(drive: Path, folder: Path, shim: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A loop device over the surface, and what makes a tool see the firmware behind it."""

    class Server(socketserver.ThreadingUnixStreamServer):
        firmware = simulated.Simulated(drive).commands()

    socket = folder / "socket"
    words = ["losetup", "--direct-io=on", "--find", "--show", str(simulated.surface(drive))]
    name = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    try:
        with Server(str(socket), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield name, {**os.environ, "LD_PRELOAD": str(shim), "SHIM_DEVICE": name,
                         "SHIM_SOCKET": str(socket)}  # fmt: skip
            server.shutdown()
    finally:
        subprocess.run(["losetup", "--detach", name], check=True)


def theirs(commands: list[list[str]], name: str, env: dict[str, str]) -> str:
    """What the tool makes of it, in its exit codes and the words that it prints about the end."""
    said, code = "", 0
    for words in commands:
        try:
            done = subprocess.run(
                [name if word == "DEV" else word for word in words],
                capture_output=True, text=True, env=env, timeout=PATIENCE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "waits for ever"
        code = max(code, done.returncode)
        said = done.stdout + done.stderr
    for text, word in (
        ("SD2", "in progress"), ("(SSTAT) :  0x2", "in progress"),
        ("Completed Without Error", "completed without error"),
        ("Completed Successfully", "completed"), ("Success formatting", "success"),
    ):  # fmt: skip
        if text.lower() in said.lower():
            return f"{word}, exit {code}"
    return f"{'success' if code == 0 else 'failure'}, exit {code}"


POLICY = """standard = "a bench's"
method = "clear"
techniques = ["{technique}"]
zeros_after = true
power_cycle = "if-possible"
operators = 0
title = {{ en = "a bench's" }}
why = {{ en = "a bench's" }}
"""


def ours(drive: Path, technique: str, folder: Path) -> str:
    (folder / "p.toml").write_text(POLICY.format(technique=technique))
    words = [sys.executable, "-m", "hakushi.cli.main", "--lang", "en", "dispose", f"sim:{drive}"]
    words += [
        "--policy",
        str(folder / "p.toml"),
        "--erase",
        "V1",
        "--evidence",
        str(folder / "e"),
    ]
    done = subprocess.run([*words, "--json", "-"], capture_output=True, text=True, check=False)
    (told,) = json.loads(done.stdout)["drives"]
    return f"{told['outcome']}, {told['verdict'] or 'not read'}, exit {done.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        shim = built(Path(folder))
        for what, (bus, technique, commands) in TOOLS.items():
            if not shutil.which(commands[0][0]):
                continue
            for kind, faults in FAULTS:
                with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
                    drive = made(Path(one), bus, faults)
                    with shimmed(drive, Path(one), shim) as (name, env):
                        said = theirs(commands, name, env)
                    left = remaining(drive)
                    again = made(Path(two), bus, faults)
                    us = ours(again, technique, Path(two))
                    row = {"tool": what, "drive": kind, "says": said, "left": left,
                           "hakushi": us, "hakushi_left": remaining(again)}  # fmt: skip
                rows.append(row)
                print(
                    f"{what:34} {kind:28} {said:34} {left:7,}   {us:42} {row['hakushi_left']:7,}",
                    flush=True,
                )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

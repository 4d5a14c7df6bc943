"""``assess --second-opinion``: another program is asked; where it cannot be, that is told."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tests.format_samples import picture


def tune() -> bytes:
    """A MIDI file: PhotoRec knows it, we do not."""
    events = b"".join(b"\x10\x90" + bytes([40 + n % 40, 64]) for n in range(900))
    track = events + b"\0\xff\x2f\0"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96)
    return head + b"MTrk" + struct.pack(">I", len(track)) + track


def medium(path: Path, *files: bytes) -> Path:
    body = bytes(1 << 20)
    for data in files:
        body += data + bytes(-len(data) % 4096) + bytes(1 << 16)
    path.write_bytes(body + bytes(-len(body) % (1 << 20)))
    return path


def hakushi(*words: str, path: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hakushi.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert "Traceback" not in done.stderr
    return done


def assess(image: Path, tool: str, path: str = os.environ["PATH"]) -> tuple[int, dict]:
    case = str(image.with_suffix(".hakushi"))
    words = ["assess", str(image), "--case", case, "--jobs", "1", "--second-opinion", tool]
    done = hakushi(*words, "--json", "-", path=path)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}


def artifacts(image: Path) -> list[dict]:
    done = hakushi("case", "artifacts", str(image.with_suffix(".hakushi")), path=os.environ["PATH"])
    return [json.loads(line) for line in done.stdout.splitlines()]


def program(folder: Path, body: str) -> str:
    """A search path on which a program of that name stands first."""
    path = folder / "photorec"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return f"{folder}:/bin:/usr/bin"


@pytest.mark.skipif(not shutil.which("photorec"), reason="photorec is missing (testdisk)")
def test_what_another_program_alone_found_is_added_and_marked(tmp_path: Path) -> None:
    image = medium(tmp_path / "a.img", picture("PNG"), tune())
    code, told = assess(image, "photorec")
    assert code == 3
    assert told["second_opinion"] == {"tool": "photorec", "alone": 1}
    found = {row["locator"].split("/")[1].split(":")[0]: row for row in artifacts(image)}
    assert set(found) == {"carve", "second-opinion"}
    other = found["second-opinion"]
    assert (other["kind"], other["state"], other["complete"]) == ("mid", "carved", False)
    assert other["sha256"] == hashlib.sha256(tune()).hexdigest()
    assert not list(tmp_path.glob(".second-opinion*"))


def test_a_program_that_is_missing_keeps_a_drive_from_being_clean(tmp_path: Path) -> None:
    code, told = assess(medium(tmp_path / "b.img"), "photorec", str(tmp_path))
    assert (code, told["verdict"]) == (4, "inconclusive")
    assert any("not installed" in one["what"] for one in told["damage"])


def test_a_program_that_fails_keeps_a_drive_from_being_clean(tmp_path: Path) -> None:
    path = program(tmp_path, "exit 3")
    code, told = assess(medium(tmp_path / "c.img"), "photorec", path)
    assert (code, told["verdict"]) == (4, "inconclusive")
    assert any("ended with 3" in one["what"] for one in told["damage"])


def test_a_report_that_lies_stays_inside_the_medium(tmp_path: Path) -> None:
    """Offsets past the end, sizes of any kind, names with paths."""
    image = medium(tmp_path / "d.img")
    size = image.stat().st_size
    one = "<fileobject><filename>../../x.{n}</filename><filesize>{s}</filesize><byte_runs>{r}</byte_runs></fileobject>"
    run = "<byte_run offset='0' img_offset='{at}' len='{length}'/>"
    rows = [
        one.format(n="jpg", s=10**18, r=run.format(at=size - 512, length=10**15)),
        one.format(n="../a", s="-5", r=run.format(at=0, length=512)),
        one.format(n="doc", s=512, r=run.format(at=size, length=512)),
        one.format(n="doc", s=512, r=run.format(at="9" * 40, length="x")),
        "<fileobject><filename>cut",
    ]
    (tmp_path / "report").write_text("<dfxml>" + "".join(rows))
    path = program(tmp_path, f'mkdir "$2.1" && cp "{tmp_path}/report" "$2.1/report.xml"')
    _, told = assess(image, "photorec", path)
    assert told["second_opinion"]["alone"] == 1
    assert [row["size"] for row in artifacts(image)] == [512]


def test_a_program_that_we_do_not_know_is_refused(tmp_path: Path) -> None:
    assert assess(medium(tmp_path / "e.img"), "rm")[0] == 5

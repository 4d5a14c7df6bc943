"""A further part is added once, whole or not at all, and only to an environment of ours."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
from hakushi.app import extras, words
from hakushi.model import Refused, message
words.set_language("en")
extras._LOCKS = Path(sys.argv[1])
extras.EXTRAS["tiny"] = extras.Extra("tiny", message("a tiny part"), ("tiny",), 1, 2)
said = []
try:
    extras.need("tiny", lambda one: said.append(str(one)))
    import tiny
    print(json.dumps({"said": said, "version": tiny.VERSION}))
except Refused as error:
    print(json.dumps({"said": said, "refused": str(error)}))
"""


def lock(folder: Path, version: str, digest: str | None = None) -> None:
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("tiny.py", f"VERSION = {version!r}\n")
        made.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
        )
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/RECORD", "")
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "tiny.lock").write_text(f"tiny @ {path.as_uri()} --hash=sha256:{digest}\n")


class Bench:
    """An environment as the launcher makes them, and a folder of locks."""

    def __init__(self, root: Path) -> None:
        self.venv, self.locks = root / "venv", root / "requirements"
        self.locks.mkdir(parents=True)
        subprocess.run([sys.executable, "-I", "-m", "venv", self.venv], check=True)
        (self.venv / "made-from.lock").touch()

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.venv / "bin" / "python", "-c", PROGRAM, self.locks],
            env={**os.environ, "PYTHONPATH": str(HERE / "src"), "PYTHONSAFEPATH": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self) -> dict:
        out, _ = self.start().communicate(timeout=120)
        return json.loads(out)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def test_the_life_of_a_part(bench):
    lock(bench.locks, "1.0", digest="0" * 64)
    wrong = bench.run()
    assert "could not be added" in wrong["refused"]

    lock(bench.locks, "1.0")
    two = [bench.start(), bench.start()]
    results = [json.loads(one.communicate(timeout=120)[0]) for one in two]
    assert [one["version"] for one in results] == ["1.0", "1.0"]
    assert any(
        "a tiny part (about 1 MB to fetch, 2 MB on disk)" in s for r in results for s in r["said"]
    )

    assert bench.run() == {"said": [], "version": "1.0"}
    assert sorted(p.name for p in (bench.venv / "extras").iterdir()) == ["tiny", "tiny.lock"]

    lock(bench.locks, "2.0")
    assert bench.run()["version"] == "2.0", "an old part is replaced where the lock has changed"


def test_an_environment_that_is_not_ours_is_left_alone(bench):
    marker = bench.venv / "made-from.lock"
    extras = bench.venv / "extras"
    pth = next(bench.venv.glob("lib/*/site-packages/hakushi-tiny.pth"), None)
    if pth is not None:
        pth.unlink()
    before = sorted(extras.iterdir()) if extras.exists() else []
    marker.unlink()
    try:
        told = bench.run()
    finally:
        marker.touch()
    assert "pip install 'hakushi[tiny]'" in told["refused"]
    assert (sorted(extras.iterdir()) if extras.exists() else []) == before

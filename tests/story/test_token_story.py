"""A key that stays in a token (SoftHSM) signs logs, events and certificates as any other."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hakushi.cli.main import main

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    if not MODULE.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("HAKUSHI_PIN", "5678")
    words = ("--init-token", "--free", "--label", "bench", "--so-pin", "1234", "--pin", "5678")
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(["--lang", "en", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def new(run, name: str) -> tuple[int, str, str]:
    return run("key", "new", name, "--module", str(MODULE), "--token", "bench")


def test_a_log_is_signed_by_a_token(run, monkeypatch):
    """One test: a process loads a module once, and it keeps the folder of its tokens."""
    code, vkey, err = new(run, "bench")
    assert code == 0
    assert "stays in the token" in err
    held = Path("settings/hakushi/keys/bench.key")
    assert held.stat().st_mode & 0o077 == 0
    assert "PRIVATE" not in held.read_text()
    assert run("key", "show", "bench")[1] == vkey
    assert run("log", "init", "log", "--key", "bench")[0] == 0
    words = ("party=bench", "role=owner", f"key={vkey.strip()}")
    assert run("record", "key_added", *words, "--as", "bench")[0] == 0
    assert run("record", "registered", "--drive", "S1", "--as", "bench")[0] == 0
    assert run("log", "check")[0] == 0
    assert run("chain", "S1")[0] == 0
    monkeypatch.setenv("HAKUSHI_PIN", "0000")
    code, _, err = run("record", "retired", "--drive", "S1", "--as", "bench")
    assert code == 5
    assert "says no: PinIncorrect" in err
    monkeypatch.setenv("HAKUSHI_PIN", "5678")
    code, _, err = new(run, "bench2")
    assert code == 0
    Path("settings/hakushi/keys/bench.key").unlink()
    code, _, err = new(run, "bench")
    assert code == 5
    assert "has a key bench already" in err
    monkeypatch.delenv("HAKUSHI_PIN")
    assert run("record", "retired", "--drive", "S1", "--as", "bench2")[0] == 5

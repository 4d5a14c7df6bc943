"""`dispose` and `assess` tell a log what they did, before and after they did it."""

import json
import os
from pathlib import Path

import pytest

from hakushi.cli.main import main
from hakushi.media import simulated

SIZE = 4 << 20


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("HAKUSHI_LOG", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(["--lang", "en", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture
def log(run):
    run("log", "init", "log")
    _, key, _ = run("key", "new", "bench")
    words = ("party=bench", "role=contractor", f"key={key.strip()}")
    assert run("record", "key_added", *words, "--as", "log.key")[0] == 0
    return Path("log")


def drive(serial: str = "S1", **faults: int | None) -> str:
    simulated.create(Path(serial), SIZE, "ata", serial, None, faults)
    return f"sim:{serial}"


def dispose(run, name: str, *words: str) -> tuple[int, str, str]:
    policy = ("--policy", "nist-800-88r2-clear", "--erase", name.removeprefix("sim:"))
    return run("dispose", name, *policy, *words)


def story(run, serial: str) -> list[tuple[str, str | None]]:
    _, out, _ = run("chain", serial, "--json")
    return [(step["type"], step["state"]) for step in json.loads(out)["steps"]]


def test_a_disposal_is_planned_done_and_looked_at_in_the_log(run, log):
    code, out, _ = dispose(run, drive(), "--as", "bench", "--operator", "Yamada Taro")
    assert code == 0
    assert "Recorded in the log: 2, 3." in out
    assert [kind for kind, _ in story(run, "S1")] == ["sanitize_planned", "sanitized", "assessed"]
    _, told, _ = run("chain", "S1", "--json")
    chain = json.loads(told)
    assert (chain["outcome"], chain["verdict"]) == ("completed", "clean")
    held = b"".join(path.read_bytes() for path in log.rglob("*") if path.is_file())
    assert b"Yamada" not in held
    assert run("log", "check")[0] == 0


def test_a_lie_is_in_the_log_as_one(run, log):
    assert dispose(run, drive(**{"drops-writes": None}), "--as", "bench")[0] != 0
    _, told, _ = run("chain", "S1", "--json")
    assert json.loads(told)["outcome"] == "failed"


def test_what_the_log_does_not_take_is_not_done(run, log):
    name = drive()
    before = simulated.surface(Path("S1")).read_bytes()
    next(log.glob("tile/entries/**/*.p/*")).unlink()
    code, out, err = dispose(run, name, "--as", "bench")
    assert code == 5
    assert "damaged" in out + err
    assert simulated.surface(Path("S1")).read_bytes() == before


def test_what_cannot_be_recorded_afterwards_does_not_count_as_done(run, log, monkeypatch):
    from hakushi.app.recording import Recording

    def full(*_words: object) -> tuple[int, ...]:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Recording, "sanitized", full)
    code, out, _ = dispose(run, drive(), "--as", "bench")
    assert code == 4
    assert "The log does not tell of it: No space left on device." in out


def test_an_assessment_of_an_image_needs_the_drives_serial(run, log):
    Path("image.raw").write_bytes(bytes(SIZE))
    code, _, err = run("assess", "image.raw", "--as", "bench")
    assert code == 5
    assert "--drive" in err
    code, _, err = run("assess", "image.raw", "--as", "bench", "--drive", "S9")
    assert code == 0
    assert "Recorded in the log: 1." in err
    assert [kind for kind, _ in story(run, "S9")] == ["assessed"]


def test_a_log_without_a_key_is_refused(run, log):
    assert run("assess", drive(), "--log", "log")[0] == 5


def test_one_person_has_one_commitment(run, log):
    """So that nobody accepts their own work without the chain saying so."""
    name = drive()
    dispose(run, name, "--as", "bench", "--operator", "Yamada Taro")
    _, key, _ = run("key", "new", "audit")
    words = ("party=audit", "role=auditor", f"key={key.strip()}")
    run("record", "key_added", *words, "--as", "log.key")
    accepted = ("--drive", "S1", "accepted=yes")
    run("record", "validated", *accepted, "person=Yamada  Taro", "--as", "audit")
    _, told, _ = run("chain", "S1", "--json")
    assert "same-person" in [one["rule"] for one in json.loads(told)["breaks"]]

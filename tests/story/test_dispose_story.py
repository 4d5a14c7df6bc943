"""From the command line: make drives, plan, refuse, erase, and what is said of one that lies."""

from __future__ import annotations

import json

import pytest
from tests.lab_drives import old_data, survivors

from hakushi.cli.main import main

POLICY = ["--policy", "nist-800-88r2-clear"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder: (exit code, standard output)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROGRESS", "1")

    def call(*words: str) -> tuple[int, str]:
        code = main(["--lang", "en", *words])
        return code, capsys.readouterr().out

    return call


def test_an_honest_and_a_lying_drive(run, tmp_path):
    (tmp_path / "old.img").write_bytes(old_data(64 << 10))
    for name, fault in (("honest", []), ("liar", ["--fault", "drops-writes"])):
        words = ["--size", "4MiB", "--content", "old.img", "--serial", name.upper(), *fault]
        code, told = run("simulate", "new", name, *words)
        assert code == 0
        assert name.upper() in told

    code, told = run("drive", "show", "sim:honest", "--json")
    assert code == 0
    assert json.loads(told)["size"] == 4 << 20

    drives = ["sim:honest", "sim:liar"]
    code, told = run("dispose", *drives, *POLICY, "--plan")
    assert code == 0
    assert "HONEST: overwrite" in told
    code, told = run("dispose", *drives, *POLICY)
    assert code == 5
    assert told.count("REFUSED") == 2

    words = ["--erase", "HONEST", "--erase", "LIAR", "--json", "-"]
    code, told = run("dispose", *drives, *POLICY, *words)
    assert code == 4
    honest, liar = json.loads(told)["drives"]
    assert (honest["outcome"], honest["verdict"]) == ("completed", "clean")
    assert (liar["outcome"], liar["verdict"]) == ("failed", "residue")
    assert liar["extents_failed"] == [{"offset": 0, "length": 4 << 20}]

    code, raw = run("simulate", "raw", "honest")
    assert survivors(tmp_path / raw.strip()) == 0
    code, raw = run("simulate", "raw", "liar")
    assert survivors(tmp_path / raw.strip()) == (64 << 10) // 512
    evidence = json.loads((tmp_path / honest["evidence"]).read_text())
    assert evidence["assessment"]["schema"] == "hakushi.assessment/1"


def test_a_hidden_area_is_never_clean(run, tmp_path):
    (tmp_path / "old.img").write_bytes(old_data(1 << 20))
    words = "simulate new d --bus scsi --size 1MiB --content old.img --serial D --fault hides=4096"
    run(*words.split())
    code, told = run("dispose", "sim:d", *POLICY, "--erase", "D", "--json", "-")
    assert code == 4
    (one,) = json.loads(told)["drives"]
    assert (one["outcome"], one["verdict"]) == ("failed", "inconclusive")


def test_policies_and_faults_are_told(run):
    code, told = run("policy", "list", "--json")
    assert code == 0
    names = [p["id"] for p in json.loads(told)]
    assert "nist-800-88r2-clear" in names
    assert all(run("policy", "show", name)[0] == 0 for name in names)
    code, told = run("simulate", "faults", "--json")
    assert {"drops-writes", "bad-sectors"} <= {f["name"] for f in json.loads(told)}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("simulate new d --size many", 5),
        ("simulate new d --size 1000", 5),
        ("simulate new d --size 1MiB --fault melts", 5),
        ("simulate raw nothing", 5),
        ("drive show nothing", 5),
        ("policy show nothing", 5),
        ("dispose nothing --policy nist-800-88r2-clear --erase x", 5),
        ("dispose nothing --policy nist-800-88r2-clear --plan", 5),
        ("dispose nothing", 2),
    ],
)
def test_what_cannot_be_is_refused(run, words, code):
    assert run(*words.split())[0] == code

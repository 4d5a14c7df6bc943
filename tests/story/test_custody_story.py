"""From the command line: parties, a hand-over, an erasure, and what the chain says of it."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from hakushi.cli.main import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("HAKUSHI_LOG", raising=False)

    def call(*words: str, lang: str = "en") -> tuple[int, str, str]:
        code = main(["--lang", lang, *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture
def log(run):
    assert run("log", "init", "log")[0] == 0
    for name, role in (("pref", "owner"), ("bench", "contractor"), ("audit", "auditor")):
        _, key, _ = run("key", "new", name)
        words = (f"party={name}", f"role={role}", f"key={key.strip()}")
        assert run("record", "key_added", *words, "--as", "log.key")[0] == 0
    return Path("log")


def hand_over(run, *drives: str) -> str:
    named = [word for drive in drives for word in ("--drive", drive)]
    for drive in drives:
        run("record", "registered", "--drive", drive, f"wwn=5000{drive}", "--as", "pref")
        run("record", "retired", "--drive", drive, "--as", "pref")
    order = ("order=R1", "policy=jp-mic-1", "deadline=2031-03-31", "to=bench")
    assert run("record", "ordered", *named, *order, "--as", "pref")[0] == 0
    code, _, told = run(
        "handover", "offer", "--from", "pref", "--to", "bench", *named, "--as", "pref"
    )
    assert code == 0
    number = told.split()[1]
    assert run("handover", "accept", number, "--as", "bench")[0] == 0
    return number


def erase(run, number: str, person: str) -> None:
    run("record", "received", "--drive", "A", f"handover={number}", "wwns=5000A", "--as", "bench")
    words = ("policy=p", "technique=overwrite", "method=Clear", "outcome=completed", "tool=hakushi")
    run("record", "sanitized", "--drive", "A", *words, f"person={person}", "--as", "bench")
    run("record", "assessed", "--drive", "A", "verdict=clean", "tool=hakushi", "--as", "bench")


def test_a_drive_from_the_office_to_its_end(run, log):
    erase(run, hand_over(run, "A"), "Yamada Taro")
    assert run("record", "validated", "--drive", "A", "accepted=yes", "--as", "audit")[0] == 0
    assert run("record", "released", "--drive", "A", "--as", "pref")[0] == 0
    code, told, _ = run("chain", "A")
    assert code == 0
    assert told.startswith("A: released, held by bench.")
    assert "Break" not in told
    code, told, _ = run("chain", "A", lang="ja")
    assert "再利用へ払い出し" in told
    assert run("log", "check")[0] == 0


def test_a_person_is_named_nowhere_in_the_log(run, log):
    erase(run, hand_over(run, "A"), "Yamada Taro")
    held = b"".join(path.read_bytes() for path in log.rglob("*") if path.is_file())
    assert b"Yamada" not in held
    people = Path("settings/hakushi/people")
    assert "Yamada Taro" in people.read_text()
    assert people.stat().st_mode & 0o077 == 0


def test_a_drive_that_did_not_arrive_is_told(run, log):
    number = hand_over(run, "A", "B")
    code, _, told = run("record", "received", "--drive", "A", f"handover={number}", "--as", "bench")
    assert code == 0
    assert "Noted as a break of custody: 2 drives were handed over, 1 scanned" in told
    code, told, _ = run("chain", "B", "--json")
    assert code == 6
    shown = json.loads(told)
    assert [one["rule"] for one in shown["breaks"]] == ["count-mismatch"]
    assert shown["state"] == "in_transit"


def test_a_log_that_does_not_hold_is_not_read(run, log):
    hand_over(run, "A")
    bundle = max(
        (p for p in log.rglob("*") if "entries" in str(p) and p.is_file()),
        key=lambda p: p.stat().st_size,
    )
    torn = bytearray(bundle.read_bytes())
    torn[40] ^= 1
    bundle.write_bytes(torn)
    code, told, said = run("chain", "A")
    assert (code, told) == (6, "")
    assert "damaged" in said


REFUSED = {
    "unheard": ("record", "unheard", "--as", "pref"),
    "no drive": ("record", "retired", "--as", "pref"),
    "no signer": ("record", "retired", "--drive", "A"),
    "no such key": ("record", "retired", "--drive", "A", "--as", "nobody"),
    "lacks a field": ("record", "disputed", "--drive", "A", "--as", "pref"),
    "unknown field": ("record", "retired", "--drive", "A", "x=1", "--as", "pref"),
    "no verdict": ("record", "assessed", "--drive", "A", "verdict=fine", "tool=x", "--as", "pref"),
    "no day": ("record", "retired", "--drive", "A", "at=soon", "--as", "pref"),
    "control": ("record", "noted", "--drive", "A", "text=a\x07b", "--as", "pref"),
    "too long": ("record", "noted", "--drive", "A", f"text={'a' * 501}", "--as", "pref"),
    "no handover": ("handover", "accept", "ff", "--as", "pref"),
    "no chain": ("chain", "Z"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_event_is_refused_and_writes_nothing(run, log, name):
    _, before, _ = run("log", "head")
    code, _, said = run(*REFUSED[name])
    assert code == 5
    assert said.strip()
    assert run("log", "head")[1] == before


def test_every_event_is_listed(run):
    code, told, _ = run("record", "--fields")
    assert code == 0
    assert "sanitized" in told
    assert "outcome" in told


def test_an_order_is_held_against_its_drives(run, log):
    number = hand_over(run, "A", "B")
    code, told, _ = run("reconcile", "R1")
    assert (code, told.splitlines()[0].split()) == (0, ["2", "under", "way"])
    assert "bench: scan what arrived" in told
    words = ("--drive", "A", "--drive", "X", f"handover={number}", "--as", "bench")
    run("record", "received", *words)
    code, told, _ = run("reconcile", "R1", "--json")
    assert code == 6
    standing = {one["serial"]: one["standing"] for one in json.loads(told)["drives"]}
    assert standing == {"A": "disputed", "B": "missing", "X": "extra"}
    assert run("reconcile", "R2")[0] == 5


def test_a_photograph_is_recorded_by_its_digest(run, log):
    for serial in ("P1",):
        run("record", "registered", "--drive", serial, "--as", "pref")
        run("record", "retired", "--drive", serial, "--as", "pref")
    Path("before.jpg").write_bytes(b"a picture of a label")
    digest = hashlib.sha256(b"a picture of a label").hexdigest()
    words = ("means=shredder", "photo_before=before.jpg", f"photo_after={'0' * 64}")
    signers = ("--as", "bench", "--as", "audit")
    assert run("record", "destroyed", "--drive", "P1", *words, *signers)[0] == 0
    told = json.loads(run("chain", "P1", "--json")[1])
    assert told["steps"][-1]["type"] == "destroyed"
    held = b"".join(p.read_bytes() for p in log.rglob("*") if p.is_file())
    signed = re.findall(rb'"payload":"([A-Za-z0-9+/]+=*)"', held)
    assert any(digest.encode() in base64.b64decode(one) for one in signed)


def test_a_photograph_that_is_not_there_is_refused(run, log):
    run("record", "registered", "--drive", "P2", "--as", "pref")
    words = ("means=shredder", "photo_before=nowhere.jpg", "--as", "bench", "--as", "audit")
    code, _, err = run("record", "destroyed", "--drive", "P2", *words)
    assert code == 5
    assert "photo_before takes a file or its SHA-256" in err

"""From the command line: a certificate is built out of the log, checked offline, and revoked."""

import json
from pathlib import Path

import pytest

from hakushi.certify import Certificate
from hakushi.cli.main import main
from hakushi.ledger import canonical
from hakushi.media import simulated


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
def bench(run):
    """Parties, a drive that was handed over, erased on the bench, and accepted."""
    run("log", "init", "log")
    for name, role in (("pref", "owner"), ("bench", "contractor"), ("audit", "auditor")):
        _, key, _ = run("key", "new", name)
        words = (f"party={name}", f"role={role}", f"key={key.strip()}")
        assert run("record", "key_added", *words, "--as", "log.key")[0] == 0
    to_the_bench(run, "S1", "S2")
    erase(run, "S1")


def to_the_bench(run, *drives: str) -> None:
    named = [word for drive in drives for word in ("--drive", drive)]
    for drive in drives:
        told = ("model=Made Up 1", "tag=K-0001", "category=jp-mic-1")
        run("record", "registered", "--drive", drive, *told, "--as", "pref")
        run("record", "retired", "--drive", drive, "--as", "pref")
    order = ("order=R1", "policy=kanagawa", "deadline=2031-03-31", "to=bench")
    run("record", "ordered", *named, *order, "--as", "pref")
    _, _, told = run("handover", "offer", "--from", "pref", "--to", "bench", *named, "--as", "pref")
    number = told.split()[1]
    assert run("handover", "accept", number, "--as", "bench")[0] == 0
    run("record", "received", *named, f"handover={number}", "--as", "bench")


def erase(run, serial: str, **faults: int | None) -> int:
    simulated.create(Path(serial), 4 << 20, "ata", serial, None, faults)
    words = ("--policy", "nist-800-88r2-clear", "--erase", serial, "--as", "bench")
    return run("dispose", f"sim:{serial}", *words, "--operator", "Yamada Taro")[0]


def accept(run, serial: str) -> None:
    words = ("accepted=yes", "person=Suzuki Hanako", "--as", "audit")
    assert run("record", "validated", "--drive", serial, *words)[0] == 0


def build(run, *words: str) -> tuple[int, str, str]:
    return run("certificate", "build", *words, "--out", "c.json", "--as", "bench")


def check(run, *words: str) -> tuple[int, str, str]:
    return run("certificate", "check", "c.json", *words)


def test_what_was_accepted_is_certified_and_checked_offline(run, bench):
    accept(run, "S1")
    assert build(run, "S1")[:2] == (0, "c.json\n")
    Path("log").rename("elsewhere")
    code, out, _ = check(run, "--policy", "log.policy")
    assert code == 0
    assert (
        "S1: erased by bench (overwriting, Clear); looked at again: clean; accepted by audit."
        in out
    )
    assert "Not proven:" in out
    assert "remapped" in out
    code, out, _ = check(run)
    assert code == 0
    assert out.startswith("Consistent; signer unknown.")


def test_the_fields_of_the_standard_are_there(run, bench):
    accept(run, "S1")
    build(run, "S1", "--organisation", "Bench KK", "--location", "Yokohama", "--names")
    (drive,) = json.loads(Path("c.json").read_text())["statement"]["drives"]
    assert drive["model"] == "Made Up 1"
    assert (drive["property_number"], drive["category"]) == ("K-0001", "jp-mic-1")
    assert drive["media_source"] == ["pref"]
    assert drive["sanitization"]["method"] == "clear"
    assert drive["verification"]["bytes_read"] == drive["verification"]["bytes_total"]
    people = json.loads(Path("c.json").read_text())["statement"]["claims"]["people"]
    assert {one["name"] for one in people} == {"Yamada Taro", "Suzuki Hanako"}
    assert check(run, "--policy", "log.policy")[0] == 0


def test_nothing_is_certified_that_nobody_accepted(run, bench):
    code, _, err = build(run, "S1")
    assert code == 5
    assert "nobody accepted its erasure" in err
    assert not Path("c.json").exists()
    assert "certified" not in run("chain", "S1")[1]


def test_an_open_break_stands_in_the_way_until_the_owner_explains_it(run, bench):
    run("record", "validated", "--drive", "S1", "accepted=yes", "--as", "bench")
    code, _, err = build(run, "S1")
    assert code == 5
    assert "hakushi record explained --drive S1 rule=same-person" in err
    _, told, _ = run("chain", "S1", "--json")
    (one,) = json.loads(told)["breaks"]
    words = (f"rule={one['rule']}", f"entry={one['entry']}", "reason=One shift that day.")
    run("record", "explained", "--drive", "S1", *words, "--as", "pref")
    assert build(run, "S1")[0] == 0
    (drive,) = json.loads(Path("c.json").read_text())["statement"]["drives"]
    assert drive["breaks"][0]["explanation"] == "One shift that day."
    assert check(run, "--policy", "log.policy")[0] == 0


def test_lateness_never_blocks(run, bench):
    accept(run, "S1")
    order = ("order=R0", "policy=p", "deadline=2020-01-01", "to=bench")
    for serial in ("L1",):
        run("record", "registered", "--drive", serial, "--as", "pref")
        run("record", "retired", "--drive", serial, "--as", "pref")
        run("record", "ordered", "--drive", serial, *order, "--as", "pref")
        words = ("means=shredder", "--as", "bench", "--as", "audit")
        run("record", "destroyed", "--drive", serial, *words)
    assert build(run, "L1")[0] == 0
    code, out, _ = check(run, "--policy", "log.policy")
    assert code == 0
    assert "destroyed (shredder), witnessed by bench, audit. No verdict" in out


def test_a_lot_has_one_certificate(run, bench):
    assert erase(run, "S2") == 0
    accept(run, "S1")
    accept(run, "S2")
    assert build(run, "S2", "S1")[0] == 0
    statement = json.loads(Path("c.json").read_text())["statement"]
    assert [drive["serial"] for drive in statement["drives"]] == ["S1", "S2"]
    assert check(run, "--policy", "log.policy")[0] == 0


def test_a_lie_is_never_certified(run, bench):
    assert erase(run, "S2", **{"drops-writes": None}) != 0
    run("record", "validated", "--drive", "S2", "accepted=yes", "--as", "audit")
    assert build(run, "S2")[0] == 5


def test_another_policy_does_not_trust_it(run, bench):
    accept(run, "S1")
    build(run, "S1")
    run("log", "init", "other")
    code, out, err = check(run, "--policy", "other.policy")
    assert (code, out) == (6, "")
    assert err.startswith("[untrusted-log]")


def test_a_changed_word_is_found(run, bench):
    accept(run, "S1")
    build(run, "S1")
    told = json.loads(Path("c.json").read_text())
    told["statement"]["drives"][0]["serial"] = "S2"
    Path("c.json").write_bytes(canonical.encode(told))
    code, _, err = check(run, "--policy", "log.policy")
    assert code == 6
    assert err.startswith("[not-certified]")


def test_what_came_later_is_told_by_the_log(run, bench):
    accept(run, "S1")
    build(run, "S1")
    code, out, _ = check(run, "--log", "log")
    assert code == 0
    assert "ask the log" not in out
    words = (f"certificate={_digest()}", "reason=The wrong drive was read.", "--as", "bench")
    assert run("record", "revoked", "--drive", "S1", *words)[0] == 0
    code, _, err = check(run, "--log", "log")
    assert code == 6
    assert "[revoked]" in err
    assert "The wrong drive was read." in err


def _digest() -> str:
    return Certificate.parse(Path("c.json").read_bytes()).digest


def test_every_word_is_there_in_japanese(run, bench):
    accept(run, "S1")
    build(run, "S1")
    code, out, _ = run("certificate", "check", "c.json", "--policy", "log.policy", lang="ja")
    assert code == 0
    assert "証明されないこと" in out
    assert "erased" not in out
    assert "消去 bench（上書き、消去（Clear））" in out

"""A bench without a network: its log travels as a file, and joins the owner's only once."""

import json
import shutil
from pathlib import Path

import pytest

from hakushi.app import log as app_log
from hakushi.cli.main import main
from hakushi.custody import events as ev
from hakushi.ledger.keys import Signer


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
def bench(run):
    """The owner's log, and a bench with a log of its own under its own key."""
    keys = {name: run("key", "new", name)[1].strip() for name in ("pref", "bench")}
    assert run("log", "init", "bench-log", "--key", "bench")[0] == 0
    assert run("log", "init", "log")[0] == 0
    for name, role in (("pref", "owner"), ("bench", "contractor")):
        words = (f"party={name}", f"role={role}", f"key={keys[name]}")
        assert run("record", "key_added", *words, "--as", "log.key")[0] == 0
    run("record", "registered", "--drive", "S1", "--as", "pref")
    run("record", "retired", "--drive", "S1", "--as", "pref")


def note(run, text: str, drive: str = "S1") -> None:
    words = (f"text={text}", "--as", "bench", "--log", "bench-log")
    assert run("record", "noted", "--drive", drive, *words)[0] == 0


def bundle(run, *words: str, place: str = "bench-log") -> tuple[int, str, str]:
    return run("log", "bundle", "b", "--log", place, *words)


def take(run, key: str = "pref") -> tuple[int, str, str]:
    return run("log", "import", "b", "--log", "log", "--as", key)


def notes(run) -> list[str]:
    _, told, _ = run("chain", "S1", "--json", "--log", "log")
    return [step["type"] for step in json.loads(told)["steps"] if step["type"] == "noted"]


def size() -> int:
    return len(list(app_log.entries(Path("log"))))


def test_what_the_bench_recorded_is_taken_over_once(run, bench):
    note(run, "one")
    note(run, "two")
    assert bundle(run)[0] == 0
    code, out, _ = take(run)
    assert code == 0
    assert "2 entries taken over, 0 were here already" in out
    assert len(notes(run)) == 2
    before = size()
    code, out, _ = take(run)
    assert code == 0
    assert "0 entries taken over, 2 were here already" in out
    assert size() == before
    assert run("log", "check", "--log", "log")[0] == 0


def test_the_next_one_brings_the_rest(run, bench):
    note(run, "one")
    bundle(run)
    take(run)
    note(run, "two")
    code, out, _ = bundle(run, "--since", "1")
    assert code == 0
    assert "The next one: --since 2" in out
    assert "1 entries taken over, 0 were here" in take(run)[1]
    bundle(run)
    assert "0 entries taken over, 2 were here" in take(run)[1]


def test_a_gap_is_told(run, bench):
    note(run, "one")
    note(run, "two")
    bundle(run, "--since", "1")
    code, _, err = take(run)
    assert code == 5
    assert "It begins at entry 1, but only 0 were taken over" in err
    assert notes(run) == []


@pytest.mark.parametrize("change", ["cut", "bit", "empty", "long"])
def test_a_broken_one_is_refused_whole(run, bench, change):
    note(run, "one")
    bundle(run)
    data = Path("b").read_bytes()
    broken = {
        "cut": data[:-3],
        "bit": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        "empty": b"",
        "long": data + b"\0\1x",
    }
    Path("b").write_bytes(broken[change])
    before = size()
    code, _, err = take(run)
    assert code == 5
    assert "no whole bundle" in err
    assert size() == before


def test_a_foreign_bench_is_refused(run, bench):
    run("key", "new", "stranger")
    run("log", "init", "other", "--key", "stranger")
    run("record", "noted", "--drive", "S1", "text=x", "--as", "stranger", "--log", "other")
    bundle(run, place="other")
    code, _, err = take(run)
    assert code == 5
    assert "No party here signs as" in err


def test_two_benches_with_one_key_are_found(run, bench):
    shutil.copytree("bench-log", "twin")
    Path("twin.key").symlink_to(Path("bench-log.key").resolve())
    shutil.copy("bench-log.policy", "twin.policy")
    note(run, "one")
    bundle(run)
    take(run)
    for text in ("another", "more"):
        words = (f"text={text}", "--as", "bench", "--log", "twin")
        run("record", "noted", "--drive", "S1", *words)
    bundle(run, place="twin")
    code, _, err = take(run)
    assert code == 5
    assert "Two benches with one key" in err
    assert len(notes(run)) == 1


def test_a_log_that_was_rolled_back_is_found(run, bench):
    note(run, "one")
    shutil.copytree("bench-log", "old")
    shutil.copy("bench-log.policy", "old.policy")
    Path("old.key").symlink_to(Path("bench-log.key").resolve())
    note(run, "two")
    bundle(run)
    take(run)
    bundle(run, place="old")
    assert "0 entries taken over, 1 were here" in take(run)[1]
    run("record", "noted", "--drive", "S1", "text=other", "--as", "bench", "--log", "old")
    bundle(run, place="old")
    code, _, err = take(run)
    assert code == 5
    assert "had the root" in err


def test_a_clock_that_is_ahead_is_refused(run, bench):
    one = ev.Noted(at=1 << 40, nonce="0" * 32, drive="S1", text="from the future")
    key = Signer.parse(Path("bench-log.key").read_text().rstrip("\n"))
    with app_log.writing(Path("bench-log")) as log:
        log.extend([ev.envelope(one).signed(key).encode()])
    bundle(run)
    code, _, err = take(run)
    assert code == 5
    assert "dated in the future" in err
    assert notes(run) == []


def test_what_is_no_event_stays_and_stops_nothing(run, bench):
    with app_log.writing(Path("bench-log")) as log:
        log.extend([b"not an event"])
    note(run, "one")
    bundle(run)
    assert "1 entries taken over, 0 were here already, 1 left" in take(run)[1]


def test_who_takes_over_must_be_known(run, bench):
    run("key", "new", "stranger")
    note(run, "one")
    bundle(run)
    assert take(run, "stranger")[0] == 5


def test_a_revoked_bench_brings_nothing_more(run, bench):
    note(run, "one")
    bundle(run)
    _, vkey, _ = run("key", "show", "bench")
    key = vkey.split()[-1]
    words = (f"key={key}", "reason=stolen", "--as", "log.key", "--log", "log")
    assert run("record", "key_revoked", *words)[0] == 0
    assert take(run)[0] == 5
    assert notes(run) == []


def test_late_news_of_a_bench_is_no_step_back_in_time(run, bench):
    """The owner recorded in between; the bench's dates are older, and it is not accused."""
    note(run, "one")
    bundle(run)
    late = ev.Noted(at=4_000_000_000, nonce="1" * 32, drive="S1", text="x")
    key = Signer.parse(Path("settings/hakushi/keys/pref.key").read_text().rstrip("\n"))
    with app_log.writing(Path("log")) as log:
        log.extend([ev.envelope(late).signed(key).encode()])
    take(run)
    _, told, _ = run("chain", "S1", "--json", "--log", "log")
    assert json.loads(told)["breaks"] == []

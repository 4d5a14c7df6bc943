"""A witness over HTTP: cosigns a growing log, and convicts one that was rolled back and grew again."""

import http.client
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hakushi.cli.main import main


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
def served(run):
    """A log, and a witness that its policy names with its address."""
    run("log", "init", "log", "--origin", "example.org/log")
    shutil.copy("log.policy", "logs")
    key = run("key", "new", "w", "--type", "ed25519-cosign")[1].strip()
    words = ("-m", "hakushi.cli.main", "witness", "serve", "kept", "--key", "w")
    with subprocess.Popen(
        [sys.executable, *words, "--policy", "logs"], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        lines = Path("logs").read_text().splitlines()
        policy = "\n".join([lines[0], f"witness w {key} {url}", "quorum w"])
        Path("log.policy").write_text(policy + "\n")
        yield url
        child.terminate()


def note(run, text: str, key: str = "log.key") -> None:
    words = ("noted", "--drive", "S1", f"text={text}", "--as", key)
    assert run("record", *words)[0] == 0


def cosign(run) -> tuple[int, str, str]:
    return run("log", "cosign")


def test_a_growing_log_is_cosigned(run, served):
    key = run("key", "new", "pref")[1].strip()
    # Without the quorum nothing is believed; the witness sees the empty log first.
    assert cosign(run)[0] == 0
    words = ("party=pref", "role=owner", f"key={key}", "--as", "log.key")
    assert run("record", "key_added", *words)[0] == 0
    note(run, "one")
    assert run("log", "check")[0] == 6
    assert run("chain", "S1")[0] == 6
    code, out, _ = cosign(run)
    assert (code, out) == (0, "w has cosigned.\n")
    assert run("log", "check")[0] == 0
    run("log", "prove", "0", "--entry", "entry")


def test_a_log_with_two_histories_is_convicted(run, served):
    words = ("noted", "--drive", "S1", "--as", "log.key")
    note(run, "one")
    shutil.copytree("log", "old")
    for ending in ("key", "policy"):
        shutil.copy(f"log.{ending}", f"old.{ending}")
    run("record", *words, "text=two")
    assert cosign(run)[0] == 0
    run("record", *words, "text=another", "--log", "old")
    code, _, err = run("log", "cosign", "--log", "old")
    assert code == 6
    assert "refuses (422)" in err
    code, out, _ = run("witness", "forks", "kept", "--policy", "logs")
    assert code == 6
    assert "example.org/log" in out
    code, out, _ = run("witness", "convict", "fork-1", "--policy", "logs")
    assert code == 0
    assert "signed two histories" in out
    run("log", "init", "stranger")
    assert run("witness", "convict", "fork-1", "--policy", "stranger.policy")[0] == 6
    Path("fork-1").write_bytes(b"junk")
    assert run("witness", "convict", "fork-1", "--policy", "logs")[0] == 6


def test_a_witness_that_is_away_is_told(run):
    run("log", "init", "log")
    key = run("key", "new", "w", "--type", "ed25519-cosign")[1].strip()
    with Path("log.policy").open("a") as file:
        file.write(f"witness w {key} http://127.0.0.1:9\n")
    code, _, err = cosign(run)
    assert code == 6
    assert "w: It does not answer" in err


def test_a_key_that_does_not_cosign_is_refused(run):
    run("log", "init", "log")
    words = ("witness", "serve", "kept", "--key", "log.key", "--policy", "log.policy")
    assert run(*words)[0] == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", None, {}, 404),
        ("GET", "/../../etc/passwd", None, {}, 404),
        ("POST", "/other", b"x", {}, 404),
        ("POST", "/add-checkpoint", b"junk", {}, 400),
        ("POST", "/add-checkpoint", None, {"Content-Length": "99999999999"}, 413),
        ("POST", "/add-checkpoint", None, {"Content-Length": "x"}, 413),
    ],
)
def test_odd_requests_are_answered(served, method, path, body, headers, status):
    parts = urlsplit(served)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as held:
        held.request(method, path, body, headers)
        with held.getresponse() as reply:
            assert reply.status == status


def test_a_log_in_postgresql(run, postgres_server):
    from tests.postgres_server import database

    url = database(postgres_server)
    code, _, err = run("log", "init", url)
    assert code == 0
    (place,) = Path().glob("*.pg")
    assert place.stat().st_mode & 0o077 == 0
    note(run, "one", f"{place}.key")
    assert run("log", "check")[0] == 0
    assert "1 entries" in run("log", "check", "--log", str(place))[1]
    assert run("log", "init", url)[0] == 5
    place.write_text("postgresql://nobody@localhost:1/none\n")
    code, _, err = run("log", "check")
    assert code == 5
    assert "cannot be read" in err

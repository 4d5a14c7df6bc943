"""Is the drive there, and does the owner's keystream lie on it? Asked and answered in files."""

import http.client
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.cli.main import main
from hakushi.custody import challenge as ch
from hakushi.ledger import canonical
from hakushi.media import simulated
from hakushi.model import Malformed
from hakushi.sanitize import Keystream, Served

SIZE = 8 << 20
POLICY = ("--policy", "nist-800-88r2-clear-keystream")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(["--lang", "en", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def drive(serial: str, content: bytes | None = None, **faults: int | None) -> str:
    simulated.create(Path(serial), SIZE, "ata", serial, None, faults)
    if content is not None:
        simulated.surface(Path(serial)).write_bytes(content)
    return f"sim:{serial}"


def ask(run, question: str, secret: str, name: str) -> tuple[int, str, str]:
    Path("answer").unlink(missing_ok=True)
    assert run("challenge", "answer", question, name, "--out", "answer")[0] == 0
    return run("challenge", "check", secret, "answer")


def test_who_has_the_drive_can_answer_and_nobody_else(run):
    name = drive("S1", os.urandom(SIZE))
    assert run("challenge", "new", name, "--out", "c")[0] == 0
    assert Path("c.secret").stat().st_mode & 0o077 == 0
    code, out, _ = ask(run, "c.question", "c.secret", name)
    assert code == 0
    assert "64 blocks right, 0 wrong, 0 not read." in out
    assert "not a copy" in out
    code, out, _ = ask(run, "c.question", "c.secret", drive("S2", os.urandom(SIZE)))
    assert code == 6
    assert "64 wrong" in out


def test_a_question_gives_no_digest_away(run):
    run("challenge", "new", drive("S1", os.urandom(SIZE)), "--out", "c")
    secret = json.loads(Path("c.secret").read_text())
    question = Path("c.question").read_text()
    assert not any(mac in question for mac in secret["macs"])


def test_what_can_be_guessed_is_not_asked_for(run):
    text = ("納税通知書" * 100).encode("cp932")
    name = drive("S1", (text * (SIZE // len(text) + 1))[:SIZE])
    code, _, err = run("challenge", "new", name, "--out", "c")
    assert code == 5
    assert "Only 0 of 64 blocks" in err


def test_the_owners_keystream_is_found_later(run):
    assert run("challenge", "seed", "seed")[0] == 0
    name = drive("S1", os.urandom(SIZE))
    assert run("dispose", name, *POLICY, "--keystream", "seed", "--erase", "S1")[0] == 0
    words = ("--size", str(SIZE), "--drive", "S1", "--blocks", "500")
    assert run("challenge", "new", "--seed", "seed", *words, "--out", "c")[0] == 0
    code, out, _ = ask(run, "c.question", "c.secret", name)
    assert code == 0
    assert "500 blocks right" in out
    assert "6.6e-03" in out


def test_a_drive_that_kept_its_data_does_not_pass(run):
    run("challenge", "seed", "seed")
    name = drive("S1", os.urandom(SIZE), **{"drops-writes": None})
    assert run("dispose", name, *POLICY, "--keystream", "seed", "--erase", "S1")[0] != 0
    run("challenge", "new", "--seed", "seed", "--size", str(SIZE), "--out", "c")
    assert ask(run, "c.question", "c.secret", name)[0] == 6


def test_a_policy_that_ends_in_zeros_cannot_offer_it(run):
    run("challenge", "seed", "seed")
    name = drive("S1")
    words = ("--policy", "nist-800-88r2-clear", "--keystream", "seed", "--erase", "S1")
    code, out, _ = run("dispose", name, *words)
    assert code == 5
    assert "ends in zeros" in out


@pytest.fixture
def box(run):
    """`hakushi keystream serve`, and its address."""
    run("challenge", "seed", "seed")
    words = ("-m", "hakushi.cli.main", "--lang", "en", "keystream", "serve", "seed")
    with subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        assert served.stdout is not None
        yield served.stdout.readline().strip()
        served.terminate()


def test_the_box_gives_the_stream_and_keeps_the_seed(run, box):
    name = drive("S1", os.urandom(SIZE))
    assert run("dispose", name, *POLICY, "--keystream", box, "--erase", "S1")[0] == 0
    seed = Path("seed").read_text().strip()
    stream = Keystream(bytes.fromhex(seed))
    assert simulated.surface(Path("S1")).read_bytes()[:4096] == bytes(stream.render(0, 4096))
    kept = b"".join(p.read_bytes() for p in Path("hakushi-evidence").iterdir() if p.is_file())
    assert seed.encode() not in kept
    assert bytes.fromhex(seed) not in kept
    run("challenge", "new", "--seed", "seed", "--size", str(SIZE), "--out", "c")
    assert ask(run, "c.question", "c.secret", name)[0] == 0


@pytest.mark.parametrize("span", ["", "bytes=1-9", "bytes=0-", "bytes=5-4", f"bytes=0-{1 << 40}"])
def test_the_box_answers_no_odd_request(run, box, span):
    parts = urlsplit(box)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as held:
        held.request("GET", "/keystream", headers={"Range": span} if span else {})
        with held.getresponse() as reply:
            assert reply.status == 416


def test_a_box_that_goes_away_stops_it_half_way(run):
    name = drive("S1", os.urandom(SIZE))
    words = ("--keystream", "http://127.0.0.1:9/keystream", "--erase", "S1")
    code, out, _ = run("dispose", name, *POLICY, *words)
    assert code == 4
    assert "Stopped half-way" in out


def test_a_served_stream_tells_every_sector_that_differs():
    stream = Keystream(bytes(32))
    served = Served(lambda at, length: bytes(stream.render(at, length)))
    data = bytearray(served.render(4096, 8192))
    assert served.differs(4096, memoryview(data)) == []
    data[512] ^= 1
    data[8191] ^= 1
    found = [(one.offset, one.length) for one in served.differs(4096, memoryview(data))]
    assert found == [(4096 + 512, 512), (4096 + 7680, 512)]


# --- hostile files ----------------------------------------------------------------------------


GOOD = ch.Secret(ch.Basis.CONTENT, "S1", 5, 1 << 20, bytes(32), (0, 4096), ("a" * 64, "b" * 64))


@given(
    st.sampled_from(["type", "basis", "serial", "made", "size", "key", "spots", "macs", "more"]),
    st.none() | st.booleans() | st.integers(-(1 << 62), 1 << 62) | st.text(max_size=80)
    | st.lists(st.integers(-5, 1 << 62) | st.text(max_size=70), max_size=4),
)  # fmt: skip
def test_a_secret_with_another_field_is_malformed_or_sound(name, value):
    told = canonical.decode(GOOD.encode())
    told[name] = value
    try:
        data = canonical.encode(told)
        found = ch.Secret.parse(data)
    except Malformed:
        return
    assert found.encode() == data
    assert all(0 <= at <= found.size - ch.BLOCK for at in found.spots)


@given(st.binary(max_size=200))
def test_junk_is_malformed(data):
    for parse in (ch.Secret.parse, ch.Question.parse, ch.Answer.parse):
        with pytest.raises(Malformed):
            parse(data)


def test_an_answer_to_another_question_is_none():
    other = ch.Secret(ch.Basis.CONTENT, "S1", 6, 1 << 20, bytes(32), (0, 4096), GOOD.macs)
    answer = ch.reply(other.question, "S1", 7, lambda at: bytes(4096))
    with pytest.raises(Malformed, match="another question"):
        ch.compare(GOOD, answer)


def test_too_much_unread_does_not_hold():
    secret = ch.Secret(
        ch.Basis.CONTENT, "S", 0, 1 << 20, bytes(32), tuple(n * 4096 for n in range(20)),
        tuple(ch.mac(bytes(32), n * 4096, bytes(4096)) for n in range(20)),
    )  # fmt: skip
    few = ch.reply(secret.question, "S", 0, lambda at: None if at < 4096 * 3 else bytes(4096))
    assert not ch.compare(secret, few).holds
    most = ch.reply(secret.question, "S", 0, lambda at: None if at < 4096 * 2 else bytes(4096))
    assert ch.compare(secret, most).holds

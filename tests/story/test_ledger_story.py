"""From the command line: make a log and keys, check it, prove an entry, and what is said of a bad one."""

from pathlib import Path

import pytest

from hakushi.app import log as app_log
from hakushi.cli.main import main
from hakushi.ledger.audit import audit
from hakushi.ledger.keys import Kind, Signer
from hakushi.ledger.note import Note
from hakushi.ledger.policy import Policy
from hakushi.ledger.store import Memory
from hakushi.ledger.witness import Witness, cosignatures
from hakushi.model import Refused

ENTRIES = [b"entry %d" % i for i in range(300)]


@pytest.fixture
def run(tmp_path, monkeypatch, capsysbinary):
    """Runs a command in an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("HAKUSHI_LOG", raising=False)

    def call(*words: str, lang: str = "en") -> tuple[int, str, str]:
        code = main(["--lang", lang, *words])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def log(run, tmp_path) -> Path:
    assert run("log", "init", "log", "--origin", "example.org/log")[0] == 0
    with app_log.writing(tmp_path / "log") as writer:
        writer.extend(ENTRIES)
    return tmp_path / "log"


def test_a_log_is_made_read_checked_and_proven(run, tmp_path, log):
    code, told, _ = run("log", "head")
    assert code == 0
    assert told.startswith("example.org/log\n300\n")
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600
    assert not any("PRIVATE" in p.read_text("latin-1") for p in log.rglob("*") if p.is_file())

    code, told, beside = run("log", "check")
    assert code == 0
    assert "300 entries" in told
    assert "Not proven" in beside

    code, proof, _ = run("log", "prove", "123", "--entry", "entry")
    assert code == 0
    assert Path("entry").read_bytes() == b"entry 123"
    assert proof.startswith("c2sp.org/tlog-proof@v1\nindex 123\n")
    Path("proof").write_text(proof)

    code, told, _ = run("log", "verify", "proof", "entry", "--policy", "log.policy")
    assert (code, told) == (0, "Entry 123 of the log example.org/log: signed by a trusted key.\n")
    code, told, _ = run("log", "verify", "proof", "entry")
    assert code == 0
    assert told.startswith("Consistent; signer unknown.")

    Path("entry").write_bytes(b"entry 124")
    assert run("log", "verify", "proof", "entry", "--policy", "log.policy")[0] == 6
    assert run("log", "verify", "proof", "entry")[0] == 6
    Path("proof").write_text(proof.replace("index", "Index"))
    assert run("log", "verify", "proof", "entry")[0] == 6


def test_a_log_in_sqlite(run, tmp_path):
    code = run("log", "init", "sqlite:log.db")[0]
    assert code == 0
    assert (tmp_path / "log.db").stat().st_mode & 0o777 == 0o600
    with app_log.writing(tmp_path / "log.db") as writer:
        writer.extend(ENTRIES)
    assert run("log", "check")[0] == 0
    code, proof, _ = run("log", "prove", "299", "--entry", "entry")
    Path("proof").write_text(proof)
    assert run("log", "verify", "proof", "entry", "--policy", "log.db.policy")[0] == 0
    assert run("log", "init", "sqlite:log.db")[0] == 5
    assert run("log", "init", f"sqlite://{tmp_path}/other.db", "--origin", "example.org/o")[0] == 0
    assert run("log", "head")[1].startswith("example.org/o\n0\n")
    data = bytearray((tmp_path / "log.db").read_bytes())
    at = data.index(b"entry 123")
    data[at + 6] ^= 1
    (tmp_path / "log.db").write_bytes(data)
    assert run("log", "check", "--log", "log.db")[0] == 6
    (tmp_path / "log.db").write_bytes(data[: len(data) // 2])
    assert run("log", "check", "--log", "log.db")[0] in (5, 6)


def test_it_speaks_japanese(run, log):
    code, told, beside = run("log", "check", lang="ja")
    assert code == 0
    assert "300 件の記録" in told
    assert "証人" in beside
    code, _, beside = run("log", "prove", "300", lang="ja")
    assert code == 5
    assert "300 番の記録はありません" in beside


def test_a_changed_log_fails(run, log):
    bundle = log / "tile" / "entries" / "000"
    kept = bundle.read_bytes()
    bundle.write_bytes(kept.replace(b"entry 7", b"entry 8", 1))
    code, told, why = run("log", "check")
    assert (code, told) == (6, "")
    assert "tile/0/000 does not fit its entries" in why
    assert "do not have the root" in why
    assert run("log", "prove", "7")[0] == 6
    bundle.unlink()
    code, _, why = run("log", "check")
    assert code == 6
    assert "tile/entries/000 is missing" in why
    assert run("log", "prove", "7")[0] == 6
    (log / "checkpoint").write_bytes(b"\x1b[2Jnothing")
    assert run("log", "head") == (6, "", run("log", "head")[2])
    assert run("log", "check")[0] == 6
    assert run("log", "prove", "7")[0] == 6


def test_a_rolled_back_log_fails_against_a_checkpoint_that_was_kept(run, tmp_path, log):
    kept = tmp_path / "kept"
    kept.write_text(run("log", "head")[1])
    assert run("log", "check", "--since", "kept")[0] == 0
    signer = Signer.parse((tmp_path / "log.key").read_text().strip())
    for number, entries in enumerate([ENTRIES[:200], [b"other", *ENTRIES]]):
        place = tmp_path / f"forged{number}"
        (tmp_path / f"forged{number}.key").write_text(signer.secret)
        (tmp_path / f"forged{number}.key").chmod(0o600)
        assert run("log", "init", place.name)[0] == 0
        with app_log.writing(place) as writer:
            writer.extend(entries)
        assert run("log", "check")[0] == 0
        code, _, why = run("log", "check", "--since", "kept")
        assert code == 6
        assert ("rolled back", "forked")[number] in why


def test_a_stranger_fails(run, tmp_path, log):
    code, vkey, _ = run("key", "new", "example.org/log")
    assert code == 0
    Path("policy").write_text(f"log {vkey}quorum none\n")
    code, _, why = run("log", "check", "--policy", "policy")
    assert code == 6
    assert "No key that the policy trusts" in why


def test_a_witness_is_asked_for_by_the_policy(run, tmp_path, log):
    cosigner = Signer.new("example.org/w", Kind.ED25519_COSIGNATURE)
    own = (tmp_path / "log.policy").read_text()
    Path("policy").write_text(f"{own.split('quorum')[0]}witness w {cosigner.verifier}\nquorum w\n")
    assert run("log", "prove", "5", "--policy", "policy")[0] == 6
    with app_log.writing(log) as writer:
        witness = Witness(Memory(), [cosigner], writer.verifiers, lambda: 1700000000)
        writer.cosign(cosignatures(writer.view(), witness.add_checkpoint, [cosigner.verifier]))
    code, proof, _ = run("log", "prove", "5", "--policy", "policy", "--entry", "entry")
    assert code == 0
    Path("proof").write_text(proof)
    code, told, _ = run("log", "verify", "proof", "entry", "--policy", "policy")
    assert code == 0
    assert "Seen by the witness w at 2023-11-14 22:13:20 UTC." in told
    # What a policy does not name is left out of a proof for it.
    code, proof, _ = run("log", "prove", "5")
    assert len(Note.parse(proof.partition("\n\n")[2].encode()).signatures) == 1


def test_what_is_refused(run, tmp_path, log, monkeypatch):
    Path("full").mkdir()
    Path("full/file").touch()
    Path("bad").write_text("trust me\n")
    for words, why in [
        (["log", "init", "log"], "is taken"),
        (["log", "init", "full"], "is taken"),
        (["log", "init", "full/file"], "is taken"),
        (["log", "init", "https://example.org/log"], "is none of these"),
        (["log", "init", "new", "--key", "log.key", "--origin", "other"], "is called example.org"),
        (["log", "init", "new", "--key", "log.policy"], "Others can read"),
        (["log", "check", "--log", "full"], "is not a log"),
        (["log", "check", "--policy", "bad"], "line 1 of the policy"),
        (["log", "check", "--policy", "gone"], "gone is missing"),
        (["log", "check", "--since", "gone"], "does not exist"),
        (["log", "prove", "300"], "no entry 300"),
        (["log", "verify", "gone", "bad"], "does not exist"),
        (["key", "new", "a b"], "no spaces"),
        (["key", "new", "a", "--type", "rsa"], "no key type rsa"),
        (["key", "new", "a", "--out", "bad"], "never overwritten"),
        (["key", "show", "gone"], "no key gone"),
    ]:
        code, told, said = run(*words)
        assert (code, told) == (5, ""), words
        assert why in said, words
    monkeypatch.setenv("HAKUSHI_LOG", str(tmp_path / "full"))
    assert run("log", "head")[0] == 5
    monkeypatch.delenv("HAKUSHI_LOG")
    (tmp_path / "settings" / "hakushi" / "log").unlink()
    assert "No log is set up" in run("log", "head")[2]


def test_a_making_that_was_cut_short_goes_on(run, tmp_path):
    (tmp_path / "log" / ".state").mkdir(parents=True)
    (tmp_path / "log" / ".state" / "lock").touch()
    assert run("log", "init", "log")[0] == 0
    assert run("log", "check")[0] == 0
    (tmp_path / "log" / "checkpoint").unlink()
    assert run("log", "init", "log")[0] == 0
    assert run("log", "check")[0] == 0


def test_a_log_in_use_is_refused_to_a_second_writer(run, log):
    with app_log.writing(log):
        with pytest.raises(Refused, match="Another process writes"), app_log.writing(log):
            pass
        assert run("log", "check")[0] == 0


def test_keys_are_shown_by_their_public_half(run, tmp_path):
    code, vkey, said = run("key", "new", "example.org/bench-1")
    assert code == 0
    assert "PRIVATE" not in vkey + said
    assert run("key", "show", "example.org/bench-1")[1] == vkey
    code, unnamed, _ = run("key", "new", "--out", "mine", "--type", "ml-dsa-44")
    assert run("key", "show", "mine")[1] == unnamed
    assert run("key", "show")[1] == vkey
    Path("mine").write_text(Path("mine").read_text().replace("hakushi/", "hakusho/"))
    assert run("key", "show", "mine")[0] == 5


def test_the_folder_alone_is_enough_to_audit(tmp_path, log):
    """What another reads over the network: files by their C2SP names."""

    def read(name: str) -> bytes | None:
        path = log / name
        return path.read_bytes() if path.is_file() else None

    policy = Policy.parse((tmp_path / "log.policy").read_bytes())
    note = read("checkpoint")
    assert note is not None
    assert audit(read, note, policy).holds

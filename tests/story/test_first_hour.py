"""The main job by hand, as the contract names it: demo, assess, case, detect, dispose."""

import hashlib
import json
import subprocess
import sys
from importlib import resources

import pytest

COMMAND = [sys.executable, "-m", "hakushi.cli.main"]
SAMPLE = str(resources.files("hakushi").joinpath("data", "sample.E01"))
PLANTED = json.loads(resources.files("hakushi").joinpath("data", "sample.json").read_text("utf-8"))


def hakushi(*words, cwd, expect, stdin=None):
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
    )
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return done.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The shipped sample, assessed once with everything written out."""
    home = tmp_path_factory.mktemp("sample")
    words = ["--case", "s.hakushi", "--json", "s.json", "--html", "s.html", "--recover", "out"]
    hakushi("assess", SAMPLE, *words, cwd=home, expect=3)
    return home


def test_the_sample_gives_back_every_file_that_was_planted(sample):
    told = json.loads((sample / "s.json").read_text("utf-8"))
    assert told["schema"] == "hakushi.assessment/1"
    assert (told["verdict"], told["severity"], told["scope"]) == ("residue", "grave", "image")
    assert told["coverage"]["read"] == told["coverage"]["bytes"] == PLANTED["size"]
    assert sum(told["blocks"].values()) == PLANTED["size"]
    assert told["people"]["low"] <= told["people"]["best"] <= told["people"]["high"]
    found = lines(hakushi("case", "artifacts", "s.hakushi", cwd=sample, expect=0))
    have = {one["sha256"] for one in found}
    assert [f["path"] for f in PLANTED["files"] if f["sha256"] not in have] == []
    paths = {one["path"] for one in found if one["state"] == "live"}
    live = {f["path"] for f in PLANTED["files"] if f["state"] == "live"}
    assert live <= paths


def test_what_is_called_complete_is_a_planted_file(sample):
    found = lines(hakushi("case", "artifacts", "s.hakushi", cwd=sample, expect=0))
    planted = {f["sha256"] for f in PLANTED["files"]}
    top = [
        a for a in found if a["role"] == "content" and a["size"] and a["locator"].count("/") <= 3
    ]
    claimed = {a["sha256"] for a in top if a["complete"] and a["kind"] != "directory"}
    nested = {a["sha256"] for a in found if a["locator"].count("/") > 3}
    assert claimed - nested - planted == set()


def test_findings_are_masked_and_paths_in_the_report_too(sample):
    findings = lines(
        hakushi("case", "findings", "s.hakushi", "--format", "jsonl", cwd=sample, expect=0)
    )
    numbers = [one for one in findings if one["kind"] == "my_number"]
    assert len(numbers) > 100
    assert all(sum(c.isdigit() for c in one["masked"]) <= 3 for one in numbers)
    page = (sample / "s.html").read_text("utf-8")
    secret = [f["path"] for f in PLANTED["files"] if f["state"] == "live"]
    assert not [path for path in secret if path in page]
    assert "http" not in page.replace("http-equiv", "")


def test_restored_files_lie_under_their_state_and_path(sample):
    for file in PLANTED["files"]:
        if file["state"] == "live":
            content = (sample / "out" / "live" / file["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert (sample / "out").stat().st_mode & 0o777 == 0o700


def test_purging_removes_the_case_and_what_it_restored(tmp_path):
    image = tmp_path / "a.img"
    image.write_bytes(bytes(1 << 20) + "氏名 架空花子\n".encode() * 40 + bytes(4096))
    hakushi("assess", "a.img", "--recover", "out", cwd=tmp_path, expect=3)
    mine = tmp_path / "out" / "carved" / "mine.txt"
    mine.write_text("kept")
    assert len(list((tmp_path / "out").rglob("*.*"))) > 1
    hakushi("case", "purge", "a.img.hakushi", cwd=tmp_path, expect=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.img", "out"]
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == [mine]


def test_detect_tells_places_and_no_values(tmp_path):
    text = "氏名\t架空　花子\n電話 090-1234-5678\nhanako@example.jp\n"
    spans = lines(hakushi("detect", "--spans", "-", cwd=tmp_path, expect=0, stdin=text))
    found = {text[s["start"] : s["end"]]: s["kind"] for s in spans if s["strength"] == "labelled"}
    assert found["090-1234-5678"] == "phone"
    assert found["hanako@example.jp"] == "email"
    assert not any("1234" in s["masked"] or "hanako" in s["masked"] for s in spans)


def test_a_sample_is_never_clean(tmp_path):
    (tmp_path / "z.img").write_bytes(bytes(8 << 20))
    told = json.loads(
        hakushi("assess", "z.img", "--sample", "1MiB@99%", "--json", "-", cwd=tmp_path, expect=4)
    )
    assert told["verdict"] == "inconclusive"
    assert told["blocks"] is None
    assert told["coverage"]["bound"]["confidence"] == 0.99
    assert 0 < told["coverage"]["sampled"] < 8 << 20


def test_the_demo_tells_its_story(tmp_path):
    story = hakushi("demo", "--out", "d", cwd=tmp_path, expect=0)
    count = {s: sum(f["state"] == s for f in PLANTED["files"]) for s in ("live", "deleted")}
    assert f"{count['live']} of {count['live']} live" in story
    assert f"{count['deleted']} of {count['deleted']} deleted" in story
    assert {p.name for p in (tmp_path / "d").iterdir()} == {
        "case.hakushi",
        "certificates",
        "evidence",
        "keys",
        "log",
        "log.key",
        "log.policy",
        "report.html",
        "story.md",
    }
    certificate = "d/certificates/DEMO-HONEST-1.json"
    words = ("certificate", "check", certificate, "--policy", "d/log.policy", "--log", "d/log")
    assert "accepted by auditor" in hakushi(*words, cwd=tmp_path, expect=0)
    assert "DEMO-LOST-1: missing" in story
    hakushi("chain", "DEMO-LIAR-1", "--log", "d/log", cwd=tmp_path, expect=0)
    hakushi("log", "check", "--log", "d/log", cwd=tmp_path, expect=0)
    assert [p.name for p in tmp_path.iterdir()] == ["d"]
    hakushi("demo", "--out", "d", cwd=tmp_path, expect=5)

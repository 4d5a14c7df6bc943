"""Restoring alone: the same files as in a whole assessment, and nothing said of anybody's data."""

import json
import subprocess
import sys
from importlib import resources

import pytest

COMMAND = [sys.executable, "-m", "hakushi.cli.main"]


def hakushi(*words, cwd, expect):
    done = subprocess.run(
        [*COMMAND, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stderr
    return done


def listed(case, cwd):
    """What the case holds of each file, but for its findings."""
    told = hakushi("case", "artifacts", case, cwd=cwd, expect=0).stdout.splitlines()
    rows = [json.loads(line) for line in told]
    return sorted(
        json.dumps({k: v for k, v in one.items() if k != "findings"}, sort_keys=True)
        for one in rows
    )


def test_the_same_files_come_back_and_nothing_is_said_of_people(tmp_path):
    sample = tmp_path / "sample.E01"
    sample.write_bytes(resources.files("hakushi").joinpath("data", "sample.E01").read_bytes())
    hakushi("assess", sample, "--case", "whole.hakushi", cwd=tmp_path, expect=3)
    words = ("--files-only", "--case", "files.hakushi", "--html", "report.html", "--lang", "en")
    done = hakushi("assess", sample, *words, "--json", "told.json", cwd=tmp_path, expect=3)
    assert "Personal data was not looked for" in done.stdout

    told = json.loads((tmp_path / "told.json").read_text())
    assert told["verdict"] == "residue"
    assert [told[key] for key in ("severity", "findings", "people", "firms")] == [None] * 4
    assert told["duty"] == told["meaning"] == []
    assert any("--files-only" in one for one in told["not_looked_for"])
    assert listed("files.hakushi", tmp_path) == listed("whole.hakushi", tmp_path)
    done = hakushi("case", "findings", "files.hakushi", cwd=tmp_path, expect=5)
    assert done.stdout == ""
    assert "was not looked for" in done.stderr

    page = (tmp_path / "report.html").read_text()
    assert "Treat the drive as if it held the gravest kind" in page
    assert "No personal data was recognised" not in page
    # Its case answers for no other kind of run.
    done = hakushi("assess", sample, "--case", "files.hakushi", cwd=tmp_path, expect=5)
    assert "other options" in done.stderr


def test_an_empty_drive_is_not_called_clean_by_it(tmp_path):
    (tmp_path / "empty.img").write_bytes(bytes(1 << 20))
    words = ("empty.img", "--fresh", "--json", "-")
    assert json.loads(hakushi("assess", *words, cwd=tmp_path, expect=0).stdout)["verdict"] == (
        "clean"
    )
    told = json.loads(hakushi("assess", *words, "--files-only", cwd=tmp_path, expect=4).stdout)
    assert told["verdict"] == "inconclusive"
    assert told["severity"] is None


@pytest.mark.parametrize("other", [("--ocr",), ("--sample", "100KiB@95%")])
def test_it_goes_not_with_a_look_into_content(tmp_path, other):
    (tmp_path / "x.img").write_bytes(bytes(1 << 20))
    done = hakushi("assess", "x.img", "--files-only", *other, cwd=tmp_path, expect=5)
    assert "--files-only" in done.stderr
    assert not list(tmp_path.glob("*.hakushi*"))

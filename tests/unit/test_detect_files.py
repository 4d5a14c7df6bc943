"""The detectors over files that are no text as a whole."""

import json
import random
from pathlib import Path

from hakushi.app import detect as verb
from hakushi.cli.main import main


def test_what_stands_among_other_bytes_is_counted(tmp_path: Path, capsys) -> None:
    text = b'{"name": "\\u5c71\\u7530 \\u592a\\u90ce", "my_number": "123456789018"}'
    noise = random.Random(1).randbytes
    file = tmp_path / "piece.bin"
    file.write_bytes(noise(5000) + text + noise(3000))
    [found] = verb.run_all([str(file)], None, None)
    assert not found.text
    assert found.counts["my_number", "labelled"] == 1
    assert main(["detect", str(file)]) == 0
    assert "This is no text as a whole" in capsys.readouterr().out
    assert main(["--lang", "ja", "detect", str(file)]) == 0
    assert "全体としては文字列ではありません" in capsys.readouterr().out


def test_places_among_other_bytes_are_bytes(tmp_path: Path, capsys) -> None:
    text = "氏名：山田 太郎\r\n電話番号：03-5321-1234\r\n".encode("cp932")
    data = random.Random(2).randbytes(3 << 20)
    at = (1 << 20) - 20  # over the end of a piece
    file = tmp_path / "drive.bin"
    file.write_bytes(data[:at] + text + data[at:])
    assert main(["detect", "--spans", str(file)]) == 0
    spans = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    values = {file.read_bytes()[one["start"] : one["end"]] for one in spans}
    assert {"山田 太郎".encode("cp932"), b"03-5321-1234"} <= values


def test_a_file_of_any_size_is_looked_at(tmp_path: Path, capsys) -> None:
    file = tmp_path / "large.img"
    with file.open("wb") as out:
        out.truncate(300 << 20)
        out.seek(290 << 20)
        out.write("\n連絡先電話番号：03-5321-1234\n".encode())
    assert main(["detect", str(file)]) == 0
    said = capsys.readouterr()
    assert "Phone number: 1 (0)" in said.out
    assert said.err.count("Looking for personal data") == 1


def test_what_was_cut_short_is_said(tmp_path: Path, capsys) -> None:
    file = tmp_path / "list.bin"
    file.write_bytes(b"\0\1" * 5000 + b"kk@ab.jp\n" * 117_000)
    assert main(["detect", str(file)]) == 0
    assert "list.bin: more than 100000 findings" in capsys.readouterr().err


def test_text_and_nothing_are_told_as_before(tmp_path: Path, capsys) -> None:
    (tmp_path / "a.txt").write_text("氏名：山田 太郎\n", "utf-8")
    (tmp_path / "b.bin").write_bytes(bytes(4096))
    assert main(["detect", str(tmp_path / "a.txt"), str(tmp_path / "b.bin")]) == 0
    out = capsys.readouterr().out
    assert "no text as a whole" not in out
    assert "Person's name: 1 (0)" in out
    assert out.rstrip().endswith("-")

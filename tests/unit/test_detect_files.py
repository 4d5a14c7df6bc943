"""The detectors over files that are no text as a whole."""

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
    assert found.spans == ()
    assert found.counts["my_number", "labelled"] == 1
    assert main(["detect", str(file)]) == 0
    assert "This is no text as a whole" in capsys.readouterr().out
    assert main(["--lang", "ja", "detect", str(file)]) == 0
    assert "全体としては文字列ではありません" in capsys.readouterr().out


def test_text_and_nothing_are_told_as_before(tmp_path: Path, capsys) -> None:
    (tmp_path / "a.txt").write_text("氏名：山田 太郎\n", "utf-8")
    (tmp_path / "b.bin").write_bytes(bytes(4096))
    assert main(["detect", str(tmp_path / "a.txt"), str(tmp_path / "b.bin")]) == 0
    out = capsys.readouterr().out
    assert "no text as a whole" not in out
    assert "Person's name: 1 (0)" in out
    assert out.rstrip().endswith("-")

"""What is found in a paper does not depend on how its lines are ended, indented, quoted, escaped."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi import detect
from hakushi.detect import layout
from hakushi.media import Memory
from hakushi.model import Text

_PAPERS = Path(__file__).parents[1] / "data" / "written.txt"
_MARK = re.compile(r"<([a-z_]+)\|([^<>]*)>")


def _papers() -> list[str]:
    every = _PAPERS.read_text("utf-8").split("\n====\n")
    return [_MARK.sub(r"\2", paper) for paper in every[::5]]


def _each_line(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "\n".join(write(line) for line in text.split("\n"))


_WAYS: dict[str, Callable[[str], str]] = {
    "CR LF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "indented": _each_line(lambda line: f"    {line}"),
    "indented by a full space": _each_line(lambda line: f"　{line}"),
    "quoted": _each_line(lambda line: f"> {line}"),
    "quoted twice": _each_line(lambda line: f">> {line}"),
    "gaps at the ends": _each_line(lambda line: f"{line}  "),
    "JSON": lambda text: json.dumps({"text": f"\n{text}\n"}, ensure_ascii=False),
    "JSON in ASCII": lambda text: json.dumps({"text": f"\n{text}\n"}),
    "JSON within JSON": lambda text: json.dumps(json.dumps([f"\n{text}\n"], ensure_ascii=False)),
    "HTML": lambda text: html.escape(text, quote=False).replace("\n", "<br>\n"),
    "paragraphs": _each_line(lambda line: f'<p class="a">{html.escape(line, quote=False)}</p>'),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "marks of direction": lambda text: re.sub(r"\d[\d-]{8,12}\d", "\u202d\\g<0>\u202c", text),
    "a variant's mark": lambda text: re.sub(r"[辻榊葛]", "\\g<0>\U000e0101", text),
}  # fmt: skip


def _found(text: str) -> Counter[tuple[str, bytes]]:
    return Counter((one.kind, one.value_key) for one in detect.spans(Text(text), b"key"))


@pytest.mark.parametrize("way", _WAYS)
def test_a_paper_tells_the_same_however_it_is_laid_out(way: str) -> None:
    """Nothing that was found is lost, and hardly anything else is found."""
    lost, more, every = Counter[object](), Counter[object](), 0
    for paper in _papers():
        before, after = _found(paper), _found(_WAYS[way](paper))
        every += before.total()
        lost += before - after
        more += after - before
    assert every > 400
    assert lost.total() <= every // 400, lost
    assert more.total() <= every // 400, more


_PIECES = st.sampled_from(
    [
        "石　橋　正　章",
        "山 田 ",
        "……",
        "→",
        "（必須）",
        "*必須",
        " * ",
        ":",
        "氏名",
        "山田",
        "\\u6c0f",
        "\\ud842\\udfb7",
        "\\n",
        "\\\\n",
        "\\r",
        "\\t",
        '\\"',
        "&#x540d;",
        "&nbsp;",
        "&#9999999;",
        "<br/>",
        "<p>",
        "</p>",
        "が",
        "゙",
        "︀",
        "%E5%B1%B1",
        "%E5",
        "󠄁",
        "\u202d",
        ">",
        ">>",
        "|",
        "a",
        ",",
        "1",
        "𠮷",
    ]
) | st.sampled_from(["\r", "\n", "\r\n", " ", "　", "\t", "\n\n"])


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_what_is_left_keeps_its_place(text: str) -> None:
    laid = layout.plain(text)
    if laid is None:
        assert not re.search(
            r"[\r\\&<\u3099\ufe00]|^[ \t>]|\n\n|名→a|名……a|名 ?[*(]\*?必須\)?:", text
        )
        return
    starts, ends = laid.starts.tolist(), laid.ends.tolist()
    assert len(laid.chars) == len(starts) == len(ends)
    assert all(0 <= a < b <= len(text) for a, b in zip(starts, ends, strict=True))
    assert all(b <= c for b, c in zip(ends, starts[1:], strict=False))
    for char, a, b in zip(laid.chars, starts, ends, strict=True):
        assert b - a > 1 or char == text[a] or (text[a], char) in (("\r", "\n"), ("→", ":"))
    places = [laid.place(at) for at in range(len(text) + 1)]
    assert places == sorted(places)
    assert places[-1] == len(laid.chars)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a%E5%B1%B1%e7%94%b0 b", "a山田 b"),
        ("か\u3099き は\u309a", "がき ぱ"),
        ("x\r\ny\rz\r\r\nw", "x\ny\nz\nw"),
        ("  a\n > b\n>> c\n", "a\nb\nc\n"),
        ("&#27663;&#x540d;&nbsp;x", "氏名 x"),
        ("<p>氏名</p>\n<p>山田</p>", "氏名\n山田\n"),
        ("\\u6c0f\\ud842\\udfb7\\n氏", "氏𠮷\n氏"),
        ('{\\"a\\":\\"2024\\/01\\/02\\"}', '{"a":"2024/01/02"}'),
        ("a\tb\n\tc\td\n\te\n", "a\tb\n\tc\td\ne\n"),
        ("a\n\nb\n\n\n\nc\n\nd", "a\nb\n\nc\nd"),
        ("a\n\nb\nc\nd", None),
        ("mail: a@b.jp\\ntel: 03\\n山\\n", "mail: a@b.jp\ntel: 03\n山\n"),
        ("C:\\new\\table\\readme", "C:\\new\\table\\readme"),
        ("氏名……山田", "氏名:山田"),
        ("氏　名　石　橋　正　章　印", "氏名　石橋正章　印"),
        ("氏　名,住　所\n", "氏名,住所\n"),
        ("母 戸 田 晃 司 様", "母 戸田晃司 様"),
        ("日 月 火 水 木 金 土\n早 早 休 遅", None),
        ("氏名 → 山田 電話番号..........03", "氏名 :山田 電話番号:03"),
        ("その後……彼は → と。氏名…、", None),
        ("氏名（必須）：山田\n住所 * : 津市\n電話\n*必須\n03", "氏名：山田\n住所 : 津市\n電話\n03"),
        ("必須項目 任意後見人 2 * 3", None),
        ("x \\newline \\textbf{a}", "x \\newline \\textbf{a}"),
    ],
)
def test_layouts_by_example(text: str, left: str | None) -> None:
    laid = layout.plain(text)
    assert (text if laid is None else laid.chars) == (text if left is None else left)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp932"])
def test_bytes_of_an_escaped_value_are_the_escapes(encoding: str) -> None:
    """What is told of a finding's place holds the whole value as it stands there, and no more."""
    people = [{"name": "山田 太郎", "tel": "090-1234-5678"}, {"name": "佐藤 花子", "tel": None}]
    data = json.dumps(people, indent=1).replace("\n", "\r\n").encode(encoding)
    places = [one for got in detect.scan(Memory(data), b"key") for one in got.places]
    values = [data[at : at + size].decode(encoding) for at, size, *_ in places]
    assert values == [json.dumps(v)[1:-1] for v in ("山田 太郎", "090-1234-5678", "佐藤 花子")]

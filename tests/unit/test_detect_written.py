"""Documents written by hand: forms, letters, lists, chats and notes as offices keep them.

The people are invented. ``tests/data/written.txt`` marks what is personal in them as
``<kind|value>``; documents without a mark have nothing of the kind.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from hakushi import detect
from hakushi.model import Strength, Text

DOCUMENTS = (
    (Path(__file__).parents[1] / "data" / "written.txt").read_text("utf-8").split("\n====\n")
)
MARK = re.compile(r"<([a-z_]+)\|([^<>]*)>")
COUNTED_APART = {"official_form", "sensitive_form", "age", "sex"}
"""Titles of documents, and what is told beside names: not marked."""


def marked(document: str) -> tuple[str, Counter[tuple[str, str]]]:
    """The text without its marks, and what they mark."""
    return MARK.sub(r"\2", document), Counter((m[1], m[2]) for m in MARK.finditer(document))


def found(text: str) -> Counter[tuple[str, str]]:
    return Counter(
        (s.kind, text[s.start : s.end])
        for s in detect.spans(Text(text), b"k")
        if s.strength is Strength.LABELLED and s.kind not in COUNTED_APART
    )


def nearly_all_and_no_more(
    papers: list[tuple[str, Counter[tuple[str, str]]]], missing: float, more: int
) -> None:
    """Of what the papers mark no greater share is missed, and no more is found besides."""
    told = [(found(text), marks) for text, marks in papers]
    planted = sum(marks.total() for _, marks in told)
    missed = [one for got, marks in told for one in (marks - got)]
    extra = [one for got, marks in told for one in (got - marks)]
    assert len(missed) <= planted * missing, missed
    assert len(extra) <= more, extra


def gapless(document: str) -> str:
    """The document with whole names in kanji written in one."""
    kanji = "[一-鿿々]"
    gap = re.compile(f"(?<={kanji})[ 　]+(?={kanji})")
    return re.sub(r"<person_name\|[^<>]*>", lambda m: gap.sub("", m[0]), document)


_LABEL = re.compile(
    r"(?m)((?:^|[　 ]{1,4}|[/／、,（(・])[^\n<>　 :：/／、,（(|・]{0,12}(?:氏名|名前|住所|電話|携帯|TEL|FAX|フリガナ|ふりがな|カナ|生年月日"
    r"|番号|口座|名義|メール|mail|勤務先|会社名|世帯主|患者|被保険者|申請者|申込者|届出人|保護者|担当|代理人|連絡先|本籍|筆頭者|所在地|商号"
    r"|代表者|利用者|受給者|契約者|児童|配偶者|納税義務者|コード|記号|送付先|氏　名|住　所)[^\n<>　 :：/／、,（(|・]{0,3})"
    r"(?:[：:][ 　]?|[ 　]{1,10})(?=<(?!email)[a-z_]+\|)"
)
"""A label, and what stands between it and a marked value."""

_BETWEEN = {
    "a tab": "\t",
    "a wide gap": "　　　　",
    "leaders": "……",
    "dots": "..........",
    "an arrow": " → ",
    "dashes": "――",
    "a bar": " | ",
    "an equals sign": "=",
    "a line end": "\n",
    "a wish": "（必須）：",
    "a star": " * : ",
    "a wish on a line of its own": "\n*必須\n",
    "a sentence": "は",
    "nothing": "",
}


@pytest.mark.parametrize("way", _BETWEEN)
def test_it_does_not_matter_what_leads_from_a_label_to_its_value(way: str) -> None:
    papers = [marked(_LABEL.sub(rf"\g<1>{_BETWEEN[way]}", one)) for one in DOCUMENTS]
    nearly_all_and_no_more(papers, 0.05, 12)


_WORDS = ("氏名", "電話番号", "電話", "住所", "フリガナ", "生年月日")
_OTHER_WORDS = [
    ("お名前", "連絡先", "TEL", "所在地", "フリガナ", "誕生日"),
    ("姓名", "お電話", "電話", "ご住所", "ふりがな", "お誕生日"),
    ("ご氏名", "電話No.", "電話", "居所", "カナ", "生年月日(西暦)"),
    ("名前", "TEL番号", "電話", "住　所", "よみがな", "出生年月日"),
    (
        "氏名（漢字）",
        "電話番号（自宅）",
        "電話",
        "住所（現住所）",
        "氏名（カナ）",
        "生年月日（年齢）",
    ),
    ("申請者氏名", "日中連絡先", "電話", "送付先住所", "シメイ", "生年月"),
]


@pytest.mark.parametrize("others", _OTHER_WORDS, ids=lambda others: others[0])
def test_labels_and_headers_may_be_called_otherwise(others: tuple[str, ...]) -> None:
    words = dict(zip(_WORDS, others, strict=True))
    mark = r"<[a-z_]+\|[^<>]*>"
    either = re.compile(f"({mark})|({'|'.join(words)})")
    papers = [marked(either.sub(lambda m: m[1] or words[m[2]], one)) for one in DOCUMENTS]
    nearly_all_and_no_more(papers, 0.025, 9)


def test_names_may_be_spread_out():
    """As forms of word processors spread them over a line: 石　橋　正　章."""

    def spread(mark: re.Match[str]) -> str:
        bare = re.sub("[ 　]", "", mark[1])
        name = "　".join(bare) if re.fullmatch("[一-鿿]{3,5}", bare) else mark[1]
        return f"<person_name|{name}>"

    papers = [marked(re.sub(r"<person_name\|([^<>]*)>", spread, one)) for one in DOCUMENTS]
    nearly_all_and_no_more(papers, 0.05, 25)


@pytest.fixture(scope="module")
def results() -> list[tuple[str, Counter[tuple[str, str]], Counter[tuple[str, str]]]]:
    return [(text, marks, found(text)) for text, marks in map(marked, DOCUMENTS)]


def test_nearly_everything_marked_is_found_to_the_character(results):
    missed = [(text[:20], one) for text, marks, got in results for one in (marks - got)]
    planted = sum(sum(marks.values()) for _, marks, _ in results)
    assert planted > 1800
    assert len(missed) <= planted * 0.02, missed


def test_nearly_nothing_else_is_found(results):
    extra = [(text[:20], one) for text, marks, got in results for one in (got - marks)]
    assert len(extra) <= 5, extra


def test_names_need_no_gap():
    """A name is found no less for being written in one, as most programs store it."""
    papers = [marked(gapless(one)) for one in DOCUMENTS]
    nearly_all_and_no_more(papers, 0.03, 10)

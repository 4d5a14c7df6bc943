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


def gapless(document: str) -> str:
    """The document with whole names in kanji written in one."""
    kanji = "[一-鿿々]"
    gap = re.compile(f"(?<={kanji})[ 　]+(?={kanji})")
    return re.sub(r"<person_name\|[^<>]*>", lambda m: gap.sub("", m[0]), document)


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
    told = [(found(text), marks) for text, marks in papers]
    planted = sum(marks.total() for _, marks in told)
    missed = [one for got, marks in told for one in (marks - got)]
    extra = [one for got, marks in told for one in (got - marks)]
    assert len(missed) <= planted * 0.03, missed
    assert len(extra) <= 10, extra

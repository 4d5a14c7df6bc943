"""Thresholds of the law: more never crosses fewer, nothing crosses none, and no sentence decides."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.duty import FINANCIAL_KINDS, Found, crossings, notes
from hakushi.lang import say

NOTHING = Found(labelled={}, unlabelled=0, people=(0, 0), my_numbers=0)


def rules(found: Found) -> set[str]:
    return {one.rule.id for one in crossings(found)}


def test_nothing_found_crosses_nothing_and_says_nothing() -> None:
    assert crossings(NOTHING) == ()
    assert notes(NOTHING) == ()


@pytest.mark.parametrize(
    ("people", "crossed", "sure"),
    [
        ((0, 1), {"gdpr-33"}, set()),
        ((1, 100), {"gdpr-33"}, {"gdpr-33"}),
        ((100, 101), {"gdpr-33", "appi-68-count"}, {"gdpr-33"}),
        ((101, 1000), {"gdpr-33", "appi-68-count"}, {"gdpr-33", "appi-68-count"}),
        ((900, 1001), {"gdpr-33", "appi-68-count", "appi-26-count"}, {"gdpr-33", "appi-68-count"}),
    ],
)
def test_more_than_the_threshold_crosses_it(
    people: tuple[int, int], crossed: set[str], sure: set[str]
) -> None:
    found = replace(NOTHING, people=people)
    assert rules(found) == crossed
    assert {one.rule.id for one in crossings(found) if one.sure} == sure


def test_my_numbers_count_by_themselves() -> None:
    assert rules(replace(NOTHING, my_numbers=100)) == set()
    assert rules(replace(NOTHING, my_numbers=101)) == {"my-number-count"}


@pytest.mark.parametrize("kind", sorted(FINANCIAL_KINDS))
def test_money_counts_from_one_on(kind: str) -> None:
    assert rules(replace(NOTHING, labelled={kind: 1})) == {"appi-financial"}


def test_what_was_not_read_is_said_even_where_nothing_was_found() -> None:
    assert crossings(replace(NOTHING, partial=True)) == ()
    assert len(notes(replace(NOTHING, partial=True))) == 1


def test_candidates_and_encryption_cross_nothing_and_are_told() -> None:
    found = replace(NOTHING, unlabelled=5000, encrypted=2)
    assert crossings(found) == ()
    assert len(notes(found)) == 2


@given(
    st.tuples(st.integers(0, 3000), st.integers(0, 3000)).map(lambda p: (min(p), max(p))),
    st.integers(0, 300),
    st.dictionaries(
        st.sampled_from(["payment_card", "person_name", "my_number"]), st.integers(0, 9)
    ),
    st.integers(0, 50),
)
def test_more_never_crosses_fewer(
    people: tuple[int, int], numbers: int, labelled: dict[str, int], further: int
) -> None:
    less = Found(labelled, 0, people, numbers)
    more = Found(
        {kind: count + further for kind, count in labelled.items()},
        further,
        (people[0], people[1] + further),
        numbers + further,
        further,
    )
    assert rules(less) <= rules(more)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_sentence_can_be_said_and_none_decides(lang: str) -> None:
    found = Found({"payment_card": 3, "person_name": 5}, 1, (2000, 3000), 500, 1, partial=True)
    sentences = [say(one.sentence, lang) for one in crossings(found)]
    assert len(sentences) == 5
    sentences += [say(one, lang) for one in notes(found)]
    for sentence in sentences:
        assert "{" not in sentence
        assert "must report" not in sentence
        assert "報告しなければ" not in sentence

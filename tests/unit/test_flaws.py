"""Damage in words: the program's own limits in the reader's language, a parser's words as they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import other_samples as made

from hakushi import detect
from hakushi.assess import flaws
from hakushi.assess.flaws import Kind
from hakushi.media import Memory
from hakushi.model import Damage, Extent, Locator, Malformed, Unreadable
from hakushi.recover import Budget, identify

TOP = Locator.root("image", "x.img")
VOLUME = TOP.step("part", 1)
SENTENCES = [one for some in flaws._OWN.values() for one in some]
words = st.text("ab 1.x", min_size=1, max_size=12).filter(str.strip)


def fields(sentence):
    return re.findall(r"\{(\w+)\}", sentence.id)


@given(st.data(), st.sampled_from(SENTENCES))
def test_what_the_program_says_of_itself_is_said_in_both_languages(data, sentence):
    parts = {name: data.draw(words) for name in fields(sentence)}
    told = sentence.id.format(**parts)
    assert flaws.said(told, "en") == told
    japanese = flaws.said(told, "ja")
    assert all(part in japanese for part in parts.values())
    assert re.search("[぀-ヿ一-鿿]", japanese)


@given(st.text(max_size=80), st.sampled_from(["ja", "en"]))
def test_any_words_at_all_are_said(what, lang):
    assert isinstance(flaws.said(what, lang), str)
    assert flaws.kind_of(Damage(TOP, what), {TOP}) in list(Kind)


def ended(step):
    """What is said at last when a step is taken over and over."""
    try:
        while True:
            step()
    except Malformed as error:
        return str(error)


def spent(**left):
    budget = Budget.of(**left)
    return ended(lambda: budget.pay(output=1, artifacts=1))


def deepest():
    inner = [Budget.of()]
    return ended(lambda: inner.append(inner[-1].deeper()))


@pytest.mark.parametrize(
    "told",
    [spent(steps=3), spent(output=3), spent(artifacts=3), spent(seconds=0), deepest()],
)
def test_every_limit_of_a_budget_is_known_as_one(told):
    assert flaws.kind_of(Damage(VOLUME, told), {TOP, VOLUME}) is Kind.LIMIT
    assert not re.search("[a-z]{2}", flaws.said(told, "ja"))


class Torn:
    """A source that gives nothing."""

    locator, size = VOLUME, 4096

    def read(self, extent):
        raise Unreadable(extent, "bad sector")


def test_bytes_that_a_medium_does_not_give_are_known_as_such():
    (damage,) = (one for one in detect.scan(Torn(), b"k") if isinstance(one, Damage))
    for one in (damage, Damage(TOP, str(Unreadable(Extent(0, 512), "bad sector")))):
        assert flaws.kind_of(one, {TOP}) is Kind.UNREAD
    assert flaws.said(damage.what, "ja") == "読み取れません：位置 0 から 4096 バイト：bad sector"


def test_a_flaw_is_of_a_volume_or_of_a_file_by_where_it_lies():
    volumes = {TOP, VOLUME}
    for place in (TOP, VOLUME, VOLUME.step("ext", "*")):
        assert flaws.kind_of(Damage(place, "an inode of 3 bytes"), volumes) is Kind.VOLUME
    inner = VOLUME.step("ntfs", "37").step("zip", "*")
    for place in (VOLUME.step("ntfs", "37"), inner):
        assert flaws.kind_of(Damage(place, "a torn header"), volumes) is Kind.FILE


def test_a_kind_of_an_older_case_that_is_not_known_has_no_words():
    assert flaws.words("", "ja") == flaws.words("elsewhere", "ja") == ""
    assert all(flaws.words(kind, lang) for kind in Kind for lang in ("ja", "en"))


@pytest.mark.parametrize("data", [made.docuworks(), made.rar5({"a": bytes(50)}, method=3)])
def test_what_is_packed_in_a_way_not_known_here_is_no_broken_file(data):
    source = Memory(data)
    one = identify(source)
    damage = [found for found in one.open(source, Budget.of()) if isinstance(found, Damage)]
    assert [flaws.kind_of(found, {TOP}) for found in damage] == [Kind.METHOD]
    assert "調べていません" in flaws.said(damage[0].what, "ja")

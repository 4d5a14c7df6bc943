"""`Locator.parse(str(x)) == x`, whatever a disk put into a name."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hakushi.model import Locator

# Kinds are ours: format ids and roots.
kinds = st.text(string.ascii_lowercase + string.digits + "_-", min_size=1, max_size=8)
# Values may come from a disk: any character, and lone surrogates for bytes that decode to nothing.
anything = st.characters(codec=None, categories=None)
values = st.text(anything | st.sampled_from("/:%\n\0\udc80\udcff\ud800 ?#é漢"), max_size=20)
locators = st.lists(st.tuples(kinds, values), min_size=1, max_size=6).map(
    lambda names: Locator(tuple(names))
)


@given(locators)
@example(Locator.root("image", "a/b:c%2F\n\0"))
@example(Locator.root("image", "\udc80\ud800\U0001f5d1"))
@example(Locator.root("image", ""))
def test_parses_back_to_itself(locator):
    assert Locator.parse(str(locator)) == locator


@given(locators)
def test_text_is_plain_ascii_on_one_line(locator):
    assert str(locator).isascii()
    assert str(locator).isprintable()
    assert " " not in str(locator)


@given(locators, locators)
def test_equal_texts_are_equal_locators(a, b):
    assert (str(a) == str(b)) == (a == b)


@given(locators, kinds, values)
def test_a_step_is_undone_by_its_parent(locator, kind, value):
    below = locator.step(kind, value)
    assert below.parent == locator
    assert below.last == (kind, value)
    assert below.depth == locator.depth + 1


def test_a_root_has_no_parent():
    assert Locator.root("image", "ab12").parent is None


def test_reads_like_a_path():
    locator = Locator.root("image", "ab12").step("part", 1).step("ntfs", 37).step("gzip", 0)
    assert str(locator) == "image:ab12/part:1/ntfs:37/gzip:0"


@pytest.mark.parametrize(
    "text", ["", "image", "/image:1", "image:1/", "image:1//gzip:0", ":1", "image:%FF"]
)
def test_refuses_what_is_no_locator(text):
    with pytest.raises(ValueError):
        Locator.parse(text)


@pytest.mark.parametrize("kind", ["", "a/b", "a:b", "a%2F", "é", "a b", "a\n"])
def test_a_kind_is_a_plain_word(kind):
    with pytest.raises(ValueError):
        Locator.root(kind, "1")

"""Where anything may stand in a text."""

import pytest

from hakushi import detect
from hakushi.detect import anchors
from hakushi.model import Strength, Text


def test_words_that_labels_are_a_part_of_may_be_all_there_is() -> None:
    """A long text of nothing but such words has no anchors, and is read."""
    text = "filename rename hostname unmailed\n" * anchors._MANY
    found = anchors.find(text)
    assert (found.labels, found.places) == ([], {})
    assert detect.spans(Text(text), b"key") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CONNECTION_NAME=接続名", False),
        ("node-name = 名称", False),
        ("customer_name=早乙女 利久", True),
        ("KANJI_NAME=早乙女 利久", True),
        ("<fullname>Amazon ElastiCache</fullname> <p>", False),
        ('"name=Jane Doe, phone=+1 413 256 6985"', False),
    ],
)
def test_names_of_things_are_no_names_of_people(text: str, told: bool) -> None:
    found = [one for one in detect.spans(Text(text), b"key") if one.kind == "person_name"]
    assert any(one.strength is Strength.LABELLED for one in found) is told

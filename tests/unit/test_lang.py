"""Sentences in the language that was asked for."""

import pytest

from hakushi import lang
from hakushi.model import Message, message

MISSING = message("{path} does not exist; check the name.", path="漢字 {x}.img")


def test_english_is_the_id():
    assert lang.say(MISSING, "en") == "漢字 {x}.img does not exist; check the name."
    assert lang.say(MISSING, "en") == str(MISSING)


def test_japanese_comes_from_the_catalogues():
    said = lang.say(MISSING, "ja")
    assert said != str(MISSING)
    assert "漢字 {x}.img" in said


def test_what_has_no_translation_stays_english():
    assert lang.say(message("No such sentence: {n:,}.", n=1234), "ja") == "No such sentence: 1,234."


def test_no_text_is_no_catalogue_header():
    assert lang.say(Message(""), "ja") == ""


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.eucJP"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, "ja"),
    ],
)
def test_the_locale_chooses(environment, expected):
    assert lang.default(environment) == expected


def test_a_message_is_one_value_however_it_is_made():
    assert message("{a} {b}", b=2, a=1) == message("{a} {b}", a=1, b=2)
    assert hash(message("{a}", a=1)) == hash(message("{a}", a=1))

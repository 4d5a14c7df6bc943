"""Addresses that nothing but the names of their towns tells."""

import pytest

from hakushi.detect import spans
from hakushi.detect.postal import begins_with_town
from hakushi.model import Text


@pytest.mark.parametrize(
    "place",
    [
        "伊那市西町5016",
        "松本市大字島内4",
        "龍ヶ崎市馴馬町1",
        "龍ケ崎市馴馬町1",
        "港北区新横浜3",
        "横浜市港北区新横浜3",
        "福島市 大町 4番15号",
    ],
)
def test_a_town_of_the_lists_is_known_however_it_is_spelled(place):
    assert begins_with_town(place)


@pytest.mark.parametrize(
    "place", ["", "伊那市", "伊那市5016", "伊那市議会2", "西町5016", "港北区の人口3"]
)
def test_what_is_none_is_not(place):
    assert not begins_with_town(place)


def test_it_stands_without_a_label_and_ends_with_its_building():
    text = "御霊前 五千円 伊那市西町5016 リバーサイド西町302\n横浜市港北区で350人、港北区役所2階\n"
    found = [text[one.start : one.end] for one in spans(Text(text), b"key")]
    assert found == ["伊那市西町5016 リバーサイド西町302"]

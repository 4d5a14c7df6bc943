"""Random tables of invented people, in the ways that programs and people write tables."""

from collections import Counter

import pytest
from bench import detect_tables as made

_CASES = [
    (way, headers)
    for headers in ("ja", "en", "none")
    for way in (made.HEADLESS if headers == "none" else made.WAYS)
]


@pytest.mark.parametrize(("way", "headers"), _CASES)
def test_nearly_every_cell_is_told_and_nothing_else(way: str, headers: str) -> None:
    planted, missed, more = 0, Counter[str](), Counter[str]()
    for number in range(12):
        marked = made.table(way, headers, f"test {way} {number}")
        one = made.told(marked, headers)
        planted, missed, more = planted + one[0], missed + one[1], more + one[2]
    assert planted > 100
    assert missed.total() <= planted * (0.06 if way == "blanks" else 0.02), missed
    assert more.total() <= 2, more

"""What a header in ASCII says is found by the quick look, too."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.detect import detectors
from hakushi.detect.tables import STEMS

HEADERS = [d.header for d in detectors() if d.header]


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_in_ascii_is_passed_over(header):
    pattern = re.compile(header, re.IGNORECASE)

    @settings(max_examples=150)
    @given(st.from_regex(pattern).filter(lambda name: len(name) < 41), st.data())
    def check(name, data):
        bare = "".join(c for c in name if c.isascii())
        if pattern.search(bare):
            assert any(stem in bare.lower() for stem in STEMS)
        cut = bare[data.draw(st.integers(0, len(bare))) :]
        if pattern.search(cut):
            assert any(stem in cut.lower() for stem in STEMS)

    check()

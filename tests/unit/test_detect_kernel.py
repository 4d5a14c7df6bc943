"""The compiled part of the prefilter, against regular expressions."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.detect import detectors, kernel
from hakushi.detect.fold import fold
from hakushi.detect.prefilter import shapes

_RUN = re.compile(rb"[\x20-\x7e]{7,}")
_WIDE = re.compile(rb"(?=((?:[\x20-\x7e]\0){6,}[\x20-\x7e]))")

pieces = st.one_of(
    st.binary(max_size=20),
    st.text("ab@.1 ", max_size=20).map(str.encode),
    st.text("ab@.1 ", max_size=20).map(lambda t: t.encode("utf-16-le")),
    st.text("ab@.1 ", max_size=20).map(lambda t: t.encode("utf-16-be")),
    st.integers(0, 9).map(bytes),
)
data = st.lists(pieces, max_size=30).map(b"".join)


def starts_and_runs(runs: kernel.Runs) -> list[tuple[int, bytes]]:
    return list(zip(runs.starts.tolist(), (r for r in runs.data.split(b"\0") if r), strict=True))


@given(data)
def test_runs_of_ascii_are_those_of_a_pattern(data):
    runs, _ = kernel.gather(data)
    assert starts_and_runs(runs) == [(m.start(), m[0]) for m in _RUN.finditer(data)]


@given(data)
def test_runs_of_sixteen_bits_are_those_of_a_pattern(data):
    _, runs = kernel.gather(data)
    expected, done = [], 0
    for match in _WIDE.finditer(data):
        if match.start() >= done:
            expected.append((match.start(), match[1][::2]))
            done = match.start() + len(match[1])
    assert starts_and_runs(runs) == expected


@given(data)
def test_the_end_of_a_match_is_led_back_to_its_byte(data):
    for runs, unit in zip(kernel.gather(data), (1, 2), strict=True):
        ends = [i + 1 for i, byte in enumerate(runs.data) if byte]
        back = runs.back(np.array(ends, np.int64)).tolist()
        assert [data[b - 1] for b in back] == [runs.data[e - 1] for e in ends]
        assert all(b % unit == back[0] % unit for b in back[:6])


@given(
    st.integers(4096 - 90, 4096 + 20),
    st.sampled_from([b"ab@cd.ef", "ab@cd.efg".encode("utf-16-le")]),
)
def test_a_run_over_the_border_of_what_is_looked_at_at_once_is_one(before, run):
    data = b"\xff" * before + run + b"\xff" * 70
    narrow, wide = kernel.gather(data)
    found = wide if b"\0" in run else narrow
    assert starts_and_runs(found) == [(before, run.replace(b"\0", b""))]
    assert not (narrow if b"\0" in run else wide).data


@given(st.integers(1, 200), st.sampled_from([1, 2]))
def test_a_run_to_the_very_end_is_whole(length, unit):
    data = ("x" * length).encode("utf-16-le" if unit == 2 else "ascii")
    runs = kernel.gather(data)[unit - 1]
    assert runs.data == (b"x" * length + b"\0" if length >= kernel.SHORTEST else b"")


def test_a_page_of_text_is_longer_than_what_is_looked_at_at_once():
    data = b"x" * 10_000 + b"\1" + "y".encode("utf-16-le") * 10_000
    narrow, wide = kernel.gather(data)
    assert narrow.data == b"x" * 10_000 + b"\0"
    assert wide.data == b"y" * 10_000 + b"\0"


def test_no_shape_reaches_beyond_printable_ascii():
    """Else it would never match: the runs hold nothing else."""
    assert all(re.fullmatch(rb"[\x20-\x7e]+", one) and b"\\s" not in one for one in shapes())


DIGITS = ("٠١٢٣٤٥٦٧٨٩", "๐๑๒๓๔๕๖๗๘๙", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "０１２３４５６７８９")


@pytest.mark.parametrize("digits", DIGITS)
def test_decimal_digits_of_any_script_fold_to_ascii(digits):
    assert fold(digits) == "0123456789"
    assert fold(digits * 200) == "0123456789" * 200


@pytest.mark.parametrize("digits", [*DIGITS, "⁰¹²³⁴⁵⁶⁷⁸⁹", "①②③④⑤⑥⑦⑧⑨⑩", "½¼¾⅓ⅣⅤⅥⅦⅧⅨ"])
@pytest.mark.parametrize("kind", sorted({d.kind for d in detectors()}))
def test_strange_digits_break_no_rule(kind, digits):
    from hakushi import detect
    from hakushi.model import Text

    for one in (d for d in detectors() if d.kind == kind):
        for text, _ in one.yes:
            for odd in (2, 3, 7, 11):
                strange = "".join(
                    digits[int(c)] if c in "0123456789" and i % odd else c
                    for i, c in enumerate(text)
                )
                rows = "\n".join([strange.replace(":", ",").replace("：", ",")] * 8)
                for body in (strange, rows):
                    assert all(0 <= s.start < s.end for s in detect.spans(Text(body), b"key"))

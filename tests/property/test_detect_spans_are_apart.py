"""Spans lie in the text, in order, apart; scanning finds each place once and never raises."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.found import scan

from hakushi import detect
from hakushi.detect.windows import CHUNK
from hakushi.media import Memory
from hakushi.model import Damage, Extent, Extents, Finding, Locator, Text

KEY = b"key"
PIECES = [text for d in detect.detectors() for text, _ in d.yes] + [
    text for d in detect.detectors() for text in d.no
]
WORDS = st.sampled_from(
    [
        *PIECES,
        ",",
        "\t",
        "\n",
        "様",
        "〒",
        "氏名,電話番号\n",
        '"',
        "(",
        "０",
        "-",
        "@",
        "\ud800",
        "\u202e",
        "e\u0301",
    ]
)
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=12).map("".join)
ENCODINGS = ("utf-8", "cp932", "euc_jp", "utf-16-le", "utf-16-be", "iso-2022-jp")


@settings(deadline=None)
@given(TEXTS)
def test_spans_lie_in_the_text_in_order_and_apart(text):
    spans = detect.spans(Text(text), KEY)
    at = 0
    for span in spans:
        assert at <= span.start < span.end <= len(text)
        at = span.end


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(TEXTS, st.sampled_from(ENCODINGS), st.binary(max_size=40)), max_size=4))
def test_a_scan_of_anything_gives_findings_inside_and_each_place_once(parts):
    data = b"".join(t.encode(e, "ignore") + noise for t, e, noise in parts)
    places = set()
    for found in scan(Memory(data), KEY):
        assert isinstance(found, Finding)
        assert found.extent.end <= len(data)
        place = (found.extent, found.kind)
        assert place not in places
        places.add(place)


@settings(deadline=None, max_examples=20)
@given(st.integers(CHUNK - 60, CHUNK + 20), st.sampled_from(ENCODINGS))
def test_a_place_at_the_edge_of_chunks_is_found_once(at, encoding):
    """Wherever the chunks are cut, a label and its number stay together."""
    body = "\n個人番号：123456789018です。\n".encode(encoding)
    at -= at % 2 if encoding.startswith("utf-16") else 0
    data = bytes(at) + body + bytes(100)
    found = list(scan(Memory(data, Locator.root("memory", "x")), KEY))
    assert [f.kind for f in found] == ["my_number"]
    number = data[found[0].extent.offset : found[0].extent.end]
    assert "123456789018".encode(encoding)[-10:] in number or encoding == "iso-2022-jp"


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 300), st.integers(0, 300))
def test_only_the_extents_that_are_given_are_looked_at(a, b):
    line = "個人番号：123456789018\n".encode("cp932")
    data = line * 20
    extents = Extents([Extent(min(a, b), abs(a - b))])
    for found in scan(Memory(data), KEY, extents=extents):
        assert not isinstance(found, Damage)
        assert found.extent.offset in extents
        assert found.extent.end - 1 in extents

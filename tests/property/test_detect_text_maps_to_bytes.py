"""Every character of a decoded text maps to its bytes, whatever the bytes are."""

from hypothesis import given
from hypothesis import strategies as st

from hakushi.detect import decode
from hakushi.detect.encodings import ENCODINGS
from hakushi.detect.fold import fold

STATEFUL = "iso-2022-jp"


@given(st.binary(max_size=200), st.sampled_from((None, *ENCODINGS)))
def test_offsets_rise_from_start_to_end(data, encoding):
    text = decode(data, encoding)
    offsets = list(text.offsets)
    assert len(offsets) == len(text.chars) + 1
    assert offsets == sorted(set(offsets))
    assert offsets[-1] == len(data)


@given(st.binary(max_size=200), st.sampled_from([e for e in ENCODINGS if e != STATEFUL]))
def test_the_bytes_of_a_character_decode_to_it(data, encoding):
    text = decode(data, encoding)
    for i, char in enumerate(text.chars):
        extent = text.extent(i, i + 1)
        piece = data[extent.offset : extent.end]
        if char != "\ufffd":
            assert piece.decode(text.encoding) == char


_BYTES = st.lists(
    st.sampled_from(
        [*(bytes((byte,)) for byte in range(256)), b"\xe3\x81", b"\xf0\x9f", b"\x8f\xb0", b"\x8e"]
    ),
    max_size=60,
).map(b"".join)


@given(st.binary(max_size=200) | _BYTES, st.sampled_from(("utf-8", "cp932", "euc_jp")))
def test_broken_bytes_are_those_of_the_other_decoder(data, encoding):
    if data.startswith(b"\xef\xbb\xbf") or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return  # a byte-order mark
    assert decode(data, encoding).chars == data.decode(encoding, "replace")


@given(st.text(max_size=100), st.sampled_from(ENCODINGS))
def test_text_comes_back(chars, encoding):
    try:
        data = chars.encode(encoding)
    except UnicodeEncodeError:
        return
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data.startswith(b"\xef\xbb\xbf"):
        return  # reads as a byte-order mark
    if encoding == STATEFUL and ("\x1b" in chars or "\x0e" in chars or "\x0f" in chars):
        return  # escapes of its own
    if data.decode(encoding) != chars:
        return  # the encoding itself does not round-trip
    assert decode(data, encoding).chars == chars


@given(st.text(max_size=100) | st.text("12０ーｰ-あ", max_size=20))
def test_folding_keeps_every_place(chars):
    assert len(fold(chars)) == len(chars)
    assert len(fold(chars * 20)) == len(chars) * 20
    assert fold(chars + "。" * 1000)[: len(chars)] == fold(chars)  # long texts are folded apart

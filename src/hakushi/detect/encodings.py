"""Bytes to characters that remember their bytes, whatever the encoding and however broken."""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from hakushi.model import Text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ENCODINGS = ("utf-8", "cp932", "euc_jp", "utf-16-le", "utf-16-be", "iso-2022-jp", "latin-1")
"""What `decode` can find, by the names that it gives."""

_COMPILED = frozenset({"utf-8", "cp932", "euc_jp"})
_NEIGHBOURS = {
    "euc_kr": ("이다는의에을가고하지은를한로기사", 0.12),
    "gbk": ("的是了不在我这他们个说么为会来国对", 0.04),
    "big5": ("的是了不在我這他們個說麼為會來國對", 0.04),
}
"""Encodings of neighbours, whose bytes are kanji in ours: what their texts are full of, how much
of it stands at least among what is not ASCII.
"""

_KANA_SHARE = 0.05
"""Share of kana from which on a text is Japanese."""

_BOMS = (("utf-8", codecs.BOM_UTF8), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"))
_SAMPLE = 1 << 14
_STRANGE = 0.05
"""Share of unusual characters from which on a reading is no reading."""

_BROKEN = 0xD800
"""Broken bytes decode to this plus their number; no decoder here gives a surrogate itself."""

_AT_ONCE = 1 << 20
"""Characters of a text that are looked at together, so that they cost little memory."""

_BROKEN_WEIGHT = -8.0
"""What a broken byte says for a reading."""

_REPLACEMENT = {
    "utf-8": b"\xef\xbf\xbd",
    "utf-16-le": b"\xfd\xff",
    "utf-16-be": b"\xff\xfd",
    "cp932": b"\xff\xff",
}
"""How U+FFFD itself is written; CP932 has no such character (and no such bytes)."""

_ESCAPE = re.compile(rb"\x1b(?:\([BJIHA]|\$[@B]|\$\([DO]|&@\x1b\$B|\$A|\.[AF])")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(_BROKEN + min(error.end - error.start, 255)), error.end


codecs.register_error("hakushi.mark", _mark)


def decode(data: bytes, encoding: str | None = None) -> Text:
    """The bytes as text, in their most likely encoding unless one is given.

    Broken bytes become U+FFFD, one a place; a byte-order mark is no character. ``offsets`` maps
    every character to its first byte. No bytes make it raise; a name that no encoding has is
    LookupError.
    """
    named = _known(encoding)
    bom = next(
        ((e, b) for e, b in _BOMS if data.startswith(b) and named in (None, e, "utf-16")), None
    )
    if bom is not None:
        return _decode(data, bom[0], len(bom[1]))
    if named == "utf-16":
        named = max(("utf-16-le", "utf-16-be"), key=lambda e: score(data[:_SAMPLE], e))
    return _decode(data, named or guess(data), 0)


def _known(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    name = codecs.lookup(encoding).name
    alias = {
        "shift_jis": "cp932", "ascii": "utf-8", "utf-8-sig": "utf-8", "iso8859-1": "latin-1",
        "iso2022_jp": "iso-2022-jp", "iso2022_jp_1": "iso-2022-jp", "iso2022_jp_2": "iso-2022-jp",
        "cp1252": "latin-1",
    }  # fmt: skip
    return alias.get(name, name)


# --- guessing ----------------------------------------------------------------------------


def guess(data: bytes) -> str:
    """The most likely encoding of some bytes, by what their characters would be."""
    if data.isascii() and b"\0" not in data:
        return "iso-2022-jp" if _ESCAPE.search(data) else "utf-8"
    sample = data if len(data) <= _SAMPLE else data[: _SAMPLE // 2] + _middle(data)
    if b"\0" not in sample[:4096]:
        try:
            codecs.utf_8_decode(sample, "strict", False)
        except UnicodeDecodeError:
            pass
        else:
            return "utf-8"
        if _half_width(sample):
            return "cp932"
    best, most = "utf-8", float("-inf")
    for encoding in ENCODINGS:
        said = float("-inf") if encoding == "iso-2022-jp" else score(sample, encoding, most)
        best, most = (encoding, said) if said > most else (best, most)
    return _neighbour(sample) or best if best in ("cp932", "euc_jp", "latin-1") else best


def _neighbour(sample: bytes) -> str | None:
    """The encoding of a neighbour that a text is in, by the signs that its language is full of."""
    if b"\0" in sample:
        return None
    for encoding in ("cp932", "euc_jp"):
        if _share(sample, encoding, _KANA) >= _KANA_SHARE:
            return None
    for encoding, (common, least) in _NEIGHBOURS.items():
        if _share(sample, encoding, frozenset(common)) >= least:
            return encoding
    return None


_KANA = frozenset(map(chr, range(0x3041, 0x30FF)))

_SAID_ENOUGH = 4
"""Different characters of a language that a text has at least."""


def _share(sample: bytes, encoding: str, some: frozenset[str]) -> float:
    """The share of some characters among those that are no ASCII; 0 where much of it is broken, or
    few of them occur.
    """
    chars = [char for char in sample.decode(encoding, "replace") if char >= "\x80"]
    found = [char for char in chars if char in some]
    if chars.count("\ufffd") * 50 > len(chars) or len(set(found)) < _SAID_ENOUGH:
        return 0.0
    return len(found) / len(chars)


_ASCII = bytes(range(128))
_KANA_BYTES = bytes(range(0xA1, 0xE0))
_KANA_RUN = re.compile(rb"[\xa1-\xdf]+")
_VOICELESS = re.compile(rb"(?<![\xb3\xb6-\xc4\xca-\xce])\xde|(?<![\xca-\xce])\xdf")
"""A mark of voicing behind a kana that takes none, or behind no kana at all."""

_LEAST_KANA, _RUN, _WRONG = 8, 2.5, 0.02
"""Kana needed, their mean length in a row, and the share of marks that may stand wrong."""

_EVEN = 64
"""Kana needed where each row of them is even, as two bytes a kanji make it."""


def _half_width(data: bytes) -> bool:
    """Is it ASCII and half-width katakana alone, as the files of banks and old hosts are?

    As EUC-JP the same bytes may be kanji; but of these a third have a byte that is no such kana.
    """
    high = data.translate(None, _ASCII)
    if len(high) < _LEAST_KANA or high.translate(None, _KANA_BYTES):
        return False
    lengths = [len(run) for run in _KANA_RUN.findall(data)]
    odd = any(length % 2 for length in lengths)
    wrong = sum(1 for _ in _VOICELESS.finditer(data))
    return (
        len(high) >= (_LEAST_KANA if odd else _EVEN)
        and len(high) >= _RUN * len(lengths)
        and wrong <= _WRONG * len(high)
    )


def _middle(data: bytes) -> bytes:
    """A second piece of the sample, from the middle, starting at a line if there is one."""
    at = len(data) // 2 & ~1
    line = data.find(b"\n", at, at + 4096)
    if line >= 0 and data[line + 1 : line + 2] != b"\0":
        at = line + 1
    return data[at : at + _SAMPLE // 2]


def score(data: bytes, encoding: str, floor: float = float("-inf")) -> float:
    """How much like Japanese or plain text the bytes read in an encoding; 1 a byte is ASCII.

    What is below ``floor`` anyway is told as anything up to it.
    """
    import numpy as np

    if encoding == "latin-1":
        codes = np.frombuffer(data, np.uint8).astype(np.uint32)
        return float(np.where(codes >= 0xA0, 0.4, _weights()[codes]).sum())
    codes = np.frombuffer(data.decode(encoding, "replace").encode("utf-32-le"), np.uint32)
    if encoding.startswith("utf-16") and _two_letters(codes):
        return float("-inf")
    lengths = _lengths(codes, encoding)
    said = _weights()[np.minimum(codes, 0x10000)] * lengths
    broken = codes == 0xFFFD
    count = int(np.count_nonzero(broken))
    if not count:
        return float(said.sum())
    replaced = _REPLACEMENT.get(encoding)
    if replaced is not None and replaced not in data:
        lost = len(data) - int(lengths[~broken].sum())
        return float(said[~broken].sum()) + _BROKEN_WEIGHT * lost
    most = float(said[~broken].sum()) + _BROKEN_WEIGHT * count
    if most <= floor and replaced is None:
        return most
    codes = _codes(data, encoding)  # dear: a call of Python for each broken place
    return float((_weights()[np.minimum(codes, 0x10000)] * _lengths(codes, encoding)).sum())


_LETTERS = 0.6
"""Share of kanji that are two letters of ASCII each, from which on they are just these: of names
and Chinese prose a quarter are.
"""


def _two_letters(codes: npt.NDArray[np.uint32]) -> bool:
    """Are these kanji the letters of string tables and dumps, two at a time?"""
    high, low = codes >> 8, codes & 0xFF
    plain = (codes > 0x3400) & (high < 0x7F) & (low > 0x20) & (low < 0x7F)
    return int(plain.sum()) > _LETTERS * len(codes)


@cache
def _weights() -> npt.NDArray[np.float64]:
    """What a character says for a reading, a byte: kana and common kanji much, controls against.
    The last one speaks for all beyond the basic plane.
    """
    import numpy as np

    table = np.full(0x10001, -1.0)
    table[0x20:0x7F] = 1.0
    table[:0x20] = -8.0
    table[[9, 10, 13]] = 1.0
    table[0x7F:0xA0] = -6.0
    table[0xA0:0x250] = 0.0
    table[0x2000:0x2700] = 0.5
    table[0x3000:0x3003] = 2.0
    table[0x3003:0x3041] = 1.5
    table[0x3041:0x3097] = 2.0
    table[0x30A1:0x30FF] = 1.8
    table[0x4E00:0xA000] = 0.0
    for lead in range(0xB0, 0xF5):
        row = bytes(b for trail in range(0xA1, 0xFF) for b in (lead, trail))
        for char in row.decode("euc_jp", "ignore"):
            table[ord(char)] = 1.6 if lead < 0xD0 else 0.4
    table[0xD800:0xE000] = _BROKEN_WEIGHT
    table[0xE000:0xF900] = -4.0
    table[0xFF01:0xFF5F] = 1.5
    table[0xFF61:0xFFA0] = 0.3
    table[0xFFF0:0x10000] = -6.0
    return table


# --- decoding ----------------------------------------------------------------------------


def _decode(data: bytes, encoding: str, skip: int) -> Text:
    import numpy as np

    if encoding == "iso-2022-jp":
        return _decode_7bit(data)
    if encoding not in ENCODINGS and encoding not in _NEIGHBOURS:
        return _decode_slowly(data, encoding)
    if not encoding.startswith("utf-16") and data.isascii():
        return Text(data.decode("ascii"), range(len(data) + 1), encoding)
    body = memoryview(data)[skip:]
    if encoding in _COMPILED:
        from hakushi.detect import decode_kernel

        codes, offsets = decode_kernel.decode(body, encoding)
        offsets += skip
        chars = str(codes.data, "utf-32-le")
        del codes  # of a large text it is a third of the memory
        return Text(chars, _array(offsets), encoding)
    codes = _codes(body, encoding)
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(_lengths(codes, encoding)))) + skip
    return Text(_chars(codes), _array(ends), encoding)


def _array(offsets: npt.NDArray[np.int32] | npt.NDArray[np.int64]) -> Sequence[int]:
    """Offsets that are Python's own numbers when one is asked for."""
    out = array("i" if offsets.itemsize == 4 else "q")
    out.frombytes(offsets.view("u1").data)
    return out


def _codes(data: bytes | memoryview, encoding: str) -> npt.NDArray[np.uint32]:
    """Code points; broken bytes as marks."""
    import numpy as np

    chars = codecs.decode(data, encoding, "hakushi.mark")
    return np.frombuffer(chars.encode("utf-32-le", "surrogatepass"), np.uint32)


def _chars(codes: npt.NDArray[np.uint32]) -> str:
    import numpy as np

    broken = (codes >= _BROKEN) & (codes < 0xE000)
    if broken.any():
        codes = np.where(broken, np.uint32(0xFFFD), codes)
    return codes.tobytes().decode("utf-32-le")


def _lengths(codes: npt.NDArray[np.uint32], encoding: str) -> npt.NDArray[np.int64]:
    """The bytes of each code point in an encoding; a mark tells its own."""
    import numpy as np

    if encoding == "utf-8":
        lengths = 1 + (codes >= 0x80) + (codes >= 0x800).astype(np.int64) + (codes >= 0x10000)
    elif encoding in ("utf-16-le", "utf-16-be"):
        lengths = np.where(codes >= 0x10000, 4, 2)
    elif encoding == "cp932":
        single = (codes < 0xA1) | ((codes >= 0xFF61) & (codes <= 0xFF9F))
        lengths = np.where(single | ((codes >= 0xF8F0) & (codes <= 0xF8F3)), 1, 2)
    elif encoding == "euc_jp":
        lengths = _euc_lengths()[np.minimum(codes, 0xFFFF)]
    elif encoding in _NEIGHBOURS:
        lengths = 1 + (codes >= 0x80).astype(np.int64)
    else:
        lengths = np.ones(len(codes), np.int64)
    broken = (codes >= _BROKEN) & (codes < 0xE000)
    return np.where(broken, codes.astype(np.int64) - _BROKEN, lengths).astype(np.int64)


@cache
def _euc_lengths() -> npt.NDArray[np.int64]:
    import numpy as np

    table = np.full(0x10000, 3, np.int64)
    table[:0xA1] = 1
    table[0xFF61:0xFFA0] = 2
    for lead in range(0xA1, 0xFF):
        row = bytes(b for trail in range(0xA1, 0xFF) for b in (lead, trail))
        table[[ord(c) for c in row.decode("euc_jp", "ignore")]] = 2
    return table


def shift(offsets: Sequence[int], by: int) -> Sequence[int]:
    """Offsets of a part as offsets of the whole."""
    import numpy as np

    return _array(np.asarray(offsets, np.int64) + by)


def _decode_slowly(data: bytes, encoding: str) -> Text:
    """Byte by byte, for any encoding that Python has."""
    chars: list[str] = []
    offsets: list[int] = []
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    first = 0
    for at in range(len(data)):
        for char in decoder.decode(data[at : at + 1], at + 1 == len(data)):
            chars.append(char)
            offsets.append(first)
            first = at
        first = at + 1 - len(decoder.getstate()[0])
    return Text("".join(chars), (*offsets, len(data)), encoding)


def _decode_7bit(data: bytes) -> Text:
    """ISO-2022-JP: escape sequences belong to no character."""
    from hakushi.detect import jis_kernel

    codes, offsets = jis_kernel.decode(data)
    return Text(str(codes.data, "utf-32-le"), _array(offsets), "iso-2022-jp")


def dirt(text: Text) -> float:
    """The share of characters that no text has: broken bytes, controls. 1 where much is strange."""
    import numpy as np

    if text.chars.isascii():
        return _ascii_dirt(text.chars.encode("ascii"))
    size, strange, broken = len(text.chars), 0, 0
    for at in range(0, size, _AT_ONCE):
        raw = text.chars[at : at + _AT_ONCE].encode("utf-32-le", "surrogatepass")
        weights = _weights()[np.minimum(np.frombuffer(raw, np.uint32), 0x10000)]
        strange += int(np.count_nonzero(weights < 0))
        broken += int(np.count_nonzero(weights <= -5))
    if not strange:
        return 0.0
    # Chance bytes are hardly ever UTF-8, nor pairs that those languages are full of.
    foreign = text.encoding == "utf-8" or text.encoding in _NEIGHBOURS
    if not foreign and strange >= _STRANGE * size:
        return 1.0
    return broken / size


def _ascii_dirt(data: bytes) -> float:
    """`dirt` of ASCII."""
    strange, broken = _odd_ascii()
    odd = len(data) - len(data.translate(None, strange))
    if not odd:
        return 0.0
    if odd >= _STRANGE * len(data):
        return 1.0
    return (len(data) - len(data.translate(None, broken))) / len(data)


@cache
def _odd_ascii() -> tuple[bytes, bytes]:
    """Characters that are strange, and those that no text has."""
    weights = _weights()[:128]
    return bytes((weights < 0).nonzero()[0].tolist()), bytes((weights <= -5).nonzero()[0].tolist())


@cache
def common() -> frozenset[str]:
    """The characters of which Japanese text is made, and printable ASCII."""
    return frozenset(chr(code) for code, weight in enumerate(_weights()) if weight >= 1)

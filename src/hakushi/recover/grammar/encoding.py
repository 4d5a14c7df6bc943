"""Which bytes are text, in which encoding, and where they stop being it."""

from __future__ import annotations

import codecs
from functools import cache
from typing import TYPE_CHECKING

from hakushi.model import SECTOR, Extent, Source
from hakushi.recover.cursor import Budget
from hakushi.recover.grammar.stream import pieces

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE = 4096
LEAST = 16
"""Shorter texts are not told from chance."""

_ALLOWED = frozenset({9, 10, 12, 13, 0x1A, 0x1B, *range(32, 127), *range(128, 256)})
CONTROLS = bytes(0 if byte in _ALLOWED else 1 for byte in range(256))
"""1 for a byte that no 8-bit text holds; DOS ends a text with 0x1A, ISO-2022-JP needs ESC."""

_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J", b"\x1b(I", b"\x1b$(D")


def first_control(data: bytes) -> int:
    """Offset of the first byte that no 8-bit text holds, or the length."""
    at = data.translate(CONTROLS).find(1)
    return len(data) if at < 0 else at


@cache
def units() -> npt.NDArray[np.uint8]:
    """1 for each UTF-16 unit that a text may hold."""
    import numpy as np

    table = np.zeros(65536, np.uint8)
    table[[9, 10, 13]] = 1
    for low, high in (
        (0x20, 0x7F),
        (0xA0, 0x250),
        (0x370, 0x500),
        (0x2000, 0x2700),
        (0x3000, 0x3400),
        (0x4E00, 0xA000),
        (0xF900, 0xFB00),
        (0xFF01, 0xFFEF),
        (0xD800, 0xE000),
    ):
        table[low:high] = 1
    table[0xFEFF] = 1
    return table


def first_odd_unit(data: bytes, order: str) -> int:
    """Offset of the first UTF-16 unit that no text holds, or the length (rounded down to even)."""
    import numpy as np

    even = len(data) & ~1
    odd = np.flatnonzero(units()[np.frombuffer(data[:even], f"{order}u2")] == 0)
    return int(odd[0]) * 2 if len(odd) else even


def guess(sample: bytes) -> str | None:
    """The encoding of a text that starts so; a last character that is cut is forgiven.

    One of ascii, utf-8, cp932, euc_jp, iso2022_jp, cp1252, utf-16-le, utf-16-be; None: no text.
    """
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8" if _decodes(sample, "utf-8") else None
    wide = _wide(sample)
    if wide or first_control(sample) < len(sample):
        return wide
    if sample.isascii():
        if b"\x1b" not in sample:
            return "ascii"
        known = any(escape in sample for escape in _ESCAPES)
        return "iso2022_jp" if known and _decodes(sample, "iso2022_jp") else None
    if b"\x1b" in sample:
        return None
    if _decodes(sample, "utf-8"):
        return "utf-8"
    scores = {name: _score(sample, name) for name in ("cp932", "euc_jp")}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0.3:
        return best
    high = len(sample.translate(None, bytes(range(128))))
    return "cp1252" if high * 8 < len(sample) and _decodes(sample, "cp1252") else None


def _wide(sample: bytes) -> str | None:
    """UTF-16 by its mark, by the zeros of ASCII in it, or by nothing but Japanese units."""
    for mark, order, name in ((b"\xff\xfe", "<", "utf-16-le"), (b"\xfe\xff", ">", "utf-16-be")):
        if sample.startswith(mark):
            return name if first_odd_unit(sample, order) >= min(len(sample) & ~1, 64) else None
    if len(sample) < 2 * LEAST or not (b"\0" in sample or _dense(sample)):
        return None
    for order, name in (("<", "utf-16-le"), (">", "utf-16-be")):
        if first_odd_unit(sample, order) == len(sample) & ~1 and _decodes(sample, name):
            return name
    return None


def _dense(sample: bytes) -> bool:
    """Kana in UTF-16 put 0x30 into every other byte."""
    return max(sample[0::2].count(0x30), sample[1::2].count(0x30)) * 5 > len(sample)


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start > 0 and len(sample) - error.start < 4
    return True


def _score(sample: bytes, encoding: str) -> float:
    """How Japanese it looks in that encoding, at most 1; -1 where it is not in it."""
    import numpy as np

    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start == 0 or len(sample) - error.start > 3:
            return -1.0
        text = sample[: error.start].decode(encoding)
    units = np.frombuffer(text.encode("utf-16-le"), np.uint16)
    other = units[units > 0x7F]
    return float(_weights()[other].mean()) if len(other) else -1.0


@cache
def _weights() -> npt.NDArray[np.float64]:
    """How Japanese each UTF-16 unit looks."""
    import numpy as np

    weights = np.full(65536, -1.0)
    weights[0xFF61:0xFFA0] = 0.45
    weights[0x2010:0x2700] = weights[0xFF01:0xFF5F] = 0.8
    weights[0x4E00:0xA000] = 0.2
    # Rows 16-47 of JIS X 0208 hold the kanji of daily life.
    cells = (bytes((row, cell)) for row in range(0xB0, 0xD0) for cell in range(0xA1, 0xFF))
    daily = (cell.decode("euc_jp", "ignore") for cell in cells)
    weights[[ord(char) for char in daily if char]] = 0.8
    weights[0x3000:0x3100] = 1.0
    return weights


def text_end(source: Source, budget: Budget) -> tuple[int, str] | None:
    """(offset at which it stops being text, encoding); None where it starts as none."""
    sample = _first_text(source.read(Extent(0, SAMPLE)))
    narrow = sample[: first_control(sample)]
    encoding = guess(sample)
    if encoding is None and len(narrow) >= LEAST:
        encoding = guess(narrow)
    if encoding is None:
        return None
    if encoding.startswith("utf-16"):
        return _wide_end(source, encoding, budget), encoding
    return _narrow_end(source, encoding, budget)


def _first_text(sample: bytes) -> bytes:
    """Up to the first sector that ends in zeros, without them."""
    for end in range(SECTOR, len(sample) + 1, SECTOR):
        if sample[end - 2 : end] == b"\0\0":
            sample = sample[:end]
            break
    bare = sample.rstrip(b"\0")
    return sample[: len(bare) + len(bare) % 2] if b"\0" in bare else bare


def _wide_end(source: Source, encoding: str, budget: Budget) -> int:
    order, rest, end = "<" if encoding.endswith("le") else ">", b"", 0
    for at, data in pieces(source, budget):
        whole = rest + data
        end = at - len(rest) + first_odd_unit(whole, order)
        if end < at + len(data) - 1:
            return end
        rest = whole[len(whole) & ~1 :]
    return end


def _narrow_end(source: Source, encoding: str, budget: Budget) -> tuple[int, str]:
    rest, end = b"", 0
    for at, data in pieces(source, budget):
        whole, base = rest + data, at - len(rest)
        stop = first_control(whole)
        good, encoding = _valid(whole[:stop], encoding)
        end = base + good
        cut = stop - good <= _LONGEST_CUT.get(encoding, 3)
        if stop < len(whole):
            # A character that is cut right before the padding still is the text's.
            return base + stop if cut else end, encoding
        if not cut:
            return end, encoding
        rest = whole[good:]
    return end + len(rest), encoding


_LONGEST_CUT = {"iso2022_jp": 1 << 16}


def _valid(data: bytes, encoding: str) -> tuple[int, str]:
    """(how much of it decodes, in which encoding): ASCII is another from its first high byte on."""
    if encoding == "iso2022_jp":
        # Its lines end in ASCII, so a line is whole or not.
        line = data.rfind(b"\n") + 1
        return (line or len(data)) if _decodes(data[: line or None], encoding) else 0, encoding
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        good = error.start
        if encoding != "ascii":
            return good, encoding
        # The line in which it happens tells more than what follows alone.
        line = data.rfind(b"\n", 0, good) + 1
        other = guess(data[max(line, good - 64) : good + SAMPLE])
        return _valid(data, other) if other and other != "ascii" else (good, encoding)
    return len(data), encoding


def settle(source: Source, end: int) -> tuple[int, bool]:
    """(end of a text that stops being text at ``end``, whether that is sure).

    A file's last sector is filled with zeros. Where other bytes follow, the text went on elsewhere,
    and what follows began at a sector.
    """
    if end >= source.size:
        return end, True
    pad = source.read(Extent(end, -end % SECTOR))
    if end % SECTOR and not pad.strip(b"\0"):
        return end, True
    return end - end % SECTOR, False


def text_sectors(data: bytes, behind: bool) -> npt.NDArray[np.bool_]:
    """For each sector whether it may be text: 8-bit or UTF-16, zeros behind it forgiven.

    Less than `LEAST` bytes before the zeros are text only behind a sector of text; ``behind`` says
    whether the first one is.
    """
    import numpy as np

    data += bytes(-len(data) % SECTOR)
    marks = np.frombuffer(data.translate(CONTROLS), np.uint8).reshape(-1, SECTOR)
    flags: npt.NDArray[np.bool_] = marks.view(np.uint64).max(axis=1) == 0
    tails = np.zeros(len(flags), bool)
    sectors = np.frombuffer(data, np.uint8).reshape(-1, SECTOR)
    left = np.flatnonzero(~flags & (marks[:, 0] == 0) & (sectors[:, -1] == 0))
    zeros = _trailing_zeros(sectors[left])
    good = marks[left].sum(axis=1) == zeros
    flags[left] = good & (zeros <= SECTOR - LEAST)
    tails[left] = good
    for order in "<>":
        words = sectors.view(f"{order}u2")
        left = np.flatnonzero(~flags & ~tails)
        left = left[units()[words[left, 0]] == 1]
        last = words[left, -1]
        left = left[(last == 0) | (units()[last] == 1)]
        left = left[
            units()[words[left, 1:4]].sum(axis=1) + (words[left, 1:4] == 0).sum(axis=1) == 3
        ]
        zeros = _trailing_zeros(sectors[left]) // 2
        good = units()[words[left]].sum(axis=1, dtype=np.int64) + zeros >= SECTOR // 2
        flags[left] = good & (zeros <= SECTOR // 2 - LEAST)
        tails[left] = good
    before = np.concatenate(([behind], flags[:-1]))
    return flags | (tails & before)


def _trailing_zeros(sectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    import numpy as np

    last = (sectors[:, ::-1] != 0).argmax(axis=1)
    return np.where(sectors.any(axis=1), last, SECTOR).astype(np.int64)

"""The compiled part of the prefilter. Imported where it is used: it brings the compiler with it.

Its functions stand at the top of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

SHORTEST = 7
"""Characters that the shortest shape of ASCII has (``a@bc.de``)."""

_BLOCK = 512
"""Words of eight bytes that are looked at together."""

_LOW, _HIGH = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
_FROM_SPACE, _TO_TILDE = np.uint64(0x6060606060606060), np.uint64(0x0101010101010101)
_GROUPS = np.uint64(0x0000008000000080)
_FIRST = np.uint64(0x80)
_BYTE, _UNIT, _GROUP = np.uint64(8), np.uint64(16), np.uint64(32)


@numba.njit(cache=True, nogil=True, inline="always")
def _printable(word: Any) -> Any:
    """The high bit of each byte of a word that is printable ASCII."""
    low = word & _LOW
    return (low + _FROM_SPACE) & ~(low + _TO_TILDE) & ~word & _HIGH


@numba.njit(cache=True, nogil=True, inline="always")
def _zeros(word: Any) -> Any:
    """The high bit of each byte of a word that is zero."""
    return ~(((word & _LOW) + _LOW) | word) & _HIGH


@numba.njit(cache=True, nogil=True, inline="always")
def _ascii(word: Any) -> Any:
    """A bit for each half of a word that is four characters of ASCII."""
    pairs = _printable(word)
    pairs &= pairs >> _BYTE
    return pairs & (pairs >> _UNIT) & _GROUPS


@numba.njit(cache=True, nogil=True, inline="always")
def _wide(word: Any) -> Any:
    """A bit for each half of a word that is two characters of ASCII in 16 bits, in either order."""
    plain, zero = _printable(word), _zeros(word)
    little, big = plain & (zero >> _BYTE), zero & (plain >> _BYTE)
    return ((little & (little >> _UNIT)) | (big & (big >> _UNIT))) & _GROUPS


@numba.njit(cache=True, nogil=True)
def _groups(words: Any, groups: Any) -> None:
    """What `_ascii` or `_wide` see in each word: without a branch, so that many go at once."""
    for i in range(len(words)):
        groups[i] = _ascii(words[i]) | _wide(words[i])


@numba.njit(cache=True, nogil=True)
def _plain(byte: int) -> bool:
    return 0x20 <= byte <= 0x7E


@numba.njit(cache=True, nogil=True)
def _whole_run(data: Any, at: int, done: int) -> Any:
    """The run of printable bytes around ``at``."""
    first, last = at, at + 1
    while first > done and _plain(data[first - 1]):
        first -= 1
    while last < len(data) and _plain(data[last]):
        last += 1
    return first, last


@numba.njit(cache=True, nogil=True)
def _wide_run(data: Any, at: int, done: int) -> Any:
    """The run of printable bytes and zeros, by turns, around a printable one at ``at``."""
    first, last = at, at
    while first - 2 >= done and data[first - 1] == 0 and _plain(data[first - 2]):
        first -= 2
    while last + 2 < len(data) and data[last + 1] == 0 and _plain(data[last + 2]):
        last += 2
    return first, last + 1


@numba.njit(cache=True, nogil=True)
def runs(data: Any, out: Any, out16: Any, table: Any, table16: Any) -> Any:
    """Copies each run of `SHORTEST` or more printable ASCII characters, with a zero behind it.

    Runs of bytes go to ``out``, those of 16-bit units (``c 0 c 0 … c``, in either order) to
    ``out16``, a byte a unit. The tables get where each began in ``data`` and where it stands in
    its output; their last two entries how many there are, and the bytes copied. A run holds an
    aligned group of four bytes: only around these is anything looked at byte by byte. The length of
    ``data`` is a multiple of eight.
    """
    words = data.view(np.uint64)
    count = filled = count16 = filled16 = done = done16 = 0
    groups = np.empty(_BLOCK, np.uint64)
    for block in range(0, len(words), _BLOCK):
        _groups(words[block : block + _BLOCK], groups)
        for i in range(block, min(len(words), block + _BLOCK)):
            if groups[i - block] == 0:
                continue
            narrow, wide = _ascii(words[i]), _wide(words[i])
            for at in range(8 * i, 8 * i + 8, 4):
                if narrow & _FIRST and at >= done:
                    first, done = _whole_run(data, at, done)
                    if done - first >= SHORTEST:
                        table[0, count], table[1, count] = first, filled
                        count += 1
                        out[filled : filled + done - first] = data[first:done]
                        filled += done - first + 1
                        out[filled - 1] = 0
                elif wide & _FIRST and at >= done16:
                    first, done16 = _wide_run(data, at + (data[at] == 0), done16)
                    if done16 - first >= 2 * SHORTEST - 1:
                        table16[0, count16], table16[1, count16] = first, filled16
                        count16 += 1
                        for k in range(first, done16, 2):
                            out16[filled16] = data[k]
                            filled16 += 1
                        out16[filled16] = 0
                        filled16 += 1
                narrow, wide = narrow >> _GROUP, wide >> _GROUP
    table[0, -1], table[1, -1] = count, filled
    table16[0, -1], table16[1, -1] = count16, filled16


@numba.njit(cache=True, nogil=True)
def _any_word(codes: Any, at: int, words: Any) -> bool:
    """Whether one of the words stands there."""
    for which in range(words.shape[0]):
        i = 0
        while i < words.shape[1] and words[which, i] != 0:
            if at + i >= len(codes) or codes[at + i] != words[which, i]:
                break
            i += 1
        if i == words.shape[1] or words[which, i] == 0:
            return True
    return False


@numba.njit(cache=True, nogil=True, inline="always")
def _digit(code: int) -> bool:
    return 48 <= code <= 57


@numba.njit(cache=True, nogil=True)
def _valued(codes: Any, valued: Any) -> None:
    """Which lines have what rows of values have, and no header: an @, five digits, or digits on
    both sides of a hyphen.
    """
    line = run = 0
    for at in range(len(codes)):
        code = codes[at]
        if code == 10:
            line, run = line + 1, 0
        elif _digit(code):
            run += 1
            if run == 5 or (at > 1 and codes[at - 1] == 45 and _digit(codes[at - 2])):
                valued[line] = True
        else:
            run = 0
            if code == 64:
                valued[line] = True


@numba.njit(cache=True, nogil=True)
def _count(codes: Any, classes: Any, words: Any, pairs: Any, starts: Any, counts: Any) -> None:
    line = 0
    starts[0] = 0
    for at in range(len(codes)):
        code = codes[at]
        if code == 10:
            line += 1
            starts[line] = at + 1
            continue
        if code == 32 and at and codes[at - 1] == 32:
            counts[line, 5] += 1
        bits = classes[code] if code < 0x10000 else 0
        if bits:
            for place in range(9):
                counts[line, place] += (bits >> place) & 1
        if code >= 128 or at + 1 >= len(codes) or codes[at + 1] >= 128:
            continue
        if pairs[code, codes[at + 1]] and _any_word(codes, at, words):
            counts[line, 6] += 1


@numba.njit(cache=True, nogil=True)
def _alike(counts: Any, fewest: int, number: int) -> Any:
    good = np.zeros(len(counts), np.bool_)
    for line in range(len(counts) - fewest + 1):
        place = 0
        while place < 4 and counts[line, place] == 0:
            place += 1
        if place == 4:
            continue
        here, quoted, telling = counts[line, place], counts[line, 4] > 0, 0
        for row in range(line, line + fewest):
            other = counts[row, place]
            if other == 0 or (other != here and not quoted and counts[row, 4] == 0):
                break
            telling += counts[row, 7] > 0 or counts[row, 8] >= number
        else:
            good[line] = telling >= 2
    return good


@numba.njit(cache=True, nogil=True)
def lines(codes: Any, classes: Any, words: Any, pairs: Any, fewest: int, number: int) -> Any:
    """Where each line of a text begins; which may be headers, and from which on ``fewest`` may be
    rows of one table.

    ``codes``: uint32. ``classes``: for each code point below 65,536 a bit for each of nine counts;
    the sixth is two spaces in a row, whatever the table says; the seventh counts ``words`` of
    ASCII, too, a row each with zeros behind; ``pairs``: their first two characters. No header has
    what only values have.

    Rows have the same delimiter, as often in each unless quotes hide some. Two of them at least
    have a ``number`` of digits, an @, a kanji or a kana, without which no cell says what it is.
    """
    count = 1
    for code in codes:
        count += code == 10
    starts, counts = np.zeros(count, np.int64), np.zeros((count, 9), np.int64)
    _count(codes, classes, words, pairs, starts, counts)
    headers, valued = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    _valued(codes, valued)
    for line in range(count):
        if counts[line, 6] and not valued[line]:
            headers[line] = counts[line, :4].sum() + counts[line, 5] > 0
    return starts, headers, _alike(counts, fewest, number)


QUOTE, _NEWLINE, _CARRIAGE = ord('"'), 10, 13
_TRIMMED = (32, QUOTE, ord("'"), _CARRIAGE)
_RULE = (32, ord("-"), ord("+"), ord("="), ord("|"), ord(":"), _CARRIAGE, 9)
"""Characters around a field that are no part of it; and those of a line between rows."""

_MOST_FIELDS = 255


@numba.njit(cache=True, nogil=True)
def _quoted(codes: Any, at: int, end: int) -> int:
    """The end of a quoted field that begins at ``at``; doubled quotes are a part of it."""
    pair, i = -1, at + 1
    while i < end:
        if codes[i] == QUOTE:
            if i + 1 >= end or codes[i + 1] != QUOTE:
                return i + 1
            pair = i
            i += 1
        i += 1
    return at if pair < 0 else pair + 1


@numba.njit(cache=True, nogil=True)
def _split(codes: Any, at: int, end: int, delimiter: int, fields: Any) -> int:
    """The fields of a line, trimmed; how many, or -1 where they are too many."""
    count, any_quote = 0, False
    for i in range(at, end):
        any_quote = any_quote or codes[i] == QUOTE
    while at <= end:
        if count == _MOST_FIELDS:
            return -1
        low = high = at
        if any_quote and at < end and codes[at] == QUOTE:
            high = _quoted(codes, at, end)
        while high < end and codes[high] != delimiter:
            high += 1
        at = high + 1
        while low < high and codes[low] in _TRIMMED:
            low += 1
        while high > low and codes[high - 1] in _TRIMMED:
            high -= 1
        fields[count, 0], fields[count, 1] = low, high
        count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _rows(
    codes: Any, at: int, stop: int, delimiter: int, width: int, most: int, out: Any
) -> tuple[int, int]:
    fields = np.empty((_MOST_FIELDS, 2), np.int64)
    filled = 0
    while at < stop and filled + width <= len(out):
        end, rule = at, True
        while end < len(codes) and codes[end] != _NEWLINE:
            rule = rule and codes[end] in _RULE
            end += 1
        if rule or end - at > most:
            break
        count = _split(codes, at, end, delimiter, fields)
        if count < 2 or count < width - 2 or count > width + 2:
            break
        for place in range(min(count, width)):
            if fields[place, 0] < fields[place, 1]:
                out[filled, 0], out[filled, 1] = fields[place, 0], fields[place, 1]
                out[filled, 2] = place
                filled += 1
        at = end + 1
    return at, filled


def rows(codes: Any, at: int, stop: int, delimiter: int, width: int, most: int) -> Any:
    """The cells of the lines from ``at`` on that are rows of a table with ``width`` columns.

    Ends before the first line that begins at ``stop`` or behind, that is no row, has more than
    ``most`` characters, or tells nothing; or, of many rows, somewhere. Where it ended, and (start,
    end, column) of every cell that is not empty.
    """
    out = np.empty((max(width, min(stop - at, 1 << 16)), 3), np.int64)
    ended, filled = _rows(codes, at, stop, delimiter, width, most, out)
    return ended, out[:filled]


class Runs:
    """The runs of ASCII in some bytes, of 8-bit or 16-bit units, one behind the other."""

    def __init__(self, out: Any, table: Any, unit: int) -> None:
        count, filled = int(table[0, -1]), int(table[1, -1])
        self.data: bytes = out[:filled].tobytes()
        self.starts, self._places = table[0, :count], table[1, :count]
        self._unit = unit

    def back(self, ends: Any) -> Any:
        """Where ends of matches in ``data`` lie in the bytes that came.

        In 16-bit units that is behind the byte that is no zero.
        """
        index = np.searchsorted(self._places, ends - 1, "right") - 1
        length = ends - self._places[index]
        return self.starts[index] + self._unit * length - (self._unit - 1)


def gather(data: bytes) -> tuple[Runs, Runs]:
    """The runs of ASCII in some bytes, and those of ASCII in 16-bit units."""
    padded = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
    most = len(padded) // SHORTEST + 2
    out, out16 = np.empty(len(padded) + most, np.uint8), np.empty(len(padded) + most, np.uint8)
    table, table16 = np.empty((2, most), np.int64), np.empty((2, most), np.int64)
    runs(padded, out, out16, table, table16)
    return Runs(out, table, 1), Runs(out16, table16, 2)

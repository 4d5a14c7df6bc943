"""The compiled part of the prefilter. Imported where it is used: it brings the compiler with it.

Its functions stand at the top of a module, so that their machine code is found in the cache again.
"""

from __future__ import annotations

import threading
from typing import Any

import numba
import numpy as np

SHORTEST = 7
"""Characters that the shortest shape of ASCII has (``a@bc.de``)."""

_BLOCK = 4096
"""Bytes that are looked at together: what is known of them stays near the processor."""

_PACK, _TOP = np.uint64(0x0102040810204080), np.uint64(56)
_ONE, _ALL, _WORD = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(64)

_DE_BRUIJN, _UPPER_SIX = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_PLACES = np.zeros(64, np.int64)
for _place in range(64):
    _PLACES[((1 << _place) * int(_DE_BRUIJN) >> 58) & 63] = _place


@numba.njit(cache=True, nogil=True)
def _marks(data: Any, following: Any, plain: Any, units: Any) -> None:
    """Which bytes are printable ASCII, and which of these a zero follows (``following``: the same
    bytes from the second on): without a branch, so that many go at once.
    """
    for i in range(len(following)):
        plain[i] = np.uint8(data[i] - np.uint8(0x20)) < np.uint8(0x5F)
        units[i] = (np.uint8(data[i] - np.uint8(0x20)) < np.uint8(0x5F)) & (following[i] == 0)


@numba.njit(cache=True, nogil=True)
def _bits(marks: Any, out: Any) -> None:
    """A bit for each of 64 bytes that are 0 or 1, the first the lowest; ``marks``: words of 8."""
    for i in range(len(out)):
        word, some = np.uint64(0), np.uint64(0)
        for k in range(8):
            some |= marks[8 * i + k]
        if some:
            for k in range(8):
                word |= (marks[8 * i + k] * _PACK >> _TOP) << np.uint64(8 * k)
        out[i] = word


@numba.njit(cache=True, nogil=True, inline="always")
def _both(word: Any, after: Any, by: int) -> Any:
    """Which bits of a word and the one behind it are set with those ``by`` behind them."""
    return word & (word >> np.uint64(by) | after << _WORD - np.uint64(by))


@numba.njit(cache=True, nogil=True, inline="always")
def _begins(plain: Any, after: Any) -> Any:
    """Where `SHORTEST` printable bytes begin."""
    two, two_after = _both(plain, after, 1), after & after >> _ONE
    four, four_after = _both(two, two_after, 2), two_after & two_after >> np.uint64(2)
    return four & (four >> np.uint64(3) | four_after << np.uint64(61))


@numba.njit(cache=True, nogil=True, inline="always")
def _first(word: Any) -> Any:
    """The place of the lowest bit that is set."""
    lowest = word & (~word + _ONE)
    return _PLACES[lowest * _DE_BRUIJN >> _UPPER_SIX]


@numba.njit(cache=True, nogil=True, inline="always")
def _from(word: Any, place: int) -> Any:
    """The bits from a place on."""
    if place <= 0:
        return word
    return word & _ALL << np.uint64(place) if place < 64 else np.uint64(0)


@numba.njit(cache=True, nogil=True, inline="always")
def _plain(byte: int) -> bool:
    return 0x20 <= byte <= 0x7E


@numba.njit(cache=True, nogil=True)
def _narrow_runs(data: Any, base: int, plains: Any, state: Any, out: Any, table: Any) -> None:
    """Copies the runs of bytes that begin in some words of bits, the last of them apart.

    ``state``: how many runs, how many bytes were copied, and where the last one ended.
    """
    count, filled, done = state
    for i in range(len(plains) - 1):
        begins = _from(_begins(plains[i], plains[i + 1]), done - base - 64 * i)
        while begins:
            done = base + 64 * i + _first(begins)
            table[0, count], table[1, count] = done, filled
            count += 1
            while _plain(data[done]):
                out[filled] = data[done]
                filled, done = filled + 1, done + 1
            out[filled] = 0
            filled += 1
            begins = _from(begins, done - base - 64 * i)
    state[:] = count, filled, done


@numba.njit(cache=True, nogil=True)
def _wide_end(data: Any, at: int) -> int:
    """The last character of the run of 16-bit units that begins at ``at``."""
    while data[at + 1] == 0 and _plain(data[at + 2]):
        at += 2
    return at


@numba.njit(cache=True, nogil=True)
def _wide_runs(data: Any, base: int, units: Any, state: Any, out: Any, table: Any) -> None:
    """The same for runs of 16-bit units, out of bits of their units."""
    count, filled, done = state
    for i in range(len(units) - 1):
        two = _both(units[i], units[i + 1], 2)
        begins = np.uint64(0)
        if two:
            two_after = units[i + 1] & units[i + 1] >> np.uint64(2)
            begins = _from(_both(two, two_after, 4), done - base - 64 * i)
        while begins:
            at = base + 64 * i + _first(begins)
            last = _wide_end(data, at)
            begins = _from(begins, last + 1 - base - 64 * i)
            if last - at < 2 * SHORTEST - 2:
                continue
            table[0, count], table[1, count] = at, filled
            count, done = count + 1, last + 1
            for place in range(at, done, 2):
                out[filled] = data[place]
                filled += 1
            out[filled] = 0
            filled += 1
    state[:] = count, filled, done


@numba.njit(cache=True, nogil=True)
def runs(data: Any, out: Any, out16: Any, table: Any, table16: Any) -> Any:
    """Copies each run of `SHORTEST` or more printable ASCII characters, with a zero behind it.

    Runs of bytes go to ``out``, those of 16-bit units (``c 0 c 0 … c``, in either order) to
    ``out16``, a byte a unit. The tables get where each began in ``data`` and where it stands in
    its output. ``data``: bytes, and zeros behind them, 65 at least, to one more than a multiple
    of 64. For each output how many runs there are, and bytes.
    """
    narrow, wide = np.zeros(3, np.int64), np.zeros(3, np.int64)
    plain, units = np.zeros(_BLOCK + 64, np.uint8), np.zeros(_BLOCK + 64, np.uint8)
    bits = np.empty(_BLOCK // 64 + 1, np.uint64)
    for base in range(0, len(data) - 65, _BLOCK):
        seen = min(_BLOCK + 64, len(data) - 1 - base)
        _marks(data[base : base + seen], data[base + 1 : base + seen + 1], plain, units)
        some = bits[: seen // 64]
        _bits(plain.view(np.uint64), some)
        _narrow_runs(data, base, some, narrow, out, table)
        _bits(units.view(np.uint64), some)
        _wide_runs(data, base, some, wide, out16, table16)
    return narrow, wide


@numba.njit(cache=True, nogil=True)
def _any_word(codes: Any, at: int, words: Any, which: int) -> bool:
    """Whether one of the words stands there: those from ``which`` on that begin alike."""
    while which < words.shape[0] and words[which, 0] == codes[at]:
        i = 0
        while i < words.shape[1] and words[which, i] != 0:
            if at + i >= len(codes) or codes[at + i] != words[which, i]:
                break
            i += 1
        if i == words.shape[1] or words[which, i] == 0:
            return True
        which += 1
    return False


BLANK, TELLING, OTHER = 1 << 5, 1 << 6, 1 << 7
"""The classes of characters: below these one each of what sets cells apart; the blank; what tells
what a cell is; and what more is looked at, digits, line ends, @, and what words of headers begin
with. Most characters have none, or tell.
"""


@numba.njit(cache=True, nogil=True, inline="always")
def _digit(code: Any) -> Any:
    return 48 <= code <= 57


@numba.njit(cache=True, nogil=True)
def _count(
    codes: Any, classes: Any, words: Any, firsts: Any, starts: Any, counts: Any, headers: Any
) -> None:
    """Where lines begin, what is in each, and which have a word of headers and nothing of values:
    an @, five digits, or digits on both sides of a hyphen.
    """
    line = digits = run = telling = 0
    word = valued = False
    for at in range(len(codes) + 1):
        code = codes[at] if at < len(codes) else np.uint32(10)
        bits = classes[min(code, np.uint32(0xFFFF))]
        telling |= bits & TELLING
        if not bits & ~TELLING:
            run = 0
            continue
        if _digit(code):
            digits, run = digits + 1, run + 1
            hyphen = run == 1 and at > 1 and codes[at - 1] == 45
            valued = valued or run == 5 or (hyphen and _digit(codes[at - 2]))
            continue
        run = 0
        if code == 10:
            counts[line, 6], counts[line, 7] = telling, digits
            headers[line] = word and not valued
            line, digits, telling = line + 1, 0, 0
            word = valued = False
            starts[line] = at + 1
        elif bits == BLANK:
            if at and codes[at - 1] == 32:
                counts[line, 5] += at < 2 or codes[at - 2] != 32
        elif bits & OTHER:
            valued = valued or code == 64
            word = word or (firsts[code] and _any_word(codes, at, words, firsts[code] - 1))
        else:
            for place in range(5):
                counts[line, place] += (bits >> place) & 1


@numba.njit(cache=True, nogil=True)
def _alike(counts: Any, fewest: int, number: int) -> Any:
    good = np.zeros(len(counts), np.bool_)
    for line in range(len(counts) - fewest + 1):
        place = 0
        while place < 6 and (place == 4 or counts[line, place] == 0):
            place += 1
        if place == 6:
            continue
        here, quoted, telling = counts[line, place], counts[line, 4] > 0, 0
        for row in range(line, line + fewest):
            other = counts[row, place]
            if other == 0 or (other != here and not quoted and counts[row, 4] == 0):
                break
            telling += counts[row, 6] > 0 or counts[row, 7] >= number
        else:
            good[line] = telling >= 2
    return good


@numba.njit(cache=True, nogil=True)
def lines(codes: Any, classes: Any, words: Any, firsts: Any, fewest: int, number: int) -> Any:
    """Where each line of a text begins; which may be headers, and from which on ``fewest`` may be
    rows of one table.

    ``codes``: uint32. ``classes``: for each code point below 65,536 a bit for each of its classes;
    that of the last is that of all behind, and 0. Gaps of two blanks or more are the sixth
    delimiter. A header has one of ``words``, a row each in order with zeros behind, and nothing
    that only values have; ``firsts``: for each code point the number of the first word that begins
    with it, from one on.

    Rows have the same delimiter, as often in each unless quotes hide some. Two of them at least
    have a ``number`` of digits, an @, a kanji or a kana, without which no cell says what it is.
    """
    count = 1
    for code in codes:
        count += code == 10
    starts, counts = np.zeros(count + 1, np.int64), np.zeros((count, 8), np.int64)
    headers = np.zeros(count, np.bool_)
    _count(codes, classes, words, firsts, starts, counts, headers)
    for line in range(count):
        headers[line] = headers[line] and counts[line, :4].sum() + counts[line, 5] > 0
    return starts[:count], headers, _alike(counts, fewest, number)


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

    def __init__(self, out: Any, table: Any, count: int, filled: int, unit: int) -> None:
        self.data: bytes = out[:filled].tobytes()
        self.starts, self._places = table[0, :count].copy(), table[1, :count].copy()
        self._unit = unit

    def back(self, ends: Any) -> Any:
        """Where ends of matches in ``data`` lie in the bytes that came.

        In 16-bit units that is behind the byte that is no zero.
        """
        index = np.searchsorted(self._places, ends - 1, "right") - 1
        length = ends - self._places[index]
        return self.starts[index] + self._unit * length - (self._unit - 1)


class _Room(threading.local):
    """Where runs are gathered: kept by each thread, as asking for memory anew takes as long."""

    def __init__(self) -> None:
        self.grow(1 << 16)

    def grow(self, size: int) -> None:
        self.size = size
        self.data = np.zeros(size + 192, np.uint8)
        most = size // SHORTEST + 2
        self.outs = [np.empty(size + most, np.uint8) for _ in range(2)]
        self.tables = [np.empty((2, most), np.int64) for _ in range(2)]

    def filled(self, data: bytes) -> Any:
        """The bytes, with as many zeros behind them as `runs` wants."""
        if len(data) > self.size:
            self.grow(len(data))
        padded = self.data[: (len(data) // 64 + 2) * 64 + 1]
        padded[: len(data)] = np.frombuffer(data, np.uint8)
        padded[len(data) :] = 0
        return padded


_room = _Room()


def gather(data: bytes) -> tuple[Runs, Runs]:
    """The runs of ASCII in some bytes, and those of ASCII in 16-bit units."""
    padded = _room.filled(data)
    states = runs(padded, *_room.outs, *_room.tables)
    narrow, wide = (
        Runs(out, table, int(state[0]), int(state[1]), unit)
        for out, table, state, unit in zip(_room.outs, _room.tables, states, (1, 2), strict=True)
    )
    return narrow, wide

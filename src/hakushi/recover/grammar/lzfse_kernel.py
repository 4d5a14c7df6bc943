"""The inner loops of `lzfse`, compiled by numba once and kept beside this file.

A negative number instead of a count says that the bytes are broken. Nothing is written beyond
``out``.
"""

from typing import Any

import numba
import numpy as np

LENGTHS, MATCHES, DISTANCES, LITERALS = 20, 20, 64, 256
"""Symbols of the four alphabets, in the order of their frequencies in a header."""

STATES = (64, 64, 256, 1024)
"""States of the automaton of each."""

LENGTH_BITS = np.array([0] * 16 + [2, 3, 5, 8], np.int64)
MATCH_BITS = np.array([0] * 16 + [3, 5, 8, 11], np.int64)
DISTANCE_BITS = np.repeat(np.arange(16, dtype=np.int64), 4)


def bases(bits: Any) -> Any:
    """The smallest value of each symbol: those before it leave no gap."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(1 << bits)[:-1]))


LENGTH_BASES, MATCH_BASES, DISTANCE_BASES = map(bases, (LENGTH_BITS, MATCH_BITS, DISTANCE_BITS))

_SHORT = np.array([2, 3, 2, 5, 2, 3, 2, 8, 2, 3, 2, 5, 2, 3, 2, 14] * 2, np.int64)
_SMALL = np.array([[0, 2, 1, more, 0, 3, 1, -1] for more in (4, 5, 6, 7)], np.int64).reshape(-1)
"""How many bits a frequency has, by its first five, and its value if it has no more than these."""


@numba.njit(cache=True, nogil=True)
def frequencies(data: Any, out: Any) -> bool:
    """The 360 frequencies of a header, which must use up ``data`` but for seven bits."""
    held: Any = 0
    count, at = 0, 0
    for i in range(len(out)):
        while at < len(data) and count <= 24:
            held |= np.int64(data[at]) << count
            count, at = count + 8, at + 1
        size = _SHORT[held & 31]
        if size > count:
            return False
        out[i] = _SMALL[held & 31]
        if size == 8:
            out[i] = 8 + (held >> 4 & 0xF)
        elif size == 14:
            out[i] = 24 + (held >> 4 & 0x3FF)
        held, count = held >> size, count - size
    return at == len(data) and count < 8


@numba.njit(cache=True, nogil=True)
def _log2(value: int) -> int:
    out = 0
    while value > 1:
        value >>= 1
        out += 1
    return out


@numba.njit(cache=True, nogil=True)
def automaton(counts: Any, states: int, out: Any) -> int:
    """For each state (bits to read, what to add to them, symbol); how many states there are."""
    at = 0
    for symbol in range(len(counts)):
        count = counts[symbol]
        if count == 0:
            continue
        if at + count > states:
            return -1
        most = _log2(states) - _log2(count)
        long = (2 * states >> most) - count
        for i in range(count):
            if i < long:
                out[at, 0], out[at, 1] = most, (count + i << most) - states
            else:
                out[at, 0], out[at, 1] = most - 1, i - long << most - 1
            out[at, 2] = symbol
            at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _pull(data: Any, place: int, count: int) -> Any:
    """``count`` bits below bit ``place``; the caller sees to it that they are there."""
    low = place - count
    at = low >> 3
    word: Any = 0
    for i in range(5):
        if at + i < len(data):
            word |= np.int64(data[at + i]) << 8 * i
    return word >> (low & 7) & (1 << count) - 1


@numba.njit(cache=True, nogil=True)
def literals(data: Any, spare: int, states: Any, table: Any, size: int, out: Any) -> bool:
    """The literals of a block, which four automata in turn read from the end of ``data`` on.

    ``spare``: bits at the end that belong to none.
    """
    place = 8 * len(data) - spare
    for i in range(len(out)):
        state = states[i & 3]
        if state >= size or table[state, 0] > place:
            return False
        out[i] = table[state, 2]
        states[i & 3] = table[state, 1] + _pull(data, place, table[state, 0])
        place -= table[state, 0]
    return True


@numba.njit(cache=True, nogil=True)
def _value(data: Any, place: int, state: int, table: Any, size: int, bits: Any, bases: Any) -> Any:
    """(value, next state, place behind it); the place is negative where bits are missing."""
    if state >= size:
        return 0, 0, -1
    symbol = table[state, 2]
    more = bits[symbol]
    count = table[state, 0] + more
    if count > place:
        return 0, 0, -1
    read = _pull(data, place, count)
    value = bases[symbol] + (read & (1 << more) - 1)
    return value, table[state, 1] + (read >> more), place - count


@numba.njit(cache=True, nogil=True)
def _repeat(out: Any, at: int, distance: int, count: int) -> bool:
    """Copies what stands ``distance`` before, which may be what it writes."""
    if distance < 1 or distance > at or at + count > len(out):
        return False
    for i in range(at, at + count):
        out[i] = out[i - distance]
    return True


@numba.njit(cache=True, nogil=True)
def matches(
    data: Any,
    spare: int,
    count: int,
    states: Any,
    sizes: Any,
    tables: Any,
    said: Any,
    out: Any,
    at: int,
) -> int:
    """Puts literals and copies together, from ``at`` on in ``out``; where it ends.

    Lengths, matches and distances are read in turn from the end of ``data`` on.
    """
    place, used, distance = 8 * len(data) - spare, 0, 0
    length_table, match_table, distance_table = tables
    for _ in range(count):
        length, states[0], place = _value(
            data, place, states[0], length_table, sizes[0], LENGTH_BITS, LENGTH_BASES
        )
        if place < 0:
            return -1
        match, states[1], place = _value(
            data, place, states[1], match_table, sizes[1], MATCH_BITS, MATCH_BASES
        )
        if place < 0:
            return -1
        again, states[2], place = _value(
            data, place, states[2], distance_table, sizes[2], DISTANCE_BITS, DISTANCE_BASES
        )
        if place < 0 or used + length > len(said) or at + length > len(out):
            return -1
        distance = again or distance
        for i in range(length):
            out[at + i] = said[used + i]
        used, at = used + length, at + length
        if match and not _repeat(out, at, distance, match):
            return -1
        at += match
    return at


@numba.njit(cache=True, nogil=True)
def _size(code: Any) -> int:
    """Bytes of the operation that begins with a byte; 0 at the end, negative for none."""
    high, low = code >> 4, code & 7
    if high >= 0xE:
        return 1 if code & 0xF else 2
    if high in (0x7, 0xD):
        return -1
    if high in (0xA, 0xB) or low == 7:
        return 3
    if low < 6:
        return 2
    if code == 6:
        return 0
    return 1 if code >= 0x40 or code in (0x0E, 0x16) else -1


@numba.njit(cache=True, nogil=True)
def _operation(code: Any, first: Any, second: Any) -> Any:
    """(literals behind it, match, distance) of an operation and the bytes behind its code.

    A distance of 0 is the last one once more.
    """
    high, low = code >> 4, code & 7
    if high >= 0xE:
        count = code & 0xF or 16 + first
        return (count, 0, 0) if high == 0xE else (0, count, 0)
    word = first | second << 8
    if high in (0xA, 0xB):
        return code >> 3 & 3, 3 + (low << 2 | word & 3), word >> 2
    if code in (0x0E, 0x16):
        return 0, 0, 0
    distance = word if low == 7 else low << 8 | first if low < 6 else 0
    return code >> 6, 3 + (code >> 3 & 7), distance


@numba.njit(cache=True, nogil=True)
def lzvn(data: Any, out: Any, filled: int) -> int:
    """Unpacks LZVN behind the ``filled`` bytes of ``out``; where it ends: at its end, or full."""
    at, distance = 0, 0
    said: Any = np.zeros(3, np.int64)
    while at < len(data) and filled < len(out):
        size = _size(np.int64(data[at]))
        if size <= 0 or at + size > len(data):
            return filled if size == 0 else -1
        said[:] = 0
        for i in range(size):
            said[i] = data[at + i]
        length, match, again = _operation(said[0], said[1], said[2])
        at += size
        if at + length > len(data):
            return -1
        length = min(length, len(out) - filled)
        for i in range(length):
            out[filled + i] = data[at + i]
        at, filled = at + length, filled + length
        distance = again or distance
        match = min(match, len(out) - filled)
        if match and not _repeat(out, filled, distance, match):
            return -1
        filled += match
    return filled

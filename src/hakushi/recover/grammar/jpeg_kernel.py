"""The inner loops of `jpeg_scan`, compiled by numba once and kept beside this file.

Positions are in bits of ``clean``: the scan's bytes without stuffing and restart markers. An entry
of a table says how many bits a code and the bits that belong to it take (high byte), and its value;
0 is no code. Each block gives the position behind it, or -1 where its codes are broken.
"""

from typing import Any

import numba
import numpy as np

from hakushi.recover.grammar.jpeg_scan import BROKEN, CUT, SOUND


@numba.njit(cache=True, nogil=True)
def unstuff(data: Any, clean: Any, ends: Any, origin: Any) -> int:
    """Fills ``clean``; each restart interval's end there, and where in ``data`` it begins."""
    out = intervals = at = 0
    origin[0] = 0
    while at < len(data):
        byte = data[at]
        if byte == 0xFF and at + 1 < len(data):
            at += 1
            if data[at] != 0:
                # A restart marker: nothing else stands in these bytes. FF before it is filling.
                if data[at] != 0xFF:
                    ends[intervals] = out
                    intervals += 1
                    at += 1
                    origin[intervals] = at
                continue
        clean[out] = byte
        out += 1
        at += 1
    ends[intervals] = out
    return intervals + 1


@numba.njit(cache=True, nogil=True)
def _peek(clean: Any, pos: int) -> int:
    """16 bits."""
    i = pos >> 3
    word = np.int64(clean[i]) << 16 | np.int64(clean[i + 1]) << 8 | np.int64(clean[i + 2])
    return int((word >> (8 - (pos & 7))) & 0xFFFF)


@numba.njit(cache=True, nogil=True)
def _code(clean: Any, pos: int, lut: Any) -> int:
    """The entry of the code there: short ones are in a table that stays in the cache."""
    bits = _peek(clean, pos)
    entry = int(lut[65536 + (bits >> 7)])
    if entry == 0:
        entry = int(lut[bits])
    return entry


@numba.njit(cache=True, nogil=True)
def _difference(clean: Any, pos: int, size: int) -> int:
    """The number whose ``size`` bits end at ``pos`` (F.2.2.1)."""
    if size == 0:
        return 0
    bits = _peek(clean, pos - size) >> (16 - size)
    return int(bits if bits >> (size - 1) else bits - (1 << size) + 1)


@numba.njit(cache=True, nogil=True)
def _sequential(clean: Any, pos: int, dc: Any, ac: Any, levels: Any, part: int) -> int:
    """F.2.2; adds to the component's level."""
    entry = _code(clean, pos, dc)
    if entry == 0:
        return -1
    pos += entry >> 8
    levels[part] += _difference(clean, pos, entry & 15)
    k = 1
    while k < 64:
        entry = _code(clean, pos, ac)
        if entry == 0:
            return -1
        pos += entry >> 8
        value = entry & 0xFF
        if value & 15:
            k += (value >> 4) + 1
        elif value == 0xF0:
            k += 16
        elif value == 0:
            break
        else:
            return -1
    return pos if k <= 64 else -1


@numba.njit(cache=True, nogil=True)
def _first_pass(
    clean: Any, pos: int, ac: Any, ss: int, se: int, masks: Any, at: int, left: Any
) -> int:
    """G.1.2.2; ``left[0]`` blocks more are empty in this band."""
    if left[0] > 0:
        left[0] -= 1
        return pos
    k = ss
    while k <= se:
        entry = _code(clean, pos, ac)
        if entry == 0:
            return -1
        pos += entry >> 8
        value = entry & 0xFF
        run = value >> 4
        if value & 15:
            k += run
            if k > se:
                return -1
            masks[at] |= np.uint64(1) << np.uint64(k)
            k += 1
        elif run == 15:
            k += 16
        else:
            left[0] = (1 << run) + (_peek(clean, pos) >> (16 - run)) - 1
            pos += run
            break
    return pos if k <= se + 1 else -1


@numba.njit(cache=True, nogil=True)
def _correct(pos: int, k: int, se: int, run: int, mask: Any) -> tuple[int, int]:
    """Over ``run`` zeros to the next one: a bit for each coefficient that is none."""
    while k <= se:
        if mask >> np.uint64(k) & np.uint64(1):
            pos += 1
        elif run == 0:
            break
        else:
            run -= 1
        k += 1
    return pos, k


@numba.njit(cache=True, nogil=True)
def _refine(clean: Any, pos: int, ac: Any, ss: int, se: int, masks: Any, at: int, left: Any) -> int:
    """G.1.2.3: a bit for each coefficient that is not zero yet, new ones in between."""
    k = ss
    while left[0] == 0 and k <= se:
        entry = _code(clean, pos, ac)
        if entry == 0:
            return -1
        pos += entry >> 8
        run, size = (entry & 0xFF) >> 4, entry & 15
        if size > 1:
            return -1
        if size == 0 and run < 15:
            left[0] = (1 << run) + (_peek(clean, pos) >> (16 - run))
            pos += run
            break
        pos, k = _correct(pos, k, se, run, masks[at])
        if size == 1:
            if k > se:
                return -1
            masks[at] |= np.uint64(1) << np.uint64(k)
        k += 1
    if left[0] > 0:
        pos, k = _correct(pos, k, se, 64, masks[at])
        left[0] -= 1
    return pos


@numba.njit(cache=True, nogil=True)
def _block(clean: Any, pos: int, dc: Any, ac: Any, how: Any, masks: Any, at: int, left: Any) -> int:
    """A block of a progressive picture."""
    ss, se, ah = how[4], how[5], how[6]
    if ss == 0:
        if ah:
            return pos + 1
        entry = _code(clean, pos, dc)
        return pos + (entry >> 8) if entry else -1
    if ah:
        return int(_refine(clean, pos, ac, ss, se, masks, at, left))
    return int(_first_pass(clean, pos, ac, ss, se, masks, at, left))


@numba.njit(cache=True, nogil=True)
def _unit(
    clean: Any, pos: int, luts: Any, parts: Any, how: Any, masks: Any, number: int, left: Any
) -> int:
    """One MCU of a progressive picture; of a scan of one component, one block."""
    if len(parts) == 1:
        across = parts[0, 3]
        y, x = number // across, number % across
        at = parts[0, 2] + y * how[0] * parts[0, 0] + x
        return int(_block(clean, pos, luts[0], luts[1], how, masks, at, left))
    for p in range(len(parts)):
        h, v, offset = parts[p, 0], parts[p, 1], parts[p, 2]
        for j in range(v):
            for i in range(h):
                y, x = number // how[0] * v + j, number % how[0] * h + i
                at = offset + y * how[0] * h + x
                pos = _block(clean, pos, luts[2 * p], luts[2 * p + 1], how, masks, at, left)
                if pos < 0:
                    return -1
    return pos


@numba.njit(cache=True, nogil=True)
def _plain_unit(clean: Any, pos: int, luts: Any, parts: Any, levels: Any, drawn: Any) -> int:
    """One MCU of a sequential picture; ``drawn`` gets the level of each component's first block."""
    for p in range(len(parts)):
        for block in range(parts[p, 0] * parts[p, 1] if len(parts) > 1 else 1):
            pos = _sequential(clean, pos, luts[2 * p], luts[2 * p + 1], levels, p)
            if pos < 0:
                return -1
            if block == 0:
                drawn[p] = levels[p]
    return pos


@numba.njit(cache=True, nogil=True)
def scan(
    clean: Any,
    ends: Any,
    luts: Any,
    parts: Any,
    how: Any,
    masks: Any,
    marks: Any,
    first: int,
    drawn: Any,
    places: Any,
) -> tuple[int, int, int]:
    """(how it ended, position in ``clean``, in bytes, up to which it was sound, MCUs up to there).

    ``ends``: where in ``clean`` each restart interval ends. ``luts``: a DC and an AC table for each
    component. ``parts``: for each its sampling factors, the place of its blocks in ``masks``, its
    blocks across and down. ``how``: MCUs across and down, restart interval, progressive or not,
    first and last coefficient, high bit of the approximation. ``marks``: for each 4 KiB of
    ``clean`` the first MCU in it, its position, its interval and the components' levels; row
    ``first`` is where to begin. Of a sequential picture each MCU's levels go into ``drawn``, and
    where it begins in ``clean``, in bytes, into ``places``, as far as there is room.
    """
    total = parts[0, 3] * parts[0, 4] if len(parts) == 1 else how[0] * how[1]
    left = np.zeros(1, np.int64)
    begin, pos, interval = marks[first, 0], marks[first, 1], marks[first, 2]
    levels = marks[first, 3:].copy()
    unkept = np.zeros(len(parts), drawn.dtype)
    for number in range(begin, total):
        if marks[pos >> 15, 0] < 0:
            marks[pos >> 15, 0] = number
            marks[pos >> 15, 1] = pos
            marks[pos >> 15, 2] = interval
            marks[pos >> 15, 3:] = levels
        if how[2] and number and number % how[2] == 0:
            if ends[interval] * 8 - pos >= 8:
                return BROKEN, pos >> 3, number
            if interval + 1 >= len(ends):
                return CUT, pos >> 3, number
            pos = ends[interval] * 8
            interval += 1
            left[0] = 0
            levels[:] = 0
        before = pos
        if how[3]:
            pos = _unit(clean, pos, luts, parts, how, masks, number, left)
        elif number < len(places):
            places[number] = pos >> 3
            pos = _plain_unit(clean, pos, luts, parts, levels, drawn[number])
        else:
            pos = _plain_unit(clean, pos, luts, parts, levels, unkept)
        if pos > ends[interval] * 8:
            last = interval + 1 == len(ends)
            return (CUT if last else BROKEN), ends[interval], number
        if pos < 0:
            # Codes that run into the filling behind the last byte are cut, not broken.
            near = before >> 3
            cut = interval + 1 == len(ends) and near + 2048 > ends[interval]
            return (CUT if cut else BROKEN), near, number
    if interval + 1 != len(ends) or ends[interval] * 8 - pos >= 8:
        return BROKEN, pos >> 3, total
    return SOUND, ends[interval], total

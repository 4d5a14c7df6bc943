"""LZFSE and LZVN, as Apple packs files: blocks of literals and copies behind entropy coders.

Read from Apple's published decoder (github.com/lzfse/lzfse, BSD): bounds are checked at each step,
and never more is made than was asked for.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING

from hakushi.model import Malformed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

_END, _PLAIN, _LZVN, _PACKED = b"bvx$", b"bvx-", b"bvxn", b"bvx2"


def lzvn(data: bytes, size: int) -> bytes:
    """At most ``size`` bytes out of a stream of LZVN. Raises Malformed."""
    import numpy as np

    from hakushi.recover.grammar import lzfse_kernel as kernel

    out = np.empty(size, np.uint8)
    return out[: _checked(kernel.lzvn(np.frombuffer(data, np.uint8), out, 0))].tobytes()


def lzfse(data: bytes, size: int) -> bytes:
    """At most ``size`` bytes out of a stream of LZFSE, block by block. Raises Malformed."""
    import numpy as np

    from hakushi.recover.grammar import lzfse_kernel as kernel

    view, out = np.frombuffer(data, np.uint8), np.empty(size, np.uint8)
    at = filled = 0
    while filled < size and (magic := data[at : at + 4]) != _END:
        if magic == _PLAIN:
            (raw,) = _fields("<I", data, at + 4)
            part = view[at + 8 : at + 8 + min(raw, size - filled)]
            out[filled : filled + len(part)] = part
            filled, at = filled + len(part), at + 8 + raw
        elif magic == _LZVN:
            _, packed = _fields("<II", data, at + 4)
            filled = _checked(kernel.lzvn(view[at + 12 : at + 12 + packed], out, filled))
            at += 12 + packed
        elif magic == _PACKED:
            filled, at = _block(data, view, at, out, filled)
        else:
            raise Malformed("no block of LZFSE")
    return out[:filled].tobytes()


def warm() -> None:
    """Compiles the kernels, or loads them."""
    lzvn(b"\x06", 1)
    lzfse(b"bvx2" + bytes(4) + struct.pack("<QQQ", 0, 0, 32 + 90) + bytes(90) + _END, 1)


def _fields(form: str, data: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(form) > len(data):
        raise Malformed("packed bytes end in a header")
    return struct.unpack_from(form, data, at)


def _checked(filled: int) -> int:
    if filled < 0:
        raise Malformed("packed bytes are broken")
    return filled


def _block(data: bytes, view: Bytes, at: int, out: Bytes, filled: int) -> tuple[int, int]:
    """One block: how far ``out`` is filled behind it, and where the next one begins."""
    import numpy as np

    from hakushi.recover.grammar import lzfse_kernel as kernel

    first, second, third = _fields("<QQQ", data, at + 8)
    head = at + (third & 0xFFFFFFFF)
    middle = head + (first >> 20 & 0xFFFFF)
    end = middle + (second >> 40 & 0xFFFFF)
    if not at + 32 <= head <= middle <= end <= len(data):
        raise Malformed("a block of LZFSE that reaches too far")
    tables, sizes = _automata(view[at + 32 : head])
    said = np.empty(first & 0xFFFFF, np.uint8)
    states = np.array([second >> place & 0x3FF for place in (0, 10, 20, 30)], np.int64)
    spare = 7 - (first >> 60 & 7)
    if not kernel.literals(view[head:middle], spare, states, tables[3], sizes[3], said):
        raise Malformed("literals of LZFSE are broken")
    states = np.array([third >> place & 0x3FF for place in (32, 42, 52)], np.int64)
    spare, count = 7 - (second >> 60 & 7), first >> 40 & 0xFFFFF
    packed = view[middle:end]
    filled = kernel.matches(packed, spare, count, states, sizes, tables[:3], said, out, filled)
    return _checked(filled), end


def _automata(header: Bytes) -> tuple[tuple[npt.NDArray[np.int64], ...], npt.NDArray[np.int64]]:
    """The automata of lengths, matches, distances and literals, and how many states each has."""
    import numpy as np

    from hakushi.recover.grammar import lzfse_kernel as kernel

    counts = np.zeros(_ends()[-1], np.int64)
    if not kernel.frequencies(header, counts):
        raise Malformed("frequencies of LZFSE are broken")
    tables, sizes = [], np.zeros(4, np.int64)
    for which, states in enumerate(kernel.STATES):
        table = np.zeros((states, 3), np.int64)
        own = counts[_ends()[which] : _ends()[which + 1]]
        sizes[which] = _checked(kernel.automaton(own, states, table))
        tables.append(table)
    return tuple(tables), sizes


@cache
def _ends() -> tuple[int, ...]:
    """Where the frequencies of each alphabet begin and end."""
    from hakushi.recover.grammar import lzfse_kernel as kernel

    out = [0]
    for symbols in (kernel.LENGTHS, kernel.MATCHES, kernel.DISTANCES, kernel.LITERALS):
        out.append(out[-1] + symbols)
    return tuple(out)

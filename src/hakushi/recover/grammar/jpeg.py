"""JPEG (ITU-T T.81): walks the segments and the entropy-coded scans of a picture up to its EOI.

A thumbnail inside APP1 lies within that segment and ends nothing. Further pictures that a
multi-picture index (CIPA DC-007) names behind the first EOI belong to the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hakushi.model import SECTOR, Extent, Malformed, Source
from hakushi.recover.cursor import Budget, Cursor, Short
from hakushi.recover.grammar.jpeg_scan import BROKEN, CUT, Component, Decoded, Frame, decode, table
from hakushi.recover.grammar.stream import exhaust, pieces

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_DHT, _SOI, _EOI, _SOS, _DQT, _DNL, _DRI, _COM = 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE
_APP = range(0xE0, 0xF0)
_RST = range(0xD0, 0xD8)
_OTHER = frozenset({0xCC, 0xDE, 0xDF, _COM, _DNL})
"""DAC, DHP, EXP, COM, DNL: skipped by their length."""

Walk = Generator[int, None, int]
"""Yields how far the structure is sound, returns where it ends."""

_MARKER = re.compile(rb"\xff[^\x00\xff]")


FIRST = frozenset({*_APP, *_SOF, _DQT, _DHT, _COM, _DRI})
"""Markers that may stand behind SOI."""

_LARGEST_SCAN = 64 << 20
"""Bytes of a scan whose codes are checked."""

_MOST_BLOCKS = 8 << 20
_LATE = 1024


@dataclass(slots=True)
class _Picture:
    """What the segments so far have said."""

    frame: Frame | None = None
    decoded: bool = True
    """Whether its codes can be checked here: Huffman's, of a frame whose size is known."""
    tables: dict[int, npt.NDArray[np.uint16]] = field(default_factory=dict)
    """Huffman tables by class and number (0x00 DC 0 … 0x13 AC 3)."""
    interval: int = 0
    scans: int = 0
    asked: Sequence[int] = ()
    """Places in the source where pieces may meet."""
    apart: dict[int, float] = field(default_factory=dict)
    """What was found of them."""
    cut: Decoded | None = None
    """The scan that the source's end cuts."""
    ends: int = 0
    """Where the last picture of a multi-picture index ends."""


def begins(source: Source) -> bool:
    """Whether a picture may begin there."""
    head = source.read(Extent(0, 4))
    return len(head) == 4 and head[:3] == b"\xff\xd8\xff" and head[3] in FIRST


def seams(source: Source, budget: Budget, places: Sequence[int]) -> list[float]:
    """How badly a picture that starts at 0 goes on from each of some places on (`Format.seams`)."""
    picture = _Picture(asked=places)
    exhaust(_one(source, 0, picture, budget))
    return [picture.apart.get(place, 1.0) for place in places]


def goes_on(source: Source, budget: Budget) -> Callable[[bytes], float] | None:
    """For a picture that is cut: `Format.goes_on`."""
    picture = _Picture()
    exhaust(_one(source, 0, picture, budget))
    cut = picture.cut
    if cut is None or picture.frame is None or picture.frame.progressive:
        return None

    def tried(data: bytes) -> float:
        # The last byte before it may be half of a marker, or of FF 00.
        for hit in _MARKER.finditer(data):
            if not picture.interval or data[hit.start() + 1] not in _RST:
                return cut.goes_on(data[: hit.start()], True)
        return cut.goes_on(data, False)

    return tried


def walk(source: Source, budget: Budget) -> Iterator[int]:
    """Yields how far a picture that starts at 0 is sound, and ends where it ends."""
    picture = _Picture()
    end = yield from _one(source, 0, picture, budget)
    if end < picture.ends <= source.size:
        end = yield from _further(source, end, picture.ends, budget)
    yield end


def _one(source: Source, start: int, picture: _Picture, budget: Budget) -> Walk:
    """One picture from its SOI at ``start`` to behind its EOI."""
    cursor, at = Cursor(source), start + 2
    while True:
        budget.pay()
        marker, body = _next_marker(cursor, at)
        if marker == _EOI:
            if not picture.scans:
                raise Malformed("a picture ends before it is drawn")
            return body
        length = cursor.u16(body, ">")
        if length < 2:
            raise Malformed("a segment shorter than its length")
        _segment(picture, marker, body, length, cursor)
        at = body + length
        if marker == _SOS:
            header = cursor.take(body + 2, length - 2)
            at = yield from _scan(source, at, picture, header, budget)


def _next_marker(cursor: Cursor, at: int) -> tuple[int, int]:
    """(marker, offset behind it); fill bytes may stand before it (B.1.1.2)."""
    if cursor.u8(at) != 0xFF:
        raise Malformed("no marker where one must stand")
    for fill in range(16):
        marker = cursor.u8(at + 1 + fill)
        if marker != 0xFF:
            return marker, at + 2 + fill
    raise Malformed("too many fill bytes")


def _segment(picture: _Picture, marker: int, body: int, length: int, cursor: Cursor) -> None:
    """Checks one segment, and notes what it says. Raises Malformed for what no encoder writes."""
    if marker in _APP:
        if marker == 0xE2 and cursor.has(body + 2, b"MPF\0"):
            picture.ends = _last_of_index(cursor, body + 6)
    elif marker in _SOF:
        _frame(picture, marker, cursor.take(body + 2, length - 2))
    elif marker == _DQT:
        _quantization(cursor.take(body + 2, length - 2))
    elif marker == _DHT:
        _huffman(picture, cursor.take(body + 2, length - 2))
    elif marker == _SOS:
        _scan_header(picture, cursor.take(body + 2, length - 2))
    elif marker == _DRI:
        if length != 4:
            raise Malformed("restart interval")
        picture.interval = cursor.u16(body + 2, ">")
    elif marker not in _OTHER:
        raise Malformed(f"marker {marker:#x}")


def _frame(picture: _Picture, marker: int, data: bytes) -> None:
    """B.2.2."""
    if picture.frame or len(data) < 9 or len(data) != 6 + 3 * data[5]:
        raise Malformed("frame header")
    height, width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    if data[0] not in {8, 12, 16} or not width or not 1 <= data[5] <= 4:
        raise Malformed("frame header")
    components = {}
    for id, sampling, number in zip(data[6::3], data[7::3], data[8::3], strict=True):
        if not (1 <= sampling >> 4 <= 4 and 1 <= sampling & 15 <= 4 and number < 4):
            raise Malformed("frame component")
        components[id] = Component(sampling >> 4, sampling & 15)
    progressive = marker == 0xC2
    picture.frame = Frame(width, height, progressive, components)
    # A height of 0 is told behind the first scan (DNL); other processes are not decoded here.
    small = not progressive or picture.frame.total <= _MOST_BLOCKS
    picture.decoded = marker in {0xC0, 0xC1, 0xC2} and height > 0 and small


def _quantization(data: bytes) -> None:
    """B.2.4.1: tables of 64 entries of one or two bytes."""
    at = 0
    while at < len(data):
        if data[at] >> 4 > 1 or data[at] & 15 > 3:
            raise Malformed("quantization table")
        at += 65 if data[at] >> 4 == 0 else 129
    if at != len(data) or not data:
        raise Malformed("quantization table")


def _huffman(picture: _Picture, data: bytes) -> None:
    """B.2.4.2: no more codes of a length than the shorter ones leave room for."""
    at = 0
    while at < len(data):
        counts = data[at + 1 : at + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                raise Malformed("Huffman table")
        values = data[at + 17 : at + 17 + sum(counts)]
        if data[at] >> 4 > 1 or data[at] & 15 > 3 or len(counts) < 16 or len(values) != sum(counts):
            raise Malformed("Huffman table")
        picture.tables[data[at]] = table(data[at] >> 4, counts, values)
        at += 17 + len(values)
    if not data:
        raise Malformed("Huffman table")


def _scan_header(picture: _Picture, data: bytes) -> None:
    """B.2.3."""
    if picture.frame is None or not data or len(data) != 4 + 2 * data[0]:
        raise Malformed("scan header")
    if not 1 <= data[0] <= 4 or any(id not in picture.frame.components for id in data[1:-3:2]):
        raise Malformed("scan component")


def _scan(source: Source, start: int, picture: _Picture, header: bytes, budget: Budget) -> Walk:
    """To the marker behind the entropy-coded bytes at ``start``, if they are sound up to there."""
    end = _scan_end(source, start, picture, budget)
    behind = source.size if end is None else end
    picture.scans += 1
    if picture.decoded and picture.frame and behind - start <= _LARGEST_SCAN:
        data = source.read(Extent(start, behind - start))
        budget.pay(steps=len(data) >> 4)
        asked = [place for place in picture.asked if start < place < behind]
        places = [place - start for place in asked]
        found = decode(picture.frame, picture.tables, header, picture.interval, data, places)
        picture.apart.update(zip(asked, found.apart, strict=True))
        if found.how == BROKEN or (found.how == CUT and end is not None):
            yield max(start, _border(start + found.sound))
            raise Malformed("a code of the scan is broken")
        picture.cut = found if end is None else None
    if end is None:
        yield source.size
        raise Short("the scan runs past the end")
    yield end
    return end


def _border(at: int) -> int:
    """Codes out of another file's bytes pass for some hundreds of them: back to where those began.

    That is at a cluster, if one lies close before, else at a sector.
    """
    return at - at % 4096 if at % 4096 < _LATE else at - at % SECTOR


def _scan_end(source: Source, start: int, picture: _Picture, budget: Budget) -> int | None:
    """Offset of the first marker that is none of the scan's own; None: the source ended."""
    expected, last = 0, b""
    for offset, data in pieces(source, budget, start):
        window = last + data
        for hit in _MARKER.finditer(window):
            marker = window[hit.start() + 1]
            if marker not in _RST or not picture.interval or marker != 0xD0 + expected:
                return offset - len(last) + hit.start()
            expected = (expected + 1) % 8
        last = window[-1:] if window.endswith(b"\xff") else b""
    return None


def _further(source: Source, end: int, last: int, budget: Budget) -> Walk:
    """The pictures behind the first EOI, up to ``last``."""
    while end < last - 16:
        gap = source.read(Extent(end, min(last - end, 1 << 16)))
        first = gap.find(b"\xff\xd8\xff")
        if first < 0:
            raise Malformed("a picture of the index is missing")
        end = yield from _one(source, end + first, _Picture(), budget)
        yield end
    return max(end, last)


def _last_of_index(cursor: Cursor, base: int) -> int:
    """End of the last picture that the multi-picture index at ``base`` names; 0: it is broken."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(cursor.take(base, 4))
    if order is None:
        return 0
    directory = base + cursor.u32(base + 4, order)
    ends = 0
    for entry in range(min(cursor.u16(directory, order), 64)):
        at = directory + 2 + 12 * entry
        if cursor.u16(at, order) != 0xB002:
            continue
        count, table = cursor.u32(at + 4, order) // 16, base + cursor.u32(at + 8, order)
        for picture in range(min(count, 64)):
            size = cursor.u32(table + 16 * picture + 4, order)
            offset = cursor.u32(table + 16 * picture + 8, order)
            ends = max(ends, base + offset + size if offset else 0)
    return ends

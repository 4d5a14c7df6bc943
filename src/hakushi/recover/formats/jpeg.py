"""JPEG (ITU-T T.81): walks the segments and the entropy-coded scans up to EOI.

A thumbnail inside APP1 lies within that segment and ends nothing. Further pictures that a
multi-picture index (CIPA DC-007) names behind the first EOI belong to the file.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from hakushi.model import Extent, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.cursor import Short
from hakushi.recover.grammar.stream import follow, pieces

_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_DHT, _SOI, _EOI, _SOS, _DQT, _DNL, _DRI, _COM = 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE
_APP = range(0xE0, 0xF0)
_RST = range(0xD0, 0xD8)
_OTHER = frozenset({0xCC, 0xDE, 0xDF, _COM, _DNL})
"""DAC, DHP, EXP, COM, DNL: skipped by their length."""

Walk = Generator[int, None, int]
"""Yields how far the structure is sound, returns where it ends."""

_MARKER = re.compile(rb"\xff[^\x00\xff]")


@dataclass(slots=True)
class _Picture:
    """What the segments so far have said."""

    components: dict[int, int] = field(default_factory=dict)
    """Component id -> sampling factors (horizontal * vertical)."""
    blocks: int = 0
    progressive: bool = False
    interval: int = 0
    scan_bytes: int = 0
    ends: int = 0
    """Where the last picture of a multi-picture index ends."""


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 4))
    return head[:3] == b"\xff\xd8\xff" and len(head) == 4 and _begins(head[3])


def _begins(marker: int) -> bool:
    return marker in _APP or marker in {_DQT, _DHT, _COM, _DRI} or marker in _SOF


def measure(source: Source, budget: Budget) -> Measure | None:
    """To EOI; where the structure breaks off, to the break."""
    return follow(source, _walk(source, budget)) if probe(source) else None


def _walk(source: Source, budget: Budget) -> Iterator[int]:
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
            _plausible(picture)
            return body
        length = cursor.u16(body, ">")
        if length < 2:
            raise Malformed("a segment shorter than its length")
        _segment(picture, marker, body, length, cursor)
        at = body + length
        if marker == _SOS:
            at = yield from _scan(source, at, picture, budget)


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
        _huffman(cursor.take(body + 2, length - 2))
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
    if picture.components or len(data) < 9 or len(data) != 6 + 3 * data[5]:
        raise Malformed("frame header")
    height, width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    if data[0] not in {8, 12, 16} or not width or not 1 <= data[5] <= 4:
        raise Malformed("frame header")
    for id, sampling, table in zip(data[6::3], data[7::3], data[8::3], strict=True):
        if not (1 <= sampling >> 4 <= 4 and 1 <= sampling & 15 <= 4 and table < 4):
            raise Malformed("frame component")
        picture.components[id] = (sampling >> 4) * (sampling & 15)
    picture.progressive = marker in {0xC2, 0xC6, 0xCA, 0xCE}
    picture.blocks = -(-width // 8) * -(-height // 8)


def _quantization(data: bytes) -> None:
    """B.2.4.1: tables of 64 entries of one or two bytes."""
    at = 0
    while at < len(data):
        if data[at] >> 4 > 1 or data[at] & 15 > 3:
            raise Malformed("quantization table")
        at += 65 if data[at] >> 4 == 0 else 129
    if at != len(data) or not data:
        raise Malformed("quantization table")


def _huffman(data: bytes) -> None:
    """B.2.4.2: no more codes of a length than the shorter ones leave room for."""
    at = 0
    while at < len(data):
        counts = data[at + 1 : at + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                raise Malformed("Huffman table")
        if data[at] >> 4 > 1 or data[at] & 15 > 3 or len(counts) < 16:
            raise Malformed("Huffman table")
        at += 17 + sum(counts)
    if at != len(data) or not data:
        raise Malformed("Huffman table")


def _scan_header(picture: _Picture, data: bytes) -> None:
    """B.2.3."""
    if not picture.components or not data or len(data) != 4 + 2 * data[0]:
        raise Malformed("scan header")
    if not 1 <= data[0] <= 4 or any(id not in picture.components for id in data[1:-3:2]):
        raise Malformed("scan component")


def _scan(source: Source, start: int, picture: _Picture, budget: Budget) -> Walk:
    """To the marker behind the entropy-coded bytes at ``start``; restarts come in order."""
    expected, last = 0, b""
    for offset, data in pieces(source, budget, start):
        window = last + data
        base = offset - len(last)
        for hit in _MARKER.finditer(window):
            marker, at = window[hit.start() + 1], base + hit.start()
            picture.scan_bytes += at - start
            yield at
            if marker not in _RST:
                return at
            if not picture.interval or marker != 0xD0 + expected:
                raise Malformed("restart marker out of order")
            picture.scan_bytes -= at - start
            expected = (expected + 1) % 8
        last = window[-1:] if window.endswith(b"\xff") else b""
    yield source.size
    raise Short("the scan runs past the end")


def _plausible(picture: _Picture) -> None:
    """At EOI: two bits a block of the first component is what the flattest picture takes."""
    least = 0 if picture.progressive else picture.blocks // 4
    if not picture.components or not picture.scan_bytes or picture.scan_bytes < least:
        raise Malformed("a picture ends before it is drawn")


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


PLUGIN = Format(
    id="jpeg",
    family=Family.MEDIA,
    probe=probe,
    magics=tuple(
        Magic(b"\xff\xd8\xff" + bytes([m])) for m in sorted({*_APP, _DQT, _COM, _DHT, 0xC0})
    ),
    measure=measure,
    extensions=("jpg", "jpeg", "jpe", "jfif"),
)

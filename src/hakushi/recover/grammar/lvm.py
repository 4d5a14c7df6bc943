"""LVM2: the label and metadata that every physical volume carries (after LVM2's own description of
its text format).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hakushi.model import SECTOR, Malformed, Source, Unreadable
from hakushi.recover.cursor import Budget, Cursor

_LABEL, _TYPE = b"LABELONE", b"LVM2 001"
_AREA = b" LVM2 x[5A%r0N*>"
_LARGEST_TEXT = 16 << 20
_MOST_SEGMENTS = 100_000
_TOKEN = re.compile(
    r'\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?)|([A-Za-z0-9_.+/-]+)|([{}=\[\],])'
)
_VISIBLE = re.compile(
    rb"^([A-Za-z0-9_.+-]{1,127}) \{\s*\nid = \"[^\"]{38}\"\nstatus = \[[^\]]*VISIBLE", re.MULTILINE
)

Value: TypeAlias = "str | int | list[Value] | dict[str, Value]"


@dataclass(frozen=True, slots=True)
class Area:
    """One metadata area: a ring of texts, of which one is the current one."""

    at: int
    size: int
    text_at: int
    text_size: int


@dataclass(frozen=True, slots=True)
class Physical:
    """A physical volume's label: its identifier and where its metadata lie."""

    id: str
    size: int
    areas: tuple[Area, ...]
    label_at: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a logical volume. ``parts``: (physical or logical volume, extent) in turn."""

    start: int
    count: int
    kind: str
    parts: tuple[tuple[str, int], ...]
    stripe: int = 0
    """Bytes of each in turn; 0 where there is one part alone."""


@dataclass(frozen=True, slots=True)
class Logical:
    name: str
    visible: bool
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A volume group as one text tells it."""

    id: str
    name: str
    sequence: int
    extent: int
    """Bytes."""
    physical: Mapping[str, tuple[str, int, int]]
    """Name -> identifier (without dashes), where its extents begin (bytes), how many there are."""
    logical: Mapping[str, Logical]


def physical(source: Source) -> Physical | None:
    """The physical volume that the source is, or None."""
    cursor = Cursor(source, page=4 * SECTOR)
    for sector in range(4):
        try:
            if cursor.has(sector * SECTOR, _LABEL):
                return _physical(cursor, sector * SECTOR)
        except (Malformed, Unreadable):
            continue
    return None


def _physical(cursor: Cursor, at: int) -> Physical | None:
    raw = cursor.take(at, SECTOR)
    (where,) = struct.unpack_from("<I", raw, 20)
    if raw[24:32] != _TYPE or not 32 <= where <= 200:
        return None
    places = iter(
        struct.iter_unpack("<QQ", raw[where + 40 : where + 40 + (SECTOR - where - 40) // 16 * 16])
    )
    for offset, _ in places:  # where the extents begin
        if not offset:
            break
    areas = []
    for offset, size in places:
        if not offset:
            break
        if area := _area(cursor, offset, size):
            areas.append(area)
    return Physical(
        raw[where : where + 32].decode("ascii", "replace"),
        struct.unpack_from("<Q", raw, where + 32)[0],
        tuple(areas),
        at,
    )


def _area(cursor: Cursor, at: int, size: int) -> Area | None:
    try:
        if not cursor.has(at + 4, _AREA):
            return None
        offset, length = cursor.u64(at + 40), cursor.u64(at + 48)
    except Malformed:
        return None
    return Area(at, size, offset, length)


def group(source: Source, found: Physical, budget: Budget) -> Group | None:
    """The newest text of the volume group; None for a physical volume of no group."""
    texts = [t for area in found.areas if (t := _text(source, area)) is not None]
    groups = [_group(text, budget) for text in texts]
    return max(groups, key=lambda one: one.sequence, default=None)


def _text(source: Source, area: Area) -> str | None:
    if not area.text_at:
        return None
    ring = area.size - SECTOR
    if not (SECTOR <= area.text_at < area.size and 0 < area.text_size <= min(ring, _LARGEST_TEXT)):
        raise Malformed("impossible places in a metadata area")
    cursor = Cursor(source)
    first = min(area.text_size, area.size - area.text_at)
    data = cursor.take(area.at + area.text_at, first)
    if first < area.text_size:
        data += cursor.take(area.at + SECTOR, area.text_size - first)
    return data.rstrip(b"\0").decode("utf-8", "replace")


def names_before(source: Source, found: Physical, budget: Budget) -> frozenset[str]:
    """Names of logical volumes in every text of the ring, older ones too: a hint of what was."""
    out: set[str] = set()
    for area in found.areas:
        try:
            ring = Cursor(source).take(area.at, min(area.size, 1 << 20))
        except (Malformed, Unreadable):
            continue
        for match in _VISIBLE.finditer(ring):
            budget.pay()
            out.add(match[1].decode("ascii"))
    return frozenset(out)


# --- the text ----------------------------------------------------------------------------


def _tokens(text: str, budget: Budget) -> Iterator[str | int]:
    at = 0
    while at < len(text):
        budget.pay()
        match = _TOKEN.match(text, at)
        if match is None:
            raise Malformed("a text of the volume group that cannot be read")
        at = match.end()
        string, number, word, sign = match.groups()
        if string is not None:
            yield '"' + string
        elif number is not None:
            yield int(float(number)) if "." in number else int(number[:24])
        elif word is not None or sign is not None:
            yield word or sign


def _section(tokens: Iterator[str | int], depth: int = 0) -> dict[str, Value]:
    if depth > 8:
        raise Malformed("sections too deep")
    out: dict[str, Value] = {}
    for name in tokens:
        if name == "}":
            return out
        sign = next(tokens, None)
        if sign == "{":
            out[str(name).lstrip('"')] = _section(tokens, depth + 1)
        elif sign == "=":
            out[str(name).lstrip('"')] = _value(tokens)
        else:
            raise Malformed("a text of the volume group that cannot be read")
    return out


def _value(tokens: Iterator[str | int]) -> Value:
    first = next(tokens, None)
    if first is None or (isinstance(first, str) and first in "{}]=,"):
        raise Malformed("a value is missing in the text of the volume group")
    if first != "[":
        return first.lstrip('"') if isinstance(first, str) else first
    items: list[Value] = []
    for one in tokens:
        if one == "]":
            return items
        if one != ",":
            items.append(one.lstrip('"') if isinstance(one, str) else one)
    raise Malformed("a list without an end")


def _part(section: Mapping[str, Value], name: str) -> dict[str, Value]:
    value = section.get(name, {})
    if not isinstance(value, dict):
        raise Malformed(f"{name} is no section")
    return value


def _number(section: Mapping[str, Value], name: str, default: int | None = None) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or not 0 <= value < 1 << 50:
        raise Malformed(f"{name} is no number")
    return value


def _group(text: str, budget: Budget) -> Group:
    for name, body in _section(_tokens(text, budget)).items():
        if isinstance(body, dict) and "extent_size" in body:
            extent = _number(body, "extent_size") * SECTOR
            if not extent:
                break
            return Group(
                str(body.get("id", "")),
                name,
                _number(body, "seqno", 0),
                extent,
                {n: _physical_of(v) for n, v in _part(body, "physical_volumes").items()},
                {n: _logical(n, v) for n, v in _part(body, "logical_volumes").items()},
            )
    raise Malformed("the text tells of no volume group")


def _physical_of(value: Value) -> tuple[str, int, int]:
    if not isinstance(value, dict):
        raise Malformed("a physical volume is no section")
    begin = _number(value, "pe_start") * SECTOR
    return str(value.get("id", "")).replace("-", ""), begin, _number(value, "pe_count")


def _logical(name: str, value: Value) -> Logical:
    if not isinstance(value, dict):
        raise Malformed("a logical volume is no section")
    status = value.get("status", [])
    count = _number(value, "segment_count", 0)
    if count > _MOST_SEGMENTS:
        raise Malformed("too many segments")
    segments = [_segment(_part(value, f"segment{n}")) for n in range(1, count + 1)]
    visible = isinstance(status, list) and "VISIBLE" in status
    return Logical(name, visible, tuple(sorted(segments, key=lambda one: one.start)))


def _segment(value: Mapping[str, Value]) -> Segment:
    kind = str(value.get("type", "")).partition("+")[0]
    listed = value.get("stripes", value.get("raids", value.get("mirrors", [])))
    items = listed if isinstance(listed, list) else []
    parts: list[tuple[str, int]] = []
    if "raids" in value:
        # Each leg is a pair: its own metadata, its data.
        parts = [(str(one), 0) for one in items[1::2]]
    else:
        for name, at in zip(items[::2], items[1::2], strict=False):
            if not isinstance(at, int):
                raise Malformed("a stripe without an extent")
            parts.append((str(name), at))
    return Segment(
        _number(value, "start_extent"),
        _number(value, "extent_count"),
        kind,
        tuple(parts),
        _number(value, "stripe_size", 0) * SECTOR,
    )

"""Raw bytes of any size, in any mix of encodings, to findings: windows, not the whole, are decoded.

A chunk that is text in one encoding is read as text, with the table header that held at its start.
Any other chunk is searched by the prefilter, and only the windows around its matches are decoded, in
the encoding of the word that matched.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hakushi.detect import prefilter
from hakushi.detect.detector import Span
from hakushi.detect.encodings import decode, guess, plain
from hakushi.detect.reading import finding, read
from hakushi.detect.tables import Header
from hakushi.model import (
    Damage,
    Extent,
    Extents,
    Finding,
    Locator,
    Source,
    Strength,
    Text,
    Unreadable,
)

CHUNK = 1 << 20
"""Bytes that one step looks at; each place belongs to exactly one chunk."""

MARGIN = 4096
"""Bytes of context on both sides of a chunk: wider than any pattern, label and line of a table."""

_AROUND = 384
"""Bytes decoded on both sides of a match."""

_SMALL = 1 << 16
"""Text up to this size is read whole; of longer text only the parts around matches."""

MOST = 20_000
"""Findings that one chunk may give; more is Damage."""

_UNREADABLE_STEP = 4096


def scan(
    source: Source, key: bytes, *, encoding: str | None = None, extents: Extents | None = None
) -> Iterator[Finding | Damage]:
    """Personal data in raw bytes, as findings with extents in ``source``; each place once.

    Looks only at ``extents`` where given. ``encoding`` is believed where the bytes are text. Memory
    is bounded whatever the size; a chunk with too much in it, and bytes that cannot be read, are
    Damage.
    """
    whole = Extents([Extent(0, source.size)])
    for run in whole if extents is None else extents & whole:
        state = _State(encoding)
        for at in range(run.offset, run.end, CHUNK):
            own = Extent(at, min(CHUNK, run.end - at))
            start, end = max(run.offset, at - MARGIN), min(run.end, own.end + MARGIN)
            data, damage = _read(source, Extent(start, end - start))
            yield from damage
            yield from _chunk(data, start, own, source.locator, key, state)


@dataclass(slots=True)
class _State:
    """What one chunk tells the next."""

    asked: str | None
    encoding: str | None = None
    header: Header | None = None


def _read(source: Source, extent: Extent) -> tuple[bytes, list[Damage]]:
    """The bytes, zeros where they cannot be read, and what could not."""
    try:
        return source.read(extent), []
    except Unreadable:
        pass
    parts, damage = [], []
    for at in range(extent.offset, extent.end, _UNREADABLE_STEP):
        piece = Extent(at, min(_UNREADABLE_STEP, extent.end - at))
        try:
            parts.append(source.read(piece))
        except Unreadable as error:
            parts.append(bytes(piece.length))
            damage.append(Damage(source.locator, f"unreadable: {error}"))
    return b"".join(parts), damage


def _chunk(
    data: bytes, base: int, own: Extent, locator: Locator, key: bytes, state: _State
) -> Iterator[Finding | Damage]:
    """The findings that begin in ``own``, out of bytes that start at ``base``."""
    small = len(data) <= _SMALL
    matches = prefilter.ready()(data)
    if not matches and state.header is None and not small:
        return
    text = _as_text(data, state)
    if text is None:
        state.encoding = state.header = None
        found = _in_windows(data, matches, key)
    else:
        state.encoding = text.encoding
        found, state.header = _in_text(text, matches, key, state.header, small)
    count = 0
    for piece, span in found:
        one = _placed(piece, span, base, locator)
        if own.offset <= one.extent.offset < own.end:
            count += 1
            if count > MOST:
                yield Damage(
                    locator, f"more than {MOST} findings at {own.offset}: the rest was not listed"
                )
                return
            yield one


def _placed(text: Text, span: Span, base: int, locator: Locator) -> Finding:
    one = finding(text, span, locator)
    extent = Extent(one.extent.offset + base, one.extent.length)
    return Finding(one.kind, locator, extent, one.strength, one.masked, one.key)


# --- text --------------------------------------------------------------------------------


def _as_text(data: bytes, state: _State) -> Text | None:
    """The chunk as clean text in one encoding, or None."""
    name = state.asked or state.encoding
    if name is None:
        if not _texty(data):
            return None
        name = guess(data)
    if name == "latin-1":
        return None
    text = decode(data, name)
    if plain(text):
        return text
    if state.encoding is not None and state.asked is None:
        state.encoding = None
        return _as_text(data, state)
    return None


def _texty(data: bytes) -> bool:
    """A cheap look: could these bytes be text at all? Few controls but the zeros of UTF-16."""
    sample = b"".join(data[at : at + 256] for at in range(0, len(data), max(256, len(data) // 8)))
    controls = sum(1 for b in sample if b < 32 and b not in b"\0\t\n\r\x0c\x1b")
    return controls * 50 <= len(sample) or b"\0" in sample


def _in_text(
    text: Text, matches: dict[str, list[int]], key: bytes, header: Header | None, small: bool
) -> tuple[Iterable[tuple[Text, Span]], Header | None]:
    """The spans of a clean chunk: all of it if it is small or a table, else around matches."""
    if not small and header is None:
        parts = _around(text, matches)
        if parts is not None:
            return ((p, s) for p in parts for s in read(p, key)[0]), None
    found, held = read(text, key, header)
    return ((text, s) for s in found), held


def _around(text: Text, matches: dict[str, list[int]]) -> list[Text] | None:
    """The lines around matches as texts of their own; None where they are most of the text."""
    if text.offsets is None:
        return None
    ends = sorted({end for family in matches.values() for end in family})
    places: list[tuple[int, int]] = []
    for end in ends:
        at = bisect_left(text.offsets, end)
        low = max(0, at - 160)
        high = min(len(text.chars), at + 160)
        if places and low <= places[-1][1]:
            places[-1] = (places[-1][0], high)
        else:
            places.append((low, high))
    if sum(b - a for a, b in places) * 2 > len(text.chars):
        return None
    return [Text(text.chars[a:b], text.offsets[a : b + 1], text.encoding) for a, b in places]


# --- anything else -----------------------------------------------------------------------


def _in_windows(
    data: bytes, matches: dict[str, list[int]], key: bytes
) -> Iterator[tuple[Text, Span]]:
    """The spans around matches, each window in its own encoding; overlaps settled."""
    found: list[tuple[Text, Span, int, int]] = []
    covered: list[tuple[int, int]] = []
    families = sorted(matches, key=lambda f: (f == prefilter.ASCII, f == prefilter.ASCII16))
    for family in families:
        for low, high, end in _windows(matches[family], len(data)):
            ascii_only = family in (prefilter.ASCII, prefilter.ASCII16)
            if ascii_only and any(a <= end - 8 and end <= b for a, b in covered):
                continue
            text = _decoded(data, low, high, end, family)
            if text is None:
                continue
            if not ascii_only:
                covered.append((low, high))
            for span in read(text, key)[0]:
                if _credible(text, span):
                    extent = text.extent(span.start, span.end)
                    found.append((text, span, extent.offset, extent.end))
            if len(found) > 4 * MOST:
                break
    yield from _once(found)


def _windows(ends: list[int], size: int) -> Iterator[tuple[int, int, int]]:
    """(low, high, a match's end) of runs of matches, at most 64 KiB each."""
    low = high = first = -1
    for end in ends:
        if high >= 0 and end - _AROUND <= high and end + _AROUND - low <= _SMALL:
            high = min(size, end + _AROUND)
            continue
        if high >= 0:
            yield low, high, first
        low, high, first = max(0, end - _AROUND), min(size, end + _AROUND), end
    if high >= 0:
        yield low, high, first


def _decoded(data: bytes, low: int, high: int, end: int, family: str) -> Text | None:
    """A window as text that has a character boundary at ``end``; zeros end lines."""
    if family == prefilter.ASCII:
        family = guess(data[low:high].replace(b"\0", b"\n"))
    if family == prefilter.ASCII16:
        # The match ends with a digit or letter: its zero byte stands behind it or before it.
        family = "utf-16-le" if data[end : end + 1] == b"\0" else "utf-16-be"
        end += family == "utf-16-le"
    if family == "iso-2022-jp":
        escape = data.rfind(b"\x1b$", max(0, end - 512), end)
        if escape < 0:
            return None
        low = min(low, escape)
    elif family.startswith("utf-16"):
        low += (end - low) % 2
    for shift in range(
        0,
        2 if family.startswith("utf-16") else 4,
        1 if family in ("cp932", "euc_jp", "utf-8") else 4,
    ):
        text = decode(data[low + shift : high], family)
        offsets = text.offsets
        if offsets is None:
            return None
        at = bisect_left(offsets, end - low - shift)
        if at < len(offsets) and offsets[at] == end - low - shift:
            return _shifted(text, low + shift)
    return _shifted(decode(data[low:high], family), low)


def _shifted(text: Text, by: int) -> Text:
    assert text.offsets is not None
    chars = text.chars.replace("\0", "\n")
    return Text(chars, [o + by for o in text.offsets], text.encoding)


def _credible(text: Text, span: Span) -> bool:
    """Does the text around a span read like text, not like noise that a word fell into?"""
    chars = text.chars
    if chars[span.start : span.end].isascii() and span.strength is Strength.LABELLED:
        return True
    low, high = span.start, span.end
    if not plain(Text(chars[low:high])):
        return False
    while low > 0 and span.start - low < 12 and plain(Text(chars[low - 1])):
        low -= 1
    while high < len(chars) and high - span.end < 12 and plain(Text(chars[high])):
        high += 1
    return high - low >= span.end - span.start + 2 and high - low >= 6


def _once(found: list[tuple[Text, Span, int, int]]) -> Iterator[tuple[Text, Span]]:
    """Of spans on the same bytes, the labelled, then the longer."""
    found.sort(key=lambda f: (f[1].strength is not Strength.LABELLED, f[2] - f[3], f[2]))
    starts: list[int] = []
    ends: list[int] = []
    kept = []
    for one in found:
        _, _, start, end = one
        i = bisect_left(ends, start + 1)
        if i < len(starts) and starts[i] < end:
            continue
        at = bisect_left(starts, start)
        starts.insert(at, start)
        ends.insert(at, end)
        kept.append(one)
    for text, span, _, _ in sorted(kept, key=lambda f: f[2]):
        yield text, span

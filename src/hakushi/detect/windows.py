"""Raw bytes of any size, in any mix of encodings, to findings: windows, not the whole, are decoded.

A chunk that is text in one encoding is read as text, with the table header that held at its
start. Any other chunk is searched by the prefilter, and only the windows around its matches are
decoded, in the encoding of the word that matched.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from hakushi.detect import prefilter
from hakushi.detect.belief import CREDIBLE, believed, credible
from hakushi.detect.encodings import common, decode, dirt, guess, score, shift
from hakushi.detect.found import Found, Place
from hakushi.detect.reading import placed, read
from hakushi.detect.tables import Header
from hakushi.model import (
    Damage,
    Extent,
    Extents,
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

_WIDEST = 4
"""Bytes that a character has at most."""

_WINDOW = 1 << 16
"""Bytes that one window has at most."""

MOST = 100_000
"""Findings that one chunk may give, as dense as the narrowest list that people keep (a number a
line); more is Damage."""

_DIRT = 0.002
"""Share of broken places that a chunk of text may have."""

_DIRTY_PIECE = 0.02
"""The same for a small piece of it, which may be cut anywhere."""

_NO_TEXT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff]")
"""Characters that end a line of text among bytes that are none."""

_CONTROLS = bytes({*range(9), 11, *range(14, 27), *range(28, 32), 127, 255})
_PLAIN = bytes({9, 10, 13, *range(32, 127)})
_HIGH = bytes({0, 3, 4, 0x20, 0x21, 0x22, 0x25, 0x26, 0x30, 0xFF, *range(0x4E, 0xA0)})
"""High bytes of the 16-bit units that Japanese text is made of."""

_UNREADABLE_STEP = 4096

_SMALL = 1 << 14
"""Bytes of a file that is worth reading together with others."""


def scan(
    source: Source, key: bytes, *, encoding: str | None = None, extents: Extents | None = None
) -> Iterator[Found | Damage]:
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


def clean(source: Source) -> Text | None:
    """All of a small source as text, where it is text in one encoding: then `find_all` finds in it
    what `scan` does.
    """
    if not 0 < source.size <= _SMALL:
        return None
    try:
        data = source.read(Extent(0, source.size))
    except Unreadable:
        return None
    return whole(data)


def whole(data: bytes) -> Text | None:
    """Bytes as text, where they are text in one encoding all over."""
    return _as_text(data, _State(None), before=False, after=False)


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
) -> Iterator[Found | Damage]:
    """The findings that begin in ``own``, out of bytes that start at ``base``."""
    text = _as_text(data, state, base < own.offset, base + len(data) > own.end)
    if text is None:
        state.encoding = state.header = None
        matches = prefilter.ready()(data)
        places = _in_windows(data, matches, key, base) if matches else []
    else:
        state.encoding = text.encoding
        # The next chunk begins a margin before its own part; its header must hold there.
        spans, state.header = read(text, key, state.header, _place(text, own.end - MARGIN - base))
        places = placed(text, believed(text, spans), base)
    mine = [one for one in places if own.offset <= one[0] < own.end]
    if mine:
        yield Found(locator, mine[:MOST])
    if len(mine) > MOST:
        yield Damage(locator, f"more than {MOST} findings at {own.offset}: the rest was not listed")


def _place(text: Text, byte: int) -> int:
    """The character at a byte."""
    assert text.offsets is not None
    return bisect_left(text.offsets, byte)


# --- text --------------------------------------------------------------------------------


def _as_text(data: bytes, state: _State, before: bool, after: bool) -> Text | None:
    """The chunk as clean text in one encoding, or None.

    ``before`` and ``after``: there is more text on that side, so that a character may be cut there.
    """
    if not _texty(data):
        return None
    for known in (state.asked, state.encoding, ""):
        if known is None:
            continue
        name = known or guess(data)
        if name == "latin-1":
            continue
        if not name.startswith("utf-16") and data.count(0) > _DIRT * len(data):
            continue  # each is a broken place: no need to read the rest
        if any(dirt(decode(piece, name)) > _DIRTY_PIECE for piece in _pieces(data)):
            continue
        low = _edge(data, name) if before else 0
        high = max(low, _last_edge(data, name)) if after else len(data)
        text = decode(data[low:high], name)
        if dirt(text) <= _DIRT:
            return _shifted(text, low) if low else text
        if state.asked:
            break
    return None


def _pieces(data: bytes) -> Iterator[bytes]:
    """A few small pieces from all over."""
    for part in range(1, 8, 2):
        at = len(data) * part // 8 & ~1
        yield data[at : at + 2048]


def _edge(data: bytes, encoding: str) -> int:
    """A place near the start where a character surely begins: behind a line end or a sign."""
    if encoding == "utf-8":
        return next((i for i in range(4) if data[i : i + 1] and data[i] & 0xC0 != 0x80), 0)
    if encoding.startswith("utf-16"):
        return 0
    line = data.find(b"\n", 0, MARGIN // 2)
    if line >= 0:
        return line + 1
    return next((i + 1 for i in range(min(len(data), MARGIN // 2)) if data[i] < 0x40), 0)


def _last_edge(data: bytes, encoding: str) -> int:
    """A place near the end where a character surely ends."""
    if encoding == "utf-8":
        return next((i for i in range(len(data) - 1, 0, -1) if data[i] & 0xC0 != 0x80), 0)
    if encoding.startswith("utf-16"):
        return len(data)
    line = data.rfind(b"\n", len(data) - MARGIN // 2)
    if line >= 0:
        return line + 1
    places = range(len(data) - 1, max(-1, len(data) - MARGIN // 2), -1)
    return next((i + 1 for i in places if data[i] < 0x40), len(data))


def _texty(data: bytes) -> bool:
    """A cheap look: could these bytes be text at all, of 8 bits or of 16?"""
    step = max(256, len(data) // 8) & ~1
    sample = b"".join(data[at : at + 256] for at in range(0, len(data), step))
    if sample.translate(None, _CONTROLS) == sample or not sample:
        return True
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 50 <= len(sample):
        return True
    halves = (sample[0::2], sample[1::2])
    return any(len(half.translate(None, _HIGH)) * 20 <= len(half) for half in halves)


# --- anything else -----------------------------------------------------------------------


def _in_windows(data: bytes, matches: dict[str, list[int]], key: bytes, base: int) -> list[Place]:
    """What stands around matches, each window in its own encoding; overlaps settled."""
    found: list[Place] = []
    for family, low, high, end in _plan(data, matches):
        text = _decoded(data, low, high, end, family)
        if text is None:
            continue
        lines = Text(_NO_TEXT.sub("\n", text.chars), text.offsets, text.encoding)
        spans = [span for span in read(lines, key)[0] if credible(text, span)]
        found += placed(text, spans, base)
        if len(found) > MOST:
            break
    return _once(found)


def _plan(data: bytes, matches: dict[str, list[int]]) -> Iterator[tuple[str, int, int, int]]:
    """(family, low, high, a match's end) of each window to decode.

    Matches in ASCII widen the windows of the words near them; only those that stand alone get a
    window of their own.
    """
    size = len(data)
    left = {f: matches.get(f, []) for f in (prefilter.ASCII, prefilter.ASCII16)}
    covered: dict[str, list[tuple[int, int]]] = {f: [] for f in left}
    for family in prefilter.WIDE:
        if family not in matches:
            continue
        twin = prefilter.ASCII16 if family.startswith("utf-16") else prefilter.ASCII
        anchors = [end for end in matches[family] if _promising(data, end, family)]
        for low, high in _windows(sorted({*anchors, *left[twin]}), size):
            i = bisect_left(anchors, low)
            if i < len(anchors) and anchors[i] <= high:
                covered[twin].append((low, high))
                yield family, low, high, anchors[i]
    for family, ends in left.items():
        taken = sorted(covered[family])
        alone = [e for e in ends if not _within(taken, e)]
        for low, high in _windows(alone, size):
            yield family, low, high, alone[bisect_left(alone, low)]


def _within(runs: list[tuple[int, int]], at: int) -> bool:
    """Is a place inside one of some runs, which may overlap but are sorted?"""
    i = bisect_left(runs, (at, 0))
    return any(a <= at <= b for a, b in runs[max(0, i - len(prefilter.WIDE)) : i])


def _promising(data: bytes, end: int, family: str) -> bool:
    """Do the characters around the end of a word read like text? Asked before the dear steps."""
    if family == "iso-2022-jp":
        return data.rfind(b"\x1b$", max(0, end - 512), end) >= 0
    before = max(0, end - 32)
    if family.startswith("utf-16"):
        before += (end - before) % 2
    good, run = common(), 0
    for char in reversed(data[before:end].decode(family, "replace")):
        if char not in good:
            break
        run += 1
    for char in data[end : end + 24].decode(family, "replace"):
        if char not in good:
            break
        run += 1
    return run >= CREDIBLE - 2


def _windows(ends: list[int], size: int) -> Iterator[tuple[int, int]]:
    """Runs of matches with the bytes around them, at most 64 KiB each."""
    low = high = -1
    for end in ends:
        if high >= 0 and end - _AROUND <= high and end + _AROUND - low <= _WINDOW:
            high = min(size, end + _AROUND)
            continue
        if high >= 0:
            yield low, high
        low, high = max(0, end - _AROUND), min(size, end + _AROUND)
    if high >= 0:
        yield low, high


def _decoded(data: bytes, low: int, high: int, end: int, family: str) -> Text | None:
    """A window as text that has a character boundary at ``end``."""
    if family == prefilter.ASCII:
        near = data[max(low, end - 64) : end + 64].replace(b"\0", b"\n")
        family = max(("utf-8", "cp932", "euc_jp", "latin-1"), key=lambda e: score(near, e))
    if family == prefilter.ASCII16:
        family, end = _order(data, low, high, end)
    if family == "iso-2022-jp":
        escape = data.rfind(b"\x1b$", max(0, end - 512), end)
        if escape < 0:
            return None
        low = min(low, escape)
    elif family.startswith("utf-16"):
        low += (end - low) % 2
    elif family != "latin-1":
        low = _aligned(data[low : min(high, end + _WIDEST)], low, end, family)
    return _shifted(decode(data[low:high], family), low)


def _aligned(data: bytes, low: int, end: int, family: str) -> int:
    """The first place from ``low`` on, where ``data`` begins, from which characters end at ``end``;
    ``low`` where there is none.
    """
    for start in range(min(_WIDEST, end - low)):
        offsets = decode(data[start:], family).offsets
        assert offsets is not None
        at = bisect_left(offsets, end - low - start)
        if at < len(offsets) and offsets[at] == end - low - start:
            return low + start
    return low


def _order(data: bytes, low: int, high: int, end: int) -> tuple[str, int]:
    """The byte order of ASCII in 16-bit units, and a boundary of characters there.

    The match ends with the byte of a letter or digit. A zero behind the whole run says little
    endian, one before it big; else what the rest of the window reads like; else even places.
    """
    first = last = end - 1
    while first - 2 >= low and data[first - 1] == 0 and data[first - 2] in _PLAIN:
        first -= 2
    while last + 2 < high and data[last + 1] == 0 and data[last + 2] in _PLAIN:
        last += 2
    before, behind = data[first - 1 : first] == b"\0", data[last + 1 : last + 2] == b"\0"
    little = score(data[low + (end + 1 - low) % 2 : high], "utf-16-le")
    big = score(data[low + (end - low) % 2 : high], "utf-16-be")
    if before != behind:
        little, big = float(behind), float(before)
    if little > big or (little == big and end % 2):
        return "utf-16-le", end + 1
    return "utf-16-be", end


def _shifted(text: Text, by: int) -> Text:
    """The text of a part, with offsets in the whole."""
    assert text.offsets is not None
    if isinstance(text.offsets, range):
        return Text(text.chars, range(by, by + len(text.offsets)), text.encoding)
    return Text(text.chars, shift(text.offsets, by), text.encoding)


def _once(found: list[Place]) -> list[Place]:
    """Of findings in the same bytes, the labelled, then the longer."""
    found.sort(key=lambda f: (f[3] != Strength.LABELLED, -f[1], f[0]))
    starts: list[int] = []
    ends: list[int] = []
    kept = []
    for one in found:
        start, end = one[0], one[0] + one[1]
        i = bisect_left(ends, start + 1)
        if i < len(starts) and starts[i] < end:
            continue
        at = bisect_left(starts, start)
        starts.insert(at, start)
        ends.insert(at, end)
        kept.append(one)
    return sorted(kept, key=itemgetter(0))

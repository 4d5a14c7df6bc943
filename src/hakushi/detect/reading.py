"""From a text to the spans of personal data in it: forms, proofs, labels, tables."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby, pairwise
from operator import itemgetter

from hakushi.detect import anchors, labels, layout, tables
from hakushi.detect.detector import Detector, Form, Need, Span
from hakushi.detect.fold import fold
from hakushi.detect.found import Found, Place
from hakushi.detect.registry import detectors
from hakushi.model import Locator, Strength, Text

_LABELLED = Strength.LABELLED

_BEHIND, _BEFORE = 140, 40
"""Characters behind a label, or before one in brackets, in which its values may lie."""

_PIECE, _OVERLAP = 1 << 18, 1 << 11
"""Characters that are read at once, and how far pieces reach into each other."""

_BREATH = 4
"""Characters between labels below which they are said in one breath."""

_REMEMBERED = 1 << 16
"""Values whose proof, mask and hash a process remembers: lists repeat the same people. Memory only;
they never leave."""

_LONGEST_CELL, _REMEMBERED_CELLS = 200, 1 << 14
"""Characters of a cell that may hold one value; cells of each kind of column to remember."""

_FEW = 64
"""Spans below which one look-up after the other is faster than waking NumPy."""

OWN_CONTACT = b"o"
"""Behind the key of a value that an office tells of itself (問合せ先, 担当, 市長)."""

_WORDS = frozenset({"person_name", "kana_name", "firm_name"})
"""Kinds that no number is of."""

_DATED = re.compile(r"[0-9年]")
_NUMERIC = re.compile(r"[0-9()+\-. ]+$")


@dataclass(slots=True)
class _Hit:
    """A possible span, before overlaps are settled: the greater ``trust`` stays."""

    detector: Detector
    start: int
    end: int
    trust: int
    """3 a column, 2 a label, 1 the form alone, 0 an unlabelled candidate."""


class Page:
    """A text being read: folded, with its labels, the cells of its tables, and where to look.

    Where a column explains the whole value of a cell, forms need not look: ``told`` are these.
    """

    def __init__(
        self, folded: str, cells: tables.Cells, key: bytes, apart: Sequence[int] = ()
    ) -> None:
        self.folded = folded
        self._apart = apart
        self.cells = cells
        self.key = key
        self._columns = _by_column(cells.columns)
        """Kind, and whether the header names a part -> the cells below it but those told."""
        self._examples = _examples(folded)
        self._taken: list[int] = []
        self.told = self._in_columns()
        found = anchors.find(self._left() if self._taken else folded)
        self.labels = labels.Labels(folded, found.labels)
        self._places = found.places
        self.named = frozenset().union(*(one.kinds for one in found.labels))
        """The kinds that some label names."""
        self._zones: dict[tuple[anchors.Near, int, int], list[tuple[int, int]]] = {}

    def column(self, at: int) -> tuple[int, tables.Column] | None:
        """Where the cell that holds the character at ``at`` begins, and its column."""
        i = self.cells.at(at)
        return None if i < 0 else (self.cells.starts[i], self.cells.columns[i])

    def text_of(self, at: int) -> int:
        """A number for the one of several texts that the character at ``at`` stands in."""
        return bisect_right(self._apart, at)

    def example(self, at: int) -> bool:
        """Does a line say before the character at ``at`` that it is an example?"""
        i = bisect_right(self._examples, (at, len(self.folded) + 1)) - 1
        return i >= 0 and at < self._examples[i][1]

    def _in_columns(self) -> list[Span]:
        """The values of cells that their columns explain, in order of place."""
        out: list[Span] = []
        folded, starts, ends = self.folded, self.cells.starts, self.cells.ends
        span, made = tuple.__new__, Span
        for (kind, part), numbers in self._columns.items():
            known, left = _known(kind, self.key, part), []
            for i in numbers:
                start, end = starts[i], ends[i]
                said = known(folded[start:end]) if end - start <= _LONGEST_CELL else None
                if said is None:
                    left.append(i)
                    continue
                found, low, high, masked, value = said
                # Made as `Span` makes it, at a third of the cost: lists have very many.
                one = (found, start + low, start + high, _LABELLED, masked, value)
                out.append(span(made, one))
                self._taken.append(i)
            self._columns[kind, part] = left
        out.sort(key=itemgetter(1))
        if self._examples:
            out = [one._replace(strength=self.strength(one.start, 3)) for one in out]
        return out

    def strength(self, at: int, trust: int) -> Strength:
        """What a value at ``at`` counts as."""
        return _LABELLED if trust and not self.example(at) else Strength.UNLABELLED

    def _left(self) -> str:
        """The text with zeros for the cells that their columns explain: nothing stands there."""
        import numpy as np

        codes = np.frombuffer(self.folded.encode("utf-32-le", "surrogatepass"), np.uint32)
        taken = np.array(self._taken, np.int64)
        inside = np.zeros(len(codes) + 1, np.int8)
        inside[np.array(self.cells.starts)[taken]] = 1
        inside[np.array(self.cells.ends)[taken]] -= 1
        left = np.where(np.cumsum(inside[:-1], dtype=np.int8), np.uint32(0), codes)
        return left.tobytes().decode("utf-32-le", "surrogatepass")

    def asked(self) -> Iterator[tuple[Detector, list[Form]]]:
        """The detectors of which some forms may match at all, and these forms, in their order."""
        asking, every = _asking(), detectors()
        headed = {kind for kind, _ in self._columns}
        labelled = (asking.labelled.get(kind, ()) for kind in self.named | headed)
        near = (asking.near.get(pattern, ()) for pattern in self._places)
        places = sorted({place for some in (*labelled, *near) for place in some})
        for number, some in groupby(places, itemgetter(0)):
            detector = every[number]
            yield detector, [detector.forms[form] for _, form in some]

    def near(self, pattern: anchors.Near, before: int, after: int) -> list[tuple[int, int]]:
        """The zones around matches of a cheap pattern."""
        key = (pattern, before, after)
        if key not in self._zones:
            places = self._places[pattern]
            self._zones[key] = _zones(places, before, after, len(self.folded))
        return self._zones[key]

    def labelled(self, kind: str, lines: int) -> list[tuple[int, int]]:
        """The zones behind and before each label of a kind, and the cells of its columns.

        A label names what stands on its line or begins the next: a value of ``lines`` lines ends
        so many lines below.
        """
        key = (kind, lines, -1)
        if key not in self._zones:
            size = len(self.folded)
            named = [one for one in self.labels.all if kind in one.kinds]
            following = [one.start for one in named[1:]]
            following += [size + _BREATH] * bool(named)
            zones = [
                (one.end, self._below(one, lines))
                for one, after in zip(named, following, strict=True)
                if after - one.end >= _BREATH  # of labels in one breath the last one looks
            ]
            zones += [
                (max(0, one.start - _BEFORE), one.start)
                for one in named
                if self.folded[one.start - 1 : one.start] in ("(", "[", "【")
            ]
            cells = self.cells
            for part in (False, True):
                numbers = self._columns.get((kind, part), ())
                zones += [(cells.starts[i], cells.ends[i]) for i in numbers]
            self._zones[key] = zones
        return self._zones[key]

    def _below(self, label: anchors.Label, lines: int) -> int:
        """Where the zone behind a label ends: behind ``lines`` lines below it, if not before."""
        last = min(len(self.folded), label.end + _BEHIND)
        end = self.labels.breath(label, last)
        for _ in range(lines + 1):
            if end < last:
                newline = self.folded.find("\n", end, last)
                end = last if newline < 0 else newline + 1
        return min(end, last)


def _by_column(columns: Sequence[tables.Column]) -> dict[tuple[str, bool], list[int]]:
    """The numbers of the cells below headers, by what these say. A million cells share a few
    columns, which are told apart by what they are, not by what is in them.
    """
    same: defaultdict[int, list[int]] = defaultdict(list)
    for number, column in enumerate(columns):
        same[id(column)].append(number)
    out: dict[tuple[str, bool], list[int]] = {}
    for numbers in same.values():
        one = columns[numbers[0]]
        if one.kind:
            out.setdefault((one.kind, one.part), []).extend(numbers)
    return out


@dataclass(frozen=True, slots=True)
class _Asking:
    """The forms that cheap patterns and labels wake, as numbers of detector and form."""

    near: dict[anchors.Near, list[tuple[int, int]]]
    labelled: dict[str, list[tuple[int, int]]]


@cache
def _asking() -> _Asking:
    out = _Asking({}, {})
    for number, one in enumerate(detectors()):
        for place, form in enumerate(one.forms):
            if form.need is Need.LABEL:
                out.labelled.setdefault(one.kind, []).append((number, place))
            else:
                out.near.setdefault(form.near, []).append((number, place))
    return out


def _zones(places: anchors.Places, before: int, after: int, size: int) -> list[tuple[int, int]]:
    """Places, widened and joined where they then touch."""
    import numpy as np

    highs = np.maximum.accumulate(np.minimum(places.ends + after, size))
    lows = np.maximum(places.starts - before, 0)
    first = np.flatnonzero(np.append(True, lows[1:] > highs[:-1]))
    last = np.append(first[1:], len(lows)) - 1
    return list(zip(lows[first].tolist(), highs[last].tolist(), strict=True))


def spans(text: Text, key: bytes, say: Callable[[int], object] = bool) -> list[Span]:
    """The personal data in a text, in order, none overlapping another. ``say`` hears how many
    characters of a long text are read.
    """
    if text.cells or len(text.chars) <= _PIECE:
        return read(text, key)[0]
    out: list[Span] = []
    header: tables.Header | None = None
    size = len(text.chars)
    for at in range(0, size, _PIECE):
        say(at)
        low, high = _line_start(text.chars, at), min(size, at + _PIECE + _OVERLAP)
        following = _line_start(text.chars, at + _PIECE)
        found, header = read(Text(text.chars[low:high]), key, header, following - low)
        out.extend(
            one._replace(start=one.start + low, end=one.end + low)
            for one in found
            if at <= one.start + low < at + _PIECE
        )
    return out


def _line_start(chars: str, at: int) -> int:
    """Where the piece of a long text begins whose own part begins at ``at``."""
    low = max(0, at - _OVERLAP)
    return chars.rfind("\n", low, max(low, at - _OVERLAP // 2)) + 1 or low


def read(
    text: Text,
    key: bytes,
    carried: tables.Header | None = None,
    watch: int | None = None,
    apart: Sequence[int] = (),
) -> tuple[list[Span], tables.Header | None]:
    """`spans`, for a part of a longer text: ``carried`` is the table header that holds there.

    The header that comes back holds at the character ``watch``, or at its end. ``apart``: where
    texts begin that have nothing to do with each other.
    """
    laid = None if text.cells else layout.plain(text.chars)
    if laid is None:
        return read_plain(text, key, carried, watch, apart)
    watch = None if watch is None else laid.place(watch)
    apart = [laid.place(at) for at in apart]
    spans, held = read_plain(Text(laid.chars), key, carried, watch, apart)
    return laid.back(spans), held


def read_plain(
    text: Text,
    key: bytes,
    carried: tables.Header | None = None,
    watch: int | None = None,
    apart: Sequence[int] = (),
) -> tuple[list[Span], tables.Header | None]:
    """`read`, for a text as `layout.plain` leaves it."""
    folded = fold(text.chars)
    if text.cells:
        cells, held = tables.given(folded, text.cells, text.header), None
    else:
        cells, held = tables.cells(folded, carried, watch)
    page = Page(folded, cells, key, apart)
    done = {one.start: one.end for one in page.told}
    hits = [
        hit
        for detector, forms in page.asked()
        for hit in _in_forms(page, detector, forms)
        if done.get(hit.start) != hit.end
    ]
    return _in_company(_settled(page, hits)), held


def find(text: Text, locator: Locator, key: bytes) -> Found:
    """The spans of a text as findings in the bytes of ``locator``.

    A derived text has no bytes of its own: its character indices stand for them.
    """
    return Found(locator, placed(text, spans(text, key)))


def placed(text: Text, spans: list[Span], base: int = 0) -> list[Place]:
    """Where the spans of a text lie in bytes that start at ``base``."""
    import numpy as np

    lows, highs = [s.start for s in spans], [s.end for s in spans]
    if text.offsets is not None and len(spans) > _FEW:
        offsets = np.asarray(text.offsets, np.int64) + base
        lows, highs = offsets[lows].tolist(), offsets[highs].tolist()
    elif text.offsets is not None:
        lows = [text.offsets[at] + base for at in lows]
        highs = [text.offsets[at] + base for at in highs]
    return [
        (low, high - low, kind, strength._value_, masked, value)
        for low, high, (kind, _, _, strength, masked, value) in zip(lows, highs, spans, strict=True)
    ]


# --- tables ------------------------------------------------------------------------------


@cache
def _by_kind() -> dict[str, Detector]:
    return {one.kind: one for one in detectors()}


_Said = tuple[str, int, int, str, bytes]
"""The value that a cell of a column holds: its kind, where in the cell it stands, its mask and its
keyed hash.
"""


class _Remembered(dict[str, "_Said | None"]):
    """What cells of columns of one kind were found to hold."""

    def __init__(self, kind: str, key: bytes, part: bool) -> None:
        self._kind, self._key, self._part = kind, key, part

    def __missing__(self, value: str) -> _Said | None:
        if len(self) >= _REMEMBERED_CELLS:
            self.clear()
        said = self[value] = _in_cell(self._kind, value, self._key, self._part)
        return said


@lru_cache(64)
def _known(kind: str, key: bytes, part: bool) -> Callable[[str], _Said | None]:
    return _Remembered(kind, key, part).__getitem__


def _in_cell(kind: str, value: str, key: bytes, part: bool) -> _Said | None:
    """What a cell holds, if its whole value is what the column says."""
    found = tables.whole(kind, value, part=part)
    if found is None:
        return None
    detector, low, high, normal = found
    return detector.kind, low, high, *_said_of(detector, value[low:high], normal, key)


# --- forms -------------------------------------------------------------------------------


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """When it is first asked for: all together take half a second."""
    return re.compile(pattern)


def _in_forms(page: Page, detector: Detector, forms: list[Form]) -> Iterator[_Hit]:
    """The hits of some forms of a detector."""
    held: list[_Hit] = []
    failed: Counter[int] = Counter()
    before: _Hit | None = None
    known: dict[tuple[int, int], int] = {}
    for form in forms:
        for match in _matches(page, detector.kind, form):
            start, end = match.span("v")
            part = (0, end - start) if form.exact else detector.narrow(page.folded[start:end])
            if part is None:
                continue
            start, end = start + part[0], start + part[1]
            if form.need is Need.LABEL:
                end = page.labels.until(start, end)
            if known.get((start, end), 0) >= (1 if form.need is Need.ALONE else 2):
                continue  # an earlier form found as much
            value = page.folded[start:end]
            good = form.prove(value) if form.prove else detector.prove(detector.normal(value))
            # By the words before the value the form itself says what it is: no label before them.
            own = form.need is Need.ALONE and match.start() < match.start("v")
            place = (start, end, match.start() if own else -1)
            trust = _trust(page, detector, form, place, before) if good else None
            if not good:
                failed[page.text_of(start)] += form.need is Need.CANDIDATE
            elif trust:
                before = _Hit(detector, start, end, trust)
                known[start, end] = trust
                yield before
            elif trust == 0:
                held.append(_Hit(detector, start, end, 0))
    if detector.scarce and failed:
        found = Counter(page.text_of(one.start) for one in held)
        held = [one for one in held if failed[t := page.text_of(one.start)] <= found[t]]
    yield from held


_BREAKS = re.compile(r"\n|\\n|\\s|\\[DW]|\[\^(?!\\?\n|\\n)")
"""Parts of patterns that may match a line's end."""


@cache
def _lines(pattern: str) -> int:
    """Over how many lines a match may go: what forms break once."""
    return 2 if _BREAKS.search(pattern) else 1


def _matches(page: Page, kind: str, form: Form) -> Iterator[re.Match[str]]:
    """Where a form matches: everywhere, or only in the zones that it asks for."""
    if form.need is Need.LABEL:
        zones = page.labelled(kind, _lines(form.pattern))
    else:
        zones = page.near(form.near, form.before, form.after)
    pattern = _compiled(form.pattern)
    seen: set[tuple[int, int]] = set()
    labelled = form.need is Need.LABEL
    for low, high in zones:
        at = low
        while (match := pattern.search(page.folded, at, high)) is not None:
            start, end = match.span("v")
            label = page.labels.at(start) if labelled else -1
            if 0 < label <= end:
                at = label  # a label is no value of another label: what follows it may be one
                continue
            at = max(match.end(), match.start() + 1)
            whole = match.end() < high or high == len(page.folded) or page.cells.at(low) >= 0
            if whole and (start, end) not in seen:
                seen.add((start, end))
                yield match


def _trust(
    page: Page, detector: Detector, form: Form, place: tuple[int, int, int], before: _Hit | None
) -> int | None:
    """How far to believe a proven match; None refuses it.

    ``place``: where it begins and ends, and where the words of the form itself begin that say what
    it is; -1 if it has none.
    """
    start, end, own = place
    floor = max(0, own)
    cell = page.column(start)
    numeric = bool(_NUMERIC.match(page.folded[start:end]))
    if cell is not None:
        begins, column = cell
        if column.kind == detector.kind:
            # A part of a cell is no surer than another kind that explains more of it.
            return 3 if (start, end) == (begins, page.cells.ends[page.cells.at(start)]) else 1
        if column is tables.HEADER:
            return None
        if numeric and (column.foreign or column.kind is not None):
            return None
        floor = max(floor, begins)
    if form.need is Need.ALONE and not numeric:
        return 1
    dated = bool(_DATED.search(page.folded, start, end))
    said = page.labels.says(start, end, floor, tight=not numeric and not dated)
    if said is None:
        if own < 0:
            return None
        said = frozenset()
    if detector.kind in said:
        return 2
    near = before is not None and before.trust == 2 and before.end <= start <= before.end + 16
    if near and before is not None:
        between = page.folded[before.end : start]
        # Words that gaps alone set apart are fields of a form, unless it is a whole name.
        alone = not (numeric or dated or between.strip())
        whole = detector.alike if alone else None
        if labels.listed(between) and (whole is None or whole(page.folded[start:end])):
            return 2
    # 担当 山根 086-231-1234: the label is the name's.
    if (said - _WORDS if numeric else said) or not detector.stands(page.folded[start:end]):
        return None
    return {Need.ALONE: 1, Need.CANDIDATE: 0}.get(form.need)


# --- settling ----------------------------------------------------------------------------


def _settled(page: Page, hits: list[_Hit]) -> list[Span]:
    """What columns told and forms hit, none overlapping another, in order of place."""
    told = page.told
    if not hits:
        return told
    ends = [one.end for one in told]
    clashing: dict[tuple[int, int], Span] = {}
    for hit in hits:
        i = bisect_right(ends, hit.start)
        while i < len(told) and told[i].start < hit.end:
            clashing[told[i].start, told[i].end] = told[i]
            i += 1
    out = [one for one in told if (one.start, one.end) not in clashing] if clashing else told
    by_kind = _by_kind()
    hits += [_Hit(by_kind[one.kind], one.start, one.end, 3) for one in clashing.values()]
    out = [*out, *(clashing.get((h.start, h.end)) or _span(page, h) for h in _settle(hits))]
    out.sort(key=itemgetter(1))
    return out


def _settle(hits: list[_Hit]) -> list[_Hit]:
    """Of hits that overlap, the most trusted, then the longest; in order of place.

    A part of a longer one of its kind lends it its trust: 幸代 beside a label is 浜田 幸代.
    """
    hits.sort(key=lambda h: h.start)
    if all(a.end <= b.start for a, b in pairwise(hits)):
        return hits
    hits.sort(key=lambda h: (h.start, -h.end))
    longest: dict[str, _Hit] = {}
    for hit in hits:
        over = longest.get(hit.detector.kind)
        if over is not None and hit.end <= over.end and hit.trust < 3 and over.trust:
            over.trust = max(over.trust, hit.trust)
        else:
            longest[hit.detector.kind] = hit
    hits.sort(key=lambda h: (-h.trust, h.start - h.end, h.start, h.detector.kind))
    starts: list[int] = []
    ends: list[int] = []
    kept: list[_Hit] = []
    for hit in hits:
        i = bisect_left(ends, hit.start + 1)
        if i < len(starts) and starts[i] < hit.end:
            continue
        at = bisect_left(starts, hit.start)
        starts.insert(at, hit.start)
        ends.insert(at, hit.end)
        kept.append(hit)
    kept.sort(key=lambda h: h.start)
    return kept


_COMPANY = 160
"""Characters between a value and another that it needs near."""


def _in_company(spans: list[Span]) -> list[Span]:
    """Those that stand for themselves, and of the rest those near one of a kind they need."""
    needs = {kind: one.company for kind, one in _by_kind().items() if one.company}
    if not any(span.kind in needs for span in spans):
        return spans
    places: dict[str, list[int]] = {}
    for span in spans:
        places.setdefault(span.kind, []).append(span.start)

    def near(span: Span) -> bool:
        for kind in needs[span.kind]:
            starts = places.get(kind, [])
            i = bisect_left(starts, span.start - _COMPANY)
            if i < len(starts) and starts[i] <= span.end + _COMPANY:
                return True
        return False

    return [span for span in spans if span.kind not in needs or near(span)]


_OFFICE = re.compile(
    r"(?:お?問い?合わ?せ|担当|発行者|発信者|差出人|[市区町村]長|知事|税務署長|代表電話)[^\n。様殿]{0,40}\Z"
)
"""Words behind which an office tells of itself."""

_ADDRESSED = re.compile(r" {0,3}(?:御中|様|殿|さん)")
_CONTACTS = frozenset({"person_name", "kana_name", "phone", "email", "address", "postal_code"})


def _of_the_office(page: Page, hit: _Hit) -> bool:
    """Does a letter tell of its own sender here, not of someone that it is about?"""
    if hit.detector.kind not in _CONTACTS or page.cells.at(hit.start) >= 0:
        return False
    before = page.folded[max(0, hit.start - 52) : hit.start]
    return _OFFICE.search(before) is not None and not _ADDRESSED.match(page.folded, hit.end)


_EXAMPLE = re.compile(
    r"(?:記入|記載|入力|書き?方の?)例|[(\[【<] ?(?:例|見本) ?[)\]】>]|(?<![^\n ])例 ?[:)]"
)
"""What says on a form that the rest of the line is nobody's."""

_SAID = 6
"""Characters that such words reach around 例 and 見本."""


def _examples(folded: str) -> list[tuple[int, int]]:
    """Where lines are examples: from the word that says so to the line's end."""
    out: list[tuple[int, int]] = []
    for word in ("例", "見本"):
        at = folded.find(word)
        while at >= 0:
            said = _EXAMPLE.search(folded, max(0, at - _SAID), at + _SAID)
            if said is not None:
                out.append((said.end(), tables.line_end(folded, said.end())))
            at = folded.find(word, at + 1)
    return sorted(set(out))


def _span(page: Page, hit: _Hit) -> Span:
    masked, value = _told(hit.detector, page.folded[hit.start : hit.end], page.key)
    if hit.trust != 3 and _of_the_office(page, hit):
        value += OWN_CONTACT
    strength = page.strength(hit.start, hit.trust)
    return Span(hit.detector.kind, hit.start, hit.end, strength, masked, value)


@lru_cache(_REMEMBERED)
def _told(detector: Detector, value: str, key: bytes) -> tuple[str, bytes]:
    """What may be said of a value: its mask, as any store takes it, and its keyed hash."""
    return _said_of(detector, value, detector.normal(value), key)


def _said_of(detector: Detector, value: str, normal: str, key: bytes) -> tuple[str, bytes]:
    masked = detector.mask(value).replace("\0", " ").encode("utf-8", "replace").decode()
    return masked, value_key(detector.kind, normal, key)


def value_key(kind: str, value: str, key: bytes) -> bytes:
    """The keyed hash that counts equal values of one kind; tells nothing without the key."""
    data = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, key=key[:64], digest_size=16).digest()

"""The one word of this room: `Detector`, a kind of personal data as data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from hakushi.detect.fold import digits
from hakushi.model import Strength

_UNBOUNDED = re.compile(r"(?<!\\)(?:\\\\)*(?:[*+]|\{\d*,\})")
_CLASSES = re.compile(r"\[(?:\\.|[^\]\\])*\]")


class Need(Enum):
    """What a form needs to say what it is."""

    ALONE = "alone"
    """Nothing: its own anchor or form says it."""
    LABEL = "label"
    """A label or a column header; without one it is nothing."""
    CANDIDATE = "candidate"
    """A label or a header; without one it is an unlabelled candidate."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """How a value is written: a bounded pattern over folded text, its group ``v`` the value.

    A form that needs a label is looked for beside labels only. ``near``: a cheap pattern, or
    several where one would be too large; the form is looked for only from ``before`` characters
    before its matches to ``after`` behind them.
    ``prove`` overrides the detector's proof for this form; it gets the value as written. ``exact``:
    the value is not narrowed.
    """

    pattern: str
    need: Need = Need.LABEL
    prove: Callable[[str], bool] | None = None
    near: str | tuple[str, ...] = ""
    before: int = 40
    after: int = 40
    exact: bool = False

    def __post_init__(self) -> None:
        if _UNBOUNDED.search(_CLASSES.sub("x", self.pattern)):
            raise ValueError(f"unbounded pattern: {self.pattern}")
        if (self.need is Need.LABEL) == bool(self.near):
            raise ValueError(f"a form needs a label or words near it: {self.pattern}")
        if "(?P<v>" not in self.pattern:
            raise ValueError(f"pattern without a value: {self.pattern}")


class Span(NamedTuple):
    """One piece of personal data in a text, by character offsets: masked at birth, hashed.

    A tuple, as a list of people has a hundred thousand of them.
    """

    kind: str
    start: int
    end: int
    strength: Strength
    masked: str
    value_key: bytes


def _stars(value: str) -> str:
    """First character and stars: 山**."""
    return value[:1] + "*" * (len(value) - 1)


def mask_all(value: str) -> str:
    """Nothing stays."""
    return "*" * len(value)


def mask_number(value: str) -> str:
    """First digit and the last two; signs between them stay: 4*********89."""
    places = [i for i, c in enumerate(value) if c.isalnum()]
    keep = {places[0], *places[-2:]} if len(places) > 5 else set(places[:1])
    return "".join(c if i in keep or not c.isalnum() else "*" for i, c in enumerate(value))


def whole(value: str) -> tuple[int, int] | None:
    """The value as it stands."""
    return 0, len(value)


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """One kind of personal data. PLUGIN of each file in ``rules/``; its examples are its tests.

    Everything is written over folded text (`hakushi.detect.fold`).

    ``forms``: how values are written. ``labels``: words before a value that say what it is.
    ``header``: pattern of a column header; ``cell``: the forms that a whole cell below it has.
    ``part_header``: pattern of a whole header that names a part of a value (a first name);
    ``part_cell``: the forms that a whole cell below it may have, too.
    ``prove``: is the normalised value possible? ``narrow``: the part of a match that is the value,
    or None if it is none. ``stands``: does the written value, that no label names, still stand for
    itself? ``normal``: one spelling for equal values. ``mask``: the little that may
    be shown. ``scarce``: chance numbers pass the proof, so unlabelled candidates among many that
    fail it are refused. ``sure``: would noise hardly ever look like this value and its anchor? If
    not, bytes that are no clean text must read like text for longer around it. ``alike``: is
    a cell one of those that together say what a column without a header is (most of them; all,
    where ``scarce``)? Only with a column of the kind ``beside`` in the table, where given.
    ``company``: kinds of which one must stand near, as the value alone tells of nobody.

    ``literals`` (besides labels) and ``shapes`` wake the prefilter over raw bytes: words in every
    encoding, and patterns of bounded width over ASCII, where ``form`` alone finds it.

    ``yes``: (text, value) pairs, labelled. ``no``: texts without a labelled span of this kind.
    ``source``: where the rule comes from.
    """

    kind: str
    source: str
    forms: tuple[Form, ...]
    labels: tuple[str, ...] = ()
    header: str = ""
    cell: tuple[str, ...] = ()
    part_header: str = ""
    part_cell: tuple[str, ...] = ()
    prove: Callable[[str], bool] = bool
    narrow: Callable[[str], tuple[int, int] | None] = whole
    stands: Callable[[str], bool] = bool
    normal: Callable[[str], str] = digits
    mask: Callable[[str], str] = mask_number
    scarce: bool = False
    sure: Callable[[str], bool] = bool
    alike: Callable[[str], bool] | None = None
    beside: str = ""
    company: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    yes: tuple[tuple[str, str], ...] = ()
    no: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in (*self.cell, *self.part_cell, self.header, self.part_header, *self.shapes):
            if _UNBOUNDED.search(_CLASSES.sub("x", pattern)):
                raise ValueError(f"{self.kind}: unbounded pattern: {pattern}")


mask_word = _stars

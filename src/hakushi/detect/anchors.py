"""Where in a folded text anything may stand: labels, and the cheap patterns that forms ask for.

One pass of hyperscan finds them all; without the library `re` does, one pattern after the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hakushi.detect import database
from hakushi.detect.fold import fold
from hakushi.detect.registry import detectors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SCRIPT = re.compile(r"([A-Za-z])|([ァ-ヺー\uff66-\uff9f])")
_JOINED = frozenset(
    [
        "kana",
        "furigana",
        "tel",
        "phone",
        "mobile",
        "fax",
        "mail",
        "email",
        "zip",
        "address",
        "birth",
        "birthday",
        "birthdate",
        "dob",
    ]
)
"""Labels that names of variables end with (memberKana). Not name: tableName, fileName."""

Near = str | tuple[str, ...]
"""A cheap pattern of a form, or several that are one."""

_LABEL = "label"
_CLOSE = 32
"""Bytes between matches of one cheap pattern that make them one place."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label in a text, and the kinds that it names."""

    start: int
    end: int
    kinds: frozenset[str]


class Places(NamedTuple):
    """Where a pattern matches: its first characters, those behind its last; in order of these."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Anchors:
    """What was found: labels in order, and for each cheap pattern its places in order."""

    labels: list[Label]
    places: dict[Near, Places]


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What to look for: cheap patterns, Japanese labels as patterns, the kinds of label words."""

    near: tuple[str, ...]
    asked: tuple[Near, ...]
    """For each of these the whole that it is one of."""
    labels: tuple[str, ...]
    kinds: dict[str, frozenset[str]]


@cache
def _vocabulary() -> _Vocabulary:
    kinds: dict[str, set[str]] = {}
    near: dict[Near, None] = {}
    words: set[str] = set()
    for detector in detectors():
        for label in detector.labels:
            words.add(fold(label))
            kinds.setdefault(_key(fold(label)), set()).add(detector.kind)
        near.update(dict.fromkeys(form.near for form in detector.forms if form.near))
    labels = tuple(_spelled(word) for word in sorted(words, key=lambda w: (-len(w), w)))
    each = [(one, whole) for whole in near for one in _patterns(whole)]
    patterns, asked = zip(*each, strict=True)
    return _Vocabulary(patterns, asked, labels, {k: frozenset(v) for k, v in kinds.items()})


def _patterns(near: Near) -> tuple[str, ...]:
    return (near,) if isinstance(near, str) else near


def _spelled(word: str) -> str:
    """A label as a pattern: short ones are often spaced out (氏　名), Latin ones joined anyhow."""
    if word.isascii():
        return r"[ _\-]?".join(map(re.escape, re.split(r"[ _\-]", word)))
    return " {0,3}".join(map(re.escape, word)) if len(word) <= 4 else re.escape(word)


@lru_cache(1 << 14)
def _key(word: str) -> str:
    return re.sub(r"[ _\-]", "", word).lower()


_MANY = 256
"""Matches from which on it pays to sort out labels in Latin letters before they are looked at."""


def find(folded: str) -> Anchors:
    """The anchors of a folded text."""
    words = _vocabulary()
    compiled = _database()
    places = _slowly(folded) if compiled is None else _fast(compiled, folded)
    labels: list[Label] = []
    end = 0
    said = places.pop(_LABEL, None)
    spans = () if said is None else zip(said.starts.tolist(), said.ends.tolist(), strict=True)
    for a, b in sorted(spans, key=lambda p: (p[0], -p[1])):
        if b <= end or not _apart(folded, a, b):
            continue
        kinds = words.kinds[_key(folded[a:b])]
        if a >= end:
            labels.append(Label(a, b, kinds))
        else:  # 普通口座 and 口座番号 in 普通口座番号
            last = labels.pop()
            labels.append(Label(last.start, b, last.kinds | kinds))
        end = b
    return Anchors(labels, places)


_ready: dict[str, database.Compiled | None] = {}


def warm(path: Path | None = None) -> None:
    """Compiles the vocabulary or loads it from ``path``; raises `database.Missing`."""
    import hyperscan

    words = _vocabulary()
    flags = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SOM_LEFTMOST
    caseless = flags | hyperscan.HS_FLAG_CASELESS
    _ready["it"] = database.compiled(
        [p.encode() for p in (*words.near, *words.labels)],
        [flags] * len(words.near) + [caseless] * len(words.labels),
        path,
    )
    _kept("氏", "氏".encode(), [0] * (_MANY + 1), ([0] * (_MANY + 1), [3] * (_MANY + 1)))


def _database() -> database.Compiled | None:
    """The compiled vocabulary; None without the library."""
    if "it" not in _ready:
        try:
            warm()
        except (database.Missing, ImportError):
            _ready["it"] = None
    return _ready["it"]


def _fast(compiled: database.Compiled, folded: str) -> dict[Near, Places]:
    data = folded.encode("utf-8", "replace")
    near = _vocabulary().near
    ids: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    latest = [-1] * len(near)

    def hit(id: int, start: int, end: int, _flags: int, _context: object) -> None:
        # Matches of a cheap pattern that follow each other closely are one place.
        if id < len(latest):
            place = latest[id]
            if place >= 0 and start <= ends[place] + _CLOSE:
                ends[place] = max(end, ends[place])
                return
            latest[id] = len(ids)
        ids.append(id)
        starts.append(start)
        ends.append(end)

    compiled.search(data, hit)
    if not ids:
        return {}
    return _kept(folded, data, ids, (starts, ends))


def _kept(
    folded: str, data: bytes, ids: list[int], places: tuple[list[int], list[int]]
) -> dict[Near, Places]:
    """The matches that are asked for, under their patterns: of a list of people, few are."""
    import numpy as np

    from hakushi.detect import anchors_kernel

    wholes, of = _wholes()
    raw = np.frombuffer(data, np.uint8)
    which, starts, ends = (np.array(one, np.int64) for one in (ids, *places))
    which = of[which]
    if len(ids) > _MANY:
        wanted = (which < len(wholes) - 1) | anchors_kernel.apart(raw, starts, ends)
        which, starts, ends = which[wanted], starts[wanted], ends[wanted]
    order = np.lexsort((starts, which))
    which, starts, ends = which[order], starts[order], ends[order]
    if len(data) != len(folded):
        both = anchors_kernel.characters(raw, np.concatenate((starts, ends)))
        starts, ends = both[: len(starts)], both[len(starts) :]
    first = np.flatnonzero(np.diff(which, prepend=-1)).tolist()
    return {
        wholes[which[low]]: Places(starts[low:high], ends[low:high])
        for low, high in pairwise([*first, len(which)])
    }


@cache
def _wholes() -> tuple[tuple[Near, ...], npt.NDArray[np.int64]]:
    """What is asked for, labels last; and the number of that for each pattern of the database."""
    import numpy as np

    words = _vocabulary()
    number = {whole: at for at, whole in enumerate(dict.fromkeys(words.asked))}
    of = [*(number[whole] for whole in words.asked), *[len(number)] * len(words.labels)]
    return (*number, _LABEL), np.array(of, np.int64)


def _slowly(folded: str) -> dict[Near, Places]:
    import numpy as np

    wholes = dict.fromkeys(_vocabulary().asked)
    patterns: dict[Near, re.Pattern[str]] = {
        one: re.compile("|".join(_patterns(one))) for one in wholes
    }
    patterns[_LABEL] = _label_pattern()
    found: dict[Near, Places] = {}
    for name, pattern in patterns.items():
        spans = [match.span() for match in pattern.finditer(folded)]
        if spans:
            found[name] = Places(*np.array(spans, np.int64).T)
    return found


@cache
def _label_pattern() -> re.Pattern[str]:
    return re.compile("|".join(_vocabulary().labels), re.IGNORECASE)


def _apart(folded: str, start: int, end: int) -> bool:
    """Is a label in Latin letters or katakana a word of its own, not a part of one?"""
    script = _SCRIPT.match(folded[start])
    if script is None or not _SCRIPT.match(folded[end - 1]):
        return True
    before, behind = folded[start - 1 : start] if start else "", folded[end : end + 1]
    if before and before in "_-" and folded[start:end].lower() == "name":
        return _WHOSE.search(folded, max(0, start - 24), start) is not None
    if before.islower() and folded[start].isupper() and folded[start:end].lower() in _JOINED:
        before = ""  # memberKana
    return not any(c and _same(script, c) for c in (before, behind))


_WHOSE = re.compile(
    r"(?:user|cust|customer|client|patient|member|emp|employee|staff|person|owner|holder|contact|guest"
    r"|applicant|student|teacher|parent|guardian|full|first|last|family|given|kanji|kana|shain|kokyaku|card"
    r"|recipient|sender|payee|display|real|sei|mei)[_-]\Z",
    re.IGNORECASE,
)
"""What stands before _name where it is a person's: COLUMN_NAME, node-name are of things."""


def _same(script: re.Match[str], char: str) -> bool:
    other = _SCRIPT.match(char)
    return other is not None and other.lastindex == script.lastindex

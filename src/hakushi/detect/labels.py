"""Labels: the words beside a value that say what it is, or that it is something else."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from hakushi.detect.fold import fold
from hakushi.detect.registry import detectors

REACH = 72
"""Characters before a value in which its label may begin."""

_GAP = 24
_FOREIGN = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.\-]{1,20} ?[=#]|番号|番|コード|記号|品番|型番|型式|型名|伝票|管理|測点"
    r"|座標|寸法"
    r"|[Nn]o\.?|NO\.?|№|\bID|[Cc]ode|CODE|JAN|ISBN|EAN|UPC|SKU|LBA|S/N|SN|[Ss]erial"
    r"|[Vv]er(?:sion)?\.?)"
    r"[\s:=#「『(\[\"'は]{0,6}$"
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z_]{1,20}(?:[ \-][A-Za-z][A-Za-z_]{1,20}){0,2}")
_BREAK = re.compile(r"[ _\-]")
_LISTED = re.compile(r"^[ \t,、/／・;及又はおよびFAX:()携帯自宅]{1,8}$")


@cache
def _words() -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    """Every label: a pattern for those in Japanese, and the kinds of all of them by their key."""
    kinds: dict[str, set[str]] = {}
    for detector in detectors():
        for label in detector.labels:
            kinds.setdefault(_key(fold(label)), set()).add(detector.kind)
    alternatives = [
        # Short labels are often spaced out: 氏　名.
        " {0,3}".join(map(re.escape, word)) if len(word) <= 4 else re.escape(word)
        for word in sorted(kinds, key=len, reverse=True)
        if not word.isascii()
    ]
    return re.compile("|".join(alternatives)), {k: frozenset(v) for k, v in kinds.items()}


def _key(word: str) -> str:
    return re.sub(r"[ _\-]", "", word).lower()


@dataclass(frozen=True, slots=True)
class Label:
    """One label in a text, and the kinds that it names."""

    start: int
    end: int
    kinds: frozenset[str]


class Labels:
    """Every label of a folded text, in the parts of it that are looked at."""

    def __init__(self, folded: str, active: Iterable[tuple[int, int]]) -> None:
        self._folded = folded
        japanese, kinds = _words()
        found = []
        for low, high in active:
            for match in japanese.finditer(folded, low, high):
                found.append(Label(match.start(), match.end(), kinds[_key(match[0])]))
            found.extend(_latin(folded, low, high, kinds))
        self.all = sorted(found, key=lambda one: one.end)
        self._ends = [one.end for one in self.all]

    def says(self, start: int, end: int, floor: int = 0) -> frozenset[str] | None:
        """The kinds that the words beside a value name; None if they name another thing.

        The nearest label wins; labels in one breath (個人番号又は法人番号) count together. Looks
        left no further than ``floor``, on the same line or, for a value that begins its line,
        on the line above.
        """
        folded = self._folded
        low = _left(folded, start, floor)
        foreign = _FOREIGN.search(folded, max(low, start - 32), start)
        i = bisect_right(self._ends, start) - 1
        if i >= 0 and self.all[i].start >= low:
            last = self.all[i]
            if (foreign is None or foreign.start() < last.end) and _joins(folded[last.end : start]):
                kinds = last.kinds
                while i > 0 and self.all[i].start - self.all[i - 1].end <= 3:
                    i -= 1
                    kinds |= self.all[i].kinds
                return kinds
        return None if foreign is not None else self._right(end)

    def _right(self, end: int) -> frozenset[str]:
        """A label in brackets right behind the value."""
        at = end
        while self._folded[at : at + 1] == " ":
            at += 1
        if self._folded[at : at + 1] in ("(", "【", "["):
            i = bisect_right(self._ends, at)
            if i < len(self.all) and self.all[i].start == at + 1:
                return self.all[i].kinds
        return frozenset()


def _latin(folded: str, low: int, high: int, kinds: dict[str, frozenset[str]]) -> Iterator[Label]:
    """The labels in Latin letters: one to three words."""
    for match in _LATIN.finditer(folded, low, high):
        words = match[0]
        at = 0
        while at >= 0:
            named = kinds.get(_key(words[at:]))
            if named:
                yield Label(match.start() + at, match.end(), named)
                break
            cut = _BREAK.search(words, at)
            at = cut.end() if cut else -1


def _left(folded: str, start: int, floor: int) -> int:
    """Where the words that may speak for a value at ``start`` begin."""
    low = max(floor, start - REACH)
    line = folded.rfind("\n", low, start)
    if line >= 0:
        if folded[line + 1 : start].strip(' \t"「(・:*-'):
            low = line + 1
        else:
            low = max(low, folded.rfind("\n", low, line) + 1)
    return max(low, folded.rfind("。", low, start) + 1)


def _joins(gap: str) -> bool:
    """May these characters stand between a label and its value?"""
    if len(gap) > _GAP:
        return False
    line, newline, _ = gap.partition("\n")
    if newline and len(line.strip(" \t:|")) > 2:
        return False
    return sum(c.isdigit() for c in gap) <= 2


def listed(between: str) -> bool:
    """Do these characters between two values make them one list, under one label?"""
    return bool(_LISTED.match(between))

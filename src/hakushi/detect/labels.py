"""Labels: the words beside a value that say what it is, or that it is something else."""

from __future__ import annotations

import re
from functools import cache

from hakushi.detect.fold import fold
from hakushi.detect.registry import detectors

REACH = 72
"""Characters before a value in which its label may begin."""

_GAP = 24
_FOREIGN = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.\-]{1,20} ?[=#]|(?:番号|番|コード|記号|品番|型番|型式|型名|伝票|管理|測点|座標|寸法"
    r"|[Nn]o\.?|NO\.?|№|\bID|[Cc]ode|CODE|JAN|ISBN|EAN|UPC|SKU|LBA|S/N|SN|[Ss]erial|[Vv]er(?:sion)?\.?))"
    r"[\s:=#「『(\[\"'は]{0,6}$"
)
_LISTED = re.compile(r"^[ \t,、/／・;及又はおよびFAX:()携帯自宅]{1,8}$")


@cache
def _words() -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    kinds: dict[str, set[str]] = {}
    for detector in detectors():
        for label in detector.labels:
            kinds.setdefault(fold(label).replace(" ", "").lower(), set()).add(detector.kind)
    alternatives = []
    for word in sorted(kinds, key=len, reverse=True):
        if word.isascii():
            spelled = re.escape(word).replace("_", "[_ -]?")
            alternatives.append(rf"(?<![A-Za-z]){spelled}(?![A-Za-z])")
        elif len(word) <= 4:
            alternatives.append(r" {0,3}".join(map(re.escape, word)))
        else:
            alternatives.append(re.escape(word))
    pattern = re.compile("|".join(alternatives), re.IGNORECASE)
    return pattern, {k: frozenset(v) for k, v in kinds.items()}


def _kinds_of(word: str) -> frozenset[str]:
    key = word.replace(" ", "").lower()
    table = _words()[1]
    return (
        table.get(key)
        or table.get(word.lower().replace(" ", "_").replace("-", "_"))
        or (frozenset())
    )


def says(folded: str, start: int, end: int, floor: int = 0) -> frozenset[str] | None:
    """The kinds that the words beside ``folded[start:end]`` name; None if they name another thing.

    The nearest label wins; labels in one breath (個人番号又は法人番号) count together. Looks left no
    further than ``floor``, on the same line or, for a value that begins its line, on the line above.
    """
    left = _left(folded, start, floor)
    foreign = _FOREIGN.search(left)
    found = list(_words()[0].finditer(left))
    if found:
        last = found[-1]
        if (foreign is None or foreign.start() < last.end()) and _joins(left[last.end() :]):
            kinds = _kinds_of(last[0])
            for one, after in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
                if after.start() - one.end() > 3:
                    break
                kinds |= _kinds_of(one[0])
            return kinds
    if foreign is not None:
        return None
    return _right(folded, end)


def _left(folded: str, start: int, floor: int) -> str:
    left = folded[max(floor, start - REACH) : start]
    cut = left.rfind("\n")
    if cut >= 0:
        own = left[cut + 1 :]
        above = left[left.rfind("\n", 0, cut) + 1 : cut]
        left = own if own.strip(' \t"「(・:*-') else f"{above}\n{own}"
    return left[left.rfind("。") + 1 :]


def _joins(gap: str) -> bool:
    """May these characters stand between a label and its value?"""
    if len(gap) > _GAP:
        return False
    line, newline, _ = gap.partition("\n")
    if newline and len(line.strip(" \t:|")) > 2:
        return False
    return sum(c.isdigit() for c in gap) <= 2


def _right(folded: str, end: int) -> frozenset[str]:
    """A label in brackets right behind the value."""
    tail = folded[end : end + 20]
    stripped = tail.lstrip(" ")
    if stripped[:1] in ("(", "（", "【", "["):
        match = _words()[0].match(stripped, 1)
        if match:
            return _kinds_of(match[0])
    return frozenset()


def listed(between: str) -> bool:
    """Do these characters between two values make them one list, under one label?"""
    return bool(_LISTED.match(between))

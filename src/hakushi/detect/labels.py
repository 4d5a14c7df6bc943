"""Labels: the words beside a value that say what it is, or that it is something else."""

from __future__ import annotations

import re
from bisect import bisect_right

from hakushi.detect.anchors import Label

REACH = 72
"""Characters before a value in which its label may begin."""

_GAP, _BREATH = 24, 3
"""Characters between a label and its value, and between labels that are said in one breath."""
_TAGGED = 24
"""Characters of a tag before a label in it."""

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,60}>")
_FOREIGN = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.\-]{1,20} ?[=#]|番号|番|コード|記号|品番|型番|型式|型名|伝票|管理"
    r"|測点|座標|寸法|[Nn]o\.?|NO\.?|№|\bID|[Cc]ode|CODE|JAN|ISBN|EAN|UPC|SKU|LBA|S/N|SN"
    r"|[Ss]erial|[Vv]er(?:sion)?\.?)"
    r"[\s:=#「『(\[\"'は]{0,6}$"
)
_LATIN_GAP = re.compile(
    r"[\s:=\"'>\])|.#-]{0,8}(?:is|no\.?|number|番号)?[\s:=\"'.]{0,4}$", re.IGNORECASE
)
"""What may stand between a label in Latin letters and its value: no code."""

_TIGHT = re.compile(
    r"[\s:=|「『【】〕〔\[\])>\"'、・,/\-*#名]{0,12}(?:\([^()\n]{0,24}\))?[\s:=|「『】〕\]>\"'・は]{0,12}$"
)
"""What may stand between a label and a name: signs, and a remark in brackets."""

_LISTED = re.compile(r"^[ \t,、/／・;及又はおよびFAX:()携帯自宅]{1,8}$")


class Labels:
    """What the labels of a folded text say of its values."""

    def __init__(self, folded: str, every: list[Label]) -> None:
        self._folded = folded
        self.all = [one for one in every if not self._closes(one)] if "</" in folded else every
        self._ends = [one.end for one in self.all]

    def _closes(self, label: Label) -> bool:
        """Does it stand in the tag that ends a value: ``</name>``?"""
        at = self._folded.rfind("<", max(0, label.start - _TAGGED), label.start)
        return at >= 0 and self._folded[at + 1] == "/" and ">" not in self._folded[at : label.start]

    def breath(self, label: Label, most: int) -> int:
        """The end of the last label that is said in one breath with this one; ``most`` is far."""
        i = bisect_right(self._ends, label.end)
        end = label.end
        while i < len(self.all) and end < most and self.all[i].start - end <= _BREATH:
            end = self.all[i].end
            i += 1
        return end

    def at(self, start: int) -> int:
        """The end of the label that begins at a place; -1 if none does."""
        i = bisect_right(self._ends, start)
        return self.all[i].end if i < len(self.all) and self.all[i].start == start else -1

    def until(self, start: int, end: int) -> int:
        """Where a value ends that has another label and its colon in it: カンザキ メイ:."""
        i = bisect_right(self._ends, start)
        while i < len(self.all) and self.all[i].start < end:
            one = self.all[i]
            if one.start > start and self._folded[one.end : one.end + 2].lstrip(" ")[:1] == ":":
                return start + len(self._folded[start : one.start].rstrip(" "))
            i += 1
        return end

    def says(
        self, start: int, end: int, floor: int = 0, *, tight: bool = False
    ) -> frozenset[str] | None:
        """The kinds that the words beside a value name; None if they name another thing.

        The nearest label wins; labels in one breath (個人番号又は法人番号) count together. Looks
        left no further than ``floor``, on the same line or, for a value that begins its line,
        on the line above. ``tight``: only signs may stand between, as for names, not words.
        """
        folded = self._folded
        low = _left(folded, start, floor)
        foreign = _FOREIGN.search(folded, max(low, start - 32), start)
        i = bisect_right(self._ends, start) - 1
        if i >= 0 and self.all[i].start >= low:
            last = self.all[i]
            gap = _TAG.sub("", folded[last.end : start])
            latin = folded[last.start].isascii()
            allowed = _LATIN_GAP if latin else _TIGHT if tight else None
            joins = _joins(gap) and (allowed is None or allowed.match(gap))
            if latin and tight and not set(gap) & set(":=\"'>|\t"):
                joins = False  # "kernel-name  ..." is no form
            if joins and (foreign is None or foreign.start() < last.end):
                kinds = last.kinds
                while i > 0 and self.all[i].start - self.all[i - 1].end <= _BREATH:
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
            if i < len(self.all) and self.all[i].start == at + 1 and not self._leads(at, i):
                return self.all[i].kinds
        return frozenset()

    def _leads(self, at: int, i: int) -> bool:
        """Does a label in square brackets have its value behind it: 受診券 [氏名] 船生 キミ子?"""
        behind = self._folded[self.all[i].end : self.all[i].end + 3]
        return self._folded[at] != "(" and re.match(r"[】\]] ?[^\s、。,(]", behind) is not None


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

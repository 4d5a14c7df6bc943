"""Tables that nothing but spaces sets apart, and labels that stand above all of their values.

Typed lists, and the text of PDF pages: `番号 氏名 生年月日` over `1 山田 太郎 昭和50年1月2日`,
where a name has a gap of its own; or 氏名, 生年月日, 住所 line by line, and then the values line by
line. Both are believed only where the first row, or the block, fits what the header says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA
from hakushi.detect.names import certain, likely

_WORDS: dict[str, re.Pattern[str] | None] = {
    "名": re.compile("(?:(?<=[氏姓者員人児童徒客])|(?<=氏 ))名|名(?:前|義人)"),
    "者": re.compile("(?:(?<=患)|(?<=保護|利用|契約|申請|申込|参加|受給|所有))者"),
    "ふりがな": None,
    "フリガナ": None,
    "シメイ": None,
    "name": None,
}
"""Of these one stands in every header that is looked for here: by a part that is found quickly, and
what must stand around it."""

_MOST_COLUMNS, _LONGEST, _MISSES = 12, 160, 3
"""Columns of a header; characters of its line, and of a row's; rows in a row that do not fit."""

_WORD = re.compile(
    rf"(?:[1-9]\d?(?=[月期回年組分]))?(?:[a-z_]{{1,16}}|[{KANJI}{KATAKANA}{HIRAGANA}A-Za-z.()/・〒ヶー-]{{1,12}})"
    r"(?:\d{1,2}[^\d ]{0,4})?"
)
"""What a column may be called."""

_FIELD = re.compile(
    r".{0,8}(?:番号|コード|年月日|日|名|区分|額|数|別|先|科|部|課|種|級|歴|科目|状況|理由|方法|結果|No\.?)"
)
"""How a column that is nothing personal may be called."""

_K, _H, _A = f"[{KANJI}ヶケノ々]", f"[{HIRAGANA}ー]", f"[{KATAKANA}]"
_PERSON = (
    rf"(?:{_K}{{1,5}}(?: {{1,2}}(?:{_K}{{1,4}}|{_H}{{1,5}}|{_A}{{1,5}}{_K}?))?"
    rf"|{_H}{{2,5}} {{1,2}}(?:{_H}{{1,5}}|{_K}{{1,4}})|{_A}{{2,10}}(?: {{1,2}}{_A}{{2,10}}){{0,3}}"
    r"|[A-Z][A-Za-z'-]{1,20}(?: [A-Z][A-Za-z'-]{1,20}){1,3}"
    r")(?: ?[(][^() ]{1,8}[)])?"
)
_GAPLESS = f"{_K}{{3,7}}|{_K}{{1,4}}(?:{_A}{{2,5}}{_K}?|{_H}{{2,6}}{_K}?)"
_READING = (
    rf"{_A}{{2,8}}[ ・]{{1,2}}{_A}{{1,8}}|{_H}{{2,8}}[ ・]{{1,2}}{_H}{{1,8}}"
    rf"|{_A}{{3,14}}|{_H}{{3,14}}"
)
_SHAPES = {
    "person_name": _PERSON,
    "kana_name": _READING,
    "address": r"(?:[^ \n]{2,3}[都道府県] )?[^ \n]{4,60}(?: [^ \n]{1,30}){0,2}?",
    "firm_name": r"[^ \n]{2,40}(?: [^ \n]{2,30})?",
    "phone": r"0\d{1,4} \d{1,4} \d{3,4}|[^ \n]{1,40}",
    "licence_plate": r"[^ \n]{2,12}(?: [^ \n]{1,6}){0,3}?",
    "my_number": r"\d{4}(?:[ -]?\d{4}){2}",
    "birth_date": r"[^ \n]{5,16}|[^ \n]{2,8}年 ?[0-9]{1,2}月 ?[0-9]{1,2}日",
}

_Cell = tuple[int, int, str | None]
Block = tuple[int, int, list[_Cell]]
"""Where a header begins and ends, and the cells that it speaks for: begin, end, kind."""

_FITTING = 2
"""Values of the first row that must be what the header says, lest it be no header."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of headers: the kind that one says, words that say nothing personal, and
    whether a value may be of a kind.
    """

    kind: Callable[[str], str | None]
    other: re.Pattern[str]
    fits: Callable[[str, str], bool]


def blocks(folded: str, words: Words) -> Iterator[Block]:
    """The lists and stacks of a text, in order of their headers."""
    done = 0
    for start in _candidates(folded):
        if start < done:
            continue
        end = _line_end(folded, start)
        if end - start > _LONGEST:
            continue
        found = _listed(folded, start, end, words) or _stacked(folded, start, words)
        if found is not None:
            done = found[2][-1][1]
            yield found


def _candidates(folded: str) -> list[int]:
    """Where the lines begin that hold one of the words."""
    lines: set[int] = set()
    for seed, word in _WORDS.items():
        at = folded.find(seed)
        while at >= 0:
            there = word is None or word.match(folded, at) is not None
            if there:
                lines.add(folded.rfind("\n", 0, at) + 1)
            at = folded.find(seed, _line_end(folded, at) if there else at + 1)
    return sorted(lines)


def _line_end(folded: str, at: int) -> int:
    end = folded.find("\n", at)
    return len(folded) if end < 0 else end


# --- lists -------------------------------------------------------------------------------


def _listed(folded: str, start: int, end: int, words: Words) -> Block | None:
    names = folded[start:end].split()
    if not 3 <= len(names) <= _MOST_COLUMNS or not all(map(_WORD.fullmatch, names)):
        return None
    kinds = tuple(map(words.kind, names))
    known = sum(kind is not None for kind in kinds)
    said = known + sum(
        kind is None and bool(words.other.fullmatch(name) or _FIELD.fullmatch(name))
        for kind, name in zip(kinds, names, strict=True)
    )
    alone = known == 1 and "person_name" in kinds
    if not alone and (known < _FITTING or said * 2 < len(names)):
        return None
    cells: list[_Cell] = []
    misses, at = 0, end + 1
    while at < len(folded) and misses < _MISSES:
        stop = _line_end(folded, at)
        row = _row(folded, at, stop, kinds) if stop - at <= _LONGEST else None
        more = [(*row.span(i + 1), kind) for i, kind in enumerate(kinds)] if row else []
        if not cells and not (alone and row) and not _believed(folded, more, words):
            return None
        misses = 0 if row else misses + 1
        cells += more
        at = stop + 1
    if alone and not _full_of_names(folded, cells):
        return None
    return (start, end, cells) if cells else None


def _full_of_names(folded: str, cells: list[_Cell]) -> bool:
    """Are two names or more in the one column that is told of, and are most of it names?"""
    values = [folded[a:b] for a, b, kind in cells if kind == "person_name"]
    good = sum(map(likely, values))
    return good >= _FITTING and good * 2 >= len(values)


def _row(folded: str, at: int, stop: int, kinds: tuple[str | None, ...]) -> re.Match[str] | None:
    """A line as a row: of names that may have a gap or not, those that are whole."""
    if len(folded[at:stop].split(None, len(kinds) - 1)) < len(kinds):
        return None  # patterns are dear to make, and most headers here are none
    row = _fitted(kinds).fullmatch(folded, at, stop)
    if "person_name" not in kinds or (row and likely(row[kinds.index("person_name") + 1])):
        return row
    other = _fitted(kinds, gaps=False).fullmatch(folded, at, stop)
    whole = other is not None and certain(other[kinds.index("person_name") + 1])
    return other if whole else row


@lru_cache(maxsize=256)
def _fitted(kinds: tuple[str | None, ...], *, gaps: bool = True) -> re.Pattern[str]:
    """A row: as many columns as the header has, each of its shape; names with ``gaps`` first."""
    shapes = _SHAPES if gaps else _SHAPES | {"person_name": _GAPLESS}
    columns = (f"({shapes.get(kind or '', '[^ ]{1,40}')})" for kind in kinds)
    return re.compile(" {0,4}" + " {1,4}".join(columns) + " {0,4}")


def _believed(folded: str, cells: list[_Cell], words: Words) -> bool:
    """Are enough of the values what they are said to be?"""
    good = sum(kind is not None and words.fits(kind, folded[a:b]) for a, b, kind in cells)
    return good >= _FITTING


# --- stacks ------------------------------------------------------------------------------


def _stacked(folded: str, start: int, words: Words) -> Block | None:
    """Three labels or more, a line each, then as many lines of values."""
    kinds: list[str | None] = []
    at = end = start
    while at < len(folded) and len(kinds) <= _MOST_COLUMNS:
        stop = _line_end(folded, at)
        name = folded[at:stop].strip(" :■●○・*") if stop - at <= 24 else ""
        kind = words.kind(name) if name else None
        if kind is None and not words.other.fullmatch(name):
            break
        kinds.append(kind)
        at, end = stop + 1, stop
    if len(kinds) < 3 or sum(kind is not None for kind in kinds) < 2:
        return None
    while folded[at : at + 1] == "\n":
        at += 1
    cells: list[_Cell] = []
    for kind in kinds:
        stop = _line_end(folded, at)
        if stop - at > _LONGEST or not folded[at:stop].strip():
            return None
        cells.append((at, stop, kind))
        at = stop + 1
    return (start, end, cells) if _believed(folded, cells, words) else None

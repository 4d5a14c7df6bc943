r"""Where in raw bytes personal data may be: hyperscan over all rules and encodings.

A trigger is a word, in which ``\d`` stands for a digit, ``\k`` for a kanji and ``\s`` for at most
one space; it is written out in every encoding. A shape is a pattern over printable ASCII, of
7 characters or more; it is looked for in the runs of ASCII alone, of 8-bit and of 16-bit
units, which are few bytes. Matches are only places to look at: proof and context come after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from hakushi.detect import anchors, database, layout, tables
from hakushi.detect.encodings import decode
from hakushi.detect.registry import detectors

WIDE = ("cp932", "euc_jp", "utf-8", "utf-16-le", "utf-16-be", "iso-2022-jp")
"""Encodings that triggers are written in."""

ASCII, ASCII16 = "ascii", "utf-16"
"""Families of shapes: encodings that hold ASCII as bytes, or as 16-bit units of either order."""

_BUCKET = 7
"""Matches are kept by 128-byte buckets: a million of them in a megabyte cost no more than 8,192."""

_CLASSES: dict[str, dict[str, str]] = {
    # encoding: digit (half or full width), kanji, one space
    "cp932": {
        "d": r"(?:[0-9]|\x82[\x4f-\x58])", "k": r"[\x88-\x9f\xe0-\xfc][\x40-\xfc]",
        "s": r"(?:\x20|\x81\x40)?",
    },
    "euc_jp": {
        "d": r"(?:[0-9]|\xa3[\xb0-\xb9])", "k": r"[\xb0-\xf4][\xa1-\xfe]",
        "s": r"(?:\x20|\xa1\xa1)?",
    },
    "utf-8": {
        "d": r"(?:[0-9]|\xef\xbc[\x90-\x99])", "k": r"[\xe3-\xe9][\x80-\xbf][\x80-\xbf]",
        "s": r"(?:\x20|\xe3\x80\x80)?",
    },
    "utf-16-le": {
        "d": r"(?:[0-9]\x00|[\x10-\x19]\xff)", "k": r"[\x00-\xff][\x4e-\x9f]",
        "s": r"(?:\x20\x00|\x00\x30)?",
    },
    "utf-16-be": {
        "d": r"(?:\x00[0-9]|\xff[\x10-\x19])", "k": r"[\x4e-\x9f][\x00-\xff]",
        "s": r"(?:\x00\x20|\x30\x00)?",
    },
    "iso-2022-jp": {
        "d": r"(?:(?:\x1b\([BJ])?[0-9](?:\x1b\$[B@])?|\x23[0-9])", "k": r"[\x30-\x74][\x21-\x7e]",
        "s": r"(?:\x1b\([BJ]\x20\x1b\$[B@]|\x21\x21)?",
    },
}  # fmt: skip
_TOKEN = re.compile(r"\\([dks])|([^\\])")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of the database: its bytes and the encoding that it was written in."""

    expression: bytes
    family: str


def written(word: str, encoding: str) -> str | None:
    """A trigger as a byte pattern in one encoding; None where it cannot be written."""
    out = []
    for match in _TOKEN.finditer(word):
        if match[1]:
            out.append(_CLASSES[encoding][match[1]])
            continue
        try:
            raw = match[2].encode(encoding)
        except UnicodeEncodeError:
            return None
        if encoding == "iso-2022-jp":
            if not raw.startswith(b"\x1b$B"):
                return None
            raw = raw[3:-3]
        out.append("".join(f"\\x{b:02x}" for b in raw))
    return "".join(out)


@cache
def patterns() -> tuple[Pattern, ...]:
    """Every word that the rules ask for, in every encoding."""
    words: set[str] = set()
    for detector in detectors():
        words.update(w for w in (*detector.labels, *detector.literals) if _worth(w))
    found: dict[Pattern, None] = {}
    for encoding in WIDE:
        for word in sorted(words):
            expression = written(word, encoding)
            if expression is not None:
                found[Pattern(expression.encode("ascii"), encoding)] = None
    return tuple(found)


@cache
def shapes() -> tuple[bytes, ...]:
    """Every shape that the rules ask for."""
    return tuple(sorted({s.encode("ascii") for d in detectors() for s in d.shapes}))


def _worth(word: str) -> bool:
    """Words of ASCII, and the shortest, are too common in bytes to wake anything."""
    bare = word.replace("\\", "")
    kanji = all("\u3400" <= c <= "\u9fff" for c in bare)
    return not bare.isascii() and (len(bare) > 2 or (kanji and len(bare) == 2))


class Search(Protocol):
    """Looks for every pattern of one kind."""

    def __call__(self, data: bytes) -> dict[str, list[int]]:
        """For each family the ends of matches, at most one a bucket and parity."""
        ...


class Prefilter:
    """The words over all bytes, the shapes over the runs of ASCII in them."""

    def __init__(self, words: Search, shapes: Search) -> None:
        self._words, self._shapes = words, shapes

    def __call__(self, data: bytes) -> dict[str, list[int]]:
        """For each family the ends of matches, in order."""
        import numpy as np

        from hakushi.detect import kernel

        found = self._words(data)
        for family, runs in zip((ASCII, ASCII16), kernel.gather(data), strict=True):
            for ends in self._shapes(runs.data).values():
                found[family] = runs.back(np.array(ends, np.int64)).tolist()
        return {family: sorted(ends) for family, ends in found.items()}


def _fast(patterns: Sequence[bytes], families: Sequence[str], path: Path | None) -> Search:
    """With hyperscan, its database kept in ``path``; any thread may call it."""
    import hyperscan

    compiled = database.compiled(patterns, [hyperscan.HS_FLAG_DOTALL] * len(patterns), path)

    def search(data: bytes) -> dict[str, list[int]]:
        buckets: dict[str, dict[int, int]] = {}

        def hit(id: int, _start: int, end: int, _flags: int, _context: object) -> None:
            buckets.setdefault(families[id], {}).setdefault(end >> _BUCKET << 1 | end & 1, end)

        compiled.search(data, hit)
        return {family: list(found.values()) for family, found in buckets.items()}

    return search


def _slow(patterns: Sequence[bytes], families: Sequence[str]) -> Search:
    """The same with `re`, where hyperscan is missing: right, and some hundred times slower."""
    groups: dict[str, list[bytes]] = {}
    for expression, family in zip(patterns, families, strict=True):
        groups.setdefault(family, []).append(expression)
    compiled = {
        f: re.compile(b"|".join(b"(?:%s)" % e for e in every), re.DOTALL)
        for f, every in groups.items()
    }

    def search(data: bytes) -> dict[str, list[int]]:
        out: dict[str, list[int]] = {}
        for family, pattern in compiled.items():
            found: dict[int, int] = {}
            for match in pattern.finditer(data):
                end = match.end()
                found.setdefault(end >> _BUCKET << 1 | end & 1, end)
            if found:
                out[family] = list(found.values())
        return out

    return search


def fast(path: Path | None = None) -> Prefilter:
    """With hyperscan; its databases are kept in and beside ``path``. Raises `database.Missing`."""
    words = patterns()
    beside = None if path is None else path.with_name(f"{path.name}.shapes")
    return Prefilter(
        _fast([p.expression for p in words], [p.family for p in words], path),
        _fast(shapes(), [ASCII] * len(shapes()), beside),
    )


def slow() -> Prefilter:
    """Without hyperscan."""
    words = patterns()
    return Prefilter(
        _slow([p.expression for p in words], [p.family for p in words]),
        _slow(shapes(), [ASCII] * len(shapes())),
    )


_ready: dict[str, Prefilter] = {}


def ready() -> Prefilter:
    """The prefilter of this process; `warm` chooses its cache."""
    if "it" not in _ready:
        warm()
    return _ready["it"]


def is_warm() -> bool:
    """Has this process, or the one that it was forked from, loaded everything?"""
    return "it" in _ready


def warm(path: Path | None = None) -> None:
    """Compiles everything, or loads it from ``path``."""
    try:
        _ready["it"] = fast(path)
        anchors.warm(None if path is None else path.with_name(f"{path.name}.anchors"))
    except (database.Missing, ImportError):
        _ready["it"] = slow()
    _ready["it"](bytes(8))  # compiles the kernels
    tables.cells("氏名,住所\na,b\n")
    layout.plain("氏名\\u0061\r\n")
    for encoding in ("iso-2022-jp", "utf-8", "cp932", "euc_jp"):
        decode(b"\x1b$B\xff", encoding)

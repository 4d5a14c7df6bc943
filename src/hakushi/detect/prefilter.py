r"""Where in raw bytes personal data may be: one hyperscan database over all rules and encodings.

A trigger is a word, in which ``\d`` stands for a digit, ``\k`` for a kanji and ``\s`` for at most
one space; it is written out in every encoding. A shape is a pattern over ASCII; it also wakes in
UTF-16. Matches are only places to look at: proof and context come after.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hakushi.detect import anchors, database
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
_ATOM = re.compile(r"(\[[^\]]+\]|\\d|\\\W|\(\?:|\)|[^\\\[(){}?])(\{\d+(?:,\d+)?\}|\?)?")


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


def widened(shape: str) -> str:
    """A shape over ASCII as one over UTF-16: either byte order, since the last zero is left out."""
    out = []
    for atom, count in _ATOM.findall(shape):
        if atom in ("(?:", ")"):
            out.append(atom + count)
        else:
            out.append(f"(?:{atom}\\x00){count}" if count else f"{atom}\\x00")
    last = re.fullmatch(r"\(\?:(.*)\\x00\)\{(\d+)\}", out[-1])
    if last:
        out[-1] = f"(?:{last[1]}\\x00){{{int(last[2]) - 1}}}{last[1]}"
    return "".join(out).removesuffix("\\x00")


@cache
def patterns() -> tuple[Pattern, ...]:
    """Every pattern that the rules ask for."""
    words: set[str] = set()
    shapes: set[str] = set()
    for detector in detectors():
        words.update(w for w in (*detector.labels, *detector.literals) if _worth(w))
        shapes.update(detector.shapes)
    found: dict[Pattern, None] = {}
    for encoding in WIDE:
        for word in sorted(words):
            expression = written(word, encoding)
            if expression is not None:
                found[Pattern(expression.encode("ascii"), encoding)] = None
    for shape in sorted(shapes):
        found[Pattern(shape.encode("ascii"), ASCII)] = None
        found[Pattern(widened(shape).encode("ascii"), ASCII16)] = None
    return tuple(found)


def _worth(word: str) -> bool:
    """Words of ASCII, and the shortest, are too common in bytes to wake anything."""
    bare = word.replace("\\", "")
    kanji = all("\u3400" <= c <= "\u9fff" for c in bare)
    return not bare.isascii() and (len(bare) > 2 or (kanji and len(bare) == 2))


def compiled(path: Path | None = None) -> database.Compiled:
    """The compiled database over `patterns`, kept in ``path``."""
    import hyperscan

    every = [p.expression for p in patterns()]
    return database.compiled(every, [hyperscan.HS_FLAG_DOTALL] * len(every), path)


class Prefilter:
    """The compiled database; any thread may call it."""

    def __init__(self, path: Path | None = None) -> None:
        self._database = compiled(path)
        self._families = tuple(p.family for p in patterns())

    def __call__(self, data: bytes) -> dict[str, list[int]]:
        """For each family the ends of matches, in order, at most one a bucket and parity."""
        buckets: dict[str, dict[int, int]] = {}
        families = self._families

        def hit(id: int, _start: int, end: int, _flags: int, _context: object) -> None:
            buckets.setdefault(families[id], {}).setdefault(end >> _BUCKET << 1 | end & 1, end)

        self._database.search(data, hit)
        return {family: sorted(found.values()) for family, found in buckets.items()}


class Slow:
    """The same with `re`, where hyperscan is missing: right, and some hundred times slower."""

    def __init__(self) -> None:
        groups: dict[str, list[bytes]] = {}
        for one in patterns():
            groups.setdefault(one.family, []).append(one.expression)
        self._patterns = {
            f: re.compile(b"|".join(b"(?:%s)" % e for e in every), re.DOTALL)
            for f, every in groups.items()
        }

    def __call__(self, data: bytes) -> dict[str, list[int]]:
        out = {}
        for family, pattern in self._patterns.items():
            found: dict[int, int] = {}
            for match in pattern.finditer(data):
                end = match.end()
                found.setdefault(end >> _BUCKET << 1 | end & 1, end)
            if found:
                out[family] = sorted(found.values())
        return out


_ready: dict[str, Callable[[bytes], dict[str, list[int]]]] = {}


def ready() -> Callable[[bytes], dict[str, list[int]]]:
    """The prefilter of this process; `warm` chooses its cache."""
    if "it" not in _ready:
        warm()
    return _ready["it"]


def warm(path: Path | None = None) -> None:
    """Compiles everything, or loads it from ``path``; a worker calls it once at its start."""
    try:
        _ready["it"] = Prefilter(path)
        anchors.warm(None if path is None else path.with_name(f"{path.name}.anchors"))
    except (database.Missing, ImportError):
        _ready["it"] = Slow()


def fast() -> bool:
    """Is the fast library there? Where not, the skins say that raw search is slow."""
    return isinstance(ready(), Prefilter)

"""Small texts read in one go: a mail store has a hundred thousand, and each reading costs the same.

Law: what is found in a text does not depend on those that it is read with.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from hakushi.detect import dumps
from hakushi.detect.belief import believed
from hakushi.detect.fold import fold
from hakushi.detect.found import Found
from hakushi.detect.layout import plain
from hakushi.detect.reading import placed, read_plain
from hakushi.model import Locator, Text

APART = 768
"""Characters between texts: more than any form reaches, or any label, or any company."""

_BETWEEN = "\n" + "\0" * APART + "\n"

_SMALL = 1 << 14
"""Characters of a text that is worth it."""


class Waiting(NamedTuple):
    """A text to be read, and whether it was read out of ``raw`` bytes, which may be none."""

    text: Text
    locator: Locator
    raw: bool = False


def small(text: Text) -> bool:
    """Is it worth to read it together with others?"""
    return not text.cells and len(text.chars) <= _SMALL


def find_all(texts: Sequence[Waiting], key: bytes) -> list[Found]:
    """What `find` gives for each of some small texts, as if it stood between two empty lines."""
    laid = [plain(one.text.chars) for one in texts]
    left = [
        one.text.chars if some is None else some.chars
        for one, some in zip(texts, laid, strict=True)
    ]
    joined = _BETWEEN.join(left)
    if len(texts) > 1 and _dumped(joined):
        # What a dump says of its tables holds for all that follows.
        return [found for one in texts for found in find_all([one], key)]
    sizes = (len(chars) + len(_BETWEEN) for chars in left)
    starts = list(accumulate(sizes, initial=1))
    spans, _ = read_plain(Text(f"\n{joined}\n"), key, apart=starts)
    out, at = [], 0
    for (text, locator, raw), some, start, following in zip(
        texts, laid, starts, starts[1:], strict=False
    ):
        mine = []
        while at < len(spans) and spans[at].start < following:
            one = spans[at]
            mine.append(one._replace(start=one.start - start, end=one.end - start))
            at += 1
        mine = mine if some is None else some.back(mine)
        out.append(Found(locator, placed(text, believed(text, mine) if raw else mine)))
    return out


def _dumped(chars: str) -> bool:
    folded = fold(chars)
    return any(word in folded for word in dumps.WORDS)

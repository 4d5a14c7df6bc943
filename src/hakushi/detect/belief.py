"""What to believe of the values in a text that bytes were read as: noise has words, too."""

from __future__ import annotations

from hakushi.detect.detector import Span
from hakushi.detect.encodings import common, dirt
from hakushi.detect.registry import detectors
from hakushi.model import Strength, Text

CREDIBLE = 8
"""Characters in a row, the value among them, that must read like text in a window."""

_CREDIBLE_NOISE = 20
"""The same for a value that noise may look like."""

_SURE_ASCII = 7
"""Characters of ASCII that noise hardly ever makes into a value that somebody labelled."""


def believed(text: Text, spans: list[Span]) -> list[Span]:
    """The spans to believe: of a text with broken places, those amid what reads like text."""
    if not spans or dirt(text) == 0:
        return spans
    return [span for span in spans if credible(text, span)]


def credible(text: Text, span: Span) -> bool:
    """Does the text around a span read like text, not like noise that a word fell into?"""
    chars, good = text.chars, common()
    value = chars[span.start : span.end]
    sure = any(d.kind == span.kind and d.sure(value) for d in detectors())
    long = value.isascii() and len(value) >= _SURE_ASCII
    if long and sure and span.strength is Strength.LABELLED:
        return True
    if sum(c not in good for c in value) * 4 > len(value):
        return False
    low, high = span.start, span.end
    while low > 0 and span.start - low < _CREDIBLE_NOISE and chars[low - 1] in good:
        low -= 1
    while high < len(chars) and high - span.end < _CREDIBLE_NOISE and chars[high] in good:
        high += 1
    return high - low >= max(len(value) + 2, CREDIBLE if sure else _CREDIBLE_NOISE)

"""From bytes and text to findings. Pure; values never leave.

One word, `Detector`, is a kind of personal data as data; a file in ``rules/`` is registered.
`spans` reads a text, `scan` raw bytes in any mix of encodings; both mask and hash what they find at
birth.
"""

from __future__ import annotations

from hakushi.detect.belief import believed
from hakushi.detect.detector import Detector, Form, Need, Span
from hakushi.detect.encodings import decode
from hakushi.detect.found import Found
from hakushi.detect.prefilter import is_warm, warm
from hakushi.detect.reading import find, spans
from hakushi.detect.registry import detectors, kinds
from hakushi.detect.together import Waiting, find_all, small
from hakushi.detect.windows import clean, scan, whole

__all__ = [
    "KINDS",
    "Detector",
    "Form",
    "Found",
    "Need",
    "Span",
    "Waiting",
    "believed",
    "clean",
    "decode",
    "detectors",
    "find",
    "find_all",
    "is_warm",
    "kinds",
    "scan",
    "small",
    "spans",
    "warm",
    "whole",
]

KINDS: tuple[str, ...]
"""The kinds of personal data that are looked for, from the files in ``rules/``."""


def __getattr__(name: str) -> tuple[str, ...]:
    # Rules load when asked for: they need this package to be there.
    if name == "KINDS":
        return kinds()
    raise AttributeError(name)

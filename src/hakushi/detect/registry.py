"""Every registered detector, and the labels that speak for more than one of them."""

from __future__ import annotations

from functools import cache

from hakushi import plugins
from hakushi.detect.detector import Detector


@cache
def detectors() -> tuple[Detector, ...]:
    """Every detector, in the order of their files' names."""
    return plugins.load("hakushi.detect.rules", Detector)


def kinds() -> tuple[str, ...]:
    """The kinds of personal data that are looked for."""
    return tuple(dict.fromkeys(d.kind for d in detectors()))

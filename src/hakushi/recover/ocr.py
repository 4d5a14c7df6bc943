"""Text in pictures: recognised in a limited child process, where someone asks for it.

It reads scanned notices and photographs of labels, in Japanese and Latin letters, upright or upside
down. A picture that it cannot read is Malformed, never one without text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.fleet.child import Child, Limits
from hakushi.model import Extent, Locator, Malformed, Source, Text, Unreadable
from hakushi.recover.cursor import Budget

_KINDS = frozenset({"bmp", "gif", "jpeg", "png", "tiff"})
"""Ids of the formats of pictures."""

PART = "ocr"
"""The part of a document that text in a picture is."""

_PROGRAM = ("-m", "hakushi.recover.ocr_child")
_LIMITS = Limits(memory=4 << 30, cpu=4 * 3600, seconds=600.0, silence=300.0, files=128)
_LARGEST = 64 << 20
"""Bytes of the largest picture that is read."""

_ROOM = 1 << 40
_SPACED = re.compile(r"\d+(?: \d+)+")
_LONGEST_NUMBER = 16
"""Digits of the longest number that is written in groups: a payment card's."""


@dataclass(slots=True)
class _Desk:
    """The child's source: one picture after the other, each at an offset of its own, since the
    child remembers what it has read.
    """

    locator: Locator
    size: int = _ROOM
    at: int = 0
    data: bytes = b""

    def put(self, data: bytes) -> list[int]:
        self.at += len(self.data) + (-len(self.data) % _LARGEST)
        self.data = data
        return [self.at, len(data)]

    def read(self, extent: Extent) -> bytes:
        start = extent.offset - self.at
        if start < 0 or start >= len(self.data):
            raise Unreadable(extent, "no picture lies there")
        return self.data[start : start + extent.length]


_hand: list[tuple[Child, _Desk]] = []
"""The child of this process, with its desk: loading what it knows takes seconds."""


def is_picture(source: Source, kind: str) -> bool:
    """Whether a file, of a format by its id, is a picture that can be read."""
    webp = kind == "riff" and source.read(Extent(8, 4)) == b"WEBP"
    return kind in _KINDS or webp


def pages(source: Source, budget: Budget) -> Iterator[Text]:
    """The text of each page of a picture that has some. Raises Malformed, Unreadable, Spent."""
    if source.size > _LARGEST:
        raise Malformed(f"a picture of {source.size} bytes is not read")
    budget.pay()
    data = source.read(Extent(0, source.size))
    child, desk = _ready()
    if desk.at + 2 * _LARGEST > _ROOM:
        child.close()
        child, desk = _ready()
    for number, text in enumerate(child.ask(desk.put(data), budget.pay)):
        if not isinstance(text, str):
            raise Malformed("the parser sent nonsense")
        if text.strip():
            yield Text(
                _SPACED.sub(_joined, text),
                None,
                "unicode",
                part=PART if not number else f"{PART}-{number + 1}",
            )


def _joined(number: re.Match[str]) -> str:
    """A number in groups without its spaces, which are seen in one place and missed in another."""
    bare = number[0].replace(" ", "")
    return bare if len(bare) <= _LONGEST_NUMBER else number[0]


def _ready() -> tuple[Child, _Desk]:
    if not _hand or not _hand[0][0].alive:
        desk = _Desk(Locator.root("memory", PART))
        _hand[:] = [(Child(_PROGRAM, desk, _LIMITS), desk)]
    return _hand[0]

"""The verb ``detect``: the detectors alone, over files or standard input."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hakushi import detect
from hakushi.app import assess, house
from hakushi.assess.pipeline import Step
from hakushi.media import File, Memory
from hakushi.model import Damage, Extent, Locator, Refused, Source, message

_LARGEST = 256 << 20
"""Bytes of one file that are read whole, so that spans count the characters of its text."""

_LITTLE = 1 << 20
"""Bytes up to which a file is read as text whatever it is; more only where it is text all over."""

_PHASE = "detect"

_Row = tuple[str, int, int, str, str]
"""Kind, start, end, strength, mask."""


@dataclass(frozen=True, slots=True)
class Detected:
    """One file's findings, in order; values stay behind.

    ``text``: was it read as text? Places then count its characters, else its bytes. ``damage``:
    what was not looked at, and why.
    """

    file: str
    rows: tuple[_Row, ...]
    text: bool
    damage: tuple[Damage, ...] = ()

    @property
    def spans(self) -> Iterator[dict[str, Any]]:
        """Each as the contract names it."""
        for kind, start, end, strength, masked in self.rows:
            yield {
                "file": self.file,
                "kind": kind,
                "start": start,
                "end": end,
                "strength": strength,
                "masked": masked,
            }

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        return Counter((kind, strength) for kind, _, _, strength, _ in self.rows)


Say = Callable[[Step], None]
"""Hears how far a file is."""


def unheard(step: Step) -> None:
    """Nobody listens."""


def run(name: str, data: bytes, encoding: str | None, say: Say = unheard) -> Detected:
    """What stands in one file's bytes: in their text, or, where they are none, among them.

    Refused where there is no such encoding.
    """
    # A key that nobody keeps: counting across files is the case's business.
    key = secrets.token_bytes(32)
    try:
        told = encoding is not None or len(data) <= _LITTLE
        text = detect.decode(data, encoding) if told else detect.whole(data)
    except LookupError:
        raise Refused(
            message("There is no encoding called {name}.", name=str(encoding)[:40])
        ) from None
    found: list[detect.Span] = []
    if text is not None:
        size = len(text.chars)
        spans = detect.spans(text, key, lambda done: say(Step(_PHASE, done, size)))
        found = detect.believed(text, spans)
    if not found and (text is None or len(data) <= _LITTLE):
        return _among(name, Memory(data, Locator.root("memory", name)), key, say)
    rows = [(s.kind, s.start, s.end, s.strength.value, s.masked) for s in found]
    return Detected(name, tuple(sorted(rows, key=lambda row: (row[1], row[2], row[0]))), True)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A Source that says how far it is read."""

    source: Source
    say: Say

    @property
    def size(self) -> int:
        return self.source.size

    @property
    def locator(self) -> Locator:
        return self.source.locator

    def read(self, extent: Extent) -> bytes:
        self.say(Step(_PHASE, extent.offset, self.size))
        return self.source.read(extent)


def _among(name: str, source: Source, key: bytes, say: Say) -> Detected:
    """What `assess` would find in these bytes."""
    rows: list[_Row] = []
    damage: list[Damage] = []
    for found in detect.scan(_Watched(source, say), key):
        if isinstance(found, Damage):
            damage.append(found)
            continue
        rows += [(k, at, at + size, how, masked) for at, size, k, how, masked, _ in found.places]
    return Detected(name, tuple(rows), False, tuple(damage))


def run_all(
    names: list[str], encoding: str | None, stdin: bytes | None, say: Say = unheard
) -> Iterator[Detected]:
    """`run` for each; ``-`` is standard input. Refused where one cannot be read.

    A file too large to be read whole is looked at as bytes, piece by piece.
    """
    detect.warm(house.prefilter_cache())
    for name in names:
        if name == "-":
            yield run(name, stdin or b"", encoding, say)
            continue
        path = Path(name)
        if path.is_block_device():
            raise Refused(message("{path} is a drive; assess it instead.", path=name))
        try:
            size = path.stat().st_size
            if size <= _LARGEST:
                yield run(name, path.read_bytes(), encoding, say)
                continue
            file = File(path, size, Locator.root("file", name))
        except OSError as error:
            raise Refused(assess.why_not(name, error)) from None
        yield _among(name, file, secrets.token_bytes(32), say)

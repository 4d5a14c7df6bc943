"""The verb ``detect``: the detectors alone, over files or standard input."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hakushi import detect
from hakushi.app import assess
from hakushi.media import Memory
from hakushi.model import Damage, Refused, message

_LARGEST = 256 << 20
"""Bytes of one file that are read whole, so that spans count from its start."""


@dataclass(frozen=True, slots=True)
class Detected:
    """One file's spans as the contract names them; values stay behind."""

    file: str
    spans: tuple[dict[str, Any], ...]
    among: Counter[tuple[str, str]]
    """What stands among bytes that are no text, where the whole is none."""

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        return Counter((s["kind"], s["strength"]) for s in self.spans) or self.among


def read(name: str, stdin: bytes | None) -> bytes:
    """A file's bytes, or standard input's for ``-``. Refused where it cannot be read."""
    if name == "-":
        return stdin or b""
    path = Path(name)
    try:
        if path.stat().st_size > _LARGEST:
            raise Refused(
                message(
                    "{path} is larger than {limit} bytes; assess it as an image instead.",
                    path=name,
                    limit=_LARGEST,
                )
            )
        return path.read_bytes()
    except OSError as error:
        raise Refused(assess.why_not(name, error)) from None


def run(name: str, data: bytes, encoding: str | None) -> Detected:
    """The spans of one file: character offsets in the decoded text."""
    try:
        text = detect.decode(data, encoding)
    except LookupError:
        raise Refused(
            message("There is no encoding called {name}.", name=str(encoding)[:40])
        ) from None
    # A key that nobody keeps: counting across files is the case's business.
    key = secrets.token_bytes(32)
    found = detect.believed(text, detect.spans(text, key))
    among = Counter[tuple[str, str]]() if found else _among(data, key)
    return Detected(
        name,
        tuple(
            {
                "file": name,
                "kind": s.kind,
                "start": s.start,
                "end": s.end,
                "strength": s.strength.value,
                "masked": s.masked,
            }
            for s in sorted(found, key=lambda s: (s.start, s.end, s.kind))
        ),
        among,
    )


def _among(data: bytes, key: bytes) -> Counter[tuple[str, str]]:
    """Kinds and strengths of what `assess` would find in these bytes."""
    return Counter(
        (kind, strength)
        for found in detect.scan(Memory(data), key)
        if not isinstance(found, Damage)
        for _, _, kind, strength, _, _ in found.places
    )


def run_all(names: list[str], encoding: str | None, stdin: bytes | None) -> Iterator[Detected]:
    for name in names:
        yield run(name, read(name, stdin if name == "-" else None), encoding)

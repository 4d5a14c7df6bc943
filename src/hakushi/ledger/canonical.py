"""JSON in one encoding: sorted keys, no spaces, UTF-8, whole numbers, no null. Pure.

Law: whatever `decode` takes, `encode` gives back to the byte; a flipped bit is another value or
`Malformed`. So what is signed and what is read can never differ.
"""

from __future__ import annotations

import json
from typing import Any

from hakushi.model import Malformed

LARGEST = 16 << 20
"""Bytes of the largest document that is read."""

_DEPTH = 16
_MOST = (1 << 63) - 1


def encode(value: Any) -> bytes:
    """The one encoding. Raises `Malformed` for what has none: null, fractions, lone surrogates."""
    _checked(value, _DEPTH)
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        raise Malformed("text that is not Unicode") from None


def decode(data: bytes, most: int = LARGEST) -> Any:
    """The value of a document in its one encoding."""
    if len(data) > most:
        raise Malformed(f"a document of more than {most} bytes")
    try:
        value = _DECODER.decode(data.decode())
    except (ValueError, RecursionError):
        raise Malformed("not JSON of whole numbers") from None
    if encode(value) != data:
        raise Malformed("JSON in an unusual encoding")
    return value


def _no_fraction(_: str) -> None:
    raise ValueError("no fractions")


_DECODER = json.JSONDecoder(parse_float=_no_fraction, parse_constant=_no_fraction)
# What it is given was checked to be a tree.
_ENCODER = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False
)


def _checked(value: Any, depth: int) -> None:
    # Asked of every value of every entry: the commonest first, without a match statement.
    kind = type(value)
    if kind is str or kind is bool:
        return
    if depth == 0:
        raise Malformed("JSON nested too deep")
    if isinstance(value, int):
        if not -_MOST <= value <= _MOST:
            raise Malformed("a number of more than 63 bits")
    elif isinstance(value, dict):
        for key, one in value.items():
            if not isinstance(key, str):
                raise Malformed("a key that is no text")
            _checked(one, depth - 1)
    elif isinstance(value, list | tuple):
        for one in value:
            _checked(one, depth - 1)
    elif not isinstance(value, str):
        raise Malformed(f"a value that has no one encoding: {kind.__name__}")

"""The certificate inside a PDF: found by its bytes, since the page is only a view of it. Pure.

A PDF is hostile: nothing of its structure is believed, every stream is unpacked within bounds, and
two different certificates in one file are none.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from hakushi.certify.certificate import LARGEST
from hakushi.model import Malformed

_START = re.compile(rb"stream\r?\n")
_HEAD = b'{"checkpoint":'
_MOST_STREAMS = 10_000
_MOST_UNPACKED = 64 << 20
"""Bytes that all streams together may unpack to."""


def is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-")


def embedded(data: bytes) -> bytes:
    """The one certificate that a PDF carries. Raises `Malformed` where there is none, or two."""
    found = set(_candidates(data))
    if len(found) != 1:
        what = "no certificate" if not found else "more than one certificate"
        raise Malformed(f"a PDF with {what} inside")
    return found.pop()


def _candidates(data: bytes) -> Iterator[bytes]:
    left = _MOST_UNPACKED
    for number, match in enumerate(_START.finditer(data)):
        if number >= _MOST_STREAMS or left <= 0:
            raise Malformed("a PDF with too much inside")
        if data.startswith(_HEAD, match.end()):
            end = data.find(b"endstream", match.end())
            yield data[match.end() : end].rstrip(b"\r\n")
            continue
        unpacked = _unpacked(data, match.end(), min(left, LARGEST + 1))
        left -= len(unpacked)
        if unpacked.startswith(_HEAD):
            yield unpacked


def _unpacked(data: bytes, start: int, most: int) -> bytes:
    """A deflated stream, whole and with its checksum; else nothing."""
    unpacking = zlib.decompressobj()
    try:
        head = unpacking.decompress(memoryview(data)[start:], len(_HEAD))
        if head != _HEAD:
            return head
        body = head + unpacking.decompress(unpacking.unconsumed_tail, most)
    except zlib.error:
        return b""
    return body if unpacking.eof else b""

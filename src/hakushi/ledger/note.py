"""Notes: text with signature lines (C2SP signed-note), and the text forms of keys. Pure, no crypto.

Law: whatever parses encodes to the same bytes. Parsers raise `Malformed` only.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from hakushi.model import Malformed

LARGEST = 1 << 20
"""Bytes of the largest note that is read."""

MOST_SIGNATURES = 64
_SPLIT = b"\n\n"
_DASH = "\N{EM DASH} "
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, and what by."""

    name: str
    key_id: bytes
    """Four bytes that, with the name, tell keys apart; no proof of which key it was."""
    value: bytes

    def encode(self) -> str:
        return f"{_DASH}{self.name} {encode64(self.key_id + self.value)}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """A line without its newline."""
        name, space, value = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space:
            raise Malformed("a signature line is: em dash, space, name, space, base64")
        checked_name(name)
        data = decode64(value)
        if len(data) <= 4:
            raise Malformed("a signature is longer than its key id")
        return cls(name, data[:4], data[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and who signed it. Nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        return (self.text + "\n" + "".join(s.encode() for s in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) > LARGEST:
            raise Malformed("a note of more than 1 MiB")
        if _CONTROL.search(data):
            raise Malformed("a control character in a note")
        body, split, signed = data.rpartition(_SPLIT)
        if not split or not signed.endswith(b"\n"):
            raise Malformed("a note is a text, a blank line and signature lines")
        lines = decode_text(signed).split("\n")[:-1]
        if len(lines) > MOST_SIGNATURES:
            raise Malformed(f"a note with more than {MOST_SIGNATURES} signatures")
        return cls(decode_text(body) + "\n", tuple(Signature.parse(line) for line in lines))

    def signed(self, *more: Signature) -> Note:
        """The same text with more signatures."""
        return Note(self.text, self.signatures + more)


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes by which signed-note recommends to tell a key."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


# --- pieces that every form shares ---------------------------------------------------------


def checked_name(name: str) -> str:
    """A key's name: not empty, without spaces, plus signs and control characters."""
    if not name or "+" in name or any(c.isspace() or c < " " or c == "\x7f" for c in name):
        raise Malformed("a key's name is empty or holds a space or a plus sign")
    if len(name.encode("utf-8", "replace")) > 255:
        raise Malformed("a key's name of more than 255 bytes")
    return name


def encode64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def decode64(text: str) -> bytes:
    """Standard base64 in its one encoding: padded, without stray bits or characters."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise Malformed("not base64") from None
    if encode64(data) != text:
        raise Malformed("base64 in an unusual encoding")
    return data


def decode_hash(text: str) -> bytes:
    """A hash in base64."""
    data = decode64(text)
    if len(data) != 32:
        raise Malformed(f"a hash has 32 bytes, not {len(data)}")
    return data


def decode_number(text: str) -> int:
    """A decimal number without leading zeros, below 2**63."""
    if not _NUMBER.fullmatch(text) or int(text) >= 1 << 63:
        raise Malformed("not a decimal number below 2**63 without leading zeros")
    return int(text)


def decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None

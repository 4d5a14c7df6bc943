"""The certificate's core in a QR code: the certifying event and its proof, as text. Pure.

``HKC1:`` and base45 (RFC 9285) of the deflated bytes ``entry NUL tlog-proof``. It proves that the
log holds the event, which names the serials and the digest of the statement; nothing else.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from hakushi.certify.certificate import Certificate
from hakushi.custody import events as ev
from hakushi.ledger.dsse import Envelope
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import Checked, Proof, Receipt, check
from hakushi.model import Malformed

PREFIX = "HKC1:"
LARGEST = 4296
"""Characters that the largest code holds."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Read:
    """What a code says, and whether its log is trusted."""

    event: ev.Certified
    checked: Checked


def of_certificate(certificate: Certificate) -> str:
    last = certificate.items[-1]
    proof = Proof(last.index, last.path, certificate.checkpoint)
    packed = zlib.compress(last.entry + b"\0" + proof.encode(), 9)
    return PREFIX + encode45(packed)


def read(text: str, policy: Policy | None) -> Read:
    """Checks a code. Raises `Malformed` for whatever is none."""
    if not text.startswith(PREFIX) or len(text) > LARGEST:
        raise Malformed("not the code of a certificate")
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(decode45(text.removeprefix(PREFIX)), _MOST)
    except zlib.error:
        raise Malformed("a code that does not unpack") from None
    if not unpacking.eof or unpacking.unused_data:
        raise Malformed("a code that does not unpack to its end")
    entry, _, proof = plain.partition(b"\0")
    event = ev.of_envelope(Envelope.parse(entry))
    if not isinstance(event, ev.Certified):
        raise Malformed("a code of another event")
    return Read(event, check(Receipt.of(entry, proof), policy))


def encode45(data: bytes) -> str:
    """RFC 9285."""
    out = []
    for at in range(0, len(data) - 1, 2):
        rest, low = divmod(data[at] << 8 | data[at + 1], 45)
        high, middle = divmod(rest, 45)
        out += [low, middle, high]
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        out += [low, high]
    return "".join(_ALPHABET[one] for one in out)


def decode45(text: str) -> bytes:
    """RFC 9285; raises `Malformed`."""
    if not re.fullmatch(r"[0-9A-Z $%*+\-./:]*", text) or len(text) % 3 == 1:
        raise Malformed("not base45")
    digits = [_ALPHABET.index(one) for one in text]
    out = bytearray()
    for at in range(0, len(digits), 3):
        group = digits[at : at + 3]
        value = sum(digit * 45**power for power, digit in enumerate(group))
        width = len(group) - 1
        if value >> 8 * width:
            raise Malformed("not base45")
        out += value.to_bytes(width, "big")
    return bytes(out)

"""Signed envelopes (DSSE 1.0): a payload with its type, and who signed both. Pure.

A signature is over ``DSSEv1 LEN TYPE LEN PAYLOAD``, so any tool that knows the key can check it.
``keyid`` is ``name+id`` of the key as in its vkey. Law: whatever parses encodes to the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from hakushi.ledger import canonical
from hakushi.ledger.keys import Signer, Verifier
from hakushi.ledger.note import decode64, encode64
from hakushi.model import Malformed

MOST_SIGNATURES = 8


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature of an envelope: by whom it says to be, and its bytes."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and its signatures. Nothing is verified yet."""

    type: str
    payload: bytes
    signatures: tuple[Signed, ...]

    @property
    def signed_bytes(self) -> bytes:
        """What every signature is over (DSSE: PAE)."""
        kind = self.type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    def encode(self) -> bytes:
        return canonical.encode(
            {
                "payload": encode64(self.payload),
                "payloadType": self.type,
                "signatures": [
                    {"keyid": one.key_id, "sig": encode64(one.value)} for one in self.signatures
                ],
            }
        )

    @classmethod
    def parse(cls, data: bytes, most: int = canonical.LARGEST) -> Self:
        value = canonical.decode(data, most)
        match value:
            case {"payload": str(payload), "payloadType": str(type), "signatures": list(lines)}:
                pass
            case _:
                raise Malformed("not an envelope")
        if len(value) != 3 or not 0 < len(lines) <= MOST_SIGNATURES:
            raise Malformed("an envelope has a payload, its type and one to eight signatures")
        signatures = tuple(_signature(line) for line in lines)
        if len({one.key_id for one in signatures}) < len(signatures):
            raise Malformed("one key signed twice")
        return cls(type, decode64(payload), signatures)

    def signed(self, signer: Signer) -> Envelope:
        """The same payload, signed by one more."""
        one = Signed(key_name(signer.verifier), signer.sign_bytes(self.signed_bytes))
        return replace(self, signatures=(*self.signatures, one))

    def signed_by(self, key: Verifier) -> bool:
        """Whether a key made one of the signatures."""
        name = key_name(key)
        return any(
            one.key_id == name and key.verifies_bytes(self.signed_bytes, one.value)
            for one in self.signatures
        )


@lru_cache(1024)
def key_name(key: Verifier) -> str:
    """How envelopes name a key: its name and id, as its vkey begins."""
    return f"{key.name}+{key.id.hex()}"


def _signature(line: object) -> Signed:
    if not isinstance(line, dict) or set(line) != {"keyid", "sig"}:
        raise Malformed("not a signature of an envelope")
    key_id, value = line["keyid"], line["sig"]
    if not isinstance(key_id, str) or not isinstance(value, str):
        raise Malformed("not a signature of an envelope")
    return Signed(key_id, decode64(value))

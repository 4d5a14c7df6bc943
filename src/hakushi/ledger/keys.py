"""Keys that sign notes and cosign checkpoints: Ed25519, and ML-DSA-44 where it is installed.

Three signature types (C2SP signed-note and tlog-cosignature): plain Ed25519 over a note's text, and
two that sign a checkpoint with a time. A log may sign with any; a witness with the latter two.
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.note import Note, Signature, checked_name, decode64, encode64, key_id
from hakushi.model import Malformed, Refused, message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.mldsa import (
        MLDSA44PrivateKey,
        MLDSA44PublicKey,
    )

SEED = 32
"""Bytes of a secret, of each kind of key."""

_SECRET = "PRIVATE+KEY+"  # noqa: S105 - the mark of a secret, no secret


class Kind(IntEnum):
    """The signature type byte of signed-note."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    ML_DSA_44_COSIGNATURE = 0x06

    @property
    def cosigns(self) -> bool:
        """Signs checkpoints alone, and says when."""
        return self is not Kind.ED25519

    @property
    def size(self) -> int:
        """Bytes of a public key."""
        return 1312 if self is Kind.ML_DSA_44_COSIGNATURE else 32


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under its name. Law: ``parse(str(x)) == x``; its text form is the vkey."""

    name: str
    kind: Kind
    public: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode64(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        name, id, data = _fields(vkey)
        kind = _kind(data)
        if len(data) != 1 + kind.size:
            raise Malformed(f"a public key of this type has {kind.size} bytes")
        key = cls(checked_name(name), kind, data[1:])
        if key.id.hex() != id:
            raise Malformed("the key's id does not fit the key")
        return key

    def signed(self, signature: Signature) -> bool:
        """Whether the line claims to be this key's."""
        return signature.name == self.name and signature.key_id == self.id

    def verifies(self, text: str, signature: Signature) -> bool:
        """Whether this key made the signature over the text."""
        from cryptography.exceptions import InvalidSignature

        if not self.signed(signature):
            return False
        stamp, value = _parted(self.kind, signature.value)
        try:
            public = _public(self.kind, self.public)
            public.verify(value, _signed_bytes(self, text, stamp))
        except (InvalidSignature, Malformed, ValueError):
            return False
        return True

    def verifies_bytes(self, data: bytes, value: bytes) -> bool:
        """Whether this key made a bare signature over some bytes (see `Signer.sign_bytes`)."""
        from cryptography.exceptions import InvalidSignature

        try:
            _public(self.kind, self.public).verify(value, data)
        except (InvalidSignature, ValueError):
            return False
        return True

    def time(self, signature: Signature) -> int | None:
        """The seconds since 1970 that a cosignature states; None where it states none."""
        return _parted(self.kind, signature.value)[0] or None


@dataclass(frozen=True, slots=True)
class Signer:
    """A secret key under its name. Its text form is that of Go's ``note`` package."""

    name: str
    kind: Kind
    seed: bytes

    @classmethod
    def new(cls, name: str, kind: Kind = Kind.ED25519) -> Self:
        """A fresh key. Refused where this kind is not installed."""
        key = cls(checked_name(name), kind, secrets.token_bytes(SEED))
        _ = key.verifier
        return key

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, {self.kind!r})"

    @property
    def verifier(self) -> Verifier:
        public = _private(self.kind, self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, self.kind, public)

    @property
    def secret(self) -> str:
        """The one line that a key file holds."""
        data = encode64(bytes([self.kind]) + self.seed)
        return f"{_SECRET}{self.name}+{self.verifier.id.hex()}+{data}"

    @classmethod
    def parse(cls, secret: str) -> Self:
        if not secret.startswith(_SECRET):
            raise Malformed("a secret key starts with PRIVATE+KEY+")
        name, id, data = _fields(secret.removeprefix(_SECRET))
        kind = _kind(data)
        if len(data) != 1 + SEED:
            raise Malformed(f"a secret key has {SEED} bytes")
        key = cls(checked_name(name), kind, data[1:])
        if key.verifier.id.hex() != id:
            raise Malformed("the key's id does not fit the key")
        return key

    def sign(self, text: str, now: int) -> Signature:
        """Signs a note's text; a cosignature takes checkpoints only, and states ``now``."""
        verifier = self.verifier
        stamp = now if self.kind.cosigns else 0
        value = self.sign_bytes(_signed_bytes(verifier, text, stamp))
        head = struct.pack(">Q", stamp) if self.kind.cosigns else b""
        return Signature(self.name, verifier.id, head + value)

    def sign_bytes(self, data: bytes) -> bytes:
        """A bare signature, for envelopes (`hakushi.ledger.dsse`), whose bytes begin with a word
        that no note and no cosigned checkpoint begins with.
        """
        return _private(self.kind, self.seed).sign(data)


def signed_note(text: str, signers: tuple[Signer, ...], now: int) -> Note:
    """The text, signed by each."""
    return Note(text, tuple(signer.sign(text, now) for signer in signers))


# --- what is signed -------------------------------------------------------------------------


def _signed_bytes(key: Verifier, text: str, stamp: int) -> bytes:
    if not 0 <= stamp < 1 << 63:
        raise Malformed("a time is below 2**63 seconds")
    match key.kind:
        case Kind.ED25519:
            return text.encode()
        case Kind.ED25519_COSIGNATURE:
            Checkpoint.parse(text)
            return f"cosignature/v1\ntime {stamp}\n{text}".encode()
        case Kind.ML_DSA_44_COSIGNATURE:
            head = Checkpoint.parse(text)
            origin, name = head.origin.encode(), key.name.encode()
            if len(origin) > 255:
                raise Malformed("an origin of more than 255 bytes cannot be signed with ML-DSA-44")
            # `cosigned_message` of tlog-cosignature; start is 0, as a checkpoint is a whole tree.
            return (
                b"subtree/v1\n\0"
                + bytes([len(name)])
                + name
                + struct.pack(">Q", stamp)
                + bytes([len(origin)])
                + origin
                + struct.pack(">QQ", 0, head.size)
                + head.root
            )


def _parted(kind: Kind, value: bytes) -> tuple[int, bytes]:
    """The time and the signature proper; a value that is too short has neither."""
    if not kind.cosigns:
        return 0, value
    return int.from_bytes(value[:8], "big"), value[8:]


# --- text forms -----------------------------------------------------------------------------


def _fields(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)  # base64 may hold plus signs; names and ids do not
    if len(parts) != 3:
        raise Malformed("a key is: name, plus, id, plus, base64")
    return parts[0], parts[1], decode64(parts[2])


def _kind(data: bytes) -> Kind:
    try:
        return Kind(data[0])
    except (IndexError, ValueError):
        raise Malformed("a key of a type that is not known here") from None


# --- the library ----------------------------------------------------------------------------


@lru_cache(64)
def _private(kind: Kind, seed: bytes) -> Ed25519PrivateKey | MLDSA44PrivateKey:
    if kind is not Kind.ML_DSA_44_COSIGNATURE:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(seed)
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        return MLDSA44PrivateKey.from_seed_bytes(seed)
    except (ImportError, UnsupportedAlgorithm):
        raise _without_ml_dsa() from None


@lru_cache(256)
def _public(kind: Kind, public: bytes) -> Ed25519PublicKey | MLDSA44PublicKey:
    if kind is not Kind.ML_DSA_44_COSIGNATURE:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(public)
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

        return MLDSA44PublicKey.from_public_bytes(public)
    except (ImportError, UnsupportedAlgorithm):
        raise _without_ml_dsa() from None


def _without_ml_dsa() -> Refused:
    """Older versions of the library, and OpenSSL before 3.5, know no ML-DSA."""
    return Refused(message("The installed cryptography cannot use ML-DSA-44 keys; choose ed25519."))

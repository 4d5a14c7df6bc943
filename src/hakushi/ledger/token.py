"""Keys that stay in hardware (PKCS#11): Ed25519 in a token, which signs for us.

Needs the part ``hsm``. The key file names module, token and key; the secret never leaves the token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from hakushi.ledger.keys import Kind, Signer, Verifier
from hakushi.model import Malformed, Refused, message

MARK = "PKCS11+KEY+"
_ED25519 = "1.3.101.112"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is: the module's file, the token's label, the key's label."""

    module: str
    token: str
    label: str


def _unable(_: bytes) -> bytes:
    raise Refused(message("The token is not open."))


@dataclass(frozen=True, slots=True)
class Held(Signer):
    """A key in a token."""

    public: bytes = b""
    make: Callable[[bytes], bytes] = field(default=_unable, compare=False)

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.kind, self.public)

    @property
    def secret(self) -> str:
        raise Refused(message("The secret is in a token and stays there."))

    def sign_bytes(self, data: bytes) -> bytes:
        return self.make(data)


def line(verifier: Verifier, place: Place) -> str:
    """What the key file holds."""
    words = (quote(one, safe="") for one in (place.module, place.token, place.label))
    return " ".join([f"{MARK}{verifier}", *words])


def parse(text: str, pin: Callable[[], str]) -> Held:
    """The key of such a line; its token is asked for each signature."""
    if not text.startswith(MARK):
        raise Malformed("not a key in a token")
    words = text.removeprefix(MARK).split(" ")
    if len(words) != 4:
        raise Malformed("a key in a token is: public key, module, token, label")
    verifier = Verifier.parse(words[0])
    if verifier.kind is Kind.ML_DSA_44_COSIGNATURE:
        raise Malformed("a token holds Ed25519 keys")
    place = Place(*map(unquote, words[1:]))

    def make(data: bytes) -> bytes:
        with _session(place, pin()) as session:
            return _sign(session, place, data)

    return Held(verifier.name, verifier.kind, b"", verifier.public, make)


def new(name: str, kind: Kind, place: Place, pin: str) -> Held:
    """Makes a key in a token that has none of that label."""
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
    from pkcs11.util.ec import encode_named_curve_parameters

    if kind is Kind.ML_DSA_44_COSIGNATURE:
        raise Refused(message("A token holds Ed25519 keys; choose ed25519."))
    with _session(place, pin, writing=True) as session:
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: place.label}
        if list(session.get_objects(wanted)):
            raise Refused(
                message("The token has a key {label} already; name another.", label=place.label)
            )
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)}
        domain = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
        mechanism = Mechanism.EC_EDWARDS_KEY_PAIR_GEN
        public, _ = domain.generate_keypair(mechanism=mechanism, store=True, label=place.label)
        point = bytes(public[Attribute.EC_POINT])[-32:]
        signature = _sign(session, place, b"hakushi")
    held = Held(name, kind, b"", point)
    if not held.verifier.verifies_bytes(b"hakushi", signature):
        raise Refused(message("The token's signatures do not verify; it cannot be used."))
    return held


def _sign(session: Any, place: Place, data: bytes) -> bytes:
    from pkcs11 import KeyType, Mechanism, ObjectClass

    key = session.get_key(ObjectClass.PRIVATE_KEY, KeyType.EC_EDWARDS, label=place.label)
    return bytes(key.sign(data, mechanism=Mechanism.EDDSA))


@contextmanager
def _session(place: Place, pin: str, *, writing: bool = False) -> Iterator[Any]:
    """An open session; whatever the token says no to is `Refused` with its word for it."""
    import pkcs11

    try:
        token = pkcs11.lib(place.module).get_token(token_label=place.token)
        with token.open(rw=writing, user_pin=pin) as session:
            yield session
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise Refused(
            message(
                "The token {token} says no: {why}. Check module, label and PIN.",
                token=place.token,
                why=type(error).__name__,
            )
        ) from None

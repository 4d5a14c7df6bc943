"""The encoding is frozen: signed entries of years ago must read the same. See docs/design/events.md.

``tests/vectors/custody/events.jsonl`` holds one signed entry of each kind, written once. A change
here is a new payload type, never a new file.
"""

import json
import subprocess
from pathlib import Path

import pytest

from hakushi.custody import events as ev
from hakushi.ledger.dsse import Envelope
from hakushi.ledger.keys import Kind, Signer
from hakushi.model import Malformed

KEY = Signer("example.org/bench", Kind.ED25519, bytes(range(32)))
KEY2 = Signer("example.org/owner", Kind.ED25519, bytes(32))
GOLDEN = Path(__file__).parents[1] / "vectors" / "custody" / "events.jsonl"
ENTRIES = GOLDEN.read_bytes().splitlines()


def test_there_is_an_entry_of_every_kind():
    kinds = [ev.of_envelope(Envelope.parse(entry)).TYPE for entry in ENTRIES]
    assert sorted(kinds) == sorted(ev.EVENTS)


@pytest.mark.parametrize("entry", ENTRIES)
def test_it_reads_and_writes_as_ever(entry):
    envelope = Envelope.parse(entry)
    assert envelope.signed_by(KEY.verifier)
    event = ev.of_envelope(envelope)
    assert ev.envelope(event).signed(KEY).encode() == entry


def test_openssl_agrees_on_a_signature(tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    envelope = Envelope.parse(ENTRIES[0])
    pem = Ed25519PublicKey.from_public_bytes(KEY.verifier.public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for name, data in (
        ("key.pem", pem),
        ("data", envelope.signed_bytes),
        ("torn", envelope.signed_bytes + b"."),
        ("sig", envelope.signatures[0].value),
    ):
        (tmp_path / name).write_bytes(data)
    words = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-sigfile",
        "sig",
        "-in",
    ]

    def code(name: str) -> int:
        return subprocess.run(
            [*words, name], cwd=tmp_path, capture_output=True, check=False
        ).returncode

    assert code("data") == 0
    assert code("torn") != 0


@pytest.mark.parametrize(
    "change",
    [
        {"drive": ""},
        {"drive": "x" * 65},
        {"drive": "a\nb"},
        {"drive": " a"},
        {"at": -1},
        {"at": True},
        {"nonce": "0"},
        {"type": "unheard_of"},
        {"text": "\u202e"},
    ],
)
def test_what_breaks_a_bound_is_no_event(change):
    value = {"type": "noted", "at": 1, "nonce": "0" * 32, "drive": "S1", "text": "x", **change}
    with pytest.raises(Malformed):
        ev.decode(
            json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        )


def test_a_list_names_each_serial_once():
    one = ev.Certified(at=1, nonce="0" * 32, drives=("A", "A"), certificate=ev.NO_DIGEST)
    with pytest.raises(Malformed):
        ev.encode(one)
    with pytest.raises(Malformed):
        ev.encode(ev.Certified(at=1, nonce="0" * 32, drives=(), certificate=ev.NO_DIGEST))


def test_the_longest_list_fits_into_an_entry():
    drives = tuple(f"{n:014}" for n in range(ev.MOST_DRIVES))
    event = ev.HandedOver(
        at=1, nonce="0" * 32, handover="h", drives=drives, giver="a", receiver="b"
    )
    assert len(ev.envelope(event).signed(KEY).signed(KEY2).encode()) < 1 << 16

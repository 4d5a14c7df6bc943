"""An event decodes from its encoding alone, and a flipped bit never passes for what was signed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.custody_events import EVENTS, of

from hakushi.custody import events as ev
from hakushi.ledger import canonical
from hakushi.ledger.dsse import Envelope
from hakushi.ledger.keys import Kind, Signer
from hakushi.model import Malformed

KEY = Signer("bench", Kind.ED25519, bytes(range(32)))


@pytest.mark.parametrize("kind", ev.EVENTS.values(), ids=list(ev.EVENTS))
def test_every_kind_of_event_comes_back(kind):
    @given(of(kind))
    def law(event):
        payload = ev.encode(event)
        assert ev.decode(payload) == event
        assert ev.encode(ev.decode(payload)) == payload

    law()


@given(EVENTS, st.data())
def test_a_flipped_bit_is_found(event, data):
    envelope = ev.envelope(event).signed(KEY)
    entry = envelope.encode()
    at = data.draw(st.integers(0, len(entry) * 8 - 1))
    torn = bytearray(entry)
    torn[at // 8] ^= 1 << at % 8
    try:
        other = Envelope.parse(bytes(torn))
    except Malformed:
        return
    assert not other.signed_by(KEY.verifier)


@given(st.binary(max_size=300))
def test_whatever_decodes_encodes_to_the_same_bytes(data):
    for decode, encode in (
        (canonical.decode, canonical.encode),
        (Envelope.parse, Envelope.encode),
        (ev.decode, ev.encode),
    ):
        try:
            value = decode(data)
        except Malformed:
            continue
        assert encode(value) == data


@given(EVENTS, st.data())
def test_other_fields_and_other_spellings_are_refused(event, data):
    value = json.loads(ev.encode(event))
    name = data.draw(st.sampled_from(sorted(value)))
    without = {k: v for k, v in value.items() if k != name}
    for wrong in (
        canonical.encode(without),
        canonical.encode({**value, "further": 1}),
        canonical.encode({**value, name: {"an": "object"}}),
        json.dumps(value, indent=1).encode(),
        ev.encode(event) + b" ",
    ):
        with pytest.raises(Malformed):
            ev.decode(wrong)

"""A bundle that was cut, reordered or changed is not whole, and two that join have one tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.ledger.bundle import Bundle
from hakushi.ledger.keys import Kind, Signer
from hakushi.ledger.log import Log
from hakushi.ledger.store import Memory
from hakushi.model import Malformed

KEY = Signer("example.org/bench", Kind.ED25519, bytes(32))


def bundle(entries: list[bytes], start: int) -> Bundle:
    log = Log.create(Memory(), [KEY], lambda: 1_790_000_000.0)
    for at in range(0, len(entries), 7):
        log.extend(entries[at : at + 7])
    return Bundle.of(log.view(), start)


ENTRIES = st.lists(st.binary(max_size=20), max_size=40)


@given(ENTRIES, st.data())
def test_it_goes_both_ways_and_is_whole(entries, data):
    start = data.draw(st.integers(0, len(entries)))
    made = bundle(entries, start)
    assert Bundle.parse(made.encode()) == made
    assert made.whole
    assert made.signed_by(KEY.verifier)
    assert made.entries == tuple(entries[start:])


@given(ENTRIES, st.data())
def test_a_later_bundle_knows_the_root_that_an_earlier_one_had(entries, data):
    first = data.draw(st.integers(0, len(entries)))
    start = data.draw(st.integers(0, first))
    earlier, later = bundle(entries[:first], 0), bundle(entries, start)
    assert later.roots([first])[first] == earlier.head.root


SOME = bundle([b"one", b"two", b"three", b"four"], 1).encode()


@given(st.integers(0, len(SOME) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_found(at, bit):
    data = SOME[:at] + bytes([SOME[at] ^ 1 << bit]) + SOME[at + 1 :]
    try:
        found = Bundle.parse(data)
    except Malformed:
        return
    assert not (found.whole and found.signed_by(KEY.verifier))


@given(st.integers(0, len(SOME) - 1))
def test_a_cut_is_found(at):
    try:
        found = Bundle.parse(SOME[:at])
    except Malformed:
        return
    assert not found.whole


@given(st.binary(max_size=300))
def test_what_is_no_bundle_is_malformed(data):
    with pytest.raises(Malformed):
        Bundle.parse(data)

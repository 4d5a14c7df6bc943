"""A certificate of which one bit is another no longer holds, with a policy and without one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.certificates import FOLDER

from hakushi.certify import Certificate, check
from hakushi.ledger.policy import Policy
from hakushi.model import Malformed

POLICY = Policy.parse((FOLDER / "policy").read_bytes())
GOOD = (FOLDER / "good.json").read_bytes()


def flipped(at: int, bit: int) -> bytes:
    return GOOD[:at] + bytes([GOOD[at] ^ 1 << bit]) + GOOD[at + 1 :]


@pytest.mark.parametrize("policy", [POLICY, None], ids=["policy", "none"])
@given(at=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found(policy, at, bit):
    assert not check(flipped(at, bit), policy).holds


@pytest.mark.parametrize("word", [b'"index":', b'"at":', b"example.org/log", b"\\n\\n", b"+"])
def test_a_flipped_bit_is_found_wherever_it_may_hide(word):
    at = GOOD.index(word)
    for where in range(at, at + len(word) + 2):
        for bit in range(8):
            assert not check(flipped(where, bit), POLICY).holds


@given(st.binary(max_size=200) | st.integers(0, len(GOOD)).map(lambda n: GOOD[:n]))
def test_anything_may_come_and_nothing_but_a_certificate_holds(data):
    if data != GOOD:
        assert not check(data, POLICY).holds


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 7))
def test_what_parses_encodes_to_the_same_bytes(at, bit):
    data = flipped(at, bit)
    try:
        certificate = Certificate.parse(data)
    except Malformed:
        return
    assert certificate.encode() == data

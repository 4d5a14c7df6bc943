"""Findings packed into columns are the same findings, each once, and a torn pack is no findings."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.assess.findings import once, pack, unpack
from hakushi.model import Malformed, Strength

places = st.tuples(
    st.integers(0, 40) | st.integers(0, 1 << 62),
    st.integers(0, 1 << 40),
    st.sampled_from(["email", "phone", "person_name"]),
    st.sampled_from([s.value for s in Strength]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.binary(min_size=16, max_size=17),
)
many = st.lists(places, min_size=1, max_size=12)


@given(many)
def test_what_is_unpacked_is_what_was_packed(some):
    one = pack("x", some)
    told = list(unpack("x", one.body).places())
    assert set(told) == set(some)
    assert [place[0] for place in told] == sorted(place[0] for place in told)
    assert (one.first, one.last) == (told[0][0], told[-1][0])
    assert pack("x", told) == one


@given(st.lists(st.tuples(st.sampled_from("ab"), many), min_size=1, max_size=5))
def test_packs_of_one_place_give_each_finding_once_and_in_order(parts):
    packs = [pack(where, some) for where, some in parts]
    every = sorted((p.where, p.first, p.last, p.body) for p in packs)
    told = [(c.where, place) for c in once(every) for place in c.places()]
    assert len(told) == len(set(told))
    assert set(told) == {(where, place) for where, some in parts for place in some}
    assert [(where, place[0]) for where, place in told] == sorted(
        (where, place[0]) for where, place in told
    )


@given(many, st.data())
def test_a_torn_pack_is_malformed_or_other_findings_but_never_a_crash(some, data):
    body = bytearray(pack("x", some).body)
    cut = data.draw(st.integers(0, len(body)))
    with pytest.raises(Malformed):
        unpack("x", bytes(body[:cut]) + b"\0" * data.draw(st.integers(1, 9)) * (cut == len(body)))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(Malformed):
        list(unpack("x", bytes(body)).places())

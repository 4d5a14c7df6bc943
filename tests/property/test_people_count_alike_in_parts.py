"""How many people findings tell of does not depend on how they come: at once, or in parts."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.detect import persons
from hakushi.detect.persons import GAP, KINDS, Part, count, parts

KEYS = st.binary(min_size=16, max_size=17).filter(any) | st.sampled_from(
    [b"a" * 16, b"b" * 16, b"a" * 17]
)  # zeros stand for no key: no hash is all zeros
PLACES = st.lists(
    st.tuples(
        st.sampled_from("xy"),
        st.integers(0, 40) | st.integers(0, 4 * GAP),
        st.sampled_from([*KINDS, "age"]),
        KEYS,
    ),
    max_size=30,
).map(lambda some: sorted(some, key=lambda one: one[:2]))


def columns(part: Part) -> tuple:
    return part.texts, part.offsets, part.kinds, part.keys, part.own


@settings(max_examples=300, deadline=None)
@given(PLACES, st.lists(st.integers(0, 30), max_size=5))
def test_people_and_firms_are_as_many_in_any_parts(places, cuts):
    pieces = []
    for part in parts(places):
        size = len(part.kinds)
        ends = sorted({0, size, *(min(cut, size) for cut in cuts)})
        pieces += [Part(*(one[a:b] for one in columns(part))) for a, b in pairwise(ends)]
    assert count(pieces) == count(parts(places))
    if pieces:
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = piece.behind(whole)
        assert count([whole]) == count(parts(places))


def records(places):
    """The records of some findings, told one by one."""
    found, record, last, latest = [], {}, None, ""
    for text, at, kind, key in places:
        again = kind in record and (kind != latest or record[kind] != key)
        if record and (again or last[0] != text or at - last[1] > GAP):
            found.append(record)
            record = {}
        record[kind] = key
        last, latest = (text, at), kind
    return {tuple(sorted(one.items())) for one in [*found, record] if one}


TELLING = {"person_name", "kana_name", *persons.OWN}


@settings(max_examples=300, deadline=None)
@given(PLACES)
def test_records_are_those_of_a_plain_walk(places):
    some = [p for p in places if p[2] in persons.PEOPLE and len(p[3]) == 16]
    different = persons._Different()
    for part in parts(some):
        different.add(part)
    told = {tuple(sorted(one.items())) for one in different.end()}
    assert told == {r for r in records(some) if TELLING & dict(r).keys()}

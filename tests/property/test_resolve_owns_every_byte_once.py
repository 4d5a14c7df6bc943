"""Ownership of bytes, against a slow model that looks at every byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.model import Artifact, Extents, Locator, Role, Run, State
from hakushi.recover.resolve import Claim, resolve

SIZE = 60
ROOT = Locator.root("image", "x")
RANK = {State.LIVE: 0, State.DELETED: 1, State.CARVED: 2}


@st.composite
def some_claims(draw):
    out = []
    for n in range(draw(st.integers(0, 7))):
        runs = []
        for _ in range(draw(st.integers(1, 3))):
            at = draw(st.none() | st.integers(0, SIZE - 1))
            length = draw(st.integers(1, 9))
            runs.append(Run(at, length if at is None else min(length, SIZE - at)))
        artifact = Artifact(
            ROOT.step("fs", n),
            "file",
            draw(st.sampled_from(list(State))),
            sum(r.length for r in runs),
            tuple(runs),
            role=draw(st.sampled_from([Role.CONTENT, Role.CONTENT, Role.STRUCTURE])),
            complete=draw(st.booleans()),
        )
        out.append(Claim(artifact, tuple(runs)))
    return out


def bytes_of(claim):
    return {x for r in claim.runs if r.at is not None for x in range(r.at, r.at + r.length)}


@settings(max_examples=300, deadline=None)
@given(some_claims())
def test_every_byte_has_the_owner_that_a_slow_look_gives_it(claims):
    got = resolve(claims, SIZE)
    system = {x for c in claims if c.artifact.role is Role.STRUCTURE for x in bytes_of(c)}
    listed = [
        c
        for c in claims
        if c.artifact.role is Role.CONTENT and c.artifact.locator not in got.superseded
    ]
    live = {x for c in listed if c.artifact.state is State.LIVE for x in bytes_of(c)}
    assert {x for x in range(SIZE) if x in got.live} == live
    assert {x for x in range(SIZE) if x in got.structures} == system
    for claim in listed:
        mine, rank = bytes_of(claim), RANK[claim.artifact.state]
        rivals = set(system)
        for other in listed:
            if other is not claim and RANK[other.artifact.state] <= rank:
                rivals |= bytes_of(other)
        doubtful = rank > 0 and (bool(mine & rivals) or overlaps_itself(claim))
        assert (claim.artifact.locator in got.incomplete) == doubtful
    kept = {
        x
        for c in listed
        if c.artifact.state is State.DELETED
        and c.artifact.complete
        and c.artifact.locator not in got.incomplete
        for x in bytes_of(c)
    }
    assert {x for x in range(SIZE) if x in got.free} == set(range(SIZE)) - live - system - kept


def overlaps_itself(claim):
    return sum(r.length for r in claim.runs if r.at is not None) != len(bytes_of(claim))


@given(some_claims())
def test_no_bytes_are_lost_with_what_is_superseded(claims):
    got = resolve(claims, SIZE)
    listed = Extents()
    for claim in claims:
        if claim.artifact.locator not in got.superseded:
            listed |= claim.artifact.extents
    for claim in claims:
        assert not (claim.artifact.extents - listed)


@given(some_claims(), st.randoms())
def test_the_order_of_claims_is_no_matter(claims, random):
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert resolve(shuffled, SIZE) == resolve(claims, SIZE)

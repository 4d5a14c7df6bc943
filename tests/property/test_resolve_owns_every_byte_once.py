"""Ownership of bytes, against a slow model that looks at every byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.model import Artifact, Extents, Locator, Role, Run, State
from hakushi.recover.resolve import Claim, resolve

SIZE = 60
ROOT = Locator.root("image", "x")
SYSTEMS = [ROOT.step("old", 1), ROOT.step("old", 2)]


@st.composite
def some_claims(draw):
    out = []
    for n in range(draw(st.integers(0, 8))):
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
            role=draw(st.sampled_from([Role.CONTENT] * 4 + [Role.STRUCTURE, Role.ENCRYPTED])),
            complete=draw(st.booleans()),
            modified=draw(st.none() | st.integers(1, 3)),
            changed=draw(st.none() | st.integers(1, 3)),
        )
        system = draw(st.sampled_from([None, None, *SYSTEMS]))
        held = system is not None and draw(st.booleans())
        out.append(Claim(artifact, tuple(runs), system, held))
    return out


def bytes_of(claim):
    return {x for r in claim.runs if r.at is not None for x in range(r.at, r.at + r.length)}


def overlaps_itself(claim):
    """Two of its runs share a byte; runs that follow each other are one."""
    return sum(r.length for r in claim.runs if r.at is not None) != len(bytes_of(claim))


def listed(claims, got, state):
    return [
        c
        for c in claims
        if c.artifact.role is Role.CONTENT
        and c.artifact.state is state
        and c.artifact.locator not in got.superseded
    ]


def union(claims):
    return {x for c in claims for x in bytes_of(c)}


def lost_in_own(claim, deleted):
    """Bytes of a record that a newer file system freed last, or its own held to the end."""
    if claim.system is None:
        return set()
    newer = union(c for c in deleted if c.system is None)
    if not claim.held:
        held = [c for c in deleted if c.held and c.system == claim.system]
        newer |= {x for c in held for x in bytes_of(c) - lost_in_own(c, deleted)}
    return bytes_of(claim) & newer


def time(artifact):
    return artifact.modified if artifact.changed is None else artifact.changed


def known_older(a, b):
    return time(a) is not None and time(b) is not None and time(a) < time(b)


@settings(max_examples=400)
@given(some_claims())
def test_a_deleted_file_is_whole_only_where_nothing_newer_lies_on_it(claims):
    got = resolve(claims, SIZE)
    system = union(c for c in claims if c.artifact.role is Role.STRUCTURE)
    live = union(listed(claims, got, State.LIVE))
    deleted = listed(claims, got, State.DELETED)
    for claim in deleted:
        rivals = {
            x
            for other in deleted
            if other is not claim and not known_older(other.artifact, claim.artifact)
            for x in bytes_of(other) - lost_in_own(other, deleted)
        }
        lost = lost_in_own(claim, deleted)
        doubtful = bool((bytes_of(claim) - lost) & rivals) or bool(lost)
        doubtful |= bool(bytes_of(claim) & (live | system)) or overlaps_itself(claim)
        assert (claim.artifact.locator in got.incomplete) == doubtful


@settings(max_examples=400)
@given(some_claims())
def test_every_byte_has_the_owner_that_a_slow_look_gives_it(claims):
    got = resolve(claims, SIZE)
    system = union(c for c in claims if c.artifact.role is Role.STRUCTURE)
    live = union(listed(claims, got, State.LIVE))
    assert {x for x in range(SIZE) if x in got.live} == live
    assert {x for x in range(SIZE) if x in got.structures} == system
    kept = union(
        c
        for c in listed(claims, got, State.DELETED)
        if c.artifact.complete and c.artifact.locator not in got.incomplete
    )
    assert {x for x in range(SIZE) if x in got.free} == set(range(SIZE)) - live - system - kept
    carved = listed(claims, got, State.CARVED)
    for claim in carved:
        others = union(c for c in carved if c is not claim) | live | system | kept
        doubtful = bool(bytes_of(claim) & others) or overlaps_itself(claim)
        assert (claim.artifact.locator in got.incomplete) == doubtful
    assert not got.incomplete & {c.artifact.locator for c in listed(claims, got, State.LIVE)}


@given(some_claims())
def test_no_bytes_are_lost_with_what_is_superseded(claims):
    got = resolve(claims, SIZE)
    kept = Extents()
    for claim in claims:
        if claim.artifact.locator not in got.superseded:
            kept |= claim.artifact.extents
    for claim in claims:
        assert not (claim.artifact.extents - kept)


@given(some_claims(), st.randoms())
def test_the_order_of_claims_is_no_matter(claims, random):
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert resolve(shuffled, SIZE) == resolve(claims, SIZE)


@given(some_claims())
def test_the_same_bytes_are_listed_once_and_live_ones_always(claims):
    got = resolve(claims, SIZE)
    live = listed(claims, got, State.LIVE)
    assert not {c.artifact.locator for c in live} & got.superseded
    places = [
        tuple(sorted(bytes_of(c)))
        for state in (State.DELETED, State.CARVED)
        for c in listed(claims, got, state)
        if not overlaps_itself(c) and len([r for r in c.runs if r.at is not None]) == 1
    ]
    assert len(places) == len(set(places))
    assert not {tuple(sorted(bytes_of(c))) for c in live if len(c.runs) == 1} & set(places)

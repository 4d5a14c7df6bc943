"""More badness never improves a verdict, and nothing unread is ever clean."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hakushi.assess.judge import Facts, judge
from hakushi.model import Role, Verdict

ORDER = {Verdict.CLEAN: 0, Verdict.INCONCLUSIVE: 1, Verdict.RESIDUE: 2}

counts = st.integers(0, 3)
facts = st.builds(
    Facts,
    size=st.just(1 << 20),
    roles=st.dictionaries(st.sampled_from(list(Role)), counts),
    findings=st.dictionaries(
        st.sampled_from(["my_number", "email", "phone"]), st.tuples(counts, counts)
    ),
    unread=counts,
    damage=counts,
    undone=counts,
    unexplained=counts,
    random=counts,
    plain=counts,
    uniform=st.booleans(),
    hidden=st.none() | counts,
    sampled=st.none() | counts,
    looked=st.booleans(),
)


@given(facts, st.sampled_from(["unread", "damage", "undone", "unexplained"]))
def test_more_badness_never_improves_a_verdict(now, what):
    worse = replace(now, **{what: getattr(now, what) + 1})
    assert ORDER[judge(worse).verdict] >= ORDER[judge(now).verdict]


@given(facts, st.sampled_from(list(Role)))
def test_one_more_artifact_never_improves_a_verdict(now, role):
    worse = replace(now, roles={**now.roles, role: now.roles.get(role, 0) + 1})
    assert ORDER[judge(worse).verdict] >= ORDER[judge(now).verdict]


@given(facts)
def test_a_finding_never_leaves_a_drive_clean(now):
    labelled = replace(now, findings={**now.findings, "email": (1, 0)})
    assert judge(labelled).verdict is Verdict.RESIDUE
    unlabelled = replace(now, findings={**now.findings, "phone": (0, 1)})
    assert judge(unlabelled).verdict is not Verdict.CLEAN


@given(facts)
def test_clean_means_everything_read_and_explained(now):
    if judge(now).verdict is Verdict.CLEAN:
        assert not (now.unread or now.damage or now.undone or now.unexplained)
        assert now.sampled is None
        assert now.looked
        assert now.hidden == 0
        assert now.random == 0 or now.plain == 0


@given(facts)
def test_how_grave_it_is_is_told_where_somebody_looked_and_only_there(now):
    told = judge(now)
    assert (told.severity is None) == (not now.looked)
    looked = judge(replace(now, looked=True))
    assert ORDER[told.verdict] >= ORDER[looked.verdict]


@given(facts)
def test_every_verdict_has_a_reason_that_can_be_said(now):
    told = judge(now)
    assert told.reasons
    assert all(str(reason) for reason in told.reasons)

"""The case file's tables are ``|``: any order, regrouped, repeated, the same whole."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess.case import Case
from hakushi.model import (
    Artifact,
    Assessment,
    Cell,
    Damage,
    Extent,
    Extents,
    Finding,
    Locator,
    Run,
    State,
    Strength,
)

ROOT = Locator.root("image", "ab12")
locators = st.sampled_from([ROOT.step("part", 1), ROOT.step("ntfs", "3;x"), ROOT.step("carve", 7)])
runs = st.none() | st.lists(
    st.builds(Run, st.none() | st.integers(0, 1 << 40), st.integers(0, 99)), max_size=3
).map(tuple)
artifacts = st.builds(
    Artifact,
    locator=locators,
    kind=st.sampled_from(["jpeg", "file"]),
    state=st.sampled_from(list(State)),
    size=st.integers(0, 5),
    runs=runs,
    path=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    complete=st.booleans(),
    sha256=st.none() | st.sampled_from(["00" * 32, "11" * 32]),
    nested=st.booleans(),
    changed=st.none() | st.integers(0, 3),
)
findings = st.builds(
    Finding,
    kind=st.sampled_from(["email", "phone"]),
    locator=locators,
    extent=st.builds(Extent, st.integers(0, 9), st.integers(0, 9)),
    strength=st.sampled_from(list(Strength)),
    masked=st.just("a***"),
    key=st.binary(min_size=2, max_size=2),
)
cells = st.builds(
    Cell,
    offset=st.sampled_from([0, 1 << 24]),
    length=st.just(1024),
    classes=st.sampled_from([((0, 2),), ((2, 1), (3, 1)), ((4, 2),)]),
    candidates=st.sampled_from([(), ((512, "jpeg"),)]),
    histogram=st.sampled_from([(), (1,) * 256]),
)
extents = st.lists(st.builds(Extent, st.integers(0, 50), st.integers(1, 9)), max_size=3).map(
    Extents
)
pieces = st.builds(
    Assessment,
    seen=extents,
    unreadable=extents,
    cells=st.lists(cells, max_size=2).map(lambda cs: {c.offset: c for c in cs}),
    artifacts=st.lists(artifacts, max_size=4).map(lambda xs: {x.locator: x for x in xs}),
    findings=st.frozensets(findings, max_size=3),
    damage=st.frozensets(
        st.builds(Damage, locators, st.sampled_from(["torn", "out of time"])), max_size=2
    ),
)


def whole(case: Case) -> Assessment:
    return Assessment(
        case.extents("seen"),
        case.extents("unreadable"),
        {c.offset: c for c in case.cells()},
        {a.locator: a for a in case.artifacts()},
        frozenset(case.findings()),
        frozenset(case.damage()),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=4), st.randoms())
def test_case_joins_in_any_order_and_repeated(parts, random):
    expected = Assessment()
    for part in parts:
        expected |= part
    shuffled = parts + random.sample(parts, random.randrange(len(parts) + 1))
    random.shuffle(shuffled)
    with TemporaryDirectory() as folder:
        case = Case(Path(folder) / "c.hakushi", ROOT, create=True)
        try:
            while shuffled:
                cut = random.randint(1, len(shuffled))
                case.join(shuffled[:cut])
                del shuffled[:cut]
            assert whole(case) == expected
        finally:
            case.close()

"""Exchange formats: read back by the libraries that others read them with, whatever the names say."""

import csv
import io
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hakushi.assess import exchange
from hakushi.model import Artifact, Extent, Finding, Locator, State, Strength

names = st.text(max_size=20) | st.sampled_from(
    ["=cmd|' /C calc'!A0", "a|b", "a\nb", "<x>&", "\u202e", "]]>", "\ud800", "-1", "@a"]
)
artifacts = st.builds(
    Artifact,
    locator=names.map(lambda n: Locator.root("image", "x").step("fs", n)),
    kind=st.sampled_from(["file", "directory", "jpeg"]),
    state=st.sampled_from(list(State)),
    size=st.integers(0, 1 << 40),
    path=st.none() | names,
    sha256=st.none() | st.just("ab" * 32),
    modified=st.none() | st.integers(0, 1 << 32),
)
rows = st.lists(
    st.tuples(
        artifacts,
        st.dictionaries(st.sampled_from(["email", "phone"]), st.integers(1, 9)).map(Counter),
        st.lists(st.builds(Extent, st.integers(0, 99), st.integers(1, 9)), max_size=3).map(tuple),
    ),
    max_size=5,
)


@given(rows)
def test_csv_has_a_row_an_artifact_and_no_formula(given_rows):
    text = "".join(exchange.csv_lines(given_rows))
    read = list(csv.DictReader(io.StringIO(text)))
    assert [int(r["size"]) for r in read] == [a.size for a, _, _ in given_rows]
    assert [r["locator"] for r in read] == [str(a.locator) for a, _, _ in given_rows]
    assert not any(r["path"][:1] in ("=", "+", "-", "@") for r in read)


@given(rows)
def test_a_bodyfile_line_has_eleven_fields(given_rows):
    read = [line.split("|") for line in exchange.bodyfile_lines(given_rows)]
    assert len(read) == len(given_rows)
    assert all(len(fields) == 11 and fields[-1] == "0\n" for fields in read)
    assert [int(f[6]) for f in read] == [a.size for a, _, _ in given_rows]


@given(rows)
def test_dfxml_is_well_formed_and_keeps_runs(given_rows):
    tree = etree.fromstring("".join(exchange.dfxml_lines(given_rows)).encode())
    objects = tree.findall("fileobject")
    assert [int(o.findtext("filesize")) for o in objects] == [a.size for a, _, _ in given_rows]
    for one, (_, _, runs) in zip(objects, given_rows, strict=True):
        read = one.findall("byte_runs/byte_run")
        assert [(int(r.get("img_offset")), int(r.get("len"))) for r in read] == [
            (e.offset, e.length) for e in runs
        ]


@given(st.lists(names, max_size=5))
def test_a_feature_file_has_three_columns(masked):
    locator = Locator.root("image", "x")
    found = [
        Finding("email", locator, Extent(n, 1), Strength.LABELLED, m, b"")
        for n, m in enumerate(masked)
    ]
    lines = [x for x in exchange.feature_lines(found) if not x.startswith("#")]
    assert len(lines) == len(masked)
    assert all(line.count("\t") == 2 and line.count("\n") == 1 for line in lines)

"""Rows that are read all at once have the cells that each has alone, whatever their quotes."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hakushi.detect.tables import (
    _VALUES,
    Column,
    Header,
    _promising,
    cells,
    header_of,
    split,
)

lines = st.text(st.sampled_from('ab,,,"" \'\r山-1'), max_size=24)


@settings(max_examples=400)
@given(st.lists(lines, max_size=8), st.integers(2, 4))
@example(['"a""",b,"c', '"",""",', 'a,"b,c"d,e'], 3)
def test_a_row_has_the_same_cells_among_others_as_alone(rows, width):
    columns = tuple(Column(f"kind {n}") for n in range(width))
    expected = []
    at = 0
    for row in rows:
        rule = not row.strip(" -+=|:\r\t")
        fields = [] if rule else split(row, at, ",")
        if not row.strip() or not (rule or max(2, width - 2) <= len(fields) <= width + 2):
            break
        expected += [(a, b, c) for (a, b), c in zip(fields, columns, strict=False) if a < b]
        at += len(row) + 1
    found, _ = cells("\n".join(rows), Header(",", columns))
    told = list(zip(found.starts, found.ends, found.columns, strict=True))
    assert told[: len(expected)] == expected
    if at > len("\n".join(rows)):
        assert told == expected


words = st.sampled_from(["氏名", "住所", "Name", "name", "電話", "1", "12345", "a", "@", "-", " "])


@settings(max_examples=400)
@given(st.lists(st.lists(words | st.sampled_from(",\t;|\n"), max_size=9).map("".join), max_size=6))
@example(["氏名,住所1-2", "氏名,住所12345", "氏名,1-住所", "氏名,1\n-2,住所"])
def test_no_line_that_is_a_header_is_passed_over(rows):
    folded = "\n".join(rows)
    seen, at = _promising(folded).headers, 0
    for line in folded.split("\n"):
        if header_of(line) is not None:
            assert at in seen
        elif _VALUES.search(line):
            assert at not in seen
        at += len(line) + 1

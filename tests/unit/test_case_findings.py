"""What a case keeps of findings: each once, and nothing of a torn one."""

import sqlite3

import pytest

from hakushi.assess.case import Case
from hakushi.model import Assessment, Extent, Extents, Finding, Locator, Refused, Strength

ROOT = Locator.root("image", "ab12")
FILE = ROOT.step("ntfs", "5")


def finding(locator: Locator, at: int, key: bytes = b"k" * 16) -> Finding:
    return Finding("phone", locator, Extent(at, 12), Strength.LABELLED, "0***", key)


def case(path, *found: Finding) -> Case:
    one = Case(path, ROOT, create=True)
    one.put({"locator": str(ROOT)})
    one.join([Assessment(findings=frozenset(found))])
    return one


def test_what_structures_repeat_of_a_file_is_forgotten(tmp_path):
    raw = [finding(ROOT, 100), finding(ROOT, 900), finding(ROOT, 200, b"x" * 16)]
    one = case(tmp_path / "c", *raw, finding(FILE, 0))
    one.drop_repeated(Extents([Extent(0, 512)]))
    left = {(f.locator, f.extent.offset) for f in one.findings()}
    assert left == {(ROOT, 200), (ROOT, 900), (FILE, 0)}


def test_a_torn_case_is_refused_by_name(tmp_path):
    case(tmp_path / "c", finding(FILE, 0)).close()
    db = sqlite3.connect(tmp_path / "c")
    db.execute("UPDATE found SET body=substr(body, 1, 40)")
    db.commit()
    db.close()
    with pytest.raises(Refused, match="is damaged"):
        list(Case.open(tmp_path / "c").findings())


def test_a_full_disk_is_told_as_one(tmp_path):
    one = case(tmp_path / "c")
    (pages,) = one._db.execute("PRAGMA page_count").fetchone()
    one._db.execute(f"PRAGMA max_page_count={pages + 16}")
    many = frozenset(finding(FILE.step("text", str(n)), n) for n in range(9000))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        one.join([Assessment(findings=many)])
    assert not list(one.findings())

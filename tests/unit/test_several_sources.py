"""Several sources in one run: people on more than one of them, and how fast the search is."""

from pathlib import Path

import pytest

from hakushi.app import assess, house
from hakushi.app.settings import AssessOptions
from hakushi.lang import say

NAMES = (
    "佐藤健一", "鈴木花子", "高橋実", "田中誠", "伊藤恵", "渡辺修", "山本幸子", "中村明", "小林進",
    "加藤愛", "吉田学", "山田昇", "佐々木薫", "山口勝", "松本清", "井上茂", "木村豊", "林和子",
)  # fmt: skip
HEAD = "氏名,住所,電話番号,生年月日\n"


def image(path: Path, people: range, encoding: str) -> str:
    rows = (
        f"{NAMES[n]},東京都港区芝1-2-{n + 1},090-1234-{n:04d},1970/01/{n + 1:02d}\n" for n in people
    )
    path.write_bytes((HEAD + "".join(rows)).encode(encoding) + bytes(8192))
    return str(path)


@pytest.fixture
def two(tmp_path):
    return (
        image(tmp_path / "one.img", range(12), "cp932"),
        image(tmp_path / "two.img", range(8, 18), "utf-16-le"),
    )


def run(source, key):
    case = Path(f"{source}.case")
    result = assess.assess_source(source, AssessOptions(jobs=1), case, key=key)
    assert result.summary["people"]["best"] in (12, 10)
    return case


def test_a_person_on_two_drives_of_one_run_counts_once(two):
    key = assess.shared_key([Path(f"{one}.case") for one in two])
    cases = [run(one, key) for one in two]
    assert assess.together(cases) == {
        "sources": 2,
        "people": {"low": 18, "best": 18, "high": 18},
        "firms": {"low": 0, "best": 0, "high": 0},
    }
    assert not any(house.key_path(case).exists() for case in cases)


def test_cases_of_two_runs_are_not_counted_together(two):
    assert assess.together([run(one, None) for one in two]) is None


def test_an_unfinished_case_gives_its_key_to_the_others(tmp_path):
    key = house.new_key(tmp_path / "begun.case")
    assert assess.shared_key([tmp_path / "new.case", tmp_path / "begun.case"]) == key
    assert assess.shared_key([tmp_path / "new.case"]) != key


def test_a_slow_search_is_said_of_a_large_source_alone(tmp_path):
    large, small = tmp_path / "large", tmp_path / "small"
    for path, size in ((large, 1 << 30), (small, 1 << 20)):
        with path.open("wb") as file:
            file.truncate(size)
    said = assess.slow_search([str(small), str(large)], lambda: 2e6)
    assert said is not None
    assert "2 MB/s" in say(said, "en")
    assert "2 MB/s" in say(said, "ja")
    assert assess.slow_search([str(large)], lambda: 5e8) is None
    assert assess.slow_search([str(small)], lambda: 2e6) is None

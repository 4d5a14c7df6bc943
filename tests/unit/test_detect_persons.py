"""How many people, how many firms: ranges over keyed hashes."""

import random
from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi import detect
from hakushi.detect.persons import GAP, Range, count, parts
from hakushi.model import Strength, Text

KINDS = ["person_name", "kana_name", "address", "postal_code", "phone", "birth_date", "my_number"]


def people(places):
    return count(parts(places))[0]


def firms(places):
    return count(parts(places))[1]


def key(text):
    return blake2b(text.encode(), digest_size=8).digest()


def rows(where, records):
    """Findings of a table: a row a record, in the order of its fields."""
    at = 0
    for record in records:
        for kind, value in record:
            yield (where, at, kind, key(f"{kind} {value}"))
            at += 20


def person(number, kinds=KINDS):
    """Someone with a name that three share, a house that two share, and the rest their own."""
    shared = {"person_name": number // 3, "kana_name": number // 3, "postal_code": number % 7}
    return [(kind, shared.get(kind, number)) for kind in kinds]


@pytest.mark.parametrize(
    "kinds",
    [
        KINDS,
        KINDS[:-1],
        ["person_name", "address", "phone", "birth_date"],
        ["my_number", "person_name"],
    ],
)
def test_a_list_counts_its_people(kinds):
    found = people(rows("list", [person(n, kinds) for n in range(300)]))
    assert found.low <= 300 <= found.high
    assert found.best == 300


@pytest.mark.parametrize(
    "kinds",
    [
        ["person_name", "address"],
        ["person_name", "kana_name", "address"],
        ["person_name", "kana_name", "postal_code", "address"],
        ["person_name", "address", "phone"],
    ],
)
def test_a_list_of_names_and_addresses_counts_its_rows(kinds):
    """Two of one name live at two addresses; a reading makes no second person of a row."""
    found = [[(k, n // 2 if k == "person_name" else n) for k in kinds] for n in range(100)]
    assert people(rows("a", found)).best == 100


def test_the_same_people_in_two_files_count_once():
    one = [person(n) for n in range(100)]
    other = [person(n, ["person_name", "address", "phone", "birth_date"]) for n in range(50, 150)]
    assert people([*rows("a", one), *rows("b", other)]).best == 150


def test_equal_names_with_different_numbers_stay_apart():
    two = [[("person_name", 1), ("address", 1), ("my_number", n)] for n in range(2)]
    assert people(rows("x", two)) == Range(2, 2, 2)


def test_an_address_or_phone_alone_is_nobody():
    assert people(rows("x", [[("address", n), ("phone", n)] for n in range(9)])) == Range(0, 0, 0)


def test_a_letter_that_names_its_reader_by_the_family_name_is_no_further_person():
    full = [("person_name", "family given"), ("birth_date", 1), ("address", 1)]
    letter = [("person_name", "family"), ("phone", 3)]
    assert people([*rows("a", [full]), *rows("b", [letter])]).best == 1


def test_nothing_is_nobody():
    assert people([]) == firms([]) == Range(0, 0, 0)


def test_firms_count_by_number_and_else_by_name():
    with_number = [[("firm_name", n), ("corporate_number", n)] for n in range(10)]
    by_name = [[("firm_name", n)] for n in range(5, 12)]
    assert firms([*rows("a", with_number), *rows("b", by_name)]).best == 12


places = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 9 * GAP),
        st.sampled_from([*KINDS, "firm_name", "corporate_number"]),
        st.integers(0, 5).map(lambda n: bytes([n])),
    ),
    max_size=60,
).map(sorted)


@settings(max_examples=200)
@given(places)
def test_low_is_at_most_best_is_at_most_high(found):
    for some in (people(found), firms(found)):
        assert 0 <= some.low <= some.best <= some.high


@given(places)
def test_a_copy_of_a_file_tells_of_nobody_new(found):
    copy = [(f"copy of {where}", *rest) for where, *rest in found]
    assert people(sorted([*found, *copy])) == people(found)


def test_half_a_million_findings_are_counted():
    random.seed(3)
    found = people(rows("big", [person(n) for n in range(70_000)]))
    assert found.best == 70_000


@pytest.mark.parametrize(
    ("letter", "low", "best", "high"),
    [
        ("お問い合わせ先 課税課 担当：山田太郎 電話 045-671-2121\n", 0, 0, 1),
        ("川崎市長 福田 紀彦\n〒210-8577 川崎市川崎区宮本町1\nTEL 044-200-2111\n", 0, 0, 1),
        (
            "担当：高橋実\n\n氏名：佐藤花子\n住所：東京都港区芝1-2-3\n生年月日：1970年1月2日\n",
            1,
            1,
            2,
        ),
        ("ご担当 佐藤花子 様\n住所：東京都港区芝1-2-3\n", 1, 1, 1),
    ],
)
def test_an_office_that_tells_of_itself_tells_of_nobody(letter, low, best, high):
    found = [
        ("letter", s.start, s.kind, s.value_key)
        for s in detect.spans(Text(letter), b"key")
        if s.strength is Strength.LABELLED
    ]
    assert people(found) == Range(low, best, high)


def test_of_millions_of_places_only_what_differs_is_kept():
    """The same list in many files: memory grows with its people, not with the places."""
    import tracemalloc

    def peak(files: int) -> int:
        tracemalloc.start()
        found = people(
            place for n in range(files) for place in rows(f"file {n}", map(person, range(240)))
        )
        assert found.best == 240
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1)  # what Python keeps of a first run is no growth
    assert peak(120) < 1.5 * peak(12)

"""Frozen certificates, each with the class of its failure: for us and for other checkers."""

import json

import pytest
from tests.certificates import FOLDER, cases

from hakushi.certify import check
from hakushi.ledger.policy import Policy

EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.txt").read_text())
POLICY = Policy.parse((FOLDER / "policy").read_bytes())


@pytest.mark.parametrize("name", EXPECTED)
def test_each_fails_as_it_should(name):
    found = check((FOLDER / f"{name}.json").read_bytes(), POLICY)
    told = found.failures[0].kind.value if found.failures else "holds"
    assert told == EXPECTED[name]
    assert found.trusted is (told == "holds")


def test_the_encoding_is_frozen():
    """A change of these bytes is a new type of certificate."""
    made = {name: data for name, data, _ in cases()}
    assert set(made) == set(EXPECTED)
    for name, data in made.items():
        assert (FOLDER / f"{name}.json").read_bytes() == data, name


def test_without_a_policy_nobody_is_trusted():
    found = check((FOLDER / "good.json").read_bytes(), None)
    assert found.holds
    assert not found.trusted

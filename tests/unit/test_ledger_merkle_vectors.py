"""The probes of transparency-dev/merkle: every proof that it takes or refuses, so do we."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hakushi.ledger import merkle

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "merkle" / "testdata"


def probes(kind: str) -> list[Any]:
    return [
        pytest.param(json.loads(path.read_bytes()), id=str(path.relative_to(VECTORS / kind)))
        for path in sorted((VECTORS / kind).rglob("*.json"))
    ]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def proof(probe: dict[str, Any]) -> list[bytes]:
    return [raw(h) for h in probe["proof"] or []]


def test_none_is_left_out():
    kinds = ("inclusion", "consistency", "subtreeinclusion", "subtreeconsistency")
    assert [len(probes(kind)) for kind in kinds] == [98, 98, 204, 118]
    assert sum(1 for _ in VECTORS.rglob("*.json")) == sum(len(probes(kind)) for kind in kinds)


@pytest.mark.parametrize("probe", probes("inclusion"))
def test_inclusion(probe):
    held = merkle.inclusion_holds(
        probe["leafIdx"],
        probe["treeSize"],
        raw(probe["leafHash"]),
        proof(probe),
        raw(probe["root"]),
    )
    assert held != probe["wantErr"]


@pytest.mark.parametrize("probe", probes("consistency"))
def test_consistency(probe):
    held = merkle.consistency_holds(
        probe["size1"], probe["size2"], proof(probe), raw(probe["root1"]), raw(probe["root2"])
    )
    assert held != probe["wantErr"]


@pytest.mark.parametrize("probe", probes("subtreeinclusion"))
def test_inclusion_in_a_subtree(probe):
    root = merkle.subtree_inclusion_root(
        probe["leafIdx"], probe["start"], probe["end"], raw(probe["leafHash"]), proof(probe)
    )
    assert (root == raw(probe["root"])) != probe["wantErr"]


@pytest.mark.parametrize("probe", probes("subtreeconsistency"))
def test_consistency_of_a_subtree(probe):
    roots = (raw(probe["root1"]), raw(probe["root2"]))
    found = merkle.consistency_roots(
        probe["start"], probe["end"], probe["size"], proof(probe), roots[0]
    )
    if probe["start"] == probe["end"]:
        # Theirs takes the empty subtree as part of any tree; for us it proves nothing.
        assert found is None
    else:
        assert (found == roots) != probe["wantErr"]

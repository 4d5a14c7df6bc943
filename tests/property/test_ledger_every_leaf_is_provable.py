"""Laws of the tree: every leaf has a path, every tree begins every later one, nothing else passes."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from hakushi.ledger import merkle

SIZES = st.integers(1, 300)


def leaves(n: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % i) for i in range(n)]


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH, word by word from RFC 6962 §2.1."""
    n = len(hashes)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return hashes[0]
    k = 1
    while k * 2 < n:
        k *= 2
    left, right = by_definition(hashes[:k]), by_definition(hashes[k:])
    return sha256(b"\x01" + left + right).digest()


def node(hashes: list[bytes]) -> merkle.Node:
    return lambda h, i: by_definition(hashes[i << h : (i + 1) << h])


@given(SIZES)
def test_a_frontier_and_the_recursion_agree_with_the_definition(n):
    hashes = leaves(n)
    assert merkle.Frontier.of(hashes).root == by_definition(hashes) == merkle.root(n, node(hashes))


def test_the_empty_tree():
    assert merkle.Frontier().root == merkle.root(0, node([])) == sha256(b"").digest()


@given(SIZES, st.data())
def test_every_leaf_is_provable_in_every_later_tree(n, data):
    hashes, index = leaves(n), data.draw(st.integers(0, n - 1))
    proof = merkle.inclusion_proof(index, n, node(hashes))
    assert merkle.inclusion_holds(index, n, hashes[index], proof, by_definition(hashes))


@given(SIZES, st.data())
def test_every_tree_begins_every_later_one(n, data):
    hashes, m = leaves(n), data.draw(st.integers(1, n))
    proof = merkle.consistency_proof(m, n, node(hashes))
    roots = by_definition(hashes[:m]), by_definition(hashes)
    assert merkle.consistency_holds(m, n, proof, *roots)


@given(SIZES, st.data())
def test_no_other_index_size_leaf_or_path_passes(n, data):
    hashes, index = leaves(n), data.draw(st.integers(0, n - 1))
    root = by_definition(hashes)
    proof = list(merkle.inclusion_proof(index, n, node(hashes)))
    other = data.draw(st.integers(0, n + 3).filter(lambda i: i != index))
    assert not merkle.inclusion_holds(other, n, hashes[index], proof, root)
    assert not merkle.inclusion_holds(index, n, sha256(b"other").digest(), proof, root)
    assert not merkle.inclusion_holds(index, n, hashes[index], [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        changed = [*proof[:at], flipped, *proof[at + 1 :]]
        assert not merkle.inclusion_holds(index, n, hashes[index], changed, root)
        shorter = proof[:at] + proof[at + 1 :]
        assert not merkle.inclusion_holds(index, n, hashes[index], shorter, root)


@given(SIZES, st.data())
def test_no_changed_beginning_passes(n, data):
    hashes = leaves(n)
    m, at = data.draw(st.integers(1, n)), data.draw(st.integers(0, n - 1))
    forked = [*hashes[:at], sha256(b"other").digest(), *hashes[at + 1 :]]
    proof = merkle.consistency_proof(m, n, node(forked))
    roots = by_definition(hashes[:m]), by_definition(forked)
    assert merkle.consistency_holds(m, n, proof, *roots) == (at >= m)
    assert not merkle.consistency_holds(m, n, [*proof, roots[0]], *roots)

"""The tree of RFC 6962: hashes of leaves and nodes, growth, proofs and their verification. Pure.

Laws: every leaf is provable in every later tree, every tree is consistent with every later one,
and no other leaf, index, size, root or proof passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Self

HASH = 32
"""Bytes of a hash."""

LONGEST_PROOF = 63
"""Hashes that a proof can have, as sizes lie below 2**63."""

EMPTY = sha256().digest()
"""The root of the tree without leaves (RFC 6962 §2.1)."""

Node = Callable[[int, int], bytes]
"""``node(height, index)``: the root of the ``index``-th full subtree of ``1 << height`` leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf (RFC 6962 §2.1)."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side (RFC 6962 §2.1)."""
    return sha256(b"\1" + left + right).digest()


def root_of(peaks: Iterable[bytes]) -> bytes:
    """The root over full subtrees that stand side by side, given from right to left."""
    root = None
    for peak in peaks:
        root = peak if root is None else node_hash(peak, root)
    return EMPTY if root is None else root


class Frontier:
    """A tree that only grows, by its full subtrees alone (a compact range): O(log n) in memory."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def resumed(cls, size: int, peaks: Sequence[bytes]) -> Self:
        """A tree of that size, by the roots of its full subtrees, left to right."""
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} has {size.bit_count()} full subtrees")
        tree = cls()
        tree.size, tree._peaks = size, list(peaks)
        return tree

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Self:
        """The tree over these leaf hashes."""
        tree = cls()
        for leaf in leaves:
            tree.append(leaf)
        return tree

    def append(self, leaf: bytes) -> None:
        """Adds a leaf hash at index ``size``."""
        n = self.size
        while n & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            n >>= 1
        self._peaks.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        return root_of(reversed(self._peaks))


# --- making proofs -----------------------------------------------------------------------


def root(size: int, node: Node) -> bytes:
    """The root of the tree of that size."""
    return _span(0, size, node) if size else EMPTY


def inclusion_proof(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """The audit path of the leaf at ``index`` in the tree of that size (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_span(middle, end, node))
            end = middle
        else:
            path.append(_span(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(size1: int, size2: int, node: Node) -> tuple[bytes, ...]:
    """That the tree of ``size1`` is the beginning of the one of ``size2`` (RFC 6962 §2.1.2)."""
    if not 0 < size1 <= size2:
        raise ValueError(f"no consistency proof from {size1} to {size2}")
    path, start, end = [], 0, size2
    while size1 != end:
        middle = start + _split(end - start)
        if size1 <= middle:
            path.append(_span(middle, end, node))
            end = middle
        else:
            path.append(_span(start, middle, node))
            start = middle
    if start:
        path.append(_span(start, end, node))
    return tuple(reversed(path))


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _span(start: int, end: int, node: Node) -> bytes:
    """The root over ``[start, end)``, which RFC 6962's recursion cut out of a tree."""
    peaks = []
    while start < end:
        height = (end - start).bit_length() - 1
        peaks.append(node(height, start >> height))
        start += 1 << height
    return root_of(reversed(peaks))


# --- verifying proofs --------------------------------------------------------------------


def inclusion_root(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to, or None where it has not the shape of one."""
    if not 0 <= index < size or len(leaf) != HASH or any(len(h) != HASH for h in proof):
        return None
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return None
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return None if last else found


def inclusion_holds(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the leaf hash is at ``index`` of the tree with that size and root."""
    return inclusion_root(index, size, leaf, proof) == root


def subtree_inclusion_root(
    index: int, start: int, end: int, leaf: bytes, proof: Sequence[bytes]
) -> bytes | None:
    """As `inclusion_root`, of the subtree ``[start, end)`` that holds the leaf at ``index``."""
    if not _is_subtree(start, end):
        return None
    return inclusion_root(index - start, end - start, leaf, proof)


def consistency_holds(
    size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes
) -> bool:
    """Whether the second tree begins with the first.

    False from size 0: the empty tree begins every tree, so that nothing is proven.
    """
    return consistency_roots(0, size1, size2, proof, root1) == (root1, root2)


def consistency_roots(
    start: int, end: int, size: int, proof: Sequence[bytes], claimed: bytes
) -> tuple[bytes, bytes] | None:
    """The roots of the subtree ``[start, end)`` and of the whole tree that a proof leads to.

    ``start`` is 0 for two trees (RFC 6962 §2.1.2); the subtrees in between are those of
    draft-ietf-plants-merkle-tree-certs §4. ``claimed``, the subtree's root, is where a proof
    starts from that does not name it. None where the proof has not the right shape.
    """
    if not _is_subtree(start, end) or end > size:
        return None
    if any(len(h) != HASH for h in proof):
        return None
    first, last, whole = start, end - 1, size - 1
    # Climb while the subtree's right edge stays its own: that part needs no proof.
    while first != last and (last == whole or last & 1):
        first, last, whole = first >> 1, last >> 1, whole >> 1
    rest = list(proof)
    if first == last:
        sub = full = claimed
    elif rest:
        sub = full = rest.pop(0)
    else:
        return None
    for sibling in rest:
        if not whole:
            return None
        if last & 1 or last == whole:
            if first < last:
                sub = node_hash(sibling, sub)
            full = node_hash(sibling, full)
            while not last & 1 and last:
                first, last, whole = first >> 1, last >> 1, whole >> 1
        else:
            full = node_hash(full, sibling)
        first, last, whole = first >> 1, last >> 1, whole >> 1
    return None if whole else (sub, full)


def _is_subtree(start: int, end: int) -> bool:
    """Not empty, and aligned to its width rounded up to a power of two."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0

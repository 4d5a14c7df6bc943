"""How much to look at, and how sure that makes us.

N blocks, of which k hold residue; n drawn uniformly without replacement: all miss with the chance
C(N-k, n) / C(N, n). A sample says "expected or other" of each block and never makes a drive clean.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Refused, message

BLOCK = 4096
"""Bytes of one sampled block."""

_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True, slots=True)
class Bound:
    """``residue`` bytes or more would be hit with a chance of at least ``confidence``."""

    residue: int
    confidence: float


def parse(text: str) -> Bound:
    """``100MiB@99%`` and the like. Refused where it is not of that form."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?@(\d+(?:\.\d+)?)%", text.strip())
    if match:
        scale = _UNITS[match[2]]
        if match[3] == "B" and match[2]:
            scale = 1000 ** "KMGT".index(match[2]) * 1000
        residue, confidence = int(float(match[1]) * scale), float(match[4]) / 100
        if residue >= BLOCK and 0 < confidence < 1:
            return Bound(residue, confidence)
    raise Refused(
        message("{text} is no bound for a sample; write it like 100MiB@99%.", text=text[:40])
    )


def miss(blocks: int, residual: int, drawn: int) -> float:
    """The chance that ``drawn`` of ``blocks`` hit none of ``residual``."""
    if residual <= 0:
        return 1.0
    if drawn > blocks - residual:
        return 0.0

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    # By the smaller of the two draws: lgamma of near-equal huge numbers cancels badly.
    few, many = sorted((residual, drawn))
    if few < 1_000_000:
        return math.exp(sum(math.log1p(-many / (blocks - i)) for i in range(few)))
    return math.exp(log_choose(blocks - residual, drawn) - log_choose(blocks, drawn))


def drawn(size: int, bound: Bound) -> int:
    """How many blocks to draw of a medium of ``size`` bytes so that the bound holds."""
    blocks = -(-size // BLOCK)
    # Contiguous residue that starts inside a block fills one block less.
    residual = max(1, min(bound.residue // BLOCK, blocks))
    low, high = 1, blocks
    while low < high:
        middle = (low + high) // 2
        if miss(blocks, residual, middle) <= 1 - bound.confidence:
            high = middle
        else:
            low = middle + 1
    return low


def offsets(size: int, number: int, seed: int) -> Iterator[int]:
    """Where the blocks lie, in ascending order: one forward sweep."""
    blocks = -(-size // BLOCK)
    picks = random.Random(seed).sample(range(blocks), min(number, blocks))  # noqa: S311
    return (block * BLOCK for block in sorted(picks))

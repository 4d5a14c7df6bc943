"""Findings as they travel and lie in a case: packed column by column, a place's many in one piece.

A list of people has half a million of them: none becomes an object or a row of its own.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hakushi.detect.found import Found, Place
from hakushi.model import Finding, Locator, Malformed, light

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_HEAD = struct.Struct("<4sIIII")
_MAGIC = b"HKF1"
_HEADS = 16
"""Bytes of a key that tell values apart."""


@light
@dataclass(frozen=True, slots=True)
class Pack:
    """Findings of one place, packed; ``where`` is its locator, as the case's tables hold it.

    Their offsets lie between ``first`` and ``last``. Law: equal findings give equal packs.
    """

    where: str
    first: int
    last: int
    body: bytes

    @property
    def id(self) -> bytes:
        return hashlib.blake2b(self.body, digest_size=16).digest()


def pack(where: str, places: Sequence[Place]) -> Pack:
    """Packs findings of one place, of which there is one at least."""
    import numpy as np

    every = sorted(set(places)) if _mixed(places) else places
    offsets, lengths, kinds, strengths, masked, keys = zip(*every, strict=True)
    names = {name: i for i, name in enumerate(sorted(set(zip(kinds, strengths, strict=True))))}
    codes = bytes([names[name] for name in zip(kinds, strengths, strict=True)])
    words = "\n".join(" ".join(name) for name in names).encode()
    shown = "\0".join(masked).encode("utf-8", "replace")
    sizes, values = bytes(map(len, keys)), b"".join(keys)
    body = b"".join(
        (
            _HEAD.pack(_MAGIC, len(every), len(words), len(values), len(shown)),
            np.array(offsets, "<i8").tobytes(),
            np.array(lengths, "<i8").tobytes(),
            codes,
            sizes,
            words,
            values,
            shown,
        )
    )
    return Pack(where, offsets[0], offsets[-1], body)


def _mixed(places: Sequence[Place]) -> bool:
    """Are some not behind the one before?"""
    last = -1
    for place in places:
        if place[0] <= last:
            return True
        last = place[0]
    return False


def places_of(findings: Iterable[Finding]) -> dict[Locator, list[Place]]:
    """Findings that are objects as tuples, by place."""
    out: dict[Locator, list[Place]] = {}
    for one in findings:
        where, masked = one.extent, one.masked.replace("\0", " ")
        out.setdefault(one.locator, []).append(
            (where.offset, where.length, one.kind, one.strength._value_, masked, one.key)
        )
    return out


@dataclass(frozen=True, slots=True)
class Columns:
    """The findings of one place, or a part of them, in order of offset: a column each.

    ``codes`` are places in ``names``: kinds with strengths.
    """

    where: str
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint8]
    names: list[tuple[str, str]]
    key_bytes: bytes
    """The keys, one behind the other."""
    key_sizes: bytes
    """How long each of them is."""
    shown: bytes
    """What may be shown of each, zeros between them."""

    @property
    def keys(self) -> list[bytes]:
        values, sizes = self.key_bytes, self.key_sizes
        ends = list(accumulate(sizes))
        return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]

    def heads(self) -> npt.NDArray[np.uint64]:
        """The first 16 bytes of each key as two words, zeros behind shorter ones."""
        import numpy as np

        values = np.frombuffer(self.key_bytes, np.uint8)
        sizes = np.frombuffer(self.key_sizes, np.uint8)
        if len(values) == len(sizes) * _HEADS and (sizes == _HEADS).all():
            return values.view(np.uint64).reshape(-1, 2)
        out = np.zeros((len(sizes), _HEADS), np.uint8)
        ends = np.cumsum(sizes, dtype=np.int64)
        starts = ends - sizes
        for i in range(_HEADS):
            there = sizes > i
            out[there, i] = values[starts[there] + i]
        return out.view(np.uint64)

    def places(self) -> Iterator[Place]:
        names = [self.names[code] for code in self.codes.tolist()]
        shown = self.shown.decode("utf-8", "replace").split("\0")
        columns = (self.offsets.tolist(), self.lengths.tolist(), names, shown, self.keys)
        for offset, length, (kind, strength), masked, key in zip(*columns, strict=True):
            yield offset, length, kind, strength, masked, key

    def fresh(self) -> npt.NDArray[np.bool_]:
        """Which are not in the same bytes, and of the same name, as the one before."""
        import numpy as np

        again = np.ones(len(self.codes), bool)
        again[0] = False
        for column in (self.offsets, self.lengths, self.codes):
            again[1:] &= column[1:] == column[:-1]
        fresh: npt.NDArray[np.bool_] = ~again
        return fresh

    def values(self, which: npt.NDArray[np.int64]) -> Iterator[tuple[str, bytes]]:
        """Kind and key of some."""
        import numpy as np

        sizes = np.frombuffer(self.key_sizes, np.uint8)
        ends = np.cumsum(sizes, dtype=np.int64)[which]
        columns = (self.codes[which].tolist(), ends.tolist(), sizes[which].tolist())
        for code, end, size in zip(*columns, strict=True):
            yield self.names[code][0], self.key_bytes[end - size : end]

    def findings(self, locator: Locator) -> Iterator[Finding]:
        """The same as objects."""
        return iter(Found(locator, list(self.places())))


def unpack(where: str, body: bytes) -> Columns:
    """What `pack` packed. Malformed where it is not."""
    import numpy as np

    torn = Malformed("findings of a case file are torn")
    if len(body) < _HEAD.size:
        raise torn
    magic, count, words, values, shown = _HEAD.unpack_from(body)
    at = _HEAD.size
    if magic != _MAGIC or not count or len(body) != at + 18 * count + words + values + shown:
        raise torn
    offsets = np.frombuffer(body, "<i8", count, at)
    lengths = np.frombuffer(body, "<i8", count, at + 8 * count)
    codes_at = at + 16 * count
    codes = np.frombuffer(body, np.uint8, count, codes_at)
    sizes = body[at + 17 * count : at + 18 * count]
    at += 18 * count
    names = [_name(one) for one in body[at : at + words].decode("utf-8", "replace").split("\n")]
    at += words
    masked = body[at + values :]
    fits = sum(sizes) == values and masked.count(b"\0") == count - 1
    if not fits or max(body[codes_at : codes_at + count]) >= len(names):
        raise torn
    return Columns(where, offsets, lengths, codes, names, body[at : at + values], sizes, masked)


def _name(line: str) -> tuple[str, str]:
    kind, _, strength = line.partition(" ")
    return kind, strength


def once(packs: Iterable[tuple[str, int, int, bytes]]) -> Iterator[Columns]:
    """Packs in order of place and first offset as columns: each finding once, in order.

    Packs of one place that reach into each other become one.
    """
    where, last = "", -1
    group: list[bytes] = []
    for name, first, end, body in packs:
        if group and (name != where or first > last):
            yield _joined(where, group)
            group, last = [], -1
        where, last = name, max(last, end)
        group.append(body)
    if group:
        yield _joined(where, group)


def _joined(where: str, bodies: list[bytes]) -> Columns:
    if len(bodies) == 1:
        return unpack(where, bodies[0])
    every = {place for body in bodies for place in unpack(where, body).places()}
    return unpack(where, pack(where, sorted(every)).body)

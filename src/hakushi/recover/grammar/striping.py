"""Where a byte of an array lies on its members, and what gives it back where one is missing.

After the kernel's raid0.c, raid5.c and raid10.c. A layout is a function of an offset: pure numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hakushi.model import Malformed


@dataclass(frozen=True, slots=True)
class Spot:
    """``length`` bytes of the array from one offset on.

    ``copies``: (member, offset) that hold them. ``parity``: (member, offset) whose exclusive or is
    them; empty where there is none.
    """

    length: int
    copies: tuple[tuple[int, int], ...]
    parity: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    size: int
    spot: Callable[[int], Spot]


def linear(sizes: Sequence[int]) -> Layout:
    """One member after the other."""
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)

    def spot(at: int) -> Spot:
        for member, (start, end) in enumerate(pairwise(ends)):
            if at < end:
                return Spot(end - at, ((member, at - start),))
        raise Malformed("past the end of the array")

    return Layout(ends[-1], spot)


def mirror(members: int, size: int) -> Layout:
    return Layout(size, lambda at: Spot(size - at, tuple((m, at) for m in range(members))))


def striped(sizes: Sequence[int], chunk: int, original: bool = False) -> Layout:
    """RAID 0. Members of several sizes make zones; ``original`` is how kernels before 3.14 dealt
    the chunks of the later ones.
    """
    _chunked(chunk)
    sizes = [size - size % chunk for size in sizes]
    zones: list[tuple[int, int, int, tuple[int, ...]]] = []
    start = low = 0
    for level in sorted(set(sizes)):
        inside = tuple(m for m, size in enumerate(sizes) if size >= level)
        if level > low:
            end = start + (level - low) * len(inside)
            zones.append((start, end, low, inside))
            start, low = end, level

    def spot(at: int) -> Spot:
        for begin, end, below, inside in zones:
            if at < end:
                number, into = divmod(at - begin, chunk)
                turn = at // chunk if original else number
                member = inside[turn % len(inside)]
                return Spot(chunk - into, ((member, below + number // len(inside) * chunk + into),))
        raise Malformed("past the end of the array")

    return Layout(start, spot)


def parity(members: int, size: int, chunk: int, level: int, layout: int) -> Layout:
    """RAID 4, 5 and 6. ``size``: bytes used of each member."""
    _chunked(chunk)
    place = _parity_place(members, level, layout)
    count = members - (2 if level == 6 else 1)
    if count < 1:
        raise Malformed("too few members for this level")
    size -= size % chunk

    def spot(at: int) -> Spot:
        number, into = divmod(at, chunk)
        stripe, data = divmod(number, count)
        member, second = place(stripe, data)
        low = stripe * chunk + into
        rest = tuple((m, low) for m in range(members) if m not in {member, second})
        return Spot(chunk - into, ((member, low),), rest)

    return Layout(size * count, spot)


def _parity_place(
    members: int, level: int, layout: int
) -> Callable[[int, int], tuple[int, int | None]]:
    """(stripe, number of the data chunk) -> (its member, the member of the second parity)."""
    if level == 4:
        layout = 5
    if level == 6 and 16 <= layout <= 20:
        inner = _parity_place(members - 1, 5, layout - 16)
        return lambda stripe, data: (inner(stripe, data)[0], members - 1)
    if not 0 <= layout <= 5:
        raise Malformed(f"layout {layout} of RAID {level} is not read")
    two = level == 6

    def place(stripe: int, data: int) -> tuple[int, int | None]:
        left = layout in {0, 2}
        if layout == 4:
            first = 0
        elif layout == 5:
            first = members - 2 if two else members - 1
        else:
            first = stripe % members
            first = members - 1 - first if left else first
        second = (first + 1) % members if two else None
        taken = {first, second}
        if layout in {2, 3}:
            return (first + (2 if two else 1) + data) % members, second
        return [m for m in range(members) if m not in taken][data], second

    return place


def raid10(members: int, size: int, chunk: int, layout: int) -> Layout:
    """RAID 10: near, far and offset copies."""
    _chunked(chunk)
    near, far, offset = layout & 255, layout >> 8 & 255, bool(layout & 1 << 16)
    if not (0 < near <= members and 0 < far <= members and near * far <= members) or layout >> 19:
        raise Malformed(f"layout {layout:#x} of RAID 10 is not read")
    sets = {0: members, 1: members // far, 2: far * near}.get(layout >> 17)
    if not sets:
        raise Malformed(f"layout {layout:#x} of RAID 10 is not read")
    last = (members // sets - 1) * sets
    chunks = size // chunk // far * members // near
    used = -(-(chunks * near * far) // members)
    stride = chunk if offset else used // far * chunk

    def next_set(member: int) -> int:
        group = member // sets
        member += near
        if members % sets and member > last:
            return (member - last) % (sets + members % sets) + last
        return member % sets + sets * group

    def spot(at: int) -> Spot:
        number, into = divmod(at, chunk)
        stripe, member = divmod(number * near, members)
        low = stripe * (far if offset else 1) * chunk + into
        copies = []
        for _ in range(near):
            other, where = member, low
            copies.append((other, where))
            for _ in range(1, far):
                other, where = next_set(other), where + stride
                copies.append((other, where))
            member += 1
            if member >= members:
                member, low = 0, low + chunk
        return Spot(chunk - into, tuple(copies))

    return Layout(chunks * chunk, spot)


def _chunked(chunk: int) -> None:
    if not 512 <= chunk <= 1 << 31 or chunk % 512:
        raise Malformed("an impossible chunk size")

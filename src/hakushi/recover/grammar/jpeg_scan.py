"""Decodes the Huffman codes of a JPEG scan (ITU-T T.81, annexes F and G), lengths only.

Nothing is drawn: a scan is sound where its codes exist, its blocks do not overflow, and the last
one ends right before the next marker. Bytes of another file in the middle do not pass that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hakushi.model import Malformed

SOUND, BROKEN, CUT = 0, 1, 2
"""How a scan ended: whole; against the code; because the bytes ended."""

_FEWEST = 8
"""MCUs on both sides of a place that tell anything of it."""

_MOST_DRAWN, _FURTHER = 4 << 20, 64 << 10
"""MCUs whose levels are kept, of two bits at least each; and bytes with which a scan goes on."""

_SOON = 6144
"""Bytes within which codes that belong to another picture may break."""

_EVEN = 2
"""Differences of levels that an even surface has, too."""

_WIDTH = 65536 + 512
"""Entries of a table: one for each 16 bits, then one for each 9 bits that hold a whole code."""

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def _ceil(value: int, unit: int) -> int:
    return -(-value // unit)


@dataclass(slots=True)
class Component:
    """Sampling factors of a component, and where its blocks lie."""

    h: int
    v: int
    offset: int = 0
    """Where its blocks start in the history of coefficients."""
    blocks: tuple[int, int] = (0, 0)
    """Blocks across and down that a scan of it alone holds."""


@dataclass(slots=True)
class Frame:
    """What SOF says, and what scans so far have left."""

    width: int
    height: int
    progressive: bool
    components: dict[int, Component]
    mcus: tuple[int, int] = (0, 0)
    masks: npt.NDArray[np.uint64] | None = None
    """For each block which coefficients are not zero, as refinement scans must know."""
    total: int = 0
    """Blocks of all components, padded to whole MCUs."""

    def __post_init__(self) -> None:
        high_h = max(c.h for c in self.components.values())
        high_v = max(c.v for c in self.components.values())
        self.mcus = _ceil(self.width, 8 * high_h), _ceil(self.height, 8 * high_v)
        at = 0
        for one in self.components.values():
            across = _ceil(_ceil(self.width * one.h, high_h), 8)
            down = _ceil(_ceil(self.height * one.v, high_v), 8)
            one.offset, one.blocks = at, (across, down)
            at += self.mcus[0] * one.h * self.mcus[1] * one.v
        self.total = at


@dataclass(frozen=True, slots=True)
class Decoded:
    """``how`` a scan ended, ``sound``: the offset in its bytes up to which it was sound, and how
    far ``apart`` what meets at each of the places asked for is (`_Scan.apart`).
    """

    how: int
    sound: int
    apart: list[float]
    goes_on: Callable[[bytes, bool], float]
    """`_Scan.goes_on`."""


@lru_cache(maxsize=64)
def table(kind: int, counts: bytes, values: bytes) -> npt.NDArray[np.uint16]:
    """What the bits ahead begin with: bits of the code and of what belongs to it, its value.

    ``kind``: 0 DC, where the value is how many bits follow; 1 AC, where its low half is.
    """
    import numpy as np

    entries, widths = [], []
    at = 0
    for length, count in enumerate(counts, 1):
        for value in values[at : at + count]:
            more = value & 15 if kind else value
            entries.append((length + more) << 8 | value if more <= 16 else 0)
            widths.append(1 << 16 - length)
        at += count
    out = np.zeros(_WIDTH, np.uint16)
    found = np.repeat(np.array(entries, np.uint16), widths)
    out[: len(found)] = found
    short = np.repeat(np.array(widths, np.int64) >= 128, widths)
    out[65536 : 65536 + len(found[::128])] = np.where(short[::128], found[::128], 0)
    return out


def decode(
    frame: Frame,
    known: Mapping[int, npt.NDArray[np.uint16]],
    header: bytes,
    interval: int,
    data: bytes,
    places: Sequence[int] = (),
) -> Decoded:
    """What a scan comes to, and how to go on with it.

    ``known``: Huffman tables by class and number (0x00 DC 0 … 0x13 AC 3).
    ``header``: the SOS segment behind its length. ``data``: the entropy-coded bytes and restart
    markers, up to the next other marker or as far as the source goes. ``places``: where in it
    pieces may meet. Raises Malformed for a header that names what is not there.
    """
    import numpy as np

    count = header[0]
    ss, se, ah = (*header[-3:-1], header[-1] >> 4) if frame.progressive else (0, 63, 0)
    if se > 63 or ss > se or (ss and count != 1) or (frame.progressive and not ss and se):
        raise Malformed("scan header")
    if (
        count > 1
        and sum(frame.components[id].h * frame.components[id].v for id in header[1:-3:2]) > 10
    ):
        # B.2.3; the kernel's filling is made for it.
        raise Malformed("too many blocks in an MCU")
    parts, tables = [], []
    for id, numbers in zip(header[1:-3:2], header[2:-3:2], strict=True):
        one = frame.components[id]
        parts.append((one.h, one.v, one.offset, *one.blocks))
        for key, needed in ((numbers >> 4, not ss and not ah), (0x10 | numbers & 15, se > 0)):
            if needed and key not in known:
                raise Malformed("a Huffman table is missing")
            tables.append(known[key] if needed else np.zeros(_WIDTH, np.uint16))
    if frame.progressive and frame.masks is None:
        frame.masks = np.zeros(frame.total, np.uint64)
    masks = np.zeros(1, np.uint64) if frame.masks is None else frame.masks
    how = np.array([*frame.mcus, interval, frame.progressive, ss, se, ah], np.int64)
    scan = _Scan(data, np.stack(tables), np.array(parts, np.int64), how)
    ended, sound = scan.decode(masks)
    return Decoded(ended, sound, [scan.apart(place) for place in places], scan.goes_on)


class _Scan:
    """One scan, ready for the kernel. Goes on where an equal beginning was decoded just before.

    Whoever puts a picture together out of pieces asks again and again for the same beginning.
    """

    _before: _Scan | None = None

    def __init__(
        self,
        data: bytes,
        luts: npt.NDArray[np.uint16],
        parts: npt.NDArray[np.int64],
        how: npt.NDArray[np.int64],
        since: tuple[npt.NDArray[np.int64], _Scan] | None = None,
    ) -> None:
        """``since``: where it goes on, a mark whose place is in ``data``, and the scan before."""
        import numpy as np

        from hakushi.recover.grammar.jpeg_kernel import unstuff

        self._data, self._luts, self._parts, self._how = data, luts, parts, how
        most = data.count(b"\xff") + 1
        ends, self._origin = np.zeros(most, np.int64), np.zeros(most, np.int64)
        # One bits stand behind the end, as filling does (F.1.2.3); a block reads at most so far.
        self._clean = np.full(len(data) + 4096, 0xFF, np.uint8)
        count = unstuff(np.frombuffer(data, np.uint8), self._clean, ends, self._origin)
        self._ends = ends[:count]
        self._clean[ends[count - 1] :] = 0xFF
        self._marks = np.full((len(self._clean) // 4096 + 2, 3 + len(parts)), -1, np.int64)
        self._marks[0] = 0
        if since is None:
            total = int(how[0] * how[1] if len(parts) > 1 else parts[0, 3] * parts[0, 4])
            room = 0 if how[3] else min(total, _MOST_DRAWN, 4 * (len(data) + _FURTHER))
            self._drawn = np.zeros((room, len(parts)), np.int32)
            self._places = np.zeros(room, np.int64)
        else:
            # What was drawn before the mark stays; what follows it is drawn anew by each.
            self._marks[0] = since[0]
            self._drawn, self._places = since[1]._drawn, since[1]._shared()
        self._count = 0
        self._places_before: npt.NDArray[np.int64] | None = None
        self._tail: tuple[npt.NDArray[np.int64], int] | None = None

    def decode(self, masks: npt.NDArray[np.uint64]) -> tuple[int, int]:
        """(how it ended, offset in the data up to which it was sound)."""
        first = 0
        if not self._how[3]:
            # A progressive scan depends on those before it as well.
            first, _Scan._before = self._resumed(_Scan._before), self
        return self._run(masks, first)

    def _run(self, masks: npt.NDArray[np.uint64], first: int) -> tuple[int, int]:
        """`decode`, from one of the marks on."""
        from hakushi.recover.grammar.jpeg_kernel import scan

        ended, at, count = scan(
            self._clean,
            self._ends,
            self._luts,
            self._parts,
            self._how,
            masks,
            self._marks,
            first,
            self._drawn,
            self._places,
        )
        self._count = int(count)
        return int(ended), self._back(int(at))

    def goes_on(self, data: bytes, ended: bool) -> float:
        """How badly a sequential scan that was cut goes on with ``data``: as `apart`, infinite
        where its codes break soon, 0 where it ends as it must. ``ended``: a marker follows them.
        """
        import numpy as np

        if self._tail is None:
            known = self._marks[self._marks[:, 0] >= 0][-1].copy()
            begin = self._back(int(known[1]) >> 3)
            known[1:3] = known[1] & 7, 0
            self._tail = known, begin
        mark, begin = self._tail
        kept = self._data[begin:]
        one = _Scan(kept + data, self._luts, self._parts, self._how, (mark, self))
        how, sound = one._run(np.zeros(1, np.uint64), 0)
        if how == SOUND:
            return 0.0
        if (how == BROKEN or ended) and sound < len(kept) + _SOON:
            return math.inf
        return one.apart(len(kept))

    def _shared(self) -> npt.NDArray[np.int64]:
        """Places for those that go on with it: nothing before the mark lies behind it."""
        import numpy as np

        if self._places_before is None:
            self._places_before = np.full(len(self._places), -1, np.int64)
        return self._places_before

    def apart(self, place: int) -> float:
        """How badly the picture goes on from a place in the data on, 1 as well as right before it.

        Bytes of another picture decode as well as its own, but their levels do not follow those of
        the row above. Compares a row's width of them, before and behind the place, with that row.
        """
        import numpy as np

        across = int(self._how[0] if len(self._parts) > 1 else self._parts[0, 3])
        here = int(np.searchsorted(self._places[: self._count], self._forth(place)))
        behind = self._drawn[here : min(here + across, self._count)]
        if here < across + _FEWEST or len(behind) < _FEWEST:
            return 1.0
        before = self._drawn[max(across, here - across) : here]
        unlike = [
            float(np.abs(levels - self._drawn[at - across : at - across + len(levels)]).sum())
            / len(levels)
            for levels, at in ((behind, here), (before, here - len(before)))
        ]
        even = _EVEN * len(self._parts)
        return (unlike[0] + even) / (unlike[1] + even)

    def _forth(self, place: int) -> int:
        """A place in the data as one in the clean bytes."""
        import numpy as np

        index = max(0, int(np.searchsorted(self._origin[: len(self._ends)], place, "right")) - 1)
        begin = int(self._origin[index])
        start = int(self._ends[index - 1]) if index else 0
        return start + place - begin - self._data.count(b"\xff\0", begin, place)

    def _resumed(self, before: _Scan | None) -> int:
        """The last mark of ``before`` up to which both are the same; takes its marks over."""
        import numpy as np

        if (
            before is None
            or not np.array_equal(before._parts, self._parts)
            or not np.array_equal(before._how, self._how)
            or not np.array_equal(before._luts, self._luts)
        ):
            return 0
        length = min(len(before._clean), len(self._clean)) - 4096
        differ = np.flatnonzero(before._clean[:length] != self._clean[:length])
        same = int(differ[0]) if len(differ) else length
        ends = min(len(before._ends), len(self._ends))
        odd = np.flatnonzero(before._ends[:ends] != self._ends[:ends])
        if len(odd):
            same = min(same, int(before._ends[odd[0]]), int(self._ends[odd[0]]))
        # What stands right before the end may have been read as filling.
        marks = max(0, same // 4096 - 1)
        self._marks[:marks] = before._marks[:marks]
        known = np.flatnonzero(self._marks[:, 0] >= 0)
        last = int(known[-1])
        units = min(int(self._marks[last, 0]), len(before._places), len(self._places))
        self._drawn[:units] = before._drawn[:units]
        self._places[:units] = before._places[:units]
        return last

    def _back(self, at: int) -> int:
        """A place in the clean bytes as one in the data: as far, and the stuffing before it."""
        import numpy as np

        last = len(self._ends) - 1
        index = min(last, int(np.searchsorted(self._ends, at, side="left")))
        start = int(self._ends[index - 1]) if index else 0
        plain = self._clean[start : min(at, int(self._ends[index]))]
        return int(self._origin[index]) + len(plain) + int(np.count_nonzero(plain == 0xFF))


def warm() -> None:
    """Compiles the kernel, so that the first picture does not wait for it."""
    one = table(0, b"\1" + bytes(15), b"\0")
    frame = Frame(8, 8, progressive=False, components={1: Component(1, 1)})
    decode(frame, {0: one, 0x10: one}, b"\1\1\0\0\x3f\0", 0, b"\x3f")

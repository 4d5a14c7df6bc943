"""What kind of block is this: zero, constant, random-like, structured.

Every 512-byte sector is judged on its own, so that one plain sector among random ones is seen.
A sector is

- zero, or constant: a fill whose period is at most 8 bytes;
- random-like: the sum of the squares of its 256 byte counts lies where uniform random bytes put it
  (a chi-square of 255 degrees of freedom; outside with a chance below 1e-13 a sector), and it has
  no run of 39 or more printable ASCII characters. Compressed and encrypted bytes look so as well;
- structured: anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hakushi.model import CLASSES, SECTOR, Class

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ZERO, CONSTANT, RANDOM, STRUCTURED, UNREAD = (
    CLASSES.index(c)
    for c in (Class.ZERO, Class.CONSTANT, Class.RANDOM, Class.STRUCTURED, Class.UNREAD)
)


def classify(data: bytes) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    """The class index (into `CLASSES`) of each sector, and the histogram of random-like ones.

    A last sector that is cut short is zero or constant by its own bytes; else it is judged together
    with the bytes before it, as no statistic holds for a handful.
    """
    import numpy as np

    from hakushi.assess import kernel

    whole = len(data) // SECTOR
    classes = np.zeros(-(-len(data) // SECTOR), np.uint8)
    histogram = np.zeros(256, np.uint64)
    kernel.classify(np.frombuffer(data, np.uint8, whole * SECTOR), classes[:whole], histogram)
    tail = data[whole * SECTOR :]
    if tail:
        classes[-1] = _tail_class(data, tail)
    return classes, histogram


def _tail_class(data: bytes, tail: bytes) -> int:
    import numpy as np

    from hakushi.assess import kernel

    if not tail.strip(b"\0"):
        return ZERO
    for period in range(1, min(kernel.LONGEST_PERIOD, len(tail) // 4) + 1):
        if tail[period:] == tail[:-period]:
            return CONSTANT
    if len(data) < SECTOR:
        return STRUCTURED
    last = np.zeros(1, np.uint8)
    window = np.frombuffer(data[-SECTOR:], np.uint8)
    kernel.classify(window, last, np.zeros(256, np.uint64))
    return int(last[0])


def runs(classes: npt.NDArray[np.uint8]) -> tuple[tuple[int, int], ...]:
    """Run-length form: (class index, sectors)."""
    import numpy as np

    if not len(classes):
        return ()
    edges = np.flatnonzero(np.diff(classes)) + 1
    starts = np.concatenate(([0], edges))
    lengths = np.diff(np.concatenate((starts, [len(classes)])))
    return tuple(
        zip(classes[starts].astype(int).tolist(), lengths.astype(int).tolist(), strict=True)
    )


def uniform(histogram: npt.NDArray[np.uint64]) -> bool:
    """Whether bytes with these 256 counts could be uniform random ones (chance below 1e-12 if not).

    Compressed formats pass sector by sector, but not over megabytes.
    """
    total = float(histogram.sum())
    if total < 256 * 16:
        return True
    expected = total / 256
    square = float(((histogram.astype("float64") - expected) ** 2).sum() / expected)
    # Wilson-Hilferty: the cube root of chi-square / df is close to normal.
    z = ((square / 255) ** (1 / 3) - (1 - 2 / (9 * 255))) / (2 / (9 * 255)) ** 0.5
    return bool(abs(z) < 7)

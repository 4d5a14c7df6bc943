"""Goes over a whole drive in order, with a few threads: writing a fill, and reading it back.

What fails is tried again in smaller pieces down to a sector, and what still fails is listed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from hakushi.media.device import Device, Reader
from hakushi.media.linux import buffer
from hakushi.model import Extent, Extents, Refused, Unreadable
from hakushi.sanitize import Journal, Progress
from hakushi.sanitize.fill import Fill
from hakushi.sanitize.techniques import _zones

CHUNK = 4 << 20
WORKERS = 2
_DEPTH = 4
"""Chunks under way at once."""
REWRITTEN = 64 << 20
"""At most so much is written again after a kill."""
_STRIDE = REWRITTEN - _DEPTH * CHUNK
"""Bytes between two flushes."""
SLOW = 1.0
"""Seconds for a chunk: less than 4 MB/s, which no healthy drive falls to while it is read."""
_PIECES = 16
_HOPELESS = 8
"""After so many chunks of which nothing could be written or read, the drive is given up."""
_MOST_RUNS = 10_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a read-back found. Bytes in neither set are what was written."""

    differing: Extents
    unreadable: Extents
    slow: int = 0
    """Chunks that took longer than `SLOW` seconds to read."""
    slowest: float = 0.0


def write(
    device: Device, journal: Journal, number: int, fill: Fill
) -> Generator[Progress, None, str]:
    """Writes the fill from where the journal stands to the end, journaling after each flush.

    What could not be written is in the journal's ``failed``. Gives why it stopped early, or "".
    """
    if zones := device.zones():
        told = (device, journal, number, fill, zones)
        return (yield from _zones.write(*told, chunk=CHUNK, stride=_STRIDE))
    size, kept, fresh, hopeless = device.size, journal.done.to, Extents(), 0

    def one(extent: Extent) -> tuple[list[Extent], str]:
        return _put(device, extent, fill.render(extent.offset, extent.length))

    def room(extent: Extent) -> bool:
        return extent.end - kept <= REWRITTEN

    with closing(_in_order(one, _chunks(kept, size), room)) as chunks:
        for extent, (failed, why) in chunks:
            fresh |= Extents(failed)
            hopeless = hopeless + 1 if failed == [extent] else 0
            if failed and (hopeless >= _HOPELESS or not _answers(device)):
                journal.wrote(
                    number, size, fresh | Extents([Extent(extent.offset, size - extent.offset)])
                )
                return why
            if extent.end - kept >= _STRIDE or extent.end == size:
                try:
                    device.flush()
                except OSError as error:
                    journal.wrote(number, size, Extents([Extent(kept, size - kept)]))
                    return error.strerror or "the flush failed"
                journal.wrote(number, extent.end, _coarse(fresh, size))
                kept, fresh = extent.end, Extents()
            yield Progress(fill.writing, extent.end, size)
    return ""


def read_back(
    reader: Reader, unit: int, fill: Fill, parts: Sequence[Extent] | None = None
) -> Generator[Progress, None, Seen]:
    """Reads everything, or these parts in order, through a fresh handle and compares it with the
    fill.
    """
    size, hopeless = reader.size, 0
    whole = parts is None
    todo = list(parts or ()) or [Extent(0, size)]
    total, done = sum(part.length for part in todo), 0
    differing, unreadable = Extents(), Extents()
    slow, slowest = 0, 0.0
    own = threading.local()

    def one(extent: Extent) -> tuple[list[Extent], list[Extent], float]:
        if not hasattr(own, "view"):
            own.view = memoryview(buffer(CHUNK))
        began = time.monotonic()
        found = _check(reader, extent, own.view[: extent.length], fill, unit)
        return (*found, time.monotonic() - began)

    pieces = (chunk for part in todo for chunk in _chunks(part.offset, part.end))
    with closing(_in_order(one, pieces, lambda _: True)) as chunks:
        for extent, (wrong, lost, took) in chunks:
            slow, slowest = slow + (took > SLOW), max(slowest, took)
            done += extent.length
            differing = _coarse(differing | Extents(wrong), size)
            unreadable = _coarse(unreadable | Extents(lost), size)
            hopeless = hopeless + 1 if lost == [extent] else 0
            if hopeless >= _HOPELESS:
                rest = Extents([Extent(extent.end, size - extent.end)])
                return Seen(differing, unreadable | rest, slow, slowest)
            yield Progress(fill.reading, extent.end if whole else done, size if whole else total)
    return Seen(differing, unreadable, slow, slowest)


def _chunks(start: int, end: int) -> Iterator[Extent]:
    """What is done at once, in order."""
    return (Extent(at, min(CHUNK, end - at)) for at in range(start, end, CHUNK))


def _in_order(
    one: Callable[[Extent], T], chunks: Iterator[Extent], room: Callable[[Extent], bool]
) -> Generator[tuple[Extent, T], None, None]:
    """Runs ``one`` over every chunk in a few threads and gives the answers in order.

    No chunk begins before there is ``room`` for it. Closing it waits for what is under way.
    """
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="sweep")
    under_way: deque[tuple[Extent, Future[T]]] = deque()
    following = next(chunks, None)
    try:
        while following is not None or under_way:
            while following is not None and len(under_way) < _DEPTH and room(following):
                under_way.append((following, pool.submit(one, following)))
                following = next(chunks, None)
            extent, answer = under_way.popleft()
            yield extent, answer.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _put(device: Device, extent: Extent, data: memoryview) -> tuple[list[Extent], str]:
    """Writes it, in ever smaller pieces where it fails; gives what failed, and why."""
    try:
        device.write(extent.offset, data)
    except OSError as error:
        why = error.strerror or "error"
    else:
        return [], ""
    if extent.length <= device.unit:
        return [extent], why
    failed: list[Extent] = []
    for piece in _pieces(extent, device.unit):
        start = piece.offset - extent.offset
        failed += _put(device, piece, data[start : start + piece.length])[0]
    return _joined(failed), why


def _check(
    reader: Reader, extent: Extent, view: memoryview, fill: Fill, unit: int
) -> tuple[list[Extent], list[Extent]]:
    """What differs and what cannot be read, in ever smaller pieces where reading fails."""
    try:
        reader.into(extent.offset, view)
    except Unreadable:
        if extent.length <= unit:
            return [], [extent]
    else:
        return fill.differs(extent.offset, view), []
    wrong: list[Extent] = []
    lost: list[Extent] = []
    for piece in _pieces(extent, unit):
        start = piece.offset - extent.offset
        more = _check(reader, piece, view[start : start + piece.length], fill, unit)
        wrong += more[0]
        lost += more[1]
    return _joined(wrong), _joined(lost)


def _pieces(extent: Extent, unit: int) -> list[Extent]:
    step = max(unit, extent.length // _PIECES // unit * unit)
    return [Extent(at, min(step, extent.end - at)) for at in range(extent.offset, extent.end, step)]


def _joined(runs: list[Extent]) -> list[Extent]:
    return list(Extents(runs))


def _coarse(extents: Extents, size: int) -> Extents:
    """Bounds what a drive can make us remember: too many runs become whole chunks, never fewer."""
    if len(extents) <= _MOST_RUNS:
        return extents
    return Extents(
        Extent(at, min(CHUNK, size - at))
        for run in extents
        for at in range(run.offset - run.offset % CHUNK, run.end, CHUNK)
    )


def _answers(device: Device) -> bool:
    """Whether the drive still gives anything: its ends or its middle."""
    try:
        with closing(device.reopen()) as reader:
            for at in (0, device.size // 2, device.size - device.unit):
                spot = Extent(max(0, at - at % device.unit), min(device.unit, device.size))
                try:
                    reader.read(spot)
                except Unreadable:
                    continue
                return True
    except (OSError, Refused):
        pass
    return False

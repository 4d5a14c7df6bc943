"""Overwrite through the drive's normal interface: keystream, full read-back, then zeros if asked.

Proven on loop devices, image files and simulated drives. A host overwrite is Clear at most: on
flash it does not reach over-provisioned and remapped cells.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace

from hakushi.media.device import Device, Reader, differences
from hakushi.media.probe import hidden
from hakushi.model import Drive, Extent, Extents, Message, Refused, Unreadable, message
from hakushi.sanitize import (
    Journal,
    Method,
    Order,
    Outcome,
    Pass,
    PowerCycle,
    Progress,
    ReadBack,
    Result,
    Technique,
    sampling,
)
from hakushi.sanitize.fill import Fill, Keystream, Zeros
from hakushi.sanitize.techniques import _zones
from hakushi.sanitize.techniques._command import locked
from hakushi.sanitize.techniques._sweep import CHUNK, read_back, write
from hakushi.sanitize.unhide import open_hidden

CANARIES = 64
_CANARY = 4096
_POWERLESS = frozenset({"file", "loop"})
"""Transports behind which no drive with a power supply of its own lies."""
_TAIL = 64 << 20
"""Bytes before the point of resumption that must still be what was written."""


def unfit(drive: Drive) -> Message | None:
    if drive.logical_sector > CHUNK or drive.logical_sector % 512:
        return message("Its sectors of {bytes} bytes are unheard of.", bytes=drive.logical_sector)
    return locked(drive)


def run(device: Device, order: Order, journal: Journal) -> Generator[Progress, None, Result]:
    """Writes and reads back each pass; stops at the first that does not hold."""
    with suppress(OSError):  # it is met again, and judged, at the first write
        order = replace(order, drive=open_hidden(device, order.drive))
    lost = _zones.gaps(device.zones())
    if lost:
        why = message(
            "{bytes:,} bytes have an address and no place behind it (zones that are larger than"
            " their capacity); use a command of the drive's own.",
            bytes=lost,
        )
        return Result(Outcome.UNKNOWN, Extents([Extent(0, device.size)]), (why,))
    if journal.resumed and not _tail_holds(device, order, journal):
        journal.restarted("the drive does not hold what the journal says")
    if not journal.done.sampled:
        journal.sampled(_canaries(device, journal.key))
    report = _Report(order.drive, [])
    fills = _fills(order, journal.key)
    if journal.done.verified == len(fills):
        # All was read back before a kill; what happened to the drive since then nobody knows.
        journal.done.verified = journal.done.number = len(fills) - 1
        journal.done.to = device.size
    for number in range(journal.done.verified, len(fills)):
        bad = yield from _one(device, order, journal, number, fills[number], report)
        if bad is not None:
            return replace(bad, passes=tuple(report.passes))
        journal.verified(number)
    return replace(_last_look(device, order, journal, report), passes=tuple(report.passes))


@dataclass(slots=True)
class _Report:
    """What is gathered on the way, whatever the end."""

    drive: Drive
    passes: list[Pass]
    cycled: bool = False
    cached: bool = False
    read: list[Extent] = field(default_factory=list)
    """What the last pass read back."""
    slow: int = 0
    slowest: float = 0.0

    @property
    def notes(self) -> tuple[Message, ...]:
        """How the reading back was done, where that bounds what it proves."""
        out = []
        if self.cycled:
            out.append(message("The power was cycled before reading back."))
        elif self.drive.transport not in _POWERLESS:
            out.append(
                message(
                    "The power was not cycled: a cache that forgets what it took would not show."
                )
            )
        if self.cached:
            out.append(
                message("Its file system has no direct reads; the page cache was dropped instead.")
            )
        if self.slow:
            out.append(
                message(
                    "Pieces of 4 MiB that took longer than a second to read: {count:,}; the slowest"
                    " {seconds:.1f} s. The drive may be failing.",
                    count=self.slow,
                    seconds=self.slowest,
                )
            )
        return tuple(out)


def _to_read(order: Order, device: Device) -> list[Extent]:
    """What is read back: all, or the policy's sample, chosen only now that all is written."""
    if order.policy.read_back is ReadBack.FULL:
        return [Extent(0, device.size)]
    return sampling.parts(device.size, max(device.unit, _CANARY), random.SystemRandom())


def _fills(order: Order, key: bytes) -> list[Fill]:
    keystream: Fill = order.stream or Keystream(key, CHUNK)
    return [keystream, *([Zeros(CHUNK)] if order.policy.zeros_after else [])]


def _one(
    device: Device, order: Order, journal: Journal, number: int, fill: Fill, report: _Report
) -> Generator[Progress, None, Result | None]:
    """One pass, written and read back; None where every byte of it holds."""
    start, began = journal.done.to, time.monotonic()
    cut = yield from write(device, journal, number, fill)
    written = time.monotonic()
    try:
        if order.policy.power_cycle is not PowerCycle.NEVER and device.power_cycle():
            report.cycled = True
        with closing(device.reopen()) as reader:
            report.cached |= not reader.direct
            report.read = _to_read(order, device)
            seen = yield from read_back(reader, device.unit, fill, report.read)
            report.slow, report.slowest = report.slow + seen.slow, max(report.slowest, seen.slowest)
    except (OSError, Refused) as error:
        seen = None
        why = message("It could not be opened for reading back: {why}.", why=str(error))
    ended = time.monotonic()
    report.passes.append(
        Pass(fill.name, device.size, start, round(written - began, 3), round(ended - written, 3))
    )
    failed = journal.done.failed
    if seen is None:
        outcome = Outcome.FAILED if failed else Outcome.UNKNOWN
        return Result(outcome, Extents([Extent(0, device.size)]), (why, *report.notes))
    reasons = _reasons(failed, seen.differing, seen.unreadable, cut)
    if not reasons:
        return _changed(device, order)
    outcome = Outcome.FAILED if failed or seen.differing else Outcome.UNKNOWN
    every = failed | seen.differing | seen.unreadable
    return Result(outcome, every, (*reasons, *report.notes))


def _reasons(failed: Extents, differing: Extents, unreadable: Extents, cut: str) -> list[Message]:
    """Why a pass does not hold; empty where it does."""
    out = []
    if failed:
        out.append(
            message(
                "Bytes that could not be written: {bytes:,} (runs of them: {runs:,}).",
                **_told(failed),
            )
        )
    if cut:
        out.append(message("The drive took no more writes: {why}.", why=cut))
    if differing:
        out.append(
            message(
                "Bytes that are not what was written and accepted: {bytes:,}"
                " (runs of them: {runs:,}). The drive drops, moves or changes writes.",
                **_told(differing),
            )
        )
    if unreadable:
        out.append(
            message(
                "Bytes that cannot be read back: {bytes:,} (runs of them: {runs:,}).",
                **_told(unreadable),
            )
        )
    return out


def _told(extents: Extents) -> dict[str, int]:
    return {"bytes": extents.size, "runs": len(extents)}


def _changed(device: Device, order: Order) -> Result | None:
    """Unknown where another drive answers by now; None where it is the same one."""
    try:
        changed = differences(device.identify(), order.drive)
    except OSError as error:
        changed = (str(error),)
    if not changed:
        return None
    return Result(
        Outcome.UNKNOWN,
        Extents([Extent(0, device.size)]),
        (
            message(
                "It is not the drive it was at the start ({what} changed).",
                what=", ".join(changed),
            ),
        ),
    )


def _last_look(device: Device, order: Order, journal: Journal, report: _Report) -> Result:
    """All passes hold: the canaries must be gone and nothing may lie where no address leads."""
    drive = order.drive
    survivors = Extents(_survivors(device, journal))
    if survivors:
        return Result(
            Outcome.FAILED,
            survivors,
            (message("Old data were read where new ones had been read before."), *report.notes),
        )
    if drive.native_size is not None and drive.native_size > drive.size:
        area = Extents([Extent(drive.size, drive.native_size - drive.size)])
        return Result(
            Outcome.FAILED,
            area,
            (
                message(
                    "The hidden area of {bytes:,} bytes was not reached; open it first.",
                    bytes=area.size,
                ),
                *report.notes,
            ),
        )
    done = _what_was_read(device.size, report.read)
    doubts = [why for why in (hidden(drive),) if why]
    why: Message | None = None
    if order.policy.power_cycle is PowerCycle.REQUIRED and not report.cycled:
        why = message("The policy asks for a power cycle, which this bench cannot give.")
    elif report.cached and drive.transport != "file":
        why = message("It cannot be read past the page cache, which may have answered for it.")
    if why is not None:
        return Result(Outcome.UNKNOWN, Extents(), (why, done, *doubts, *report.notes))
    return Result(
        Outcome.COMPLETED,
        Extents(),
        (done, *doubts, *report.notes),
        verification=_verification(device.size, report.read),
    )


def _verification(size: int, read: list[Extent]) -> str:
    """The same for the log, where words are English."""
    missed = sampling.bound(size, read)
    if not missed:
        return "full read-back"
    part = sum(one.length for one in read)
    return f"sampled read-back: {part} of {size} bytes, {missed} bytes at {sampling.CONFIDENCE} %"


def _what_was_read(size: int, read: list[Extent]) -> Message:
    """What the last pass proves: everything, or a sample with its bound."""
    missed = sampling.bound(size, read)
    if not missed:
        return message("All {bytes:,} bytes were read back and are what was written.", bytes=size)
    return message(
        "A sample was read back and is what was written: {read:,} of {bytes:,} bytes. More than"
        " {missed:,} bytes left as they were would have shown, with {confidence} % confidence.",
        read=sum(one.length for one in read),
        bytes=size,
        missed=missed,
        confidence=sampling.CONFIDENCE,
    )


# --- canaries ----------------------------------------------------------------------------


def _spots(device: Device) -> list[Extent]:
    """Where the canaries are: spread evenly, both ends included."""
    length = min(_CANARY, device.size)
    last = (device.size - length) // device.unit
    spots = {n * last // max(1, CANARIES - 1) * device.unit for n in range(CANARIES)}
    return [Extent(at, length) for at in sorted(spots)]


def _canaries(device: Device, key: bytes) -> dict[int, str]:
    """Keyed digests of what lies at the spots; constant or unreadable ones tell nothing."""
    found: dict[int, str] = {}
    try:
        with closing(device.reopen()) as reader:
            for spot in _spots(device):
                data = _try(reader, spot)
                if data is not None and data.count(data[0]) != len(data):
                    found[spot.offset] = _digest(key, data)
    except (OSError, Refused):
        # A drive that cannot be read yet is met again, and judged, at its read-back.
        return {}
    return found


def _survivors(device: Device, journal: Journal) -> list[Extent]:
    """Canaries that read as before. One that cannot be read any more counts as surviving."""
    spots = [s for s in _spots(device) if s.offset in journal.done.canaries]
    try:
        with closing(device.reopen()) as reader:
            alive = []
            for spot in spots:
                data = _try(reader, spot)
                if data is None or _digest(journal.key, data) == journal.done.canaries[spot.offset]:
                    alive.append(spot)
            return alive
    except (OSError, Refused):
        return spots


def _digest(key: bytes, data: bytes) -> str:
    return hmac.new(key, data, hashlib.sha256).hexdigest()


def _try(reader: Reader, extent: Extent) -> bytes | None:
    try:
        return reader.read(extent)
    except Unreadable:
        return None


# --- resuming ----------------------------------------------------------------------------


def _tail_holds(device: Device, order: Order, journal: Journal) -> bool:
    """Whether the drive holds what the journal says was written last.

    Before the point of resumption this pass' fill, at the drive's end the fill of the pass before.
    """
    done, fills = journal.done, _fills(order, journal.key)
    try:
        with closing(device.reopen()) as reader:
            if done.number < len(fills):
                start = max(0, done.to - _TAIL)
                if not _holds(reader, fills[done.number], start, done.to, done.failed):
                    return False
            if not done.number or _zones.reaches_end(device.zones(), done.to):
                return True
            start = max(done.to + _TAIL, device.size - CHUNK)
            start -= start % device.unit
            return _holds(reader, fills[done.number - 1], start, device.size, Extents())
    except (OSError, Refused):
        return False


def _holds(reader: Reader, fill: Fill, start: int, end: int, but: Extents) -> bool:
    for at in range(start, end, CHUNK):
        extent = Extent(at, min(CHUNK, end - at))
        try:
            differing = Extents(fill.differs(at, memoryview(reader.read(extent))))
        except Unreadable as error:
            differing = Extents([error.extent]) if not (but & Extents([extent])) else Extents()
        if differing - but:
            return False
    return True


PLUGIN = Technique(
    id="overwrite",
    method=Method.CLEAR,
    standard="NIST SP 800-88 Rev. 2 (2025), Clear",
    about=message("Writes a keystream over every address and reads all of it back."),
    unfit=unfit,
    run=run,
)

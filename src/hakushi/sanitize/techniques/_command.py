"""What all erasures by a drive's own command have in common. A command's success is only one part.

Completed needs three things: the drive's own status, canaries that were written before and are
gone, and a full read-back from a fresh handle that shows nothing a file could be: one constant
after a block erase or an overwrite, and no constant stretch nor repetition after a crypto erase.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from hakushi.media.abilities import can
from hakushi.media.commands import Recorded
from hakushi.media.device import Device, Reader, differences
from hakushi.media.linux import buffer
from hakushi.media.probe import HIDING, hidden, veiled
from hakushi.model import SECTOR, Drive, Extent, Extents, Message, Refused, Unreadable, message
from hakushi.sanitize import Journal, Order, Outcome, Pass, PowerCycle, Progress, Result
from hakushi.sanitize.unhide import open_hidden

CANARIES = 256
BLOCK = 4096
CHUNK = 4 << 20
POLL = 30.0
PATIENCE = 48 * 3600.0
"""Seconds without progress after which an operation is given up."""
_MOST_RUNS = 10_000
_MESSAGE = message("erasing with the drive's own command")
_READING = message("reading the whole drive back")


@dataclass(frozen=True, slots=True)
class State:
    """What the drive said of a running operation."""

    done: bool
    progress: float
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One way to have a drive erase itself.

    ``start`` sends it and gives what the drive said against it, or "" ; ``poll`` asks for its state
    (None: it answered when it was done). ``constant``: what it must leave behind.
    """

    id: str
    start: Callable[[Recorded], str]
    poll: Callable[[Recorded], State] | None
    constant: bool
    remembers: bool = True
    """Whether ``poll`` tells "done" from "never begun"."""
    clean_up: Callable[[Recorded], None] | None = None
    before: Callable[[Recorded], str] | None = None
    """What makes the drive writable at all; gives what the drive said against it, or ""."""


def unfit(drive: Drive, id: str) -> Message | None:
    """Why a drive cannot be erased so."""
    bus = id.partition("-")[0]
    if bus == "tcg" and drive.transport in HIDING:
        return _unable(drive, id)
    if drive.transport != bus and not (drive.transport == "usb" and bus == "ata"):
        return message("It is a command of {bus} drives.", bus=bus.upper())
    return locked(drive) or _unable(drive, id)


def locked(drive: Drive) -> Message | None:
    """Why nothing but its TCG protocol can reach a drive; None where it is open."""
    if not veiled(drive):
        return None
    return message(
        "The drive is locked by its Opal password; tcg-opal-psid-revert opens and erases it."
    )


def _unable(drive: Drive, id: str) -> Message | None:
    one = can(drive, id)
    if one.supported is None:
        return message("The drive did not say whether it can ({why}).", why=one.why)
    if not one.supported:
        return Message(one.why)
    return None


def run(
    device: Device, order: Order, journal: Journal, command: Command
) -> Generator[Progress, None, Result]:
    """Opens what is hidden, plants canaries, erases, and reads everything back."""
    raw = device.commands()
    if raw is None:
        return _unknown(device, message("The drive takes no commands."))
    transport = Recorded(raw)
    try:
        drive = open_hidden(device, order.drive)
        result = yield from _erased(device, drive, order, journal, command, transport)
    except OSError as error:
        why = message("The drive did not answer: {why}.", why=error.strerror or str(error))
        result = _unknown(device, why)
    return replace(result, raw=tuple(transport.lines))


def _erased(
    device: Device,
    drive: Drive,
    order: Order,
    journal: Journal,
    command: Command,
    transport: Recorded,
) -> Generator[Progress, None, Result]:
    began = time.monotonic()
    if journal.done.sent and not _goes_on(transport, command):
        journal.restarted("the drive knows nothing of a command that was sent to it")
    if not journal.done.sampled:
        refused = command.before(transport) if command.before else ""
        if refused:
            return _unknown(device, message("The drive refused: {why}.", why=refused))
        journal.sampled(_plant(device, journal.key))
    if not journal.done.sent:
        # Told before it is sent: after a kill the drive is asked for its state, not told again.
        journal.sent()
        refused = command.start(transport)
        if refused:
            return _unknown(device, message("The drive refused: {why}.", why=refused))
    if command.poll is not None:
        said = yield from _waited(device, transport, command.poll)
        if said is not None:
            return said
    if command.clean_up is not None:
        command.clean_up(transport)
    erased = time.monotonic()
    cycled = order.policy.power_cycle is not PowerCycle.NEVER and device.power_cycle()
    result = yield from _read_back(device, drive, order, journal, command, cycled=cycled)
    times = Pass(
        command.id, device.size, 0, round(erased - began, 3), round(time.monotonic() - erased, 3)
    )
    return replace(result, passes=(times,))


def _goes_on(transport: Recorded, command: Command) -> bool:
    """After a restart: is it still at it, or done? Where it cannot be asked it is told again."""
    if command.poll is None:
        return False
    state = command.poll(transport)
    return not state.failed and (command.remembers or not state.done)


def _waited(
    device: Device, transport: Recorded, poll: Callable[[Recorded], State]
) -> Generator[Progress, None, Result | None]:
    """Asks until it is done; None then. What stays where it is is given up in the end."""
    last, still = -1.0, 0.0
    while True:
        state = poll(transport)
        if state.failed:
            why = message("The drive says that it failed: {why}.", why=state.failed)
            return Result(Outcome.FAILED, Extents([Extent(0, device.size)]), (why,))
        if state.done:
            return None
        still = 0.0 if state.progress > last else still + POLL
        last = max(last, state.progress)
        if still >= PATIENCE:
            return _unknown(
                device,
                message(
                    "It has stayed at {percent} % for {hours} hours; it is given up.",
                    percent=round(last * 100),
                    hours=round(PATIENCE / 3600),
                ),
            )
        yield Progress(_MESSAGE, max(1, int(device.size * min(last, 0.999))), device.size)
        transport.pause(POLL)


def _unknown(device: Device, why: Message) -> Result:
    return Result(Outcome.UNKNOWN, Extents([Extent(0, device.size)]), (why,))


# --- canaries ---------------------------------------------------------------------------------


def _spots(device: Device) -> Iterator[int]:
    """Where they lie: spread evenly, both ends included."""
    last = max(0, device.size - BLOCK) // BLOCK
    yield from sorted({n * last // max(1, CANARIES - 1) * BLOCK for n in range(CANARIES)})


def _plant(device: Device, key: bytes) -> dict[int, str]:
    """Writes random blocks and reads them back: what lies there for sure, sector by sector.

    A spot that cannot be written keeps what it has, if that can be read.
    """
    found: dict[int, str] = {}
    view = memoryview(buffer(BLOCK))
    for at in _spots(device):
        length = min(BLOCK, device.size - at)
        view[:length] = secrets.token_bytes(length)
        try:
            device.write(at, view[:length])
        except OSError:
            continue
    try:
        device.flush()
        with closing(device.reopen()) as reader:
            for at in _spots(device):
                data = _try(reader, Extent(at, min(BLOCK, device.size - at)))
                for part, sector in _sectors(at, data or b""):
                    if sector.count(sector[0]) != len(sector):
                        found[part] = _digest(key, sector)
    except (OSError, Refused):
        return {}
    return found


def _sectors(at: int, block: bytes) -> Iterator[tuple[int, bytes]]:
    """A block's sectors, each with its offset on the drive."""
    for start in range(0, len(block), SECTOR):
        yield at + start, block[start : start + SECTOR]


def _digest(key: bytes, data: bytes) -> str:
    return hmac.new(key, data, hashlib.sha256).hexdigest()[:32]


def _try(reader: Reader, extent: Extent) -> bytes | None:
    try:
        return reader.read(extent)
    except Unreadable:
        return None


# --- reading back -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """What the read-back found so far."""

    alive: list[Extent]
    odd: Extents
    lost: Extents
    value: int | None = None
    """The byte that everything is, where one constant is wanted."""


def _read_back(
    device: Device,
    drive: Drive,
    order: Order,
    journal: Journal,
    command: Command,
    *,
    cycled: bool,
) -> Generator[Progress, None, Result]:
    seen = _Seen([], Extents(), Extents())
    notes = _notes(drive, order, cycled=cycled)
    try:
        with closing(device.reopen()) as reader:
            for at in range(0, device.size, CHUNK):
                extent = Extent(at, min(CHUNK, device.size - at))
                _look(reader, extent, journal, command, seen)
                yield Progress(_READING, extent.end, device.size)
    except (OSError, Refused) as error:
        why = message("It could not be opened for reading back: {why}.", why=str(error))
        return replace(_unknown(device, why), reasons=(why, *notes))
    return _judged(device, drive, order, journal, seen, notes, cycled=cycled)


def _look(reader: Reader, extent: Extent, journal: Journal, command: Command, seen: _Seen) -> None:
    """One chunk: canaries, and whether it is what such an erasure leaves."""
    data = _try(reader, extent)
    if data is None:
        for at in range(extent.offset, extent.end, BLOCK):
            piece = Extent(at, min(BLOCK, extent.end - at))
            if (part := _try(reader, piece)) is None:
                seen.lost = _bounded(seen.lost | Extents([piece]), reader.size)
            else:
                _judge_block(part, piece, journal, command, seen)
        return
    if command.constant and seen.value is not None and data.count(seen.value) == len(data):
        return
    for at in range(0, len(data), BLOCK):
        piece = Extent(extent.offset + at, min(BLOCK, len(data) - at))
        _judge_block(data[at : at + piece.length], piece, journal, command, seen)


def _judge_block(
    block: bytes, extent: Extent, journal: Journal, command: Command, seen: _Seen
) -> None:
    for at, sector in _sectors(extent.offset, block):
        digest = journal.done.canaries.get(at)
        if digest is not None and _digest(journal.key, sector) == digest:
            seen.alive.append(Extent(at, len(sector)))
    constant = block.count(block[0]) == len(block)
    if command.constant:
        if seen.value is None and constant:
            seen.value = block[0]
        odd = not constant or block[0] != seen.value
    else:
        # What was encrypted with a key that is gone has about as many of each byte.
        odd = not constant and len(set(block)) < len(block) // 20
    if odd:
        seen.odd = _bounded(seen.odd | Extents([extent]), 0)


def _bounded(extents: Extents, size: int) -> Extents:
    """Too many runs become one: never fewer bytes."""
    if len(extents) <= _MOST_RUNS:
        return extents
    runs = list(extents)
    return Extents([Extent(runs[0].offset, max(size, runs[-1].end) - runs[0].offset)])


def _judged(
    device: Device,
    drive: Drive,
    order: Order,
    journal: Journal,
    seen: _Seen,
    notes: tuple[Message, ...],
    *,
    cycled: bool,
) -> Result:
    why: list[Message] = []
    if seen.alive:
        why.append(
            message(
                "The drive said that it was done, and {count} of {all} planted sectors are still"
                " there.",
                count=len(seen.alive),
                all=len(journal.done.canaries),
            )
        )
    if seen.odd:
        why.append(
            message(
                "Bytes that are not what such an erasure leaves: {bytes:,} (runs of them:"
                " {runs:,}).",
                bytes=seen.odd.size,
                runs=len(seen.odd),
            )
        )
    if seen.lost:
        why.append(
            message(
                "Bytes that cannot be read back: {bytes:,} (runs of them: {runs:,}).",
                bytes=seen.lost.size,
                runs=len(seen.lost),
            )
        )
    bad = Extents(seen.alive) | seen.odd | seen.lost
    if why:
        outcome = Outcome.FAILED if seen.alive or seen.odd else Outcome.UNKNOWN
        return Result(outcome, bad, (*why, *notes))
    if not journal.done.canaries:
        why.append(message("No block could be planted before, so nothing shows that it worked."))
    if order.policy.power_cycle is PowerCycle.REQUIRED and not cycled:
        why.append(message("The policy asks for a power cycle, which this bench cannot give."))
    why += _changed(device, drive)
    if why:
        return Result(Outcome.UNKNOWN, Extents(), (*why, *notes))
    done = message(
        "The drive said that it was done, all {count} planted sectors are gone, and all"
        " {bytes:,} bytes were read back.",
        count=len(journal.done.canaries),
        bytes=device.size,
    )
    doubt = hidden(device.identify())
    if doubt is not None and (drive.native_size or 0) > device.size:
        area = Extents([Extent(device.size, (drive.native_size or 0) - device.size)])
        unseen = message("What the command did to the hidden area cannot be read back.")
        return Result(Outcome.UNKNOWN, area, (unseen, doubt, done, *notes))
    return Result(Outcome.COMPLETED, Extents(), (done, *([doubt] if doubt else []), *notes))


def _changed(device: Device, drive: Drive) -> list[Message]:
    """Is it still the drive that it was?"""
    try:
        changed = differences(device.identify(), drive)
    except OSError as error:
        changed = (str(error),)
    if not changed:
        return []
    what = ", ".join(changed)
    return [message("It is not the drive it was at the start ({what} changed).", what=what)]


def _notes(drive: Drive, order: Order, *, cycled: bool) -> tuple[Message, ...]:
    if cycled:
        return (message("The power was cycled before reading back."),)
    if order.policy.power_cycle is PowerCycle.NEVER and drive.transport in {"file", "loop"}:
        return ()
    return (message("The power was not cycled: a cache that forgets what it took would not show."),)

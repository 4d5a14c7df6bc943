"""Changes a drive so that its data cannot be read any more, and says what came of it.

`plan` is pure and comes first; a `Technique`'s ``run`` does the work on a claimed device. Its
`Outcome` rests on what a fresh handle read back, never on a command's success.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum

from hakushi.media.device import Device
from hakushi.media.probe import hidden
from hakushi.model import Drive, Extents, Message, message
from hakushi.plugins import load
from hakushi.sanitize.fill import Fill, Keystream, Served
from hakushi.sanitize.journal import Journal
from hakushi.sanitize.policy import (
    Method,
    Policy,
    PowerCycle,
    ReadBack,
    builtin_policies,
    find_policy,
)

__all__ = [
    "Fill",
    "Journal",
    "Keystream",
    "Method",
    "Order",
    "Outcome",
    "Pass",
    "Plan",
    "Policy",
    "PowerCycle",
    "Progress",
    "ReadBack",
    "Rejected",
    "Result",
    "Served",
    "Technique",
    "all_techniques",
    "builtin_policies",
    "find_policy",
    "plan",
]


class Outcome(StrEnum):
    """What is known of an erasure, from reading back."""

    COMPLETED = "completed"
    """What the policy asks for was read back, past any cache, and is what was written."""
    FAILED = "failed"
    """Some bytes were not written, or are not what was written."""
    UNKNOWN = "unknown"
    """It cannot be told: stopped half-way, unreadable, or another drive by now."""


@dataclass(frozen=True, slots=True)
class Progress:
    """So many bytes of one phase are done."""

    phase: Message
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the drive: what it wrote, and how long writing and reading back took."""

    fill: str
    bytes: int
    resumed_at: int
    write_s: float
    read_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """How a technique ended. ``failed``: every byte that is not proven to be what was written."""

    outcome: Outcome
    failed: Extents
    reasons: tuple[Message, ...]
    passes: tuple[Pass, ...] = ()
    verification: str = "full read-back"
    """How much was read back, in the log's words."""
    raw: tuple[str, ...] = ()
    """What was sent to the drive and what it said, as it was."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: this drive, as it was probed, after this policy."""

    drive: Drive
    policy: Policy
    stream: Fill | None = None
    """The owner's keystream, to be found on the drive later; else the run's own."""
    psid: str = field(default="", repr=False)
    """The password on the drive's label: opens what somebody else locked; kept nowhere."""


Run = Callable[[Device, Order, Journal], Generator[Progress, None, Result]]


@dataclass(frozen=True, slots=True)
class Technique:
    """One way to sanitize a drive.

    ``unfit`` gives the reason why it cannot serve a drive, or None. Laws of ``run``: it writes to
    nothing but the device; it may be closed after any step and then resumes from its journal; it
    says `Outcome.COMPLETED` only of what `Device.reopen` read back.
    """

    id: str
    method: Method
    standard: str
    about: Message
    unfit: Callable[[Drive], Message | None]
    run: Run
    needs_psid: bool = False
    """Whether it needs the password on the drive's label."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A technique that a plan does not use, and why."""

    technique: Technique
    why: Message


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to a drive. ``technique`` None: nothing that the policy allows fits."""

    drive: Drive
    policy: Policy
    technique: Technique | None
    why: Message
    rejected: tuple[Rejected, ...]
    notes: tuple[Message, ...] = ()
    """What the operator must know before: areas that no technique here reaches."""


def all_techniques() -> tuple[Technique, ...]:
    """Every technique there is, sorted by its file's name."""
    return load("hakushi.sanitize.techniques", Technique)


def plan(drive: Drive, policy: Policy, wanted: str | None = None) -> Plan:
    """Chooses the policy's first technique that fits, or ``wanted`` alone; says why not each other.

    Pure: it touches nothing and decides from what the drive said of itself.
    """
    chosen: Technique | None = None
    rejected: list[Rejected] = []
    rank = {id: n for n, id in enumerate(policy.techniques)}
    for one in sorted(all_techniques(), key=lambda t: rank.get(t.id, len(rank))):
        why = _why_not(one, drive, policy, wanted) or (
            message("{chosen} fits and comes first.", chosen=chosen.id) if chosen else None
        )
        if why is None:
            chosen = one
        else:
            rejected.append(Rejected(one, why))
    if chosen is None and policy.method is Method.DESTROY:
        why = message(
            "The policy {policy} asks for destruction, which no program does: destroy the drive"
            " before a witness, and record it with `hakushi record destroyed`.",
            policy=policy.id,
        )
    elif chosen is None:
        why = message(
            "No technique that {policy} allows fits this drive; destroy it, or choose another"
            " policy.",
            policy=policy.id,
        )
    else:
        why = message(
            "{technique} is the first technique of {policy} that fits this drive.",
            technique=chosen.id,
            policy=policy.id,
        )
    notes = tuple(note for note in (hidden(drive),) if note)
    return Plan(drive, policy, chosen, why, tuple(rejected), notes)


def _why_not(
    technique: Technique, drive: Drive, policy: Policy, wanted: str | None
) -> Message | None:
    if wanted is not None and technique.id != wanted:
        return message("Another technique was asked for: {wanted}.", wanted=wanted)
    if technique.id not in policy.techniques:
        return message("The policy {policy} does not allow it.", policy=policy.id)
    if not technique.method.reaches(policy.method):
        return message(
            "It reaches {method} only; the policy asks for {wanted}.",
            method=technique.method.value,
            wanted=policy.method.value,
        )
    return technique.unfit(drive)

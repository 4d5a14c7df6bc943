"""The verb ``dispose``: plan, claim, sanitize, read again through the assessment, keep evidence.

Each drive is one job of its own: what happens to one does not touch another.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hakushi import __version__
from hakushi.app.recording import Recording
from hakushi.app.words import current, tell
from hakushi.media import probe
from hakushi.media.abilities import health_of
from hakushi.media.device import Device, check_free, claim
from hakushi.model import Drive, Extents, Message, Refused, Verdict, message
from hakushi.sanitize import (
    Fill,
    Order,
    Outcome,
    Plan,
    Policy,
    Progress,
    ReadBack,
    Result,
    find_policy,
    plan,
)
from hakushi.sanitize.journal import Journal, open_journal

SCHEMA = "hakushi.disposal/1"
REFUSED = "refused"
_BETWEEN = 30.0
"""Seconds between two looks at a drive's temperature."""
_PSID = 32

_LEAST_BOUND, _BOUND_SHARE = 1 << 20, 400
"""Bytes, and the part of a drive, that a sampled assessment after a sampled read-back bounds."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``erase``: the serial of each drive that may be erased."""

    policy: str
    technique: str | None = None
    image: bool = False
    erase: frozenset[str] = frozenset()
    operator: str | None = None
    second_operator: str | None = None
    evidence: Path = Path("hakushi-evidence")
    record: Recording | None = None
    """The log that is told, if any."""
    stream: Fill | None = None
    """The owner's keystream, to be left on the drives."""
    psid: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The password on the label, by serial: for drives that somebody locked."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far one drive is: bytes of the current phase."""

    name: str
    phase: Message
    done: int
    total: int
    celsius: int | None = None
    """How warm the drive says that it is; None: not said."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan for one drive, or why there is none."""

    name: str
    plan: Plan | None
    refused: Message | None = None


@dataclass(frozen=True, slots=True)
class Disposal:
    """What became of one drive. ``bug``: our own error ended it."""

    name: str
    serial: str
    outcome: str
    verdict: Verdict | None = None
    technique: str | None = None
    failed: Extents = field(default_factory=Extents)
    reasons: tuple[Message, ...] = ()
    evidence: Path | None = None
    entries: tuple[int, ...] = ()
    """Where the log tells of it."""
    unrecorded: bool = False
    """A log was named, and does not tell of it."""
    bug: bool = False

    @property
    def code(self) -> int:
        """0 only where it is completed and clean."""
        if self.bug:
            return 1
        if self.outcome == REFUSED:
            return 5
        if self.outcome != Outcome.COMPLETED:
            return 4
        clean = 4 if self.unrecorded else 0
        codes = {Verdict.CLEAN: clean, Verdict.RESIDUE: 3}
        return codes.get(self.verdict or Verdict.INCONCLUSIVE, 4)


Say = Callable[[Step], None]
Assess = Callable[[str, Path, Say], tuple[Verdict, dict[str, Any]]]
"""Assesses the named drive into a case file; raises Refused where it cannot be read."""


class _Stopped(Exception):
    """Somebody asked to stop; the journal is kept."""


def psids(given: Sequence[str]) -> dict[str, str]:
    """``SERIAL=PSID`` as people type them off a label: blanks and dashes do not count."""
    out = {}
    for one in given:
        serial, _, raw = one.rpartition("=")
        psid = raw.replace(" ", "").replace("-", "")
        if not serial or len(psid) != _PSID or not (psid.isascii() and psid.isalnum()):
            raise Refused(
                message(
                    "--psid takes SERIAL=PSID; a PSID has {count} letters and digits, as they are"
                    " on the drive's label.",
                    count=_PSID,
                )
            )
        out[serial] = psid
    return out


# --- planning ----------------------------------------------------------------------------


def plan_all(names: Sequence[str], options: Options) -> list[Planned]:
    """What would be done to each drive, and what stands against it. Touches nothing."""
    found = [_planned(name, options) for name in names]
    serials = Counter(p.plan.drive.serial for p in found if p.plan)
    out = []
    for one in found:
        if one.plan and serials[one.plan.drive.serial] > 1:
            twice = message(
                "Two of the drives say that they are {serial}; erase them one at a time.",
                serial=one.plan.drive.serial,
            )
            one = replace(one, refused=one.refused or twice)
        out.append(one)
    return out


def _planned(name: str, options: Options) -> Planned:
    try:
        drive = probe.probe(name)
        made = plan(drive, find_policy(options.policy), options.technique)
    except Refused as error:
        return Planned(name, None, error.message)
    try:
        if made.technique is None:
            return Planned(name, made, made.why)
        check_free(drive, image=options.image)
    except Refused as error:
        return Planned(name, made, error.message)
    return Planned(name, made)


def plan_json(plans: Sequence[Planned]) -> dict[str, Any]:
    """The plans for a program to read."""
    return {"schema": "hakushi.plan/1", "drives": [_plan_json(one) for one in plans]}


def _plan_json(one: Planned) -> dict[str, Any]:
    refused = tell(one.refused) if one.refused else None
    if one.plan is None:
        return {"serial": one.name, "technique": None, "refused": refused}
    return {
        "serial": one.plan.drive.serial,
        "path": one.plan.drive.path,
        "model": one.plan.drive.model,
        "size": one.plan.drive.size,
        "policy": one.plan.policy.id,
        "technique": one.plan.technique.id if one.plan.technique else None,
        "why": tell(one.plan.why),
        "rejected": [{"technique": r.technique.id, "why": tell(r.why)} for r in one.plan.rejected],
        "notes": [tell(note) for note in one.plan.notes],
        "refused": refused,
    }


# --- doing -------------------------------------------------------------------------------


def dispose_all(names: Sequence[str], options: Options, assess: Assess, say: Say) -> list[Disposal]:
    """Erases each drive that may be, all at once, and reads each again. In the order given.

    KeyboardInterrupt stops every drive at its next step, keeps the journals, and is raised again.
    """
    plans = plan_all(names, options)
    stop = threading.Event()
    with ThreadPoolExecutor(max(1, len(plans)), thread_name_prefix="drive") as pool:
        jobs: list[Future[Disposal]] = []
        for one in plans:
            refused = one.refused or _not_allowed(one, plans, options)
            if refused is not None or one.plan is None:
                jobs.append(_told(_refusal(one, refused)))
            else:
                jobs.append(pool.submit(_job, one.name, one.plan, options, assess, say, stop))
        try:
            wait(jobs)
        except BaseException:
            stop.set()
            raise
    return [job.result() for job in jobs]


def _told(disposal: Disposal) -> Future[Disposal]:
    done: Future[Disposal] = Future()
    done.set_result(disposal)
    return done


def _refusal(one: Planned, why: Message | None) -> Disposal:
    return Disposal(
        one.name,
        one.plan.drive.serial if one.plan else one.name,
        REFUSED,
        technique=one.plan.technique.id if one.plan and one.plan.technique else None,
        reasons=(why,) if why else (),
    )


def _not_allowed(one: Planned, plans: Sequence[Planned], options: Options) -> Message | None:
    """Why the operator's words do not suffice to erase this drive."""
    if one.plan is None:
        return None
    given = {p.plan.drive.serial for p in plans if p.plan}
    if strangers := sorted(options.erase - given):
        return message(
            "--erase {serial} names none of the drives; check the label. Nothing was erased.",
            serial=strangers[0],
        )
    if one.plan.drive.serial not in options.erase:
        return message(
            "Nothing is erased without --erase {serial}; check the label, then say so.",
            serial=one.plan.drive.serial,
        )
    if strangers := sorted(options.psid.keys() - given):
        return message(
            "--psid {serial} names none of the drives; check the label. Nothing was erased.",
            serial=strangers[0],
        )
    technique = one.plan.technique
    if technique and technique.needs_psid and one.plan.drive.serial not in options.psid:
        return message(
            "{technique} needs the PSID, 32 characters on the drive's label: --psid {serial}=PSID.",
            technique=technique.id,
            serial=one.plan.drive.serial,
        )
    if options.stream is not None and one.plan.policy.zeros_after:
        return message(
            "The policy {policy} ends in zeros: the owner's keystream would not stay. Choose one"
            " that leaves it.",
            policy=one.plan.policy.id,
        )
    return _people(one.plan.policy, options)


def _people(policy: Policy, options: Options) -> Message | None:
    people = [p.strip().casefold() for p in (options.operator, options.second_operator) if p]
    if len(set(people) - {""}) < policy.operators:
        return message(
            "The policy {policy} asks for {count} different people: --operator and"
            " --second-operator.",
            policy=policy.id,
            count=policy.operators,
        )
    return None


def _job(
    name: str, made: Plan, options: Options, assess: Assess, say: Say, stop: threading.Event
) -> Disposal:
    """One drive from claim to evidence. A bug ends this drive only, and is told as one."""
    from hakushi.app.assess import storage_full

    assert made.technique is not None
    disposal = Disposal(name, made.drive.serial, Outcome.UNKNOWN, technique=made.technique.id)

    def step(one: Step) -> None:
        if stop.is_set():
            raise _Stopped
        say(one)

    try:
        return _dispose(disposal, made, options, assess, step)
    except Refused as error:
        return replace(disposal, outcome=REFUSED, reasons=(error.message,))
    except _Stopped:
        disposal = replace(disposal, reasons=(_half_way("interrupted"),))
    except OSError as error:
        disposal = replace(disposal, reasons=(_half_way(error.strerror or str(error)),))
    except Exception as error:
        if storage_full(error):
            why = _half_way(os.strerror(errno.ENOSPC))
            disposal = replace(disposal, reasons=(why,))
        else:
            # The other drives go on; this one is told as our own error.
            logging.getLogger("hakushi").exception("bug")
            why = message("This is our own error ({what}).", what=type(error).__name__)
            disposal = replace(disposal, reasons=(why,), bug=True)
    return _recorded(disposal, made, options, _known(disposal, made, ""))


def _half_way(why: str) -> Message:
    return message(
        "Stopped half-way: {why}. What was done is kept; the same command goes on.", why=why
    )


def _dispose(
    disposal: Disposal, made: Plan, options: Options, assess: Assess, say: Say
) -> Disposal:
    began = time.time()
    device = claim(made.drive, image=options.image)
    try:
        if options.record is not None and made.technique is not None:
            # Before the first write: what the log does not take is not done.
            options.record.planned(made.drive, made.policy.id, made.technique.id)
        result, journal = _sanitize(disposal.name, device, made, options, say, began)
    finally:
        device.close()
    disposal = replace(
        disposal,
        outcome=result.outcome.value,
        failed=result.failed,
        reasons=result.reasons,
        evidence=journal.path.with_suffix(".json"),
    )
    try:
        disposal, summary = _look_again(disposal, made, journal, assess, say)
        # Written before the journal is finished: a kill in between must not leave it without.
        told = _write(disposal, made, options, result, summary, began)
        disposal = _recorded(disposal, made, options, told)
        journal.ended(result.outcome.value)
    finally:
        journal.close()
    return disposal


def _recorded(disposal: Disposal, made: Plan, options: Options, told: dict[str, Any]) -> Disposal:
    """Tells the log; where it does not take it, the drive does not count as done."""
    if options.record is None:
        return disposal
    evidence = disposal.evidence if disposal.evidence and disposal.evidence.exists() else None
    try:
        entries = options.record.sanitized(made.drive, told, evidence)
    except (Refused, OSError) as error:
        why = message(
            "The log does not tell of it: {why} The evidence is kept; record it by hand.",
            why=str(error.message) if isinstance(error, Refused) else f"{error.strerror}.",
        )
        return replace(disposal, reasons=(*disposal.reasons, why), unrecorded=True)
    return replace(disposal, entries=entries)


def _sanitize(
    name: str, device: Device, made: Plan, options: Options, say: Say, now: float
) -> tuple[Result, Journal]:
    assert made.technique is not None
    journal = open_journal(options.evidence, made.drive, made.technique.id, made.policy.id, now)
    try:
        psid = options.psid.get(made.drive.serial, "")
        order = Order(made.drive, made.policy, options.stream, psid)
        work = made.technique.run(device, order, journal)
        # A drive that is busy with a command of its own is not asked for anything else.
        asks = made.technique.id == "overwrite"
        warmth = _Thermometer(device, made.drive) if asks else lambda: None
        return _driven(work, name, say, warmth), journal
    except BaseException:
        journal.close()
        raise


class _Thermometer:
    """How warm a drive says that it is, asked for twice a minute."""

    def __init__(self, device: Device, drive: Drive) -> None:
        self._transport, self._drive = device.commands(), drive
        self._asked = -_BETWEEN
        self._told: int | None = None

    def __call__(self) -> int | None:
        now = time.monotonic()
        if self._transport is not None and now - self._asked >= _BETWEEN:
            self._asked = now
            told = dict(health_of(self._drive, self._transport)).get("temperature_c")
            self._told = told if isinstance(told, int) else None
        return self._told


def _driven(
    work: Generator[Progress, None, Result],
    name: str,
    say: Say,
    warmth: Callable[[], int | None],
) -> Result:
    """Runs a technique to its end; whatever stops us closes it first."""
    try:
        while True:
            try:
                at = next(work)
            except StopIteration as end:
                result: Result = end.value
                return result
            say(Step(name, at.phase, at.done, at.total, warmth()))
    finally:
        work.close()


def _look_again(
    disposal: Disposal, made: Plan, journal: Journal, assess: Assess, say: Say
) -> tuple[Disposal, dict[str, Any] | None]:
    """The verdict, by the same assessment as for any drive; never one from before the erasure."""
    case, drive = journal.path.with_suffix(".hakushi"), made.drive
    try:
        verdict, summary = assess(disposal.name, case, say)
    except Refused as error:
        why = message("It could not be assessed afterwards: {why}", why=str(error.message))
        return replace(disposal, reasons=(*disposal.reasons, why)), None
    with suppress(Refused):
        # What was hidden may have been opened since.
        drive = probe.probe(disposal.name)
    hiding = probe.hidden(drive)
    sampled = made.policy.read_back is ReadBack.SAMPLE
    if verdict is Verdict.CLEAN and (hiding is not None or sampled):
        verdict = Verdict.INCONCLUSIVE
    return replace(disposal, verdict=verdict), summary


def assess_afterwards(drives: int, policy: str) -> Assess:
    """The assessment for `dispose_all`; the drives share this machine's cores.

    After a policy that reads back a sample it reads one, too.
    """
    from hakushi.app.assess import assess_source
    from hakushi.app.settings import AssessOptions

    jobs = max(1, len(os.sched_getaffinity(0)) // max(1, drives))
    every = AssessOptions(fresh=True, jobs=jobs, lang=current())

    def assess(name: str, case: Path, say: Say) -> tuple[Verdict, dict[str, Any]]:
        def step(at: Any) -> None:
            say(Step(name, message("assessing"), at.done, at.of))

        options = every
        if find_policy(policy).read_back is ReadBack.SAMPLE:
            most = max(_LEAST_BOUND, probe.probe(name).size // _BOUND_SHARE)
            options = replace(every, sample=f"{most}@99%")
        try:
            result = assess_source(name, options, case, step)
        except Refused as why:
            # A container that the overwrite left half there no longer opens: its bytes do.
            try:
                result = assess_source(name, replace(options, raw=True), case, step)
            except Refused:
                raise why from None
        return result.verdict, result.summary

    return assess


# --- what is kept and told ---------------------------------------------------------------


def _write(
    disposal: Disposal,
    made: Plan,
    options: Options,
    result: Result,
    summary: dict[str, Any] | None,
    began: float,
) -> dict[str, Any]:
    """The evidence: everything that was known and done, fsynced. No personal data."""
    assert disposal.evidence is not None
    assert made.technique is not None
    plain = _known(disposal, made, result.verification) | {
        "schema": "hakushi.disposal-evidence/1",
        "tool": f"hakushi {__version__}",
        "began": began,
        "ended": time.time(),
        "drive": asdict(made.drive),
        "standard": made.policy.standard,
        "technique_standard": made.technique.standard,
        "operators": [o for o in (options.operator, options.second_operator) if o],
        "reasons": [str(r) for r in disposal.reasons],
        "notes": [str(n) for n in made.notes],
        "extents_failed": _extents(disposal.failed),
        "passes": [asdict(p) for p in result.passes],
        "commands": list(result.raw),
        "assessment": summary,
    }
    aside = disposal.evidence.with_suffix(".new")
    fd = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(plain, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(disposal.evidence)
    return plain


def _known(disposal: Disposal, made: Plan, verification: str) -> dict[str, Any]:
    """What the log needs to know, however it ended."""
    assert made.technique is not None
    return {
        "policy": made.policy.id,
        "technique": made.technique.id,
        "method": made.technique.method.value,
        "verification": verification if disposal.outcome == Outcome.COMPLETED else "",
        "outcome": disposal.outcome,
        "verdict": disposal.verdict,
    }


def _extents(extents: Extents) -> list[dict[str, int]]:
    return [{"offset": e.offset, "length": e.length} for e in extents]


def disposals_json(disposals: Sequence[Disposal]) -> dict[str, Any]:
    """The contract's JSON object, refusals included."""
    return {
        "schema": SCHEMA,
        "drives": [
            {
                "serial": one.serial,
                "path": one.name,
                "outcome": one.outcome,
                "verdict": one.verdict,
                "technique": one.technique,
                "extents_failed": _extents(one.failed),
                "reasons": [tell(reason) for reason in one.reasons],
                "evidence": str(one.evidence) if one.evidence else None,
                "entries": list(one.entries),
            }
            for one in disposals
        ],
    }

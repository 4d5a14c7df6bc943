"""The verb ``assess``: one source, one case, one verdict."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hakushi import detect
from hakushi.app import house, second_opinion
from hakushi.app.restore import restore
from hakushi.app.settings import AssessOptions
from hakushi.assess import judge, sample, summary
from hakushi.assess.case import Case, is_case
from hakushi.assess.medium import Medium, binding, open_medium, open_set
from hakushi.assess.pipeline import Step, Work
from hakushi.lang import say as translate
from hakushi.media import Memory, probe
from hakushi.model import (
    Assessment,
    Damage,
    Drive,
    Extent,
    Locator,
    Message,
    Refused,
    Unreadable,
    Verdict,
    message,
)

__all__ = ["AssessOptions", "Result", "Step", "assess_source"]

_READ = 4 << 20

_PACED, _SLOW, _WORTH_A_LOOK = 1 << 20, 60e6, 1 << 30
"""Bytes that the search is measured on; bytes a second below which it is said to be slow; bytes of
a source that make it worth the second that measuring takes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an assessment came to. ``stopped`` says why it ended half-way, with its state kept."""

    name: str
    case: Path
    verdict: Verdict
    summary: dict[str, Any]
    stopped: Message | None = None


def _quiet(_step: Step) -> None:
    return


def assess_source(
    name: str,
    options: AssessOptions,
    case_path: Path | None = None,
    say: Callable[[Step], None] = _quiet,
    members: Sequence[str] = (),
    key: bytes | None = None,
) -> Result:
    """Assesses a device, an image or ``sim:PATH``; resumes or answers from its case where it holds.

    With ``members``, these together, and ``name`` is what they are called. A new case counts with
    ``key``, so that its people can be counted `together` with another's. Refused where nothing can
    be opened or the case belongs to something else.
    """
    began = time.monotonic()
    if not options.findings and (options.sample or options.ocr):
        raise Refused(
            message("--files-only looks into no content; it goes neither with --sample nor --ocr.")
        )
    if options.second_opinion:
        second_opinion.known(options.second_opinion)
    path = case_path or default_case(name)
    if options.fresh or not path.exists():
        house.prepare()
    medium = open_set(name, members) if members else open_medium(name, raw=options.raw)
    bound = {
        "locator": str(medium.source.locator),
        "size": medium.source.size,
        "sectors": binding(medium.source),
        "options": options.bound,
    }
    case, key = _case(path, medium, bound, key, fresh=options.fresh)
    try:
        finished = case.get("summary")
        if finished is None:
            finished = _run(medium, (case, key), options, say, began)
            _finish(case, path, finished, keep_key=options.keep_key)
        if options.recover is not None:
            restore(case, medium, options.recover, say)
        told = summary.spoken(finished, lambda one: translate(one, options.lang))
        return Result(name, path, Verdict(told["verdict"]), told)
    finally:
        case.close()


def whose(names: Sequence[str], serial: str | None) -> dict[str, Drive]:
    """The drive that each source is, or is an image of. Refused where that is not known."""
    drives = {name: probe.probe(name) for name in names}
    if serial is not None:
        if len(names) != 1:
            raise Refused(message("--drive names one drive; assess one source at a time."))
        return {names[0]: replace(drives[names[0]], serial=serial)}
    for name, one in drives.items():
        if one.transport == "file":
            raise Refused(
                message("{path} is an image; say with --drive of which drive.", path=name)
            )
    return drives


def default_case(name: str) -> Path:
    """``./NAME.hakushi``."""
    return Path.cwd() / (Path(name.removeprefix("sim:")).name + ".hakushi")


def shared_key(cases: Sequence[Path]) -> bytes:
    """The counting key for the cases of one run: what an unfinished one has, else a fresh one."""
    held = (house.read_key(path) for path in cases)
    return next((key for key in held if key is not None), None) or secrets.token_bytes(32)


def together(cases: Sequence[Path]) -> dict[str, Any] | None:
    """How many people and firms some cases tell of in all, each counted once.

    None where they did not count with one key, so that equal values cannot be told.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(Case.open(path))) for path in cases]
        keys = {case.get("counted") for case in opened}
        if len(keys) != 1 or None in keys:
            return None
        return {"sources": len(opened), **summary.tally(opened).ranges()}


def _case(
    path: Path, medium: Medium, bound: dict[str, Any], shared: bytes | None, *, fresh: bool
) -> tuple[Case, bytes]:
    """The case to work in, and its counting key: a new one, or one that still holds."""
    if fresh:
        purge(path)
    if not path.exists():
        return _new_case(path, medium, bound, shared)
    case = Case.open(path)
    known = case.get("bound")
    if known != bound:
        case.close()
        raise Refused(_differs(path, known or {}, bound))
    key = house.read_key(path)
    if key is None and case.get("summary") is None:
        case.close()
        raise Refused(
            message(
                "{path} was not finished and its counting key is gone; start over with --fresh.",
                path=str(path),
            )
        )
    return case, key or b""


def _new_case(
    path: Path, medium: Medium, bound: dict[str, Any], shared: bytes | None
) -> tuple[Case, bytes]:
    try:
        key = house.new_key(path, shared)
        case = Case(path, medium.source.locator, create=True)
    except (OSError, sqlite3.Error) as error:
        house.destroy_key(path)
        raise Refused(
            message(
                "The case file {path} cannot be made: {why}; name another place with --case.",
                path=str(path),
                why=getattr(error, "strerror", None) or str(error),
            )
        ) from None
    case.put({"bound": bound, "locator": str(medium.source.locator), "name": medium.root.name})
    # Which key it counts with, without telling it: equal ones can be counted together.
    case.put({"counted": hashlib.blake2b(key, digest_size=8, person=b"counting key").hexdigest()})
    return case, key


def _differs(path: Path, known: dict[str, Any], bound: dict[str, Any]) -> Message:
    if known.get("options") != bound["options"]:
        return message(
            "{path} is the case of an assessment with other options; name another case"
            " or start over with --fresh.",
            path=str(path),
        )
    return message(
        "{path} is the case of another source, or the source has changed since; name another"
        " case or start over with --fresh.",
        path=str(path),
    )


def _run(
    medium: Medium,
    kept: tuple[Case, bytes],
    options: AssessOptions,
    say: Callable[[Step], None],
    began: float,
) -> dict[str, Any]:
    """All phases, and the summary. What did not end makes the verdict no better."""
    case, key = kept
    with closing(house.engine(options.engine, options.jobs)) as engine:
        work = Work(medium, case, engine, key, options.metadata, options.ocr, options.findings, say)
        if options.sample:
            cover = _sampled(medium, case, work, sample.parse(options.sample))
            if options.second_opinion:
                place = medium.source.locator.step(second_opinion.STEP, options.second_opinion)
                case.damaged([Damage(place, "no second opinion: only a sample was read")])
        else:
            work.harvest()
            work.inspect()
            work.carve()
            if options.second_opinion:
                _consult(work, medium, case, options.second_opinion)
            work.scan()
            cover = summary.coverage(case, medium.source.size)
    say(Step("count", 0, 1))
    work.place()
    case.put({"failed": work.failed})
    failed = list(work.failed)
    if binding(medium.source) != case.get("bound")["sectors"]:
        failed.append(("source", "the source changed while it was read"))
    counts = summary.tally([case]) if options.findings else None
    found = counts.findings if counts is not None else {}
    facts = summary.facts(
        case, medium, work.explained(), len(failed), cover, found, looked=options.findings
    )
    judgement = judge.judge(facts)
    told = summary.summary(
        case,
        medium,
        judgement,
        cover,
        counts=counts,
        not_looked_for=not_looked_for(
            pictures=options.ocr and not options.sample, findings=options.findings
        ),
        failed=failed,
        elapsed=time.monotonic() - began,
    )
    say(Step("count", 1, 1))
    if options.second_opinion:
        told["second_opinion"] = {
            "tool": options.second_opinion,
            "alone": 0 if options.sample else case.get("alone"),
        }
    if options.digest:
        told["digest"] = {"sha256": _digest(medium)}
    return told


def _consult(work: Work, medium: Medium, case: Case, tool: str) -> None:
    """Adds what another program alone found; that it could not look is damage."""
    if case.get("alone") is None:
        found, damage = second_opinion.consult(tool, medium, case, case.path.parent)
        artifacts = {one.locator: one for one in found}
        case.join([Assessment(artifacts=artifacts, damage=frozenset(damage))])
        case.put({"alone": len(found)})
    work.inspect_further()


def _sampled(medium: Medium, case: Case, work: Work, bound: sample.Bound) -> summary.Coverage:
    """Reads a sample's blocks; their seed is kept, so that a resumed run draws alike."""
    size = medium.source.size
    seed = case.get("seed")
    if seed is None:
        seed = secrets.randbits(64)
        case.put({"seed": seed})
    number = sample.drawn(size, bound)
    work.draw(sample.offsets(size, number, seed), sample.BLOCK)
    read = case.extents("seen").size
    return summary.Coverage(
        size,
        read,
        (case.extents("unreadable") - case.extents("seen")).size,
        sampled=read,
        bound={"bytes": bound.residue, "confidence": bound.confidence, "blocks": number},
    )


def _finish(case: Case, path: Path, told: dict[str, Any], *, keep_key: bool) -> None:
    """The verdict is written, and the counting key goes with it, unless work is left to do."""
    if case.get("failed"):
        # Not finished: the next run tries again what did not end.
        return
    case.put({"summary": told})
    if not keep_key:
        house.destroy_key(path)


def _digest(medium: Medium) -> str | None:
    """SHA-256 of the whole medium; None where a part cannot be read."""
    digest = hashlib.sha256()
    for at in range(0, medium.source.size, _READ):
        try:
            digest.update(medium.source.read(Extent(at, _READ)))
        except Unreadable:
            return None
    return digest.hexdigest()


def not_looked_for(*, pictures: bool, findings: bool = True) -> list[Message]:
    """What a run does not look for at all: said, never passed over. ``pictures``: it reads them;
    ``findings``: it looks for personal data.
    """
    unread = message("personal data in pictures (--ocr reads the text in them)")
    if not findings:
        unread = message("personal data of any kind (--files-only)")
    if pictures:
        unread = message("handwriting, and text in pictures that stands on its side; HEIC, films")
    return [
        unread,
        message(
            "old records of file systems other than NTFS, FAT, exFAT, ext2-4, XFS, btrfs and APFS"
        ),
        message("files in pieces far apart, and text in pieces, that no record names"),
        message(
            "what RAR packed, small attachments inside Outlook stores, what DocuWorks documents say"
        ),
        message(
            "btrfs over several devices; deleted files of HFS+; APFS files packed by LZBITMAP;"
            " arrays other than md and LVM"
        ),
        message("snapshots inside disk images; shadow copies that were deleted"),
    ]


def slow_search(names: Sequence[str], pace: Callable[[], float] | None = None) -> Message | None:
    """Says that raw search is slow here, if it is and one of the sources is large.

    Measured on a few random bytes: a missing library, and some versions of it, are fifty times
    slower than others.
    """
    if not any(_large(Path(name.removeprefix("sim:"))) for name in names):
        return None
    measured = (pace or _pace)()
    if measured >= _SLOW:
        return None
    return message(
        "Searching raw bytes is slow here: {pace:,} MB/s a core, where more than {usual:,} is"
        " usual. Check the installed hyperscan; the results are the same.",
        pace=round(measured / 1e6),
        usual=round(_SLOW / 1e6),
    )


def _large(path: Path) -> bool:
    return path.is_block_device() or (path.is_file() and path.stat().st_size >= _WORTH_A_LOOK)


def _pace() -> float:
    """Bytes a second that one core searches."""
    noise = Memory(secrets.token_bytes(_PACED), Locator.root("memory", "pace"))
    detect.warm(house.prefilter_cache())
    took = []
    for _ in range(2):  # the first time loads what the second finds
        began = time.perf_counter()
        deque(detect.scan(noise, b""), 0)
        took.append(time.perf_counter() - began)
    return _PACED / min(took)


def why_not(path: str, error: OSError) -> Message:
    """Why a file cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return message("{path} does not exist; check the name.", path=path)
    return message("{path} cannot be opened: {why}.", path=path, why=error.strerror or "?")


def storage_full(error: BaseException) -> bool:
    """Whether SQLite says that the disk under the case is full."""
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)


def purge(case: Path) -> None:
    """Removes a case, its key and SQLite's files beside it. Refused where it is no case."""
    if case.exists() and not is_case(case):
        raise Refused(
            message("{path} is not a case file; name another with --case.", path=str(case))
        )
    for path in (case, *(case.with_name(case.name + end) for end in ("-wal", "-shm", "-journal"))):
        path.unlink(missing_ok=True)
    house.destroy_key(case)

"""``hakushi dispose``: erase drives, and prove it by reading them again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from hakushi.app import dispose as verb
from hakushi.app.challenge import stream
from hakushi.app.recording import Recording
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.cli.record import LOG, RECORD_AS
from hakushi.model import Message, message


def dispose(
    devices: Annotated[
        list[str],
        typer.Argument(
            metavar="DEVICE…", help=tell(message("Drives, sim:PATH, or image files (--image)."))
        ),
    ],
    policy: Annotated[
        str, typer.Option(metavar="NAME", help=tell(message("`policy list` shows them.")))
    ],
    technique: Annotated[
        str | None, typer.Option(metavar="ID", help=tell(message("This technique and no other.")))
    ] = None,
    image: Annotated[
        bool, typer.Option("--image", help=tell(message("Overwrite regular files, too.")))
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help=tell(message("Show what would be done; touch nothing.")))
    ] = False,
    erase: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERIAL", help=tell(message("Yes, erase the drive with this serial."))
        ),
    ] = None,
    operator: Annotated[
        str | None, typer.Option(metavar="ID", help=tell(message("Who does it.")))
    ] = None,
    second_operator: Annotated[
        str | None, typer.Option(metavar="ID", help=tell(message("Who confirms it.")))
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=tell(message("Where journals and evidence go (./hakushi-evidence).")),
        ),
    ] = None,
    psid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERIAL=PSID",
            help=tell(message("The password on the drive's label: opens what somebody locked.")),
        ),
    ] = None,
    as_: RECORD_AS = None,
    log: LOG = None,
    keystream: Annotated[
        str | None,
        typer.Option(
            metavar="SEED|URL",
            help=tell(
                message("Write the owner's keystream: a seed's file, or a box that serves it.")
            ),
        ),
    ] = None,
    json_: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE|-", help=tell(message("Write the result as JSON."))),
    ] = None,
) -> int:
    options = verb.Options(
        policy=policy,
        technique=technique,
        image=image,
        erase=frozenset(erase or ()),
        operator=operator,
        second_operator=second_operator,
        evidence=evidence or Path.cwd() / "hakushi-evidence",
        stream=None if plan or keystream is None else stream(keystream),
        psid=verb.psids(psid or ()),
        record=None if plan else Recording.into(log, as_ or (), operator),
    )
    if plan:
        return _plan(devices, options, json_)
    assess = verb.assess_afterwards(len(devices), policy)
    with _progress() as say:
        done = verb.dispose_all(devices, options, assess, say)
    if json_ != "-":
        for one in done:
            _tell(one)
    if json_ is not None:
        show.write_json(json_, verb.disposals_json(done))
    return show.worst([one.code for one in done])


def _plan(devices: Sequence[str], options: verb.Options, json_: str | None) -> int:
    plans = verb.plan_all(devices, options)
    told = verb.plan_json(plans)
    if json_ != "-":
        for one in told["drives"]:
            _tell_plan(one)
    if json_ is not None:
        show.write_json(json_, told)
    return 5 if any(one.refused for one in plans) else 0


def _tell_plan(told: dict[str, Any]) -> None:
    print(show.clean(f"{told['serial']}: {told['technique'] or '-'}"))
    lines = [told.get("why"), *told.get("notes", ()), told["refused"]]
    lines += [f"{r['technique']}: {r['why']}" for r in told.get("rejected", ())]
    for line in dict.fromkeys(line for line in lines if line):
        print(f"  - {show.clean(line)}")


_OUTCOMES: dict[tuple[str, str | None], Message] = {
    ("completed", "clean"): message("COMPLETED and CLEAN: nothing that could be restored is left."),
    ("completed", "residue"): message("COMPLETED, but RESIDUE was found afterwards."),
    ("completed", "inconclusive"): message("COMPLETED, but it cannot be called clean."),
    ("failed", None): message("FAILED: do not let this drive go."),
    ("unknown", None): message("UNKNOWN: do not let this drive go."),
    ("refused", None): message("REFUSED: nothing was done."),
}


_AFTERWARDS: dict[str, Message] = {
    "clean": message("Assessed afterwards: nothing that could be restored was found."),
    "residue": message("Assessed afterwards: RESIDUE, something can still be restored."),
    "inconclusive": message("Assessed afterwards: it cannot be called clean."),
}


def _tell(one: verb.Disposal) -> None:
    """The result for a person, on standard output."""
    word = _OUTCOMES.get((one.outcome, one.verdict)) or _OUTCOMES.get((one.outcome, None))
    text = tell(word or message("COMPLETED, but nothing could be read afterwards."))
    print(f"{show.clean(one.name)} ({show.clean(one.serial)}): {text}")
    if one.outcome != "completed" and one.verdict is not None:
        print(f"  {tell(_AFTERWARDS[one.verdict])}")
    for reason in one.reasons:
        print(f"  - {show.clean(tell(reason))}")
    if one.evidence:
        print("  " + tell(message("Evidence: {path}", path=str(one.evidence))))
    if one.entries:
        told = ", ".join(map(str, one.entries))
        print("  " + tell(message("Recorded in the log: {entries}.", entries=told)))


_HOT = 60
"""Degrees: what most makers of hard disks allow at most."""


def _warns() -> Callable[[verb.Step], None]:
    """Tells once of each drive that becomes too warm."""
    told: set[str] = set()

    def hot(step: verb.Step) -> None:
        if step.celsius is not None and step.celsius >= _HOT and step.name not in told:
            told.add(step.name)
            said = message(
                "{drive} is {celsius} °C warm: see to its cooling.",
                drive=step.name,
                celsius=step.celsius,
            )
            show.note(show.clean(tell(said)))

    return hot


@contextmanager
def _progress() -> Iterator[Callable[[verb.Step], None]]:
    """A bar a drive with its speed on a terminal; a line a phase elsewhere."""
    if os.environ.get("NO_PROGRESS"):
        yield lambda _step: None
    elif sys.stderr.isatty():
        with _bars() as say:
            yield say
    else:
        told: set[tuple[str, str]] = set()
        lock = threading.Lock()
        hot = _warns()

        def line(step: verb.Step) -> None:
            hot(step)
            what = tell(step.phase)
            with lock:
                if (step.name, what) not in told:
                    told.add((step.name, what))
                    show.note(f"{show.clean(step.name)}: {what} …")

        yield line


@contextmanager
def _bars() -> Iterator[Callable[[verb.Step], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[warmth]}", markup=False),
        console=Console(stderr=True),
    )
    tasks: dict[tuple[str, str], TaskID] = {}
    hot = _warns()
    lock = threading.Lock()
    with bars:

        def say(step: verb.Step) -> None:
            key = (step.name, tell(step.phase))
            with lock:
                if key not in tasks:
                    tasks[key] = bars.add_task(
                        f"{show.clean(step.name)} {key[1]}", total=step.total, warmth=""
                    )
            warmth = "" if step.celsius is None else f"{step.celsius} °C"
            bars.update(tasks[key], completed=step.done, total=step.total, warmth=warmth)
            hot(step)

        yield say

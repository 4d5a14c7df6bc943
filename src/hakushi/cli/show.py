"""What several commands show alike: progress, sizes, JSON, the worst of several exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hakushi.app.assess import Step
from hakushi.app.words import tell
from hakushi.model import Message, message

_ORDER = (1, 5, 3, 4, 6, 0)
"""Of several sources or drives the worst counts."""

_PHASES = {
    "harvest": message("Reading every sector"),
    "sample": message("Reading a sample"),
    "records": message("Reading old records of file systems"),
    "inspect": message("Looking inside files"),
    "carve": message("Searching what no file system names"),
    "inspect carved": message("Looking inside what was found there"),
    "scan": message("Searching the rest"),
    "count": message("Counting whose data it is"),
    "recover": message("Writing files"),
    "detect": message("Looking for personal data"),
}


def worst(codes: list[int]) -> int:
    return min(codes, key=_ORDER.index) if codes else 0


def size(number: int) -> str:
    """Bytes for a person: three digits and a binary unit."""
    value = float(number)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return (
                f"{number} B"
                if unit == "B"
                else f"{value:.3g} {unit}"
                if value < 1000
                else f"{value:.0f} {unit}"
            )
        value /= 1024
    return str(number)


def clean(text: str) -> str:
    """A name from a drive, safe for a terminal: no control or direction-changing characters."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def write_json(target: str, value: Any) -> None:
    """To a file, or to standard output for ``-``."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    text = text.encode("utf-8", "replace").decode("utf-8")
    if target == "-":
        sys.stdout.write(text)
    else:
        Path(target).write_text(text, encoding="utf-8")


def note(text: str) -> None:
    """A line beside the results, on standard error."""
    print(text, file=sys.stderr)


@contextmanager
def progress(name: str) -> Iterator[Callable[[Step], None]]:
    """A bar a phase on a terminal; a line a phase elsewhere; nothing where NO_PROGRESS is set."""
    if os.environ.get("NO_PROGRESS"):
        yield lambda _step: None
    elif sys.stderr.isatty():
        with _bars(name) as say:
            yield say
    else:
        told: set[str] = set()

        def line(step: Step) -> None:
            if step.phase not in told and step.of:
                told.add(step.phase)
                note(f"{name}: {tell(phase(step.phase))} …")

        yield line


def phase(name: str) -> Message:
    return _PHASES.get(name, message(name))


@contextmanager
def _bars(name: str) -> Iterator[Callable[[Step], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bars:
        tasks: dict[str, Any] = {}

        def say(step: Step) -> None:
            if not step.of:
                return
            if step.phase not in tasks:
                tasks[step.phase] = bars.add_task(tell(phase(step.phase)), total=step.of)
            bars.update(tasks[step.phase], completed=step.done, total=step.of)

        bars.console.print(clean(name))
        yield say

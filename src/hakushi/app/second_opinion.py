"""A second opinion: another program looks at the same medium, and what it alone found is added.

The program is run where it is installed, by an argument list, in a private folder beside the case
that is removed afterwards, with bounds on time and room. Nothing it says is believed but where on
the medium something lies: the bytes are read again from there, and are never called complete.
Whatever keeps it from looking is Damage: an opinion that was asked for and is missing is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hakushi.assess.case import Case
from hakushi.assess.medium import Medium
from hakushi.assess.pipeline import absolute
from hakushi.model import (
    Artifact,
    Damage,
    Extent,
    Extents,
    Locator,
    Refused,
    Role,
    Run,
    Source,
    State,
    Unreadable,
    message,
)

TOOLS = ("photorec",)
STEP = "second-opinion"
"""The locator step of what another program alone found; its value is where that begins."""

_ASKED = "partition_none,options,paranoid,fileopt,everything,enable,wholespace,search"
_BYTES_A_SECOND = 4_000_000
_LEAST_SECONDS = 120
_LEFT = 1 << 30
"""Bytes that stay free on the disk that its folder lies on."""

_MOST_FILES = 1_000_000
_READ = 1 << 20
_RAW = frozenset({"raw"})


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the program said: its claims as runs of the medium, and why it did not say more."""

    claims: tuple[tuple[str, int, tuple[Run, ...]], ...] = ()
    """(file name, size, runs)."""
    flaw: str = ""


def known(tool: str) -> None:
    """Refuses a program that we do not know how to ask."""
    if tool not in TOOLS:
        raise Refused(
            message(
                "{tool} cannot be asked for a second opinion; known are: {tools}.",
                tool=tool,
                tools=", ".join(TOOLS),
            )
        )


def ask(tool: str, medium: Medium, beside: Path) -> Opinion:
    """Runs the program over the medium, with a folder in ``beside`` to write into."""
    program = shutil.which(tool)
    if program is None:
        return Opinion(flaw=f"no second opinion: {tool} is not installed")
    if medium.root.format not in _RAW:
        return Opinion(flaw=f"no second opinion: {tool} is asked about raw images and drives only")
    path = Path(medium.root.name).resolve()
    try:
        with tempfile.TemporaryDirectory(prefix=".second-opinion-", dir=beside) as folder:
            out = Path(folder) / "out"
            words = [program, "/d", str(out), "/cmd", str(path), _ASKED]
            flaw = _run(words, Path(folder), medium.source.size)
            claims = list[tuple[str, int, tuple[Run, ...]]]()
            for report in sorted(Path(folder).glob("out.*/report.xml")):
                claims += _claims(report, medium.source.size)
            if not claims and not list(Path(folder).glob("out.*/report.xml")):
                flaw = flaw or f"no second opinion: {tool} left no report"
    except OSError as error:
        return Opinion(flaw=f"no second opinion: {error.strerror or error}")
    return Opinion(tuple(claims), flaw)


def _run(words: list[str], folder: Path, size: int) -> str:
    """Runs it to its end or to a bound; says which bound it met."""
    until = time.monotonic() + _LEAST_SECONDS + size / _BYTES_A_SECOND
    child = subprocess.Popen(
        words,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", ""), "TERM": "dumb", "HOME": str(folder)},
    )
    try:
        while True:
            try:
                child.wait(timeout=1.0)
            except subprocess.TimeoutExpired:
                pass
            else:
                code = child.returncode
                return f"second opinion: it ended with {code}" if code else ""
            if time.monotonic() > until:
                return "second opinion: stopped, it took too long"
            if shutil.disk_usage(folder).free < _LEFT:
                return "second opinion: stopped, its disk was nearly full"
    finally:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _claims(report: Path, size: int) -> Iterator[tuple[str, int, tuple[Run, ...]]]:
    """The files of a report (DFXML), as far as it goes: one that was stopped leaves it open."""
    from lxml import etree

    events = etree.iterparse(
        str(report), events=("end",), tag="{*}fileobject", resolve_entities=False, recover=True
    )
    for _, element in islice(events, _MOST_FILES):
        name, length = element.findtext("{*}filename"), element.findtext("{*}filesize")
        runs = list(_runs(element.iterfind("{*}byte_runs/{*}byte_run"), size))
        element.clear()
        if name and length and length.isdecimal() and len(length) < 20 and runs:
            yield Path(name).name, int(length), tuple(runs)


def _runs(elements: Iterable[Any], size: int) -> Iterator[Run]:
    for one in elements:
        at, length = one.get("img_offset", ""), one.get("len", "")
        if at.isdecimal() and length.isdecimal() and len(at) < 20 and len(length) < 20:
            start, end = int(at), min(int(at) + int(length), size)
            if start < end:
                yield Run(start, end - start)


def alone(opinion: Opinion, medium: Medium, case: Case) -> Iterator[Artifact]:
    """What it alone found: bytes that begin in none of our files, of a digest that none has."""
    digests = {digest for (digest,) in case.rows("SELECT DISTINCT sha256 FROM artifact") if digest}
    held = _held(case, medium.source.locator)
    for name, size, runs in opinion.claims:
        length = min(size, sum(run.length for run in runs))
        first = runs[0].at
        if not length or first is None or first in held:
            continue
        try:
            digest = _digest(medium.source, runs, length)
        except Unreadable:
            digest = None
        if digest is not None and digest in digests:
            continue
        ending = name.rpartition(".")[2].lower()
        yield Artifact(
            medium.source.locator.step(STEP, first),
            ending if ending.isascii() and ending.isalnum() else "file",
            State.CARVED,
            length,
            runs,
            complete=False,
        )


def _held(case: Case, top: Locator) -> Extents:
    """Where on the medium our own files lie."""
    volumes = {a.locator: a for a in case.artifacts("role=?", (Role.VOLUME.value,))}
    query = "runs IS NOT NULL AND NOT nested AND NOT superseded AND role='content'"
    return Extents(
        Extent(run.at, run.length)
        for one in case.artifacts(query)
        for run in absolute(one, top, volumes) or ()
        if run.at is not None
    )


def _digest(source: Source, runs: tuple[Run, ...], length: int) -> str:
    digest = hashlib.sha256()
    for run in runs:
        take = min(run.length, length)
        for at in range(run.at or 0, (run.at or 0) + take, _READ):
            digest.update(source.read(Extent(at, min(_READ, (run.at or 0) + take - at))))
        length -= take
    return digest.hexdigest()


def consult(
    tool: str, medium: Medium, case: Case, beside: Path
) -> tuple[list[Artifact], list[Damage]]:
    """What the program alone found, and what kept it from saying more."""
    opinion = ask(tool, medium, beside)
    place = medium.source.locator.step(STEP, tool)
    flaws = [Damage(place, opinion.flaw)] if opinion.flaw else []
    return list(alone(opinion, medium, case)), flaws

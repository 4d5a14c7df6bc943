"""Fills a report from a case, and writes it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hakushi import __version__
from hakushi.app.assess import Result
from hakushi.app.words import tell
from hakushi.assess.case import Case
from hakushi.assess.pipeline import owners
from hakushi.assess.report import KINDS, FileRow, View, render
from hakushi.assess.summary import mask_path
from hakushi.model import CLASSES, SECTOR, Artifact, Locator, Strength

_ROWS = 200
_SAMPLES = 6


def write_report(result: Result, path: Path, lang: str, *, show_paths: bool) -> None:
    """One self-contained HTML file."""
    path.write_text(html(result, lang, show_paths=show_paths), encoding="utf-8")


def html(result: Result, lang: str, *, show_paths: bool) -> str:
    """The report of a finished or stopped assessment, as one HTML page."""
    case = Case.open(result.case)
    try:
        options = {k: json.dumps(v) for k, v in (case.get("bound") or {})["options"].items()}
        told = _told(case)
        view = View(
            name=Path(result.name).name,
            summary=result.summary,
            classes=list(_classes(case)),
            owned=owners(case, Locator.parse(case.get("locator"))),
            files=_files(case, told, show_paths=show_paths),
            samples=told.samples,
            made_at=time.strftime("%Y-%m-%d %H:%M %z"),
            version=__version__,
            options=options,
        )
        return render(view, lang)
    finally:
        case.close()


def kind_word(kind: str) -> str:
    """The name of a kind of finding, in the current language."""
    words_of_kind = KINDS.get(kind)
    return kind if words_of_kind is None else tell(words_of_kind)


def _classes(case: Case) -> Iterator[tuple[int, int, str]]:
    """Runs of one class over the medium, neighbours joined."""
    last: tuple[int, int, str] | None = None
    for cell in case.cells():
        at = cell.offset
        for index, sectors in cell.classes:
            length = min(sectors * SECTOR, cell.offset + cell.length - at)
            name = CLASSES[index].value
            if last is not None and last[2] == name and last[0] + last[1] == at:
                last = (last[0], last[1] + length, name)
            else:
                if last is not None:
                    yield last
                last = (at, length, name)
            at += length
    if last is not None:
        yield last


@dataclass(slots=True)
class _Told:
    """What findings tell, by the file on the medium that they lie in; labelled ones alone."""

    counts: dict[str, Counter[str]]
    masked: dict[str, list[str]]
    """One of each kind."""
    samples: dict[str, list[str]]
    """Kind -> a few."""


def _told(case: Case) -> _Told:
    """One pass over all findings. Of an age or a password nothing is shown."""
    told = _Told({}, {}, {})
    least: dict[tuple[str, str], str] = {}
    samples: dict[str, dict[str, None]] = {}
    for columns in case.found():
        top = _top(columns.where)
        for kind, _ in columns.names:
            samples.setdefault(kind, {})
        for _, _, kind, strength, shown, _ in columns.places():
            if strength == Strength.LABELLED:
                told.counts.setdefault(top, Counter())[kind] += 1
                least[top, kind] = min(shown, least.get((top, kind), shown))
                if len(samples[kind]) < _SAMPLES and shown.strip("*"):
                    samples[kind][shown] = None
    for (top, _), shown in sorted(least.items()):
        if shown.strip("*"):
            told.masked.setdefault(top, []).append(shown)
    told.samples = {kind: list(some) for kind, some in sorted(samples.items())}
    return told


def _files(case: Case, told: _Told, *, show_paths: bool) -> list[FileRow]:
    """Examples: those with most personal data first, then live before deleted before carved."""
    prefix = len(str(case.root)) + 1
    rows: list[tuple[int, FileRow]] = []
    which = "role='content' AND NOT nested AND NOT superseded AND kind<>'directory'"
    for artifact in case.artifacts(which):
        relative = str(artifact.locator)[prefix:]
        found = told.counts.get(relative, Counter())
        weight = sum(found.values())
        rows.append((weight, _row(artifact, found, told.masked.get(relative, []), show_paths)))
        if len(rows) > 20 * _ROWS:
            rows = sorted(rows, key=lambda r: -r[0])[:_ROWS]
    return [row for _, row in sorted(rows, key=lambda r: -r[0])[:_ROWS]]


def _top(locator: str) -> str:
    """The file on the medium that a relative locator lies in."""
    names = locator.split("/")
    for depth, name in enumerate(names):
        if not name.startswith("part:"):
            return "/".join(names[: depth + 1])
    return locator


def _row(artifact: Artifact, found: Counter[str], masked: list[str], show_paths: bool) -> FileRow:
    path = artifact.path
    return FileRow(
        path=path if path is None or show_paths else mask_path(path),
        locator=str(artifact.locator),
        kind=artifact.kind,
        state=artifact.state.value,
        size=artifact.size,
        complete=artifact.complete,
        findings=dict(found.most_common()),
        masked=masked[:_SAMPLES],
    )

"""The verbs on a case file: list what it holds, remove it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hakushi.app import assess
from hakushi.assess.case import Case
from hakushi.model import Artifact, Finding, Refused, Role, message

_LISTED = (Role.CONTENT, Role.NAME, Role.LABEL, Role.ENCRYPTED)


def artifacts(path: Path, format: str) -> Iterator[str]:
    """A JSON line an artifact: what could be restored, by its own findings."""
    _known(format, ("jsonl",))
    case = _open(path)
    roles = ",".join(f"'{role.value}'" for role in _LISTED)
    counts = _finding_counts(case)
    for artifact in case.artifacts(f"role IN ({roles}) AND NOT superseded"):
        yield _line(_artifact(artifact, counts.get(str(artifact.locator), Counter())))


def findings(path: Path, format: str) -> Iterator[str]:
    """A JSON line a finding, masked."""
    _known(format, ("jsonl",))
    for finding in _open(path).findings():
        yield _line(_finding(finding))


def purge(path: Path) -> list[Path]:
    """Removes a case, its key, and the files that it restored; says what it removed."""
    if not path.exists():
        raise Refused(message("{path} does not exist; check the name.", path=str(path)))
    case = Case.open(path)
    removed = []
    folders: set[Path] = set()
    for folder, below in case.restored_files():
        target = folder / below
        if target.is_file() and not target.is_symlink():
            target.unlink()
            removed.append(target)
        folders.update(p for p in target.parents if p.is_relative_to(folder))
    case.close()
    for folder in sorted(folders, key=lambda p: -len(p.parts)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    assess.purge(path)
    return [*removed, path]


def _open(path: Path) -> Case:
    if not path.exists():
        raise Refused(message("{path} does not exist; check the name.", path=str(path)))
    return Case.open(path)


def _known(format: str, formats: tuple[str, ...]) -> None:
    if format not in formats:
        raise Refused(
            message(
                "There is no format called {name}; there is: {known}.",
                name=format[:40],
                known=", ".join(formats),
            )
        )


def _finding_counts(case: Case) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for finding in case.findings():
        names = finding.locator
        if names.last[0] == "text" and names.parent is not None:
            names = names.parent
        counts.setdefault(str(names), Counter())[finding.kind] += 1
    return counts


def _artifact(artifact: Artifact, found: Counter[str]) -> dict[str, Any]:
    return {
        "locator": str(artifact.locator),
        "kind": artifact.kind,
        "state": artifact.state.value,
        "path": artifact.path,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "complete": artifact.complete,
        "role": artifact.role.value,
        "modified": artifact.modified,
        "findings": dict(sorted(found.items())),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "locator": str(finding.locator),
        "offset": finding.extent.offset,
        "length": finding.extent.length,
        "strength": finding.strength.value,
        "masked": finding.masked,
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"

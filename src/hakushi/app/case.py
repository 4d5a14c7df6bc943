"""The verbs on a case file: list what it holds, remove it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hakushi.app import assess
from hakushi.assess import exchange
from hakushi.assess.case import Case
from hakushi.assess.pipeline import absolute
from hakushi.model import Artifact, Extent, Finding, Refused, Role, message

_Make = Callable[[Iterable[Any]], Iterator[str]]
_LISTED = (Role.CONTENT, Role.NAME, Role.LABEL, Role.ENCRYPTED, Role.MEMBER)


def artifacts(path: Path, format: str) -> Iterator[str]:
    """What could be restored, with its own findings: jsonl, csv, dfxml or bodyfile."""
    make = _known(
        format,
        {
            "jsonl": _json_lines,
            "csv": exchange.csv_lines,
            "dfxml": exchange.dfxml_lines,
            "bodyfile": exchange.bodyfile_lines,
        },
    )
    return make(_rows(_open(path)))


def _rows(case: Case) -> Iterator[exchange.Row]:
    roles = ",".join(f"'{role.value}'" for role in _LISTED)
    counts = _finding_counts(case)
    volumes = {a.locator: a for a in case.artifacts("role=?", (Role.VOLUME.value,))}
    for artifact in case.artifacts(f"role IN ({roles}) AND NOT superseded"):
        runs = () if artifact.nested else absolute(artifact, case.root, volumes) or ()
        extents = tuple(Extent(r.at, r.length) for r in runs if r.at is not None)
        whole = extents if len(extents) == len(runs) else ()
        yield artifact, counts.get(str(artifact.locator), Counter()), whole


def _json_lines(rows: Iterable[exchange.Row]) -> Iterator[str]:
    return (_line(_artifact(artifact, found)) for artifact, found, _ in rows)


def findings(path: Path, format: str) -> Iterator[str]:
    """Every finding, masked, as ``jsonl`` or ``feature-file``. Refused where nobody looked for any:
    an empty list would say that there is none.
    """
    make = _known(format, {"jsonl": _finding_lines, "feature-file": exchange.feature_lines})
    case = _open(path)
    if (case.get("bound") or {}).get("options", {}).get("findings") is False:
        raise Refused(
            message(
                "Personal data was not looked for in {path} (--files-only): assess it without"
                " that.",
                path=str(path),
            )
        )
    return make(case.findings())


def _finding_lines(found: Iterable[Finding]) -> Iterator[str]:
    return (_line(_finding(one)) for one in found)


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


def _known(format: str, formats: Mapping[str, _Make]) -> _Make:
    """What makes a format. Refused where there is none of that name."""
    if format not in formats:
        raise Refused(
            message(
                "There is no format called {name}; there is: {known}.",
                name=format[:40],
                known=", ".join(formats),
            )
        )
    return formats[format]


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

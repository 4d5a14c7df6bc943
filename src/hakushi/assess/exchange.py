"""A case in the field's exchange formats: CSV, DFXML, The Sleuth Kit's bodyfile, feature files.

Every name comes from a drive and is hostile: no format lets one break a line, a cell or a tag.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from hakushi import __version__
from hakushi.model import Artifact, Extent, Finding, State

Row = tuple[Artifact, Counter[str], tuple[Extent, ...]]
"""An artifact, how many findings of each kind are in it, and its runs on the medium where known."""

_COLUMNS = (
    "locator",
    "kind",
    "state",
    "path",
    "size",
    "sha256",
    "complete",
    "role",
    "modified",
    "findings",
)


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """One line an artifact under a header; findings as ``kind=count``."""
    yield _csv(_COLUMNS)
    for artifact, found, _ in rows:
        yield _csv(
            (
                str(artifact.locator),
                artifact.kind,
                artifact.state.value,
                _cell(artifact.path or ""),
                artifact.size,
                artifact.sha256 or "",
                int(artifact.complete),
                artifact.role.value,
                "" if artifact.modified is None else artifact.modified,
                " ".join(f"{kind}={count}" for kind, count in sorted(found.items())),
            )
        )


def _csv(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _cell(name: str) -> str:
    """A name that no spreadsheet takes for a formula, on one line."""
    name = _plain(name)
    return f"'{name}" if name[:1] in ("=", "+", "-", "@") else name


def _plain(name: str) -> str:
    """Control characters and other unprintable ones written out."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in name)


def bodyfile_lines(rows: Iterable[Row]) -> Iterator[str]:
    """The Sleuth Kit's bodyfile 3: no MD5 is known, and of the times only the last change."""
    for artifact, _, _ in rows:
        name = _plain(artifact.path or str(artifact.locator)).replace("|", "\\u007c")
        gone = "" if artifact.state is State.LIVE else f" ({artifact.state.value})"
        mode = "d/d---------" if artifact.kind == "directory" else "r/r---------"
        inode = str(artifact.locator.last[1]).replace("|", "_")
        changed = artifact.modified or 0
        yield f"0|{name}{gone}|{_plain(inode)}|{mode}|0|0|{artifact.size}|0|{changed}|0|0\n"


def dfxml_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Digital Forensics XML: a ``fileobject`` an artifact, with its runs on the medium."""
    yield "<?xml version='1.0' encoding='UTF-8'?>\n"
    yield "<dfxml xmloutputversion='1.0'>\n"
    yield f"<creator><program>hakushi</program><version>{__version__}</version></creator>\n"
    for artifact, _, runs in rows:
        name = escape(_plain(artifact.path or str(artifact.locator)))
        yield f"<fileobject><filename>{name}</filename><filesize>{artifact.size}</filesize>"
        yield f"<alloc>{int(artifact.state is State.LIVE)}</alloc>"
        if runs:
            at = 0
            yield "<byte_runs>"
            for run in runs:
                yield f"<byte_run file_offset='{at}' img_offset='{run.offset}' len='{run.length}'/>"
                at += run.length
            yield "</byte_runs>"
        if artifact.sha256:
            yield f"<hashdigest type='sha256'>{artifact.sha256}</hashdigest>"
        yield "</fileobject>\n"
    yield "</dfxml>\n"


def feature_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A feature file as bulk_extractor writes them: place, feature (masked), context."""
    yield "# Feature-File-Version: 1.1\n"
    yield f"# hakushi {__version__}; features are masked\n"
    for one in findings:
        yield (
            f"{one.locator}-{one.extent.offset}\t{_plain(one.masked)}\t"
            f"{one.kind} {one.strength.value}\n"
        )

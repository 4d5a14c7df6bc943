"""``hakushi case``: what a case file holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import case as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)

_CASE = typer.Argument(help=tell(message("The case file.")))


@app.command(help=tell(message("Everything that was found, a line each.")))
def artifacts(
    case: Annotated[Path, _CASE],
    format: Annotated[str, typer.Option(help="jsonl, csv, dfxml, bodyfile")] = "jsonl",
) -> None:
    for line in verb.artifacts(case, format):
        sys.stdout.write(line)


@app.command(help=tell(message("Every finding, masked, a line each.")))
def findings(
    case: Annotated[Path, _CASE],
    format: Annotated[str, typer.Option(help="jsonl, feature-file")] = "jsonl",
) -> None:
    for line in verb.findings(case, format):
        sys.stdout.write(line)


@app.command(help=tell(message("Remove a case, its key and what it recovered.")))
def purge(case: Annotated[Path, _CASE]) -> None:
    for path in verb.purge(case):
        show.note(tell(message("Removed {path}", path=str(path))))

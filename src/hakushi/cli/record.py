"""``hakushi record``: one event into the signed log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import log as logs
from hakushi.app import record as verb
from hakushi.app.words import broken, tell
from hakushi.cli import show
from hakushi.model import Malformed, Refused, message

_FAILED = 6

AS = Annotated[
    list[str],
    typer.Option("--as", metavar="KEY", help=tell(message("Who signs; again for a second one."))),
]
RECORD_AS = Annotated[
    list[str] | None,
    typer.Option(
        "--as",
        metavar="KEY",
        help=tell(message("Record it in the log, signed by this key; again for a second one.")),
    ),
]
DRIVES = Annotated[
    list[str] | None,
    typer.Option("--drive", metavar="SERIAL", help=tell(message("The drive; again for more."))),
]
LOG = Annotated[
    Path | None,
    typer.Option(
        "--log", help=tell(message("The log's folder or file (default: the one made last)."))
    ),
]


def record(
    type: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help=tell(message("What happened; --fields lists them."))),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help=tell(message("Its fields."))),
    ] = None,
    drive: DRIVES = None,
    as_: AS = [],  # noqa: B006 - Typer reads it, nobody changes it
    log: LOG = None,
    fields: Annotated[
        bool, typer.Option("--fields", help=tell(message("List every event and its fields.")))
    ] = False,
) -> int:
    if fields:
        for name, words in verb.usage():
            print(f"{name:18} {words}")
        return 0
    pairs = dict(one.partition("=")[::2] for one in values or ())
    return written(
        lambda: verb.record(type or "", drive or (), pairs, signers(as_), logs.chosen(log))
    )


def signers(names: list[str]) -> list[str]:
    """At least one, else refused."""
    if not names:
        raise Refused(message("Who signs? Name a key with --as."))
    return names


def written(write: verb.Writing) -> int:
    """Says where an event stands, and the breaks that it brought."""
    try:
        done = write()
    except Malformed as error:
        show.note(show.clean(tell(message("The log is damaged: {why}.", why=str(error)))))
        return _FAILED
    print(done.entry)
    for one in done.breaks:
        show.note(
            tell(message("Noted as a break of custody: {about}", about=show.clean(broken(one))))
        )
    return 0

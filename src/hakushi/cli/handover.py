"""``hakushi handover``: one payload, two signatures."""

from __future__ import annotations

from typing import Annotated

import typer

from hakushi.app import log as logs
from hakushi.app import record as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.cli.record import AS, DRIVES, LOG, signers, written
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)


@app.command(help=tell(message("Offer drives to a party: custody stays with the giver.")))
def offer(
    giver: Annotated[str, typer.Option("--from", help=tell(message("The party that gives.")))],
    to: Annotated[str, typer.Option(help=tell(message("The party that is to receive.")))],
    drive: DRIVES = None,
    as_: AS = [],  # noqa: B006 - Typer reads it, nobody changes it
    log: LOG = None,
) -> int:
    def write() -> verb.Recorded:
        done = verb.offer(drive or (), giver, to, signers(as_)[0], logs.chosen(log))
        show.note(
            tell(
                message(
                    "Hand-over {number} is offered; it counts once {to} accepts it.",
                    number=getattr(done.event, "handover", ""),
                    to=show.clean(to),
                )
            )
        )
        return done

    return written(write)


@app.command(help=tell(message("Accept a hand-over: both have signed the same list.")))
def accept(
    handover: Annotated[str, typer.Argument(help=tell(message("The hand-over's number.")))],
    as_: AS = [],  # noqa: B006 - Typer reads it, nobody changes it
    log: LOG = None,
) -> int:
    return written(lambda: verb.accept(handover, signers(as_)[0], logs.chosen(log)))

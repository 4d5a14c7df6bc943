"""``hakushi claims``: what other programs' reports say, as claims and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hakushi.app import claims as verb
from hakushi.app import log as logs
from hakushi.app.words import answer, tell
from hakushi.cli import show
from hakushi.cli.record import LOG, RECORD_AS, written
from hakushi.model import Refused, message


def claims(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help=tell(message("Reports of nwipe, Blancco (XML), nvme, smartctl (JSON) or hdparm.")),
        ),
    ],
    json_: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE|-", help=tell(message("Write the result as JSON."))),
    ] = None,
    as_: RECORD_AS = None,
    log: LOG = None,
) -> int:
    code = 0
    told: list[dict[str, Any]] = []
    for path in files:
        try:
            found, digest = verb.of(path)
        except Refused as error:
            show.note(f"hakushi: {tell(error.message)}")
            code = 5
            continue
        told += [verb.claim_json(one, digest) for one in found]
        for one in found:
            if json_ != "-":
                _tell(one)
            if as_:
                code = max(code, _record(one, digest, as_, log))
    if json_ is not None:
        show.write_json(json_, {"schema": verb.SCHEMA, "claims": told})
    return code


def _record(one: verb.Claim, digest: str, signers: list[str], log: Path | None) -> int:
    if not one.serial:
        show.note(tell(message("A claim without a serial number was not recorded.")))
        return 4
    place = logs.chosen(log)
    return written(lambda: verb.recorded(one, digest, signers, place))


def _tell(one: verb.Claim) -> None:
    print(
        show.clean(
            tell(
                message(
                    "{serial}: {tool} says “{said}”. A claim; nobody here saw it: {outcome}.",
                    serial=one.serial or "?",
                    tool=one.tool,
                    said=one.said,
                    outcome=answer(verb.outcome(one)),
                )
            )
        )
    )

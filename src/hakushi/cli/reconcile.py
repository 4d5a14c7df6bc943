"""``hakushi reconcile``: an order, drive by drive; for people and for cron."""

from __future__ import annotations

import json as json_
import time
from typing import Annotated

import typer

from hakushi.app import record as verb
from hakushi.app.words import custody, tell
from hakushi.cli import show
from hakushi.cli.record import LOG
from hakushi.model import Malformed, message

_FAILED = 6


def reconcile(
    order: Annotated[str, typer.Argument(help=tell(message("The order's number.")))],
    json: Annotated[bool, typer.Option("--json", help=tell(message("As JSON.")))] = False,
    log: LOG = None,
) -> int:
    now = int(time.time())
    try:
        found = verb.reconciled(order, log, now)
    except Malformed as error:
        show.note(show.clean(tell(message("The log is damaged: {why}.", why=str(error)))))
        return _FAILED
    if json:
        print(json_.dumps(_object(found), ensure_ascii=False, indent=1))
    else:
        _told(found)
    return _FAILED if found.amiss else 0


def _object(found: verb.Reconciled) -> dict[str, object]:
    return {
        "schema": "hakushi.reconciliation/1",
        "order": found.order,
        "deadline": found.deadline,
        "counts": {one.value: found.count(one) for one in verb.Standing},
        "drives": [
            {
                "serial": line.serial,
                "standing": line.standing.value,
                "state": line.state,
                "owes": line.owes,
                "duty": str(line.duty) if line.duty else "",
            }
            for line in found.lines
        ],
    }


def _told(found: verb.Reconciled) -> None:
    for one in verb.Standing:
        if found.count(one):
            print(f"{found.count(one):8,}  {custody(one.value)}")
    for line in found.lines:
        if line.duty is not None:
            duty = tell(line.duty)
            print(
                f"{show.clean(line.serial)}: {custody(line.standing)} -"
                f" {show.clean(line.owes) or '?'}: {duty}"
            )

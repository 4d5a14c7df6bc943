"""``hakushi chain``: a drive's story, and every break in it."""

from __future__ import annotations

import json as json_
import time
from typing import Annotated

import typer

from hakushi.app import record as verb
from hakushi.app.words import broken, custody, tell
from hakushi.cli import show
from hakushi.cli.record import LOG
from hakushi.model import Malformed, message

_FAILED = 6


def chain(
    serial: Annotated[str, typer.Argument(help=tell(message("The drive's serial.")))],
    json: Annotated[bool, typer.Option("--json", help=tell(message("As JSON.")))] = False,
    log: LOG = None,
) -> int:
    try:
        one = verb.chain(serial, log)
    except Malformed as error:
        show.note(show.clean(tell(message("The log is damaged: {why}.", why=str(error)))))
        return _FAILED
    now = int(time.time())
    if json:
        print(json_.dumps(verb.told(one, now), ensure_ascii=False, indent=1))
    else:
        _told(one, now)
    return _FAILED if one.open or one.overdue(now) else 0


def _told(one: verb.Chain, now: int) -> None:
    print(
        tell(
            message(
                "{serial}: {state}, held by {holder}.",
                serial=show.clean(one.serial),
                state=custody(one.state),
                holder=show.clean(one.holder) or "-",
            )
        )
    )
    marked = {b.entry for b in one.breaks}
    for step in one.steps:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(step.event.at))
        who = ", ".join(f"{show.clean(p.name)} ({custody(p.role)})" for p in step.signers) or "?"
        mark = "!" if step.entry in marked else " "
        print(f"{mark} {step.entry:6}  {when}  {custody(step.event.TYPE)}: {who}")
    for b in one.breaks:
        reason = one.explained.get((b.rule, b.entry))
        word = message("Explained") if reason is not None else message("Break")
        print(f"{tell(word)} [{b.rule} @{b.entry}] {show.clean(broken(b.about))}")
        if reason is not None:
            print(f"    {show.clean(reason)}")
    if one.overdue(now):
        print(tell(message("Overdue: the order's deadline has passed without a verified end.")))

"""``hakushi demo``: the main job on a sample drive, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import demo as verb
from hakushi.app.assess import Step
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=tell(message("Write into this empty folder (default: a new one)."))
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help=tell(message("Leave the virtual drives, too.")))
    ] = False,
) -> int:
    folder = verb.fresh_folder(out)
    seen: set[tuple[str, str]] = set()

    def say(name: str, step: Step) -> None:
        if (name, step.phase) not in seen and step.of:
            seen.add((name, step.phase))
            show.note(f"{name}: {tell(show.phase(step.phase))} …")

    story = verb.run(folder, keep=keep, say=say)
    for line in verb.told(story):
        print(line)
    print(tell(message("Everything lies in {folder}", folder=str(folder))))
    if not story.as_expected:
        show.note(tell(message("Something came out otherwise than it should; please tell us.")))
        return 1
    return 0

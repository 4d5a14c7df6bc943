"""``hakushi challenge``: is the drive there, does the keystream lie on it?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import challenge as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import Malformed, message

app = typer.Typer(no_args_is_help=True)

_FAILED = 6
_OUT = Annotated[Path, typer.Option(metavar="NAME", help=tell(message("The file to write.")))]


@app.command(help=tell(message("Make a seed for a keystream that is to be left on a drive.")))
def seed(
    out: Annotated[Path, typer.Argument(metavar="FILE", help=tell(message("The file to write.")))],
) -> None:
    verb.new_seed(out)
    print(out)


@app.command(
    help=tell(
        message(
            "Ask about a drive: of what it holds before it leaves (DEVICE), or of a keystream that"
            " should lie on it (--seed)."
        )
    )
)
def new(
    out: _OUT,
    device: Annotated[
        str | None, typer.Argument(metavar="DEVICE", help=tell(message("Read, never written.")))
    ] = None,
    seed: Annotated[Path | None, typer.Option(help=tell(message("The seed's file.")))] = None,
    size: Annotated[
        int, typer.Option(metavar="BYTES", help=tell(message("The drive's size (with --seed).")))
    ] = 0,
    drive: Annotated[
        str, typer.Option(metavar="SERIAL", help=tell(message("The drive's serial (with --seed).")))
    ] = "",
    blocks: Annotated[
        int, typer.Option(min=0, max=20_000, help=tell(message("How many blocks to ask for.")))
    ] = 0,
) -> int:
    if (device is None) == (seed is None):
        show.note(tell(message("Name a drive, or a seed with --seed and --size.")))
        return 2
    if device is not None:
        mine, theirs = verb.from_drive(device, out, blocks or verb.CONTENT_SPOTS)
    else:
        assert seed is not None
        mine, theirs = verb.from_seed(seed, size, drive, out, blocks or verb.KEYSTREAM_SPOTS)
    print(mine)
    print(theirs)
    show.note(
        tell(
            message(
                "Keep {secret}. Give {question} away once, and only when the drive has arrived.",
                secret=str(mine),
                question=str(theirs),
            )
        )
    )
    return 0


@app.command(help=tell(message("Answer a question out of a drive's bytes.")))
def answer(
    question: Annotated[Path, typer.Argument(help=tell(message("The question's file.")))],
    device: Annotated[
        str, typer.Argument(metavar="DEVICE", help=tell(message("Read, never written.")))
    ],
    out: _OUT,
) -> int:
    unread = verb.answer(question, device, out)
    print(out)
    if unread:
        show.note(
            tell(message("{count} blocks could not be read; the answer says so.", count=unread))
        )
    return 0


@app.command(help=tell(message("Check an answer; exit code 6 if it fails.")))
def check(
    secret: Annotated[Path, typer.Argument(help=tell(message("The secret that was kept.")))],
    answer: Annotated[Path, typer.Argument(help=tell(message("The answer.")))],
) -> int:
    try:
        found = verb.check(secret, answer)
    except Malformed as error:
        show.note(show.clean(tell(message("It does not hold: {why}.", why=str(error)))))
        return _FAILED
    for line in verb.told(found):
        print(tell(line))
    if found.serial != found.secret.serial and found.secret.serial:
        print(
            tell(
                message(
                    "The answer names the drive {given}, the question was about {asked}.",
                    given=show.clean(found.serial),
                    asked=show.clean(found.secret.serial),
                )
            )
        )
    return 0 if found.outcome.holds else _FAILED

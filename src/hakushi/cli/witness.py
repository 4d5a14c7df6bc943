"""``hakushi witness``: sees to it that a log has one history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import witness as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)

_FAILED = 6
_LOGS = Annotated[
    Path,
    typer.Option("--policy", help=tell(message("A policy file that names the logs' keys."))),
]


@app.command(help=tell(message("Cosign logs that only grow, over HTTP; keep all that was shown.")))
def serve(
    place: Annotated[Path, typer.Argument(metavar="DIR", help=tell(message("What it keeps.")))],
    policy: _LOGS,
    key: Annotated[
        list[str], typer.Option(metavar="KEY", help=tell(message("Its key; again for a second.")))
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help=tell(message("Where.")))] = 0,
    host: Annotated[
        str, typer.Option(help=tell(message("On which address (default: this machine alone).")))
    ] = "127.0.0.1",
) -> None:
    verb.serve(place, key, policy, (host, port), lambda url: print(url, flush=True))


@app.command(help=tell(message("Write the proofs of every fork that a witness saw; 6 if any.")))
def forks(
    place: Annotated[Path, typer.Argument(metavar="DIR", help=tell(message("What it keeps.")))],
    policy: _LOGS,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help=tell(message("Where the proofs go.")))
    ] = Path(),
) -> int:
    found = verb.forks(place, policy)
    for number, (origin, proof) in enumerate(found, 1):
        path = out / f"fork-{number}"
        path.write_bytes(proof)
        print(f"{path}  {show.clean(origin)}")
    if not found:
        show.note(tell(message("It saw no fork.")))
    return _FAILED if found else 0


@app.command(help=tell(message("Check a proof of a fork: did this key sign two histories?")))
def convict(
    proof: Annotated[Path, typer.Argument(help=tell(message("The proof.")))], policy: _LOGS
) -> int:
    origin = verb.convicts(proof, policy)
    if origin is None:
        show.note(tell(message("It convicts none of these keys.")))
        return _FAILED
    words = message(
        "The key of {origin} signed two histories; trust neither.", origin=show.clean(origin)
    )
    print(tell(words))
    return 0

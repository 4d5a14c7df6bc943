"""``hakushi keystream``: a box that gives a keystream's bytes and keeps its seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import challenge as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _several() -> None:
    """More commands may come."""


@app.command(help=tell(message("Serve the keystream of a seed to `dispose --keystream URL`.")))
def serve(
    seed: Annotated[Path, typer.Argument(help=tell(message("The seed's file.")))],
    port: Annotated[int, typer.Option(min=0, max=65535, help=tell(message("Where.")))] = 0,
    host: Annotated[
        str, typer.Option(help=tell(message("On which address (default: this machine alone).")))
    ] = "127.0.0.1",
) -> None:
    def ready(url: str) -> None:
        print(url, flush=True)
        show.note(
            tell(
                message(
                    "Serving until you stop it. Whoever reaches it can read the stream: leave it on"
                    " a network of your own, and stop it before you ask."
                )
            )
        )

    verb.serve(seed, host, port, ready)

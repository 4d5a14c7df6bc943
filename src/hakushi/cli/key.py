"""``hakushi key``: keys that sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import keys as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)


@app.command(help=tell(message("Make a key; prints its public half.")))
def new(
    name: Annotated[
        str | None,
        typer.Argument(help=tell(message("Its public name, such as example.org/bench-1."))),
    ] = None,
    kind: Annotated[
        str, typer.Option("--type", help="ed25519 | ed25519-cosign | ml-dsa-44")
    ] = "ed25519",
    out: Annotated[
        Path | None, typer.Option(help=tell(message("The file that will hold it.")))
    ] = None,
    module: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=tell(message("Make it in a token: its PKCS#11 module."))),
    ] = None,
    token: Annotated[
        str, typer.Option(metavar="LABEL", help=tell(message("The token's label.")))
    ] = "",
) -> None:
    if module is not None:
        where = verb.Place(module, token, name or "hakushi")
        path, signer = verb.new_in_token(name, kind, where, out, lambda one: show.note(tell(one)))
        print(signer.verifier)
        show.note(
            tell(message("The secret stays in the token; {path} says where.", path=str(path)))
        )
        return
    path, signer = verb.new(name, kind, out)
    print(signer.verifier)
    show.note(
        tell(message("The secret is in {path}; whoever has it signs as you.", path=str(path)))
    )


@app.command("show", help=tell(message("Show the public half of a key, or of every key.")))
def show_(
    key: Annotated[
        str | None, typer.Argument(help=tell(message("The key's name or its file.")))
    ] = None,
) -> None:
    if key is not None:
        print(verb.load(key).verifier)
        return
    for path, signer in verb.known():
        print(signer.verifier)
        show.note(str(path))

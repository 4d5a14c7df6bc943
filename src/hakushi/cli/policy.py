"""``hakushi policy``: what an organisation may ask of an erasure."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hakushi.app import drives as verb
from hakushi.app.words import tell
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)

_JSON = typer.Option("--json", help=tell(message("As JSON.")))


@app.command("list", help=tell(message("Every policy that ships.")))
def list_(as_json: Annotated[bool, _JSON] = False) -> None:
    found = verb.policies()
    if as_json:
        print(json.dumps([verb.policy_json(p) for p in found], ensure_ascii=False, indent=1))
        return
    for policy in found:
        print(f"{policy.id}  {verb.policy_json(policy)['title']}")


@app.command("show", help=tell(message("One policy in full.")))
def show_(
    name: Annotated[str, typer.Argument(help=tell(message("Its name, or a .toml file.")))],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    told = verb.policy_json(verb.policy(name))
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for key, value in told.items():
        print(f"{key:14} {', '.join(value) if isinstance(value, list) else value}")

"""Every command in its place. Imported once the language is known, as help texts are made here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer

from hakushi import __version__
from hakushi.app.words import tell
from hakushi.model import message

_GROUPS = ("case", "drive", "policy", "simulate")
"""Modules whose ``app`` holds several commands."""

_VERBS = {
    "demo": message("Show the main job on a sample drive: look, erase, look again, catch a liar."),
    "assess": message("Tell what could still be restored from a drive, and whose data it is."),
    "dispose": message("Erase drives and prove it."),
    "detect": message("Find personal data in files: the detectors alone."),
}
"""Modules whose function of the same name is one command, and what it does."""


def _version(asked: bool) -> None:
    if asked:
        print(f"hakushi {__version__}")
        raise typer.Exit


def program() -> Callable[..., Any]:
    """The whole command line as one callable."""
    app = typer.Typer(
        name="hakushi",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=tell(
            message(
                "Hakushi (白紙): proves that a retired drive can no longer tell anything,"
                " and notices when one goes astray."
            )
        ),
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False,
            "--version",
            callback=_version,
            is_eager=True,
            help=tell(message("Show the version.")),
        ),
    ) -> None:
        del version

    for name, about in _VERBS.items():
        app.command(name, help=tell(about))(getattr(import_module(f"hakushi.cli.{name}"), name))
    for name in _GROUPS:
        app.add_typer(import_module(f"hakushi.cli.{name}").app, name=name)
    return typer.main.get_command(app)

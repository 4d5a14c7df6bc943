"""Every command in its place. Imported once the language is known, as help texts are made here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any

import typer

from hakushi import __version__
from hakushi.app.words import tell
from hakushi.model import message

COMMANDS = {
    "demo": message("Show the main job on a sample drive: look, erase, look again, catch a liar."),
    "assess": message("Tell what could still be restored from a drive, and whose data it is."),
    "case": message("Look into a case file, or remove it."),
    "dispose": message("Erase drives and prove it."),
    "drive": message("What a drive says of itself."),
    "claims": message("What other programs' reports say was erased: claims, and no more."),
    "policy": message("What may be asked of an erasure."),
    "simulate": message("Virtual drives that can lie, hide and fail, to try things on."),
    "detect": message("Find personal data in files: the detectors alone."),
    "record": message("Write into the log what happened to a drive, signed."),
    "handover": message("Hand drives over: the giver offers, the receiver accepts."),
    "chain": message("Who held a drive, what was done to it, and every break of custody."),
    "reconcile": message("An order against what became of its drives; exit code 6 if amiss."),
    "certificate": message("Certificates out of the log: build one, check one offline."),
    "challenge": message("Questions about a drive's bytes that only who holds them can answer."),
    "keystream": message("Serve a keystream whose seed stays here."),
    "log": message("The signed log: make one, show its head, check it, prove an entry."),
    "witness": message("See to it that a log has one history: cosign it, and prove a fork."),
    "key": message("Keys that sign: make and show them."),
}
"""Every command and what it does. ``hakushi.cli.NAME`` holds a function of that name, or, where it
has several commands, ``app``."""


def _version(asked: bool) -> None:
    if asked:
        print(f"hakushi {__version__}")
        raise typer.Exit


def program(words: Collection[str] | None = None) -> Callable[..., Any]:
    """The command line as one callable: whole, or, for these words, only what they may need.

    The modules of other commands stay unread, so that every command starts at once.
    """
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
        lang: str | None = typer.Option(
            None,
            "--lang",
            metavar="ja|en",
            help=tell(message("The language of every text (default: the locale's).")),
        ),
    ) -> None:
        # The language was read before this: help texts are made in it.
        del version, lang

    for name, about in COMMANDS.items():
        if words is not None and name not in words:
            app.command(name, help=tell(about))(_unread)
            continue
        module = import_module(f"hakushi.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=tell(about))
        else:
            app.command(name, help=tell(about))(getattr(module, name))
    return typer.main.get_command(app)


def _unread() -> None:
    """Stands for a command that the words do not name."""

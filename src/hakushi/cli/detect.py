"""``hakushi detect``: the detectors alone."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import detect as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import Refused, message

_LARGE = 8 << 20
"""Bytes of a file from which on one wants to know how far it is."""

_SPANS = message("One JSON line for each place, in characters, or in bytes of what is no text.")


def detect(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…|-", help=tell(message("Files, or - for standard input."))),
    ],
    encoding: Annotated[
        str | None, typer.Option(help=tell(message("Their encoding, where it is known.")))
    ] = None,
    spans: Annotated[bool, typer.Option("--spans", help=tell(_SPANS))] = False,
) -> int:
    stdin = sys.stdin.buffer.read() if "-" in files else None
    code = 0
    for name in files:
        try:
            with _progress(name, stdin) as say:
                found = next(verb.run_all([name], encoding, stdin, say))
        except Refused as error:
            show.note(f"hakushi: {tell(error.message)}")
            code = 5
            continue
        for damage in found.damage:
            show.note(f"hakushi: {show.clean(name)}: {show.clean(damage.what)}")
        if spans:
            for span in found.spans:
                print(json.dumps(span, ensure_ascii=False))
        else:
            _count(found)
    return code


def _progress(name: str, stdin: bytes | None) -> AbstractContextManager[verb.Say]:
    """How far a file is; nothing of what is done in a moment."""
    try:
        size = len(stdin or b"") if name == "-" else Path(name).stat().st_size
    except OSError:
        size = 0
    return show.progress(name) if size > _LARGE else nullcontext(verb.unheard)


def _count(found: verb.Detected) -> None:
    from hakushi.app.report import kind_word

    print(show.clean(found.file))
    counts = found.counts
    if counts and not found.text:
        print(f"  {tell(message('This is no text as a whole; among its bytes stand:'))}")
    kinds = sorted({kind for kind, _ in counts})
    for kind in kinds:
        labelled = counts[kind, "labelled"]
        print(f"  {kind_word(kind)}: {labelled:,} ({counts[kind, 'unlabelled']:,})")
    if not kinds:
        print("  -")

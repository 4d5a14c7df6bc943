"""``hakushi log``: the signed log of everything that happened."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import bundles, witness
from hakushi.app import log as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import Malformed, Message, message

app = typer.Typer(no_args_is_help=True)

_FAILED = 6
_LOG = Annotated[
    Path | None,
    typer.Option(
        "--log", help=tell(message("The log's folder or file (default: the one made last)."))
    ),
]
_POLICY = Annotated[
    Path | None,
    typer.Option(help=tell(message("Whom to trust: a policy file (default: beside the log)."))),
]


@app.command(
    help=tell(
        message("Make a log in a new folder or in sqlite:FILE, its key and its policy beside it.")
    )
)
def init(
    place: Annotated[
        str, typer.Argument(metavar="DIR|URL", help=tell(message("Where the log is kept.")))
    ],
    origin: Annotated[
        str | None,
        typer.Option(help=tell(message("The log's public name, such as example.org/log."))),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help=tell(message("The key that signs (default: DIR.key).")))
    ] = None,
) -> None:
    made = verb.init(place, origin, key)
    print(made.signer.verifier)
    show.note(
        tell(
            message(
                "The log {path} is made and in use. Keep {key} secret; give {policy} to those"
                " who check.",
                path=str(made.place),
                key=str(made.key),
                policy=str(made.policy),
            )
        )
    )


@app.command(help=tell(message("Print the newest checkpoint that is published.")))
def head(log: _LOG = None) -> int:
    try:
        sys.stdout.buffer.write(verb.head(log))
    except Malformed as error:
        return _failed((message("The log is damaged: {why}.", why=str(error)),))
    return 0


@app.command(help=tell(message("Read the whole log again and check it; exit code 6 if it fails.")))
def check(
    log: _LOG = None,
    policy: _POLICY = None,
    since: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT",
            help=tell(
                message("An earlier checkpoint that somebody kept; the log must go on from it.")
            ),
        ),
    ] = None,
) -> int:
    found = verb.check_all(log, policy, since)
    if found.head is None or not found.holds:
        return _failed(found.failures)
    print(
        tell(
            message(
                "The log {origin} holds: {size} entries, every one under the signed root.",
                origin=show.clean(found.head.origin),
                size=found.head.size,
            )
        )
    )
    if verb.unpublished(log):
        show.note(
            tell(message("A newer checkpoint is signed but not yet published; see next time."))
        )
    if since is None:
        show.note(
            tell(
                message(
                    "Not proven: that it was never longer or never another. For that, name an"
                    " earlier checkpoint with --since, or ask a witness."
                )
            )
        )
    return 0


@app.command(help=tell(message("Print the proof that the log holds an entry.")))
def prove(
    index: Annotated[int, typer.Argument(help=tell(message("Its number, counted from 0.")))],
    log: _LOG = None,
    policy: _POLICY = None,
    entry: Annotated[
        Path | None, typer.Option(help=tell(message("Write the entry itself to this file.")))
    ] = None,
) -> int:
    try:
        receipt, checked = verb.prove(log, index, policy)
    except Malformed as error:
        return _failed((message("The log is damaged: {why}.", why=str(error)),))
    if not checked.holds:
        return _failed(checked.failures)
    if entry is not None:
        entry.write_bytes(receipt.entry)
    sys.stdout.buffer.write(receipt.proof.encode())
    return 0


@app.command(help=tell(message("Check a proof and its entry, offline; exit code 6 if it fails.")))
def verify(
    proof: Annotated[Path, typer.Argument(help=tell(message("The proof.")))],
    entry: Annotated[Path, typer.Argument(help=tell(message("The entry that it is of.")))],
    policy: Annotated[
        Path | None, typer.Option(help=tell(message("Whom to trust: a policy file.")))
    ] = None,
) -> int:
    try:
        checked = verb.verify(proof, entry, policy)
    except Malformed as error:
        return _failed((message("This is no proof: {why}.", why=str(error)),))
    if not checked.holds:
        return _failed(checked.failures)
    if policy is None:
        print(tell(message("Consistent; signer unknown. Name whom you trust with --policy.")))
        return 0
    print(
        tell(
            message(
                "Entry {index} of the log {origin}: signed by a trusted key.",
                index=checked.index,
                origin=show.clean(checked.origin),
            )
        )
    )
    for name, when in sorted(checked.witnesses.items()):
        seen = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(when))
        print(
            tell(message("Seen by the witness {name} at {time}.", name=show.clean(name), time=seen))
        )
    return 0


@app.command(help=tell(message("Ask the policy's witnesses to cosign the log as it is now.")))
def cosign(log: _LOG = None, policy: _POLICY = None) -> int:
    asked = witness.ask(log, policy)
    for one in asked:
        if one.refused is None:
            print(tell(message("{name} has cosigned.", name=show.clean(one.name))))
        else:
            show.note(f"{show.clean(one.name)}: {show.clean(tell(one.refused))}")
    if not asked:
        show.note(tell(message("The policy names no witness with an address.")))
    return _FAILED if any(one.refused for one in asked) else 0


@app.command(
    help=tell(message("Write what a log holds as one file, to be carried to another log."))
)
def bundle(
    out: Annotated[Path, typer.Argument(metavar="FILE", help=tell(message("The file to write.")))],
    log: _LOG = None,
    since: Annotated[
        int,
        typer.Option(
            min=0, metavar="INDEX", help=tell(message("Begin at this entry (default: the first)."))
        ),
    ] = 0,
) -> int:
    try:
        made = bundles.make(log, since, out)
    except Malformed as error:
        return _failed((message("The log is damaged: {why}.", why=str(error)),))
    print(
        tell(
            message(
                "{path}: entries {start} to {end} of {origin}. The next one: --since {size}.",
                path=str(out),
                start=made.start,
                end=made.head.size - 1,
                origin=show.clean(made.head.origin),
                size=made.head.size,
            )
        )
    )
    return 0


@app.command(
    "import", help=tell(message("Take over what a bench without a network recorded (a bundle)."))
)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=tell(message("The bundle.")))],
    as_: Annotated[
        str, typer.Option("--as", metavar="KEY", help=tell(message("Who takes it over.")))
    ],
    log: _LOG = None,
) -> int:
    try:
        taken = bundles.take(file, log, as_)
    except Malformed as error:
        return _failed((message("The log is damaged: {why}.", why=str(error)),))
    print(
        tell(
            message(
                "{origin}: {new} entries taken over, {known} were here already, {left} left where"
                " they are.",
                origin=show.clean(taken.origin),
                new=taken.new,
                known=taken.known,
                left=taken.left,
            )
        )
    )
    return 0


def _failed(failures: tuple[Message, ...]) -> int:
    for failure in failures:
        show.note(show.clean(tell(failure)))
    return _FAILED

"""``hakushi certificate``: what may be shown to others, and whether it holds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import certify as verb
from hakushi.app.words import custody, tell
from hakushi.cli import show
from hakushi.cli.record import LOG
from hakushi.model import Malformed, message

app = typer.Typer(no_args_is_help=True)

_FAILED = 6


@app.command(help=tell(message("Certify drives whose end was accepted, out of the log.")))
def build(
    serials: Annotated[
        list[str], typer.Argument(metavar="SERIAL…", help=tell(message("One drive, or a lot.")))
    ],
    out: Annotated[
        Path, typer.Option(help=tell(message("FILE.json; FILE.pdf writes both.")), metavar="FILE")
    ],
    as_: Annotated[str, typer.Option("--as", metavar="KEY", help=tell(message("Who issues it.")))],
    log: LOG = None,
    organisation: Annotated[
        str, typer.Option(help=tell(message("The issuer's organisation, as printed.")))
    ] = "",
    location: Annotated[str, typer.Option(help=tell(message("Where the work was done.")))] = "",
    contact: Annotated[str, typer.Option(help=tell(message("Whom to ask.")))] = "",
    destination: Annotated[str, typer.Option(help=tell(message("Where the drives go next.")))] = "",
    remark: Annotated[str, typer.Option(help=tell(message("Anything else to print.")))] = "",
    names: Annotated[
        bool,
        typer.Option("--names", help=tell(message("Tell the names of the people who worked."))),
    ] = False,
    pdf_key: Annotated[
        Path | None,
        typer.Option(
            "--pdf-key",
            metavar="FILE",
            help=tell(message("P-256 key and certificate that sign the PDF (PEM, PKCS#12).")),
        ),
    ] = None,
    time_stamp: Annotated[
        str | None,
        typer.Option(
            "--time-stamp", metavar="URL", help=tell(message("A time-stamp server (RFC 3161)."))
        ),
    ] = None,
) -> int:
    claims = verb.Claims(organisation, location, contact, destination, remark)
    try:
        built = verb.build(serials, claims, as_, log, names=names)
    except Malformed as error:
        show.note(show.clean(tell(message("The log is damaged: {why}.", why=str(error)))))
        return _FAILED
    signing = verb.Signing(pdf_key, time_stamp)
    for path in verb.written(built, out, signing, lambda told: show.note(tell(told))):
        print(path)
    for failure in built.checked.failures:
        # It is in the log; what it lacks may come, such as a witness's signature.
        show.note(f"[{failure.kind}] {show.clean(tell(failure.about))}")
    return 0 if built.checked.holds else _FAILED


@app.command(help=tell(message("Check a certificate, offline; exit code 6 if it fails.")))
def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=tell(message("A certificate (JSON or PDF), or the text of its QR code.")),
        ),
    ],
    policy: Annotated[
        Path | None, typer.Option(help=tell(message("Whom to trust: a policy file.")))
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help=tell(message("Hold it against this log, too: what came later?"))),
    ] = None,
) -> int:
    try:
        said = verb.read_code(file, policy)
        if said is not None:
            return _code(said)
        found = verb.check(file, policy, log)
    except Malformed as error:
        show.note(show.clean(tell(message("It does not hold: {why}.", why=str(error)))))
        return _FAILED
    for failure in found.failures:
        print(f"[{failure.kind}] {show.clean(tell(failure.about))}", file=sys.stderr)
    if not found.holds:
        return _FAILED
    _tell(found)
    return 0


def _code(said: verb.Code) -> int:
    """What the code alone shows: one entry of a log."""
    for failure in said.checked.failures:
        show.note(show.clean(tell(failure)))
    if not said.checked.holds:
        return _FAILED
    if not said.checked.signers:
        print(tell(message("Consistent; signer unknown. Name whom you trust with --policy.")))
    print(
        show.clean(
            tell(
                message(
                    "The log {origin} holds, as entry {entry}, that {serials} were certified under"
                    " the number {number}. Compare it with the page's; the code says no more.",
                    origin=said.checked.origin,
                    entry=said.checked.index,
                    serials=", ".join(said.event.drives),
                    number=said.event.certificate[:32],
                )
            )
        )
    )
    return 0


def _tell(found: verb.Looked) -> None:
    one = found.checked
    assert one.certificate is not None
    if not one.trusted:
        print(tell(message("Consistent; signer unknown. Name whom you trust with --policy.")))
    for drive in one.certificate.statement["drives"]:
        print(show.clean(tell(verb.sentence(drive))))
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(one.certificate.statement["issued"]))
    print(
        tell(
            message(
                "Issued by {issuer} on {when}; entry {entry} of the log {origin}.",
                issuer=show.clean(one.issuer),
                when=when,
                entry=one.certificate.items[-1].index,
                origin=show.clean(one.origin),
            )
        )
    )
    for name, seen in sorted(one.witnesses.items()):
        moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seen))
        print(
            tell(
                message("Seen by the witness {name} at {time}.", name=show.clean(name), time=moment)
            )
        )
    for step in found.later:
        print(
            tell(
                message(
                    "Later, entry {entry}: {what}.",
                    entry=step.entry,
                    what=custody(step.event.TYPE),
                )
            )
        )
    print(tell(message("Not proven:")))
    for line in verb.not_proven(one, asked=bool(found.asked)):
        print(f"  - {tell(line)}")

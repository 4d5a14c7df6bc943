"""``hakushi assess``: what could still be restored from a drive, and whose data it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hakushi.app import assess as verb
from hakushi.app import extras
from hakushi.app.recording import Recording
from hakushi.app.words import current, flaw, tell
from hakushi.cli import show
from hakushi.cli.record import LOG, RECORD_AS
from hakushi.model import Drive, Refused, Verdict, message

CODES = {Verdict.CLEAN: 0, Verdict.RESIDUE: 3, Verdict.INCONCLUSIVE: 4}


def assess(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help=tell(
                message(
                    "Drives, image files (raw, split raw, E01, qcow2, VMDK, VHD, VHDX) or sim:PATH."
                )
            ),
        ),
    ],
    set_: Annotated[
        bool,
        typer.Option(
            "--set",
            help=tell(message("They are members of one array: assess them together, too.")),
        ),
    ] = False,
    case: Annotated[
        Path | None,
        typer.Option(help=tell(message("Case file (a folder, for several sources)."))),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help=tell(message("Start over; forget the case.")))
    ] = False,
    json_: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE|-", help=tell(message("Write the result as JSON."))),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help=tell(message("Write a report for people.")))
    ] = None,
    recover: Annotated[
        Path | None,
        typer.Option(help=tell(message("Write every restorable file into this folder."))),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="100MiB@99%", help=tell(message("Read only a sample that bounds what is left."))
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help=tell(message("Processes (0: one a core).")))] = 0,
    engine: Annotated[str, typer.Option(help=tell(message("Where the work runs.")))] = "here",
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help=tell(message("Carve by content only.")))
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help=tell(message("Read a container's own bytes as they are.")))
    ] = False,
    digest: Annotated[
        bool, typer.Option("--digest", help=tell(message("Add the SHA-256 of the whole medium.")))
    ] = False,
    second_opinion: Annotated[
        str | None,
        typer.Option(
            metavar="TOOL",
            help=tell(message("Ask another program, too (photorec), and add what it alone found.")),
        ),
    ] = None,
    ocr: Annotated[
        bool,
        typer.Option("--ocr", help=tell(message("Read the text in pictures, too (slow)."))),
    ] = False,
    files_only: Annotated[
        bool,
        typer.Option(
            "--files-only",
            help=tell(
                message("Restore and list files, without looking for personal data (faster).")
            ),
        ),
    ] = False,
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help=tell(message("Show full names in reports.")))
    ] = False,
    keep_key: Annotated[
        bool, typer.Option("--keep-key", help=tell(message("Keep the counting key.")))
    ] = False,
    as_: RECORD_AS = None,
    log: LOG = None,
    drive: Annotated[
        str | None,
        typer.Option(
            metavar="SERIAL",
            help=tell(message("The drive that an image is of, for the log (--as).")),
        ),
    ] = None,
    operator: Annotated[
        str | None, typer.Option(metavar="ID", help=tell(message("Who does it.")))
    ] = None,
) -> int:
    record = Recording.into(log, as_ or (), operator)
    of = verb.whose(sources, drive) if record is not None else {}
    options = verb.AssessOptions(
        fresh=fresh,
        metadata=not no_metadata,
        sample=sample,
        raw=raw,
        jobs=jobs,
        engine=engine,
        digest=digest,
        keep_key=keep_key,
        show_paths=show_paths,
        second_opinion=second_opinion,
        ocr=ocr,
        findings=not files_only,
        recover=recover,
        lang=current(),
    )
    if set_ and len(sources) < 2:
        raise Refused(message("--set needs all the members; one source alone is no set."))
    if ocr and not files_only:
        extras.need("ocr", lambda one: show.note(tell(one)))
    slow = verb.slow_search(sources)
    if slow is not None:
        show.note(tell(slow))
    several = len(sources) > 1
    codes: list[int] = []
    told: list[dict[str, Any]] = []
    finished: list[Path] = []
    places = {
        source: _place(case, source, several) or verb.default_case(source) for source in sources
    }
    key = verb.shared_key(list(places.values())) if several else None
    whole = f"{Path(sources[0].removeprefix('sim:')).name}-set"
    for source in (*sources, whole) if set_ else sources:
        members = tuple(sources) if set_ and source is whole else ()
        place = places.get(source) or _place(case, source, several)
        code, result = _one(source, options, place, members, key)
        codes.append(code)
        if result is not None:
            told.append(result.summary)
            if record is not None and not members:
                codes[-1] = _record(record, of[source], result, code)
            if html is not None:
                _report(result, _numbered(html, len(told), several), show_paths)
            if json_ != "-":
                _tell(result)
            if not members:
                finished.append(result.case)
    if len(finished) > 1 and not files_only:
        _together(finished, told, loud=json_ != "-")
    if json_ is not None and (told or several):
        show.write_json(json_, told if several else told[0])
    return show.worst(codes)


def _one(
    source: str,
    options: verb.AssessOptions,
    case: Path | None,
    members: tuple[str, ...],
    key: bytes | None,
) -> tuple[int, verb.Result | None]:
    try:
        with show.progress(source) as say:
            result = verb.assess_source(source, options, case, say, members, key)
    except Refused as error:
        show.note(f"hakushi: {tell(error.message)}")
        return 5, None
    return CODES[result.verdict], result


def _together(cases: list[Path], told: list[dict[str, Any]], *, loud: bool) -> None:
    """How many people all sources tell of, each once; into each result, and for a person."""
    every = verb.together(cases)
    if every is None:
        show.note(
            tell(
                message(
                    "These cases were made in different runs: people on several of them cannot be"
                    " told to be the same. --fresh counts them together."
                )
            )
        )
        return
    for one in told:
        one["together"] = every
    if loud and every["people"]["high"]:
        print(
            tell(
                message(
                    "All {sources} together: about {best:,} people ({low:,} to {high:,}), each"
                    " counted once. Firms: about {firms:,}.",
                    sources=every["sources"],
                    **every["people"],
                    firms=every["firms"]["best"],
                )
            )
        )


def _record(record: Recording, of: Drive, result: verb.Result, code: int) -> int:
    """Tells the log; where it does not take it, a clean drive does not count as done."""
    try:
        entry = record.assessed(of.serial, of.wwn, result.summary)
    except (Refused, OSError) as error:
        why = tell(error.message) if isinstance(error, Refused) else str(error.strerror)
        show.note(tell(message("The log does not tell of it: {why}", why=show.clean(why))))
        return code or 4
    show.note(tell(message("Recorded in the log: {entries}.", entries=entry)))
    return code


def _place(case: Path | None, source: str, several: bool) -> Path | None:
    if case is None or not several:
        return case
    case.mkdir(parents=True, exist_ok=True)
    return case / verb.default_case(source).name


def _numbered(path: Path, number: int, several: bool) -> Path:
    return path.with_stem(f"{path.stem}-{number}") if several else path


def _report(result: verb.Result, path: Path, show_paths: bool) -> None:
    from hakushi.app.report import write_report

    write_report(result, path, current(), show_paths=show_paths)
    show.note(tell(message("Report: {path}", path=str(path))))


_VERDICTS = {
    "clean": message("CLEAN: nothing that could be restored was found."),
    "residue": message("RESIDUE: something can still be restored from it."),
    "inconclusive": message("INCONCLUSIVE: it cannot be called clean."),
}


def _tell_findings(findings: dict[str, dict[str, int]] | None) -> None:
    from hakushi.app.report import kind_word

    if findings is None:
        print("  " + tell(message("Personal data was not looked for (--files-only).")))
        return
    if findings:
        print("  " + tell(message("Personal data (and, in brackets, candidates not counted):")))
    for kind, counts in findings.items():
        print(f"    {kind_word(kind)}: {counts['labelled']:,} ({counts['unlabelled']:,})")


def _tell(result: verb.Result) -> None:
    """The result for a person, on standard output."""
    told, people = result.summary, result.summary["people"]
    print(f"{show.clean(result.name)}: {tell(_VERDICTS[told['verdict']])}")
    for reason in told["reasons"]:
        print(f"  - {show.clean(reason)}")
    files = told["artifacts"]
    if any(part["count"] for part in files.values()):
        print(
            "  "
            + tell(
                message(
                    "Files: {live} live, {deleted} deleted, {carved} carved.",
                    **{state: part["count"] for state, part in files.items()},
                )
            )
        )
    _tell_findings(told["findings"])
    if people and people["high"]:
        print(
            "  "
            + tell(
                message(
                    "People concerned: about {best:,} ({low:,} to {high:,})."
                    " Firms: about {firms:,}.",
                    **people,
                    firms=told["firms"]["best"],
                )
            )
        )
    if told.get("meaning"):
        print("  " + tell(message("What it may mean:")))
    for sentence in told.get("meaning", ()):
        print(f"    - {show.clean(sentence)}")
    for one in told["damage"][:10]:
        print(f"  ! {show.clean(flaw(one))} [{show.clean(one['locator'])}]")
    if len(told["damage"]) > 10:
        print("  ! …")
    print("  " + tell(message("Case: {path}", path=str(result.case))))

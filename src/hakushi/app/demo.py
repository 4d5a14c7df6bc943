"""The verb ``demo``: the main job on real bytes, told as a short story.

A sample drive is assessed, erased and assessed again; then the same on a drive that lies. All of it
goes into a signed log, one drive is certified and one is missing. Nothing is written outside one
fresh folder, and no real drive is touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from hakushi.app import dispose as disposing
from hakushi.app.assess import AssessOptions, Result, Step, assess_source
from hakushi.app.demo_custody import Trail, standing
from hakushi.app.report import kind_word, write_report
from hakushi.app.words import answer, current, tell
from hakushi.assess.case import Case
from hakushi.assess.medium import open_medium
from hakushi.custody.orders import Standing
from hakushi.media import simulated
from hakushi.model import Message, Refused, Verdict, message

_POLICY = "nist-800-88r2-clear"
_HONEST, _LIAR, _LOST = "DEMO-HONEST-1", "DEMO-LIAR-1", "DEMO-LOST-1"


@dataclass(slots=True)
class Story:
    """What happened, as it is told, and where everything lies."""

    folder: Path
    lines: list[Message] = field(default_factory=list)
    as_expected: bool = True

    def markdown(self) -> str:
        title = tell(message("What just happened on this machine"))
        return f"# {title}\n\n" + "\n\n".join(tell(line) for line in self.lines) + "\n"


def fresh_folder(wanted: Path | None) -> Path:
    """The folder to write into: the one named, if it is empty or new; else a new one here."""
    if wanted is not None:
        if wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
            raise Refused(message("{path} is not an empty folder.", path=str(wanted)))
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted
    for number in range(1, 1000):
        folder = Path.cwd() / ("hakushi-demo" if number == 1 else f"hakushi-demo-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise Refused(message("Too many demo folders lie here; name one with --out."))


def run(folder: Path, *, keep: bool, say: Callable[[str, Step], None]) -> Story:
    """Tells the whole story; ``as_expected`` is False where any part came out otherwise."""
    story = Story(folder)
    sample = folder / "sample.E01"
    sample.write_bytes(_data("sample.E01"))
    first = _assessed(story, sample, say)
    trail = Trail(folder, (_HONEST, _LIAR, _LOST))
    trail.send(arrived=(_HONEST, _LIAR))
    _erased(story, first, trail, say)
    _lied(story, first, trail, say)
    _certified(story, trail)
    _missing(story, trail)
    write_report(first, folder / "report.html", current(), show_paths=False)
    story.lines.append(
        message(
            "Read next: {report} (the report on the sample drive), and {case} (the case file, for"
            " `hakushi case artifacts`). A drive's story: `hakushi chain {serial} --log {log}`.",
            report=str(folder / "report.html"),
            case=str(first.case),
            serial=_HONEST,
            log=str(folder / "log"),
        )
    )
    if not keep:
        for serial in (_HONEST, _LIAR):
            simulated.remove(folder / serial)
        sample.unlink()
    (folder / "story.md").write_text(story.markdown(), encoding="utf-8")
    return story


def _data(name: str) -> bytes:
    return resources.files("hakushi").joinpath("data", name).read_bytes()


def _assessed(story: Story, sample: Path, say: Callable[[str, Step], None]) -> Result:
    options = AssessOptions(fresh=True, lang=current())
    case = story.folder / "case.hakushi"
    result = assess_source(str(sample), options, case, lambda step: say("sample", step))
    told, came = result.summary, _restored(result)
    files = told["artifacts"]
    story.lines += [
        message(
            "1. A drive came back from an office. We looked at all {bytes:,} bytes of it and found"
            " {live} files that are still there, {deleted} deleted ones, and {carved} more by their"
            " content alone.",
            bytes=told["coverage"]["read"],
            **{state: files[state]["count"] for state in ("live", "deleted", "carved")},
        ),
        message(
            "   Checked against the list of what had been put there, these came back bit for bit:"
            " {live} of {of_live} live files, {deleted} of {of_deleted} deleted ones, and"
            " {formatted} of {of_formatted} from a volume that had been formatted anew."
            " (All people in them are invented.)",
            **came,
        ),
        message(
            "   Personal data in them that a label, a heading or its form alone identifies:"
            " {counts}. Verdict: {verdict}, severity {severity}.",
            counts=", ".join(
                f"{kind_word(kind)} {n['labelled']:,}"
                for kind, n in told["findings"].items()
                if n["labelled"]
            ),
            verdict=answer(told["verdict"]),
            severity=answer(told["severity"]),
        ),
    ]
    story.as_expected &= result.verdict is Verdict.RESIDUE
    return result


def _restored(result: Result) -> dict[str, int]:
    """How many of the sample's planted files came back, and of how many, by their state."""
    case = Case.open(result.case)
    try:
        have = {a.sha256 for a in case.artifacts("role='content' AND NOT nested") if a.sha256}
    finally:
        case.close()
    out: dict[str, int] = {}
    for file in json.loads(_data("sample.json"))["files"]:
        state = file["state"]
        out[f"of_{state}"] = out.get(f"of_{state}", 0) + 1
        out[state] = out.get(state, 0) + (file["sha256"] in have)
    return out


def _erase(
    story: Story,
    serial: str,
    faults: dict[str, int | None],
    trail: Trail,
    say: Callable[[str, Step], None],
) -> disposing.Disposal:
    """Makes a virtual drive that holds the sample's bytes, and disposes of it."""
    content = open_medium(str(story.folder / "sample.E01")).source
    place = story.folder / serial
    simulated.create(place, content.size, "ata", serial, content, faults)
    options = disposing.Options(
        policy=_POLICY,
        erase=frozenset([serial]),
        evidence=story.folder / "evidence",
        record=trail.bench(),
    )

    def step(at: disposing.Step) -> None:
        say(serial, Step(str(at.phase), at.done, at.total))

    assess = disposing.assess_afterwards(1, options.policy)
    return disposing.dispose_all([f"sim:{place}"], options, assess, step)[0]


def _erased(story: Story, first: Result, trail: Trail, say: Callable[[str, Step], None]) -> None:
    done = _erase(story, _HONEST, {}, trail, say)
    story.lines.append(
        message(
            "2. We wrote the same bytes onto a virtual drive and erased it: overwritten with a"
            " keystream, read back in full from a fresh handle, then assessed like any other drive."
            " Outcome: {outcome}. Verdict: {verdict}. All {bytes:,} bytes were looked at.",
            outcome=answer(done.outcome),
            verdict=answer(done.verdict),
            bytes=first.summary["source"]["size"],
        )
    )
    story.as_expected &= done.outcome == "completed" and done.verdict is Verdict.CLEAN


def _lied(story: Story, first: Result, trail: Trail, say: Callable[[str, Step], None]) -> None:
    done = _erase(story, _LIAR, {"drops-writes": None}, trail, say)
    story.lines += [
        message(
            '3. Then a drive that lies: it drops every write and says "success".'
            " Outcome: {outcome}; {failed:,} of {bytes:,} bytes are not what was written."
            " Verdict: {verdict}. A tool that trusts the drive's word would have called it erased.",
            outcome=answer(done.outcome),
            failed=done.failed.size,
            bytes=first.summary["source"]["size"],
            verdict=answer(done.verdict),
        ),
        *(message("   - {reason}", reason=tell(reason)) for reason in done.reasons),
    ]
    story.as_expected &= done.outcome != "completed" and done.verdict is not Verdict.CLEAN


def _certified(story: Story, trail: Trail) -> None:
    """One drive comes to a good end; the other gets no certificate."""
    for drive in (_HONEST, _LIAR):
        trail.explain(drive)
    trail.accept(_HONEST)
    files = trail.certify(_HONEST)
    looked = trail.check(files[0])
    refused = trail.refused(_LIAR)
    story.lines += [
        message(
            "4. All of this went into a signed log as it happened, with the order and the hand-over"
            " before it. An auditor accepted the first drive; its certificate {file} was checked by"
            " its own bytes and the log's public key alone: {holds}.",
            file=str(files[-1]),
            holds=tell(message("it holds") if looked.holds else message("it does not hold")),
        ),
        message(
            "   For the drive that lied none is issued: {why}",
            why=tell(refused) if refused else "-",
        ),
    ]
    story.as_expected &= looked.holds and looked.checked.trusted and refused is not None


def _missing(story: Story, trail: Trail) -> None:
    """The order against what became of its drives."""
    found = trail.reconciled()
    story.lines += [
        message(
            "5. Three drives were ordered away, two arrived. The order, held against the log, says"
            " so at once, and whose turn it is:"
        ),
        *standing(found),
    ]
    story.as_expected &= {
        line.serial for line in found.lines if line.standing is Standing.MISSING
    } == {_LOST}


def told(story: Story) -> Iterator[str]:
    """The story's lines, in the current language."""
    return (tell(line) for line in story.lines)

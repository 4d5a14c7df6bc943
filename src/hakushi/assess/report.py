"""The report of an assessment: one self-contained HTML page for the officer who keeps the records.

It needs no script, no network and no colour to be read. Every string that comes from the medium is
hostile: escaped, its invisible and direction-changing characters made visible, its length limited.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hakushi.assess import flaws
from hakushi.assess.judge import GRAVE_KINDS
from hakushi.assess.picture import draw, outline
from hakushi.lang import LANGUAGES, text
from hakushi.model import Message, message

if TYPE_CHECKING:
    from jinja2 import Environment

FIRST_ROWS = 12
"""So many examples of files stand in the text; the others follow in the annex."""

_LISTED = 40
"""So many kinds of damage, encrypted things and the like are listed; the rest is counted."""

_SAMPLES = 6
_GIVEN_HEAD, _GIVEN_TAIL = 110, 50
_MARKS = 4

KINDS: Mapping[str, Message] = {
    "my_number": message("Individual Number (My Number)"),
    "resident_code": message("Resident record code"),
    "pension_number": message("Basic pension number"),
    "drivers_licence": message("Driver's licence number"),
    "residence_card": message("Residence card number"),
    "passport": message("Passport number"),
    "insurer_number": message("Insurer number"),
    "insured_symbol": message("Health insurance symbol and number"),
    "employment_insurance": message("Employment insurance number"),
    "licence_plate": message("Licence plate"),
    "us_ssn": message("US Social Security number"),
    "national_id": message("National number of a person (EU)"),
    "bank_account": message("Bank account number"),
    "payment_card": message("Payment card number"),
    "iban": message("International bank account number (IBAN)"),
    "credential": message("Password or private key"),
    "ip_account": message("IP address of an account"),
    "official_form": message("Form of an office or a payroll, by its title"),
    "sensitive_form": message("Form about health, welfare or crime, by its title"),
    "person_name": message("Person's name"),
    "kana_name": message("Person's name in kana"),
    "birth_date": message("Date of birth"),
    "age": message("Age"),
    "sex": message("Sex"),
    "address": message("Address"),
    "postal_code": message("Postal code"),
    "phone": message("Phone number"),
    "email": message("E-mail address"),
    "firm_name": message("Name of a firm"),
    "corporate_number": message("Corporate number"),
}
"""Kinds of personal data, as a person calls them; a kind that is not here is shown by its id."""

LOOK_WORDS: Mapping[str, tuple[Message, Message]] = {
    "live": (
        message("Live files"),
        message("A file system still lists them."),
    ),
    "deleted": (
        message("Deleted files"),
        message("Deleted, the contents are still there."),
    ),
    "carved": (
        message("Files found by their content"),
        message("No file system names them any more."),
    ),
    "structured": (
        message("Unexplained data"),
        message("Has a structure, but belongs to no file found."),
    ),
    "unread": (
        message("Not read"),
        message("Unreadable, or not looked at."),
    ),
    "random_like": (
        message("Random-like"),
        message("Random erasure, encryption or compression."),
    ),
    "structure": (
        message("Structures of volumes"),
        message("What file systems need for themselves."),
    ),
    "constant": (
        message("Constant fill"),
        message("One value or short pattern, repeated."),
    ),
    "zero": (
        message("Zeros"),
        message("Blank."),
    ),
}
"""What each look of the picture is called, and what it means."""

CLASS_WORDS: Mapping[str, Message] = {
    "zero": LOOK_WORDS["zero"][0],
    "constant": LOOK_WORDS["constant"][0],
    "random_like": LOOK_WORDS["random_like"][0],
    "structured": message("Structured"),
    "unread": LOOK_WORDS["unread"][0],
}
"""What triage calls a sector."""

STATES: Mapping[str, tuple[Message, Message]] = {
    "live": (message("Live"), message("Still listed by the file system. Opens as it is.")),
    "deleted": (
        message("Deleted"),
        message("Deleted or emptied from the bin, but the contents are still there."),
    ),
    "carved": (
        message("Found by content"),
        message("Its name is lost; the contents were found and put together again."),
    ),
}

SEVERITIES: Mapping[str, tuple[Message, Message]] = {
    "none": (message("None"), message("Nothing was found that could be restored.")),
    "trivial": (
        message("Slight"),
        message("Something is left, but no personal data was recognised in it."),
    ),
    "personal": (
        message("Personal data"),
        message("Personal data was recognised in what is left."),
    ),
    "grave": (
        message("Grave"),
        message(
            "Numbers that identify a person or that money hangs on,"
            " or more than 100 names, e-mail addresses or phone numbers."
        ),
    ),
}

SCOPES: Mapping[str, tuple[Message, Message]] = {
    "image": (
        message("Image file"),
        message(
            "What was assessed is an image file. The verdict holds for the drive it was taken from"
            " only if the image holds all of that drive."
        ),
    ),
    "partition": (
        message("Partition"),
        message("Only one partition was assessed. The rest of the drive was not looked at."),
    ),
    "drive": (message("Whole drive"), message("All sectors that the drive offers were addressed.")),
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file as an example: ``path`` masked already, or None where no name is known.

    ``findings``: labelled ones by kind. ``masked``: some of their masked samples.
    """

    path: str | None
    locator: str
    kind: str
    state: str
    size: int
    complete: bool
    findings: Mapping[str, int]
    masked: Sequence[str]


@dataclass(frozen=True, slots=True)
class View:
    """What a report is made from.

    ``name``: what was assessed, as the person named it. ``summary``: the contract's JSON object of
    ``assess``, its sentences already in the language. ``classes``, ``owned``: (offset, length,
    name) runs on the medium. ``files``: examples, best first. ``samples``: masked, of each kind.
    """

    name: str
    summary: Mapping[str, Any]
    classes: Sequence[tuple[int, int, str]]
    owned: Sequence[tuple[int, int, str]]
    files: Sequence[FileRow]
    samples: Mapping[str, Sequence[str]]
    made_at: str
    version: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of personal data: its name, its name in the other language, and its counts."""

    name: str
    other: str
    labelled: int
    unlabelled: int
    grave: bool
    samples: Sequence[str]


def render(view: View, lang: str) -> str:
    """One HTML file in that language, styles and drawings inside it; it refers to nothing else."""
    summary = view.summary
    kinds = _kinds(view, lang)
    picture = draw(summary["source"]["size"], view.classes, view.owned)
    page = _environment().get_template("report.html")
    artifacts = {s: dict((summary.get("artifacts") or {}).get(s) or {}) for s in STATES}
    return page.render(
        _=partial(text, lang=lang),
        lang=lang,
        view=view,
        summary=summary,
        verdict=str(summary["verdict"]),
        severity=str(summary["severity"] or ""),
        looked=summary["findings"] is not None,
        artifacts=artifacts,
        files_count=sum(a.get("count") or 0 for a in artifacts.values()),
        files_bytes=sum(a.get("bytes") or 0 for a in artifacts.values()),
        kinds=kinds,
        labelled=sum(k.labelled for k in kinds),
        unlabelled=sum(k.unlabelled for k in kinds),
        coverage=summary["coverage"],
        size=summary["source"]["size"],
        damage=_grouped(summary.get("damage") or (), lang),
        encrypted=summary.get("encrypted") or (),
        picture=picture,
        drawing=outline(picture),
        looks=LOOK_WORDS,
        classes=CLASS_WORDS,
        gap="" if lang == "ja" else " ",
        states=STATES,
        severities=SEVERITIES,
        scope=SCOPES.get(str(summary.get("scope"))),
        kind_words=KINDS,
        first_rows=FIRST_ROWS,
        listed=_LISTED,
    )


def _kinds(view: View, lang: str) -> list[KindRow]:
    """Every kind that was found: those that make a leak grave first, then by count."""
    other = next(one for one in LANGUAGES if one != lang)
    rows = []
    for kind, counts in (view.summary.get("findings") or {}).items():
        words = KINDS.get(kind)
        rows.append(
            KindRow(
                text(words.id, lang) if words else kind.replace("_", " "),
                text(words.id, other) if words else "",
                counts.get("labelled") or 0,
                counts.get("unlabelled") or 0,
                kind in GRAVE_KINDS,
                list(view.samples.get(kind, ()))[:_SAMPLES],
            )
        )
    return sorted(rows, key=lambda r: (not (r.grave and r.labelled), -r.labelled, -r.unlabelled))


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that went wrong: its kind in words, how the program or a parser says it, how often,
    and where first.
    """

    words: str
    what: str
    times: int
    where: str


def _grouped(damage: Sequence[Mapping[str, str]], lang: str) -> list[Flaw]:
    """Most frequent first: a torn volume says one thing often."""
    counts: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], str] = {}
    for one in damage:
        flaw = str(one.get("kind", "")), str(one.get("what"))
        counts[flaw] += 1
        where.setdefault(flaw, str(one.get("locator")))
    return [
        Flaw(flaws.words(kind, lang), flaws.said(what, lang), n, where[kind, what])
        for (kind, what), n in counts.most_common()
    ]


# --- from values to words ----------------------------------------------------------------


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

    folder = Path(__file__).with_name("templates")
    env = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def in_language(function: Any) -> Any:
        return pass_context(lambda context, value: function(value, context["lang"]))

    env.filters |= {
        "fill": lambda template, **fields: template.format(**fields),
        "given": given,
        "human": human,
        "by_weight": by_weight,
        "short": lambda words: re.split(r" ?[(（]", words)[0],
        "number": lambda value: f"{value:,}",
        "share": share,
        "exact": in_language(exact),
        "duration": in_language(duration),
        "say": in_language(lambda words, lang: text(words.id, lang)),
    }
    return env


def _finalize(value: object) -> object:
    """Whatever a template prints: texts show their invisible characters, markup stays"""
    if value is None or hasattr(value, "__html__"):
        return "" if value is None else value
    return visible(str(value))


_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Printable by their category, and yet nothing is seen."""


def visible(string: str) -> str:
    """The text with every character that is not seen as itself written as ``⟨U+202E⟩``.

    So nothing changes the direction of the text, hides in it, or stacks more than a few marks.
    Bytes that were no text (lone surrogates) are ``⟨byte 8A⟩``.
    """
    out, marks = [], 0
    for char in string:
        mark = bool(unicodedata.combining(char))
        marks = marks + 1 if mark else 0
        if (char.isprintable() or char == "\u3000") and char not in _BLANK and marks <= _MARKS:
            out.append(char)
        elif 0xDC80 <= ord(char) <= 0xDCFF:
            out.append(f"⟨byte {ord(char) - 0xDC00:02X}⟩")
        else:
            out.append(f"⟨U+{ord(char):04X}⟩")
    return "".join(out)


def given(value: object) -> Any:
    """A string that someone else chose, as isolated markup that may break at its slashes."""
    from markupsafe import Markup, escape

    string = str(value)
    if len(string) > _GIVEN_HEAD + _GIVEN_TAIL:
        left_out = len(string) - _GIVEN_HEAD - _GIVEN_TAIL
        string = f"{string[:_GIVEN_HEAD]} …({left_out:,})… {string[-_GIVEN_TAIL:]}"
    safe = str(escape(visible(string)))
    return Markup('<bdi class="given">{}</bdi>').format(Markup(re.sub("/", "/<wbr>", safe)))  # noqa: S704


def by_weight(findings: Mapping[str, int]) -> list[tuple[str, int]]:
    """Kinds with their counts: those that make a leak grave first, then by count."""
    return sorted(findings.items(), key=lambda one: (one[0] not in GRAVE_KINDS, -one[1], one[0]))


def human(value: int) -> str:
    """Bytes in three digits and a decimal unit, as on the label of a drive."""
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB", "TB", "PB", "EB"):
        if amount < 999.5 or unit == "EB":
            break
        amount /= 1000
    return f"{value} B" if unit == "B" else f"{amount:.{max(0, 3 - len(str(int(amount))))}f} {unit}"


def exact(value: int, lang: str) -> str:
    """Bytes to the last one."""
    return text("{count} bytes", lang).format(count=f"{value:,}")


def share(part: int, whole: int) -> str:
    """Per cent, never rounded up to all nor down to nothing."""
    if not whole or part in (0, whole):
        return "100 %" if whole and part else "0 %"
    percent = 100 * part / whole
    if percent < 0.01:
        return "< 0.01 %"
    if percent > 99.99:
        return "> 99.99 %"
    return f"{percent:.2f} %"


def duration(seconds: float, lang: str) -> str:
    """Hours, minutes and seconds, the two that matter."""
    whole = int(seconds)
    if whole >= 3600:
        return text("{hours} h {minutes} min", lang).format(
            hours=whole // 3600, minutes=whole % 3600 // 60
        )
    if whole >= 60:
        return text("{minutes} min {seconds} s", lang).format(
            minutes=whole // 60, seconds=whole % 60
        )
    return text("{seconds} s", lang).format(seconds=f"{seconds:.1f}")

"""What it means: from everything seen to a verdict, pure.

Residue beats inconclusive beats clean; damage, gaps and spent budgets turn only clean into
inconclusive. Law: adding badness never improves a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hakushi.model import Message, Role, Severity, Verdict, message

GRAVE_KINDS = frozenset(
    {
        "my_number",
        "bank_account",
        "payment_card",
        "iban",
        "credential",
        "resident_code",
        "pension_number",
        "drivers_licence",
        "residence_card",
        "passport",
        "insurer_number",
        "insured_symbol",
        "employment_insurance",
        "us_ssn",
        "national_id",
        "sensitive_form",
    }
)
"""Kinds of which one labelled finding makes a leak grave: numbers that nobody changes at will, or
that money hangs on."""

GRAVE_NAMES = 100
"""Over so many labelled names, mail addresses or phones the residue is grave as well: the head
count from which Japan's public bodies report (APPI art. 68, Rule 43)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a verdict rests on, counted over the whole case."""

    size: int
    roles: Mapping[Role, int] = field(default_factory=dict)
    """How many artifacts of each role."""
    findings: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """kind -> (labelled, unlabelled)."""
    unread: int = 0
    """Bytes not read, unreadable or never tried."""
    damage: int = 0
    undone: int = 0
    """Units of work that did not end."""
    unexplained: int = 0
    """Structured bytes that no structure of a new, empty file system explains."""
    random: int = 0
    """Random-like bytes outside every such structure."""
    plain: int = 0
    """Zero and constant bytes outside every such structure."""
    uniform: bool = True
    """Whether the random-like bytes are uniform together."""
    structures: int = 0
    hidden: int | None = 0
    """Bytes that the drive hides (native minus addressable size); None where it does not say."""
    sampled: int | None = None
    """Bytes read of a sample; None where everything was meant to be read."""
    looked: bool = True
    """Whether personal data was looked for at all."""


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    severity: Severity | None
    """None where nobody looked for what it depends on."""
    reasons: tuple[Message, ...]


def judge(facts: Facts) -> Judgement:
    """The verdict, how grave it is, and every reason for it."""
    residue = _residue(facts)
    doubts = _doubts(facts)
    if residue:
        grave = severity(facts) if facts.looked else None
        return Judgement(Verdict.RESIDUE, grave, (*residue, *doubts))
    doubts += _unexplained(facts)
    if doubts:
        grave = Severity.NONE if facts.looked else None
        return Judgement(Verdict.INCONCLUSIVE, grave, tuple(doubts))
    return Judgement(Verdict.CLEAN, Severity.NONE, tuple(_clean(facts)))


def severity(facts: Facts) -> Severity:
    """How grave the residue is, by what kinds of personal data are in it."""
    labelled = {kind: n for kind, (n, _) in facts.findings.items() if n}
    if not labelled:
        return Severity.TRIVIAL
    crowd = max((labelled.get(k, 0) for k in ("person_name", "email", "phone")), default=0)
    if crowd > GRAVE_NAMES or GRAVE_KINDS & labelled.keys():
        return Severity.GRAVE
    return Severity.PERSONAL


def _residue(facts: Facts) -> list[Message]:
    out = []
    files = facts.roles.get(Role.CONTENT, 0)
    if files:
        out.append(
            message(
                "Files and folders that can be restored or are still named: {count:,}.", count=files
            )
        )
    if names := facts.roles.get(Role.NAME, 0):
        out.append(message("Old names and records of files that are left: {count:,}.", count=names))
    if labels := facts.roles.get(Role.LABEL, 0):
        out.append(message("Volume labels that someone chose: {count:,}.", count=labels))
    if labelled := sum(n for n, _ in facts.findings.values()):
        out.append(
            message(
                "Pieces of personal data whose label says what they are: {count:,}.", count=labelled
            )
        )
    return out


def _doubts(facts: Facts) -> list[Message]:
    out = []
    if facts.sampled is not None:
        out.append(
            message(
                "Only a sample of {count:,} bytes was read: it bounds what is left, and proves no"
                " drive clean.",
                count=facts.sampled,
            )
        )
    if not facts.looked:
        out.append(
            message(
                "Personal data was not looked for (--files-only): how grave it is, is not known,"
                " and no drive is called clean by such a run."
            )
        )
    if facts.unread:
        out.append(message("Bytes that were not read: {count:,}.", count=facts.unread))
    if facts.undone:
        out.append(message("Pieces of work that did not end: {count:,}.", count=facts.undone))
    if facts.damage:
        out.append(
            message("Things that could not be read or parsed: {count:,}.", count=facts.damage)
        )
    if locked := facts.roles.get(Role.ENCRYPTED, 0):
        out.append(
            message("Encrypted volumes or files whose key is not known: {count:,}.", count=locked)
        )
    if members := facts.roles.get(Role.MEMBER, 0):
        out.append(
            message(
                "Parts of an array or volume group whose other parts are not here: {count:,}."
                " Assess all members together (--set).",
                count=members,
            )
        )
    if unlabelled := sum(n for _, n in facts.findings.values()):
        out.append(
            message(
                "Numbers that look like personal data but carry no label: {count:,}.",
                count=unlabelled,
            )
        )
    if facts.hidden is None:
        out.append(message("The drive does not say whether it hides sectors."))
    elif facts.hidden:
        out.append(message("The drive hides {count:,} bytes.", count=facts.hidden))
    return out


def _unexplained(facts: Facts) -> list[Message]:
    out = []
    if facts.unexplained:
        out.append(
            message("Structured bytes that nothing explains: {count:,}.", count=facts.unexplained)
        )
    if facts.random and (facts.plain or facts.unexplained):
        out.append(
            message(
                "{count:,} random-like bytes on a medium that is otherwise not random:"
                " encrypted or compressed data may lie there.",
                count=facts.random,
            )
        )
    if facts.random and not facts.uniform:
        out.append(
            message(
                "The random-like bytes are not uniform together: compressed data may lie there."
            )
        )
    return out


def _clean(facts: Facts) -> Sequence[Message]:
    out = [message("All {count:,} bytes were read.", count=facts.size)]
    if facts.random:
        out.append(
            message("Bytes that are uniform like random ones: {count:,}.", count=facts.random)
        )
    if facts.plain:
        out.append(message("Bytes of zeros or constant fill: {count:,}.", count=facts.plain))
    if facts.structures:
        out.append(
            message(
                "Structures of partition tables or new, empty file systems account for the rest:"
                " {count:,}.",
                count=facts.structures,
            )
        )
    return out

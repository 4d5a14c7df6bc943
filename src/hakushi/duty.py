"""Thresholds of the law on reporting a leak, as data, and which of them a find may cross.

Never "duty" and never "no duty": a person decides. What the program cannot tell (health data, a
theft, who the handler is) stands beside it as a sentence. Sources were read at second hand
(docs/standards.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hakushi.model import Message, message


class Counted(StrEnum):
    """Whom a threshold counts."""

    PEOPLE = "people"
    MY_NUMBERS = "my_numbers"
    FINANCIAL = "financial"
    """People whose data may cost them money."""
    SENSITIVE = "sensitive"
    """People of whom forms about health, welfare or crime tell."""


@dataclass(frozen=True, slots=True)
class Rule:
    """More than ``over`` of what is ``counted`` cross it."""

    id: str
    source: str
    counted: Counted
    over: int
    sentence: Message


RULES = (
    Rule(
        "appi-68-count",
        "APPI art. 68, Rule 43",
        Counted.PEOPLE,
        100,
        message(
            "Public bodies in Japan: it may cross {over:,} people (APPI art. 68, Rule 43; here"
            " {low:,} to {high:,}). First report within 3 to 5 days, final one within 30."
        ),
    ),
    Rule(
        "appi-26-count",
        "APPI art. 26, Rule 7",
        Counted.PEOPLE,
        1000,
        message(
            "Firms in Japan: it may cross {over:,} people (APPI art. 26, Rule 7; here {low:,} to"
            " {high:,}). First report within 3 to 5 days, final one within 30."
        ),
    ),
    Rule(
        "my-number-count",
        "My Number Act art. 29-4",
        Counted.MY_NUMBERS,
        100,
        message(
            "Whoever handles My Numbers: more than {over:,} people's (My Number Act art. 29-4; here"
            " {low:,} different ones). First report within 3 to 5 days, final one within 30."
        ),
    ),
    Rule(
        "appi-financial",
        "APPI art. 26 and 68",
        Counted.FINANCIAL,
        0,
        message(
            "Firms and public bodies in Japan: data that may cost people money count from one"
            " person on (APPI art. 26 and 68; here {high:,} places with card, account or access"
            " data)."
        ),
    ),
    Rule(
        "appi-sensitive",
        "APPI art. 26 and 68",
        Counted.SENSITIVE,
        0,
        message(
            "Firms and public bodies in Japan: data that need special care count from one person on"
            " (APPI art. 26 and 68; here {high:,} forms about health, welfare or crime)."
        ),
    ),
    Rule(
        "gdpr-33",
        "GDPR art. 33",
        Counted.PEOPLE,
        0,
        message(
            "If people in the EU are among them: within 72 hours, unless a risk to them is unlikely"
            " (GDPR art. 33)."
        ),
    ),
)

SENSITIVE_KINDS = frozenset({"sensitive_form"})
"""Kinds that tell of data which need special care."""

FINANCIAL_KINDS = frozenset({"payment_card", "credential", "bank_account", "iban"})
"""Kinds from which harm to someone's money may come."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the law's counts rest on. Ranges are (low, high)."""

    labelled: Mapping[str, int]
    unlabelled: int
    people: tuple[int, int]
    my_numbers: int
    """Different ones."""
    encrypted: int = 0
    partial: bool = False
    """Not everything was read and looked into."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold that may be crossed; ``sure``: even the lowest count is over it."""

    rule: Rule
    low: int
    high: int

    @property
    def sure(self) -> bool:
        return self.low > self.rule.over

    @property
    def sentence(self) -> Message:
        numbers = {"over": self.rule.over, "low": self.low, "high": self.high}
        return message(self.rule.sentence.id, **numbers)


def crossings(found: Found) -> tuple[Crossing, ...]:
    """Law: more of anything never crosses fewer thresholds."""
    money, care = (
        sum(found.labelled.get(kind, 0) for kind in kinds)
        for kinds in (FINANCIAL_KINDS, SENSITIVE_KINDS)
    )
    counts = {
        Counted.PEOPLE: found.people,
        Counted.MY_NUMBERS: (found.my_numbers, found.my_numbers),
        Counted.FINANCIAL: (min(1, money), money),
        Counted.SENSITIVE: (min(1, care), care),
    }
    every = (Crossing(rule, *counts[rule.counted]) for rule in RULES)
    return tuple(one for one in every if one.high > one.rule.over)


def notes(found: Found) -> tuple[Message, ...]:
    """What the counts do not say."""
    out = []
    if found.partial:
        out.append(
            message(
                "Not everything was read and looked into: there may be more people than were"
                " counted."
            )
        )
    if found.encrypted:
        out.append(
            message(
                "Encrypted data exempt from a report only where the encryption is strong and the"
                " key was kept elsewhere; neither is told here."
            )
        )
    if found.unlabelled and not any(found.labelled.values()):
        out.append(message("Only numbers without a label were found: they count for no threshold."))
    if any(found.labelled.values()):
        out.append(
            message(
                "Health, criminal and other sensitive data, and a theft or sale, count from one"
                " person on; this program knows some such forms by their titles, and no theft."
                " Whether there is a duty to report, a person decides."
            )
        )
    return tuple(out)

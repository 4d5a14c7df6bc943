"""The language that this run speaks: set once by the skin, used for every text for people."""

from __future__ import annotations

from collections.abc import Mapping

from hakushi.assess import flaws
from hakushi.lang import default, say
from hakushi.model import Message, message

_chosen: list[str] = []

_ANSWERS = {
    "clean": message("clean"),
    "residue": message("residue"),
    "inconclusive": message("inconclusive"),
    "none": message("none"),
    "trivial": message("trivial"),
    "personal": message("personal"),
    "grave": message("grave"),
    "completed": message("completed"),
    "failed": message("failed"),
    "unknown": message("unknown"),
    "refused": message("refused"),
}
"""The words of verdicts, severities and outcomes, as people read them."""


_CUSTODY = {
    "": message("not registered"),
    "in_service": message("in service"),
    "retired": message("retired"),
    "ordered": message("ordered"),
    "sealed": message("sealed"),
    "in_transit": message("in transit"),
    "received": message("received"),
    "sanitized": message("sanitized"),
    "validated": message("validated"),
    "released": message("released"),
    "destroyed": message("destroyed"),
    "closed": message("closed"),
    "missing": message("missing"),
    "suspect": message("suspect"),
    "written_off": message("written off"),
    "registered": message("registered"),
    "handed_over": message("handed over"),
    "sanitize_planned": message("erasure planned"),
    "assessed": message("assessed"),
    "certified": message("certified"),
    "revoked": message("certificate revoked"),
    "disputed": message("disputed"),
    "sighted": message("sighted"),
    "recovered": message("recovered"),
    "imported": message("taken over from a bench"),
    "key_added": message("key added"),
    "key_revoked": message("key revoked"),
    "extra": message("not on the manifest"),
    "overdue": message("overdue"),
    "open": message("under way"),
    "matched": message("ended and verified"),
    "explained": message("break explained"),
    "noted": message("noted"),
    "unregistered": message("not registered"),
    "owner": message("owner"),
    "lessor": message("lessor"),
    "contractor": message("contractor"),
    "carrier": message("carrier"),
    "witness": message("witness"),
    "auditor": message("auditor"),
    "finder": message("finder"),
}
"""States of a drive, events and roles, as people read them."""


_TECHNICAL = {
    "clear": message("Clear"),
    "purge": message("Purge"),
    "destroy": message("Destroy"),
    "hidden-areas": message("hidden areas (HPA, DCO)"),
    "over-provisioned": message("over-provisioned cells"),
    "remapped": message("remapped sectors"),
    "simulated": message("simulated drives"),
    "loop": message("loop devices"),
    "image-files": message("image files"),
    "overwrite": message("overwriting"),
    "unreadable-cells": message("cells without an address (the command reaches them, no reading)"),
}
"""Methods, techniques and their limits, as people read them."""


def set_language(lang: str | None) -> None:
    """Chooses ``ja`` or ``en``; None goes back to what the locale asks for."""
    _chosen[:] = [lang] if lang else []


def current() -> str:
    """The language chosen, or the locale's."""
    return _chosen[0] if _chosen else default()


def tell(message: Message) -> str:
    """The sentence in the current language."""
    return say(message, current())


def flaw(damage: Mapping[str, str]) -> str:
    """A row of ``damage``: what kind of thing it is, and what is wrong with it."""
    kind = flaws.words(damage.get("kind", ""), current())
    what = flaws.said(damage["what"], current())
    return tell(message("{kind}: {what}", kind=kind, what=what)) if kind else what


def answer(word: str | None) -> str:
    """A verdict, severity or outcome in the current language; a dash where there is none."""
    return tell(_ANSWERS[word]) if word else "-"


def custody(word: str) -> str:
    """A state, an event or a role in the current language."""
    return tell(_CUSTODY[word]) if word in _CUSTODY else word


def technical(word: str) -> str:
    """A method, a technique or a limit in the current language; others as they are."""
    return tell(_TECHNICAL[word.lower()]) if word.lower() in _TECHNICAL else word


def broken(about: Message) -> str:
    """What a break of custody is about; events and states in it in the current language, too."""
    named = {name: custody(str(value)) for name, value in about.args if name in {"step", "state"}}
    return tell(Message(about.id, tuple(sorted({**dict(about.args), **named}.items()))))

"""The language that this run speaks: set once by the skin, used for every text for people."""

from __future__ import annotations

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


def set_language(lang: str | None) -> None:
    """Chooses ``ja`` or ``en``; None goes back to what the locale asks for."""
    _chosen[:] = [lang] if lang else []


def current() -> str:
    """The language chosen, or the locale's."""
    return _chosen[0] if _chosen else default()


def tell(message: Message) -> str:
    """The sentence in the current language."""
    return say(message, current())


def answer(word: str | None) -> str:
    """A verdict, severity or outcome in the current language; a dash where there is none."""
    return tell(_ANSWERS[word]) if word else "-"

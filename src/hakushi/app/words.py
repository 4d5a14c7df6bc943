"""The language that this run speaks: set once by the skin, used for every text for people."""

from __future__ import annotations

from hakushi.lang import default, say
from hakushi.model import Message

_chosen: list[str] = []


def set_language(lang: str | None) -> None:
    """Chooses ``ja`` or ``en``; None goes back to what the locale asks for."""
    _chosen[:] = [lang] if lang else []


def current() -> str:
    """The language chosen, or the locale's."""
    return _chosen[0] if _chosen else default()


def tell(message: Message) -> str:
    """The sentence in the current language."""
    return say(message, current())

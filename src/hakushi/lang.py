"""Words: message ids and arguments -> Japanese or English.

The English text is the id; ``locale/ja/LC_MESSAGES/*.po`` hold the Japanese, one catalogue a
room, compiled to ``.mo`` by ``tools/catalogues``. Pure code returns `Message`s; skins call `say`.
"""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

from hakushi.model import Message

LANGUAGES = ("ja", "en")
_LOCALE = Path(__file__).with_name("locale")


def default(environment: dict[str, str] | None = None) -> str:
    """The language that the locale asks for: ``ja`` or, failing that, ``en``."""
    env = os.environ if environment is None else environment
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = env.get(name, "")
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


@cache
def _catalogue(lang: str) -> gettext.NullTranslations:
    words = gettext.NullTranslations()
    for path in sorted((_LOCALE / lang / "LC_MESSAGES").glob("*.mo")):
        with path.open("rb") as file:
            more = gettext.GNUTranslations(file)
        more.add_fallback(words)
        words = more
    return words


def text(id: str, lang: str) -> str:
    """The template in that language (the id itself where there is no word for it)."""
    return id if lang == "en" or not id else _catalogue(lang).gettext(id)


def say(message: Message, lang: str) -> str:
    """The sentence in that language."""
    return text(message.id, lang).format(**dict(message.args))

"""Damage in words for people: what could not be read, and why, where the program itself stopped.

What a parser finds wrong in foreign bytes stays as the parser says it, in English: it is for
whoever knows the format. What kind of thing that is, and every limit of the program's own, is said
in the reader's language.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from enum import StrEnum
from functools import cache

from hakushi.lang import text
from hakushi.model import Damage, Locator, Message, message


class Kind(StrEnum):
    """What could not be read, parsed or finished."""

    UNREAD = "unread"
    VOLUME = "volume"
    FILE = "file"
    METHOD = "method"
    LIMIT = "limit"
    ERROR = "error"


WORDS: Mapping[Kind, Message] = {
    Kind.UNREAD: message("The medium does not give these bytes"),
    Kind.VOLUME: message("A partition, volume or file system is broken or not understood"),
    Kind.FILE: message("A file, or what is left of one, is broken or cut off"),
    Kind.METHOD: message("Packed or stored in a way that is not read here"),
    Kind.LIMIT: message("Too much in one place: the program stopped looking there"),
    Kind.ERROR: message("The program did not finish this"),
}

_OWN: Mapping[Kind, tuple[Message, ...]] = {
    Kind.UNREAD: (
        message("unreadable: {why}"),
        message("{count} bytes at {at}: {why}"),
        message("{count} bytes could not be read for --recover"),
    ),
    Kind.METHOD: (
        message("the pages of a DocuWorks document are packed; what they say was not looked into"),
        message("{count} members are packed by RAR; what they hold was not looked into"),
        message("compression method {method} is not known"),
        message("the method {method} is not known"),
        message("it is packed with {method}, which is not undone here"),
        message("it is packed in an unknown way ({method})"),
        message("a store with high encryption, which is not read yet"),
        message("a store of 4 KiB pages, which are not read yet"),
        message("the volume is sealed: the places of its files are not read"),
        message("layout {layout} of RAID {level} is not read"),
    ),
    Kind.LIMIT: (
        message("budget: too many steps"),
        message("budget: too much output"),
        message("budget: too many artifacts"),
        message("budget: out of time"),
        message("budget: nested too deep"),
        message("more than {count} findings at {at}: the rest was not listed"),
        message("out of memory"),
        message("out of time"),
    ),
    Kind.ERROR: (
        message("{count} pieces of work did not end: {why}"),
        message("internal error: {why}"),
        message("its worker died (exit {code})"),
        message("the source changed while it was read"),
        message("no second opinion: {why}"),
        message("only a sample was read"),
        message("{tool} is not installed"),
        message("{tool} is asked about raw images and drives only"),
        message("{tool} left no report"),
    ),
}
"""What the program says of itself, as patterns: a case keeps damage as it was said."""

_DEEPEST = 3
"""A reason may stand in a reason, so deep."""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Kind, Message], ...]:
    out = []
    for kind, sentences in _OWN.items():
        for one in sentences:
            plain = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.{1,500}?)", re.escape(one.id))
            out.append((re.compile(plain, re.DOTALL), kind, one))
    return tuple(out)


def kind_of(damage: Damage, volumes: Container[Locator]) -> Kind:
    """What kind of thing it is. ``volumes``: the medium and the volumes on it."""
    for pattern, kind, _ in _patterns():
        if pattern.fullmatch(damage.what):
            return kind
    place = damage.locator
    whole = place.parent if place.last[1] == "*" else place
    return Kind.VOLUME if whole in volumes else Kind.FILE


def said(what: str, lang: str, deepest: int = _DEEPEST) -> str:
    """Damage in a language, where it is the program's own; else as it is."""
    for pattern, _, sentence in _patterns() if deepest else ():
        match = pattern.fullmatch(what)
        if match is not None:
            parts = {
                name: said(part, lang, deepest - 1) for name, part in match.groupdict().items()
            }
            return text(sentence.id, lang).format(**parts)
    return what


def words(kind: str, lang: str) -> str:
    """What a kind is called; nothing for one that is not known."""
    return text(WORDS[Kind(kind)].id, lang) if kind in list(Kind) else ""

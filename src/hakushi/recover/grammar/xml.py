"""XML parts of office documents, parsed as they are unpacked: no tree, no entities resolved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from hakushi.model import Malformed, Source, Text
from hakushi.recover.cursor import Budget
from hakushi.recover.grammar import zip as grammar
from hakushi.recover.grammar.plain import Items, Plain
from hakushi.recover.grammar.zip import Entry


class Target:
    """Gets the parser's calls; ``ready`` holds what can be told already."""

    qualified = False
    """Does it take names with their namespaces? Few do, for speed."""

    items: Items | None = None
    """What need not go through the parser where it is written plainly."""

    def __init__(self, part: str = "") -> None:
        self.part = part
        self.ready: list[Text] = []
        self.told = 0
        """How many of its items the parser has told."""

    def tell(self, _item: re.Match[bytes]) -> None: ...

    def start(self, _tag: str, _attributes: dict[str, str]) -> None: ...

    def end(self, _tag: str) -> None: ...

    def data(self, _text: str) -> None: ...

    def close(self) -> None: ...


def parse(source: Source, entry: Entry, target: Target, budget: Budget) -> Iterator[Text]:
    """What a part tells through its target. Raises Malformed at the end where it was broken."""
    from lxml import etree

    plain: Any = target if target.qualified else _Local(target)
    parser: Any = etree.XMLParser(
        target=plain, resolve_entities=False, no_network=True, huge_tree=False
    )
    flaw = ""
    items = target.items
    plainly = Plain(items, target.tell, parser.feed, lambda: target.told) if items else None
    feed = plainly.feed if plainly else parser.feed
    try:
        for data in grammar.content(source, entry, budget):
            feed(data)
            budget.pay(steps=len(data) >> 6)
            yield from _told(target)
        if plainly:
            plainly.close()
        parser.close()
    except etree.LxmlError as error:
        flaw = f"XML: {error.msg if hasattr(error, 'msg') else error}"
    target.close()
    yield from _told(target)
    if flaw:
        raise Malformed(flaw)


def _told(target: Target) -> Iterator[Text]:
    ready, target.ready = target.ready, []
    yield from ready


@lru_cache(1 << 10)
def bare(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


class _Local:
    """Strips namespaces: local names are enough to tell these vocabularies apart."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.data: Callable[[str], None] = target.data

    def start(self, tag: str, attributes: Any) -> None:
        # Most elements have none, and an empty mapping of lxml is slow to walk.
        plain = {bare(key): value for key, value in attributes.items()} if attributes else {}
        self._target.start(bare(tag), plain)

    def end(self, tag: str) -> None:
        self._target.end(bare(tag))

    def close(self) -> None:
        return None


def as_number(text: str) -> int:
    """A count that is said; 1 where it is none."""
    return int(text) if text.isdecimal() and len(text) < 8 else 1

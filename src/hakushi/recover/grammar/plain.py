"""Elements that nearly every program writes alike, told without a parser: a sheet has a million.

A stream of XML goes through `Plain`: rows or strings of the plain form are told as they stand, and
the parser gets all the rest. Law: what is told is the same, in the same order, as by the parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_HEAD, _LONGEST = 64 << 10, 4 << 20
"""Bytes before the first item, and of one: where there are more, the parser gets everything."""

_ENCODING = re.compile(rb"""\s*<\?xml[^<>]{0,80}?encoding=["']([A-Za-z0-9._\-]{1,40})["']""")
_MARKS = (b"\xfe\xff", b"\xff\xfe")


@dataclass(frozen=True, slots=True)
class Items:
    """Where items begin (``opens`` stands before the first), how a plain one is written, how each
    begins and ends.
    """

    opens: re.Pattern[bytes]
    plain: re.Pattern[bytes]
    begin: bytes
    end: bytes


class Plain:
    """Between an XML stream and its parser. ``tell`` gets each plain item, ``parse`` what is left;
    ``told`` is how many items the parser has told so far.
    """

    def __init__(
        self,
        items: Items,
        tell: Callable[[re.Match[bytes]], None],
        parse: Callable[[bytes], None],
        told: Callable[[], int],
    ) -> None:
        self._items, self._tell, self._parse, self._told = items, tell, parse, told
        self._held = b""
        self._inside = self._off = False

    def feed(self, data: bytes) -> None:
        if self._off:
            self._parse(data)
            return
        self._held += data
        if not self._inside:
            self._begin()
        if self._inside and not self._off:
            self._go_on()

    def close(self) -> None:
        """Gives the parser what was held back."""
        self._give_up(0)

    def _give_up(self, at: int) -> None:
        rest, self._held, self._off = self._held[at:], b"", True
        if rest:
            self._parse(rest)

    def _begin(self) -> None:
        """Gives the parser what stands before the items, once they begin."""
        held = self._held
        opened = self._items.opens.search(held)
        if opened is not None:
            said = _ENCODING.match(held)
            if held.startswith(_MARKS) or (said and said[1].lower() not in (b"utf-8", b"us-ascii")):
                self._give_up(0)
                return
            self._inside, self._held = True, held[opened.end() :]
            self._parse(held[: opened.end()])
        elif len(held) > _HEAD:
            self._give_up(0)

    def _go_on(self) -> None:
        held, at = self._held, 0
        items = self._items
        match, tell = items.plain.match, self._tell
        while True:
            while (one := match(held, at)) is not None:
                tell(one)
                at = one.end()
            rest = len(held) - at
            if not items.begin.startswith(held[at : at + len(items.begin)]):
                self._give_up(at)  # the last one is behind us
                return
            end = held.find(items.end, at)
            if end < 0:
                self._held = held[at:]
                if rest > _LONGEST:
                    self._give_up(0)
                return
            end += len(items.end)
            before = self._told()
            self._parse(held[at:end])
            at = end
            if self._told() == before:
                self._give_up(at)  # its end was none
                return

"""The table at the start of a set (`recover/arrays.py`): which array or volume stands where."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Extent, Malformed, Role, Run, Source, State
from hakushi.recover import Budget, Cursor, Family, Format
from hakushi.recover.arrays import TABLE

_LARGEST = 4 << 20
_PAGE = 4096
_MOST = 10_000


def _probe(source: Source) -> bool:
    return Cursor(source, page=512).has(0, TABLE)


def _rows(source: Source) -> tuple[list[dict[str, object]], int]:
    text = bytearray()
    # A page at a time: behind the table lie the members, which need not be readable.
    for at in range(0, min(_LARGEST, source.size), _PAGE):
        text += source.read(Extent(at, _PAGE))
        if b"\n" in text[max(at, len(TABLE)) :]:
            break
    text = text[len(TABLE) :].partition(b"\n")[0]
    try:
        rows = json.loads(text)
    except ValueError:
        raise Malformed("the table of the set cannot be read") from None
    if not isinstance(rows, list) or len(rows) > _MOST:
        raise Malformed("the table of the set cannot be read")
    return [row for row in rows if isinstance(row, dict)], len(TABLE) + len(text) + 1


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    rows, size = _rows(source)
    for number, row in enumerate(rows):
        budget.pay()
        at, length, kind = row.get("at"), row.get("size"), row.get("kind")
        if not (isinstance(at, int) and isinstance(length, int) and isinstance(kind, str)):
            raise Malformed("a row of the set's table cannot be read")
        if not (at > 0 and length > 0 and at + length <= source.size):
            raise Malformed("a row of the set's table points elsewhere")
        place = source.locator.step("array", number)
        yield Artifact(
            place,
            kind[:40],
            State.LIVE,
            length,
            (Run(at, length),),
            str(row.get("name"))[:256],
            Role.VOLUME,
        )
    yield Artifact(
        source.locator.step("set", "table"),
        "set",
        State.LIVE,
        size,
        (Run(0, size),),
        role=Role.STRUCTURE,
    )


PLUGIN = Format("set", Family.VOLUMES, _probe, open=_open)

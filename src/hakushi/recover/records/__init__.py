"""Old records in raw bytes: what a file system that no longer stands wrote about its files.

One word, `Records`: a kind of record, how it begins at the start of a sector, and how the records
of a whole medium become files. A module of this folder is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from hakushi import plugins
from hakushi.model import Artifact, Damage, Extents, Run, Source
from hakushi.recover.cursor import Budget

HELD = "-used"
"""How the last locator step of a file ends whose record was in use until its file system ended."""

UNCHAINED = frozenset({"fatold", "exfatold"})
"""Steps of the records that tell where a file begins, not where it goes on: a newer file in pieces
may have the clusters of an older one, and nothing tells so but what they hold.
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """How one sort of record begins: ``value`` stands ``at`` bytes into a sector."""

    id: str
    value: bytes
    at: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of a medium before its old records are read.

    ``signs``: for each sign the bytes from where it stands, whole sectors; signs near each other
    are one extent. ``used``: whether a file system that still stands has a byte of a run in use.
    ``magics``: some of the file magics on the medium, as (offset, format id). ``walked``: whether
    a file system that begins at a byte was walked, so that what lives in it is told already; one
    whose partition table is gone was not.
    """

    signs: Mapping[str, Extents]
    used: Callable[[Run], bool] = lambda _run: False
    magics: tuple[tuple[int, str], ...] = ()
    walked: Callable[[int], bool] = lambda _origin: True


@dataclass(frozen=True, slots=True)
class Records:
    """A kind of old record.

    ``read`` gives the files that the records tell of, as artifacts below ``source.locator``:
    deleted ones, that nothing which still stands lists. Each generation of a file system is a
    deleted volume of its own; its files' steps end in `HELD` where their records were in use.
    Hostile bytes give fewer artifacts, never an error but `Malformed`.
    """

    id: str
    signs: tuple[Sign, ...]
    read: Callable[[Source, Ground, Budget], Iterator[Artifact | Damage]] = field(repr=False)


def registered() -> tuple[Records, ...]:
    return plugins.load("hakushi.recover.records", Records)

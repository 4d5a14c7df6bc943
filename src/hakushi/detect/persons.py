"""Findings -> how many people, how many firms: ranges, from keyed hashes alone.

Findings that stand near each other are one record: it ends where a kind comes again, or after a
gap. Records are joined where they share a number that only one person has, a name together with an
address, postal code, phone, mail address or birth date, or two of these. A join that would give one
person two such numbers or two birth dates is refused. No join of pieces could say this, so it runs
once, over everything, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

KEY = 16
"""Bytes of a value's key. A longer one is of an office's own contact, and no sign of a person."""

GAP = 600
"""Bytes or characters without a finding after which another record begins."""

OWN = frozenset({"my_number", "resident_code", "pension_number", "drivers_licence"})
"""Numbers of which a person has one, and only one person each."""

_NAMES = ("person_name", "kana_name")
_BESIDE = ("address", "postal_code", "phone", "email", "birth_date", "bank_account")
_TOGETHER = ("address", "phone", "birth_date", "email")
_VETO = (*sorted(OWN), "birth_date")
FIRMS = frozenset({"corporate_number", "firm_name"})
"""The kinds that tell of firms."""

PEOPLE = frozenset((*_NAMES, *_BESIDE, *OWN))
"""The kinds that tell of people."""

KINDS = tuple(sorted(PEOPLE | FIRMS))
"""The kinds that count, in the order of `Part.kinds`."""

OTHER = 255
"""A kind that does not count."""


@dataclass(frozen=True, slots=True)
class Range:
    """Law: ``low <= best <= high``."""

    low: int
    best: int
    high: int


Place = tuple[str, int, str, bytes]
"""Where (any name of a text), offset, kind, key of the value. Labelled findings only."""


@dataclass(frozen=True, slots=True)
class Part:
    """Labelled findings, in order of text and offset: a column each.

    ``texts``: a number for each text, another one for the next. ``kinds`` are places in `KINDS`, or
    `OTHER`. ``keys``: the first `KEY` bytes of each as two words, zeros behind shorter ones.
    ``own``: whose key is longer.
    """

    texts: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    own: npt.NDArray[np.bool_]

    def only(self, which: npt.NDArray[np.bool_]) -> Part:
        """Some of them, copied: the kernel is compiled for one kind of arrays."""
        return Part(*(column[which] for column in self._columns()))

    def behind(self, before: Part) -> Part:
        """With what is in front of it."""
        import numpy as np

        both = zip(before._columns(), self._columns(), strict=True)
        return Part(*map(np.concatenate, both))

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return self.texts, self.offsets, self.kinds, self.keys, self.own


def parts(places: Iterable[Place]) -> Iterator[Part]:
    """Places, sorted by text and offset, as parts."""
    import numpy as np

    codes = {kind: i for i, kind in enumerate(KINDS)}
    for number, (_, some) in enumerate(groupby(places, itemgetter(0))):
        _, offsets, kinds, keys = zip(*some, strict=True)
        heads = b"".join(key[:KEY].ljust(KEY, b"\0") for key in keys)
        yield Part(
            np.full(len(offsets), number),
            np.array(offsets, np.int64),
            np.array([codes.get(kind, OTHER) for kind in kinds], np.uint8),
            np.frombuffer(heads, np.uint64).reshape(-1, 2),
            np.array([len(key) > KEY for key in keys], bool),
        )


_Record = dict[str, bytes]
_Handle = tuple[object, ...]


@dataclass(slots=True)
class _Groups:
    """Union-find over records; knows what each group may hold only once."""

    parent: list[int] = field(default_factory=list)
    once: list[dict[str, bytes]] = field(default_factory=list)

    def add(self, once: dict[str, bytes]) -> int:
        self.parent.append(len(self.parent))
        self.once.append(once)
        return len(self.parent) - 1

    def find(self, one: int) -> int:
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def join(self, a: int, b: int) -> None:
        a, b = self.find(a), self.find(b)
        if a == b:
            return
        mine, other = self.once[a], self.once[b]
        if any(mine[kind] != key for kind, key in other.items() if kind in mine):
            return
        self.parent[b] = a
        self.once[a] = {**other, **mine}

    def count(self) -> int:
        return sum(self.parent[n] == n for n in range(len(self.parent)))


def count(found: Iterable[Part]) -> tuple[Range, Range]:
    """How many people, and how many firms, the findings tell of.

    Parts come sorted by text and offset, and are read once: of a large medium there are millions
    of findings, but few different records.
    """
    import numpy as np

    about = np.zeros(OTHER + 1, np.uint8)
    about[[KINDS.index(kind) for kind in PEOPLE]] = 1
    about[[KINDS.index(kind) for kind in FIRMS]] = 2
    people, firms = _Different(), _Different()
    office: _Different | None = None
    for part in found:
        which = about[part.kinds]
        person = which == 1
        if office is None and (person & part.own).any():
            # An office's own contact: from here on, what counts it and what does not go apart.
            office = people.copy()
        people.add(part.only(person & ~part.own))
        if office is not None:
            office.add(part.only(person))
        firms.add(part.only(which == 2))
    records = people.end()
    everyone = records if office is None else office.end()
    return _people(records, everyone), _firms(firms.end())


def warm() -> None:
    """Compiles the kernel, or loads it."""
    count(parts([("", 0, "phone", b"")]))


def _people(records: list[_Record], everyone: list[_Record]) -> Range:
    """How many people some records tell of; ``everyone`` counts an office's own staff, too.

    ``best``: records join where a name and something beside it agree, or two of the rest; one that
    is little more than a name tells of a further person only with an address beside it.
    ``low``: so many different own numbers of one kind, or birth dates, that no fewer people can
    have. ``high``: only own numbers join, and every name that stands for itself is someone.
    """
    full = [r for r in records if _is_full(r)]
    slight = [r for r in records if not _is_full(r)]
    best = _joined(full, _with_something) + _further(slight, full)
    least = max(len({r[kind] for r in records if kind in r}) for kind in _VETO)
    low = min(best, max(least, int(bool(records))))
    return Range(low, best, max(best, _joined(everyone, _by_number)))


def _firms(records: list[_Record]) -> Range:
    """How many firms: by number, or by name where no number stands beside it."""
    numbers = {r["corporate_number"] for r in records if "corporate_number" in r}
    names = {r["firm_name"] for r in records if "firm_name" in r}
    groups = _Groups()
    seen: dict[tuple[str, bytes], int] = {}
    for record in records:
        number = record.get("corporate_number")
        group = groups.add({} if number is None else {"corporate_number": number})
        for kind, key in record.items():
            groups.join(seen.setdefault((kind, key), group), group)
    best = groups.count()
    return Range(min(best, max(len(numbers), int(bool(names)))), best, len(numbers) + len(names))


_TELLING = [KINDS.index(kind) for kind in sorted({*_NAMES, *OWN, *FIRMS})]
"""Places of the kinds of which a record has one if it tells of someone, or of a firm."""


class _Different:
    """The different records of neighbouring findings: the same in two files, of equal hashes, is
    one. Parts come sorted by text and offset.
    """

    __slots__ = ("_found", "_open")

    def __init__(self) -> None:
        self._open: Part | None = None
        """The last record: what follows in its text may belong to it."""
        self._found: dict[bytes, None] = {}
        """Keys of records, a place for each kind; zeros for none."""

    def copy(self) -> _Different:
        out = _Different()
        out._open, out._found = self._open, dict(self._found)
        return out

    def add(self, part: Part) -> None:
        """More findings, in the record before them or in new ones."""
        import numpy as np

        from hakushi.detect import persons_kernel

        if not len(part.kinds):
            return
        if self._open is not None:
            part = part.behind(self._open)
        which = np.empty(len(part.kinds), np.int64)
        count = persons_kernel.records(part.texts, part.offsets, part.kinds, part.keys, GAP, which)
        rows = np.zeros((count, len(KINDS), 2), np.uint64)
        rows[which, part.kinds] = part.keys
        self._keep(rows[:-1])
        last = rows[-1]
        there = np.flatnonzero(last.any(axis=1))
        # The kind that came last stays the last one.
        there = np.append(there[there != part.kinds[-1]], part.kinds[-1])
        self._open = Part(
            np.full(len(there), part.texts[-1]),
            np.full(len(there), part.offsets[-1]),
            there.astype(np.uint8),
            last[there],
            np.zeros(len(there), bool),
        )

    def _keep(self, rows: npt.NDArray[np.uint64]) -> None:
        """A phone or an address alone may be an office's own: it tells of nobody."""
        telling = rows[rows[:, _TELLING].any(axis=(1, 2))]
        data, width = telling.tobytes(), len(KINDS) * KEY
        self._found.update(
            dict.fromkeys(data[at : at + width] for at in range(0, len(data), width))
        )

    def end(self) -> list[_Record]:
        import numpy as np

        if (last := self._open) is not None:
            row = np.zeros((1, len(KINDS), 2), np.uint64)
            row[0, last.kinds] = last.keys
            self._keep(row)
        return [_record(row) for row in self._found]


_NO_KEY = bytes(KEY)


def _record(row: bytes) -> _Record:
    keys = (row[at : at + KEY] for at in range(0, len(row), KEY))
    return {kind: key for kind, key in zip(KINDS, keys, strict=True) if key != _NO_KEY}


def _is_full(record: _Record) -> bool:
    """More than a mention: something of a person's own stands beside the name, or alone."""
    own = bool(OWN & record.keys()) or "birth_date" in record
    return own or len(record) > 3 or sum(kind in record for kind in _TOGETHER) > 1


def _joined(records: list[_Record], handles: Callable[[_Record], Iterator[_Handle]]) -> int:
    """How many groups are left when records that share a handle are joined."""
    groups = _Groups()
    seen: dict[_Handle, int] = {}
    for record in records:
        group = groups.add({k: record[k] for k in _VETO if k in record})
        for handle in handles(record):
            groups.join(seen.setdefault(handle, group), group)
    return groups.count()


def _further(slight: Iterable[_Record], full: list[_Record]) -> int:
    """How many more people the records tell of that are little more than a name.

    A name at two addresses is two people, as in a list of names and addresses; a name without one
    counts only where no record is full.
    """
    known = {(name, record[name]) for record in full for name in _NAMES if name in record}
    homes: dict[tuple[str, bytes], set[bytes]] = {}
    for record in slight:
        if full and "address" not in record and "postal_code" not in record:
            continue
        name = next(one for one in _NAMES if one in record)  # a name and its reading are one
        home = homes.setdefault((name, record[name]), set())
        home |= {record["address"]} if "address" in record else set()
    return sum(max(1, len(home)) for one, home in homes.items() if one not in known)


def _by_number(record: _Record) -> Iterator[_Handle]:
    return ((kind, record[kind]) for kind in sorted(OWN) if kind in record)


def _with_something(record: _Record) -> Iterator[_Handle]:
    yield from _by_number(record)
    for name in _NAMES:
        for beside in _BESIDE:
            if name in record and beside in record:
                yield (name, record[name], beside, record[beside])
    # A letter names its reader by the family name alone; the rest still tells who it is.
    for one, other in combinations(_TOGETHER, 2):
        if one in record and other in record:
            yield (one, record[one], other, record[other])

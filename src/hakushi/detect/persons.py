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
from itertools import combinations

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


@dataclass(frozen=True, slots=True)
class Range:
    """Law: ``low <= best <= high``."""

    low: int
    best: int
    high: int


Place = tuple[str, int, str, bytes]
"""Where (any name of a text), offset, kind, key of the value. Labelled findings only."""

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


def count(places: Iterable[Place]) -> tuple[Range, Range]:
    """How many people, and how many firms, the findings tell of.

    Places come sorted by text and offset, and are read once: of a large medium there are millions,
    but few different records.
    """
    people, firms = _Different(), _Different()
    office: _Different | None = None
    for text, offset, kind, key in places:
        if kind in FIRMS:
            firms.add(text, offset, kind, key)
        elif kind not in PEOPLE:
            continue
        elif len(key) > KEY:
            # An office's own contact: from here on, what counts it and what does not go apart.
            office = office or people.copy()
            office.add(text, offset, kind, key[:KEY])
        else:
            people.add(text, offset, kind, key)
            if office is not None:
                office.add(text, offset, kind, key)
    records = people.end()
    everyone = records if office is None else office.end()
    return _people(records, everyone), _firms(firms.end())


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


_KINDS = tuple(sorted(PEOPLE | FIRMS))
_TELLING = frozenset({*_NAMES, *OWN, *FIRMS})
"""Kinds of which a record has one if it tells of someone, or of a firm."""


class _Different:
    """The different records of neighbouring findings: the same in two files, of equal hashes, is
    one. Places come sorted by text and offset.
    """

    __slots__ = ("_found", "_last", "_latest", "_record", "_where")

    def __init__(self) -> None:
        self._where, self._last, self._latest = "", 0, ""
        self._record: _Record = {}
        self._found: dict[tuple[bytes | None, ...], None] = {}

    def copy(self) -> _Different:
        out = _Different()
        out._where, out._last, out._latest = self._where, self._last, self._latest
        out._record, out._found = dict(self._record), dict(self._found)
        return out

    def add(self, text: str, offset: int, kind: str, key: bytes) -> None:
        """One more, in the record before it or in a new one."""
        record = self._record
        if record and (
            text != self._where
            or offset - self._last > GAP
            or (kind in record and (kind != self._latest or record[kind] != key))
        ):
            self._keep()
            record = self._record
        record[kind] = key
        self._where, self._last, self._latest = text, offset, kind

    def _keep(self) -> None:
        """Ends a record. A phone or an address alone may be an office's own: it tells of nobody."""
        if not _TELLING.isdisjoint(self._record):
            self._found[tuple(map(self._record.get, _KINDS))] = None
        self._record = {}

    def end(self) -> list[_Record]:
        self._keep()
        named = (zip(_KINDS, values, strict=True) for values in self._found)
        return [{kind: key for kind, key in one if key is not None} for one in named]


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

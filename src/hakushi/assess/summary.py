"""A case told: the facts a verdict rests on, and the contract's JSON object. A fold, no state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from hakushi import duty
from hakushi.assess import flaws, triage
from hakushi.assess.case import Case
from hakushi.assess.findings import Columns
from hakushi.assess.judge import Facts, Judgement
from hakushi.assess.medium import Medium
from hakushi.detect import persons
from hakushi.model import (
    CELL,
    Class,
    Damage,
    Extent,
    Extents,
    Message,
    Role,
    State,
    Strength,
    message,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SCHEMA = "hakushi.assessment/1"

_FILES = "role='content' AND NOT nested AND NOT superseded AND kind<>'directory'"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was looked at, in bytes; ``sampled`` and ``bound`` where not all was meant to be."""

    bytes: int
    read: int
    unreadable: int
    sampled: int | None = None
    bound: Mapping[str, Any] | None = None


def coverage(case: Case, size: int) -> Coverage:
    seen = case.extents("seen")
    return Coverage(size, seen.size, (case.extents("unreadable") - seen).size)


def facts(
    case: Case,
    medium: Medium,
    explained: Extents,
    undone: int,
    cover: Coverage,
    found: Mapping[str, tuple[int, int]],
    *,
    looked: bool = True,
) -> Facts:
    """Counts over the whole case. ``explained``: bytes that structures of volumes own; ``found``:
    how many findings of each kind; ``looked``: were they looked for?
    """
    import numpy as np

    outside: Counter[Class] = Counter()
    histogram = np.zeros(256, np.uint64)
    for cell in case.cells():
        here = explained & Extents([Extent(cell.offset, CELL)])
        for which in (Class.RANDOM, Class.ZERO, Class.CONSTANT, Class.STRUCTURED):
            extents = cell.extents_of(which)
            outside[which] += (extents - here).size if here else extents.size
        if cell.histogram:
            histogram += np.array(cell.histogram, np.uint64)
    size = medium.source.size
    return Facts(
        size=size,
        roles=_roles(case),
        findings=found,
        unread=cover.unreadable if cover.sampled is not None else size - cover.read,
        damage=len(case.damage()) + len(medium.damage),
        undone=undone,
        unexplained=outside[Class.STRUCTURED],
        random=outside[Class.RANDOM],
        plain=outside[Class.ZERO] + outside[Class.CONSTANT],
        uniform=triage.uniform(histogram),
        structures=_roles(case).get(Role.STRUCTURE, 0),
        hidden=medium.hidden,
        sampled=cover.sampled,
        looked=looked,
    )


def _roles(case: Case) -> dict[Role, int]:
    rows = case.rows(
        "SELECT role, count(*) FROM artifact"
        " WHERE NOT superseded AND (NOT nested OR role<>'content') GROUP BY role"
    )
    return {Role(role): count for role, count in rows}


@dataclass(frozen=True, slots=True)
class Tally:
    """The findings of a case counted: kind -> (labelled, unlabelled), each place once; people and
    firms.
    """

    findings: Mapping[str, tuple[int, int]]
    people: persons.Range
    firms: persons.Range
    my_numbers: int
    """How many different ones."""

    def ranges(self) -> dict[str, Any]:
        """``people`` and ``firms`` as the contract has them."""
        return {"people": asdict(self.people), "firms": asdict(self.firms)}


def tally(cases: Sequence[Case]) -> Tally:
    """Counts one case, or several that count with one key, in one pass over all their findings."""
    counting = _Counting()
    people, firms = persons.count(chain.from_iterable(map(counting.parts, cases)))
    found: dict[str, list[int]] = {}
    for (kind, strength), count in sorted(counting.counts.items()):
        found.setdefault(kind, [0, 0])[strength != Strength.LABELLED] += count
    findings = {kind: (a, b) for kind, (a, b) in found.items()}
    return Tally(findings, people, firms, len(counting.my_numbers))


_TOGETHER = 1 << 16
"""Findings that are counted at once: most places have few."""


class _Counting:
    """Each place counted on the way to `persons`: equal findings follow each other, or have a place
    on the medium.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.my_numbers: set[int] = set()
        """Half of their keys: 64 bits tell a few million apart."""
        self._names: dict[tuple[str, str], int] = {}
        self._text, self._where = 0, ""

    def parts(self, case: Case) -> Iterator[persons.Part]:
        """Labelled findings in the order that `persons` wants: the table's own, so nothing is
        sorted.
        """
        places = case.places()
        contested = {where for where, _, _ in places}
        seen: set[tuple[int, int, tuple[str, str]]] = set()
        batch: list[Columns] = []
        fresh: list[npt.NDArray[np.bool_]] = []
        size = 0
        self._text += 1
        for columns in case.found():
            batch.append(columns)
            fresh.append(columns.fresh())
            if columns.where in contested:
                _place(columns, fresh[-1], places, seen)
            size += len(columns.codes)
            if size >= _TOGETHER:
                yield self._part(batch, fresh)
                batch, fresh, size = [], [], 0
        if batch:
            yield self._part(batch, fresh)
        self.counts.update(name for _, _, name in seen)

    def _part(self, batch: list[Columns], fresh: list[npt.NDArray[np.bool_]]) -> persons.Part:
        import numpy as np

        codes = np.concatenate([self._coded(columns) for columns in batch])
        names = list(self._names)
        counted = np.bincount(codes[np.concatenate(fresh)], minlength=len(names))
        for name, count in zip(names, counted.tolist(), strict=True):
            self.counts[name] += count
        told = [kind if strength == Strength.LABELLED else "" for kind, strength in names]
        heads = np.concatenate([columns.heads() for columns in batch])
        if "my_number" in told:
            mine = heads[codes == told.index("my_number"), 0]
            self.my_numbers.update(np.unique(mine).tolist())
        return persons.Part(
            np.repeat([self._numbered(one) for one in batch], [len(one.codes) for one in batch]),
            np.concatenate([columns.offsets for columns in batch]),
            np.array([_COUNTED.get(kind, persons.OTHER) for kind in told], np.uint8)[codes],
            heads,
            np.frombuffer(b"".join(one.key_sizes for one in batch), np.uint8) > persons.KEY,
        )

    def _coded(self, columns: Columns) -> npt.NDArray[np.int64]:
        """The codes of some findings in `_names`."""
        import numpy as np

        codes = [self._names.setdefault(name, len(self._names)) for name in columns.names]
        return np.array(codes, np.int64)[columns.codes]

    def _numbered(self, columns: Columns) -> int:
        """A number for its text: another one for the next."""
        if columns.where != self._where:
            self._text, self._where = self._text + 1, columns.where
        return self._text


_COUNTED = {kind: code for code, kind in enumerate(persons.KINDS)}


def _place(
    columns: Columns,
    fresh: npt.NDArray[np.bool_],
    places: Mapping[tuple[str, int, int], int],
    seen: set[tuple[int, int, tuple[str, str]]],
) -> None:
    """Findings that have a place on the medium are counted by it."""
    ways = zip(columns.offsets.tolist(), columns.lengths.tolist(), strict=True)
    for i, (at, length) in enumerate(ways):
        place = places.get((columns.where, at, length))
        if place is not None:
            fresh[i] = False
            seen.add((place, length, columns.names[columns.codes[i]]))


def blocks(case: Case) -> dict[str, int]:
    total: Counter[str] = Counter({c.value: 0 for c in Class})
    for cell in case.cells():
        for which in Class:
            total[which.value] += cell.bytes_of(which)
    return {
        ("unread" if name == Class.UNREAD.value else name): count for name, count in total.items()
    }


def artifacts(case: Case) -> dict[str, dict[str, int]]:
    out = {s.value: {"count": 0, "bytes": 0} for s in State}
    query = f"SELECT state, count(*), sum(size) FROM artifact WHERE {_FILES} GROUP BY state"  # noqa: S608
    for state, count, size in case.rows(query):
        out[state] = {"count": count, "bytes": size}
    return out


def summary(
    case: Case,
    medium: Medium,
    judgement: Judgement,
    cover: Coverage,
    *,
    counts: Tally | None,
    not_looked_for: list[Message],
    failed: list[tuple[str, str]],
    elapsed: float,
) -> dict[str, Any]:
    """The contract's JSON object of ``assess``; its sentences are in no language until `spoken`.

    ``counts``: None where personal data was not looked for: then nothing is said of it.
    """
    encrypted = list(case.rows("SELECT locator, kind FROM artifact WHERE role='encrypted'"))
    damage = _damage(case, medium, failed)
    partial = cover.read < cover.bytes or bool(damage or failed)
    return {
        "schema": SCHEMA,
        "verdict": judgement.verdict.value,
        "severity": judgement.severity,
        "reasons": [_unspoken(reason) for reason in judgement.reasons],
        "scope": medium.scope.value,
        "not_reached": [_unspoken(one) for one in medium.not_reached],
        "not_looked_for": [_unspoken(one) for one in not_looked_for],
        "source": {
            "locator": str(medium.source.locator),
            "size": medium.source.size,
            "format": medium.root.format,
        },
        "coverage": {
            "bytes": cover.bytes,
            "read": cover.read,
            "unreadable": cover.unreadable,
            "sampled": cover.sampled,
            "bound": cover.bound,
        },
        "blocks": None if cover.sampled is not None else blocks(case),
        "artifacts": artifacts(case),
        "encrypted": [
            {"locator": str(case.root) + ("/" + loc if loc else ""), "kind": kind}
            for loc, kind in encrypted
        ],
        **_told(counts, len(encrypted), partial=partial),
        "damage": damage,
        "elapsed_s": round(elapsed, 3),
    }


def _damage(case: Case, medium: Medium, failed: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Everything that could not be read, parsed or finished: where, what, and of what kind."""
    top = medium.source.locator
    every = [*case.damage(), *(Damage(top, what) for what in medium.damage)]
    whys = Counter(why for _, why in failed)
    every += [
        Damage(top, f"{count} pieces of work did not end: {why}")
        for why, count in whys.most_common()
    ]
    volumes = {top} | {a.locator for a in case.artifacts("role=?", (Role.VOLUME.value,))}
    return [
        {"locator": str(one.locator), "what": one.what, "kind": flaws.kind_of(one, volumes)}
        for one in every
    ]


def _told(counts: Tally | None, encrypted: int, *, partial: bool) -> dict[str, Any]:
    """What was found of whom, and what it may mean."""
    if counts is None:
        return {"findings": None, "people": None, "firms": None, "duty": [], "meaning": []}
    law = duty.Found(
        labelled={kind: a for kind, (a, _) in counts.findings.items()},
        unlabelled=sum(b for _, b in counts.findings.values()),
        people=(counts.people.low, counts.people.high),
        my_numbers=counts.my_numbers,
        encrypted=encrypted,
        partial=partial,
    )
    crossed = duty.crossings(law)
    return {
        "findings": {
            kind: {"labelled": a, "unlabelled": b} for kind, (a, b) in counts.findings.items()
        },
        **counts.ranges(),
        "duty": [
            {
                "rule": one.rule.id,
                "source": one.rule.source,
                "over": one.rule.over,
                "low": one.low,
                "high": one.high,
                "sure": one.sure,
            }
            for one in crossed
        ],
        "meaning": [_unspoken(one) for one in (*(c.sentence for c in crossed), *duty.notes(law))],
    }


_SENTENCES = ("reasons", "not_reached", "not_looked_for", "meaning")


def _unspoken(sentence: Message) -> dict[str, Any]:
    return {"id": sentence.id, "args": dict(sentence.args)}


def spoken(told: dict[str, Any], tell: Callable[[Message], str]) -> dict[str, Any]:
    """A summary with its sentences in a language."""
    return {
        key: [tell(message(one["id"], **one["args"])) for one in value]
        if key in _SENTENCES
        else value
        for key, value in told.items()
    }


def mask_name(name: str) -> str:
    """A file or folder name that shows its first character and its ending only."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 5 or not ending.isascii():
        stem, dot, ending = name, "", ""
    return f"{stem[:1]}{'*' * min(len(stem) - 1, 8)}{dot}{ending}"


def mask_path(path: str) -> str:
    """Every name of a path masked: names of people stand in file names."""
    return "/".join(mask_name(name) for name in path.split("/"))

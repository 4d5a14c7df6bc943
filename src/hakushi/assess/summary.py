"""A case told: the facts a verdict rests on, and the contract's JSON object. A fold, no state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hakushi import duty
from hakushi.assess import triage
from hakushi.assess.case import Case
from hakushi.assess.judge import Facts, Judgement
from hakushi.assess.medium import Medium
from hakushi.detect import persons
from hakushi.model import (
    CELL,
    Class,
    Extent,
    Extents,
    Message,
    Role,
    State,
    Strength,
    message,
)

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


def facts(case: Case, medium: Medium, explained: Extents, undone: int, cover: Coverage) -> Facts:
    """Counts over the whole case. ``explained``: bytes that structures of volumes own."""
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
        findings=findings(case),
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
    )


def _roles(case: Case) -> dict[Role, int]:
    rows = case.rows(
        "SELECT role, count(*) FROM artifact"
        " WHERE NOT superseded AND (NOT nested OR role<>'content') GROUP BY role"
    )
    return {Role(role): count for role, count in rows}


def findings(case: Case) -> dict[str, tuple[int, int]]:
    """Kind -> (labelled, unlabelled): each place once."""
    out: dict[str, list[int]] = {}
    # Where a table's own order makes places distinct, nothing is sorted.
    query = """SELECT kind, strength, count(*) FROM
        (SELECT DISTINCT locator, offset, length, kind, strength FROM finding WHERE place IS NULL)
        GROUP BY kind, strength
        UNION ALL SELECT kind, strength, count(*) FROM
        (SELECT DISTINCT place, length, kind, strength FROM finding WHERE place IS NOT NULL)
        GROUP BY kind, strength"""
    for kind, strength, count in case.rows(query):
        pair = out.setdefault(kind, [0, 0])
        pair[Strength(strength) is Strength.UNLABELLED] += count
    return {kind: (a, b) for kind, (a, b) in sorted(out.items())}


def counted(cases: Sequence[Case]) -> dict[str, Any]:
    """``people`` and ``firms`` of one case, or of several that count with one key."""

    def places(kinds: frozenset[str]) -> Iterator[persons.Place]:
        for number, case in enumerate(cases):
            if len(cases) == 1:
                yield from _places(case, kinds)
                continue
            for text, offset, kind, key in _places(case, kinds):
                yield f"{number} {text}", offset, kind, key

    return {
        "people": asdict(persons.people(places(persons.PEOPLE))),
        "firms": asdict(persons.firms(places(persons.FIRMS))),
    }


def _places(case: Case, kinds: Iterable[str]) -> Iterator[persons.Place]:
    """Labelled findings of some kinds in the order that `persons` wants: the table's own."""
    every = sorted(kinds)
    query = f"""SELECT locator, offset, kind, key FROM finding
        WHERE strength='labelled' AND kind IN ({",".join("?" * len(every))})
        ORDER BY locator, offset, length, kind, strength, masked, key"""  # noqa: S608 - marks alone
    return case.rows(query, every)


def _different(case: Case, kind: str) -> int:
    """How many different labelled values of a kind."""
    query = "SELECT count(DISTINCT key) FROM finding WHERE strength='labelled' AND kind=?"
    return next(iter(case.rows(query, (kind,))))[0] or 0


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
    found: Mapping[str, tuple[int, int]],
    not_looked_for: list[Message],
    failed: list[tuple[str, str]],
    elapsed: float,
) -> dict[str, Any]:
    """The contract's JSON object of ``assess``; its sentences are in no language until `spoken`.

    ``found``: what `findings` says of the case.
    """
    encrypted = list(case.rows("SELECT locator, kind FROM artifact WHERE role='encrypted'"))
    damage = [{"locator": str(d.locator), "what": d.what} for d in case.damage()]
    damage += [{"locator": str(medium.source.locator), "what": what} for what in medium.damage]
    people = counted([case])
    law = duty.Found(
        labelled={kind: a for kind, (a, _) in found.items()},
        unlabelled=sum(b for _, b in found.values()),
        people=(people["people"]["low"], people["people"]["high"]),
        my_numbers=_different(case, "my_number"),
        encrypted=len(encrypted),
        partial=cover.read < cover.bytes or bool(damage or failed),
    )
    crossed = duty.crossings(law)
    top = str(medium.source.locator)
    whys = Counter(why for _, why in failed)
    damage += [
        {"locator": top, "what": f"{count} pieces of work did not end: {why}"}
        for why, count in whys.most_common()
    ]
    return {
        "schema": SCHEMA,
        "verdict": judgement.verdict.value,
        "severity": judgement.severity.value,
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
        "findings": {kind: {"labelled": a, "unlabelled": b} for kind, (a, b) in found.items()},
        **people,
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
        "damage": damage,
        "elapsed_s": round(elapsed, 3),
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

"""What a certificate says of drives: read off their chains, and beside it the issuer's own words.

Fields after NIST SP 800-88 Rev. 2, section 4.6 and appendix C. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from hakushi.certify.limits import limits_of
from hakushi.custody import events as ev
from hakushi.custody.chain import Chain, Step
from hakushi.custody.events import Outcome

_E = TypeVar("_E", bound=ev.Event)
_LONGEST = 500
_MOST_PEOPLE = 64


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment: the name and the salt, so that a reader sees who was meant."""

    commitment: str
    salt: str
    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """The issuer's own words: nobody but the issuer vouches for them."""

    organisation: str = ""
    location: str = ""
    contact: str = ""
    destination: str = ""
    """Where the drives go next."""
    remark: str = ""
    people: tuple[Opening, ...] = field(default_factory=tuple)


_CLAIMS = {one.name for one in fields(Claims)} - {"people"}


def state(chains: Iterable[Chain], claims: Claims, issuer: str, issued: int) -> dict[str, Any]:
    """The statement of a certificate over these drives, sorted by serial."""
    drives = [of_chain(chain) for chain in sorted(chains, key=lambda one: one.serial)]
    told = asdict(claims)
    told["people"] = [asdict(one) for one in claims.people]
    return {"claims": told, "drives": drives, "issued": issued, "issuer": issuer}


def of_chain(chain: Chain) -> dict[str, Any]:
    """What the log's entries say of one drive. Law: made of the entries alone."""
    registered = _last(chain, ev.Registered)
    ordered = _last(chain, ev.Ordered)
    told: dict[str, Any] = {
        "serial": chain.serial,
        "wwn": chain.wwn,
        "state": "destroyed" if chain.state in {"destroyed", "closed"} else "validated",
        "order": chain.order,
        "breaks": [
            {
                "entry": one.entry,
                "rule": one.rule,
                "about": str(one.about),
                "explanation": chain.explained.get((one.rule, one.entry), ""),
            }
            for one in chain.breaks
        ],
    }
    if registered is not None:
        event = _of(registered, ev.Registered)
        told |= {
            "model": event.model,
            "size": event.size,
            "property_number": event.tag,
            "category": event.category,
            "media_source": _names(registered),
        }
    if ordered is not None:
        event_ = _of(ordered, ev.Ordered)
        told |= {"ordered_policy": event_.policy, "deadline": event_.deadline}
    if told["state"] == "destroyed":
        return told | {"destruction": _destruction(chain)}
    return told | _sanitization(chain)


def _sanitization(chain: Chain) -> dict[str, Any]:
    sanitized = _last(chain, ev.Sanitized)
    assessed = _last(chain, ev.Assessed)
    validated = _last(chain, ev.Validated)
    told: dict[str, Any] = {}
    if sanitized is not None:
        event = _of(sanitized, ev.Sanitized)
        told["sanitization"] = _plain(sanitized, event, "policy", "technique", "method", "outcome")
        told["sanitization"] |= _plain(sanitized, event, "verification", "tool", "evidence")
        told["sanitization"]["person"] = str(event.person)
        told["not_reached"] = list(limits_of(event.technique).not_reached)
        told["proven_on"] = list(limits_of(event.technique).proven_on)
    if assessed is not None and sanitized is not None and assessed.entry > sanitized.entry:
        look = _of(assessed, ev.Assessed)
        told["verification"] = _plain(assessed, look, "verdict", "severity", "scope", "bound")
        told["verification"] |= _plain(assessed, look, "bytes_read", "bytes_total", "tool")
        told["verification"] |= {"evidence": str(look.evidence), "person": str(look.person)}
    if validated is not None:
        told["validation"] = _plain(validated, validated.event)
        told["validation"]["person"] = str(_of(validated, ev.Validated).person)
    return told


def _destruction(chain: Chain) -> dict[str, Any]:
    step = _last(chain, ev.Destroyed)
    if step is None:
        return {}
    event = _of(step, ev.Destroyed)
    told = _plain(step, event, "means", "photo_before", "photo_after")
    return told | {"people": [str(one) for one in (event.person, event.second_person) if one]}


def _plain(step: Step, event: object, *names: str) -> dict[str, Any]:
    """When, who signed, and these fields of an event."""
    told: dict[str, Any] = {"at": step.event.at, "entry": step.entry, "signers": _names(step)}
    for name in names:
        value = getattr(event, name)
        told[name] = value if isinstance(value, int) else str(value)
    return told


def _names(step: Step) -> list[str]:
    return [one.name for one in step.signers]


def _last(chain: Chain, kind: type[ev.Event]) -> Step | None:
    """The last that counted: a known party signed it."""
    found = (s for s in reversed(chain.steps) if isinstance(s.event, kind) and s.signers)
    if kind is ev.Sanitized:
        found = (s for s in found if getattr(s.event, "outcome", None) is Outcome.COMPLETED)
    return next(found, None)


def _of(step: Step, kind: type[_E]) -> _E:
    assert isinstance(step.event, kind)
    return step.event


def claims_of(statement: Mapping[str, Any]) -> Claims | None:
    """The issuer's words out of a statement; None where they are not in their form."""
    match statement.get("claims"):
        case {"people": list(people), **texts}:
            pass
        case _:
            return None
    words = {str(name): str(one) for name, one in texts.items() if _text(one)}
    if len(words) != len(texts) or set(words) != _CLAIMS:
        return None
    openings = []
    for one in people[: _MOST_PEOPLE + 1]:
        match one:
            case {"commitment": c, "salt": s, "name": n, "title": t, **more} if not more:
                if not all(map(_text, (c, s, n, t))):
                    return None
                openings.append(Opening(c, s, n, t))
            case _:
                return None
    return None if len(openings) > _MOST_PEOPLE else Claims(**words, people=tuple(openings))


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and not ev.CONTROL.search(value)

"""What an organisation asks of an erasure: data in ``policies/*.toml``, or a file of its own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hakushi.model import Refused, message

_FOLDER = Path(__file__).with_name("policies")
_MOST = 1 << 16
_KEYS = {
    "title",
    "why",
    "standard",
    "method",
    "techniques",
    "zeros_after",
    "power_cycle",
    "operators",
}
_MAY = {"read_back"}
"""Keys that a policy may leave out: then everything is read back."""


class Method(StrEnum):
    """How strong a sanitization is (NIST SP 800-88 Rev. 2, section 3.1), weakest first."""

    CLEAR = "clear"
    PURGE = "purge"
    DESTROY = "destroy"

    def reaches(self, wanted: Method) -> bool:
        """Whether it is at least as strong."""
        order = list(Method)
        return order.index(self) >= order.index(wanted)


class PowerCycle(StrEnum):
    """Whether the power is taken away between writing and reading back."""

    NEVER = "never"
    IF_POSSIBLE = "if-possible"
    REQUIRED = "required"


class ReadBack(StrEnum):
    """How much of what was written is read back."""

    FULL = "full"
    SAMPLE = "sample"
    """A tenth, spread over the drive (NIST SP 800-88 Rev. 1, section 4.7.2): never called clean."""


@dataclass(frozen=True, slots=True)
class Words:
    """An organisation's own words in the languages it gives them in."""

    said: tuple[tuple[str, str], ...]

    def of(self, lang: str) -> str:
        """In that language, or in whichever there is."""
        return dict(self.said).get(lang, self.said[0][1])


@dataclass(frozen=True, slots=True)
class Policy:
    """``techniques`` in order of preference; ``operators`` is how many people must be named."""

    id: str
    title: Words
    why: Words
    standard: str
    method: Method
    techniques: tuple[str, ...]
    zeros_after: bool
    power_cycle: PowerCycle
    operators: int
    read_back: ReadBack = ReadBack.FULL


def builtin_policies() -> tuple[Policy, ...]:
    """The policies that ship, sorted by id."""
    return tuple(_read(path) for path in sorted(_FOLDER.glob("*.toml")))


def find_policy(name: str) -> Policy:
    """The built-in policy of that id; a ``name`` that ends in ``.toml`` is a file."""
    if name.endswith(".toml"):
        return _read(Path(name))
    for policy in builtin_policies():
        if policy.id == name:
            return policy
    raise Refused(
        message("No policy is called {name}; `hakushi policy list` shows them.", name=name)
    )


def _read(path: Path) -> Policy:
    try:
        with path.open("rb") as file:
            plain = tomllib.loads(file.read(_MOST).decode())
        return _policy(path.stem, plain)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Refused(
            message("The policy {path} cannot be used: {why}.", path=str(path), why=str(error))
        ) from None


def _policy(id: str, plain: dict[str, Any]) -> Policy:
    """Strict: a key that is missing, misspelt or of another type must not weaken a policy."""
    if plain.keys() - _MAY != _KEYS:
        raise ValueError(f"keys missing or unknown: {sorted((plain.keys() - _MAY) ^ _KEYS)}")
    texts = [plain["standard"], *plain["techniques"]]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("standard and techniques are texts")
    if not plain["techniques"] and Method(plain["method"]) is not Method.DESTROY:
        raise TypeError("only what is destroyed needs no technique")
    if not isinstance(plain["zeros_after"], bool) or plain["operators"] not in (0, 1, 2):
        raise TypeError("zeros_after is true or false; operators is 0, 1 or 2")
    return Policy(
        id,
        _words(plain["title"]),
        _words(plain["why"]),
        plain["standard"],
        Method(plain["method"]),
        tuple(plain["techniques"]),
        plain["zeros_after"],
        PowerCycle(plain["power_cycle"]),
        plain["operators"],
        ReadBack(plain.get("read_back", ReadBack.FULL)),
    )


def _words(plain: Any) -> Words:
    known = isinstance(plain, dict) and plain.keys() <= {"en", "ja"} and plain
    if not known or not all(isinstance(text, str) for text in plain.values()):
        raise TypeError("title and why are given as en, ja or both")
    return Words(tuple(sorted(plain.items())))

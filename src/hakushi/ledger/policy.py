"""Whom to trust: logs, witnesses, and how many must have cosigned (C2SP tlog-policy). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Verifier
from hakushi.ledger.note import Note, Signature
from hakushi.model import Malformed

LARGEST = 1 << 20
NONE = "none"
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Group:
    """Counts as a witness where at least ``least`` of its members do."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a policy makes of a note's signatures."""

    logs: tuple[Verifier, ...]
    """Logs of the checkpoint's origin that signed it."""
    witnesses: Mapping[str, int]
    """Who cosigned it, by the policy's name, and when, in seconds since 1970."""
    quorum: bool
    broken: tuple[Signature, ...]
    """Lines of keys that the policy names which do not verify: they spoil the note."""
    unknown: tuple[Signature, ...]
    """Lines of keys that the policy does not name."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, parsed. People write it: comments, spaces and the order of lines are free."""

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Verifier]
    groups: Mapping[str, Group]
    quorum: str
    urls: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Where a witness answers, by the policy's name for it."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) > LARGEST:
            raise Malformed("a policy of more than 1 MiB")
        if _CONTROL.search(data):
            raise Malformed("a control character in a policy")
        # Names are opaque octets: what is not UTF-8 passes through unchanged.
        text = data.decode("utf-8", "surrogateescape")
        reader = _Reader()
        for number, line in enumerate(text.split("\n"), 1):
            words = re.split("[ \t]+", line.strip(" \t"))
            if words[0] and not words[0].startswith("#"):
                try:
                    reader.take(words[0], words[1:])
                except Malformed as error:
                    raise Malformed(f"line {number} of the policy: {error}") from None
        if reader.quorum is None:
            raise Malformed("a policy without a quorum line")
        return cls(
            tuple(reader.logs),
            MappingProxyType(reader.witnesses),
            MappingProxyType(reader.groups),
            reader.quorum,
            MappingProxyType(reader.urls),
        )

    @classmethod
    def of_log(cls, *keys: Verifier) -> Self:
        """Trusts a log by these keys, without witnesses."""
        return cls(keys, MappingProxyType({}), MappingProxyType({}), NONE)

    def knows(self, signature: Signature) -> bool:
        """Whether the line is of a key that this policy names."""
        keys = (*self.logs, *self.witnesses.values())
        return any(key.signed(signature) for key in keys)

    def standing(self, note: Note) -> Standing:
        """Who of the policy signed; raises `Malformed` where the note is no checkpoint."""
        origin = Checkpoint.parse(note.text).origin
        logs, witnesses, broken, unknown = [], {}, [], []
        for line in note.signatures:
            key = next((k for k in self.logs if k.signed(line)), None)
            name = next((n for n, k in self.witnesses.items() if k.signed(line)), None)
            if key is None and name is None:
                unknown.append(line)
                continue
            for one in (key, None if name is None else self.witnesses[name]):
                if one is not None and not one.verifies(note.text, line):
                    broken.append(line)
                    break
            else:
                if key is not None and key.name == origin:
                    logs.append(key)
                if name is not None and (when := self.witnesses[name].time(line)):
                    witnesses[name] = when
        quorum = self._counts(self.quorum, witnesses)
        return Standing(tuple(logs), witnesses, quorum, tuple(broken), tuple(unknown))

    def _counts(self, name: str, signed: Mapping[str, int]) -> bool:
        """Whether that witness or group has cosigned."""
        standing = {NONE: True} | {w: w in signed for w in self.witnesses}
        for group, rule in self.groups.items():  # members come before their group
            standing[group] = sum(standing[m] for m in rule.members) >= rule.least
        return standing[name]


class _Reader:
    """The lines of a policy so far."""

    def __init__(self) -> None:
        self.logs: list[Verifier] = []
        self.witnesses: dict[str, Verifier] = {}
        self.groups: dict[str, Group] = {}
        self.urls: dict[str, str] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, keyword: str, words: list[str]) -> None:
        match keyword, words:
            case "log", [vkey] | [vkey, _]:
                self.logs.append(self._fresh(vkey, self.logs))
            case "witness", [name, vkey, *url] if len(url) <= 1:
                key = self._fresh(vkey, self.witnesses.values())
                if not key.kind.cosigns:
                    raise Malformed("a witness's key is of a type that cosigns")
                self.witnesses[self._new(name)] = key
                if url and url[0].startswith(("http://", "https://")):
                    self.urls[name] = url[0]
            case "group", [name, least, *members] if members:
                self._group(name, least, members)
            case "quorum", [name]:
                if self.quorum is not None:
                    raise Malformed("a second quorum")
                self.quorum = name if name == NONE else self._known(name)
            case _:
                raise Malformed(f"not a line of a policy: {keyword[:40]}")

    def _group(self, name: str, least: str, members: list[str]) -> None:
        for member in members:
            if self._known(member) in self._grouped:
                raise Malformed(f"{member[:40]} is a member twice")
            self._grouped.add(member)
        words = {"any": 1, "all": len(members)}
        if least not in words and not re.fullmatch("[1-9][0-9]{0,4}", least, re.ASCII):
            raise Malformed("a group needs all, any or a number")
        number = words.get(least) or int(least)
        if number > len(members):
            raise Malformed("a group asks for more members than it has")
        self.groups[self._new(name)] = Group(number, tuple(members))

    def _new(self, name: str) -> str:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise Malformed(f"the name {name[:40]} is taken")
        return name

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise Malformed(f"no witness or group before this line is called {name[:40]}")
        return name

    @staticmethod
    def _fresh(vkey: str, others: object) -> Verifier:
        key = Verifier.parse(vkey)
        if any(other.public == key.public for other in others):  # type: ignore[attr-defined]
            raise Malformed("the same public key twice")
        return key

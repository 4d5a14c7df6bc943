"""Where a log or a witness keeps its bytes: immutable objects, and small cells changed by swap.

Every store keeps these laws, tested in ``tests/contract/test_ledger_stores.py``: what `put` or
`swap` returned from is durable and whole; what raised happened wholly or not at all (an object or
a cell at a time); nobody sees half of either.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from hakushi.model import Conflict, Refused


class Busy(Refused):
    """Another process writes there now."""


@runtime_checkable
class Store(Protocol):
    """Names are relative paths of our own making: ``tile/0/000``, ``checkpoint``."""

    def read(self, name: str) -> bytes | None:
        """An object or a cell, or None where there is none."""
        ...

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Makes objects, each whole. The same bytes again are nothing; others are a `Conflict`."""
        ...

    def swap(self, name: str, old: bytes | None, new: bytes) -> None:
        """Changes a cell from ``old`` (None: there is none yet), else raises `Conflict`."""
        ...

    def names(self, prefix: str) -> list[str]:
        """What is there whose name starts so, sorted; the prefix ends in a slash."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Takes objects away; one that is not there is nothing."""
        ...


class Memory:
    """A store that ends with its process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def read(self, name: str) -> bytes | None:
        return self._kept.get(name)

    def put(self, objects: Mapping[str, bytes]) -> None:
        with self._lock:
            for name, data in objects.items():
                if self._kept.setdefault(name, data) != data:
                    raise Conflict(f"{name} is there with other bytes")

    def swap(self, name: str, old: bytes | None, new: bytes) -> None:
        with self._lock:
            if self._kept.get(name) != old:
                raise Conflict(f"{name} was changed by another")
            self._kept[name] = new

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in list(self._kept) if name.startswith(prefix))

    def remove(self, names: Iterable[str]) -> None:
        with self._lock:
            for name in names:
                self._kept.pop(name, None)

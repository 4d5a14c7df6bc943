"""Where work runs: an Engine takes units and gives back pieces of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Piece:
    """Something a unit gave: ``value`` of `look`, or, when ``last``, how the unit ended.

    ``failed`` says, on the last piece, why the unit did not finish (its worker died, ran out of
    memory or time, or raised): the caller makes Damage of it.
    """

    unit: Any
    value: Any
    last: bool = False
    failed: str | None = None


class Engine(Protocol):
    """Runs ``look`` over every unit, somewhere.

    Laws: every unit ends with exactly one last piece; a worker that dies takes only its own unit
    with it; pieces of one unit come in order, units in any order. ``look`` is a module-level
    function, units and values pickle. Closing the iterator stops all work.
    """

    def run(
        self, look: Callable[[Any], Iterator[Any]], units: Iterable[Any]
    ) -> Iterator[Piece]: ...

"""Finds PLUGIN in every module of a folder: a file in the right folder is registered."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TypeVar

T = TypeVar("T")


@cache
def _modules(package: str) -> tuple[str, ...]:
    folder = importlib.import_module(package)
    names = (m.name for m in pkgutil.iter_modules(folder.__path__) if not m.name.startswith("_"))
    return tuple(sorted(names))


@cache
def load(package: str, kind: type[T]) -> tuple[T, ...]:
    """The PLUGIN of each module of ``package`` (a dotted name), sorted by module name.

    A module whose name starts with ``_`` is shared by its neighbours and holds no plug-in.
    Raises TypeError for a module without a PLUGIN of that kind: a mistake shows at once.
    PLUGIN may be a tuple where one structure carries several.
    """
    found: list[T] = []
    for name in _modules(package):
        plugin = getattr(importlib.import_module(f"{package}.{name}"), "PLUGIN", None)
        members = plugin if isinstance(plugin, tuple) else (plugin,)
        for member in members:
            if not isinstance(member, kind):
                raise TypeError(f"{package}.{name} has no PLUGIN of type {kind.__name__}")
            found.append(member)
    return tuple(found)

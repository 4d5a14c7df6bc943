"""The medium that is assessed: opened by name, and opened again by every worker."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hakushi.media import open_path
from hakushi.model import (
    SECTOR,
    Extent,
    Locator,
    Malformed,
    Message,
    Refused,
    Scope,
    Source,
    Unreadable,
    message,
)
from hakushi.recover import Family, by_id, identify

BOUND_SECTORS = 1024
"""So many sampled sectors bind a case to its source."""


@dataclass(frozen=True, slots=True)
class Root:
    """How any worker opens the medium again."""

    name: str
    """A path, or ``sim:PATH``."""
    format: str
    """``raw``, ``sim``, or the id of a container format."""
    locator: Locator


@dataclass(frozen=True, slots=True)
class Medium:
    """An opened medium: its bytes, and what this interface cannot reach."""

    root: Root
    source: Source
    scope: Scope
    not_reached: tuple[Message, ...] = ()
    hidden: int | None = 0
    """Bytes beyond the addressable ones; None where the drive does not say."""
    damage: tuple[str, ...] = ()
    """What is wrong with the container around it."""


def open_medium(name: str, *, raw: bool = False) -> Medium:
    """Opens a device, an image (raw, split, or a container known by its content) or ``sim:PATH``.

    ``raw``: the bytes of a container as they are. Refused with what to do where nothing opens.
    """
    if name.startswith("sim:"):
        return _simulated(name)
    path = Path(name)
    opened = open_path(path)
    source = opened.source
    container = None if raw or opened.device else identify(source, Family.CONTAINER)
    if container is None:
        return Medium(
            Root(name, "raw", source.locator),
            source,
            _scope(path) if opened.device else Scope.IMAGE,
            _beyond_device() if opened.device else (),
        )
    try:
        inner, damage = _inside(source, container.id)
    except (Malformed, Unreadable) as error:
        raise Refused(
            message(
                "{path} is a damaged {format} image ({why});"
                " its raw bytes can be assessed with --raw.",
                path=name,
                format=container.id,
                why=str(error),
            )
        ) from None
    root = Root(name, container.id, inner.locator)
    return Medium(root, inner, Scope.IMAGE, damage=damage)


def _inside(source: Source, format_id: str) -> tuple[Source, tuple[str, ...]]:
    """The medium inside a container, and what is wrong with the container."""
    from hakushi.model import Artifact, Damage
    from hakushi.recover.cursor import Budget

    one = by_id(format_id)
    found = list(one.open(source, Budget.of(seconds=60)))
    media = [f for f in found if isinstance(f, Artifact)]
    damage = tuple(f.what for f in found if isinstance(f, Damage))
    if not media or one.member is None:
        raise Malformed("; ".join(damage) or "it holds no medium")
    return one.member(source, media[0].locator.last[1]), damage


def _simulated(name: str) -> Medium:
    from hakushi.media import simulated

    source = simulated.open_source(Path(name.removeprefix("sim:")))
    return Medium(Root(name, "sim", source.locator), source, Scope.DRIVE, _beyond_device())


def _scope(path: Path) -> Scope:
    """A partition of a drive, or a whole one."""
    return (
        Scope.PARTITION
        if Path(f"/sys/class/block/{path.resolve().name}/partition").exists()
        else Scope.DRIVE
    )


def _beyond_device() -> tuple[Message, ...]:
    return (
        message("remapped sectors and over-provisioned cells that the drive keeps to itself"),
        message("hidden areas (HPA, DCO, AMA): the native size was not asked for"),
    )


@lru_cache(maxsize=4)
def reopen(root: Root) -> Source:
    """The medium's Source in this process. Malformed where it is no longer the same medium."""
    medium = open_medium(root.name, raw=root.format == "raw")
    if medium.source.locator != root.locator:
        raise Malformed("the source is no longer the one that this assessment began with")
    return medium.source


def binding(source: Source) -> str:
    """Digest of `BOUND_SECTORS` sampled sectors (the same ones for one size) and of the size."""
    digest = hashlib.sha256(str(source.size).encode())
    sectors = max(1, source.size // SECTOR)
    picks = random.Random(source.size)  # noqa: S311 - a fixed choice, no secret
    for sector in sorted(picks.sample(range(sectors), min(BOUND_SECTORS, sectors))):
        try:
            digest.update(source.read(Extent(sector * SECTOR, SECTOR)))
        except Unreadable:
            digest.update(b"unreadable")
    return digest.hexdigest()

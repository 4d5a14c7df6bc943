"""The medium that is assessed: opened by name, and opened again by every worker."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hakushi.media import open_path, probe
from hakushi.model import (
    SECTOR,
    Artifact,
    Damage,
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
from hakushi.recover import Budget, Family, arrays, by_id, identify
from hakushi.recover.grammar.mapped import Incomplete

LARGEST = 64 << 40
"""Bytes of the largest medium: what claims to be larger was made to keep us busy."""

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
    members: tuple[str, ...] = ()
    """Names of the sources that are a set together; ``name`` is what the set is called."""


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
    opened = probe.open_medium(name)
    source = opened.source
    if source.size > LARGEST:
        raise Refused(
            message(
                "{path} claims {size:,} bytes; nothing above {most:,} is assessed.",
                path=name,
                size=source.size,
                most=LARGEST,
            )
        )
    if opened.device:
        return _device(name, source)
    container = None if raw else identify(source, Family.CONTAINER)
    if container is None:
        return Medium(Root(name, "raw", source.locator), source, Scope.IMAGE)
    try:
        inner, damage = _inside(name, source, container.id)
        _within_reason(inner)
    except Incomplete as error:
        raise Refused(
            message(
                "{path}: {why}. Merge it with what it is based on first (such as `qemu-img"
                " convert`), then assess the result.",
                path=name,
                why=str(error),
            )
        ) from None
    except (Malformed, Unreadable) as error:
        # Its raw bytes are assessed instead, and the damage keeps the verdict from being clean.
        said = (f"{container.id}: {error}",)
        return Medium(Root(name, "raw", source.locator), source, Scope.IMAGE, damage=said)
    root = Root(name, container.id, inner.locator)
    return Medium(root, inner, Scope.IMAGE, damage=damage)


def open_set(name: str, members: Sequence[str]) -> Medium:
    """Members of arrays and volume groups as what they are together.

    Refused where one cannot be opened, or where nothing belongs together.
    """
    media = [open_medium(member) for member in members]
    sources: dict[str, Source] = {}
    for member, medium in zip(members, media, strict=True):
        if any(medium.source.locator == other.locator for other in sources.values()):
            raise Refused(message("{path} is given twice, or a copy of another.", path=member))
        sources[Path(member).name if Path(member).name not in sources else member] = medium.source
    try:
        source, damage = arrays.gather(sources)
    except (Malformed, Unreadable) as error:
        raise Refused(
            message(
                "They are no set: {why}. Assess each alone, without --set.",
                why=str(error),
            )
        ) from None
    hidden = [medium.hidden for medium in media]
    return Medium(
        Root(name, "set", source.locator, tuple(members)),
        source,
        max((medium.scope for medium in media), key=list(Scope).index),
        tuple(dict.fromkeys(why for medium in media for why in medium.not_reached)),
        None if None in hidden else sum(one or 0 for one in hidden),
        (*(what for medium in media for what in medium.damage), *damage),
    )


def _inside(name: str, source: Source, format_id: str) -> tuple[Source, tuple[str, ...]]:
    """The medium inside a container, and what is wrong with the container."""
    if format_id == "ewf":
        from hakushi.recover.formats import ewf

        later = [open_path(path).source for path in _segments(Path(name))]
        medium = ewf.open_segments([source, *later], Budget.of(seconds=600))
        return medium, tuple(medium.damage)
    if format_id == "vmdk":
        from hakushi.recover.formats import vmdk

        if vmdk.is_descriptor(source):
            folder = Path(name).parent
            return vmdk.open_parts(
                source, lambda part: _beside(folder / part), Budget.of(seconds=60)
            )
    one = by_id(format_id)
    found = list(one.open(source, Budget.of(seconds=60)))
    media = [f for f in found if isinstance(f, Artifact)]
    damage = tuple(f.what for f in found if isinstance(f, Damage))
    if not media or one.member is None:
        raise Malformed("; ".join(damage) or "it holds no medium")
    return one.member(source, media[0].locator.last[1]), damage


def _within_reason(inner: Source) -> None:
    if inner.size > LARGEST:
        raise Malformed(f"it claims to hold {inner.size} bytes")


def _beside(path: Path) -> Source:
    """A file that an image names: a plain one, so that it leads nowhere else."""
    if path.is_symlink() or not path.is_file():
        raise Malformed("it is missing, or no plain file")
    try:
        return open_path(path).source
    except Refused as error:
        raise Malformed(str(error)) from None


def _segments(first: Path) -> Iterator[Path]:
    """The files .E02, .E03 … that follow .E01; after .E99 come .EAA to .EZZ, then .FAA …"""
    match = re.fullmatch(r"([A-Za-z])01", first.suffix[1:])
    if match is None:
        return
    letter, upper = match[1], match[1].isupper()
    letters = string.ascii_uppercase if upper else string.ascii_lowercase
    numbers = [f"{letter}{number:02}" for number in range(2, 100)]
    later = letters[letters.index(letter) :]
    names = itertools.chain(numbers, map("".join, itertools.product(later, letters, letters)))
    for name in names:
        path = first.with_suffix(f".{name}")
        if not path.is_file():
            return
        yield path


def _device(name: str, source: Source) -> Medium:
    """A drive: what lies beyond its addressable sectors is named, and never taken for clean."""
    drive = probe.probe(name)
    not_reached = [message("remapped sectors and over-provisioned cells that the drive keeps")]
    why = probe.hidden(drive)
    hidden: int | None = 0
    if why is not None:
        not_reached.append(why)
        hidden = None if drive.native_size is None else drive.native_size - drive.size
    format = "sim" if name.startswith("sim:") else "raw"
    root = Root(name, format, source.locator)
    return Medium(root, source, _scope(name), tuple(not_reached), hidden)


def _scope(name: str) -> Scope:
    """A partition of a drive, or a whole one."""
    node = Path(f"/sys/class/block/{Path(name).resolve().name}/partition")
    return Scope.PARTITION if node.exists() else Scope.DRIVE


@lru_cache(maxsize=4)
def reopen(root: Root) -> Source:
    """The medium's Source in this process. Malformed where it is no longer the same medium."""
    if root.members:
        medium = open_set(root.name, root.members)
    else:
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

"""ISO 9660 (ECMA-119): the volume descriptors of a disc or its image, with Joliet's."""

from __future__ import annotations

from dataclasses import dataclass

from hakushi.model import Artifact, Malformed, Role, Run, Source, State
from hakushi.recover.cursor import Cursor
from hakushi.recover.filesystem import Layout
from hakushi.recover.filesystem.parts import structure

_FIRST, _SECTOR = 16 * 2048, 2048
_MOST = 64
"""Descriptors that are looked at; discs have two to four."""

_PRIMARY, _BOOT, _SUPPLEMENTARY, _END = 1, 0, 2, 255
_UNCHOSEN = frozenset({"", "CDROM", "ISOIMAGE", "CD_ROM", "NO NAME", "UNDEFINED", "NEW"})
"""Names that programs give by themselves."""


@dataclass(frozen=True, slots=True)
class Volume:
    """What the primary descriptor says; ``end``: the byte behind the last descriptor."""

    block: int
    blocks: int
    label: str
    end: int


def volume(cursor: Cursor) -> Volume:
    """Raises Malformed where there is no primary volume descriptor (8.4)."""
    label, block, blocks, at = "", 0, 0, _FIRST
    for _ in range(_MOST):
        head = cursor.take(at, _SECTOR)
        kind, at = head[0], at + _SECTOR
        if head[1:6] != b"CD001" or kind == _END:
            break
        if kind == _PRIMARY and not block:
            block = int.from_bytes(head[128:130], "little")
            blocks = int.from_bytes(head[80:84], "little")
            label = label or head[40:72].decode("latin-1").strip(" \0")
        if kind == _SUPPLEMENTARY and head[88:90] == b"%/":
            # Joliet: the same name, but whole.
            label = head[40:72].decode("utf-16-be", "replace").strip(" \0") or label
    if block not in (512, 1024, 2048):
        raise Malformed("no volume descriptor of ISO 9660")
    return Volume(block, blocks, label, at)


def layout(source: Source) -> Layout:
    """What the volume itself owns: its descriptors, and the name that someone gave it."""
    said = volume(Cursor(source))
    out = Layout("iso9660", "iso9660", said.block)
    place = source.locator.step("iso9660", "descriptors")
    out.own.append(structure(place, "iso9660", [Run(_FIRST, said.end - _FIRST)], "descriptors"))
    if said.label.upper() not in _UNCHOSEN:
        label = source.locator.step("iso9660", "label")
        out.own.append(Artifact(label, "label", State.LIVE, 0, (), said.label, role=Role.LABEL))
    return out

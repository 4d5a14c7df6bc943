"""HFS+ and HFSX (Apple's Technical Note 1150): the volume header, and what is no one's file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hakushi.model import Malformed, Run, Source
from hakushi.recover.cursor import Cursor
from hakushi.recover.filesystem import Entry, Layout
from hakushi.recover.filesystem.parts import structure

_HEADER, _SIZE = 1024, 512
_SIGNATURES = {(b"H+", 4), (b"HX", 5)}
_FIRST_USER = 16
"""The first catalog node id of a user (kHFSFirstUserCatalogNodeID)."""

_OWN = frozenset({"$ExtentsFile", "$CatalogFile", "$BadBlockFile", "$AllocationFile"})
_OWN |= {"$StartupFile", "$AttributesFile", "\0\0\0\0HFS+ Private Data"}
DATA, RESOURCE = 4352, 4353
"""The Sleuth Kit's types of the two forks."""


@dataclass(frozen=True, slots=True)
class Header:
    """Geometry."""

    block: int
    blocks: int


def header(cursor: Cursor) -> Header:
    """Raises Malformed for what no formatter writes."""
    head = cursor.take(_HEADER, _SIZE)
    if (head[:2], int.from_bytes(head[2:4], "big")) not in _SIGNATURES:
        raise Malformed("no HFS+ volume header")
    block, blocks = (int.from_bytes(head[at : at + 4], "big") for at in (40, 44))
    if not (512 <= block <= 1 << 26 and block & (block - 1) == 0 and blocks):
        raise Malformed("HFS+: impossible geometry")
    return Header(block, blocks)


def layout(source: Source) -> Layout:
    """What the volume itself owns. Its catalog is not explained: old names lie between the new."""
    said = header(Cursor(source))
    out = Layout("hfs", "hfs", said.block)
    runs = [Run(_HEADER, _SIZE), Run(max(0, said.block * said.blocks - _HEADER), _SIZE)]
    place = source.locator.step("hfs", "headers")
    out.own.append(structure(place, "hfs", runs, "headers"))
    out.foreign = _foreign
    return out


def _foreign(entry: Entry) -> Entry | None:
    """A user's entry, its forks named as they are reached; None for the volume's own files."""
    if entry.inum < _FIRST_USER and entry.path.rpartition("/")[2] in _OWN:
        return None
    forks = tuple(
        replace(one, name="" if one.type == DATA else "..namedfork/rsrc")
        if one.type in (DATA, RESOURCE)
        else one
        for one in entry.streams
    )
    return replace(entry, streams=forks)

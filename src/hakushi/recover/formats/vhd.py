"""Virtual PC's VHD images, fixed and dynamic (after Microsoft's format specification 1.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Artifact, Damage, Locator, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic
from hakushi.recover.grammar.mapped import Incomplete, Mapped, Place, checked, only, told

_COOKIE, _SPARSE = b"conectix", b"cxsparse"
_FOOTER = 512
_FIXED, _DYNAMIC, _DIFFERENCING = 2, 3, 4
_NONE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Foot:
    size: int
    kind: int
    header: int
    sound: bool


def _foot(source: Source) -> _Foot:
    """The footer at the end; its copy at the start where that is torn. Raises `Malformed`."""
    cursor, error = Cursor(source, page=512), Malformed("no VHD image")
    for at in (source.size - _FOOTER, 0):
        if at < 0 or not cursor.has(at, _COOKIE):
            continue
        raw = cursor.take(at, _FOOTER)
        header = struct.unpack_from(">Q", raw, 16)[0]
        size = struct.unpack_from(">Q", raw, 48)[0]
        kind, total = struct.unpack_from(">II", raw, 60)
        sound = (~(sum(raw) - sum(raw[64:68])) & 0xFFFFFFFF) == total
        if kind in {_FIXED, _DYNAMIC, _DIFFERENCING} and not size % 512:
            return _Foot(size, kind, header, sound and at > 0)
        error = Malformed("an impossible VHD footer")
    raise error


def _medium(source: Source, locator: Locator, budget: Budget) -> Mapped:
    foot, cursor = _foot(source), Cursor(source)
    if foot.kind == _DIFFERENCING:
        raise Incomplete("it holds only the differences from a parent image")
    if foot.kind == _FIXED:
        if foot.size > source.size - _FOOTER:
            raise Malformed("the medium is longer than its file")
        return Mapped(source, foot.size, 1 << 20, lambda n: Place(n << 20), locator)
    if not cursor.has(foot.header, _SPARSE):
        raise Malformed("no header of a dynamic VHD")
    table = cursor.u64(foot.header + 16, ">")
    entries, block = cursor.u32(foot.header + 28, ">"), cursor.u32(foot.header + 32, ">")
    if block < 512 or block & block - 1 or foot.size > entries * block:
        raise Malformed("an impossible table of blocks")
    checked(source, entries, 4, table, budget)
    bitmap = -(-(block // 512 // 8) // 512) * 512 or 512

    def where(number: int) -> Place | None:
        sector = cursor.u32(table + 4 * number, ">")
        return None if sector == _NONE else Place(sector * 512 + bitmap)

    return Mapped(source, foot.size, block, where, locator)


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    medium = _medium(source, source.locator.step("vhd", "0"), budget)
    yield from told(medium, *(() if _foot(source).sound else ("the footer is damaged or missing",)))


def _probe(source: Source) -> bool:
    cursor = Cursor(source, page=512)
    return cursor.has(0, _COOKIE) or (
        source.size > _FOOTER and cursor.has(source.size - _FOOTER, _COOKIE)
    )


PLUGIN = Format("vhd", Family.CONTAINER, _probe, (Magic(_COOKIE),), _open, only("vhd", _medium))

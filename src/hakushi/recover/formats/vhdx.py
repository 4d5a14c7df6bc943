"""Hyper-V's VHDX images, fixed and dynamic (after MS-VHDX)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from hakushi.model import Artifact, Damage, Locator, Malformed, Source
from hakushi.recover import Budget, Cursor, Family, Format, Magic
from hakushi.recover.grammar.mapped import Incomplete, Mapped, Place, checked, only, told

_MAGIC = b"vhdxfile"
_HEADERS, _REGIONS = (0x10000, 0x20000), (0x30000, 0x40000)
_BAT = UUID("2dc27766-f623-4200-9d64-115e9bfd4a08")
_METADATA = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")
_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
_SECTOR = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
_PARENT = 2
_PRESENT = 6
_MOST = 2047
"""Entries of a region or metadata table."""


@dataclass(frozen=True, slots=True)
class _Image:
    size: int
    block: int
    sector: int
    bat: int
    bat_length: int
    dirty: bool


def _image(source: Source, budget: Budget) -> _Image:
    """Raises `Malformed`, and `Incomplete` where there is a parent."""
    cursor = Cursor(source)
    if not cursor.has(0, _MAGIC):
        raise Malformed("no VHDX image")
    heads = [at for at in _HEADERS if cursor.has(at, b"head")]
    if not heads:
        raise Malformed("both headers are damaged")
    head = max(heads, key=lambda at: cursor.u64(at + 8))
    dirty = cursor.take(head + 48, 16) != bytes(16)
    regions = _table(cursor, budget)
    if _BAT not in regions or _METADATA not in regions:
        raise Malformed("its regions are not told")
    items = _items(cursor, regions[_METADATA][0], budget)
    try:
        parameters, size, sector = items[_PARAMETERS], items[_SIZE], items[_SECTOR]
    except KeyError:
        raise Malformed("its metadata are not told") from None
    if cursor.u32(parameters + 4) & _PARENT:
        raise Incomplete("it holds only the differences from a parent image")
    block, bytes_, each = cursor.u32(parameters), cursor.u64(size), cursor.u32(sector)
    if block < 1 << 20 or block & block - 1 or each not in {512, 4096}:
        raise Malformed("impossible sizes")
    return _Image(bytes_, block, each, *regions[_BAT], dirty)


def _table(cursor: Cursor, budget: Budget) -> dict[UUID, tuple[int, int]]:
    """(offset, length) of each region, from the first table that is there."""
    for at in _REGIONS:
        if cursor.has(at, b"regi"):
            found = {}
            for entry in range(at + 16, at + 16 + 32 * min(cursor.u32(at + 8), _MOST), 32):
                budget.pay()
                id = UUID(bytes_le=cursor.take(entry, 16))
                found[id] = (cursor.u64(entry + 16), cursor.u32(entry + 24))
            return found
    raise Malformed("both region tables are damaged")


def _items(cursor: Cursor, at: int, budget: Budget) -> dict[UUID, int]:
    """Where each item of the metadata lies."""
    if not cursor.has(at, b"metadata"):
        raise Malformed("no metadata table")
    found = {}
    for entry in range(at + 32, at + 32 + 32 * min(cursor.u16(at + 10), _MOST), 32):
        budget.pay()
        found[UUID(bytes_le=cursor.take(entry, 16))] = at + cursor.u32(entry + 16)
    return found


def _medium(source: Source, locator: Locator, budget: Budget) -> Mapped:
    image, cursor = _image(source, budget), Cursor(source)
    ratio = (1 << 23) * image.sector // image.block
    blocks = -(-image.size // image.block)
    entries = blocks + max(0, blocks - 1) // ratio
    if entries * 8 > image.bat_length:
        raise Malformed("its table is too short for its size")
    checked(source, entries, 8, image.bat, budget)

    def where(number: int) -> Place | None:
        # After each `ratio` blocks stands the entry of a bitmap.
        entry = cursor.u64(image.bat + 8 * (number + number // ratio))
        return Place(entry >> 20 << 20) if entry & 7 == _PRESENT else None

    return Mapped(source, image.size, image.block, where, locator)


def _open(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    medium = _medium(source, source.locator.step("vhdx", "0"), budget)
    wrong = ("its log was not replayed: the newest writes may be missing",)
    yield from told(medium, *(wrong if _image(source, budget).dirty else ()))


def _probe(source: Source) -> bool:
    return Cursor(source, page=512).has(0, _MAGIC)


PLUGIN = Format("vhdx", Family.CONTAINER, _probe, (Magic(_MAGIC),), _open, only("vhdx", _medium))

"""Compound files (MS-CFB), called OLE2: a small file system of sectors, chains and a directory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Malformed, Source
from hakushi.recover.cursor import Budget, Cursor, Short

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END, _FREE, _FAT, _DIFAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC
_MOST_FAT = 1 << 16
"""Sectors of the FAT: 4 GiB of file at 512 bytes a sector."""

_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MOST_ENTRIES = 1 << 20
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream of the directory; ``path`` is its storages and itself."""

    path: tuple[str, ...]
    start: int
    size: int
    id: int

    @property
    def name(self) -> str:
        return self.path[-1]


class CompoundFile:
    """A compound file at offset 0 of a source. Every method raises only Malformed."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._cursor = Cursor(source)
        self._budget = budget
        head = self._cursor.take(0, 512)
        version, order, shift, mini = struct.unpack_from("<HHHH", head, 26)
        if (
            head[:8] != MAGIC
            or order != 0xFFFE
            or (version, shift) not in {(3, 9), (4, 12)}
            or mini != 6
        ):
            raise Malformed("compound file header")
        self.sector: int = 1 << shift
        self._fat_count, self._directory = struct.unpack_from("<II", head, 44)
        self._cutoff, self._mini_start, _ = struct.unpack_from("<III", head, 56)
        self.fat_sectors = self._locate(head)
        self.fat = self._table(self.fat_sectors)

    def _locate(self, head: bytes) -> list[int]:
        """Sectors of the FAT: 109 in the header, the rest in a chain (2.5)."""
        if not 0 < self._fat_count <= _MOST_FAT:
            raise Malformed("compound file header")
        found = list(struct.unpack_from("<109I", head, 76))
        following, met = int.from_bytes(head[68:72], "little"), set[int]()
        while following < _DIFAT and len(found) < self._fat_count:
            if following in met:
                raise Malformed("the DIFAT goes round")
            met.add(following)
            words = struct.unpack(f"<{self.sector // 4}I", self._read(following))
            found += words[:-1]
            following = words[-1]
        sectors = [s for s in found[: self._fat_count] if s < _DIFAT]
        if len(sectors) != self._fat_count:
            raise Malformed("the DIFAT names too few sectors")
        return sectors

    def _read(self, number: int) -> bytes:
        self._budget.pay()
        at = (number + 1) * self.sector
        left = self._cursor.size - at
        if 0 < left < self.sector:
            # The last sector may be cut.
            return self._cursor.take(at, left).ljust(self.sector, b"\0")
        return self._cursor.take(at, self.sector)

    def _table(self, sectors: list[int]) -> list[int]:
        out: list[int] = []
        for number in sectors:
            out += struct.unpack(f"<{self.sector // 4}I", self._read(number))
        return out

    @property
    def size(self) -> int:
        """Bytes up to the last sector that is not free."""
        used = (i for i in range(len(self.fat) - 1, -1, -1) if self.fat[i] != _FREE)
        last: int = next(used, -1)
        return (last + 2) * self.sector

    def check(self) -> None:
        """Raises Malformed where the FAT contradicts itself."""
        for number in self.fat_sectors:
            if number >= len(self.fat) or self.fat[number] != _FAT:
                raise Malformed("a sector of the FAT is not marked as one")
        self._budget.pay(steps=len(self.fat))
        targets = [t for t in self.fat if t < _DIFAT]
        if len(set(targets)) != len(targets) or any(t >= len(self.fat) for t in targets):
            raise Malformed("two chains of the FAT meet")

    def chain(self, start: int, most: int) -> Iterator[int]:
        """The sectors of a chain, at most so many."""
        number, count = start, 0
        while number < _DIFAT and count < min(most, len(self.fat)):
            if number >= len(self.fat):
                raise Malformed("a chain leaves the FAT")
            yield number
            number = self.fat[number]
            count += 1

    def entries(self) -> list[Entry]:
        """Every stream, storages walked through (2.6)."""
        raw = b"".join(self._read(n) for n in self.chain(self._directory, _MOST_ENTRIES >> 2))
        count = len(raw) // 128
        if not count or raw[66] != _ROOT:
            raise Malformed("the directory has no root")
        self._mini_data, mini_size = struct.unpack_from("<II", raw, 116)
        self._mini = self._table(list(self.chain(self._mini_start, _MOST_FAT)))
        self._mini_size = mini_size
        left: list[tuple[int, tuple[str, ...]]] = [(self._child(raw, 0), ())]
        out, met = list[Entry](), {0}
        while left:
            number, above = left.pop()
            self._budget.pay()
            if number >= count or number in met:
                continue
            met.add(number)
            at = number * 128
            name = _name(raw[at : at + 66])
            path: tuple[str, ...] = (*above, name)
            side = struct.unpack_from("<II", raw, at + 68)
            left += [(n, above) for n in side]
            if raw[at + 66] == _STORAGE and len(path) < _DEEPEST:
                left.append((self._child(raw, number), path))
            elif raw[at + 66] == _STREAM:
                start, size = struct.unpack_from("<IQ", raw, at + 116)
                size &= 0xFFFFFFFF if self.sector == 512 else (1 << 63) - 1
                out.append(Entry(path, start, size, number))
        return sorted(out, key=lambda e: e.id)

    @staticmethod
    def _child(raw: bytes, number: int) -> int:
        return int(struct.unpack_from("<I", raw, number * 128 + 76)[0])

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """The stream's bytes, sector by sector. Call `entries` first."""
        left = entry.size
        if left >= self._cutoff:
            for number in self.chain(entry.start, -(-left // self.sector)):
                data = self._read(number)[:left]
                left -= len(data)
                yield data
        else:
            yield from self._small(entry.start, left)
            left = 0
        if left:
            raise Short("a stream is shorter than it says")

    def _small(self, start: int, left: int) -> Iterator[bytes]:
        """2.4: 64-byte sectors in the root's own stream."""
        places = list(self.chain(self._mini_data, -(-self._mini_size // self.sector)))
        per, number, count = self.sector // 64, start, 0
        while left > 0:
            self._budget.pay()
            if number >= len(self._mini) or number // per >= len(places) or count > len(self._mini):
                raise Malformed("a chain leaves the mini FAT")
            data = self._read(places[number // per])[number % per * 64 :][: min(64, left)]
            yield data
            left -= len(data)
            number, count = self._mini[number], count + 1

    def read(self, entry: Entry, most: int) -> bytes:
        """A stream whole. Raises Malformed where it is larger than ``most``."""
        if entry.size > most:
            raise Malformed(f"the stream {entry.name!r} is too large to parse at once")
        return b"".join(self.pieces(entry))


def _name(raw: bytes) -> str:
    length = int.from_bytes(raw[64:66], "little")
    return raw[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")

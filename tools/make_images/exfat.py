"""Writes files into an exFAT volume that mkfs.exfat made: neither kernel nor FUSE is needed.

After Microsoft's "exFAT file system specification" (2019): directory entry sets (clause 6, 7), the
allocation bitmap (7.1), FAT chains (4). Contiguous files say so (NoFatChain); the others have a
chain in the FAT. A deleted file loses its entries' InUse bits and its bits in the bitmap, no more.
"""

from __future__ import annotations

import contextlib
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_END = 0xFFFFFFFF
_WHEN = (2018 - 1980) << 25 | 5 << 21 | 1 << 16 | 10 << 11
_ENTRY = 32
_FOLDER, _FILE = 0x10, 0x20


@dataclass(slots=True)
class _Folder:
    clusters: list[int]
    entry: int | None
    """Where its own entry set starts in the image; the root has none."""


def _rotated(total: int, data: bytes) -> int:
    for byte in data:
        total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    return total


def _name_hash(name: str) -> int:
    upper = "".join(char.upper() if len(char.upper()) == 1 else char for char in name)
    return _rotated(0, upper.encode("utf-16-le"))


def _with_checksum(entries: bytes) -> bytes:
    total = _rotated(_rotated(0, entries[:2]), entries[4:])
    return entries[:2] + struct.pack("<H", total) + entries[4:]


def _entry_set(name: str, kind: int, clusters: Sequence[int], size: int, chained: bool) -> bytes:
    """The directory entries of one file or folder (clauses 7.4, 7.6, 7.7)."""
    codes = name.encode("utf-16-le")
    names = [codes[at : at + 30] for at in range(0, len(codes), 30)]
    flags = (0 if not clusters else 1) | (0 if chained or not clusters else 2)
    out = struct.pack("<BBHHHIII12x", 0x85, 1 + len(names), 0, kind, 0, _WHEN, _WHEN, _WHEN)
    first = clusters[0] if clusters else 0
    out += struct.pack(
        "<BBxBHxxQxxxxIQ", 0xC0, flags, len(codes) // 2, _name_hash(name), size, first, size
    )
    for part in names:
        out += b"\xc1\0" + part.ljust(30, b"\0")
    return _with_checksum(out)


class Volume:
    """An exFAT volume in memory."""

    def __init__(self, data: bytearray) -> None:
        self._data = data
        fat, _, heap, self._count, root = struct.unpack_from("<IIIII", data, 80)
        sector = 1 << data[108]
        self._size = sector << data[109]
        self._fat, self._heap = fat * sector, heap * sector
        self._folders = {"": _Folder(self._chain(root), None)}
        self._bitmap = self._at(self._find_bitmap())

    def _at(self, cluster: int) -> int:
        return int(self._heap + (cluster - 2) * self._size)

    def _next(self, cluster: int) -> int:
        return int(struct.unpack_from("<I", self._data, self._fat + 4 * cluster)[0])

    def _chain(self, cluster: int) -> list[int]:
        out: list[int] = []
        while 2 <= cluster < self._count + 2 and len(out) < self._count:
            out.append(cluster)
            cluster = self._next(cluster)
        return out

    def _link(self, clusters: Sequence[int]) -> None:
        for one, after in zip(clusters, [*clusters[1:], _END], strict=True):
            struct.pack_into("<I", self._data, self._fat + 4 * one, after)

    def _find_bitmap(self) -> int:
        start = self._at(self._folders[""].clusters[0])
        for at in range(start, start + self._size, _ENTRY):
            if self._data[at] == 0x81:
                return int(struct.unpack_from("<I", self._data, at + 20)[0])
        raise RuntimeError("no allocation bitmap in the root")

    def _mark(self, clusters: Sequence[int], used: bool) -> None:
        for cluster in clusters:
            at, bit = self._bitmap + (cluster - 2) // 8, 1 << (cluster - 2) % 8
            self._data[at] = self._data[at] | bit if used else self._data[at] & ~bit

    def _allocate(self, count: int) -> list[int]:
        """The first free clusters, wherever they lie."""
        out: list[int] = []
        for cluster in range(2, self._count + 2):
            if len(out) == count:
                break
            if not self._data[self._bitmap + (cluster - 2) // 8] >> (cluster - 2) % 8 & 1:
                out.append(cluster)
        if len(out) < count:
            raise RuntimeError("the exFAT volume is full")
        self._mark(out, used=True)
        return out

    def _places(self, folder: _Folder) -> list[int]:
        """Offsets of all entries of a folder, in order."""
        return [
            at
            for cluster in folder.clusters
            for at in range(self._at(cluster), self._at(cluster) + self._size, _ENTRY)
        ]

    def _grow(self, folder: _Folder) -> None:
        new = self._allocate(1)
        self._data[self._at(new[0]) : self._at(new[0]) + self._size] = bytes(self._size)
        folder.clusters += new
        self._link(folder.clusters)
        if folder.entry is not None:
            end = folder.entry + _ENTRY * (1 + self._data[folder.entry + 1])
            size = len(folder.clusters) * self._size
            struct.pack_into("<Q", self._data, folder.entry + 40, size)
            struct.pack_into("<Q", self._data, folder.entry + 56, size)
            self._data[folder.entry : end] = _with_checksum(bytes(self._data[folder.entry : end]))

    def _enter(self, folder: _Folder, entries: bytes) -> int:
        """Writes an entry set behind the last one, within one cluster; returns its offset."""
        count = len(entries) // _ENTRY
        while True:
            places = self._places(folder)
            free = next((n for n, at in enumerate(places) if not self._data[at]), len(places))
            run = places[free : free + count]
            if len(run) == count and run[-1] - run[0] == (count - 1) * _ENTRY:
                self._data[run[0] : run[0] + len(entries)] = entries
                return run[0]
            for at in run:
                self._data[at] = 0x05
            self._grow(folder)

    def folder(self, path: str) -> _Folder:
        """The folder, made where it is missing."""
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            parent = self.folder(above)
            entry = next((at for at, found in self._sets(parent) if found == name), None)
            if entry is None:
                clusters = self._allocate(1)
                start = self._at(clusters[0])
                self._data[start : start + self._size] = bytes(self._size)
                self._link(clusters)
                new = _entry_set(name, _FOLDER, clusters, self._size, chained=True)
                entry = self._enter(parent, new)
            first = struct.unpack_from("<I", self._data, entry + 52)[0]
            self._folders[path] = _Folder(self._chain(first), entry)
        return self._folders[path]

    def put(self, path: str, data: bytes) -> None:
        above, _, name = path.rpartition("/")
        folder = self.folder(above)
        clusters = self._allocate(-(-len(data) // self._size))
        chained = any(b != a + 1 for a, b in itertools.pairwise(clusters))
        if chained:
            self._link(clusters)
        for n, cluster in enumerate(clusters):
            part = data[n * self._size : (n + 1) * self._size]
            self._data[self._at(cluster) : self._at(cluster) + len(part)] = part
        self._enter(folder, _entry_set(name, _FILE, clusters, len(data), chained))

    def extend(self, path: str, data: bytes) -> None:
        raise RuntimeError(f"this writer cannot extend {path} by {len(data)} bytes")

    def _sets(self, folder: _Folder) -> Iterator[tuple[int, str]]:
        """Offset and name of each file in a folder."""
        for at in self._places(folder):
            if self._data[at] == 0x85:
                end = at + _ENTRY * (1 + self._data[at + 1])
                codes = b"".join(bytes(self._data[n + 2 : n + 32]) for n in range(at + 64, end, 32))
                yield at, codes[: 2 * self._data[at + 35]].decode("utf-16-le")

    def remove(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        at = next(at for at, found in self._sets(self.folder(above)) if found == name)
        first, size = struct.unpack_from("<IQ", self._data, at + 52)
        count = -(-size // self._size)
        chained = not self._data[at + 33] & 2
        self._mark(self._chain(first) if chained else range(first, first + count), used=False)
        for n in range(1 + self._data[at + 1]):
            self._data[at + _ENTRY * n] &= 0x7F


@contextlib.contextmanager
def session(image: Path) -> Iterator[Volume]:
    """The volume, open for writing; all is on the image when it closes."""
    data = bytearray(image.read_bytes())
    yield Volume(data)
    image.write_bytes(data)

"""The headers of a 7z archive (7zFormat.txt of the LZMA SDK), and its folders: streams of files.

A folder is unpacked where a chain of LZMA, LZMA2, bzip2, deflate, delta, branch filters or plain
copies packs it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.model import Extent, Malformed, Source
from hakushi.recover.cursor import Budget, Cursor, Short, Spent
from hakushi.recover.grammar.stream import Decompressor, Packed, inflate, pieces

MAGIC = b"7z\xbc\xaf\x27\x1c"
_END, _HEADER, _PROPERTIES, _MORE, _STREAMS, _FILES = 0, 1, 2, 3, 4, 5
_PACK, _UNPACK, _SUB, _SIZE, _CRC, _FOLDER, _UNPACK_SIZE, _COUNT = 6, 7, 8, 9, 10, 11, 12, 13
_EMPTY, _EMPTY_FILE, _NAMES, _MODIFIED, _ENCODED = 14, 15, 17, 20, 23

_COPY, _LZMA, _LZMA2, _DELTA, _X86 = b"\0", b"\3\1\1", b"\x21", b"\3", b"\3\3\1\3"
_DEFLATE, _BZIP2, _AES = b"\4\1\x08", b"\4\2\2", b"\x06\xf1\x07\1"
_BRANCH = {b"\4": 4, _X86: 4, b"\5": 5, b"\6": 6, b"\7": 7, b"\x08": 8, b"\x09": 9}
"""Method -> id of liblzma's filter: x86, PowerPC, IA-64, ARM, ARM-Thumb, SPARC."""

_MOST = 4_000_000
_LARGEST_HEADER = 64 << 20
_MEMORY = 256 << 20
_EPOCH_1601 = 11_644_473_600


@dataclass(slots=True)
class Folder:
    coders: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(method, properties)."""
    chain: list[int] = field(default_factory=list)
    """Coders from the packed stream to the content; empty where they are no plain chain."""
    sizes: list[int] = field(default_factory=list)
    crc: int | None = None
    start: int = 0
    """Where its first packed stream stands in the file."""
    packed: int = 0
    streams: int = 1
    """How many packed streams it has."""

    @property
    def size(self) -> int:
        return self.sizes[self.chain[-1]] if self.chain else max(self.sizes, default=0)

    @property
    def encrypted(self) -> bool:
        return any(method.startswith(_AES) for method, _ in self.coders)


@dataclass(slots=True)
class File:
    name: str = ""
    folder: int = -1
    """-1: it has no bytes."""
    offset: int = 0
    """In the folder's content."""
    size: int = 0
    crc: int | None = None
    modified: int | None = None
    directory: bool = False


@dataclass(slots=True)
class Archive:
    folders: list[Folder] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    """How many files each folder holds."""
    parts: list[tuple[int, int | None]] = field(default_factory=list)
    """(size, checksum) of each file with bytes, folder by folder."""
    files: list[File] = field(default_factory=list)


class _Reader:
    """Numbers out of a header."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data = data
        self._at = 0
        self._budget = budget

    def take(self, length: int) -> bytes:
        out = self._data[self._at : self._at + length]
        if len(out) != length:
            raise Malformed("the header of the 7z archive is cut")
        self._at += length
        return out

    def byte(self) -> int:
        self._budget.pay()
        return self.take(1)[0]

    def number(self) -> int:
        """The leading ones of the first byte say how many bytes follow."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << 8 * index
            value |= self.byte() << 8 * index
            mask >>= 1
        return value

    def count(self) -> int:
        found = self.number()
        # Nothing that is counted takes less than a bit of the header.
        if found > min(_MOST, 8 * len(self._data) + 64):
            raise Malformed("the 7z archive says too many")
        return found

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[i >> 3] & 0x80 >> (i & 7)) for i in range(count)]

    def known(self, count: int) -> list[bool]:
        """Which of them are defined: all, or as bits say."""
        return [True] * count if self.byte() else self.bits(count)

    def checksums(self, count: int) -> list[int | None]:
        return [int.from_bytes(self.take(4), "little") if k else None for k in self.known(count)]


def extent(source: Source) -> Extent:
    """Where the header at the end stands, as the one at the start says; its checksum is right."""
    head = Cursor(source, page=32).take(0, 32)
    if not head.startswith(MAGIC) or zlib.crc32(head[12:32]) != int.from_bytes(
        head[8:12], "little"
    ):
        raise Malformed("start header of a 7z archive")
    return Extent(32 + int.from_bytes(head[12:20], "little"), int.from_bytes(head[20:28], "little"))


def header(source: Source) -> bytes:
    """The header at the end. Short where it is not there."""
    where = extent(source)
    if where.length > _LARGEST_HEADER:
        raise Malformed("the header of the 7z archive is too large")
    if where.end > source.size:
        raise Short("the header of the 7z archive is missing")
    data = source.read(where)
    if zlib.crc32(data) != int.from_bytes(source.read(Extent(28, 4)), "little"):
        raise Malformed("the checksum of the header does not match")
    return data


def parse(data: bytes, source: Source, budget: Budget) -> Archive:
    """Every folder and file of a `header`, which may be packed itself."""
    for _ in range(4):
        if not data:
            return Archive()
        reader = _Reader(data, budget)
        kind = reader.byte()
        if kind == _HEADER:
            return _header(reader)
        if kind != _ENCODED:
            break
        packed = Archive()
        _streams(reader, packed)
        if not packed.folders:
            break
        data = b"".join(unpack(source, packed.folders[0], budget))
    raise Malformed("header of a 7z archive")


def _header(reader: _Reader) -> Archive:
    archive = Archive()
    kind = reader.byte()
    if kind == _PROPERTIES:
        while reader.byte():
            reader.take(reader.count())
        kind = reader.byte()
    if kind == _MORE:
        _streams(reader, Archive())
        kind = reader.byte()
    if kind == _STREAMS:
        _streams(reader, archive)
        kind = reader.byte()
    if kind == _FILES:
        _files(reader, archive)
    return archive


def _streams(reader: _Reader, archive: Archive) -> None:
    places: list[int] = []
    start = 32
    while kind := reader.byte():
        if kind == _PACK:
            start += reader.number()
            places = _packed(reader)
        elif kind == _UNPACK:
            _folders(reader, archive)
        elif kind == _SUB:
            _substreams(reader, archive)
        else:
            raise Malformed("streams of a 7z archive")
    index = 0
    for folder in archive.folders:
        mine = places[index : index + folder.streams]
        if len(mine) != folder.streams:
            raise Malformed("a folder without its packed streams")
        folder.start, folder.packed = start, sum(mine)
        start, index = start + folder.packed, index + folder.streams
    if not archive.counts:
        archive.counts = [1] * len(archive.folders)
        archive.parts = [(folder.size, folder.crc) for folder in archive.folders]


def _packed(reader: _Reader) -> list[int]:
    count, sizes = reader.count(), list[int]()
    while kind := reader.byte():
        if kind == _SIZE:
            sizes = [reader.number() for _ in range(count)]
        elif kind == _CRC:
            reader.checksums(count)
        else:
            raise Malformed("packed streams of a 7z archive")
    return sizes


def _folders(reader: _Reader, archive: Archive) -> None:
    if reader.byte() != _FOLDER:
        raise Malformed("folders of a 7z archive")
    count = reader.count()
    if reader.byte():
        raise Malformed("folders of a 7z archive stand elsewhere")
    archive.folders = [_folder(reader) for _ in range(count)]
    while kind := reader.byte():
        if kind == _UNPACK_SIZE:
            for folder in archive.folders:
                folder.sizes = [reader.number() for _ in folder.sizes]
        elif kind == _CRC:
            for folder, crc in zip(archive.folders, reader.checksums(count), strict=True):
                folder.crc = crc
        else:
            raise Malformed("folders of a 7z archive")


def _folder(reader: _Reader) -> Folder:
    folder, simple, inputs, outputs = Folder(), True, 0, 0
    for _ in range(min(reader.count(), 32)):
        flags = reader.byte()
        method = reader.take(flags & 15)
        into, out = (reader.count(), reader.count()) if flags & 16 else (1, 1)
        simple = simple and into == out == 1
        inputs, outputs = inputs + into, outputs + out
        folder.coders.append((method, reader.take(reader.count()) if flags & 32 else b""))
    if not 0 < outputs <= 64 or inputs > 64:
        raise Malformed("coders of a 7z archive")
    bound = {reader.count(): reader.count() for _ in range(outputs - 1)}
    folder.streams = inputs - len(bound)
    if folder.streams > 1:
        for _ in range(folder.streams):
            reader.count()
    folder.sizes = [0] * outputs
    if simple:
        folder.chain = _chain(len(folder.coders), bound)
    return folder


def _chain(count: int, bound: dict[int, int]) -> list[int]:
    """Coders in the order in which bytes go through them; ``bound``: input <- output."""
    first = [index for index in range(count) if index not in bound]
    if len(first) != 1:
        return []
    follows = {output: into for into, output in bound.items()}
    chain = first
    while chain[-1] in follows and len(chain) <= count:
        chain.append(follows[chain[-1]])
    return chain if len(chain) == count and max(chain) < count else []


def _substreams(reader: _Reader, archive: Archive) -> None:
    archive.counts = [1] * len(archive.folders)
    sizes: list[list[int]] = []
    kind = reader.byte()
    if kind == _COUNT:
        archive.counts = [reader.count() for _ in archive.folders]
        kind = reader.byte()
    for folder, count in zip(archive.folders, archive.counts, strict=True):
        # The last one takes what the others leave.
        said = [reader.number() for _ in range(count - 1)] if kind == _SIZE and count else []
        sizes.append([*said, folder.size - sum(said)][:count])
    if kind == _SIZE:
        kind = reader.byte()
    known = [
        f.crc if n == 1 else None for f, n in zip(archive.folders, archive.counts, strict=True)
    ]
    open_ = sum(n for crc, n in zip(known, archive.counts, strict=True) if crc is None)
    found: list[int | None] = []
    while kind:
        if kind == _CRC:
            found = reader.checksums(open_)
        else:
            raise Malformed("files of a folder of a 7z archive")
        kind = reader.byte()
    rest = iter(found)
    for crc, row in zip(known, sizes, strict=True):
        for size in row:
            if size < 0:
                raise Malformed("files larger than their folder")
            archive.parts.append((size, crc if crc is not None else next(rest, None)))


def _files(reader: _Reader, archive: Archive) -> None:
    files = [File() for _ in range(reader.count())]
    archive.files = files
    empty = [False] * len(files)
    plain: list[bool] = []
    while kind := reader.byte():
        inner = _Reader(reader.take(reader.count()), reader._budget)
        if kind == _EMPTY:
            empty = inner.bits(len(files))
        elif kind == _EMPTY_FILE:
            plain = inner.bits(sum(empty))
        elif kind == _NAMES:
            _named(inner, files)
        elif kind == _MODIFIED:
            known = inner.known(len(files))
            inner.byte()
            for one, has in zip(files, known, strict=True):
                if has:
                    ticks = int.from_bytes(inner.take(8), "little")
                    one.modified = ticks // 10_000_000 - _EPOCH_1601
    _place(archive, empty, plain)


def _named(reader: _Reader, files: list[File]) -> None:
    if reader.byte():
        raise Malformed("names of a 7z archive stand elsewhere")
    names = reader._data[1:].decode("utf-16-le", "replace").split("\0")
    for one, name in zip(files, names, strict=False):
        one.name = name


def _place(archive: Archive, empty: list[bool], plain: list[bool]) -> None:
    """Files with bytes take them from the folders in order."""
    homes = [(index, part) for index, count in enumerate(archive.counts) for part in range(count)]
    at, offset, empties = 0, 0, iter(plain)
    for one, none in zip(archive.files, empty, strict=True):
        if none:
            one.directory = not next(empties, False)
            continue
        if at >= min(len(homes), len(archive.parts)):
            raise Malformed("more files than streams in a 7z archive")
        folder, part = homes[at]
        offset = 0 if part == 0 else offset
        one.folder, one.offset = folder, offset
        one.size, one.crc = archive.parts[at]
        offset, at = offset + one.size, at + 1


# --- unpacking ---------------------------------------------------------------------------


def unpack(source: Source, folder: Folder, budget: Budget) -> Iterator[bytes]:
    """The folder's content. Raises Malformed for what is no chain of known methods."""
    if folder.encrypted:
        raise Malformed("the folder is encrypted")
    if not folder.chain:
        raise Malformed("the coders of the folder are no plain chain")
    end = folder.start + folder.packed
    if end > source.size:
        raise Short("a packed stream runs past the end")
    made, left = 0, folder.size
    for data in _content(source, folder, end, budget):
        data = data[:left]
        left -= len(data)
        made = zlib.crc32(data, made)
        yield data
        if not left:
            break
    if left:
        raise Malformed("a folder breaks off")
    if folder.crc is not None and made != folder.crc:
        raise Malformed("the checksum of a folder does not match")


def unpacked(source: Source, archive: Archive, index: int, budget: Budget) -> tuple[int, str]:
    """(bytes of the folder's content that come out, what is broken about them or nothing)."""
    first = sum(archive.counts[:index])
    parts = iter(archive.parts[first : first + archive.counts[index]])
    size, crc = next(parts, (0, None))
    total = made = 0
    try:
        for data in unpack(source, archive.folders[index], budget):
            total += len(data)
            while data:
                piece, data = data[:size], data[size:]
                made, size = zlib.crc32(piece, made), size - len(piece)
                if size:
                    break
                if crc is not None and made != crc:
                    return total, "the checksum of a file does not match"
                size, crc = next(parts, (len(data), None))
                made = 0
    except Spent:
        raise
    except Malformed as error:
        return total, str(error)
    return total, ""


def _content(source: Source, folder: Folder, end: int, budget: Budget) -> Iterator[bytes]:
    methods = [folder.coders[index] for index in folder.chain]
    names = [method for method, _ in methods]
    if all(name == _COPY for name in names):
        return (data for _, data in pieces(source, budget, folder.start, end))
    if names == [_DEFLATE]:
        return inflate(source, folder.start, end).run(budget)
    if names == [_BZIP2]:
        return Packed(_bzip2, source, folder.start, end).run(budget)
    filters = [_filter(method, said) for method, said in reversed(methods) if method != _COPY]

    def make() -> Decompressor:
        import lzma

        try:
            return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        except (lzma.LZMAError, ValueError, MemoryError) as error:
            raise Malformed(f"coders of the folder: {error}") from None

    return Packed(make, source, folder.start, end).run(budget)


def _bzip2() -> Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


def _filter(method: bytes, said: bytes) -> dict[str, int]:
    """The words of liblzma for a coder and its properties."""
    import lzma

    if method == _LZMA and len(said) == 5 and said[0] < 225:
        literal, size = said[0], int.from_bytes(said[1:], "little")
        wanted = {"lc": literal % 9, "lp": literal // 9 % 5, "pb": literal // 45}
        return {"id": lzma.FILTER_LZMA1, "dict_size": _dictionary(max(size, 4096)), **wanted}
    if method == _LZMA2 and len(said) == 1 and said[0] <= 40:
        size = (2 | said[0] & 1) << said[0] // 2 + 11
        return {"id": lzma.FILTER_LZMA2, "dict_size": _dictionary(size)}
    if method == _DELTA and len(said) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": said[0] + 1}
    if method in _BRANCH:
        return {"id": _BRANCH[method]}
    raise Malformed(f"the method {method.hex()} is not known")


def _dictionary(size: int) -> int:
    if size > _MEMORY:
        raise Malformed("a dictionary larger than is allowed here")
    return size

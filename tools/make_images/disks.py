"""Whole disks: partition tables (MBR with an extended partition, GPT) and E01 containers."""

from __future__ import annotations

import binascii
import struct
import tempfile
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .volumes import run

SECTOR = 512
ALIGN = 1 << 20
TYPES = {"ntfs": 0x07, "exfat": 0x07, "fat12": 0x01, "fat16": 0x06, "fat32": 0x0C}
_BASIC = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
_LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


@dataclass(frozen=True, slots=True)
class Part:
    """A volume's image and where it lies on the disk, in bytes."""

    kind: str
    image: Path
    offset: int

    @property
    def size(self) -> int:
        return self.image.stat().st_size

    @property
    def type(self) -> int:
        return TYPES.get(self.kind, 0x83)


def _entry(kind: int, start: int, sectors: int) -> bytes:
    """One entry of an MBR; cylinders, heads and sectors say "too large", as is usual today."""
    full = b"\xfe\xff\xff"
    return b"\0" + full + bytes([kind]) + full + struct.pack("<II", start, sectors)


def _table(entries: Sequence[bytes], signature: int = 0) -> bytes:
    return (
        bytes(440)
        + struct.pack("<IH", signature, 0)
        + b"".join(entries).ljust(64, b"\0")
        + b"\x55\xaa"
    )


def _lay(disk: Path, size: int, parts: Sequence[Part]) -> None:
    disk.unlink(missing_ok=True)
    with disk.open("wb") as out:
        out.truncate(size)
        for part in parts:
            out.seek(part.offset)
            out.write(part.image.read_bytes())


def _write(disk: Path, at: int, data: bytes) -> None:
    with disk.open("r+b") as out:
        out.seek(at)
        out.write(data)


def copy(source: Path, at: int, target: Path, to: int, length: int) -> None:
    """Bytes of one image into another, which is otherwise left as it is."""
    with source.open("rb") as data:
        data.seek(at)
        _write(target, to, data.read(length))


def repartition(disk: Path, parts: Sequence[tuple[str, int, int]]) -> None:
    """A new MBR alone: (kind, offset, bytes) of each partition; nothing else is written."""
    entries = [_entry(TYPES.get(kind, 0x83), at // SECTOR, n // SECTOR) for kind, at, n in parts]
    _write(disk, 0, _table(entries))


def mbr(disk: Path, size: int, parts: Sequence[Part], logical: Sequence[Part] = ()) -> None:
    """A disk with primary partitions and, if any are given, logical ones in an extended one.

    Each logical volume must leave one `ALIGN` before it for its own table.
    """
    _lay(disk, size, [*parts, *logical])
    entries = [_entry(p.type, p.offset // SECTOR, p.size // SECTOR) for p in parts]
    if logical:
        start, end = logical[0].offset - ALIGN, logical[-1].offset + logical[-1].size
        entries.append(_entry(0x0F, start // SECTOR, (end - start) // SECTOR))
        for n, part in enumerate(logical):
            links = [_entry(part.type, ALIGN // SECTOR, part.size // SECTOR)]
            if n + 1 < len(logical):
                after = logical[n + 1]
                away = after.offset - ALIGN - start
                links.append(_entry(0x05, away // SECTOR, (after.size + ALIGN) // SECTOR))
            _write(disk, part.offset - ALIGN, _table(links))
    _write(disk, 0, _table(entries, 0x20190329))


def _gpt_header(size: int, array: bytes, backup: bool) -> bytes:
    last = size // SECTOR - 1
    own, other = (last, 1) if backup else (1, last)
    entries = last - 32 if backup else 2
    fields = (own, other, 34, last - 33, uuid.UUID(int=0x20190329).bytes_le, entries)
    head = struct.pack(
        "<8sIIIIQQQQ16sQIII",
        b"EFI PART",
        0x10000,
        92,
        0,
        0,
        *fields,
        128,
        128,
        binascii.crc32(array),
    )
    crc = binascii.crc32(head)
    return (head[:16] + struct.pack("<I", crc) + head[20:]).ljust(SECTOR, b"\0")


def gpt(disk: Path, size: int, parts: Sequence[Part]) -> None:
    """A disk with a GUID partition table at both ends and a protective MBR."""
    _lay(disk, size, parts)
    array = b""
    for number, part in enumerate(parts, 1):
        kind = _BASIC if part.type != 0x83 else _LINUX
        first = part.offset // SECTOR
        array += struct.pack(
            "<16s16sQQQ72s",
            kind.bytes_le,
            uuid.UUID(int=number).bytes_le,
            first,
            first + part.size // SECTOR - 1,
            0,
            "Basic data partition".encode("utf-16-le"),
        )
    array = array.ljust(128 * 128, b"\0")
    _write(disk, 0, _table([_entry(0xEE, 1, size // SECTOR - 1)]))
    _write(disk, SECTOR, _gpt_header(size, array, backup=False) + array)
    _write(disk, size - 33 * SECTOR, array + _gpt_header(size, array, backup=True))


# --- E01 ---------------------------------------------------------------------------------

_HEADER, _SECTION, _VOLUME = 13, 76, 1052
_GUID_AT = 64


def e01(raw: Path, out: Path) -> None:
    """Packs a raw image as one E01 file by ewfacquire, its random set identifier made constant."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "image")
        run(
            "ewfacquire",
            "-u",
            "-q",
            "-t",
            target,
            "-f",
            "encase6",
            "-c",
            "deflate:best",
            "-S",
            "1EiB",
            "-b",
            "64",
            "-d",
            "sha256",
            "-C",
            "sample",
            "-D",
            "sample",
            "-E",
            "1",
            "-e",
            "make_images",
            "-N",
            "invented",
            "-m",
            "fixed",
            "-M",
            "physical",
            raw,
        )
        data = bytearray(target.with_suffix(".E01").read_bytes())
    _fix_identifier(data)
    out.write_bytes(data)


def _fix_identifier(data: bytearray) -> None:
    """Writes one set identifier into the volume and data sections and mends their checksums.

    A section (EWF, Metz 2006-2013, clause 3) starts with its type and the offset of the next.
    """
    at = _HEADER
    while True:
        name = bytes(data[at : at + 16]).rstrip(b"\0")
        following = int.from_bytes(data[at + 16 : at + 24], "little")
        if name in (b"volume", b"data", b"disk"):
            start = at + _SECTION
            data[start + _GUID_AT : start + _GUID_AT + 16] = uuid.UUID(int=0x20190329).bytes_le
            end = start + _VOLUME - 4
            data[end : end + 4] = struct.pack("<I", zlib.adler32(data[start:end]))
        if following <= at:
            return
        at = following

"""Small NTFS volumes made byte by byte: records, index blocks, boot sectors, where a test wants."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

RECORD = 1024
CLUSTER = 4096
TIME = (11_644_473_600 + 1_500_000_000) * 10_000_000


def fixups(data: bytes, at: int) -> bytes:
    """A record or index block with its update sequence applied."""
    out, count = bytearray(data), len(data) // 512
    out[at : at + 2] = b"\x07\x00"
    for i in range(1, count + 1):
        out[at + 2 * i : at + 2 * i + 2] = out[512 * i - 2 : 512 * i]
        out[512 * i - 2 : 512 * i] = b"\x07\x00"
    return bytes(out)


def resident(kind: int, content: bytes, name: str = "", id: int = 0) -> bytes:
    letters = name.encode("utf-16-le")
    start = -(-(24 + len(letters)) // 8) * 8
    length = -(-(start + len(content)) // 8) * 8
    head = struct.pack("<IIBBHHH", kind, length, 0, len(name), 24, 0, id)
    body = head + struct.pack("<IHBB", len(content), start, 0, 0) + letters
    return (body.ljust(start, b"\0") + content).ljust(length, b"\0")


def pairs(runs: list[tuple[int | None, int]]) -> bytes:
    """Mapping pairs; a run without a cluster is a hole."""
    out, last = b"", 0
    for at, count in runs:
        length = count.to_bytes(count.bit_length() // 8 + 1, "little")
        step = b""
        if at is not None:
            delta, last = at - last, at
            step = delta.to_bytes(delta.bit_length() // 8 + 1, "little", signed=True)
        out += bytes([len(length) | len(step) << 4]) + length + step
    return out + b"\0"


@dataclass(frozen=True)
class Mapped:
    """A non-resident attribute."""

    runs: list[tuple[int | None, int]]
    size: int
    kind: int = 0x80
    name: str = ""
    id: int = 1
    flags: int = 0
    unit: int = 0
    first: int = 0
    initialized: int | None = None
    cluster: int = CLUSTER

    def bytes(self) -> bytes:
        letters, count = self.name.encode("utf-16-le"), sum(n for _, n in self.runs)
        start = -(-(64 + len(letters)) // 8) * 8
        mapping = pairs(self.runs)
        length = -(-(start + len(mapping)) // 8) * 8
        head = struct.pack(
            "<IIBBHHH", self.kind, length, 1, len(self.name), 64, self.flags, self.id
        )
        head += struct.pack("<QQHB5x", self.first, self.first + count - 1, start, self.unit)
        valid = self.size if self.initialized is None else self.initialized
        head += struct.pack("<QQQ", count * self.cluster, self.size, valid)
        return ((head + letters).ljust(start, b"\0") + mapping).ljust(length, b"\0")


def named(name: str, parent: int = 5, sequence: int = 1, space: int = 1) -> bytes:
    content = struct.pack("<Q", parent | sequence << 48) + bytes(56)
    content += bytes([len(name), space]) + name.encode("utf-16-le")
    return resident(0x30, content, id=2)


def times(ticks: int = TIME) -> bytes:
    return resident(0x10, struct.pack("<QQQQ", ticks, ticks, ticks, ticks) + bytes(16), id=3)


def record(
    number: int,
    *attributes: bytes,
    flags: int = 1,
    sequence: int = 1,
    base: tuple[int, int] = (0, 0),
) -> bytes:
    body = b"".join(attributes) + b"\xff\xff\xff\xff\0\0\0\0"
    reference = base[0] | base[1] << 48
    used = 56 + len(body)
    head = struct.pack("<4sHHQHHHH", b"FILE", 48, 3, 0, sequence, 1, 56, flags)
    head += struct.pack("<IIQHHI", used, RECORD, reference, 9, 0, number)
    assert used <= RECORD, "the attributes do not fit"
    return fixups((head.ljust(56, b"\0") + body).ljust(RECORD, b"\0"), 48)


def index_block(
    directory: int, name: str = "a", number: int = 99, *, folder: bool = False
) -> bytes:
    """The first index block of a directory, with one entry."""
    key = struct.pack("<Q", directory | 1 << 48) + bytes(48)
    key += struct.pack("<II", 0x10000000 if folder else 0, 0)
    key += bytes([len(name), 1]) + name.encode("utf-16-le")
    length = -(-(16 + len(key)) // 8) * 8
    entry = (struct.pack("<QHHI", number | 1 << 48, length, len(key), 0) + key).ljust(length, b"\0")
    last = struct.pack("<QHHI", 0, 16, 0, 2)
    head = struct.pack("<4sHHQQ", b"INDX", 40, 9, 0, 0)
    head += struct.pack("<IIII", 40, 40 + len(entry) + 16, 4096 - 24, 0)
    return fixups((head.ljust(64, b"\0") + entry + last).ljust(4096, b"\0"), 40)


def boot_sector(clusters: int, mft: int, cluster: int = CLUSTER) -> bytes:
    sectors = clusters * (cluster // 512) - 1
    head = b"\xebR\x90NTFS    " + struct.pack("<HB", 512, cluster // 512)
    head = head.ljust(40, b"\0") + struct.pack("<QQQ", sectors, mft, 2)
    head = head.ljust(64, b"\0") + b"\xf6\0\0\0\x01\0\0\0"
    return head.ljust(510, b"\0") + b"\x55\xaa"


@dataclass
class Disk:
    """A medium of zeros on which volumes and their records are laid."""

    size: int
    data: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.data = bytearray(self.size)

    def put(self, at: int, data: bytes) -> None:
        assert at + len(data) <= self.size
        self.data[at : at + len(data)] = data

"""APFS containers that mkapfs and the Linux driver made (images/README.md), and pieces of them."""

import hashlib
import json
import lzma
import tarfile
from functools import cache
from pathlib import Path

from hakushi.media import Memory
from hakushi.model import Extent, Locator

KEPT = Path(__file__).parent / "images" / "apfs"
SIZE = 640 << 20
BLOCK = 4096


@cache
def kept(name: str) -> dict[int, bytes]:
    """The blocks that are not zeros."""
    out: dict[int, bytes] = {}
    with lzma.open(KEPT / f"{name}.tar.xz") as packed, tarfile.open(fileobj=packed) as tar:
        for one in tar:
            data = tar.extractfile(one).read()
            for at in range(0, len(data), BLOCK):
                out[int(one.name) + at] = data[at : at + BLOCK]
    return out


class Sparse:
    """A medium of which a few blocks are not zeros."""

    def __init__(self, blocks: dict[int, bytes], size: int = SIZE) -> None:
        self.blocks = blocks
        self.size = size
        self.locator = Locator.root("memory", "sparse")

    def read(self, extent: Extent) -> bytes:
        end = min(extent.end, self.size)
        first = extent.offset - extent.offset % BLOCK
        zeros = bytes(BLOCK)
        whole = b"".join(self.blocks.get(at, zeros) for at in range(first, max(first, end), BLOCK))
        return whole[extent.offset - first : max(0, end - first)]


def fletcher(raw: bytes) -> bytes:
    """The checksum of an object, word by word as the reference tells it."""
    first = second = 0
    for at in range(8, len(raw), 4):
        first = (first + int.from_bytes(raw[at : at + 4], "little")) % 0xFFFFFFFF
        second = (second + first) % 0xFFFFFFFF
    low = 0xFFFFFFFF - (first + second) % 0xFFFFFFFF
    high = 0xFFFFFFFF - (first + low) % 0xFFFFFFFF
    return (high << 32 | low).to_bytes(8, "little")


def changed(blocks: dict[int, bytes], at: int, place: int, value: bytes) -> dict[int, bytes]:
    """The same with some bytes of an object changed, and its checksum made right again."""
    raw = bytearray(blocks[at])
    raw[place : place + len(value)] = value
    raw[:8] = fletcher(bytes(raw))
    return {**blocks, at: bytes(raw)}


def is_object(raw: bytes) -> bool:
    return any(raw[:8]) and fletcher(raw) == raw[:8]


@cache
def objects(name: str) -> tuple[int, ...]:
    """Where objects with a right checksum lie."""
    return tuple(sorted(at for at, raw in kept(name).items() if is_object(raw)))


def manifest(*states: str) -> dict[str, str]:
    every = json.loads((KEPT / "manifest.json").read_text(encoding="utf-8"))
    return {path: digest for path, (digest, state) in every.items() if state in states}


def digest(inner: Memory) -> str:
    return hashlib.sha256(inner.read(Extent(0, inner.size))).hexdigest()

"""Volumes with shadow copies, drawn at random (the format is Metz's description)."""

import struct
from random import Random

from hakushi.recover.filesystem.ntfs_shadow import BLOCK, IDENTIFIER

BASE = 1 << 20
"""Bytes of the volume itself; records and copied blocks lie behind it."""


def _head(kind: int, relative: int, at: int, following: int, size: int = 0) -> bytes:
    fields = struct.pack("<IIQQQQ", 1, kind, relative, at, following, size)
    return (IDENTIFIER + fields).ljust(128, b"\0")


class Volume:
    """A volume to which one adds shadow copies, the oldest first."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.size = len(data)
        self.stores: list[tuple[int, list[tuple[int, ...]], bytes, bytes | None]] = []

    def append(self, block: bytes) -> int:
        at = len(self.data)
        self.data += block.ljust(BLOCK, b"\0")
        return at

    def store(
        self, created: int, blocks: list[tuple[int, ...]], bitmap: bytes = b"",
        previous: bytes | None = None,
    ) -> None:  # fmt: skip
        """``blocks``: (original, relative, place, flags, bits)."""
        self.stores.append((created, blocks, bitmap, previous))

    def _records(self, kind: int, body: bytes) -> int:
        """Record blocks in a row; where the first lies."""
        room = BLOCK - 128
        parts = [body[at : at + room] for at in range(0, len(body), room)] or [b""]
        first = len(self.data)
        for number, part in enumerate(parts):
            at = first + number * BLOCK
            following = at + BLOCK if number + 1 < len(parts) else 0
            self.append(_head(kind, number * BLOCK, at, following) + part)
        return first

    def made(self) -> bytes:
        entries = b""
        total = self.size + (64 << 20)
        for number, (created, blocks, bitmap, previous) in enumerate(self.stores):
            id = struct.pack("<IIII", number + 1, 7, 7, 7)
            at = len(self.data)
            info = bytes(48) + struct.pack("<IIII", 0xD, 0, 0x420009, 0) + bytes(8)
            self.append(_head(4, 0, at, 0, len(info)) + info)
            lists = self._records(3, b"".join(struct.pack("<QQQII", *one) for one in blocks))
            ranges = self._records(5, struct.pack("<QQQ", at, 0, BLOCK))
            maps = self._records(6, bitmap.ljust(-(-total // BLOCK // 8), b"\0"))
            before = 0 if previous is None else self._records(6, previous.ljust(600, b"\0"))
            entries += struct.pack("<QQ16sQQQ", 2, 0, id, number + 1, 0x40, created).ljust(
                128, b"\0"
            )
            entries += struct.pack(
                "<QQ16sQQQQQQ", 3, lists, id, at, ranges, maps, 0x30, BLOCK, before
            ).ljust(128, b"\0")
        catalog = self._records(2, entries)
        header = IDENTIFIER + struct.pack("<IIQQQQQ", 1, 1, 0x1E00, 0x1E00, 0, catalog, 0)
        self.data[0x1E00 : 0x1E00 + 512] = header.ljust(512, b"\0")
        self.append(b"")
        if self.data[3:11] != b"NTFS    ":
            boot = b"\xebR\x90NTFS    " + struct.pack("<HB", 512, 8)
            sectors = struct.pack("<QQQ", len(self.data) // 512 - 1, 64, 128)
            boot = (boot.ljust(40, b"\0") + sectors + b"\xf6\0\0\0\1").ljust(510, b"\0")
            self.data[:512] = self.data[-512:] = boot + b"\x55\xaa"
        # The size of the volume, which stands in the catalog, is known only now.
        size = len(self.data)
        for number in range(len(self.stores)):
            at = catalog + 128 + 256 * number + 8
            self.data[at : at + 8] = struct.pack("<Q", size)
        return bytes(self.data)


def drawn(seed: int, copies: int, flags: tuple[int, ...]) -> bytes:
    """A volume of random blocks with shadow copies over some of them."""
    rng = Random(seed)
    volume = Volume(rng.randbytes(BASE))
    places = list(range(BLOCK, BASE, BLOCK))
    for number in range(copies):
        blocks = []
        for original in rng.choices(places, k=rng.randrange(24)):
            kind = rng.choice(flags)
            bits = rng.randrange(1 << 32) if kind & 2 else 0
            if kind & 1:
                target = rng.choice([at for at in places if at != original])
                blocks.append((original, target, 0, kind, bits))
            else:
                blocks.append((original, 1 << 30, volume.append(rng.randbytes(BLOCK)), kind, bits))
        bitmap = rng.randbytes(BASE // BLOCK // 8)
        previous = rng.randbytes(8) if rng.random() < 0.4 else None
        volume.store(132_000_000_000_000_000 + number * 10**10, blocks, bitmap, previous)
    return volume.made()

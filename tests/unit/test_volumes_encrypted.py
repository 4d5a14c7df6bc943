"""Encrypted volumes are told by their headers, and by nothing else."""

from __future__ import annotations

import random
import struct

import pytest

from hakushi.media import Memory
from hakushi.model import Artifact, Role
from hakushi.recover import Budget, Family, walk

SIZE = 1 << 20


def volume(parts: dict[int, bytes]) -> bytes:
    data = bytearray(random.Random(1).randbytes(SIZE))
    for at, value in parts.items():
        data[at : at + len(value)] = value
    return bytes(data)


LUKS1 = b"LUKS\xba\xbe" + struct.pack(">H", 1)
LUKS2 = b"LUKS\xba\xbe" + struct.pack(">H", 2)
CORE_STORAGE = b"CS" + struct.pack("<IHI", 1, 0, 4096)
KNOWN = {
    "luks1": ("luks", {0: LUKS1 + b"aes\0"}),
    "luks2": ("luks", {0: LUKS2}),
    "luks2, first header gone": ("luks", {0: bytes(4096), 0x4000: b"SKUL\xba\xbe\0\x02"}),
    "bitlocker": ("bitlocker", {0: b"\xeb\x58\x90-FVE-FS-"}),
    "bitlocker to go": (
        "bitlocker",
        {0: b"\xeb\x58\x90MSWIN4.1", 424: bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")},
    ),
    "filevault": ("filevault", {88: CORE_STORAGE}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_header_is_known(name: str) -> None:
    kind, parts = KNOWN[name]
    families = (Family.VOLUMES, Family.FILESYSTEM, Family.ENCRYPTED)
    (found,) = walk(Memory(volume(parts)), Budget.of(), *families)
    assert isinstance(found, Artifact)
    assert (found.role, found.kind, found.size) == (Role.ENCRYPTED, kind, SIZE)


NOT = {
    "random": {},
    "a word of it": {0: b"LUKS manual", 200: b"-FVE-FS-"},
    "unknown version": {0: b"LUKS\xba\xbe" + struct.pack(">H", 9)},
    "letters": {88: b"CSV, CSS"},
}


@pytest.mark.parametrize("name", NOT)
def test_nothing_else_is(name: str) -> None:
    assert list(walk(Memory(volume(NOT[name])), Budget.of(), Family.ENCRYPTED)) == []

"""What a formatter writes into an NTFS volume's own files, so that nothing else passes for it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hakushi.model import Malformed
from hakushi.recover.filesystem.ntfs_records import fixed

_DESCRIPTOR, _INDEX = 0x50, 0xA0
_COPIES = 1 << 18
"""$SDS holds its entries again every so many bytes."""


def as_formatted(inum: int, type: int, name: str, data: bytes) -> bool:
    """Whether a stream of record ``inum`` holds what a formatter writes there, and nothing more."""
    if inum == 4 and type == 0x80:
        return _definitions(data)
    if inum == 10 and not name:
        return _upcase(data)
    if name == "$SDS":
        return _descriptors(data)
    if type == _DESCRIPTOR:
        return _descriptor(data)
    if name == "$I30" and type == _INDEX:
        return _index(data, 4096)
    return not any(data)


def _definitions(data: bytes) -> bool:
    """$AttrDef: entries of 160 bytes with the attributes' names and limits, then zeros."""
    for at in range(0, len(data) - len(data) % 160, 160):
        entry = data[at : at + 160]
        if not any(entry):
            return not any(data[at:])
        name, _, rest = entry[:128].decode("utf-16-le", "replace").partition("\0")
        kind, rule, collation, _flags, least, _most = struct.unpack_from("<IIIIqq", entry, 128)
        sound = name.startswith("$") and name.replace("_", "").isascii() and not rest.strip("\0")
        if not sound or kind > 0x100 or rule or collation > 0x20 or least > 1 << 16:
            return False
    return not any(data[len(data) - len(data) % 160 :])


def _upcase(data: bytes) -> bool:
    """$UpCase: 65,536 letters, each itself or its own capital."""
    if len(data) != 1 << 17:
        return False
    letters = struct.unpack("<65536H", data)
    return all(
        upper == lower or chr(upper).lower() == chr(lower) or chr(lower).upper() == chr(upper)
        for lower, upper in enumerate(letters)
    )


def _descriptors(data: bytes) -> bool:
    """$Secure:$SDS: entries (20 bytes, then a descriptor), and a copy of them."""
    at, end = 0, len(data)
    while at + 20 <= end:
        length = int.from_bytes(data[at + 16 : at + 20], "little")
        if not length:
            following = min((at // _COPIES + 1) * _COPIES, end)
            if any(data[at:following]):
                return False
            at = following
            continue
        if length < 20 or at + length > end or not _descriptor(data[at + 20 : at + length]):
            return False
        padded = min(-(-length // 16) * 16, end - at)
        if any(data[at + length : at + padded]):
            return False
        at += padded
    return not any(data[at:])


def _descriptor(data: bytes) -> bool:
    """A security descriptor of well-known accounts alone, every byte of it accounted for.

    S-1-5-21-… names the users of one machine or firm: a trace of somebody.
    """
    used = bytearray(len(data))
    try:
        revision, _, _control, *offsets = struct.unpack_from("<BBHIIII", data)
        used[:20] = b"\1" * 20
        for offset, parts in zip(offsets, (_account, _account, _list, _list), strict=True):
            for start, length in parts(data, offset) if offset else ():
                used[start : start + length] = b"\1" * length
    except (struct.error, Malformed):
        return False
    left = bytes(b for b, known in zip(data, used, strict=True) if not known)
    return revision == 1 and len(used) == len(data) and not any(left)


def _account(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """The extent of a security identifier. Raises Malformed for an unknown or personal one."""
    revision, count = struct.unpack_from("<BB", data, at)
    authority = int.from_bytes(data[at + 2 : at + 8], "big")
    length = 8 + 4 * count
    if revision != 1 or count > 15 or authority > 16 or at + length > len(data):
        raise Malformed("no security identifier")
    if authority == 5 and count and int.from_bytes(data[at + 8 : at + 12], "little") == 21:
        raise Malformed("an account of one machine")
    if any(
        int.from_bytes(data[at + 8 + 4 * i : at + 12 + 4 * i], "little") > 9999
        for i in range(count)
    ):
        raise Malformed("no well-known account")
    yield at, length


def _list(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """The extents of an access control list's entries."""
    revision, _, size, count = struct.unpack_from("<BBHH", data, at)
    if revision not in (2, 4) or at + size > len(data):
        raise Malformed("no access control list")
    yield at, 8
    start = at + 8
    for _ in range(count):
        kind, _flags, length, _mask = struct.unpack_from("<BBHI", data, start)
        if kind > 20 or length < 16 or start + length > at + size:
            raise Malformed("no access control entry")
        yield start, 8
        yield from _account(data, start + 8)
        start += length


def _index(data: bytes, size: int) -> bool:
    """Index blocks of entries that follow each other, and nothing behind the last."""
    for at in range(0, len(data), size):
        block = data[at : at + size]
        if not any(block):
            continue
        try:
            block = fixed(block)
        except Malformed:
            return False
        first, used = struct.unpack_from("<II", block, 24)
        entry, end = 24 + first, 24 + used
        while entry + 16 <= min(end, len(block)):
            _, length, key, flags = struct.unpack_from("<QHHI", block, entry)
            if length < 16 + key or length % 8:
                return False
            entry += length
            if flags & 2:
                break
        if entry != end or any(block[end:]):
            return False
    return True

"""The words of TCG Storage: tokens, packets, the identifiers of Opal. Pure (Core 2.01, Opal 2.01).

Host and drive speak the same: `encode` and `decode` undo each other, and so do `packed` and
`unpacked`. What a drive sends is bounded by what really came.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from hakushi.model import Malformed

BLOCK = 512
MOST = 2048
"""Bytes of one exchange: every drive takes as much (Core §3.3.5, MaxComPacketSize ≥ 1024)."""
_DEEPEST = 16

_COM, _PACKET, _SUB = struct.Struct(">IHHIII"), struct.Struct(">IIIHHII"), struct.Struct(">6sHI")
_HEADERS = _COM.size + _PACKET.size + _SUB.size


class Control(IntEnum):
    """Tokens without a value (Core §3.2.2.3)."""

    LIST = 0xF0
    LIST_END = 0xF1
    NAME = 0xF2
    NAME_END = 0xF3
    CALL = 0xF8
    END = 0xF9
    END_SESSION = 0xFA
    EMPTY = 0xFF


Value = int | bytes | list["Value"] | tuple["Value", "Value"] | Control
"""A tuple is a named value."""


def uid(text: str) -> bytes:
    """Eight bytes from hexadecimal digits."""
    return bytes.fromhex(text)


MANAGER = uid("00000000000000FF")
ADMIN_SP, LOCKING_SP = uid("0000020500000001"), uid("0000020500000002")
SID, PSID, ADMIN1 = uid("0000000900000006"), uid("000000090001FF01"), uid("0000000900010001")
PIN_MSID = uid("0000000B00008402")

START_SESSION, SYNC_SESSION = uid("000000000000FF02"), uid("000000000000FF03")
GET, GEN_KEY = uid("0000000600000016"), uid("0000000600000010")
REVERT, ACTIVATE = uid("0000000600000202"), uid("0000000600000203")

PIN, ACTIVE_KEY = 3, 10
"""Columns of the C_PIN and Locking tables."""

STATUS = {
    0x01: "not authorized",
    0x03: "the security provider is busy",
    0x04: "the security provider failed",
    0x05: "the security provider is disabled",
    0x06: "the security provider is frozen",
    0x07: "no session is free",
    0x0C: "invalid parameter",
    0x0F: "malfunction",
    0x10: "the transaction failed",
    0x11: "the answer is too long",
    0x12: "the authority is locked out",
    0x3F: "failed",
}


def locking_range(number: int) -> bytes:
    """The row of a range in the Locking table; 0 is the global one (Opal §4.3.5.2)."""
    return uid(f"000008020003{number:04X}") if number else uid("0000080200000001")


def encode(value: Value) -> bytes:
    """One value as tokens, the shortest form of each (Core §3.2.2.3.1)."""
    match value:
        case Control():
            return bytes([value])
        case list():
            inside = b"".join(encode(one) for one in value)
            return bytes([Control.LIST]) + inside + bytes([Control.LIST_END])
        case tuple():
            inside = b"".join(encode(one) for one in value)
            return bytes([Control.NAME]) + inside + bytes([Control.NAME_END])
        case bytes():
            return _atom(value, 0x20)
    if value < 64:
        return bytes([value])
    return _atom(value.to_bytes((value.bit_length() + 7) // 8, "big"), 0)


def _atom(data: bytes, kind: int) -> bytes:
    if len(data) < 16:
        return bytes([0x80 | kind | len(data)]) + data
    if len(data) < 2048:
        return bytes([0xC0 | kind >> 1 | len(data) >> 8, len(data) & 0xFF]) + data
    return bytes([0xE0 | kind >> 4]) + len(data).to_bytes(3, "big") + data


def decode(data: bytes) -> list[Value]:
    """The values at the top level, control tokens among them. Raises `Malformed`."""
    out, at = _values(data, 0, None, 0)
    if at != len(data):
        raise Malformed("tokens end early")
    return out


def _values(data: bytes, at: int, end: Control | None, depth: int) -> tuple[list[Value], int]:
    if depth > _DEEPEST:
        raise Malformed("tokens nest too deep")
    out: list[Value] = []
    while at < len(data):
        first = data[at]
        if first == end:
            return out, at + 1
        at += 1
        if first == Control.LIST:
            inside, at = _values(data, at, Control.LIST_END, depth + 1)
            out.append(inside)
        elif first == Control.NAME:
            inside, at = _values(data, at, Control.NAME_END, depth + 1)
            if len(inside) != 2:
                raise Malformed("a named value is not a pair")
            out.append((inside[0], inside[1]))
        elif first < 0x40:
            out.append(first)
        elif first < 0xE4:
            one, at = _read_atom(data, at - 1)
            out.append(one)
        elif first in set(Control) - {Control.LIST_END, Control.NAME_END, Control.EMPTY}:
            out.append(Control(first))
        elif first != Control.EMPTY:
            raise Malformed(f"no token {first:02x}")
    if end is not None:
        raise Malformed("a list has no end")
    return out, at


def _read_atom(data: bytes, at: int) -> tuple[int | bytes, int]:
    first = data[at]
    if first < 0x80:
        return first & 0x3F, at + 1
    if first < 0xC0:
        text, head, size = first & 0x20, 1, first & 0x0F
    elif first < 0xE0:
        text, head = first & 0x10, 2
        size = (first & 7) << 8 | int.from_bytes(data[at + 1 : at + 2], "big")
    else:
        text, head, size = first & 0x02, 4, int.from_bytes(data[at + 1 : at + 4], "big")
    start = at + head
    if start + size > len(data):
        raise Malformed("a token is longer than its packet")
    raw = data[start : start + size]
    return (raw if text else int.from_bytes(raw, "big")), start + size


def packed(comid: int, session: tuple[int, int], payload: bytes) -> bytes:
    """A ComPacket with one packet with one subpacket, in whole blocks (Core §3.2.3).

    ``session``: the drive's number and the host's; zeros outside of one.
    """
    inside = payload + bytes(-len(payload) % 4)
    sub = _SUB.pack(b"", 0, len(payload)) + inside
    packet = _PACKET.pack(*session, 0, 0, 0, 0, len(sub)) + sub
    whole = _COM.pack(0, comid, 0, 0, 0, len(packet)) + packet
    return whole + bytes(-len(whole) % BLOCK)


def unpacked(data: bytes) -> tuple[int, tuple[int, int], bytes]:
    """(comid, session, payload); an empty payload: nothing is there yet. Raises `Malformed`."""
    if len(data) < _COM.size:
        raise Malformed(f"a packet of {len(data)} bytes")
    _, comid, _, _, _, length = _COM.unpack_from(data)
    if not length:
        return comid, (0, 0), b""
    if length < _PACKET.size + _SUB.size or _COM.size + length > len(data):
        raise Malformed("a packet is shorter than it says")
    tsn, hsn, *_ = _PACKET.unpack_from(data, _COM.size)
    _, kind, size = _SUB.unpack_from(data, _COM.size + _PACKET.size)
    if kind or _HEADERS + size > _COM.size + length:
        raise Malformed("a subpacket is longer than its packet")
    return comid, (tsn, hsn), data[_HEADERS : _HEADERS + size]


def call(invoking: bytes, method: bytes, *given: Value) -> bytes:
    """A method's call, as a payload."""
    parts: list[Value] = [Control.CALL, invoking, method, list(given), Control.END, [0, 0, 0]]
    return b"".join(encode(one) for one in parts)

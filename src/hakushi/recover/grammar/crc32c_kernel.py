"""The inner loop of `crc32c`, compiled by numba once and kept beside this file."""

from typing import Any

import numba
import numpy as np


def tables() -> Any:
    """Eight tables of the Castagnoli polynomial, for eight bytes at a time."""
    out = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        out[0, byte] = value
    for step in range(1, 8):
        before = out[step - 1]
        out[step] = out[0, before & 0xFF] ^ before >> np.uint32(8)
    return out


@numba.njit(cache=True, nogil=True)
def update(data: Any, table: Any, start: int) -> int:
    """The register after ``data``, from ``start`` on."""
    crc = np.uint64(start)
    low = np.uint64(0xFF)
    size = len(data) // 8 * 8
    at = 0
    while at < size:
        head = crc ^ (
            np.uint64(data[at])
            | np.uint64(data[at + 1]) << np.uint64(8)
            | np.uint64(data[at + 2]) << np.uint64(16)
            | np.uint64(data[at + 3]) << np.uint64(24)
        )
        crc = np.uint64(
            table[7, head & low]
            ^ table[6, head >> np.uint64(8) & low]
            ^ table[5, head >> np.uint64(16) & low]
            ^ table[4, head >> np.uint64(24) & low]
            ^ table[3, data[at + 4]]
            ^ table[2, data[at + 5]]
            ^ table[1, data[at + 6]]
            ^ table[0, data[at + 7]]
        )
        at += 8
    while at < len(data):
        crc = np.uint64(table[0, (crc ^ np.uint64(data[at])) & low]) ^ crc >> np.uint64(8)
        at += 1
    return int(crc)

"""CRC-32C (Castagnoli; RFC 3720, B.4), as btrfs puts it over its nodes and over each sector."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@cache
def _tables() -> npt.NDArray[np.uint32]:
    from hakushi.recover.grammar import crc32c_kernel

    tables: npt.NDArray[np.uint32] = crc32c_kernel.tables()
    return tables


def crc32c(data: bytes) -> int:
    """The checksum of some bytes."""
    import numpy as np

    from hakushi.recover.grammar import crc32c_kernel

    view = np.frombuffer(data, np.uint8)
    return crc32c_kernel.update(view, _tables(), 0xFFFFFFFF) ^ 0xFFFFFFFF

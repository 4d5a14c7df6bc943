"""NVMe: who a controller is, and the commands that erase it. Pure (NVMe Base 1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hakushi.media.commands import Nvme, exactly
from hakushi.media.linux import printable

CONTROLLER = Nvme(0x06, cdw10=1, wants=4096)
ALL = 0xFFFFFFFF
_SANITIZE_LOG = 0x81


class Sanitize(IntEnum):
    """Sanitize actions (NVMe Base 1.4 §5.24)."""

    BLOCK = 2
    OVERWRITE = 3
    CRYPTO = 4


class Erase(IntEnum):
    """Format NVM's secure erase settings (§5.23)."""

    USER = 1
    CRYPTO = 2


@dataclass(frozen=True, slots=True)
class Identity:
    """Identify Controller data, as far as we ask it (§5.15.2.2)."""

    serial: str
    model: str
    firmware: str
    sanitize: frozenset[Sanitize]
    format: bool
    crypto_format: bool
    capacity: int
    """TNVMCAP: bytes of all namespaces and of none; 0 where it is not said."""


def identity_of(data: bytes) -> Identity:
    """Raises `Malformed` where the answer is short."""
    told = exactly(data, 4096, "Identify Controller")
    abilities = int.from_bytes(told[328:332], "little")
    bits = {Sanitize.CRYPTO: 1, Sanitize.BLOCK: 2, Sanitize.OVERWRITE: 4}
    return Identity(
        printable(told[4:24]),
        printable(told[24:64]),
        printable(told[64:72]),
        frozenset(one for one, bit in bits.items() if abilities & bit),
        format=bool(told[256] & 2),
        crypto_format=bool(told[524] & 4),
        capacity=int.from_bytes(told[280:296], "little"),
    )


def namespace(number: int) -> Nvme:
    return Nvme(0x06, nsid=number, cdw10=0, wants=4096)


def namespace_of(data: bytes) -> tuple[int, int]:
    """(bytes, logical sector) of Identify Namespace data."""
    told = exactly(data, 4096, "Identify Namespace")
    shift = told[128 + 4 * (told[26] & 15) + 2]
    if not 9 <= shift <= 16:
        shift = 9
    return int.from_bytes(told[:8], "little") << shift, 1 << shift


def block_of(data: bytes) -> int:
    """The index of the LBA format in use (FLBAS), out of Identify Namespace data."""
    return exactly(data, 4096, "Identify Namespace")[26] & 15


def sanitize(what: Sanitize) -> Nvme:
    """Starts it; unrestricted exit (AUSE) is off, so that a failure shows. One overwrite pass."""
    passes = 1 << 4 if what is Sanitize.OVERWRITE else 0
    return Nvme(0x84, cdw10=what | passes)


def format(erase: Erase, block: int, number: int = ALL) -> Nvme:
    """Format NVM with a secure erase, to the LBA format of that index; answers when it is done."""
    return Nvme(0x80, nsid=number, cdw10=erase << 9 | block)


SANITIZE_LOG = Nvme(0x02, nsid=ALL, cdw10=_SANITIZE_LOG | 127 << 16, wants=512)


@dataclass(frozen=True, slots=True)
class State:
    """The sanitize log page (§5.14.1.16.2)."""

    done: bool
    running: bool
    failed: bool
    progress: float


def state_of(data: bytes) -> State:
    told = exactly(data, 4, "sanitize log")
    state = told[2] & 7
    return State(
        done=state in {1, 4},
        running=state == 2,
        failed=state == 3,
        progress=int.from_bytes(told[:2], "little") / 65536,
    )

"""The security half of a virtual self-encrypting drive: an Opal 2 TPer over its firmware's memory.

As on real drives, a revert changes the media's key only where the Locking SP was active, and a
PSID is taken whoever owns the drive (Opal 2.01 §5.1; PSID feature set 1.00).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hakushi.media import tcg
from hakushi.media.tcg import Control, Value
from hakushi.model import Malformed

COMID = 0x07FE
_RANGES = 9
_OK, _NOT_AUTHORIZED, _INVALID = 0, 1, 0x0C
_OWNER = "someone else's"


@dataclass(slots=True)
class Memory:
    """What it remembers. ``session``: (its number, the host's), the provider, who speaks."""

    pin: str = ""
    """The owner's password; empty: the maker's."""
    active: bool = False
    locked: bool = False
    session: tuple[int, int] = (0, 0)
    provider: str = ""
    authority: str = ""
    answer: str = ""


def owned() -> Memory:
    """Of a drive that somebody locked and never unlocked again."""
    return Memory(pin=_OWNER, active=True, locked=True)


def msid(serial: str) -> bytes:
    """The maker's password, which the drive tells everyone."""
    return f"MSID-{serial}".encode()


def psid(serial: str) -> str:
    """The password on the label, 32 characters."""
    return hashlib.sha256(f"PSID {serial}".encode()).hexdigest()[:32].upper()


class Tper:
    """One drive's security half; ``erase`` is what a changed key does to its surface."""

    def __init__(
        self,
        memory: Memory,
        serial: str,
        faults: Mapping[str, int | None],
        erase: Callable[[], None],
    ) -> None:
        self.memory, self._serial, self._faults, self._erase = memory, serial, faults, erase

    def discovery(self) -> bytes:
        """Level 0: locking, Opal 2 with its ComID, and who may still authenticate."""
        one, blocked = self.memory, "frozen" in self._faults
        flags = 1 | one.active << 1 | one.locked << 2 | 1 << 3
        features = bytes([0x00, 0x02, 0x10, 12, flags, *bytes(11)])
        features += bytes([0x02, 0x03, 0x10, 16]) + COMID.to_bytes(2, "big") + bytes([0, 1])
        features += bytes(12)
        features += bytes([0x04, 0x02, 0x10, 12, bool(one.pin) | blocked << 1, *bytes(11)])
        head = (44 + len(features)).to_bytes(4, "big") + bytes([0, 0, 0, 1])
        return head.ljust(48, b"\0") + features

    def send(self, data: bytes) -> None:
        """Takes a packet and keeps the answer until it is fetched."""
        try:
            comid, session, payload = tcg.unpacked(data)
            said = tcg.decode(payload)
        except Malformed:
            return
        if comid != COMID:
            return
        if said == [Control.END_SESSION]:
            self._close()
            answer = bytes([Control.END_SESSION])
        else:
            answer = self._answer(said, session)
        # A session that this ended still answers under its own number.
        self.memory.answer = tcg.packed(COMID, session, answer).hex()

    def receive(self) -> bytes:
        """The answer, once; before there is one, an empty packet."""
        told, self.memory.answer = self.memory.answer, ""
        return bytes.fromhex(told) or tcg.packed(COMID, (0, 0), b"")[:20].ljust(tcg.BLOCK, b"\0")

    def _answer(self, said: list[Value], session: tuple[int, int]) -> bytes:
        match said:
            case [Control.CALL, bytes() as on, bytes() as method, list() as given, *_]:
                pass
            case _:
                return _status(_INVALID)
        if on == tcg.MANAGER and method == tcg.START_SESSION:
            return self._started(given)
        if session != tuple(self.memory.session) or session == (0, 0):
            return _status(_NOT_AUTHORIZED)
        return self._called(on, method)

    def _started(self, given: list[Value]) -> bytes:
        match given:
            case [int() as host, bytes() as provider, *_]:
                pass
            case _:
                return _status(_INVALID)
        named = {one[0]: one[1] for one in given if isinstance(one, tuple) and one[0] in (0, 3)}
        who, pin = (value if isinstance(value := named.get(n), bytes) else b"" for n in (3, 0))
        if not self._may(provider, who, pin):
            return _sync(0, 0, _NOT_AUTHORIZED)
        self.memory.session = (4097, host)
        self.memory.provider, self.memory.authority = provider.hex(), who.hex()
        return _sync(host, 4097, _OK)

    def _may(self, provider: bytes, who: bytes, pin: bytes) -> bool:
        if provider == tcg.LOCKING_SP and not self.memory.active:
            return False
        owner = self.memory.pin.encode() or msid(self._serial)
        if not who:
            return True
        if "frozen" in self._faults:
            return False
        if who == tcg.PSID:
            return provider == tcg.ADMIN_SP and pin == psid(self._serial).encode()
        at = tcg.ADMIN_SP if who == tcg.SID else tcg.LOCKING_SP
        return who in {tcg.SID, tcg.ADMIN1} and provider == at and pin == owner

    def _called(self, on: bytes, method: bytes) -> bytes:
        one, who = self.memory, bytes.fromhex(self.memory.authority)
        lies = bool({"drops-writes", "says-success"} & set(self._faults))
        if (on, method) == (tcg.PIN_MSID, tcg.GET):
            return _status(_OK, [(tcg.PIN, msid(self._serial))])
        if method == tcg.GET and who == tcg.ADMIN1:
            return self._key(on)
        if (on, method, who) == (tcg.LOCKING_SP, tcg.ACTIVATE, tcg.SID):
            one.active = True
            return _status(_OK)
        if method == tcg.GEN_KEY and who == tcg.ADMIN1:
            self._erase()
            return _status(_OK)
        if (on, method) == (tcg.ADMIN_SP, tcg.REVERT) and who in {tcg.SID, tcg.PSID}:
            self._close()
            if not lies:
                if one.active:
                    self._erase()
                one.pin, one.active, one.locked = "", False, False
            return _status(_OK)
        return _status(_NOT_AUTHORIZED)

    def _key(self, on: bytes) -> bytes:
        for number in range(_RANGES):
            if on == tcg.locking_range(number):
                key = tcg.uid(f"000008060003{number:04X}" if number else "0000080600000001")
                return _status(_OK, [(tcg.ACTIVE_KEY, key)])
        return _status(_INVALID)

    def _close(self) -> None:
        self.memory.session, self.memory.provider, self.memory.authority = (0, 0), "", ""


def _status(code: int, *result: Value) -> bytes:
    parts: list[Value] = [list(result), Control.END, [code, 0, 0]]
    return b"".join(tcg.encode(one) for one in parts)


def _sync(host: int, drive: int, code: int) -> bytes:
    ids: list[Value] = [host, drive]
    status: list[Value] = [code, 0, 0]
    parts: list[Value] = [Control.CALL, tcg.MANAGER, tcg.SYNC_SESSION, ids, Control.END, status]
    return b"".join(tcg.encode(one) for one in parts)

"""Erasing through TCG Opal: a drive that encrypts everything forgets its key.

A revert changes the key only where the Locking SP was active (Opal 2.01 §5.1.3), so it is made
active first. A PSID opens a drive that somebody else locked; only then can blocks be planted in it,
so the revert that counts comes afterwards.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from hakushi.media import opal, tcg
from hakushi.media.commands import Recorded
from hakushi.media.opal import Channel
from hakushi.media.tcg import Control, Value
from hakushi.model import Malformed
from hakushi.sanitize.techniques._command import Command

_PATIENCE = 600
"""Questions for an answer: a revert may take a minute."""
_WAIT = 0.1
_RANGES = 33


class _Declined(Exception):
    """The drive said no, in its own words."""


class _Session:
    """One session with a security provider, by a password or as anybody."""

    def __init__(
        self, channel: Channel, comid: int, provider: bytes, who: bytes, pin: bytes
    ) -> None:
        self._channel, self._comid = channel, comid
        self._ids = (0, 0)
        host = secrets.randbelow(1 << 16) + 1
        named: list[Value] = [(0, pin), (3, who)] if who else []
        said = self._exchange(tcg.call(tcg.MANAGER, tcg.START_SESSION, host, provider, 1, *named))
        match said:
            case [Control.CALL, tcg.MANAGER, tcg.SYNC_SESSION, [int(), int() as number, *_], *_]:
                _succeeded(said)
                self._ids = (number, host)
            case _:
                _succeeded(said)
                raise Malformed("no session was given")

    def call(self, on: bytes, method: bytes, *given: Value) -> list[Value]:
        """What the method gave. Raises `_Declined`."""
        said = self._exchange(tcg.call(on, method, *given))
        _succeeded(said)
        return said[0] if said and isinstance(said[0], list) else []

    def column(self, on: bytes, number: int) -> bytes:
        """One cell of a table's row that is bytes."""
        for row in self.call(on, tcg.GET, [(3, number), (4, number)]):
            for cell in row if isinstance(row, list) else []:
                if isinstance(cell, tuple) and cell[0] == number and isinstance(cell[1], bytes):
                    return cell[1]
        raise _Declined("it does not tell what it was asked for")

    def end(self) -> None:
        self._exchange(bytes([Control.END_SESSION]))

    def _exchange(self, payload: bytes) -> list[Value]:
        self._channel.send(self._comid, tcg.packed(self._comid, self._ids, payload))
        for _ in range(_PATIENCE):
            _, ids, answer = tcg.unpacked(self._channel.receive(self._comid))
            if answer:
                if self._ids not in {(0, 0), ids}:
                    raise Malformed("an answer of another session")
                return tcg.decode(answer)
            self._channel.transport.pause(_WAIT)
        raise _Declined("it does not answer")


def _succeeded(said: list[Value]) -> None:
    """Raises `_Declined` unless the status list says success."""
    match said:
        case [Control.END_SESSION]:
            return
        case [*_, Control.END, [0, *_]]:
            return
        case [*_, Control.END, [int() as code, *_]]:
            raise _Declined(tcg.STATUS.get(code, f"status {code:02x}"))
    raise Malformed("an answer without a status")


def revert(id: str, bus: str, psid: str = "") -> Command:
    """Gives the drive back as it came from its maker; a PSID opens it first, whoever owns it."""

    def start(transport: Recorded) -> str:
        return _said(lambda: _reverted(Channel(transport, bus)))

    def open_first(transport: Recorded) -> str:
        channel = Channel(transport, bus)
        return _said(lambda: _by_psid(channel, psid))

    return Command(id, start, None, constant=False, before=open_first if psid else None)


def gen_key(id: str, bus: str) -> Command:
    """New keys for every range, then the maker's state again."""

    def start(transport: Recorded) -> str:
        channel = Channel(transport, bus)
        return _said(lambda: _new_keys(channel))

    return Command(id, start, None, constant=False)


def _said(work: Callable[[], None]) -> str:
    """What the drive said against it, or nothing."""
    try:
        work()
    except (_Declined, Malformed) as error:
        return str(error)
    return ""


def _by_psid(channel: Channel, psid: str) -> None:
    comid = _comid(channel)
    session = _Session(channel, comid, tcg.ADMIN_SP, tcg.PSID, psid.encode("ascii", "replace"))
    session.call(tcg.ADMIN_SP, tcg.REVERT)


def _reverted(channel: Channel) -> None:
    _activated(channel).call(tcg.ADMIN_SP, tcg.REVERT)


def _activated(channel: Channel) -> _Session:
    """A session as the owner, by the maker's password, with the Locking SP active."""
    comid = _comid(channel)
    session = _Session(channel, comid, tcg.ADMIN_SP, tcg.SID, _msid(channel, comid))
    if not dict(opal.discovered(channel.receive())).get("locking_enabled"):
        session.call(tcg.LOCKING_SP, tcg.ACTIVATE)
    return session


def _new_keys(channel: Channel) -> None:
    _activated(channel).end()
    comid = _comid(channel)
    session = _Session(channel, comid, tcg.LOCKING_SP, tcg.ADMIN1, _msid(channel, comid))
    for number in range(_RANGES):
        try:
            key = session.column(tcg.locking_range(number), tcg.ACTIVE_KEY)
        except _Declined:
            if not number:
                raise
            break  # there are no more ranges
        session.call(key, tcg.GEN_KEY)
    session.end()
    _reverted(channel)


def _msid(channel: Channel, comid: int) -> bytes:
    anybody = _Session(channel, comid, tcg.ADMIN_SP, b"", b"")
    try:
        return anybody.column(tcg.PIN_MSID, tcg.PIN)
    finally:
        anybody.end()


def _comid(channel: Channel) -> int:
    comid = dict(opal.discovered(channel.receive())).get("comid")
    if not isinstance(comid, int):
        raise _Declined("it speaks no Opal")
    return comid

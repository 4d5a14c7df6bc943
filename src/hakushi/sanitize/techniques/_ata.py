"""ATA's erasing commands as `Command`s."""

from __future__ import annotations

from hakushi.media import ata
from hakushi.media.commands import Recorded
from hakushi.sanitize.techniques._command import Command, State


def sanitize(id: str, what: ata.Sanitize) -> Command:
    """One of SANITIZE DEVICE's operations."""

    def start(transport: Recorded) -> str:
        reply = transport.ata(ata.sanitize(what))
        return "" if reply.ok else reply.said

    def poll(transport: Recorded) -> State:
        reply = transport.ata(ata.sanitize(ata.Sanitize.STATUS))
        if not reply.ok:
            # The failed state answers every sanitize command but an overwrite with an error.
            return State(done=False, progress=0, failed=reply.said)
        told = ata.state_of(reply)
        if not told.running and not told.done:
            return State(done=False, progress=0, failed="neither running nor done")
        return State(told.done and not told.running, told.progress)

    return Command(id, start, poll, constant=what is not ata.Sanitize.CRYPTO)


def security(id: str, *, enhanced: bool) -> Command:
    """SECURITY ERASE UNIT under a password that everyone knows; it goes with the erasure.

    A crash between leaves a drive that `ata.PASSWORD` opens; the next run sets the same one again.
    """

    def start(transport: Recorded) -> str:
        clean_up(transport)  # a run that was killed may have left our password
        for command in (
            ata.set_password(),
            ata.erase_prepare(),
            ata.erase_unit(enhanced=enhanced),
        ):
            reply = transport.ata(command)
            if not reply.ok:
                clean_up(transport)
                return reply.said
        return ""

    def clean_up(transport: Recorded) -> None:
        """Takes our password away where it is still set; a drive that has none says no."""
        told = ata.identity_of(transport.ata(ata.IDENTIFY).data)
        if told.locked:
            transport.ata(ata.unlock())
        if told.enabled:
            transport.ata(ata.disable_password())

    return Command(id, start, None, constant=not enhanced, clean_up=clean_up)

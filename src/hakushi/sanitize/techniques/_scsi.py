"""SCSI's SANITIZE as `Command`s."""

from __future__ import annotations

from hakushi.media import scsi
from hakushi.media.commands import Recorded, progress_of, sense_of
from hakushi.sanitize.techniques._command import Command, State


def sanitize(id: str, what: scsi.Sanitize) -> Command:
    """One of SANITIZE's service actions; REQUEST SENSE says how far it is."""

    def start(transport: Recorded) -> str:
        reply = transport.scsi(scsi.sanitize(what))
        return "" if reply.ok else reply.said

    def poll(transport: Recorded) -> State:
        reply = transport.scsi(scsi.REQUEST_SENSE)
        if not reply.ok:
            return State(done=False, progress=0, failed=reply.said)
        key, code = sense_of(reply.data)
        if (key, code) == scsi.IN_PROGRESS:
            return State(done=False, progress=progress_of(reply.data) or 0.0)
        if key:
            return State(done=False, progress=0, failed=f"sense {key:x}/{code:04x}")
        ready = transport.scsi(scsi.TEST_UNIT_READY)
        return State(ready.ok, 1.0, "" if ready.ok else ready.said)

    constant = what is not scsi.Sanitize.CRYPTO
    return Command(id, start, poll, constant, remembers=False)

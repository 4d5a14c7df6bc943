"""NVMe's erasing commands as `Command`s."""

from __future__ import annotations

from hakushi.media import nvme
from hakushi.media.commands import Recorded
from hakushi.sanitize.techniques._command import Command, State


def sanitize(id: str, what: nvme.Sanitize) -> Command:
    """One of Sanitize's actions; its log page says how far it is."""

    def start(transport: Recorded) -> str:
        reply = transport.nvme(nvme.sanitize(what))
        return "" if reply.ok else reply.said

    def poll(transport: Recorded) -> State:
        reply = transport.nvme(nvme.SANITIZE_LOG)
        if not reply.ok:
            return State(done=False, progress=0, failed=reply.said)
        told = nvme.state_of(reply.data)
        if told.failed:
            return State(done=False, progress=told.progress, failed="sanitize log: failed")
        if not told.running and not told.done:
            return State(done=False, progress=0, failed="sanitize log: never started")
        return State(told.done, told.progress)

    return Command(id, start, poll, constant=what is not nvme.Sanitize.CRYPTO)


def formatted(id: str, erase: nvme.Erase) -> Command:
    """Format NVM over all namespaces, to the LBA format that the first has now."""

    def start(transport: Recorded) -> str:
        first = transport.nvme(nvme.namespace(1))
        block = nvme.block_of(first.data) if first.ok else 0
        reply = transport.nvme(nvme.format(erase, block))
        return "" if reply.ok else reply.said

    return Command(id, start, None, constant=erase is nvme.Erase.USER)

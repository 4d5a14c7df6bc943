"""An order against what became of its drives: whose turn it is, and what is amiss. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hakushi.custody import events as ev
from hakushi.custody.chain import Book, Chain
from hakushi.model import Message, message


class Standing(StrEnum):
    """Where a drive of an order stands, the gravest first."""

    MISSING = "missing"
    """Reported so, sighted elsewhere, or handed over and not scanned."""
    EXTRA = "extra"
    """Scanned together with the order's drives, and not on its manifest."""
    DISPUTED = "disputed"
    """A party contradicts the record, or a break is open."""
    OVERDUE = "overdue"
    OPEN = "open"
    MATCHED = "matched"
    """It came to a verified end."""


@dataclass(frozen=True, slots=True)
class Line:
    """One drive of an order: where it stands, and who owes what next."""

    serial: str
    standing: Standing
    state: str
    owes: str = ""
    """The party whose turn it is; empty where nothing is owed."""
    duty: Message | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """An order, drive by drive, sorted by serial."""

    order: str
    deadline: int
    lines: tuple[Line, ...]

    def count(self, which: Standing) -> int:
        return sum(line.standing is which for line in self.lines)

    @property
    def amiss(self) -> bool:
        """Whether anything but waiting is called for."""
        return any(one.standing not in {Standing.MATCHED, Standing.OPEN} for one in self.lines)


def reconcile(book: Book, order: str, now: int) -> Reconciled | None:
    """None where nobody gave such an order. ``now``: seconds since 1970."""
    manifest = {c.serial: c for c in book.chains.values() if c.order == order}
    if not manifest:
        return None
    lines = [_line(book, chain, now) for chain in manifest.values()]
    lines += [
        Line(serial, Standing.EXTRA, book.chains[serial].state, _owner(manifest),
             message("say whose drive it is, and add it to an order"))
        for serial in _scanned(manifest) - set(manifest)
    ]  # fmt: skip
    deadline = max(chain.deadline for chain in manifest.values())
    return Reconciled(order, deadline, tuple(sorted(lines, key=lambda one: one.serial)))


def _line(book: Book, chain: Chain, now: int) -> Line:
    rules = {one.rule for one in chain.open}
    owner = _owner({chain.serial: chain})
    lost = "count-mismatch" in rules and chain.state == "in_transit"
    if lost or chain.state in {"missing", "suspect"}:
        duty = message("find it, or report an incident")
        return Line(chain.serial, Standing.MISSING, chain.state, owner, duty)
    if rules or _disputed(chain):
        duty = message("explain the open breaks, or have the work done again")
        return Line(chain.serial, Standing.DISPUTED, chain.state, owner, duty)
    if chain.ended:
        return Line(chain.serial, Standing.MATCHED, chain.state)
    who, duty = _next(book, chain, owner)
    standing = Standing.OVERDUE if chain.overdue(now) else Standing.OPEN
    return Line(chain.serial, standing, chain.state, who, duty)


def _next(book: Book, chain: Chain, owner: str) -> tuple[str, Message]:
    """Whose turn it is, by the drive's state."""
    match chain.state:
        case "ordered" | "sealed" if (given := book.handover(chain.offer)) is not None:
            return given.receiver, message("accept the hand-over")
        case "ordered" | "sealed":
            return chain.holder or owner, message("hand it over, or erase it")
        case "in_transit":
            return chain.holder, message("scan what arrived")
        case "received":
            return chain.holder, message("erase or destroy it")
        case "sanitized":
            return owner, message("have somebody else accept the result")
        case _:
            return owner, message("release or destroy it")


def _owner(manifest: dict[str, Chain]) -> str:
    """Who gave the order."""
    for chain in manifest.values():
        for step in chain.steps:
            if isinstance(step.event, ev.Ordered) and step.signers:
                return step.signers[0].name
    return ""


def _disputed(chain: Chain) -> bool:
    disputes = {s.entry for s in chain.steps if isinstance(s.event, ev.Disputed)}
    answered = {entry for rule, entry in chain.explained if rule == "disputed"}
    return bool(disputes - answered)


def _scanned(manifest: dict[str, Chain]) -> set[str]:
    """Every serial that was scanned together with one of the order's."""
    lists = {
        id(step.event): step.event.drives
        for chain in manifest.values()
        for step in chain.steps
        if isinstance(step.event, ev.Received)
    }
    return {serial for drives in lists.values() for serial in drives}

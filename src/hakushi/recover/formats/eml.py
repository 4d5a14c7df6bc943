"""Mail (RFC 5322): its headers and words, its attachments."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Malformed, Source, State, Text
from hakushi.recover import Budget, Family, Format, Magic, Measure
from hakushi.recover.grammar import html, mail
from hakushi.recover.grammar.encoding import LEAST, first_control, settle
from hakushi.recover.grammar.stream import pieces, whole

_LARGEST = 128 << 20
_SAMPLE = 8192
_STARTS = (
    b"Return-Path:",
    b"Received:",
    b"Delivered-To:",
    b"From:",
    b"To:",
    b"Subject:",
    b"Date:",
    b"Message-ID:",
    b"Message-Id:",
    b"MIME-Version:",
    b"Mime-Version:",
    b"X-",
    b"Content-Type:",
    b"Reply-To:",
    b"Cc:",
    b"Sender:",
    b"DKIM-Signature:",
)


def probe(source: Source) -> bool:
    sample = source.read(Extent(0, _SAMPLE))
    return mail.looks_like_mail(sample[: first_control(sample)])


def measure(source: Source, budget: Budget) -> Measure | None:
    """To where its bytes stop being text; complete where the outermost part is closed there."""
    if not probe(source):
        return None
    stop = 0
    for at, data in pieces(source, budget):
        stop = at + first_control(data)
        if stop < at + len(data):
            break
    end, sure = settle(source, stop)
    if end < LEAST:
        return None
    return Measure(end, complete=sure and _closed(source, end))


def _closed(source: Source, end: int) -> bool:
    found = mail.head(source.read(Extent(0, min(end, 1 << 18))))
    if found is None:
        return False
    said = next((value for name, value in found[0] if name.lower() == "content-type"), "")
    boundary = mail.parameters(said).get("boundary", "")
    if not boundary:
        return False
    tail = source.read(Extent(max(0, end - 4096), min(end, 4096)))
    return b"--" + boundary.encode("utf-8", "replace") + b"--" in tail


def open_(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Its attachments, and mails that are forwarded in it."""
    data = whole(source, budget, _LARGEST)
    for part in mail.parts(data, budget)[1:]:
        if part.attached:
            body = mail.body(data, part)
            budget.pay(output=len(body))
            locator = source.locator.step("eml", part.id)
            yield Artifact(locator, "file", State.LIVE, len(body), path=part.name or None)


def member(source: Source, step: str) -> Source:
    budget = Budget()
    data = whole(source, budget, _LARGEST)
    for part in mail.parts(data, budget)[1:]:
        if part.id == step:
            return Memory(mail.body(data, part), source.locator.step("eml", step))
    raise Malformed(f"the mail has no part {step!r}")


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """The headers, decoded; then each part that is for reading."""
    data = whole(source, budget, _LARGEST)
    parts = mail.parts(data, budget)
    if not parts:
        raise Malformed("no header of a mail")
    top, *leaves = parts
    yield Text("".join(f"{name}: {mail.decoded(value)}\n" for name, value in top.headers))
    for part in leaves:
        if part.attached:
            continue
        body = mail.body(data, part)
        budget.pay(output=len(body))
        if part.type == "text/html":
            yield from html.texts(html.decode(body, part.charset), budget, f"part {part.id} ")
        else:
            yield Text(mail.characters(body, part.charset), part=f"part {part.id}")


PLUGIN = Format(
    id="eml",
    family=Family.DOCUMENT,
    probe=probe,
    magics=tuple(Magic(start) for start in _STARTS),
    open=open_,
    member=member,
    measure=measure,
    text=text,
    extensions=("eml",),
)

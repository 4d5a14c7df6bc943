"""The verb ``claims``: what another program's report says, shown, and recorded as just that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hakushi.app import assess, record
from hakushi.custody import claims
from hakushi.custody.claims import Claim
from hakushi.media.image import Memory
from hakushi.model import Malformed, Refused, message
from hakushi.recover import Budget
from hakushi.recover.grammar.pdf_text import texts

__all__ = ["Claim", "claim_json", "of", "outcome", "recorded"]

SCHEMA = "hakushi.claims/1"
_TECHNIQUE = "claimed"
_PDF = b"%PDF-"


def of(path: Path) -> tuple[tuple[Claim, ...], str]:
    """The claims of a report, and the file's SHA-256. Refused where it is no report."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused(assess.why_not(str(path), error)) from None
    try:
        found = claims.read_pages(_pages(data)) if data.startswith(_PDF) else claims.read(data)
        return found, hashlib.sha256(data).hexdigest()
    except Malformed as error:
        raise Refused(
            message(
                "{path} is no report that can be read: {why}. Known are the logs and reports of"
                " nwipe (PDF, too), Blancco (XML), nvme and smartctl (JSON), hdparm.",
                path=str(path),
                why=str(error),
            )
        ) from None


def _pages(data: bytes) -> str:
    """A PDF's text, as much of it as can be read."""
    out: list[str] = []
    with suppress(Malformed):
        for one in texts(Memory(data), Budget()):
            out.append(one.chars)  # noqa: PERF401 what came before a flaw stays
    return "\n".join(out)


def claim_json(one: Claim, digest: str) -> dict[str, Any]:
    """What was said; the outcome is ours: failed, or unknown, never completed."""
    return {
        "tool": one.tool,
        "serial": one.serial,
        "model": one.model,
        "method": one.method,
        "said": one.said,
        "claims_success": one.success,
        "outcome": outcome(one),
        "evidence": {"sha256": digest},
    }


def outcome(one: Claim) -> str:
    """What we know by a claim. Law: never "completed"."""
    return "failed" if one.success is False else "unknown"


def recorded(one: Claim, digest: str, signers: Sequence[str], place: Path) -> record.Recorded:
    """Signs and appends it as an erasure whose outcome nobody here saw."""
    values = {
        "policy": _TECHNIQUE,
        "technique": _TECHNIQUE,
        "method": one.method or _TECHNIQUE,
        "outcome": outcome(one),
        "verification": f"claim of {one.tool}: {one.said}",
        "tool": one.tool,
        "evidence": digest,
    }
    return record.record("sanitized", [one.serial], values, signers, place)

"""``hakushi-check``: the check of certificates alone, as a program of its own.

English only; the classes of failure are words for programs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hakushi.certify import code
from hakushi.certify.certificate import LARGEST
from hakushi.certify.check import Checked, check
from hakushi.certify.pdf import embedded, is_pdf
from hakushi.certify.told import not_proven, sentence
from hakushi.ledger.policy import Policy
from hakushi.model import Malformed

_ABOUT = """Checks a certificate of sanitization (JSON or PDF) or the text of its QR code, offline.
It shows that parties signed what the certificate says and that a log you trust holds it. It does
not show that they told the truth, that nothing came later, or that nothing was left out."""


def main(words: Sequence[str] | None = None) -> int:
    """0 holds, 6 does not hold, 5 cannot be read, 2 usage."""
    asked = argparse.ArgumentParser("hakushi-check", description=_ABOUT)
    asked.add_argument("file", type=Path)
    asked.add_argument("--policy", type=Path, help="whom to trust (C2SP tlog-policy)")
    given = asked.parse_args(words)
    try:
        data = _read(given.file)
        policy = Policy.parse(_read(given.policy)) if given.policy else None
    except (OSError, Malformed) as error:
        print(f"hakushi-check: {error}", file=sys.stderr)
        return 5
    try:
        if data.startswith(code.PREFIX.encode()):
            return _code(code.read(data.decode("ascii", "replace").strip(), policy))
        return _certificate(check(embedded(data) if is_pdf(data) else data, policy))
    except Malformed as error:
        print(f"[malformed] {error}", file=sys.stderr)
        return 6


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(2 * LARGEST + 1)
    if len(data) > 2 * LARGEST:
        raise Malformed(f"{path} is too large")
    return data


def _certificate(found: Checked) -> int:
    for failure in found.failures:
        print(_clean(f"[{failure.kind}] {failure.about}"), file=sys.stderr)
    if not found.holds or found.certificate is None:
        return 6
    if not found.trusted:
        print("Consistent; signer unknown. Name whom you trust with --policy.")
    for drive in found.certificate.statement["drives"]:
        print(_clean(str(sentence(drive))))
    print(_clean(f"Issued by {found.issuer}; log {found.origin}."))
    print("Not proven:")
    for line in not_proven(found, asked=False):
        print(_clean(f"  - {line}"))
    return 0


def _code(said: code.Read) -> int:
    for failure in said.checked.failures:
        print(_clean(str(failure)), file=sys.stderr)
    if not said.checked.holds:
        return 6
    if not said.checked.signers:
        print("Consistent; signer unknown. Name whom you trust with --policy.")
    serials = ", ".join(said.event.drives)
    print(_clean(f"Certified: {serials}; number {said.event.certificate[:32]}."))
    return 0


def _clean(text: str) -> str:
    """Without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


if __name__ == "__main__":
    sys.exit(main())

"""What a certificate says, and what it leaves open, in sentences. Pure.

``word`` puts single words (a verdict, a technique) into the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hakushi.certify.check import Checked
from hakushi.model import Message, message

Word = Callable[[str], str]


def sentence(drive: Mapping[str, Any], word: Word = str) -> Message:
    """What a certificate says of one drive, in a sentence."""
    if drive["state"] == "destroyed":
        done = drive["destruction"]
        return message(
            "{serial}: destroyed ({means}), witnessed by {signers}. No verdict on its data.",
            serial=drive["serial"],
            means=done["means"],
            signers=", ".join(done["signers"]),
        )
    done, look, accepted = drive["sanitization"], drive.get("verification"), drive["validation"]
    return message(
        "{serial}: erased by {by} ({technique}, {method}); looked at again: {verdict};"
        " accepted by {accepted}.",
        serial=drive["serial"],
        by=", ".join(done["signers"]),
        technique=word(done["technique"]),
        method=word(done["method"]),
        verdict=word(look["verdict"]) if look else "-",
        accepted=", ".join(accepted["signers"]),
    )


def not_proven(checked: Checked, *, asked: bool, word: Word = str) -> list[Message]:
    """What a certificate that holds leaves open; never an empty list."""
    told = [
        message("that the parties told the truth: it is their signed word, bound to its time."),
        message("that the drive before you is the one that was erased: compare its serial."),
    ]
    assert checked.certificate is not None
    drives = checked.certificate.statement["drives"]
    missed = sorted({word for one in drives for word in one.get("not_reached", ())})
    if missed:
        told.append(
            message(
                "that nothing is left where the technique does not reach: {what}.",
                what=", ".join(map(word, missed)),
            )
        )
    if any("sanitization" in one and "real" not in one.get("proven_on", ()) for one in drives):
        told.append(
            message("that the technique works on this model: it was not tried on real drives.")
        )
    if not asked:
        told.append(
            message("that nothing came later, and that no entry was left out: ask the log (--log).")
        )
    if not checked.witnesses:
        told.append(message("that the log shows everybody the same: no witness has signed it."))
    return told

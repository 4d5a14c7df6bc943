"""A certificate as a document that can be filed: PDF/A-4f with the certificate inside, signed.

The page is a view; what is checked is the certificate that the file carries. Needs the part
``pdf``.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hakushi.app import seal
from hakushi.app.words import answer, current, technical, tell
from hakushi.certify import Certificate, Checked
from hakushi.certify.code import of_certificate
from hakushi.model import Message, Refused, message

_GETA = "〓"
_MOST_LACKING = 200
_LARGEST_CODE = 2300
"""Characters of a code that a telephone still reads from paper."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs the PDF: a file with key and certificates; and whom to ask what time it is."""

    key: Path | None = None
    time_stamp: str | None = None


def page(certificate: Certificate, checked: Checked, said: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the page says, in the current language. ``said`` comes from the verbs."""
    statement = certificate.statement
    drives, claims = statement["drives"], statement["claims"]
    issued = time.gmtime(statement["issued"])
    parts = _one(drives[0], claims) if len(drives) == 1 else _lot(drives, claims)
    parts += _breaks(drives)
    lines = [tell(one) for one in said["not_proven"]]
    parts.append(
        {"kind": "list", "title": tell(message("What this does not prove")), "lines": lines}
    )
    code = of_certificate(certificate)
    return {
        "lang": current(),
        "title": tell(_TITLES["destroyed" if _destroyed(drives) else "validated"]),
        "number": tell(message("Certificate {number}", number=certificate.digest[:32])),
        "date": [issued.tm_year, issued.tm_mon, issued.tm_mday],
        "issued": tell(message("Issued {when}", when=_when(statement["issued"]))),
        "issuer": checked.issuer,
        "issuer_line": claims["organisation"] or checked.issuer,
        "issuer_more": [one for one in (claims["location"], claims["contact"]) if one],
        "sentence": _sentence(drives),
        "parts": parts,
        "code": code if len(code) <= _LARGEST_CODE else certificate.digest,
        "code_mm": 42 if len(code) <= _LARGEST_CODE else 22,
        "code_alt": tell(message("The certifying entry and its proof, as a code.")),
        "attached": tell(message("The certificate itself; this is what is checked.")),
        "how": tell(
            message(
                "To check: hakushi certificate check FILE.pdf --policy POLICY, offline. The page is"
                " a view; the attached certificate.json counts. Log {origin}, entry {entry} of"
                " {size}. The PDF's signature: {seal}",
                origin=checked.origin,
                entry=certificate.items[-1].index,
                size=checked.size,
                seal=said["seal"],
            )
        ),
    }


def pdf(certificate: Certificate, told: dict[str, Any]) -> bytes:
    """The unsigned document: PDF/A-4f as the typesetter makes it; no validator was asked."""
    import segno
    import typst

    with tempfile.TemporaryDirectory(prefix="hakushi-page-") as name:
        folder = Path(name)
        (folder / "certificate.json").write_bytes(certificate.encode())
        (folder / "page.typ").write_bytes(_data("certificate.typ"))
        segno.make(told["code"], error="l", boost_error=True).save(
            str(folder / "code.svg"), border=2, xmldecl=False
        )
        for _ in range(_MOST_LACKING):
            text = json.dumps(told, ensure_ascii=False)
            (folder / "page.json").write_text(text, encoding="utf-8")
            try:
                with resources.as_file(resources.files("hakushi") / "data" / "fonts") as fonts:
                    made: bytes = typst.compile(
                        str(folder / "page.typ"),
                        root=str(folder),
                        font_paths=[str(fonts)],
                        ignore_system_fonts=True,
                        pdf_standards=["a-4f"],
                        timestamp=int(time.mktime(time.gmtime())),
                    )
            except typst.TypstError as error:
                told = _without(told, str(error))
            else:
                return made
    raise Refused(message("The page has too many characters that the font lacks."))


def _without(told: dict[str, Any], error: str) -> dict[str, Any]:
    """The page without a character that the font lacks: a geta mark stands for it."""
    found = re.search(r'the text `"(.+?)"` could not be displayed', error)
    if found is None:
        raise Refused(message("The page could not be set: {why}", why=error[:300]))
    plain = json.dumps(told, ensure_ascii=False)
    for char in set(found[1]) - {"\\"}:
        plain = plain.replace(char, _GETA)
    replaced: dict[str, Any] = json.loads(plain)
    if replaced == told:
        raise Refused(message("The page could not be set: {why}", why=error[:300]))
    return replaced


def signed(document: bytes, signing: Signing, issuer: str) -> bytes:
    """The document with a PAdES signature, and a time stamp where one is asked for."""
    return seal.sign(io.BytesIO(document), seal.find(signing.key, issuer), signing.time_stamp)


def _data(name: str) -> bytes:
    return resources.files("hakushi").joinpath("data", name).read_bytes()


# --- what the page says -----------------------------------------------------------------------


_TITLES = {
    "validated": message("Certificate of sanitization"),
    "destroyed": message("Certificate of destruction"),
}


def _destroyed(drives: list[dict[str, Any]]) -> bool:
    return all(one["state"] == "destroyed" for one in drives)


def _sentence(drives: list[dict[str, Any]]) -> str:
    many: Message
    if _destroyed(drives):
        many = message(
            "The destruction of {count} drive(s) named below was witnessed; both who destroyed and"
            " who witnessed have signed.",
            count=len(drives),
        )
    else:
        many = message(
            "{count} drive(s) named below were sanitized, read again, and accepted by another party"
            " than the one that did the work.",
            count=len(drives),
        )
    return tell(many)


def _when(at: int) -> str:
    """In the time of whoever reads: Japan's in Japanese."""
    if current() == "ja":
        return time.strftime("%Y年%m月%d日 %H:%M（日本時間）", time.gmtime(at + 9 * 3600))
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def _row(label: Message, value: object) -> list[str]:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return [tell(label), text]


def _rows(title: Message, rows: list[list[str]]) -> dict[str, Any]:
    """Rows of which something is known."""
    return {"kind": "rows", "title": tell(title), "rows": [row for row in rows if row[1]]}


def _digest(value: str) -> str:
    """A digest in two halves, so that it breaks across lines."""
    return f"{value[:32]} {value[32:]}".strip()


def _one(drive: Mapping[str, Any], claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    people = {
        one["commitment"]: f"{one['name']} {one['title']}".strip() for one in claims["people"]
    }
    parts = [
        _rows(
            message("Drive"),
            [
                _row(message("Serial"), drive["serial"]),
                _row(message("Model"), drive.get("model", "")),
                _row(message("WWN"), drive["wwn"]),
                _row(message("Size in bytes"), drive.get("size") or ""),
                _row(message("Property number"), drive.get("property_number", "")),
                _row(message("Category before"), drive.get("category", "")),
                _row(message("Media source"), ", ".join(drive.get("media_source", ()))),
                _row(message("Order"), drive["order"]),
                _row(message("Destination"), claims["destination"]),
            ],
        )
    ]
    if drive["state"] == "destroyed":
        return [*parts, _destruction(drive["destruction"], people)]
    parts += _sanitization(drive, people)
    if claims["remark"]:
        parts.append(_rows(message("Remark"), [_row(message("Remark"), claims["remark"])]))
    return parts


def _who(one: Mapping[str, Any], people: Mapping[str, str]) -> str:
    named = people.get(one.get("person", ""), "")
    return ", ".join(one["signers"]) + (f" ({named})" if named else "")


def _sanitization(drive: Mapping[str, Any], people: Mapping[str, str]) -> list[dict[str, Any]]:
    done, accepted = drive["sanitization"], drive["validation"]
    parts = [
        _rows(
            message("Sanitization"),
            [
                _row(message("Method"), technical(done["method"])),
                _row(message("Technique"), technical(done["technique"])),
                _row(message("Policy"), done["policy"]),
                _row(message("Outcome"), answer(done["outcome"])),
                _row(message("Tool"), done["tool"]),
                _row(message("By"), _who(done, people)),
                _row(message("Recorded"), _when(done["at"])),
                _row(message("Evidence (SHA-256)"), _digest(done["evidence"])),
                _row(message("Not reached"), _list(drive["not_reached"])),
                _row(message("Tried on"), _list(drive["proven_on"])),
            ],
        )
    ]
    if (look := drive.get("verification")) is not None:
        read = f"{look['bytes_read']:,} / {look['bytes_total']:,}"
        rows = [
            _row(message("Verdict"), answer(look["verdict"])),
            _row(message("Bytes read"), read),
            _row(message("By"), _who(look, people)),
            _row(message("Recorded"), _when(look["at"])),
        ]
        if look["bound"]:
            rows.insert(1, _row(message("Sampled; bound"), look["bound"]))
        parts.append(_rows(message("Verification"), rows))
    rows = [
        _row(message("Accepted by"), _who(accepted, people)),
        _row(message("Recorded"), _when(accepted["at"])),
    ]
    return [*parts, _rows(message("Validation"), rows)]


def _list(words: list[str]) -> str:
    return ", ".join(map(technical, words))


def _destruction(done: Mapping[str, Any], people: Mapping[str, str]) -> dict[str, Any]:
    named = ", ".join(people[one] for one in done["people"] if one in people)
    return _rows(
        message("Destruction"),
        [
            _row(message("Means"), done["means"]),
            _row(message("Signed by"), ", ".join(done["signers"])),
            _row(message("People"), named),
            _row(message("Recorded"), _when(done["at"])),
            _row(message("Photograph before (SHA-256)"), _digest(done["photo_before"])),
            _row(message("Photograph after (SHA-256)"), _digest(done["photo_after"])),
            _row(message("Verdict"), tell(message("none: nobody looked for what is left"))),
        ],
    )


def _lot(drives: list[dict[str, Any]], claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    head = [message("Serial"), message("Model"), message("Property number"), message("Technique")]
    head += [message("Verdict"), message("By"), message("Accepted by")]
    parts = [
        {
            "kind": "table",
            "title": tell(message("Drives")),
            "widths": [14, 14, 12, 14, 8, 12, 12],
            "head": [tell(one) for one in head],
            "cells": [cell for drive in drives for cell in _cells(drive)],
        }
    ]
    sources = sorted({name for one in drives for name in one.get("media_source", ())})
    orders = sorted({one["order"] for one in drives if one["order"]})
    missed = sorted({word for one in drives for word in one.get("not_reached", ())})
    tried = sorted({word for one in drives for word in one.get("proven_on", ())})
    rows = [
        _row(message("Media source"), ", ".join(sources)),
        _row(message("Order"), ", ".join(orders)),
        _row(message("Not reached"), _list(missed)),
        _row(message("Tried on"), _list(tried)),
        _row(message("Destination"), claims["destination"]),
        _row(message("Remark"), claims["remark"]),
    ]
    return [*parts, _rows(message("For all of them"), rows)]


def _cells(drive: Mapping[str, Any]) -> Iterator[str]:
    yield from (drive["serial"], drive.get("model", ""), drive.get("property_number", ""))
    if drive["state"] == "destroyed":
        done = drive["destruction"]
        yield from (done["means"], "–", ", ".join(done["signers"]), "–")
        return
    done, look = drive["sanitization"], drive.get("verification")
    yield technical(done["technique"])
    yield answer(look["verdict"]) if look else "–"
    yield ", ".join(done["signers"])
    yield ", ".join(drive["validation"]["signers"])


def _breaks(drives: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every break, and the owner's word that closed it."""
    lines = [
        f"{drive['serial']}: {one['rule']} ({one['entry']}): {one['about']} → {one['explanation']}"
        for drive in drives
        for one in drive["breaks"]
    ]
    title = tell(message("Breaks of custody, and how the owner explained them"))
    return [{"kind": "list", "title": title, "lines": lines}] if lines else []

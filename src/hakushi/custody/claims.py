"""What other programs say that they erased: claims, read out of their logs and reports. Pure.

A claim is recorded as what somebody said. It makes no drive erased: nwipe, hdparm and others have
been seen to report success over untouched data (docs/lying-drives.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hakushi.model import Malformed

_MOST = 32 << 20
"""Bytes of the largest file that is read."""

_CLAIMS = 100_000
_TEXT = 200
"""Characters of a field that are kept."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One drive of which a program said something. ``success``: None where it said neither."""

    tool: str
    serial: str
    said: str
    success: bool | None
    model: str = ""
    method: str = ""


def read(data: bytes) -> tuple[Claim, ...]:
    """Every claim in a file. Raises `Malformed` for what no reader here knows, or without a drive.

    Known: nwipe's log, Blancco's XML report, what ``nvme sanitize-log -o json`` and
    ``smartctl -j`` print, what ``hdparm --sanitize-status`` and ``hdparm -I`` print. A PDF's text
    is `read_pages`' business.
    """
    if len(data) > _MOST:
        raise Malformed(f"{len(data)} bytes are too many for a report")
    for known, reader in _READERS:
        if known(data):
            found = tuple(_bounded(reader(data)))
            if not found:
                raise Malformed("it names no drive")
            return found
    raise Malformed("no report of a program that is known here")


def _bounded(claims: Iterator[Claim]) -> Iterator[Claim]:
    for number, one in enumerate(claims):
        if number >= _CLAIMS:
            raise Malformed(f"more than {_CLAIMS} drives")
        yield one


def _text(value: object) -> str:
    return " ".join(str(value).split())[:_TEXT]


# --- nwipe -------------------------------------------------------------------------------

_VERSION = re.compile(r"nwipe (\d[\w.]{0,20})")
_FOUND = re.compile(r"notice: Found (/dev/\S{1,60}), (.{1,120}?), S/N=(\S{1,60})")
_NUMBER = re.compile(r"notice: (/dev/\S{1,60}) has serial number (\S{1,60})")
_METHOD = re.compile(r"Invoking method '([^']{1,60})' on (?:device )?'?(/dev/[^\s']{1,60})")
_STATUS = re.compile(
    r"^[ !]?[ ]{0,12}(\S{1,40}) \| ?([!\-A-Za-z ]{3,16})"
    r"\|[^|\n]{0,16}\|[^|\n]{0,16}\| ?([^\n]{0,120})$",
    re.MULTILINE,
)


def _nwipe(data: bytes) -> Iterator[Claim]:
    """The table at the end says what became of each drive; the lines before it, how."""
    text = data.decode("utf-8", "replace")
    version = _VERSION.search(text)
    tool = f"nwipe {version[1]}" if version else "nwipe"
    serials = {d.rpartition("/")[2]: s for d, s in _NUMBER.findall(text)}
    models = {}
    for device, model, serial in _FOUND.findall(text):
        name = device.rpartition("/")[2]
        models[name] = model
        serials.setdefault(name, serial)
    methods = {d.rpartition("/")[2]: m for m, d in _METHOD.findall(text)}
    for name, status, last in _STATUS.findall(text):
        word = status.strip(" !-")
        if word.lower() in ("status", ""):
            continue
        model, slash, serial = last.strip().rpartition("/")
        serial = serial.strip() if slash else serials.get(name, "")
        serial = serials.get(name, serial)
        yield Claim(
            tool,
            _text(serial or name),
            _text(word),
            {"erased": True, "failed": False, "insufficient": False}.get(word.lower()),
            _text(models.get(name) or model),
            _text(methods.get(name, "")),
        )


_PDF_VERSION = re.compile(r"Erasure by NWIPE version (\d[\w.]{0,20})")
_PDF_FIELD = re.compile(
    r"^(?:[^\n]{0,200}\t)?[ ]{0,4}(Disk Model|Disk S/N|Method|Status):[ \t]{0,8}([^\t\n]{1,120})",
    re.MULTILINE,
)


def read_pages(text: str) -> tuple[Claim, ...]:
    """The claim of a PDF's text: nwipe's erasure report. Raises `Malformed` for any other."""
    version = _PDF_VERSION.search(text[:_MOST])
    if version is None:
        raise Malformed("no PDF report of a program that is known here")
    found: dict[str, str] = {}
    for name, value in _PDF_FIELD.findall(text[:_MOST]):
        found.setdefault(name, _text(value))
    serial, model = found.get("Disk S/N", "Unknown"), found.get("Disk Model", "")
    if serial == "Unknown" or "Status" not in found:
        raise Malformed("it names no drive, or not what became of it")
    word = found["Status"]
    success = {"ERASED": True, "FAILED": False, "INSANITY": False, "ABORTED": False}.get(word)
    tool = f"nwipe {version[1]}"
    return (Claim(tool, serial, word, success, model, found.get("Method", "")),)


# --- Blancco -----------------------------------------------------------------------------


def _blancco(data: bytes) -> Iterator[Claim]:
    """One claim for each ``entries name="erasure"``; fields are told by their names."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Malformed(f"broken XML: {error.msg}") from None
    product = root.find(".//{*}product_name")
    version = root.find(".//{*}product_version")
    tool = _text(" ".join(e.text or "" for e in (product, version) if e is not None)) or "Blancco"
    if "blancco" not in tool.lower():
        tool = f"Blancco {tool}"
    for erasure in root.iterfind(".//{*}entries[@name='erasure']"):
        said = {str(e.get("name")): e.text or "" for e in erasure.iter("{*}entry")}
        state = said.get("state", "")
        yield Claim(
            tool,
            _text(said.get("serial") or said.get("serial_number") or ""),
            _text(state or "nothing"),
            {"successful": True, "failed": False}.get(state.strip().lower().split(" ")[0] or "-"),
            _text(said.get("model", "")),
            _text(said.get("erasure_standard_name") or said.get("method") or ""),
        )


# --- programs that ask a drive -----------------------------------------------------------


def _json(data: bytes) -> Iterator[Claim]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("broken JSON") from None
    if not isinstance(told, dict):
        raise Malformed("JSON without fields")
    if "smartctl" in told:
        yield _smartctl(told)
        return
    yield from _nvme(told)


def _smartctl(told: Mapping[str, Any]) -> Claim:
    version = told["smartctl"].get("version", []) if isinstance(told["smartctl"], dict) else []
    tool = "smartctl " + ".".join(map(str, version))[:20] if isinstance(version, list) else ""
    return Claim(
        tool.strip() or "smartctl",
        _text(told.get("serial_number", "")),
        "identity and health; it erases nothing",
        None,
        _text(told.get("model_name", "")),
    )


def _nvme(told: Mapping[str, Any]) -> Iterator[Claim]:
    """``nvme sanitize-log``: by device, or the log's own fields."""
    logs: list[tuple[str, Mapping[str, Any]]] = [
        (k, v) for k, v in told.items() if isinstance(v, dict)
    ]
    logs = logs or [("", told)]
    for name, log in logs:
        state = log.get("sstat", log.get("sanitize_status"))
        if isinstance(state, dict):
            state = state.get("status", state.get("sanitize_status"))
        if not isinstance(state, int | str):
            continue
        code = int(state) & 7 if str(state).isdecimal() else None
        success = {1: True, 3: False, 4: True}.get(code) if code is not None else None
        yield Claim("nvme-cli", _text(name), f"sanitize status {_text(state)}", success)


_HDPARM = re.compile(r"^\s{0,8}(?:Serial Number:|SerialNo=)\s{0,8}(\S{1,40})", re.MULTILINE)
_STATE = re.compile(r"State:\s{1,8}(SD\d [^\n]{1,60})")
_LAST = re.compile(r"Last Sanitize Operation ([^\n]{1,60})")
_MODEL = re.compile(r"^\s{0,8}Model Number:\s{0,8}([^\n]{1,60})", re.MULTILINE)


def _hdparm(data: bytes) -> Iterator[Claim]:
    text = data.decode("utf-8", "replace")
    serial, model = _HDPARM.search(text), _MODEL.search(text)
    state, last = _STATE.search(text), _LAST.search(text)
    said = "; ".join(m[1].strip() for m in (state, last) if m) or "identity; it says no state"
    success = None
    if last:
        success = "without error" in last[1].lower() or "success" in last[1].lower()
    name = re.search(r"^(/dev/\S{1,60}):", text, re.MULTILINE)
    who = serial[1] if serial else name[1] if name else ""
    yield Claim("hdparm", _text(who), _text(said), success, _text(model[1] if model else ""))


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[Claim]]], ...] = (
    (lambda d: b"blancco" in d[:65536].lower() and d.lstrip()[:1] == b"<", _blancco),
    (lambda d: d.lstrip()[:1] == b"{", _json),
    (lambda d: b"Drive Status" in d and b"notice:" in d, _nwipe),
    (lambda d: b"Issuing SANITIZE" in d or b"ATA device, with" in d, _hdparm),
)
"""How each report is known, and its reader."""

"""The words in the streams of Word, PowerPoint and Outlook files, and of their properties."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hakushi.model import Malformed, Text
from hakushi.recover.cursor import Budget
from hakushi.recover.grammar import html
from hakushi.recover.grammar.cfb import CompoundFile, Entry
from hakushi.recover.grammar.encoding import guess
from hakushi.recover.grammar.table import laid_out

_LARGEST = 64 << 20


# --- Word (MS-DOC) -----------------------------------------------------------------------


def word_encrypted(head: bytes) -> bool:
    return len(head) > 12 and bool(head[11] & 1)


def word(streams: dict[str, Entry], file: CompoundFile) -> Iterator[Text]:
    """Paragraphs, and tables with their cells; by the piece table, as edits leave it (2.4.1)."""
    main = file.read(streams["WordDocument"], _LARGEST)
    if len(main) < 0x22:
        raise Malformed("the FIB is cut")
    ident, version = struct.unpack_from("<HH", main)
    if ident == 0xA5DC or version < 101:
        start, end = struct.unpack_from("<II", main, 0x18)
        raw = main[start:end]
        chars = raw.decode(guess(raw[:4096]) or "cp932", "replace")
    elif ident == 0xA5EC:
        chars = _pieces(main, streams, file)
    else:
        raise Malformed("the FIB is none")
    yield from _laid_out(_without_fields(chars))


def _pieces(main: bytes, streams: dict[str, Entry], file: CompoundFile) -> str:
    if len(main) < 0x1AA:
        raise Malformed("the FIB is cut")
    name = "1Table" if main[11] & 2 else "0Table"
    if name not in streams:
        raise Malformed("no table stream")
    table = file.read(streams[name], _LARGEST)
    at, length = struct.unpack_from("<II", main, 0x1A2)
    clx = table[at : at + length]
    offset = 0
    while offset + 3 <= len(clx) and clx[offset] == 1:
        offset += 3 + struct.unpack_from("<H", clx, offset + 1)[0]
    if clx[offset : offset + 1] != b"\2":
        raise Malformed("no piece table")
    plain = clx[offset + 5 :]
    count = (len(plain) - 4) // 12
    if count < 1:
        raise Malformed("an empty piece table")
    ends = struct.unpack_from(f"<{count + 1}I", plain)
    out = []
    for index in range(count):
        where = struct.unpack_from("<I", plain, 4 * (count + 1) + 8 * index + 2)[0]
        characters = max(0, min(ends[index + 1] - ends[index], len(main)))
        if where & 0x40000000:
            start = (where & 0x3FFFFFFF) // 2
            out.append(main[start : start + characters].decode("cp1252", "replace"))
        else:
            out.append(main[where : where + 2 * characters].decode("utf-16-le", "replace"))
    return "".join(out)


def _without_fields(chars: str) -> str:
    """Field codes (between 0x13 and 0x14) go, but for the address of a link; results stay."""
    out, code, depth = list[str](), list[str](), 0
    for char in chars:
        if char == "\x13":
            depth += 1
        elif char == "\x14" and depth:
            depth -= 1
            said = "".join(code)
            out.append(said.partition("mailto:")[2].partition('"')[0])
            code = []
        elif char == "\x15":
            depth = 0
            code = []
        elif depth:
            code.append(char)
        else:
            out.append(char)
    return "".join(out)


_LINES = str.maketrans(
    {"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\x1f": None, "\x01": None}
)


def _laid_out(chars: str) -> Iterator[Text]:
    """A cell ends in BEL, a row in one more."""
    prose: list[str] = []
    rows: list[list[str]] = []
    for line in chars.replace("\a\a", "\a\v").split("\v"):
        if "\a" not in line:
            prose.append(line.translate(_LINES))
            continue
        first, *cells = line.split("\a")
        above, _, cell = first.rpartition("\r")
        prose.append(above.translate(_LINES))
        rows.append([" ".join(c.translate(_LINES).split()) for c in (cell, *cells)][: len(cells)])
    if rows:
        yield from laid_out(rows, "table")
    told = "\n".join(prose)
    if told.strip():
        yield Text(told)


# --- PowerPoint (MS-PPT) -----------------------------------------------------------------


def powerpoint(data: bytes, budget: Budget) -> Iterator[Text]:
    """The atoms that hold characters, wherever in the tree of records they stand."""
    out, at = [], 0
    while at + 8 <= len(data):
        budget.pay()
        head, kind, length = struct.unpack_from("<HHI", data, at)
        at += 8
        if head & 15 == 15:
            # A container: its records follow.
            continue
        body = data[at : at + length]
        if kind in {0x0FA0, 0x0FBA}:
            out.append(body.decode("utf-16-le", "replace"))
        elif kind == 0x0FA8:
            out.append(body.decode("latin-1"))
        at += length
    told = "\n".join(out).replace("\r", "\n").replace("\v", "\n")
    if told.strip():
        yield Text(told)


# --- Outlook (MS-OXMSG) ------------------------------------------------------------------

_LABELS = {
    "0037": "Subject",
    "0042": "From",
    "0C1A": "From",
    "0C1F": "From",
    "5D01": "From",
    "0E02": "Bcc",
    "0E03": "Cc",
    "0E04": "To",
    "3001": "Name",
    "3003": "Address",
    "39FE": "Address",
    "007D": "Headers",
    "1000": "",
}
_PREFIX = "__substg1.0_"


def outlook(entries: list[Entry], file: CompoundFile, budget: Budget) -> Iterator[Text]:
    """Every string property, those that are known with a label; the body as a page."""
    lines = []
    for entry in entries:
        if not entry.name.startswith(_PREFIX) or len(entry.name) != len(_PREFIX) + 8:
            continue
        tag, kind = entry.name[-8:-4].upper(), entry.name[-4:].upper()
        if kind in {"001F", "001E"}:
            data = file.read(entry, _LARGEST)
            wide = "utf-16-le" if kind == "001F" else guess(data[:4096]) or "cp932"
            label = _LABELS.get(tag)
            said = data.decode(wide, "replace").rstrip("\0")
            lines.append(f"{label}: {said}" if label else said)
        elif (tag, kind) == ("1013", "0102"):
            yield from html.texts(html.decode(file.read(entry, _LARGEST)), budget, "body ")
    if lines:
        yield Text("\n".join(lines) + "\n")


# --- properties (MS-OLEPS) ---------------------------------------------------------------


def properties(data: bytes, part: str) -> Iterator[Text]:
    """The strings of a property set: author, company, title."""
    if len(data) < 48:
        return
    start = struct.unpack_from("<I", data, 44)[0]
    if start + 8 > len(data):
        raise Malformed("a property set is cut")
    count = min(struct.unpack_from("<I", data, start + 4)[0], 1024)
    lines = []
    for index in range(count):
        at = start + 8 + 8 * index
        if at + 8 > len(data):
            break
        where = start + struct.unpack_from("<I", data, at + 4)[0]
        if where + 8 > len(data):
            continue
        kind, length = struct.unpack_from("<II", data, where)
        raw = data[where + 8 : where + 8 + min(length, 4096) * (2 if kind == 31 else 1)]
        if kind == 30:
            lines.append(raw.rstrip(b"\0").decode(guess(raw.rstrip(b"\0")) or "cp932", "replace"))
        elif kind == 31:
            lines.append(raw.decode("utf-16-le", "replace").rstrip("\0"))
    told = "\n".join(line for line in lines if line.strip())
    if told:
        yield Text(told + "\n", part=part)

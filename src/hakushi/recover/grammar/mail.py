"""Mail as it is written (RFC 5322, RFC 2045-2047): headers, parts, their bytes."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from hakushi.model import Malformed
from hakushi.recover.cursor import Budget
from hakushi.recover.grammar.encoding import guess

_NAMES = (
    "return-path received delivered-to from to cc subject date message-id mime-version sender "
    "content-type content-transfer-encoding reply-to in-reply-to references list-id envelope-to "
    "dkim-signature authentication-results user-agent importance thread-topic thread-index "
    "disposition-notification-to bcc resent-from status arc-seal"
)
HEADERS = frozenset(_NAMES.split())
_FIELD = re.compile(rb"([!-9;-~]{1,76})[ \t]*:[ \t]*")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_WORD = re.compile(r"=\?([\w.:*-]+)\?([bBqQ])\?([^?\s]*)\?=(?:\s+(?==\?))?")
_PARAMETER = re.compile(r""";\s*([\w.*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))""")
_DEEPEST = 16
_MOST_PARTS = 10_000
_CHARSETS = {
    "iso-2022-jp": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "x-unknown": "",
    "unknown-8bit": "",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part: where its body lies in the mail, and what its headers say."""

    id: str
    """Its place: "1.2" is the second part of the first."""
    headers: tuple[tuple[str, str], ...]
    start: int
    end: int

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def type(self) -> str:
        return self.header("content-type").partition(";")[0].strip().lower() or "text/plain"

    @property
    def charset(self) -> str:
        return parameters(self.header("content-type")).get("charset", "")

    @property
    def name(self) -> str:
        """The file name of an attachment, as it is said."""
        said = parameters(self.header("content-disposition"))
        name = said.get("filename", "") or parameters(self.header("content-type")).get("name", "")
        return decoded(name)

    @property
    def attached(self) -> bool:
        """A file of its own, rather than what the mail says."""
        if self.header("content-disposition").lower().startswith("attachment") or self.name:
            return True
        return self.type not in {"text/plain", "text/html", "message/delivery-status"}


def head(data: bytes) -> tuple[list[tuple[str, str]], int] | None:
    """The header fields at the start and the offset behind the empty line; None where none are.

    A field that goes on in further lines (folded) is put together.
    """
    match = _HEAD_END.search(data)
    end = match.start() if match else len(data)
    fields: list[tuple[str, bytes]] = []
    for line in data[:end].splitlines():
        if line[:1] in {b" ", b"\t"} and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip())
            continue
        field = _FIELD.match(line)
        if field is None:
            return None
        fields.append((field[1].decode("ascii"), line[field.end() :].rstrip()))
    if not fields:
        return None
    return [(name, _raw(value)) for name, value in fields], match.end() if match else len(data)


def _raw(value: bytes) -> str:
    """Bytes of a header that ought to be ASCII, but in Japan often are not."""
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    encoding = guess(value) or "latin-1"
    return value.decode(encoding, "replace")


def decoded(value: str) -> str:
    """RFC 2047: encoded words as characters; neighbours in one charset are put together first."""
    out: list[str] = []
    at, held, name = 0, b"", ""
    for match in _WORD.finditer(value):
        charset = match[1].partition("*")[0].lower()
        if held and (match.start() != at or charset != name):
            out.append(characters(held, name))
            held = b""
        out.append(value[at : match.start()])
        name, at = charset, match.end()
        held += _encoded(match[2], match[3])
    if held:
        out.append(characters(held, name))
    return "".join((*out, value[at:]))


def _encoded(how: str, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    return unbase64(raw) if how in "bB" else quopri.decodestring(raw, header=True)


def characters(data: bytes, charset: str) -> str:
    """In that charset; by the bytes themselves where it is not known or cannot be true."""
    name = _CHARSETS.get(charset.lower(), charset)
    for encoding in (name, guess(data[:4096]) or "", "utf-8"):
        if not encoding or "\0" in encoding:
            continue
        try:
            text = data.decode(encoding, "replace")
        except (LookupError, UnicodeError, ValueError):
            continue
        if text.count("\ufffd") * 20 <= len(text):
            return text
    return data.decode("utf-8", "replace")


def parameters(value: str) -> dict[str, str]:
    """The parameters of a structured header, RFC 2231 continuations and charsets resolved."""
    out: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAMETER.finditer(value[:16384]):
        key = match[1].lower()
        said = match[2] if match[2] is not None else match[3]
        base, star, number = key.partition("*")
        if not star:
            out.setdefault(key, re.sub(r"\\(.)", r"\1", said))
            continue
        order = number.rstrip("*")
        pieces.setdefault(base, []).append(
            (int(order) if order.isdecimal() else 0, number in {"", "*"} or number[-1] == "*", said)
        )
    for base, found in pieces.items():
        out[base] = _continued(sorted(found))
    return out


def _continued(found: list[tuple[int, bool, str]]) -> str:
    charset, raw = "", b""
    for index, (_, extended, said) in enumerate(found):
        if extended and index == 0 and said.count("'") >= 2:
            charset, _, said = said.split("'", 2)
        raw += unquote_to_bytes(said) if extended else said.encode("utf-8", "replace")
    return characters(raw, charset)


def unbase64(data: bytes) -> bytes:
    """Forgiving: what is no base64 is passed over; a broken end is cut."""
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return b""


def body(data: bytes, part: Part) -> bytes:
    """The part's bytes, its transfer encoding undone."""
    raw = data[part.start : part.end]
    how = part.header("content-transfer-encoding").strip().lower()
    if how == "base64":
        return unbase64(raw)
    return quopri.decodestring(raw) if how == "quoted-printable" else raw


def parts(data: bytes, budget: Budget) -> list[Part]:
    """Every leaf part, in order; the first entry stands for the mail itself (id "")."""
    first = head(data)
    if first is None:
        return []
    top = Part("", tuple(first[0]), first[1], len(data))
    out, left = [top], [top]
    while left:
        if len(out) > _MOST_PARTS:
            raise Malformed("a mail of too many parts")
        part = left.pop()
        inner = list(_inside(data, part, budget))
        if inner and part.id.count(".") < _DEEPEST:
            left += reversed(inner)
        else:
            out.append(part if part.id else Part("0", part.headers, part.start, part.end))
    return out


def _inside(data: bytes, part: Part, budget: Budget) -> Iterator[Part]:
    """The parts of a multipart; none for a leaf. A forwarded message counts as one part."""
    if not part.type.startswith("multipart/"):
        return
    boundary = parameters(part.header("content-type")).get("boundary", "")
    if not boundary:
        return
    mark = re.compile(
        rb"(?:(?<=\n)|\A)--"
        + re.escape(boundary.encode("utf-8", "replace"))
        + rb"(--)?[ \t]*\r?(?:\n|\Z)"
    )
    start = number = 0
    for match in mark.finditer(data, part.start, part.end):
        budget.pay()
        if start:
            number += 1
            yield _one(data, f"{part.id}.{number}".lstrip("."), start, match.start())
        start = match.end()
        if match[1]:
            return
    if start:
        # The closing boundary is missing: the mail was cut.
        yield _one(data, f"{part.id}.{number + 1}".lstrip("."), start, part.end + 1)


def _one(data: bytes, id: str, start: int, end: int) -> Part:
    """The part between two boundaries; the line end before a boundary belongs to that."""
    end -= 2 if data[end - 2 : end] == b"\r\n" else 1
    piece = data[start : max(start, end)]
    end = start + len(piece)
    if piece.startswith((b"\n", b"\r\n")):
        return Part(id, (), start + piece.index(b"\n") + 1, end)
    found = head(piece)
    if found is None:
        return Part(id, (), start, end)
    return Part(id, tuple(found[0]), start + found[1], end)


def looks_like_mail(sample: bytes) -> bool:
    """Whether header fields of mail stand at the start, two different ones at least."""
    names: set[str] = set()
    for line in sample.splitlines():
        if not line:
            break
        if line[:1] in b" \t" and names:
            continue
        field = _FIELD.match(line)
        if field is None:
            # The sample may have been cut within a line.
            return len(names) >= 2 and sample.endswith(line)
        name = field[1].decode("ascii").lower()
        if not names and name not in HEADERS and not name.startswith("x-"):
            return False
        if name in HEADERS:
            names.add(name)
    return len(names) >= 2

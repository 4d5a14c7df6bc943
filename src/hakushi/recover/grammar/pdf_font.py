"""Codes of a PDF's fonts as characters (ISO 32000-2, 9.6-9.10), and how wide they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hakushi.model import Malformed
from hakushi.recover.cursor import Spent
from hakushi.recover.grammar.pdf import Document, Name, Parser, Stream, Value, Word

_MOST_CODES = 200_000

# 9.7.5.2: predefined CMaps, by the encoding that their codes are in.
_CMAPS = (
    (re.compile(r"(?:90ms|90msp|90pv|83pv|Add|Ext)-RKSJ-"), "cp932"),
    (re.compile(r"Uni(?:JIS|GB|CNS|KS|JISX0213|JIS2004|JISPro)\w*-(?:UCS2|UTF16)-"), "utf-16-be"),
    (re.compile(r"Uni\w+-UTF32-"), "utf-32-be"),
    (re.compile(r"Uni\w+-UTF8-"), "utf-8"),
    (re.compile(r"EUC-[HV]"), "euc_jp"),
    (re.compile(r"(?:78-|Ext-|Add-)?[HV]\Z"), "jis"),
    (re.compile(r"GBK"), "gbk"),
    (re.compile(r"KSC"), "cp949"),
    (re.compile(r"ETen|B5pc|HKscs"), "big5"),
)
_SIMPLE = {"WinAnsiEncoding": "cp1252", "MacRomanEncoding": "mac_roman"}
_LIGATURES = {"fi": "fi", "fl": "fl", "ff": "ff", "ffi": "ffi", "ffl": "ffl"}
_WORDS = (
    "space:  exclam:! quotedbl:\" numbersign:# dollar:$ percent:% ampersand:& quotesingle:' "
    "parenleft:( parenright:) asterisk:* plus:+ comma:, hyphen:- minus:- period:. slash:/ zero:0 "
    "one:1 two:2 three:3 four:4 five:5 six:6 seven:7 eight:8 nine:9 colon:: semicolon:; less:< "
    "equal:= greater:> question:? at:@ bracketleft:[ backslash:\\ bracketright:] asciicircum:^ "
    "underscore:_ grave:` braceleft:{ bar:| braceright:} asciitilde:~ yen:¥ endash:– emdash:— "
    "quoteleft:‘ quoteright:’ quotedblleft:“ quotedblright:” bullet:• section:§ copyright:©"
)
_GLYPHS = {
    word.partition(":")[0]: word.partition(":")[2] or " "
    for word in _WORDS.replace(":  ", ": ").split(" ")
} | _LIGATURES


@dataclass(slots=True)
class Font:
    """How a string shown in it becomes characters.

    ``codes``: code -> characters, by its ToUnicode map. ``encoding``: what its codes are in
    otherwise; empty where nobody can tell, then its glyphs count as lost.
    """

    wide: bool = False
    """Composite: codes of two bytes where no map says other."""
    codes: dict[bytes, str] = field(default_factory=dict)
    lengths: tuple[int, ...] = (1,)
    encoding: str = "cp1252"
    differences: dict[int, str] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    usual: float = 500.0
    vertical: bool = False

    def characters(self, data: bytes) -> tuple[str, int, float]:
        """(characters, glyphs that nobody can name, width in thousandths of the size)."""
        out, lost, width = [], 0, 0.0
        for code in self._split(data):
            width += self.widths.get(int.from_bytes(code, "big"), self.usual)
            known = self.codes.get(code)
            if known is None:
                known = self._by_encoding(code)
            if known is None:
                lost += 1
            else:
                out.append(known)
        return "".join(out), lost, width

    def _split(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            length = self._length(data, at)
            yield data[at : at + length]
            at += length

    def _length(self, data: bytes, at: int) -> int:
        if not self.wide:
            return 1
        if self.codes:
            for length in self.lengths:
                if data[at : at + length] in self.codes:
                    return length
        if self.encoding in {"cp932", "gbk", "cp949", "big5", "euc_jp"}:
            lead = data[at]
            single = lead < 0x80 or (self.encoding == "cp932" and 0xA0 <= lead < 0xE0)
            return 1 if single else 2
        if self.encoding == "utf-16-be":
            return 4 if 0xD8 <= data[at] < 0xDC else 2
        return {"utf-32-be": 4}.get(self.encoding, self.lengths[-1] if self.codes else 2)

    def _by_encoding(self, code: bytes) -> str | None:
        if not self.wide and code[0] in self.differences:
            return self.differences[code[0]]
        if not self.encoding:
            return None
        if self.encoding == "jis":
            code = bytes(byte | 0x80 for byte in code)
        try:
            return code.decode("euc_jp" if self.encoding == "jis" else self.encoding)
        except UnicodeDecodeError:
            return None


def font_of(document: Document, value: Value) -> Font:
    """The font of a resource dictionary."""
    said = document.dictionary(value)
    font = Font(wide=said.get("Subtype") == "Type0")
    if font.wide:
        _composite(document, said, font)
    else:
        _simple(document, said, font)
    mapping = document.resolve(said.get("ToUnicode"))
    if isinstance(mapping, Stream):
        try:
            _to_unicode(document.data(mapping), font)
        except Spent:
            raise
        except Malformed:
            pass
    return font


def _composite(document: Document, said: dict[str, Value], font: Font) -> None:
    encoding = document.resolve(said.get("Encoding"))
    name = str(encoding) if isinstance(encoding, Name) else ""
    font.encoding = next((found for pattern, found in _CMAPS if pattern.match(name)), "")
    font.vertical = name.endswith("V")
    font.usual = 1000.0
    inner = next(iter(document.array(said.get("DescendantFonts"))), None)
    descendant = document.dictionary(inner)
    usual = descendant.get("DW", 1000)
    font.usual = float(usual) if isinstance(usual, (int, float)) else 1000.0
    if not font.encoding:
        # Codes are CIDs then, and so are the keys of W.
        _wide_widths(document, document.array(descendant.get("W")), font)


def _wide_widths(document: Document, values: list[Value], font: Font) -> None:
    """9.7.4.3: c [w1 w2 …] or first last w."""
    at = 0
    while at + 1 < len(values) and len(font.widths) < _MOST_CODES:
        first, second = values[at], document.resolve(values[at + 1])
        if not isinstance(first, int):
            return
        if isinstance(second, list):
            for index, width in enumerate(second):
                if isinstance(width, (int, float)):
                    font.widths[first + index] = float(width)
            at += 2
            continue
        width = values[at + 2] if at + 2 < len(values) else None
        if isinstance(second, int) and isinstance(width, (int, float)):
            for code in range(first, min(second, first + 65535) + 1):
                font.widths[code] = float(width)
        at += 3


def _simple(document: Document, said: dict[str, Value], font: Font) -> None:
    encoding = document.resolve(said.get("Encoding"))
    if isinstance(encoding, Name):
        font.encoding = _SIMPLE.get(encoding, "cp1252")
    elif isinstance(encoding, dict):
        font.encoding = _SIMPLE.get(str(encoding.get("BaseEncoding")), "cp1252")
        code = 0
        for one in document.array(encoding.get("Differences")):
            if isinstance(one, int):
                code = one
            elif isinstance(one, Name):
                named = _glyph(one)
                if named is not None:
                    font.differences[code] = named
                code += 1
    first = said.get("FirstChar")
    if isinstance(first, int):
        for index, width in enumerate(document.array(said.get("Widths"))[:256]):
            if isinstance(width, (int, float)):
                font.widths[first + index] = float(width)


def _glyph(name: str) -> str | None:
    """A glyph name (Adobe Glyph List specification) as characters."""
    plain = name.partition(".")[0]
    if plain in _GLYPHS:
        return _GLYPHS[plain]
    if len(plain) == 1:
        return plain
    match = re.fullmatch(r"(?:uni|u)([0-9A-F]{4,6})", plain)
    code = int(match[1], 16) if match else 0
    return chr(code) if 0 < code < 0x110000 else None


def _to_unicode(data: bytes, font: Font) -> None:
    """9.10.3: codespacerange, bfchar and bfrange; each operator takes what came before it."""
    held: list[Value] = []
    lengths: set[int] = set()
    for value in Parser(data):
        if not isinstance(value, Word):
            held.append(value)
            continue
        if value == b"endcodespacerange":
            lengths |= {len(v) for v in held if isinstance(v, bytes) and 0 < len(v) <= 4}
        elif value == b"endbfchar":
            for code, to in zip(held[0::2], held[1::2], strict=False):
                if isinstance(code, bytes) and isinstance(to, bytes):
                    font.codes[bytes(code)] = _wide(to)
        elif value == b"endbfrange":
            for low, high, to in zip(held[0::3], held[1::3], held[2::3], strict=False):
                if isinstance(low, bytes) and isinstance(high, bytes):
                    _range(low, high, to, font)
        held = []
        if len(font.codes) > _MOST_CODES:
            raise Malformed("a character map too large")
    font.lengths = tuple(sorted(lengths)) or ((2,) if font.wide else (1,))


def _range(low: bytes, high: bytes, to: Value, font: Font) -> None:
    first, last = int.from_bytes(low, "big"), int.from_bytes(high, "big")
    for offset in range(min(last - first + 1, 65536)):
        code = (first + offset).to_bytes(len(low), "big")
        if isinstance(to, list):
            target = to[offset] if offset < len(to) else None
            if isinstance(target, bytes):
                font.codes[code] = _wide(target)
        elif isinstance(to, bytes) and to:
            number = int.from_bytes(to, "big") + offset
            font.codes[code] = _wide((number % (1 << 8 * len(to))).to_bytes(len(to), "big"))


def _wide(data: bytes) -> str:
    return data.decode("utf-16-be", "ignore") if len(data) > 1 else data.decode("latin-1")

"""The objects of a PDF (ISO 32000-2, clause 7), found in the bytes themselves.

No cross-reference table is asked: objects of a half-written or updated file are found as well. Of
two objects with one number the later one counts.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hakushi.model import Extent, Malformed, Source
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.stream import find, pieces

_OBJECT = re.compile(rb"obj(?![a-z])")
_NUMBERED = re.compile(rb"(?<![0-9])(\d{1,8})[\0\t\n\f\r ]+\d{1,5}[\0\t\n\f\r ]+\Z")
"""What stands before an object: looked for backwards, as a picture is full of digits."""
_ENCRYPT = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")
_TOKEN = re.compile(
    rb"[\0\t\n\f\r ]+|%[^\r\n]*|(<<|>>|[\[\]{}])|/([^\0\t\n\f\r ()<>\[\]{}/%]*)|<([0-9A-Fa-f\s]*)>"
    rb"|(\()|([^\0\t\n\f\r ()<>\[\]{}/%]+)|(.)",
    re.DOTALL,
)
_STRING = re.compile(rb"[^()\\]+|\\([0-7]{1,3}|\r\n|.)|[()]|\\\Z", re.DOTALL)
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)-?\d*\Z")
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_DEEPEST = 32
_LARGEST_OBJECT = 4 << 20
_AHEAD = 40
"""Bytes that an object's numbers may take."""
_LARGEST_STREAM = 64 << 20
_MOST_OBJECTS = 2_000_000
_NOT_TEXT = frozenset({"DCTDecode", "JPXDecode", "CCITTFaxDecode", "JBIG2Decode", "DCT", "CCF"})


class Name(str):
    """/Name"""

    __slots__ = ()


class Word(bytes):
    """A keyword or operator."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Ref:
    number: int


Value = None | bool | int | float | bytes | Name | Word | Ref | list["Value"] | dict[str, "Value"]


class Parser:
    """Values one after the other out of bytes."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    def __iter__(self) -> Iterator[Value]:
        while True:
            value = self.value(0)
            if value is None and self.at >= len(self._data):
                return
            yield value

    def value(self, depth: int) -> Value:
        """The next value; a `Word` for what is none; None at the end, too."""
        if depth > _DEEPEST:
            raise Malformed("PDF values nested too deep")
        while match := _TOKEN.match(self._data, self.at):
            self.at = match.end()
            kind = match.lastindex
            if kind is None:
                continue
            token = match[kind]
            if kind == 1:
                return self._bracket(token, depth)
            if kind == 2:
                return Name(_name(token))
            if kind == 3:
                digits = b"".join(token.split())
                return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
            if kind == 4:
                return self._string()
            return self._word(token)
        self.at = len(self._data)
        return None

    def _bracket(self, token: bytes, depth: int) -> Value:
        if token == b"[":
            return self._until(b"]", depth)
        if token == b"<<":
            flat = self._until(b">>", depth)
            keys = flat[0::2]
            return {
                str(k): v for k, v in zip(keys, flat[1::2], strict=False) if isinstance(k, Name)
            }
        return Word(token)

    def _until(self, close: bytes, depth: int) -> list[Value]:
        out: list[Value] = []
        while self.at < len(self._data):
            value = self.value(depth + 1)
            if isinstance(value, Word):
                if value == close:
                    break
                if value == b"R" and len(out) >= 2 and isinstance(out[-2], int):
                    number = out[-2]
                    out[-2:] = [Ref(number)]
                    continue
                if value in {b">>", b"]", b"endobj"}:
                    break
            out.append(value)
        return out

    def _string(self) -> bytes:
        out, depth = [], 1
        for match in _STRING.finditer(self._data, self.at):
            token = match[0]
            self.at = match.end()
            if token == b"(":
                depth += 1
            elif token == b")":
                depth -= 1
                if depth == 0:
                    break
            elif match[1] is not None:
                token = _escape(match[1])
            out.append(token)
        return b"".join(out)

    def _word(self, token: bytes) -> Value:
        if _NUMBER.match(token):
            try:
                return int(token) if token.lstrip(b"+-").isdigit() else float(token)
            except ValueError:
                # 12.3-4 and the like, as some writers put it.
                return 0
        return {b"true": True, b"false": False, b"null": None}.get(token, Word(token))


def _escape(token: bytes) -> bytes:
    if token[:1].isdigit():
        return bytes([int(token, 8) & 255])
    if token in {b"\r", b"\n", b"\r\n"}:
        return b""
    return _ESCAPED.get(token, token)


def _name(raw: bytes) -> str:
    if b"#" in raw:
        raw = re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), raw)
    return raw.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream object: its dictionary, and where its data start in the file."""

    dictionary: dict[str, Value]
    start: int


class Document:
    """Every object of a PDF at offset 0 of a source."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._at: dict[int, int] = {}
        self._packed: dict[int, bytes] = {}
        self._known: dict[int, Value | Stream] = {}
        self._flaws = 0
        self.encrypted = False
        self._find()

    def _find(self) -> None:
        held = b""
        for at, data in pieces(self._source, self._budget):
            window, base = held + data, at - len(held)
            for match in _OBJECT.finditer(window):
                obj = match.start()
                numbered = _NUMBERED.search(window, max(0, obj - _AHEAD), obj)
                if numbered is not None:
                    self._at[int(numbered[1])] = base + match.end()
            self.encrypted = self.encrypted or _ENCRYPT.search(window) is not None
            if len(self._at) > _MOST_OBJECTS:
                raise Malformed("too many objects")
            held = window[-_AHEAD:]
        for number in list(self._at):
            self._budget.pay()
            found = self.object(number)
            if isinstance(found, Stream) and found.dictionary.get("Type") == "ObjStm":
                self._unpack(found)

    def _unpack(self, stream: Stream) -> None:
        """7.5.7: objects inside a stream; one that stands in the file as well is newer or equal."""
        count, first = stream.dictionary.get("N"), stream.dictionary.get("First")
        data = self.data(stream)
        if not isinstance(count, int) or not isinstance(first, int):
            return
        numbers = [n for n in Parser(data[:first]) if isinstance(n, int)]
        pairs = list(zip(numbers[0::2], numbers[1::2], strict=False))[: max(0, count)]
        for index, (number, offset) in enumerate(pairs):
            end = pairs[index + 1][1] if index + 1 < len(pairs) else len(data) - first
            if number not in self._at:
                self._packed[number] = data[first + offset : first + max(end, offset)]

    def numbers(self) -> list[int]:
        return sorted({*self._at, *self._packed})

    def object(self, number: int) -> Value | Stream:
        """The object of that number; None where there is none or it is broken."""
        if number not in self._known:
            if len(self._known) > 4096:
                self._known.clear()
            self._budget.pay()
            try:
                self._known[number] = self._parsed(number)
            except Spent:
                raise
            except Malformed:
                self._flaws += 1
                self._known[number] = None
        return self._known[number]

    def _parsed(self, number: int) -> Value | Stream:
        if number in self._packed:
            return Parser(self._packed[number]).value(0)
        if number not in self._at:
            return None
        at, reach = self._at[number], 2048
        while True:
            body = self._source.read(Extent(at, reach))
            end = re.search(rb"\bendobj|\bstream\r?\n|\bstream\r", body)
            if end or len(body) < reach or reach >= _LARGEST_OBJECT:
                break
            reach *= 8
        value = Parser(body[: end.start()] if end else body).value(0)
        if end and end[0] != b"endobj" and isinstance(value, dict):
            return Stream(value, at + end.end())
        return value

    def resolve(self, value: Value | Stream) -> Value | Stream:
        """What a reference stands for."""
        for _ in range(8):
            if not isinstance(value, Ref):
                break
            value = self.object(value.number)
        return None if isinstance(value, Ref) else value

    def dictionary(self, value: Value | Stream) -> dict[str, Value]:
        """A dictionary, or a stream's; empty for anything else."""
        found = self.resolve(value)
        if isinstance(found, Stream):
            return found.dictionary
        return found if isinstance(found, dict) else {}

    def array(self, value: Value | Stream) -> list[Value]:
        """An array; of one for anything else, of none for null."""
        found = self.resolve(value)
        if isinstance(found, list):
            return found
        return [] if found is None or isinstance(found, Stream) else [found]

    def extent(self, stream: Stream) -> Extent:
        """Where the raw data of a stream lie: by its length where ``endstream`` bears it out."""
        said = self.resolve(stream.dictionary.get("Length"))
        if isinstance(said, int) and 0 <= said <= self._source.size - stream.start:
            tail = self._source.read(Extent(stream.start + said, 16))
            if tail.lstrip().startswith(b"endstream"):
                return Extent(stream.start, said)
        limit = stream.start + 4 * _LARGEST_STREAM
        end = find(self._source, b"endstream", stream.start, self._budget, limit)
        return Extent(stream.start, max(0, (self._source.size if end < 0 else end) - stream.start))

    def filters(self, stream: Stream) -> list[tuple[str, dict[str, Value]]]:
        names = self.array(stream.dictionary.get("Filter", stream.dictionary.get("F")))
        parameters = self.array(stream.dictionary.get("DecodeParms"))
        out = []
        for index, name in enumerate(names):
            found = parameters[index] if index < len(parameters) else None
            out.append((str(self.resolve(name)), self.dictionary(found)))
        return out

    def data(
        self, stream: Stream, filters: Sequence[tuple[str, dict[str, Value]]] | None = None
    ) -> bytes:
        """A stream's bytes behind its filters, or behind some of them.

        Raises Malformed for a picture's filter, or for what does not decode.
        """
        extent = self.extent(stream)
        if extent.length > _LARGEST_STREAM:
            raise Malformed("a stream too large")
        data = self._source.read(extent)
        for name, parameters in self.filters(stream) if filters is None else filters:
            self._budget.pay(output=len(data))
            data = _decode(data, name, parameters, self._budget)
        return data

    @property
    def flaws(self) -> int:
        """How many objects could not be parsed."""
        return self._flaws


def _decode(data: bytes, name: str, parameters: dict[str, Value], budget: Budget) -> bytes:
    if name in {"FlateDecode", "Fl"}:
        return _predicted(_inflate(data, budget), parameters)
    if name in {"LZWDecode", "LZW"}:
        return _predicted(_lzw(data, parameters.get("EarlyChange") != 0, budget), parameters)
    if name in {"ASCII85Decode", "A85"}:
        return _ascii85(data)
    if name in {"ASCIIHexDecode", "AHx"}:
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", data.partition(b">")[0])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    if name in {"RunLengthDecode", "RL"}:
        return _run_length(data)
    if name == "Crypt":
        return data
    raise Malformed(f"{'a picture' if name in _NOT_TEXT else 'the filter'}: {name}")


def _inflate(data: bytes, budget: Budget) -> bytes:
    engine, out, size = zlib.decompressobj(), [], 0
    fed = data
    try:
        while fed and not engine.eof:
            piece = engine.decompress(fed, 1 << 20)
            budget.pay(output=len(piece))
            out.append(piece)
            size += len(piece)
            if size > _LARGEST_STREAM:
                raise Malformed("a stream inflates to too much")
            fed = engine.unconsumed_tail
    except zlib.error:
        if not out:
            raise Malformed("a stream does not inflate") from None
    return b"".join(out)


def _predicted(data: bytes, parameters: dict[str, Value]) -> bytes:
    """7.4.4.4: PNG predictors (TIFF's is for pictures alone)."""
    predictor, columns = parameters.get("Predictor", 1), parameters.get("Columns", 1)
    colours, bits = parameters.get("Colors", 1), parameters.get("BitsPerComponent", 8)
    if not isinstance(predictor, int) or predictor < 10:
        return data
    if not (isinstance(columns, int) and isinstance(colours, int) and isinstance(bits, int)):
        raise Malformed("predictor")
    width = (columns * colours * bits + 7) // 8
    step = max(1, colours * bits // 8)
    if not 0 < width < 1 << 20:
        raise Malformed("predictor")
    out, above = [], bytes(width)
    for at in range(0, len(data), width + 1):
        above = _unfiltered(
            data[at], data[at + 1 : at + 1 + width].ljust(width, b"\0"), above, step
        )
        out.append(above)
    return b"".join(out)


def _unfiltered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    """ISO/IEC 15948 clause 9."""
    if kind == 0:
        return row
    if kind == 2:
        return bytes((a + b) & 255 for a, b in zip(row, above, strict=True))
    out = bytearray(row)
    for i in range(len(out)):
        left = out[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            out[i] = (out[i] + left) & 255
        elif kind == 3:
            out[i] = (out[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            guess = left + above[i] - corner
            near = min((left, above[i], corner), key=lambda v: abs(guess - v))
            out[i] = (out[i] + near) & 255
    return bytes(out)


def _ascii85(data: bytes) -> bytes:
    clean = re.sub(rb"[\0\s]", b"", data.partition(b"~>")[0]).removeprefix(b"<~")
    try:
        return base64.a85decode(clean)
    except ValueError:
        raise Malformed("ASCII85") from None


def _run_length(data: bytes) -> bytes:
    out, at, size = [], 0, 0
    while at < len(data) and data[at] != 128 and size < _LARGEST_STREAM:
        length = data[at]
        if length < 128:
            out.append(data[at + 1 : at + 2 + length])
            at += 2 + length
        else:
            out.append(data[at + 1 : at + 2] * (257 - length))
            at += 2
        size += len(out[-1])
    return b"".join(out)


def _lzw(data: bytes, early: bool, budget: Budget) -> bytes:
    """7.4.4: codes of 9 to 12 bits; 256 clears, 257 ends."""
    table: list[bytes] = []
    out: list[bytes] = []
    width, held, bits, last, size = 9, 0, 0, b"", 0
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        if bits < width:
            continue
        bits -= width
        code, held = held >> bits, held & (1 << bits) - 1
        if code == 256:
            table, width, last = [bytes([i]) for i in range(256)] + [b"", b""], 9, b""
            continue
        if code == 257 or code > len(table) or not table:
            break
        word = table[code] if code < len(table) else last + last[:1]
        if last:
            table.append(last + word[:1])
        out.append(word)
        size += len(word)
        if size > _LARGEST_STREAM:
            raise Malformed("a stream unpacks to too much")
        last = word
        if len(table) + early >= 1 << width and width < 12:
            width += 1
    budget.pay(steps=len(out), output=size)
    return b"".join(out)

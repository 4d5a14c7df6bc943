"""The words of a PDF's pages (ISO 32000-2, 9.4), put back into lines and tables by their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Malformed, Source, Text
from hakushi.recover.cursor import Budget, Spent
from hakushi.recover.grammar.pdf import Document, Name, Parser, Ref, Stream, Value, Word
from hakushi.recover.grammar.pdf_font import Font, font_of
from hakushi.recover.grammar.table import laid_out

Matrix = tuple[float, float, float, float, float, float]
_SAME: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_DEEPEST = 8
_MOST_PIECES = 200_000
_FIELDS = (
    "T",
    "TU",
    "V",
    "DV",
    "Contents",
    "Title",
    "Author",
    "Subject",
    "Keywords",
    "Creator",
    "URI",
)


def _times(a: Matrix, b: Matrix) -> Matrix:
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A string that was shown: where it starts, how far it reaches, how large it is."""

    x: float
    y: float
    end: float
    size: float
    chars: str


def texts(source: Source, budget: Budget) -> Iterator[Text]:
    """Page by page; then form fields, notes and properties.

    Raises Malformed at the end where something could not be turned into characters.
    """
    document = Document(source, budget)
    if document.encrypted:
        return
    reader = _Reader(document, budget)
    for number, page in enumerate(_pages(document), 1):
        pieces = reader.page(page)
        yield from _lines(pieces, f"page {number}")
    yield from _fields(document)
    if reader.flaws or document.flaws:
        raise Malformed(f"{reader.flaws + document.flaws} parts of the PDF could not be parsed")
    if reader.lost:
        raise Malformed(f"{reader.lost} glyphs stand in fonts that name no characters")


def _pages(document: Document) -> Iterator[dict[str, Value]]:
    """Every page object: those of the page tree in its order, then those that hang nowhere."""
    left: list[Value] = []
    pages: list[int] = []
    for number in document.numbers():
        kind = document.dictionary(Ref(number)).get("Type")
        if kind == "Page":
            pages.append(number)
        elif kind == "Catalog":
            left.append(document.dictionary(Ref(number)).get("Pages"))
    ordered: dict[int, None] = {}
    met: set[int] = set()
    while left:
        value = left.pop()
        if not isinstance(value, Ref) or value.number in met:
            continue
        met.add(value.number)
        node = document.dictionary(value)
        if node.get("Type") == "Page":
            ordered[value.number] = None
        left += reversed(document.array(node.get("Kids")))
    for number in (*ordered, *(n for n in pages if n not in ordered)):
        yield document.dictionary(Ref(number))


class _Reader:
    """Follows the operators of content streams."""

    def __init__(self, document: Document, budget: Budget) -> None:
        self._document = document
        self._budget = budget
        self._fonts: dict[object, Font] = {}
        self.lost = 0
        self.flaws = 0
        self._pieces: list[Piece] = []

    def page(self, page: dict[str, Value]) -> list[Piece]:
        self._pieces = []
        resources = self._inherited(page, "Resources")
        for data in self._contents(page.get("Contents")):
            self._content(data, resources, _SAME, 0)
        for note in self._document.array(page.get("Annots")):
            look = self._document.dictionary(self._document.dictionary(note).get("AP"))
            form = self._document.resolve(look.get("N"))
            if isinstance(form, Stream):
                self._form(form, resources, _SAME, 0)
        return self._pieces

    def _inherited(self, page: dict[str, Value], key: str) -> dict[str, Value]:
        for _ in range(_DEEPEST):
            if key in page:
                return self._document.dictionary(page[key])
            page = self._document.dictionary(page.get("Parent"))
        return {}

    def _contents(self, value: Value) -> Iterator[bytes]:
        """One stream, or several that count as one."""
        found = self._document.resolve(value)
        every = [found] if isinstance(found, Stream) else self._document.array(value)
        out = []
        for one in every:
            stream = self._document.resolve(one) if not isinstance(one, Stream) else one
            if isinstance(stream, Stream):
                out.append(self._data(stream))
        yield b"\n".join(out)

    def _data(self, stream: Stream) -> bytes:
        try:
            return self._document.data(stream)
        except Spent:
            raise
        except Malformed:
            self.flaws += 1
            return b""

    def _form(self, form: Stream, resources: dict[str, Value], base: Matrix, depth: int) -> None:
        if form.dictionary.get("Subtype") != "Form" or depth > _DEEPEST:
            return
        own = self._document.dictionary(form.dictionary.get("Resources")) or resources
        matrix = _matrix(self._document.array(form.dictionary.get("Matrix")))
        self._content(self._data(form), own, _times(matrix, base), depth + 1)

    def _content(self, data: bytes, resources: dict[str, Value], base: Matrix, depth: int) -> None:
        state = _State(base)
        saved: list[tuple[Matrix, Font | None, float]] = []
        held: list[Value] = []
        fonts = self._document.dictionary(resources.get("Font"))
        forms = self._document.dictionary(resources.get("XObject"))
        for value in _Operands(data):
            if not isinstance(value, Word):
                held.append(value)
                continue
            self._budget.pay()
            if value == b"q":
                saved.append((state.page, state.font, state.size))
                del saved[:-512]
            elif value == b"Q" and saved:
                state.page, state.font, state.size = saved.pop()
            elif value == b"Tf" and len(held) >= 2:
                state.font = self._font(fonts.get(str(held[-2])))
                state.size = _number(held[-1])
            elif value == b"Do" and held:
                form = self._document.resolve(forms.get(str(held[-1])))
                if isinstance(form, Stream):
                    self._form(form, resources, state.page, depth)
            else:
                self._operate(state, bytes(value), held)
            held = []

    def _operate(self, state: _State, operator: bytes, held: list[Value]) -> None:
        if operator in {b"Tj", b"'", b'"'} and held:
            if operator != b"Tj":
                state.next_line()
            self._show(state, held[-1:])
        elif operator == b"TJ" and held and isinstance(held[-1], list):
            self._show(state, held[-1])
        else:
            state.operate(operator, held)

    def _font(self, value: Value) -> Font | None:
        key = value.number if isinstance(value, Ref) else id(value)
        if key not in self._fonts:
            self._fonts[key] = font_of(self._document, value)
        return self._fonts[key]

    def _show(self, state: _State, values: list[Value]) -> None:
        """One string or several with shifts between; a wide shift is a gap between words."""
        font = state.font or Font()
        chars: list[str] = []
        start = state.place()
        for value in values:
            if isinstance(value, bytes):
                found, lost, width = font.characters(value)
                self.lost += lost
                chars.append(found)
                state.advance(width / 1000 * state.size, len(found), font.vertical)
            elif isinstance(value, (int, float)):
                state.advance(-value / 1000 * state.size, 0, font.vertical)
                if value < -250 and chars and not chars[-1].endswith(" "):
                    chars.append(" ")
        end = state.place()
        text = "".join(chars)
        if len(self._pieces) >= _MOST_PIECES:
            self.flaws += 1
        elif text:
            size = abs(state.size * (state.scale() or 1.0)) or 1.0
            self._pieces.append(Piece(start[0], start[1], max(start[0], end[0]), size, text))


class _State:
    """The text state and matrices (9.3, 9.4)."""

    def __init__(self, base: Matrix) -> None:
        self.page = base
        self.font: Font | None = None
        self.size = 1.0
        self.leading = 0.0
        self.spacing = 0.0
        self.stretch = 1.0
        self.line = _SAME
        self.text = _SAME

    def place(self) -> tuple[float, float]:
        matrix = _times(self.text, self.page)
        return matrix[4], matrix[5]

    def scale(self) -> float:
        matrix = _times(self.text, self.page)
        return max(abs(matrix[3]), abs(matrix[1]))

    def advance(self, by: float, characters: int, vertical: bool) -> None:
        by += characters * self.spacing
        shift = (
            (1.0, 0.0, 0.0, 1.0, 0.0, -by)
            if vertical
            else (1.0, 0.0, 0.0, 1.0, by * self.stretch, 0.0)
        )
        self.text = _times(shift, self.text)

    def next_line(self) -> None:
        self.move(0.0, -self.leading)

    def move(self, x: float, y: float) -> None:
        self.line = self.text = _times((1.0, 0.0, 0.0, 1.0, x, y), self.line)

    def operate(self, operator: bytes, held: list[Value]) -> None:
        numbers = [_number(v) for v in held]
        match operator, len(numbers):
            case b"BT", _:
                self.line = self.text = _SAME
            case b"Td", n if n >= 2:
                self.move(numbers[-2], numbers[-1])
            case b"TD", n if n >= 2:
                self.leading = -numbers[-1]
                self.move(numbers[-2], numbers[-1])
            case b"Tm", n if n >= 6:
                self.line = self.text = _matrix(held[-6:])
            case b"T*", _:
                self.next_line()
            case b"TL", n if n:
                self.leading = numbers[-1]
            case b"Tc", n if n:
                self.spacing = numbers[-1]
            case b"Tz", n if n:
                self.stretch = numbers[-1] / 100
            case b"cm", n if n >= 6:
                self.page = _times(_matrix(held[-6:]), self.page)
            case _:
                pass


class _Operands:
    """Values of a content stream; the bytes of inline images (8.9.7) are passed over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parser = Parser(data)

    def __iter__(self) -> Iterator[Value]:
        for value in self._parser:
            if isinstance(value, Word) and value == b"ID":
                end = self._data.find(b"EI", self._parser.at)
                while end >= 0 and self._data[end + 2 : end + 3].strip(b"\0\t\n\f\r Q"):
                    end = self._data.find(b"EI", end + 2)
                self._parser.at = len(self._data) if end < 0 else end + 2
            yield value


def _number(value: Value) -> float:
    if isinstance(value, (int, float)) and abs(value) < 1e9:
        return float(value)
    return 0.0


def _matrix(values: list[Value]) -> Matrix:
    if len(values) != 6:
        return _SAME
    a, b, c, d, e, f = (_number(v) for v in values)
    return (a, b, c, d, e, f)


# --- lines and tables --------------------------------------------------------------------


def _lines(pieces: list[Piece], part: str) -> Iterator[Text]:
    """Pieces of one height are a line; wide gaps part its cells; such lines in a row a table."""
    prose: list[str] = []
    rows: list[list[str]] = []
    tables: list[list[list[str]]] = []
    for line in _rows_of(pieces):
        cells = _cells_of(line)
        if len(cells) >= 2:
            rows.append(cells)
            continue
        if len(rows) >= 3:
            tables.append(rows)
        else:
            prose += ["\t".join(row) for row in rows]
        rows = []
        prose.append(cells[0])
    if len(rows) >= 3:
        tables.append(rows)
    else:
        prose += ["\t".join(row) for row in rows]
    for number, table in enumerate(tables, 1):
        yield from laid_out(table, f"{part} table {number}")
    if prose:
        yield Text("\n".join(prose) + "\n", part=part)


def _rows_of(pieces: list[Piece]) -> Iterator[list[Piece]]:
    line: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: (-p.y, p.x)):
        if line and line[0].y - piece.y > 0.4 * min(line[0].size, piece.size):
            yield sorted(line, key=lambda p: p.x)
            line = []
        line.append(piece)
    if line:
        yield sorted(line, key=lambda p: p.x)


def _cells_of(line: list[Piece]) -> list[str]:
    cells = [line[0].chars]
    end = line[0].end
    for piece in line[1:]:
        gap = (piece.x - end) / piece.size
        if gap > 1.0:
            cells.append(piece.chars)
        else:
            cells[-1] += " " + piece.chars if gap > 0.2 else piece.chars
        end = max(end, piece.end)
    return [cell.strip() for cell in cells]


def _fields(document: Document) -> Iterator[Text]:
    """Form fields, notes, links, properties: strings that stand on no page."""
    lines = []
    for number in document.numbers():
        said = document.dictionary(Ref(number))
        if str(said.get("Type")) in {"Font", "Page", "ObjStm", "XRef"}:
            continue
        action = document.dictionary(said.get("A"))
        words = [
            f"{key}: {_string(value)}"
            for key in _FIELDS
            if isinstance(value := document.resolve(said.get(key, action.get(key))), bytes)
            and not isinstance(value, (Word, Name))
            and value
        ]
        if words:
            lines.append("  ".join(words))
    if lines:
        yield Text("\n".join(lines) + "\n", part="fields")


def _string(data: bytes) -> str:
    """7.9.2.2: UTF-16 or UTF-8 by its mark; else PDFDocEncoding, much like Latin-1."""
    if data.startswith(b"\xfe\xff"):
        return data[2:].decode("utf-16-be", "replace")
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    from hakushi.recover.grammar.encoding import guess

    # Older Japanese writers put Shift_JIS there.
    return data.decode(guess(data) or "latin-1", "replace")

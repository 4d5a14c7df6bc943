"""Tables inside a text: what each column's header says its cells are."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from hakushi.detect import dumps, loose
from hakushi.detect.detector import Detector
from hakushi.detect.names import certain
from hakushi.detect.registry import detectors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_FIELD = re.compile(r'"(?:[^"\n]|"")*"|[^,\t;|\n"]*')
_ALIGNED = re.compile(r"[^ \n](?: ?[^ \n])*")
_EDGES = " \"'\r"
"""What stands around a field and is no part of it."""

_TRIM = " \"'「」『』【】[]*＊:|"
_REST = re.compile(r"(?:名|欄|様|漢字|[0-9①②③]|\([^()]{0,12}\)){0,3}$")
_FOREIGN = re.compile(
    r"(?:番号|コード|ID|[Nn][Oo]\.?|№|JAN|ISBN|SKU|伝票|品番|型番|数量|単価|金額|[Cc]ode)$"
)
_GATE_WIDE = (
    "氏|名|姓|カナ|ガナ|ｶﾅ|ｶﾞﾅ|がな|かな|ヨミ|住|所在|届|電話|携帯|連絡|生年|誕生|出生|メール|ﾒｰﾙ|番号"
    "|コード|口座|郵便|〒|会社|法人|商号|屋号|者|保証人|会員|社員|職員|生徒|児童|講師|担当|担任|主治医|医師|喪主|施主|役員|委員|指導員|支援員|相談員|隊員|団員|部員|選手|班長|理事|監事|ケアマネ"
)
_GATE_ASCII = (
    "TEL|Tel|tel|FAX|Mail|mail|MAIL|Name|name|NAME|Phone|phone|mobile|kana|addr"
    "|ddress|Zip|zip|irth|DOB|dob|_no|_num|_code|_card|_lic|_plate|_insur|passport|mynumber"
)
_GATE = re.compile(f"{_GATE_WIDE}|{_GATE_ASCII}")
"""Words of which a header has at least one: a cheap look before columns are read."""

_OTHER = re.compile(
    r"性別|年齢|年令|所属|部署|役職|職名|職種|職業|備考|摘要|続柄|学年|学級|クラス|組|出席番号|番号|No\.?|№|ID|区分|種別|状態"
    r"|金額|数量|単価|合計|点数|得点|順位|評価|結果|日付|日時|登録日|更新日|作成日|受付日|入社日|採用日|退職日|入会日|加入日|期間|期限"
    r"|血液型|国籍|出身地?|勤務先|学校名|曜日|時間|内容|用件|理由|メモ|コメント|印|確認|出欠|会費|給与|基本給|支給額|税額"
)
"""Fields of headers that are no personal data themselves."""

_READING = re.compile(
    "[ァ-ヺー\uff66-\uff9f]{2,10}[ ・]{1,2}[ァ-ヺー\uff66-\uff9f]{2,10}"
    "|[ぁ-ゖー]{2,10}[ ・]{1,2}[ぁ-ゖー]{2,10}"
)

_VALUED = re.compile(
    r"(?:明治|大正|昭和|平成|令和|[明大昭平令]|(?<![A-Za-z])[MTSHR]) ?(?:\d{1,2}|元)[年./]"
    r"|(?:19|20)\d\d ?[年./] ?\d|\d ?[()] ?\d{3}"
)
"""A day or a telephone number, as values have them and headers have not."""

_DELIMITED = re.compile(r"[\t,|;]|  ")
_VALUES = re.compile(r"\d{5}|@|\d-\d")
"""What a row of values has and a header has not; `kernel.lines` knows it, too."""

_OF_ROWS = ("\t", ",", ";", "|", "  ")
"""In the order in which `kernel.lines` counts them."""

_PLAIN = ("\t", ",", ";", "|")
_TUPLES = "("
"""Stands for the delimiter where the rows are the tuples of an INSERT."""

_SAMPLE_ROWS, _FEWEST_ROWS, _MOST = 12, 5, 0.75
"""Rows read to tell a table without a header, rows needed, share of cells that must agree."""

_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_ .]{0,23}")
"""What programs call a column."""

_MAX_LINE = 20_000
_MAX_COLUMNS = 256


@dataclass(frozen=True, slots=True)
class Column:
    """What a header says: a kind, or a ``part`` of its values, or that it is some other number
    (``foreign``), or nothing.
    """

    kind: str | None = None
    foreign: bool = False
    part: bool = False


HEADER = Column("")
"""Stands over a header line itself: its words are labels, no values."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a delimited table: how its lines split, and its columns."""

    delimiter: str
    columns: tuple[Column, ...]
    table: str = ""
    """What a dump calls it."""


class Cells:
    """Cells of tables in order of place: character offsets of each, trimmed, and its column.

    Three lists, as a text may have a million of them.
    """

    __slots__ = ("columns", "ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.columns: list[Column] = []

    def add(self, start: int, end: int, column: Column) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.columns.append(column)

    def sort(self) -> None:
        """Puts them in order of place where they were not."""
        if any(a > b for a, b in pairwise(self.starts)):
            order = sorted(range(len(self.starts)), key=self.starts.__getitem__)
            self.starts = [self.starts[i] for i in order]
            self.ends = [self.ends[i] for i in order]
            self.columns = [self.columns[i] for i in order]

    def at(self, place: int) -> int:
        """The number of the cell that holds the character at a place; -1 where none does."""
        i = bisect_right(self.starts, place) - 1
        return i if i >= 0 and place < self.ends[i] else -1


@cache
def _cell_forms(part: bool) -> dict[str, tuple[tuple[Detector, tuple[re.Pattern[str], ...]], ...]]:
    forms: dict[str, tuple[tuple[Detector, tuple[re.Pattern[str], ...]], ...]] = {}
    for one in detectors():
        patterns = tuple(re.compile(p) for p in (*one.cell, *(one.part_cell if part else ())))
        forms[one.kind] = (*forms.get(one.kind, ()), (one, patterns))
    return forms


def whole(kind: str, value: str, *, part: bool = False) -> tuple[Detector, int, int, str] | None:
    """Where the value stands in a cell, if the whole cell is what its column says; and the value,
    normalised.
    """
    for detector, patterns in _cell_forms(part)[kind]:
        for pattern in patterns:
            match = pattern.fullmatch(value)
            if match is None:
                continue
            low, high = match.span("v") if "v" in pattern.groupindex else match.span()
            normal = detector.normal(value[low:high])
            if detector.prove(normal):
                return detector, low, high, normal
    return None


def _fits(kind: str, value: str) -> bool:
    return whole(kind, value.strip(_EDGES)) is not None


@lru_cache(maxsize=1)
def _headers() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((d.kind, re.compile(d.header, re.IGNORECASE)) for d in detectors() if d.header)


@cache
def _parts() -> dict[str, re.Pattern[str]]:
    """Headers that name a part of a kind's values."""
    return {d.kind: re.compile(d.part_header, re.IGNORECASE) for d in detectors() if d.part_header}


@lru_cache(maxsize=1)
def _any_header() -> re.Pattern[str]:
    """Any header at all: one cheap look at the many cells that are none."""
    return re.compile("|".join(f"(?:{p.pattern})" for _, p in _headers()), re.IGNORECASE)


STEMS = (
    "account",
    "addr",
    "age",
    "birth",
    "bsn",
    "burger",
    "card",
    "codice",
    "company",
    "corporat",
    "dni",
    "dob",
    "employment",
    "fax",
    "furigana",
    "gender",
    "hokensha",
    "iban",
    "insurer",
    "jin",
    "jumin",
    "kana",
    "kouza",
    "koyo",
    "licen",
    "mei",
    "mail",
    "menkyo",
    "mobile",
    "nama",
    "name",
    "nenkin",
    "nie",
    "nif",
    "nir",
    "number",
    "passport",
    "passwd",
    "password",
    "pan",
    "pension",
    "personnummer",
    "pesel",
    "phone",
    "post",
    "pw",
    "residen",
    "rijks",
    "sei",
    "ryoken",
    "seinengappi",
    "sex",
    "social",
    "ssn",
    "steuer",
    "tel",
    "zairyu",
    "zip",
)
"""Of these one is in every header in ASCII: searched at a tenth of the cost of the patterns, as
English prose has very many lines that may be headers."""


def _may_say(name: str) -> bool:
    low = name.lower()
    return any(stem in low for stem in STEMS)


_AS_REMARKED = re.compile(r"(?<=.)\([^()]{1,12}\)")


@lru_cache(maxsize=1 << 16)
def column(name: str) -> Column:
    """What a folded header cell says, if not without what it says in brackets."""
    said = _column(name)
    bare = _AS_REMARKED.sub("", name)
    return said if said.kind is not None or bare == name else _column(bare)


def _column(name: str) -> Column:
    """Japanese puts the head last, so the last match wins."""
    name = name.strip(_TRIM).replace(" ", "")
    if not name or len(name) > 40:
        return Column()
    if (name.isascii() and not _may_say(name)) or not _any_header().search(name):
        return Column(foreign=bool(_FOREIGN.search(name)))
    best: tuple[int, int, str] | None = None
    for kind, pattern in _headers():
        for match in pattern.finditer(name):
            rank = (match.end(), match.end() - match.start(), kind)
            best = rank if best is None or rank[:2] > best[:2] else best
    if best is not None and _REST.match(name, best[0]):
        part = _parts().get(best[2])
        return Column(best[2], part=part is not None and bool(part.fullmatch(name)))
    return Column(foreign=bool(_FOREIGN.search(name)))


def split(line: str, base: int, delimiter: str) -> list[tuple[int, int]]:
    """The fields of one line as trimmed character spans; quotes are not part of a field."""
    if delimiter == "  ":
        return [(base + m.start(), base + m.end()) for m in _ALIGNED.finditer(line)]
    out: list[tuple[int, int]] = []
    if '"' not in line:
        at = 0
        for field in line.split(delimiter):
            out.append(_trim(line, at, at + len(field), base))
            at += len(field) + 1
        return out
    at = 0
    while at <= len(line) and len(out) < _MAX_COLUMNS:
        end = _quoted(line, at) if line.startswith('"', at) else -1
        end = line.find(delimiter, max(at, end)) if end != len(line) else -1
        end = len(line) if end < 0 else end
        out.append(_trim(line, at, end, base))
        at = end + 1
    return out


def _quoted(line: str, at: int) -> int:
    """The end of a quoted field that starts at ``at``."""
    match = _FIELD.match(line, at)
    return match.end() if match else at


def _trim(line: str, start: int, end: int, base: int) -> tuple[int, int]:
    while start < end and line[start] in _EDGES:
        start += 1
    while end > start and line[end - 1] in _EDGES:
        end -= 1
    return base + start, base + end


def header_of(line: str, below: Callable[[], str] = str) -> Header | None:
    """The header that a folded line is, if two or more of its fields name a kind.

    One is enough in Japanese beside words that are known in headers, or where the line ``below``
    has a person's name in its place; and among names of fields, as programs have them, where it has
    what the field is named after.
    """
    if len(line) > _MAX_LINE or _VALUES.search(line) or not _GATE.search(line):
        return None
    if _VALUED.search(line):
        return None
    for delimiter in ("\t", ",", "|", ";", "  "):
        if delimiter not in line:
            continue
        fields = split(line, 0, delimiter)
        if len(fields) < 2 or len(fields) > _MAX_COLUMNS:
            continue
        names = [line[a:b] for a, b in fields]
        columns = tuple(map(column, names))
        known = sum(c.kind is not None for c in columns)
        said = known >= 2 and known * 3 >= len(columns)
        if not said and not (known == 1 and _said_else(names, columns, delimiter, below)):
            continue
        if not any(map(_holds, names)):  # else the line of a form: 申請者  氏名  山田 太郎
            return Header(delimiter, columns)
    return None


def _holds(name: str) -> bool:
    """Does the field of a line hold a person's name, by itself or before another label?"""
    if certain(name) or _READING.fullmatch(name):
        return True
    words = name.split(" ")
    return len(words) > 2 and certain(" ".join(words[:2]))


def _said_else(
    names: list[str], columns: tuple[Column, ...], delimiter: str, below: Callable[[], str]
) -> bool:
    """Is it a header although one field alone names a kind?"""
    place = next(i for i, one in enumerate(columns) if one.kind is not None)
    foreign = names[place].isascii()
    if any(len(name) > 24 for name in names) or (foreign and not all(map(_NAMED.fullmatch, names))):
        return False
    beside = names[:place] + names[place + 1 :]
    others = sum(_OTHER.fullmatch(name.replace(" ", "")) is not None for name in beside)
    if not foreign and others and (others + 1) * 3 >= len(names):
        return True
    line, kind = below(), columns[place].kind
    fields = split(line, 0, delimiter) if delimiter in line else []
    if len(fields) != len(names) or kind is None:
        return False
    start, end = fields[place]
    value = line[start:end]
    return certain(value) if kind == "person_name" else foreign and _fits(kind, value)


def cells(
    folded: str, carried: Header | None = None, watch: int | None = None
) -> tuple[Cells, Header | None]:
    """The cells below headers in a text, and the header that holds at ``watch``, or at its end.

    ``carried`` is the header that held where the text begins (the text is a part of a longer one).
    """
    out, held = _spaced(folded, carried, watch)
    _loosely(folded, out)
    return out, held


def header_words() -> loose.Words:
    """What is known of headers."""
    return loose.Words(lambda name: column(name).kind, _OTHER, _fits)


def _loosely(folded: str, out: Cells) -> None:
    """Adds the cells of lists that spaces alone set apart, and of labels above their values, where
    no other table has them.
    """
    added = False
    for start, end, some in list(loose.blocks(folded, header_words())):
        if any(out.at(place) >= 0 for place, _, _ in some):
            continue
        out.add(start, end, HEADER)
        for a, b, kind in some:
            out.add(*_trim(folded, a, b, 0), Column(kind))
        added = True
    if added:
        out.sort()


def _spaced(folded: str, carried: Header | None, watch: int | None) -> tuple[Cells, Header | None]:
    """The cells below headers whose lines have delimiters, and the rows of dumps."""
    out = Cells()
    header, at = carried, 0
    dumped = {carried.table: carried} if carried is not None and carried.table else {}
    plain = 0  # lines before this place were seen to have no header and to say none
    watched: Header | None = None
    pending = watch is not None
    promising = _promising(folded)
    while at < len(folded):
        if header is None:
            place = bisect_left(promising.every, at)
            if place == len(promising.every):
                break
            at = promising.every[place]
        if pending and watch is not None and at >= watch:
            pending, watched = False, header
        goal = watch if pending and watch is not None else len(folded)
        before, at = at, _plain_rows(promising, at, goal, header, out)
        if at > before:
            continue
        end = line_end(folded, at)
        opened = dumps.opening(folded, at, end)
        fresh = None
        if opened is None and at in promising.headers:
            fresh = header_of(folded[at:end], partial(_line, folded, end + 1))
        if opened is not None:
            header = _dumped(folded, at, opened, end, dumped)
            out.add(at, opened.start, HEADER)
            _in_tuples(folded, opened.start, end, header, out)
        elif header is not None and header.delimiter == _TUPLES:
            more = _in_tuples(folded, at, end, header, out)
            header = header if more or at == 0 else None
        elif fresh is not None:
            header = fresh
            out.add(at, end, HEADER)
        else:
            if header is None and at >= plain and at in promising.rows:
                header, plain = _said_by_rows(folded, at, promising.headers)
            if header is not None and not _cells_of(folded[at:end], at, header, out):
                header = None
        at = end + 1
    return out, header if pending or watch is None else watched


def _plain_rows(
    promising: _Promising, at: int, goal: int, header: Header | None, out: Cells
) -> int:
    """Reads rows below a header, from ``at`` up to ``goal`` or the first line that needs a second
    look, all at once; and where that was.
    """
    from hakushi.detect import kernel

    codes = promising.codes
    if header is None or codes is None or header.delimiter not in _PLAIN:
        return at
    stop, width = promising.until(at, goal), len(header.columns)
    delimiter, before = ord(header.delimiter), -1
    while before < at < stop:
        before = at
        at, found = kernel.rows(codes, at, stop, delimiter, width, _MAX_LINE)
        out.starts += found[:, 0].tolist()
        out.ends += found[:, 1].tolist()
        out.columns += [header.columns[place] for place in found[:, 2].tolist()]
    return at


def _dumped(
    folded: str, at: int, opened: dumps.Opening, end: int, known: dict[str, Header]
) -> Header:
    """The header of a dump's rows: by the names of the columns, what is ``known`` of the table, its
    making, or what the first rows say. A table whose columns nothing tells is known, too: the next
    statement need not look again.
    """
    if not opened.names and opened.table in known:
        return known[opened.table]
    names = opened.names or dumps.created(folded, at, opened.table)
    columns = tuple(column(name) for name in names)
    few = False
    if not any(c.kind for c in columns) and not opened.tabs:
        rows = list(islice(dumps.tuples(folded, opened.start, end), _SAMPLE_ROWS))
        same = [[folded[a:b] for a, b in row] for row in rows if len(row) == len(rows[0])]
        few = len(same) < _FEWEST_ROWS
        columns = _said_by_few(same) if few else _said(same)
    delimiter = "\t" if opened.tabs else _TUPLES
    header = Header(delimiter, columns, opened.table)
    if opened.names or few:
        return header  # the next statement tells its own
    return known.setdefault(opened.table, header)


def _in_tuples(folded: str, low: int, high: int, header: Header, out: Cells) -> bool:
    """Adds the cells of a dump's tuples; are there any?"""
    before = len(out.starts)
    for row in dumps.tuples(folded, low, high):
        if len(row) == len(header.columns):
            for (a, b), column in zip(row, header.columns, strict=True):
                if a < b:
                    out.add(*_trim(folded, a, b, 0), column)
    return len(out.starts) > before


@dataclass(frozen=True, slots=True)
class _Promising:
    """Where lines begin that may be headers, rows that say their columns, or any of all these."""

    every: list[int]
    headers: frozenset[int]
    rows: frozenset[int]
    special: list[int]
    """Those that may be headers or open a dump's rows."""
    codes: npt.NDArray[np.uint32] | None
    """The text, where it was looked at character by character."""

    def until(self, at: int, end: int) -> int:
        """The first special line from ``at`` on, or the end if that comes first."""
        i = bisect_left(self.special, at)
        return min(self.special[i], end) if i < len(self.special) else end


def _places(folded: str, word: str) -> Iterator[int]:
    """Where a word stands: far faster than a pattern where it is rare."""
    at = folded.find(word)
    while at >= 0:
        yield at
        at = folded.find(word, at + len(word))


def _promising(folded: str) -> _Promising:
    """Where the lines begin at which a table may begin, so that the others are not looked at.

    A header has a word of `_GATE`, a delimiter and nothing of `_VALUES`. Rows that say their
    columns are `_FEWEST_ROWS` or more with the same delimiter, as often in each, unless quotes hide
    some.
    """
    import numpy as np

    dumped = [at for word in dumps.WORDS for at in _places(folded, word)]
    if not dumped and _DELIMITED.search(folded) is None:
        return _Promising([], frozenset(), frozenset(), [], None)
    from hakushi.detect import kernel

    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
    starts, good, alike = kernel.lines(codes, _classes(), *_words(), _FEWEST_ROWS, _NUMBER)
    headers, rows = starts[good].tolist(), frozenset(starts[alike].tolist())
    opened = [folded.rfind("\n", 0, at) + 1 for at in dumped]
    special = sorted({*headers, *opened}) if opened else headers
    every = sorted({*special, *rows}) if rows else special
    return _Promising(every, frozenset(headers), rows, special, codes)


_NUMBER = 6
"""Digits of the shortest number that says what its column is."""


@cache
def _classes() -> npt.NDArray[np.uint8]:
    """What `kernel.lines` wants: tab, comma, semicolon, bar and quotes are the delimiters."""
    import numpy as np

    from hakushi.detect import kernel

    bits = np.zeros(0x10000, np.uint8)
    for place, delimiter in enumerate('\t,;|"'):
        bits[ord(delimiter)] |= 1 << place
    for low, high in (("@", "@"), ("ぁ", "ヿ"), ("\u3400", "\u9fff"), ("｡", "ﾟ")):
        bits[ord(low) : ord(high) + 1] |= kernel.TELLING
    bits[ord(" ")] = kernel.BLANK
    bits[[ord(sign) for sign in "0123456789\n@"]] |= kernel.OTHER
    bits[_words()[1] > 0] |= kernel.OTHER
    return bits


@cache
def _words() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """The words of `_GATE` in order, a row each, zeros behind them; and for each code point the
    number of the first word that begins with it, from one on.
    """
    import numpy as np

    words = sorted(f"{_GATE_WIDE}|{_GATE_ASCII}".split("|"))
    table = np.zeros((len(words), max(map(len, words))), np.uint32)
    firsts = np.zeros(0x10000, np.uint8)
    for number, word in reversed(list(enumerate(words))):
        table[number, : len(word)] = [ord(char) for char in word]
        firsts[ord(word[0])] = number + 1
    return table, firsts


def _line(folded: str, at: int) -> str:
    return folded[at : line_end(folded, at)]


def line_end(folded: str, at: int) -> int:
    """Where the line ends that the character at ``at`` stands in."""
    end = folded.find("\n", at)
    return len(folded) if end < 0 else end


def _cells_of(line: str, base: int, header: Header, out: Cells) -> bool:
    """Adds the cells of a line below a header; is it a row, or a rule between rows?"""
    fields = _row(line, base, header)
    for (a, b), column in zip(fields or (), header.columns, strict=False):
        if a < b:
            out.add(a, b, column)
    return fields is not None


def _said_by_rows(folded: str, at: int, headers: frozenset[int]) -> tuple[Header | None, int]:
    """The header that some rows without one say by their cells; and up to where they were read."""
    delimiter, width, end = "", 0, at
    rows: list[list[str]] = []
    while len(rows) < _SAMPLE_ROWS and at < len(folded):
        end = line_end(folded, at)
        line = folded[at:end]
        if not rows:
            delimiter = next((d for d in _OF_ROWS if d in line), "")
        fields = split(line, 0, delimiter) if delimiter and len(line) <= _MAX_LINE else []
        if len(fields) < 2 or (rows and len(fields) != width):
            break
        if at in headers and header_of(line) is not None:
            break
        width = len(fields)
        rows.append([line[a:b] for a, b in fields])
        at = end + 1
    if len(rows) < _FEWEST_ROWS:
        return None, end
    columns = _said(rows)
    return (Header(delimiter, columns) if any(c.kind for c in columns) else None), at


def _said(rows: list[list[str]]) -> tuple[Column, ...]:
    """What the columns of rows are, by what most of their cells look like."""
    kinds: list[str | None] = []
    for values in zip(*rows, strict=True):
        filled = [v for v in values if v]
        found = None
        for one in detectors():
            if one.alike is None or len(filled) < _FEWEST_ROWS:
                continue
            if _most(filled, one.alike, 1.0 if one.scarce else _MOST):
                found = one.kind
                break
        kinds.append(found)
    beside = {d.kind: d.beside for d in detectors()}
    return tuple(
        Column(k) if k is not None and (not beside[k] or beside[k] in kinds) else Column()
        for k in kinds
    )


def _said_by_few(rows: list[list[str]]) -> tuple[Column, ...]:
    """The names and their readings in rows too few to tell what the other columns are."""
    people = {d.kind: d.alike for d in detectors() if d.kind in ("person_name", "kana_name")}
    kinds = [
        next((k for k, alike in people.items() if alike and all(map(alike, values))), None)
        for values in zip(*rows, strict=True)
    ]
    named = "person_name" in kinds
    return tuple(Column(kind) if named and kind else Column() for kind in kinds)


def _most(values: list[str], alike: Callable[[str], bool], share: float) -> bool:
    """Are so many of them alike? Ends where that is out of reach, as in most columns."""
    spare = len(values) - share * len(values)
    for value in values:
        if not alike(value):
            spare -= 1
            if spare < 0:
                return False
    return True


def _row(line: str, base: int, header: Header) -> list[tuple[int, int]] | None:
    """The fields of a row under the header; None where the table has ended."""
    if len(line) > _MAX_LINE:
        return None
    if not line.strip(" -+=|:\r\t"):
        return [] if line.strip() else None
    fields = split(line, base, header.delimiter)
    width = len(header.columns)
    return fields if width - 2 <= len(fields) <= width + 2 and len(fields) > 1 else None


def given(folded: str, rows: Sequence[Sequence[tuple[int, int]]], header: bool) -> Cells:
    """The cells of a table whose rows are known (a spreadsheet, a database, HTML).

    Without a header row, a cell's left neighbour may be its label.
    """
    out = Cells()
    columns: tuple[Column, ...] = ()
    for number, row in enumerate(rows):
        names = [folded[a:b] for a, b in row]
        found = tuple(column(n) for n in names)
        known = sum(c.kind is not None for c in found)
        if (header and number == 0) or (known >= 2 and known * 2 >= len([n for n in names if n])):
            columns = found
            for a, b in row:
                if a < b:
                    out.add(a, b, HEADER)
            continue
        for place, (a, b) in enumerate(row):
            said = columns[place] if place < len(columns) else Column()
            if said.kind is None and not said.foreign and place:
                said = found[place - 1]
            if a < b:
                if folded[a] in _EDGES or folded[b - 1] in _EDGES:
                    a, b = _trim(folded, a, b, 0)
                if a < b:
                    out.add(a, b, said)
    out.sort()
    return out

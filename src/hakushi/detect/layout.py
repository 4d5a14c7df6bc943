r"""A text as it would be typed: what programs and mail put around and between its lines taken away.

Carriage returns, indents, ``>`` of quoted mail, line ends and signs that JSON or HTML escape,
invisible marks, doubled line ends, what leads the eye from a label to its value, and remarks that a
form wants the value: forms, labels and tables need not know of any of them.

Laws: characters are only taken away or replaced, never moved or added, so each that is left has its
place in the text as it came; a text without any of this is left as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hakushi.detect.detector import Span
from hakushi.detect.fold import KANJI
from hakushi.detect.names import certain, standing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_INVISIBLE_RUNS = (
    (0xAD, 0xAD),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x2069),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xE0100, 0xE01EF),
)
"""Soft hyphens, joiners, marks of direction and of a sign's variant: within names and numbers."""

_INVISIBLE = "".join(f"{chr(low)}-{chr(high)}" for low, high in _INVISIBLE_RUNS)

_MARKS = "\u3099\u309a"
_VOICED = f"[ぁ-ヿ][{_MARKS}]"
"""Kana with a mark of their own behind them, as file names of macOS have them."""

_ESCAPED = (
    r"\\{1,4}u(?:[dD][89abAB][0-9a-fA-F]{2}\\{1,4}u[dD][c-fC-F][0-9a-fA-F]{2}|[0-9a-fA-F]{4})"
    r"|(?P<end>\\{1,4}[nrt](?![a-z])|(?<![A-Za-z0-9_.:\s{}$\\])\\{1,4}[nrt])|(?P<path>\\{1,4}[nrt])"
    r"|\\{1,3}[\"/]"
)
"""Escapes of JSON and of most languages. ``\name`` behind a letter or a gap may be part of a path
or a command: such are line ends where the sure ones are half as many.
"""

_ENTITY = r"&(?:#[0-9]{2,7}|#[xX][0-9A-Fa-f]{2,6}|nbsp|amp|lt|gt|quot|apos);"
_ATTRIBUTES = r"(?: (?:class|style|id|align|lang|dir)=(?:\"[^\"<>]{0,200}\"|'[^'<>]{0,200}'))*"
_TAG = rf"</?(?:br|p|div|li|h[1-6]|span|b|strong|em|i|u|font|ul|ol|section){_ATTRIBUTES} ?/?>"
_IN_TABLE = r"[^<>]{0,200}>\s{0,40}"
_CELLS = (
    rf"(?:</[tT][dhDH]\b{_IN_TABLE})?(?:</[tT][rR]\b{_IN_TABLE})?(?:</?[tT](?:body|head|foot){_IN_TABLE}){{0,2}}"
    rf"<[tT](?:[rR]\b{_IN_TABLE}(?:<[tT][dhDH]\b{_IN_TABLE})?|[dhDH]\b{_IN_TABLE})"
    rf"|</?[tT](?:able|ABLE|body|head|foot|[rR]|[dhDH])\b{_IN_TABLE}"
)
"""What stands between cells and rows of HTML tables, as one."""

_BREAKS = re.compile(
    r"<(?:br|/p|/div|/li|/h[1-6]|/section)\b|.*</?t(?:r|able)\b", re.IGNORECASE | re.DOTALL
)
_CELL = re.compile("<t[dh]", re.IGNORECASE)

_HINT = rf"[\\&<{_INVISIBLE}{_MARKS}]|%[eE]"
_ANY = re.compile(rf"{_HINT}|\r|(?:\n|\A)[ \t\u3000>]|[ \u3000]\n|\n\n")

_PERCENT = r"%[eE][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){2}"
"""A sign of three bytes of UTF-8, as web addresses and forms that were sent have it."""

_WRITTEN = re.compile(
    f"{_ESCAPED}|{_ENTITY}|{_TAG}|(?P<cell>{_CELLS})|{_PERCENT}|{_VOICED}|[{_INVISIBLE}]"
)
"""What stands for one character, or for none."""

_HEADS = "名義主先所籍居地号話帯通日者人員士当童)）カナｶﾅなミみルLXlxens"
_HEAD = f"[{_HEADS}]"
"""Signs with which labels end."""

_LEADERS = ("…", "‥", "→", "⇒", "▶", "►", "➡", "――", "──", "・・・", "･･･", "....")
_LED = re.compile(
    rf"(?:(?<={_HEAD})|(?<={_HEAD}[ \u3000]))"
    r"(?:…{1,40}|‥{1,40}|[→⇒▶►➡]|[―─]{2,40}|・{3,40}|･{3,40}|\.{4,80})"
    r"[ \u3000]{0,2}(?=[^\s.,、。)\]}])"
)
"""What leads from a label to its value: a colon says the same."""

_REMARKS = ("*", "＊", "※", "必須", "任意", "required")
_REMARK = re.compile(
    rf"(?<={_HEAD})[ \u3000\n]{{0,2}}"
    r"(?:[(（\[［【<＜〔]?[*＊※]?(?:必須|任意|required)(?:項目|入力)?[)）\]］】>＞〕]?[*＊※]?"
    r"|[(（]?[*＊※][)）]?)(?=[ \u3000:：\n\t,])"
)
"""What a form says of the value that it asks for."""

_BETWEEN, _BEFORE = " \u3000\n(（[［【<＜〔*＊※", 4
"""What may stand before the sign or word by which one of these is found, and how much of it."""

_RUN = re.compile(
    rf"(?<![{KANJI}])(?:[{KANJI}][ \u3000]{{1,3}}){{1,15}}[{KANJI}](?:(?![{KANJI}])|(?=[様殿氏君]))"
)
"""Signs with gaps between them, as names on forms are often spread out."""

_LABELS = re.compile(
    "氏名|住所|電話|携帯|職業|職名|続柄|性別|年齢|番号|名前|名称|本籍|所属|備考|学年|会社|連絡"
    "|郵便|宛名|世帯|件名|日付|金額|摘要|区分|種別"
)
"""Words of labels that are spread out as often: 氏　名."""

_WIDEST, _RUNS = 3, 64
"""Blanks between two such signs, and characters of them all."""

_NAMED = {"nbsp": " ", "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_FOLLOWS = {"\\": '\\unrt"/', "&": "#nalgq", "<": "/bdefhilopstuT", "%": "eE"}
"""What stands behind the first sign of what `_WRITTEN` matches."""

_HINTED = re.compile(_HINT)
_CONTROLS = {"n": "\n", "r": "", "t": "\t"}

_DOUBLED = 0.8
"""Share of line ends that are doubled where all are meant to be one."""


class Plain(NamedTuple):
    """The text that is left, and where each of its characters begins and ends in the one before."""

    chars: str
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def place(self, at: int) -> int:
        """The character of what is left that stands at or behind one of the text before."""
        import numpy as np

        return int(np.searchsorted(self.ends, at, "right"))

    def back(self, spans: list[Span]) -> list[Span]:
        """Spans of what is left, as spans of the text before."""
        if not spans:
            return []
        kinds, firsts, behind, *rest = zip(*spans, strict=True)
        starts = self.starts[list(firsts)].tolist()
        ends = self.ends[[end - 1 for end in behind]].tolist()
        made = zip(kinds, starts, ends, *rest, strict=True)
        return [tuple.__new__(Span, one) for one in made]  # a third of what `Span` itself costs


def plain(chars: str) -> Plain | None:
    """The text as typed; None where it is already."""
    import numpy as np

    from hakushi.detect import layout_kernel

    codes = np.frombuffer(bytearray(chars.encode("utf-32-le", "surrogatepass")), np.uint32)
    beside = _beside_labels(chars, codes)
    if not chars.isascii():
        beside += _spread(chars, layout_kernel.apart(codes, _WIDEST))
    if not beside and _ANY.search(chars) is None:
        return None
    kept = np.ones(len(codes), bool)
    written = _escapes(chars, codes) if _HINTED.search(chars) else []
    ends = _write(written + beside, codes, kept) if written or beside else None
    layout_kernel.typed(codes, kept, _DOUBLED)
    left, starts = layout_kernel.left(codes, kept)
    behind = starts + 1 if ends is None else ends[starts]
    return Plain(left.tobytes().decode("utf-32-le", "surrogatepass"), starts, behind)


_Meant = tuple[int, int, int]
"""Where characters begin and end that stand for one, and that one; -1 for none."""


def _beside_labels(chars: str, codes: npt.NDArray[np.uint32]) -> list[_Meant]:
    """What stands between labels and their values and says no more than a colon, or nothing."""
    from hakushi.detect import layout_kernel

    out: list[_Meant] = []
    for signs, pattern, meant, reach in (
        (_LEADERS, _LED, ord(":"), 84),
        (_REMARKS, _REMARK, -1, 16),
    ):
        done = 0
        for at in layout_kernel.beside(codes, *_first(signs), _heads(), _BEFORE).tolist():
            if at < done or chars[at - 1 : at] == chars[at]:
                continue  # the first of a run spoke for it
            found = pattern.search(chars, max(done, at - _BEFORE), at + reach)
            if found is not None:
                out.append((*found.span(), meant))
                done = found.end()
    return out


def _spread(chars: str, apart: npt.NDArray[np.int64]) -> list[_Meant]:
    """The gaps within whole names whose signs stand ``apart``: 石　橋　正　章."""
    out: list[_Meant] = []
    done = 0
    for at in apart.tolist():
        run = _RUN.search(chars, max(done, at - _WIDEST - 1), at + _RUNS) if at >= done else None
        if run is None:
            continue
        done = run.end()
        signs = [one.start() for one in re.finditer(r"[^ \u3000]", run[0])]
        for first, last in _names_among([run[0][one] for one in signs]):
            gaps = pairwise(run.start() + one for one in signs[first : last + 1])
            out += [(a + 1, b, -1) for a, b in gaps]
    return out


def _names_among(signs: list[str]) -> list[tuple[int, int]]:
    """The first and the last of the signs that are whole names, or labels, together."""
    whole = "".join(signs)
    alone = whole.rstrip("様殿氏君印方男女")
    if 3 <= len(alone) <= 5 and not standing(whole) and certain(alone):
        return [(0, len(alone) - 1)]
    out: list[tuple[int, int]] = []
    first = 0
    while first < len(signs) - 1:
        left = len(signs) - first
        some = {n: "".join(signs[first : first + n]) for n in (5, 4, 3, 2) if n <= left}
        known = (
            n for n, word in some.items() if _LABELS.fullmatch(word) or (n > 2 and standing(word))
        )
        size = next(known, 1)
        if size > 1:
            out.append((first, first + size - 1))
        first += size
    return out


def _escapes(chars: str, codes: npt.NDArray[np.uint32]) -> list[_Meant]:
    """What escapes and tags stand for."""
    from hakushi.detect import layout_kernel

    found: list[_Meant] = []
    unsure: list[_Meant] = []
    done = ends = 0
    for at in layout_kernel.signs(codes, *_signs()).tolist():
        match = _WRITTEN.match(chars, at - (chars[at] in _MARKS)) if at >= done else None
        if match is None:
            continue
        start, behind = match.span()
        char = _said(match[0])
        while match["cell"] and start > done and chars[start - 1].isspace():
            start -= 1
        done = behind
        ends += match["end"] is not None
        (unsure if match["path"] else found).append((start, done, ord(char) if char else -1))
    return found + unsure if len(unsure) <= 2 * ends else found


def _write(
    found: list[_Meant], codes: npt.NDArray[np.uint32], kept: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Writes the one character that several stand for in place of the first; where they end."""
    import numpy as np

    found.sort()
    apart = [one for before, one in pairwise([(0, 0, 0), *found]) if one[0] >= before[1]]
    starts, behind, meant = np.array(apart, np.int64).reshape(-1, 3).T
    said = meant >= 0
    last = np.arange(1, len(codes) + 1)
    codes[starts[said]], last[starts[said]] = meant[said], behind[said]
    inside = np.zeros(len(codes) + 1, np.int8)
    inside[starts + said] = 1
    inside[behind] -= 1
    kept &= np.cumsum(inside[:-1], dtype=np.int8) == 0
    return last


@cache
def _first(words: tuple[str, ...]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """The same for some words: their first signs, and the second, where it is ASCII."""
    import numpy as np

    first, behind = np.zeros(0x10000, np.uint8), np.zeros((len(words), 128), bool)
    for row, word in enumerate(words):
        first[ord(word[0])] = row + 1
        behind[row, ord(word[1]) if word[1:].isascii() and word[1:] else slice(None)] = True
    return first, behind


@cache
def _heads() -> npt.NDArray[np.uint8]:
    """The classes of `layout_kernel.beside`."""
    import numpy as np

    classes = np.zeros(0x10000, np.uint8)
    classes[[ord(sign) for sign in _BETWEEN]] = 2
    classes[[ord(sign) for sign in _HEADS]] = 1
    return classes


@cache
def _signs() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """What `layout_kernel.signs` wants: code points at which `_WRITTEN` may match, or behind the
    first of which, for `_MARKS`; and what then follows.
    """
    import numpy as np

    first, behind = np.zeros(0x10000, np.uint8), np.ones((len(_FOLLOWS) + 1, 128), bool)
    for low, high in (*_INVISIBLE_RUNS, *((ord(mark), ord(mark)) for mark in _MARKS)):
        first[low : high + 1] = 1
    for row, (sign, some) in enumerate(_FOLLOWS.items(), 1):
        first[ord(sign)] = row + 1
        behind[row] = [chr(code) in some for code in range(128)]
    return first, behind


def _said(written: str) -> str:
    """The character that is meant, or none."""
    return _SAYS.get(written[0], _combined)(written)


def _escape(written: str) -> str:
    said = written.lstrip("\\")
    if said[0] != "u":
        return _CONTROLS.get(said, said)
    units = [int(one[:4], 16) for one in re.split(r"\\{1,4}u", said[1:])]
    if len(units) == 2:
        return chr(0x10000 + ((units[0] & 0x3FF) << 10) + (units[1] & 0x3FF))
    return chr(units[0])


def _entity(written: str) -> str:
    name = written[1:-1]
    if name[0] != "#":
        return _NAMED[name]
    code = int(f"0{name[1:]}", 0) if name[1] in "xX" else int(name[1:])
    return chr(code) if code <= 0x10FFFF else ""


def _percent(written: str) -> str:
    return bytes.fromhex(written.replace("%", "")).decode("utf-8", "replace")[:1]


def _tag(written: str) -> str:
    return "\n" if _BREAKS.match(written) else "\t" if _CELL.search(written) else ""


def _combined(written: str) -> str:
    joined = unicodedata.normalize("NFC", written)
    return joined if len(written) == 2 and len(joined) == 1 else written[0] * (len(written) - 1)


_SAYS: dict[str, Callable[[str], str]] = {"\\": _escape, "&": _entity, "<": _tag, "%": _percent}

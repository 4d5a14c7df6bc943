"""DICOM files (PS3.10): element by element to where the tags stop rising; who the patient is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hakushi.model import Extent, Malformed, Source, Text
from hakushi.recover import Budget, Cursor, Family, Format, Magic, Measure
from hakushi.recover.grammar.stream import follow

_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"})
_LONG64 = frozenset({b"SV", b"UV"})
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_IMPLICIT, _BIG = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2"
_SYNTAX, _CHARSET, _PIXELS = (2, 0x10), (8, 5), (0x7FE0, 0x10)
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_UNDEFINED = 0xFFFFFFFF
_DEEPEST = 16
_LABELS = {
    (0x10, 0x10): "氏名",
    (0x10, 0x20): "患者番号",
    (0x10, 0x30): "生年月日",
    (0x10, 0x1001): "氏名",
    (0x10, 0x1040): "住所",
    (0x10, 0x2154): "電話番号",
    (0x10, 0x4000): "備考",
    (0x08, 0x80): "施設名",
    (0x08, 0x81): "住所",
    (0x08, 0x90): "医師氏名",
    (0x08, 0x1050): "医師氏名",
    (0x08, 0x1070): "担当者氏名",
}
_CHARSETS = {"ISO_IR 13": "shift_jis", "ISO_IR 192": "utf-8", "ISO 2022 IR 87": "iso2022_jp"}
_CHARSETS |= {"ISO 2022 IR 13": "shift_jis", "ISO_IR 100": "latin-1", "GB18030": "gb18030"}


@dataclass(frozen=True, slots=True)
class _Element:
    tag: tuple[int, int]
    data: int
    length: int
    """0xFFFFFFFF where items tell it."""


class _Reader:
    """Elements of a file whose meta group says how they are written."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.cursor = Cursor(source, page=4096)
        self.budget = budget
        self.order, self.explicit = "<", True

    def element(self, at: int) -> _Element:
        """7.1: tag, representation, length. Raises Malformed for what is none."""
        self.budget.pay()
        tag = self.cursor.u16(at, self.order), self.cursor.u16(at + 2, self.order)
        if tag[0] == 0xFFFE or not self.explicit:
            return _Element(tag, at + 8, self.cursor.u32(at + 4, self.order))
        kind = self.cursor.take(at + 4, 2)
        if kind in _LONG:
            return _Element(tag, at + 12, self.cursor.u32(at + 8, self.order))
        if kind in _LONG64:
            return _Element(tag, at + 12, self.cursor.u32(at + 8, self.order))
        if kind not in _SHORT:
            raise Malformed("value representation")
        return _Element(tag, at + 8, self.cursor.u16(at + 6, self.order))

    def end(self, one: _Element, depth: int = 0) -> int:
        """Behind its value; items are walked where the length is not said (7.5)."""
        if one.length != _UNDEFINED:
            self.cursor.take(one.data + one.length, 0)
            return one.data + one.length
        if depth > _DEEPEST:
            raise Malformed("sequences too deep")
        at = one.data
        while True:
            item = self.element(at)
            if item.tag == _SEQUENCE_END:
                return item.data
            if item.tag != _ITEM:
                raise Malformed("an item")
            at = self._item(item, depth)

    def _item(self, item: _Element, depth: int) -> int:
        if item.length != _UNDEFINED:
            return item.data + item.length
        at = item.data
        while (inner := self.element(at)).tag != _ITEM_END:
            at = self.end(inner, depth + 1)
        return inner.data

    def elements(self) -> Iterator[tuple[_Element, int]]:
        """(element, where it ends); ends where a tag does not rise."""
        at, last = 132, (0, 0)
        while at < self.cursor.size:
            if at > 132 and last[0] == 2 and self.cursor.u16(at) != 2:
                self._switch()
            try:
                one = self.element(at)
            except Malformed:
                if last > (0x08, 0):
                    return
                raise
            if one.tag <= last or one.tag[0] == 0xFFFE:
                return
            end = self.end(one)
            if one.tag == _SYNTAX:
                self._syntax = self.cursor.take(one.data, min(one.length, 64)).rstrip(b"\0 ")
            yield one, end
            last, at = one.tag, end

    _syntax = b""

    def _switch(self) -> None:
        """The data set is written as the meta group says, which itself is always explicit."""
        self.explicit = self._syntax != _IMPLICIT
        self.order = ">" if self._syntax == _BIG else "<"


def probe(source: Source) -> bool:
    head = source.read(Extent(0, 140))
    return len(head) == 140 and head[128:132] == b"DICM" and head[132:134] == b"\2\0"


def measure(source: Source, budget: Budget) -> Measure | None:
    """To the last element. Nothing vouches for what stands in one: never complete."""
    found = follow(source, _walk(source, budget)) if probe(source) else None
    if found is None:
        return None
    return Measure(found.length, complete=False, broken=found.broken)


def _walk(source: Source, budget: Budget) -> Iterator[int]:
    for _, end in _Reader(source, budget).elements():
        yield end


def text(source: Source, budget: Budget) -> Iterator[Text]:
    """The patient and who treated them, line by line."""
    reader, lines, charset = _Reader(source, budget), list[str](), "ascii"
    for one, _ in reader.elements():
        if one.tag >= _PIXELS:
            break
        if (one.tag != _CHARSET and one.tag not in _LABELS) or one.length > 1 << 16:
            continue
        raw = reader.cursor.take(one.data, one.length).rstrip(b"\0 ")
        if one.tag == _CHARSET:
            charset = _charset(raw)
            continue
        said = raw.decode(charset, "replace")
        for word in said.split("=") if one.tag in {(0x10, 0x10), (8, 0x90)} else [said]:
            if word.strip("^ "):
                lines.append(f"{_LABELS[one.tag]}: {_value(one.tag, word)}\n")
    if lines:
        yield Text("".join(lines))


def _charset(raw: bytes) -> str:
    names = [name.strip() for name in raw.decode("ascii", "replace").split("\\")]
    return next((_CHARSETS[name] for name in reversed(names) if name in _CHARSETS), "latin-1")


def _value(tag: tuple[int, int], word: str) -> str:
    if tag == (0x10, 0x30) and len(word) == 8 and word.isdecimal():
        return f"{word[:4]}-{word[4:6]}-{word[6:]}"
    return " ".join(word.replace("^", " ").split())


PLUGIN = Format(
    id="dicom",
    family=Family.MEDIA,
    probe=probe,
    magics=(Magic(b"DICM\2\0", 128),),
    measure=measure,
    text=text,
    extensions=("dcm", "dicom"),
)

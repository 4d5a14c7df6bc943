"""Compound files with just enough in them: a workbook, a document, slides, a message."""

from __future__ import annotations

import struct

SECTOR, MINI, CUTOFF = 512, 64, 4096
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
NONE = 0xFFFFFFFF


def compound(streams: dict[str, bytes]) -> bytes:
    """MS-CFB version 3: small streams in the mini stream, ``a/b`` inside a storage."""
    body = b""
    fat: list[int] = []

    def put(data: bytes) -> int:
        nonlocal body
        if not data:
            return END
        count = -(-len(data) // SECTOR)
        start = len(fat)
        fat.extend([*range(start + 1, start + count), END])
        body += data.ljust(count * SECTOR, b"\0")
        return start

    mini, minifat = b"", []
    starts = {}
    for name, data in streams.items():
        if len(data) >= CUTOFF:
            starts[name] = put(data)
            continue
        count = -(-len(data) // MINI)
        starts[name] = len(minifat) if count else END
        minifat += [*range(len(minifat) + 1, len(minifat) + count), END] if count else []
        mini += data.ljust(count * MINI, b"\0")
    mini_start = put(mini)
    minifat_start = put(struct.pack(f"<{len(minifat)}I", *minifat))
    directory = put(_directory(streams, starts, mini_start, len(mini)))
    sectors = 1
    while (len(fat) + sectors) * 4 > sectors * SECTOR:
        sectors += 1
    first = len(fat)
    fat += [FAT] * sectors
    fat += [FREE] * (sectors * SECTOR // 4 - len(fat))
    body += struct.pack(f"<{len(fat)}I", *fat)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack(
        "<HHHHH6xIIIIIIIIII",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        sectors,
        directory,
        0,
        CUTOFF,
        minifat_start,
        1 if minifat else 0,
        END,
        0,
        first,
    )
    head += b"".join(struct.pack("<I", first + i if i < sectors else FREE) for i in range(1, 109))
    return head + body


def _directory(streams: dict[str, bytes], starts: dict[str, int], mini: int, size: int) -> bytes:
    storages = list(dict.fromkeys(name.partition("/")[0] for name in streams if "/" in name))
    top = [*storages, *(name for name in streams if "/" not in name)]
    order = [None, *top, *(name for name in streams if "/" in name)]
    number = {name: index for index, name in enumerate(order)}
    out = [_entry("Root Entry", 5, number[top[0]], NONE, mini, size)]
    for name in order[1:]:
        storage, _, own = name.rpartition("/")
        siblings = [
            n for n in order[1:] if n.rpartition("/")[0] == storage and (storage or n in top)
        ]
        index = siblings.index(name)
        right = number[siblings[index + 1]] if index + 1 < len(siblings) else NONE
        if name in storages:
            child = next(number[n] for n in order[1:] if n.startswith(name + "/"))
            out.append(_entry(own, 1, child, right, 0, 0))
        else:
            out.append(_entry(own, 2, NONE, right, starts[name], len(streams[name])))
    return b"".join(out)


def _entry(name: str, kind: int, child: int, right: int, start: int, size: int) -> bytes:
    raw = name.encode("utf-16-le") + b"\0\0"
    return (
        raw.ljust(64, b"\0")
        + struct.pack("<HBB", len(raw), kind, 1)
        + struct.pack("<III", NONE, right, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def wide(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def workbook(*, locked: bool = False) -> bytes:
    """BIFF8: shared strings (one goes on in a CONTINUE record), numbers, a date."""
    names = ["氏名", "生年月日", "架空 太郎", "電話番号"]
    shared = b"".join(wide(name) for name in names[:3])
    tail = names[3].encode("utf-16-le")
    bof = struct.pack("<HHHH", 0x600, 5, 0, 0) + bytes(8)
    out = record(0x809, bof) + (record(0x2F, bytes(6)) if locked else b"")
    out += record(0x42, struct.pack("<H", 1200)) + record(0xE0, bytes(20))
    out += record(0xE0, struct.pack("<HH", 0, 14) + bytes(16))
    out += record(0x85, struct.pack("<IH", 0, 0) + bytes([2, 1]) + "名簿".encode("utf-16-le"))
    out += record(0xFC, struct.pack("<II", 4, 4) + shared + struct.pack("<HB", 4, 1) + tail[:4])
    out += record(0x3C, b"\1" + tail[4:]) + record(0x0A)
    out += record(0x809, struct.pack("<HHHH", 0x600, 0x10, 0, 0) + bytes(8))
    for column, index in enumerate((0, 1, 3)):
        out += record(0xFD, struct.pack("<HHHI", 0, column, 0, index))
    out += record(0xFD, struct.pack("<HHHI", 1, 0, 0, 2))
    out += record(0x203, struct.pack("<HHHd", 1, 1, 1, 29312.0))
    out += record(0x27E, struct.pack("<HHHI", 1, 2, 0, 31234567 << 2 | 2)) + record(0x0A)
    return compound({"Workbook": out.ljust(5000, b"\0"), "\5SummaryInformation": summary()})


def summary() -> bytes:
    author = "架空 次郎".encode("cp932") + b"\0"
    value = struct.pack("<II", 30, len(author)) + author.ljust(16, b"\0")
    section = struct.pack("<IIII", 16 + len(value), 1, 4, 16) + value
    return struct.pack("<HHI16sI16sI", 0xFFFE, 0, 0, bytes(16), 1, bytes(16), 48) + section


def document() -> bytes:
    """Word 97: a piece in Latin-1, a piece in UTF-16 with a table."""
    latin, words = b"Contract\r", "架空 太郎\r氏名\a電話\a\a花子\a03-0000-0001\a\a終わり\r"
    main = bytearray(0x400)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    main[11] = 2
    first = len(main)
    main += latin
    second = len(main)
    main += words.encode("utf-16-le")
    plain = struct.pack("<III", 0, len(latin), len(latin) + len(words))
    plain += struct.pack("<HIH", 0, first * 2 | 0x40000000, 0) + struct.pack("<HIH", 0, second, 0)
    clx = b"\2" + struct.pack("<I", len(plain)) + plain
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    return compound({"WordDocument": bytes(main).ljust(4608, b"\0"), "1Table": clx})


def slides() -> bytes:
    words = "架空の題".encode("utf-16-le")
    atom = struct.pack("<HHI", 0, 0x0FA0, len(words)) + words
    return compound({"PowerPoint Document": struct.pack("<HHI", 15, 0x3E8, len(atom)) + atom})


def message() -> bytes:
    return compound(
        {
            "__properties_version1.0": bytes(32),
            "__substg1.0_0037001F": "件名です".encode("utf-16-le"),
            "__substg1.0_0C1F001E": b"taro@example.jp",
            "__substg1.0_10130102": "<p>本文 <b>03-0000-0009</b></p>".encode("cp932"),
            "__attach_version1.0_#00000000/__substg1.0_37010102": b"%PDF-1.4 attached",
        }
    )

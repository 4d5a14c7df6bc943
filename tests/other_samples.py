"""Real files of further formats: archives, films and sounds, metafiles, lists, cards, stores."""

from __future__ import annotations

import io
import plistlib
import sqlite3
import struct
import tarfile
import tempfile
import wave
import zlib
from pathlib import Path
from random import Random

from PIL import Image

_FILES = Path(__file__).parent / "files"


def film(name: str) -> bytes:
    return (_FILES / name).read_bytes()


def noise(length: int, seed: int = 0) -> bytes:
    return Random(seed).randbytes(length)


# --- archives ----------------------------------------------------------------------------


def tar(members: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in members.items():
            one = tarfile.TarInfo(name)
            one.size, one.mtime = len(data), 1700000000
            archive.addfile(one, io.BytesIO(data))
    return out.getvalue()


def zstd(data: bytes, *, checksum: bool = True) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=checksum).compress(data)


def rar4(members: dict[str, bytes], *, method: int = 0x30, flags: int = 0, main: int = 0) -> bytes:
    """As the technical note says it; bsdtar (libarchive) reads it."""

    def block(kind: int, flags: int, body: bytes) -> bytes:
        raw = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(raw) & 0xFFFF) + raw

    out = b"Rar!\x1a\x07\x00" + block(0x73, main, bytes(6))
    for name, data in members.items():
        wide = b"" if name.isascii() else b"\0\0" + _wide4(name)
        word = (name.encode() if name.isascii() else b"_" * len(name)) + wide[1:]
        size, crc = len(data), zlib.crc32(data)
        body = struct.pack(
            "<IIBIIBBHI", size, size, 2, crc, 0x58810000, 20, method, len(word), 0x20
        )
        out += block(0x74, 0x8000 | flags | (0x200 if wide else 0), body + word) + data
    return out + block(0x7B, 0x4000, b"")


def _wide4(name: str) -> bytes:
    """Every character in two bytes: flags 10 10 10 10 for each four."""
    out = b"\0"
    for at in range(0, len(name), 4):
        out += b"\xaa" + name[at : at + 4].encode("utf-16-le")
    return out


def _number5(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _block5(body: bytes) -> bytes:
    raw = _number5(len(body)) + body
    return struct.pack("<I", zlib.crc32(raw)) + raw


def rar5(members: dict[str, bytes], *, method: int = 0, locked: bool = False) -> bytes:
    out = b"Rar!\x1a\x07\x01\x00" + _block5(b"\1\0\0")
    for name, data in members.items():
        word = name.encode()
        extra = _number5(3) + b"\1\0\0" if locked else b""
        flags = b"\3" + _number5(len(extra)) if locked else b"\2"
        body = b"\2" + flags + _number5(len(data)) + b"\4" + _number5(len(data)) + b"\x20"
        body += struct.pack("<I", zlib.crc32(data)) + _number5(method << 7) + b"\0"
        out += _block5(body + _number5(len(word)) + word + extra) + data
    return out + _block5(b"\5\0\0")


# --- films, sounds, pictures -------------------------------------------------------------


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(noise(3001 * 2))
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (48, 40), noise(48 * 40 * 3)).save(out, "WEBP", lossless=True)
    return out.getvalue()


def _element(group: int, number: int, kind: bytes, data: bytes) -> bytes:
    data += b"\0" * (len(data) % 2)
    head = struct.pack("<HH", group, number) + kind
    if kind in {b"OB", b"OW", b"SQ", b"UN"}:
        return head + struct.pack("<HI", 0, len(data)) + data
    return head + struct.pack("<H", len(data)) + data


def dicom() -> bytes:
    meta = _element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1")
    out = bytes(128) + b"DICM" + _element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta
    out += _element(8, 5, b"CS", b"ISO_IR 192")
    # A sequence whose end only its items tell.
    inner = _element(8, 0x1150, b"UI", b"1.2.3")
    out += struct.pack("<HH2sHI", 8, 0x1110, b"SQ", 0, 0xFFFFFFFF)
    out += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner
    out += struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    out += _element(0x10, 0x10, b"PN", "KAKUU^TARO=架空^太郎".encode())
    out += _element(0x10, 0x30, b"DA", b"19800401")
    return out + _element(0x7FE0, 0x10, b"OW", noise(4000))


def _told(tag: int, data: bytes) -> bytes:
    """A value in the basic encoding of ASN.1."""
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    return bytes([tag, 0x82]) + struct.pack(">H", len(data)) + data


def docuworks(length: int = 3000) -> bytes:
    pages = noise(length)
    head = _told(0x82, b"\7") + _told(0x80, b"\0\xc0\x13") + _told(0x83, b"\1\r\n\1")
    sizes = _told(0x83, struct.pack(">I", 2 * length)) + _told(0x84, struct.pack(">I", length))
    return _told(0x60, head) + _told(0x61, _told(0x63, pages) + _told(0x65, sizes))


def emf() -> bytes:
    text = "架空 太郎".encode("utf-16-le")
    comment = struct.pack("<II", 70, 12 + len(text) + len(text) % 4) + struct.pack("<I", len(text))
    comment += text + bytes(len(text) % 4)
    end = struct.pack("<IIIII", 14, 20, 0, 0, 20)
    records = comment * 60 + end
    head = struct.pack("<II", 1, 88) + bytes(32) + b" EMF" + struct.pack("<II", 0x10000, 0)
    head = head[:48] + struct.pack("<II", 88 + len(records), 62) + bytes(32)
    return head + records


def wmf() -> bytes:
    first = struct.pack("<IHhhhhHI", 0x9AC6CDD7, 0, 0, 0, 100, 100, 96, 0)
    total = 0
    for word in struct.unpack("<10H", first):
        total ^= word
    records = struct.pack("<IHHH", 5, 0x213, 1, 2) * 100 + struct.pack("<IH", 3, 0)
    head = struct.pack("<HHHIHIH", 1, 9, 0x300, (18 + len(records)) // 2, 0, 5, 0)
    return first + struct.pack("<H", total) + head + records


# --- documents ---------------------------------------------------------------------------


def bplist() -> bytes:
    people = [{"氏名": f"架空 太郎{i}", "mail": f"taro{i}@example.jp", "n": i} for i in range(99)]
    return plistlib.dumps({"people": people, "data": noise(300)}, fmt=plistlib.FMT_BINARY)


def xml() -> bytes:
    rows = "".join(f"<row><name>架空 太郎{i}</name></row>\n" for i in range(60))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- x --><list>\n{rows}</list>\n'.encode()


CARD = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:"
    + "".join(f"={byte:02X}" for byte in "架空;太郎".encode("cp932"))
    + "\r\nTEL;CELL:090-0000-0001\r\nEMAIL:taro@exa\r\n mple.jp\r\nEND:VCARD\r\n"
).encode()
CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:面談\\n架空 花子\r\n"
    "ATTENDEE:mailto:hanako@example.jp\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
).encode()


def write_ahead_log() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        base = sqlite3.connect(path)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("CREATE TABLE c (id INTEGER PRIMARY KEY, name TEXT)")
        base.executemany("INSERT INTO c VALUES (?,?)", [(i, f"架空 花子{i}") for i in range(200)])
        base.commit()
        data = Path(f"{path}-wal").read_bytes()
        base.close()
    return data


def store(*, encoding: int = 1, attached: bytes = b"", words: str = "") -> bytes:
    """An Outlook store of 64 KiB: a tree of one page, a block, and data in two blocks."""
    from hakushi.recover.grammar.pst import _PERMUTATION

    code = bytes(_PERMUTATION.index(n) for n in range(256))
    size, half = 1 << 16, len(attached) // 2
    head = bytearray(564)
    head[:4], head[8:10], head[10:14] = b"!BDN", b"SM", struct.pack("<HH", 23, 19)
    head[513] = encoding
    struct.pack_into("<QQ", head, 184, size, 0)
    struct.pack_into("<Q", head, 240, 0x600)
    crc = zlib.crc32(bytes(head[8:479]), 0xFFFFFFFF) ^ 0xFFFFFFFF
    struct.pack_into("<I", head, 4, crc)
    out = bytearray(head) + noise(size - len(head))
    tree = struct.pack("<BBHIQQ", 1, 1, 2, len(attached), 4, 8)
    blocks = {4: attached[:half], 8: attached[half:], 12: words.encode("utf-16-le"), 14: tree}
    entries, at = b"", 0x1000
    for id, data in blocks.items():
        out[at : at + len(data)] = data.translate(code) if encoding == 1 and not id & 2 else data
        entries += struct.pack("<QQHHI", id, at, len(data), 1, 0)
        at += 0x2000
    tail = struct.pack("<BBBBI", len(blocks), 20, 24, 0, 0) + bytes([0x80, 0x80]) + bytes(14)
    out[0x600:0x800] = entries.ljust(488, b"\0") + tail
    return bytes(out)

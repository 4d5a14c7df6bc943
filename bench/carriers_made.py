"""The carriers of `bench.carriers`: one function each, from addresses to the bytes of files."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

from tests import ole_samples
from tools.make_images import office
from tools.make_images.papers import Paper, Table

Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Carrier:
    """``make`` gives the files that carry the words. ``encoding``: only those words count whose
    bytes in it are still in the files.
    """

    name: str
    make: Callable[[Words], list[bytes]]
    encoding: str | None = None


def _lines(words: Words) -> str:
    return "".join(f"架空 太郎さんの連絡先は {word} です。\r\n" for word in words)


def _csv(words: Words) -> str:
    return "番号,氏名,メール\r\n" + "".join(f"{n},架空 太郎,{w}\r\n" for n, w in enumerate(words))


# --- archives ----------------------------------------------------------------------------


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, data in members.items():
            one = tarfile.TarInfo(name)
            one.size = len(data)
            file.addfile(one, io.BytesIO(data))
    return out.getvalue()


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def sevenzip(data: bytes, name: str = "a.csv") -> bytes:
    """One file, LZMA2, by the format's own description."""
    import struct

    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    packed = lzma.compress(data, lzma.FORMAT_RAW, filters=filters)

    def number(value: int) -> bytes:
        return b"\xf0" + struct.pack("<I", value)

    streams = b"\x06\0\x01\x09" + number(len(packed)) + b"\0"
    streams += b"\x07\x0b\x01\0\x01\x21\x21\x01\x10\x0c" + number(len(data)) + b"\0\x08\0"
    names = b"\0" + name.encode("utf-16-le") + b"\0\0"
    files = b"\x05\x01\x11" + number(len(names)) + names + b"\0"
    header = b"\x01\x04" + streams + b"\0" + files + b"\0"
    place = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    head = b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(place)) + place
    return head + packed + header


# --- documents ---------------------------------------------------------------------------


def _paper(words: Words) -> Paper:
    return Paper("名簿", _lines(words).splitlines())


def _odt(words: Words) -> bytes:
    body = "".join(f"<text:p>{line}</text:p>" for line in _lines(words).splitlines())
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
        f"{body}</office:text></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(
            zipfile.ZipInfo("mimetype"),
            "application/vnd.oasis.opendocument.text",
            zipfile.ZIP_STORED,
        )
        file.writestr("content.xml", content)
    return out.getvalue()


def _doc(words: Words) -> bytes:
    import struct

    text = _lines(words).replace("\r\n", "\r")
    main = bytearray(0x400)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    main[11] = 2
    first = len(main)
    main += text.encode("utf-16-le")
    plain = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, first, 0)
    clx = b"\2" + struct.pack("<I", len(plain)) + plain
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    return ole_samples.compound(
        {"WordDocument": bytes(main).ljust(4608, b"\0"), "1Table": clx.ljust(64, b"\0")}
    )


def _msg(words: Words) -> bytes:
    half = len(words) // 2
    return ole_samples.compound(
        {
            "__properties_version1.0": bytes(32),
            "__substg1.0_0037001F": "名簿".encode("utf-16-le"),
            "__substg1.0_1000001F": _lines(words[:half]).encode("utf-16-le"),
            "__attach_version1.0_#00000000/__substg1.0_37010102": _csv(words[half:]).encode(
                "cp932"
            ),
        }
    )


def _rtf(words: Words) -> bytes:
    body = "".join(
        "".join(c if c < "\x80" else f"\\u{ord(c)}?" for c in line) + "\\par "
        for line in _lines(words).splitlines()
    )
    return (
        "{\\rtf1\\ansi\\ansicpg932{\\fonttbl{\\f0\\fcharset128 MS Mincho;}}" + body + "}"
    ).encode()


def _html(words: Words) -> bytes:
    rows = "".join(f'<tr><td>架空 太郎</td><td><a href="#">{w}</a></td></tr>\n' for w in words)
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><table>'
        f"<tr><th>氏名</th><th>メール</th></tr>{rows}</table></body></html>\n"
    ).encode()


# --- PDF ---------------------------------------------------------------------------------


def _pdf(filtered: Callable[[bytes], bytes], filters: str, words: Words) -> bytes:
    shown = "".join(f"({word}) Tj T*\n" for word in words)
    stream = filtered(f"BT /F1 11 Tf 16 TL 60 780 Td\n{shown}ET\n".encode())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d /Filter [%s] >>\nstream\n%s\nendstream"
        % (len(stream), filters.encode(), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    return office._assemble(objects)


def _lzw(data: bytes) -> bytes:
    """PDF's LZW: codes of 9 to 12 bits, the width grown one code early."""
    bits = held = 0
    codes: list[tuple[int, int]] = [(256, 9)]
    table, width, word = {bytes([n]): n for n in range(256)}, 9, b""
    following = 258
    for byte in data:
        longer = word + bytes([byte])
        if longer in table:
            word = longer
            continue
        codes.append((table[word], width))
        table[longer] = following
        following += 1
        if following + 1 > 1 << width:
            width += 1
        if following >= 4094:
            codes.append((256, width))
            table, width, following = {bytes([n]): n for n in range(256)}, 9, 258
        word = bytes([byte])
    codes += [(table[word], width), (257, width + (following + 2 > 1 << width))]
    packed = bytearray()
    for code, wide in codes:
        held, bits = held << wide | code, bits + wide
        while bits >= 8:
            bits -= 8
            packed.append(held >> bits & 0xFF)
            held &= (1 << bits) - 1
    if bits:
        packed.append(held << 8 - bits & 0xFF)
    return bytes(packed)


def _pdf_object_streams(words: Words) -> bytes:
    """PDF 1.5: everything but the content lies in an object stream, an xref stream at the end."""
    shown = "".join(f"({word}) Tj T*\n" for word in words)
    page = zlib.compress(f"BT /F1 11 Tf 16 TL 60 780 Td\n{shown}ET\n".encode())
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R"
            b"/Resources<</Font<</F1 4 0 R>>>>>>"
        ),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    heads, at = [], 0
    for number, body in enumerate(bodies, 1):
        heads.append(f"{number} {at}")
        at += len(body) + 1
    first = " ".join(heads).encode() + b" "
    packed = zlib.compress(first + b" ".join(bodies))
    out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
    places = {5: len(out)}
    out += b"5 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream\nendobj\n" % (
        len(page),
        page,
    )
    places[6] = len(out)
    out += (
        b"6 0 obj\n<</Type/ObjStm/N 4/First %d/Length %d/Filter/FlateDecode>>stream\n%s\n"
        b"endstream\nendobj\n" % (len(first), len(packed), packed)
    )
    start = len(out)
    rows = (
        b"\0" + bytes(5) + b"".join(b"\2" + (6).to_bytes(4, "big") + bytes([n]) for n in range(4))
    )
    for place in (places[5], places[6], start):
        rows += b"\1" + place.to_bytes(4, "big") + b"\0"
    table = zlib.compress(rows)
    out += (
        b"7 0 obj\n<</Type/XRef/Size 8/W[1 4 1]/Root 1 0 R/Length %d/Filter/FlateDecode>>stream\n"
        b"%s\n"
        b"endstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (len(table), table, start)
    )
    return out


# --- mail --------------------------------------------------------------------------------


def _mail(words: Words, charset: str, encoding: str) -> bytes:
    body = MIMEText(_lines(words), "plain", charset)
    if encoding:
        import quopri

        raw = _lines(words).encode(charset, "replace")
        packed = (
            quopri.encodestring(raw) if encoding == "quoted-printable" else base64.encodebytes(raw)
        )
        body.set_payload(packed.decode("ascii"))
        del body["Content-Transfer-Encoding"]
        body["Content-Transfer-Encoding"] = encoding
    body["From"], body["To"] = "clerk@office.example.jp", "who@office.example.jp"
    body["Subject"] = Header("名簿", "iso-2022-jp").encode()
    return body.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _attached(words: Words) -> bytes:
    whole = MIMEMultipart("mixed", boundary="=_bench")
    whole["From"], whole["To"] = "clerk@office.example.jp", "who@office.example.jp"
    whole["Subject"] = "list"
    whole.attach(MIMEText("添付します。", "plain", "utf-8"))
    part = MIMEApplication(_zip({"名簿.csv": _csv(words).encode("cp932")}))
    part.add_header("Content-Disposition", "attachment", filename="a.zip")
    whole.attach(part)
    return whole.as_bytes().replace(b"\n", b"\r\n")


def _mbox(words: Words) -> bytes:
    out = b""
    for at in range(0, len(words), 20):
        mail = _mail(words[at : at + 20], "iso-2022-jp", "").replace(b"\r\n", b"\n")
        out += b"From clerk@office.example.jp Tue May  1 10:00:00 2018\n" + mail + b"\n"
    return out


# --- SQLite ------------------------------------------------------------------------------


def _database(words: Words, encoding: str, after: str, *, wal: bool = False) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        base = sqlite3.connect(path)
        base.execute(f"PRAGMA encoding='{encoding}'")
        base.execute("PRAGMA secure_delete=OFF")
        if wal:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA wal_autocheckpoint=0")
        base.execute("CREATE TABLE 顧客 (id INTEGER PRIMARY KEY, 氏名 TEXT, mail TEXT, 電話 TEXT)")
        base.execute("CREATE TABLE 他 (a TEXT)")
        base.execute("INSERT INTO 他 VALUES ('残る')")
        rows = [(n, f"架空 太郎{n}", w, f"03-0000-{n:04}") for n, w in enumerate(words)]
        base.executemany("INSERT INTO 顧客 VALUES (?,?,?,?)", rows)
        base.commit()
        if after:
            base.execute(after)
            base.commit()
        if wal:
            return [Path(f"{path}-wal").read_bytes()]
        base.close()
        return [path.read_bytes()]


def _one(make: Callable[[Words], bytes]) -> Callable[[Words], list[bytes]]:
    return lambda words: [make(words)]


def _text(encoding: str) -> Callable[[Words], list[bytes]]:
    return lambda words: [_csv(words).encode(encoding)]


def _flated(data: bytes) -> bytes:
    return base64.a85encode(zlib.compress(data)) + b"~>"


CARRIERS: tuple[Carrier, ...] = (
    Carrier("text cp932", _text("cp932")),
    Carrier("text utf-8", _text("utf-8")),
    Carrier("text utf-16", _text("utf-16")),
    Carrier("text utf-16be", lambda w: [b"\xfe\xff" + _csv(w).encode("utf-16-be")]),
    Carrier("text utf-16le, no mark", _text("utf-16-le")),
    Carrier("gzip", lambda w: [gzip.compress(_csv(w).encode("cp932"))]),
    Carrier("bzip2", lambda w: [bz2.compress(_csv(w).encode("cp932"))]),
    Carrier("xz", lambda w: [lzma.compress(_csv(w).encode("cp932"))]),
    Carrier("zstd", lambda w: [_zstd(_csv(w).encode("cp932"))]),
    Carrier("7z", lambda w: [sevenzip(_csv(w).encode("cp932"))]),
    Carrier("tar", lambda w: [_tar({"a.csv": _csv(w).encode("cp932")})]),
    Carrier("tar.gz", lambda w: [gzip.compress(_tar({"a.csv": _csv(w).encode("cp932")}))]),
    Carrier("zip", lambda w: [_zip({"a.csv": _csv(w).encode("cp932")})]),
    Carrier("zip in zip", lambda w: [_zip({"b.zip": _zip({"a.csv": _csv(w).encode("cp932")})})]),
    Carrier("docx", lambda w: [office.docx(_paper(w))]),
    Carrier("xlsx", lambda w: [office.xlsx(_table(w))]),
    Carrier("pptx", lambda w: [office.pptx(_paper(w))]),
    Carrier("odt", _one(_odt)),
    Carrier("doc", _one(_doc)),
    Carrier("msg", _one(_msg)),
    Carrier("rtf", _one(_rtf)),
    Carrier("html", _one(_html)),
    Carrier("pdf, CID font", lambda w: [office.pdf(_paper(w))]),
    Carrier("pdf, Flate", lambda w: [_pdf(zlib.compress, "/FlateDecode", w)]),
    Carrier("pdf, ASCII85 and Flate", lambda w: [_pdf(_flated, "/ASCII85Decode /FlateDecode", w)]),
    Carrier("pdf, LZW", lambda w: [_pdf(_lzw, "/LZWDecode", w)]),
    Carrier(
        "pdf, ASCIIHex", lambda w: [_pdf(lambda d: d.hex().encode() + b">", "/ASCIIHexDecode", w)]
    ),
    Carrier("pdf, object streams", _one(_pdf_object_streams)),
    Carrier("mail, ISO-2022-JP", lambda w: [_mail(w, "iso-2022-jp", "")]),
    Carrier("mail, base64", lambda w: [_mail(w, "utf-8", "base64")]),
    Carrier("mail, quoted-printable", lambda w: [_mail(w, "utf-8", "quoted-printable")]),
    Carrier("mail, zip attached", _one(_attached)),
    Carrier("mbox", _one(_mbox)),
    Carrier("SQLite UTF-8", lambda w: _database(w, "UTF-8", "")),
    Carrier("SQLite UTF-16", lambda w: _database(w, "UTF-16le", "")),
    *(
        Carrier(f"SQLite {name}, {what}", lambda w, n=name, a=after: _database(w, n, a), encoding)
        for name, encoding in (
            ("UTF-8", "utf-8"),
            ("UTF-16le", "utf-16-le"),
            ("UTF-16be", "utf-16-be"),
        )
        for what, after in (
            ("every row deleted", "DELETE FROM 顧客"),
            ("every third row deleted", "DELETE FROM 顧客 WHERE id % 3 = 0"),
            ("table dropped", "DROP TABLE 顧客"),
        )
    ),
    Carrier("SQLite write-ahead log", lambda w: _database(w, "UTF-8", "", wal=True), "utf-8"),
)


def _table(words: Words) -> Table:
    rows = [[str(number), word] for number, word in enumerate(words)]
    return Table("名簿", ("番号", "メール"), rows, Counter())

"""Real files of many formats, small, made here: what the suites of formats run over."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import sqlite3
import tempfile
import zipfile
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image
from tests import ole_samples, other_samples, sevenzip_samples

HEADER = "氏名,住所,電話番号,メール"
ROWS = [
    f"架空 太郎{i},東京都架空区見本町{i}-2-3,03-0000-{i:04d},taro{i}@example.jp" for i in range(40)
]
CSV = "\r\n".join([HEADER, *ROWS]) + "\r\n"


@dataclass(frozen=True, repr=False)
class Sample:
    """``checked``: a byte that is changed inside is noticed, so ``complete`` is a promise.

    ``carved``: its end can be told when other bytes follow. ``grown``: its first part was once a
    whole file. ``sure``: its measure can tell that it is whole.
    """

    name: str
    format: str
    data: bytes
    kind: str | None = None
    checked: bool = False
    carved: bool = True
    grown: bool = False
    sure: bool = True
    says: str = ""
    """Words that its text gives."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Pipe(io.RawIOBase):
    """A file that cannot seek: archivers then stream."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += bytes(data)
        return len(data)


def noise(length: int, seed: int = 0) -> bytes:
    return Random(seed).randbytes(length)


def picture(kind: str, size: tuple[int, int] = (48, 40), **options) -> bytes:
    image = Image.frombytes("RGB", size, noise(size[0] * size[1] * 3))
    out = io.BytesIO()
    (image.convert("P") if kind == "GIF" else image).save(out, kind, **options)
    return out.getvalue()


def pages() -> bytes:
    out = io.BytesIO()
    images = [Image.frombytes("1", (64, 40), noise(320, seed)) for seed in range(3)]
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], compression="tiff_lzw")
    return out.getvalue()


def jpeg_with_thumbnail() -> bytes:
    thumbnail = picture("JPEG", (16, 16))
    plain = picture("JPEG")
    segment = b"Exif\0\0" + thumbnail
    return plain[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + plain[2:]


def archive(
    method: int, *, streamed: bool = False, members: dict[str, bytes] | None = None
) -> bytes:
    out = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in (
            members or {"名簿/a.csv": CSV.encode("cp932"), "b.bin": noise(900)}
        ).items():
            file.writestr(zipfile.ZipInfo(name, (2024, 4, 1, 9, 0, 0)), data, method)
    return out.data if isinstance(out, Pipe) else out.getvalue()


def database(encoding: str = "UTF-8") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA encoding='{encoding}'")
        connection.execute(
            "CREATE TABLE 顧客 (id INTEGER PRIMARY KEY, \"氏名\" TEXT DEFAULT 'a,b', mail TEXT)"
        )
        connection.execute("CREATE TABLE k (a, b, PRIMARY KEY (b)) WITHOUT ROWID")
        connection.execute("CREATE INDEX i ON 顧客 (mail)")
        rows = [(i, f"架空 花子{i}", f"hanako{i}@example.jp") for i in range(300)]
        connection.executemany("INSERT INTO 顧客 VALUES (?, ?, ?)", [*rows, (999, "x" * 9000, "y")])
        connection.execute("INSERT INTO k VALUES (1, 'かぎ')")
        connection.execute("DELETE FROM 顧客 WHERE id BETWEEN 100 AND 200")
        connection.commit()
        connection.close()
        return path.read_bytes()


IDENTITY = b"""begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange
1 beginbfchar <0003> <67B67A7A> endbfchar 1 beginbfrange <0010> <0012> <30A2> endbfrange endcmap"""
TABLE = (
    b"BT /F1 12 Tf 1 0 0 1 20 180 Tm ("
    + "名簿".encode("cp932")
    + b") Tj "
    + b"".join(
        b"1 0 0 1 20 %d Tm <%s> Tj 1 0 0 1 120 %d Tm (%s) Tj "
        % (160 - 14 * row, name.encode("cp932").hex().encode(), 160 - 14 * row, value)
        for row, (name, value) in enumerate(
            [("氏名", b"Tel"), ("架空 太郎", b"03-0000-0001"), ("架空 花子", b"03-0000-0002")]
        )
    )
    + b"ET BT /F2 12 Tf 1 0 0 1 20 40 Tm [<0003> -900 <00100011>] TJ ET"
)


def font_objects() -> list[bytes]:
    """A Shift_JIS font without a map, and one of bare glyph numbers with one, in ASCII85."""
    packed = base64.a85encode(IDENTITY) + b"~>"
    return [
        b"<</Type/Font/Subtype/Type0/Encoding/90ms-RKSJ-H/DescendantFonts[7 0 R]>>",
        b"<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[7 0 R]/ToUnicode 8 0 R>>",
        b"<</Type/Font/Subtype/CIDFontType0/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)>>>>",
        b"<</Length %d/Filter/ASCII85Decode>>stream\n%s\nendstream" % (len(packed), packed),
    ]


def pdf(
    *,
    updated: bool = False,
    stream: bytes = b"BT /F1 12 Tf (Hello) Tj ET",
    fonts: tuple[bytes, ...] = (b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",),
) -> bytes:
    """One page; with an incremental update behind it if ``updated``."""
    import zlib

    packed = zlib.compress(stream)
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R/F2 6 0 R>>>>>>"
        ),
        b"<</Length %d/Filter/FlateDecode>>stream\r\n%s\r\nendstream" % (len(packed), packed),
        *fonts,
    ]
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    if updated:
        at = len(out)
        out += b"6 0 obj\n<</Title(x)>>\nendobj\n"
        more = len(out)
        out += b"xref\n6 1\n%010d 00000 n \ntrailer\n<</Size 7/Root 1 0 R/Prev %d>>\n" % (at, start)
        out += b"startxref\n%d\n%%%%EOF\n" % more
    return out


def mail(charset: str = "iso-2022-jp") -> bytes:
    """Two alternatives and an attachment, headers in encoded words."""
    top = MIMEMultipart("mixed", boundary="=_outer")
    top["Date"] = "Mon, 1 Apr 2024 09:00:00 +0900"
    top["From"] = Header("架空 太郎", charset).encode() + " <taro@example.jp>"
    top["To"] = "hanako@example.jp"
    top["Subject"] = Header(
        "名簿を送ります、ご確認ください。長い件名は折り返されます", charset
    ).encode()
    inner = MIMEMultipart("alternative", boundary="=_inner")
    inner.attach(MIMEText("電話は 03-0000-1234 です。\n", "plain", charset))
    inner.attach(MIMEText("<p>住所: <b>東京都架空区</b></p>", "html", charset))
    top.attach(inner)
    attached = MIMEText(CSV, "csv", "utf-8")
    attached.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "名簿.csv"))
    top.attach(attached)
    return top.as_bytes().replace(b"\n", b"\r\n")


def plain_mail(subject: str) -> bytes:
    message = EmailMessage()
    message["Received"] = "from mx.example.jp by mail.example.jp; Mon, 1 Apr 2024 09:00:00 +0900"
    message["From"] = "taro@example.jp"
    message["Subject"] = subject
    message.set_content("本文です。\nFrom here on it goes on.\n", cte="base64")
    return message.as_bytes()


def mail_box() -> bytes:
    line = b"From taro@example.jp Mon Apr  1 09:00:00 2024\n"
    mails = [plain_mail("一通目"), mail().replace(b"\r\n", b"\n"), plain_mail("三通目")]
    return b"".join(line + one + b"\n" for one in mails)


PAGE = f"""<!DOCTYPE html>
<html><head><meta charset="{{}}"><title>名簿</title><style>p {{{{ color: red }}}}</style></head>
<body><p>問い合わせ: <a href="mailto:info@example.jp">こちら</a> &amp; 電話</p>
<table><tr><th>氏名</th><th>電話番号</th></tr><tr><td>架空 太郎</td><td>03-0000-0001</td></tr></table>
{"<p>本文</p>" * 40}
</body></html>
"""


def rich_text() -> bytes:
    hexed = "".join(f"\\'{byte:02x}" for byte in "架空 太郎".encode("cp932"))
    wide = "".join(f"\\u{ord(c)}?" for c in "電話番号")
    return (
        "{\\rtf1\\ansi\\ansicpg932{\\fonttbl{\\f0\\fcharset128 MS Mincho;}}\\pard "
        f"{hexed} \\{{x\\}} {wide}\\par "
        "\\trowd a\\cell b\\cell\\row \\trowd 1\\cell 2\\cell\\row " + "filler\\par " * 150 + "}"
    ).encode("ascii")


OOXML = {
    "docx": (
        "word/document.xml",
        (
            "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>契約</w:t></w:r><w:r><w:t>書</w:t></w:r></w:p>"
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>氏名</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>電話</w:t>"
            "</w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>架空 太郎</w:t></w:r></w:p></w:tc><w:tc>"
            "<w:p><w:r><w:t>03-0000-0001</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"
        ),
    ),
    "xlsx": (
        "xl/worksheets/sheet1.xml",
        (
            "<worksheet xmlns='m'><sheetData><row><c r='A1' t='s'><v>0</v></c><c r='C1' t='inlineStr'><is>"
            "<t>電話</t></is></c><c r='D1' t='s'><v>2</v></c></row><row><c r='A2' t='s'><v>1</v></c>"
            "<c r='C2'><v>31234567</v></c><c r='D2' s='1'><v>29312</v></c></row></sheetData></worksheet>"
        ),
    ),
    "pptx": (
        "ppt/slides/slide1.xml",
        (
            "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>題</a:t></a:r></a:p><a:p><a:r><a:t>本文</a:t></a:r>"
            "</a:p></p:sld>"
        ),
    ),
}
STRINGS = (
    "<sst xmlns='m'><si><t>氏名</t></si><si><r><t>架空</t></r><r><t> 太郎</t></r></si>"
    "<si><t>生年月日</t></si></sst>"
)
STYLES = (
    "<styleSheet xmlns='m'><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>"
)
CORE = "<cp:coreProperties xmlns:cp='c' xmlns:dc='d'><dc:creator>架空 次郎</dc:creator></cp:coreProperties>"


def office(kind: str) -> bytes:
    name, xml = OOXML[kind]
    members = {
        "[Content_Types].xml": b"<Types/>",
        name: xml.encode(),
        "docProps/core.xml": CORE.encode(),
        "media/image1.png": picture("PNG"),
    }
    if kind == "xlsx":
        members |= {"xl/sharedStrings.xml": STRINGS.encode(), "xl/styles.xml": STYLES.encode()}
    return archive(8, members=members)


def open_document() -> bytes:
    content = (
        "<o:document-content xmlns:o='o' xmlns:t='t' xmlns:b='b'><t:p>表<t:s/>題</t:p><b:table>"
        "<b:table-row><b:table-cell><t:p>氏名</t:p></b:table-cell><b:table-cell><t:p>電話</t:p>"
        "</b:table-cell></b:table-row><b:table-row><b:table-cell b:number-columns-repeated='2'><t:p>x1"
        "</t:p></b:table-cell><b:table-cell b:number-columns-repeated='16000'/></b:table-row></b:table>"
        "</o:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", 8) as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", 0)
        file.writestr("content.xml", content)
    return out.getvalue()


@cache
def samples() -> tuple[Sample, ...]:
    return (*_pictures(), *_archives(), *_documents(), *_texts(), *_others())


def _pictures() -> list[Sample]:
    return [
        Sample("jpeg", "jpeg", picture("JPEG")),
        Sample("jpeg progressive", "jpeg", picture("JPEG", progressive=True)),
        Sample("jpeg restarts", "jpeg", picture("JPEG", restart_marker_rows=1)),
        Sample("jpeg thumbnail", "jpeg", jpeg_with_thumbnail()),
        Sample("png", "png", picture("PNG"), checked=True),
        Sample("gif", "gif", picture("GIF")),
        Sample("tiff", "tiff", picture("TIFF"), sure=False),
        Sample("tiff deflated", "tiff", picture("TIFF", compression="tiff_deflate"), checked=False),
        Sample("tiff pages", "tiff", pages(), sure=False),
        Sample("bmp", "bmp", picture("BMP"), sure=False),
    ]


def _archives() -> list[Sample]:
    out = [
        Sample("gzip", "gzip", gzip.compress(CSV.encode(), mtime=0), checked=True),
        Sample("gzip of noise", "gzip", gzip.compress(noise(3000), mtime=0), checked=True),
        Sample("gzip twice", "gzip", gzip.compress(b"a" * 99) + gzip.compress(b"b"), grown=True),
        Sample("bzip2", "bzip2", bz2.compress(CSV.encode()), checked=True),
        Sample("xz", "xz", lzma.compress(CSV.encode()), checked=True),
        Sample("mbox", "mbox", mail_box(), carved=False),
        Sample("zip empty", "zip", b"PK\5\6" + bytes(18), "zip"),
    ]
    for name, data in sevenzip_samples.ARCHIVES.items():
        locked = name.startswith("aes")
        out.append(Sample(f"7z {name}", "7z", data, checked=not locked, sure=not locked))
    for method in (0, 8, 12, 14):
        for streamed in (False, True):
            name = f"zip method {method}{' streamed' * streamed}"
            data = archive(method, streamed=streamed)
            out.append(Sample(name, "zip", data, "zip", checked=True))
    return out


def _documents() -> list[Sample]:
    return [
        Sample("pdf", "pdf", pdf(), says="Hello"),
        Sample(
            "pdf fonts", "pdf", pdf(stream=TABLE, fonts=tuple(font_objects())), says="架空 アィ"
        ),
        Sample(
            "pdf table",
            "pdf",
            pdf(stream=TABLE, fonts=tuple(font_objects())),
            says="氏名\tTel\n架空 太郎\t03-0000-0001\n",
        ),
        Sample("pdf updated", "pdf", pdf(updated=True), grown=True),
        Sample("sqlite", "sqlite", database(), says="架空 花子7"),
        Sample("sqlite utf-16", "sqlite", database("UTF-16le"), says="hanako7@example.jp"),
        Sample(
            "docx", "zip", office("docx"), "docx", checked=True, says="架空 太郎\t03-0000-0001\n"
        ),
        Sample(
            "xlsx",
            "zip",
            office("xlsx"),
            "xlsx",
            checked=True,
            says="架空 太郎\t\t31234567\t1980-04-01",
        ),
        Sample("pptx", "zip", office("pptx"), "pptx", checked=True, says="題\n本文\n"),
        Sample("ods", "zip", open_document(), "ods", checked=True, says="x1\tx1\n"),
        Sample(
            "xls", "ole", ole_samples.workbook(), "xls", says="架空 太郎\t1980-04-01\t31234567\n"
        ),
        Sample("xls locked", "ole", ole_samples.workbook(locked=True), "xls"),
        Sample(
            "doc", "ole", ole_samples.document(), "doc", says="氏名\t電話\n花子\t03-0000-0001\n"
        ),
        Sample("ppt", "ole", ole_samples.slides(), "ppt", says="架空の題"),
        Sample("msg", "ole", ole_samples.message(), "msg", says="Subject: 件名です\n"),
        Sample("rtf", "rtf", rich_text(), says="架空 太郎 {x} 電話番号"),
        Sample("mail", "eml", mail(), carved=False, says="From: 架空 太郎 <taro@example.jp>"),
        Sample("mail utf-8", "eml", mail("utf-8"), carved=False, says="電話は 03-0000-1234 です"),
        Sample("mail plain", "eml", plain_mail("件名"), carved=False, says="本文です"),
        *(
            Sample(f"html {name}", "html", PAGE.format(name).encode(name), carved=False, says=says)
            for name, says in (("utf-8", "info@example.jp"), ("cp932", "架空 太郎\t03-0000-0001"))
        ),
    ]


def _texts() -> list[Sample]:
    encodings = ("cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-8-sig", "utf-16")
    return [
        Sample(f"text {encoding}", "text", CSV.encode(encoding), "text", carved=False)
        for encoding in encodings
    ]


def _others() -> list[Sample]:
    made, box = other_samples, {"名簿/a.csv": CSV.encode("cp932"), "b.bin": noise(900)}
    unsure = ("film.avi", "riff", "avi"), ("first.mp4", "mp4", "mp4"), ("tone.mp3", "mp3", None)
    return [
        *(Sample(f"tar {n}", "tar", made.tar(box, n), grown=True) for n in range(3)),
        Sample("zstd", "zstd", made.zstd(CSV.encode()), checked=True),
        Sample("zstd of noise", "zstd", made.zstd(noise(3000)), checked=True),
        Sample("zstd no sum", "zstd", made.zstd(noise(3000), checksum=False), sure=False),
        Sample("rar 4", "rar", made.rar4(box), checked=True),
        Sample("rar 4 packed", "rar", made.rar4(box, method=0x33)),
        Sample("rar 4 member locked", "rar", made.rar4(box, flags=4)),
        Sample("rar 5", "rar", made.rar5(box), checked=True),
        Sample("rar 5 packed", "rar", made.rar5(box, method=3)),
        Sample("rar 5 member locked", "rar", made.rar5(box, locked=True)),
        Sample("mp4", "mp4", made.film("last.mp4"), "mp4"),
        Sample("mov", "mp4", made.film("film.mov"), "mov"),
        *(Sample(n, f, made.film(n), kind, sure=False) for n, f, kind in unsure),
        Sample("wav", "riff", made.sound(), "wav", sure=False),
        Sample("webp", "riff", made.webp(), "webp", sure=False),
        Sample(
            "dicom", "dicom", made.dicom(), sure=False, says="氏名: 架空 太郎\n生年月日: 1980-04-01"
        ),
        Sample("docuworks", "docuworks", made.docuworks(), sure=False),
        Sample("emf", "emf", made.emf()),
        Sample("wmf", "wmf", made.wmf()),
        Sample(
            "pst",
            "pst",
            made.store(attached=archive(8), words="架空 太郎 taro@example.jp"),
            "pst",
            sure=False,
        ),
        Sample("bplist", "bplist", made.bplist(), says="架空 太郎7\n"),
        Sample("sqlite log", "sqlitewal", made.write_ahead_log(), sure=False, says="架空 花子7\n"),
        Sample("xml", "xml", made.xml(), carved=False),
        Sample(
            "vcard",
            "vcard",
            made.CARD,
            carved=False,
            says="氏名: 架空 太郎\n電話番号: 090-0000-0001",
        ),
        Sample("ical", "icalendar", made.CALENDAR, carved=False, says="架空 花子"),
    ]

"""Real files of many formats, small, made here: what the suites of formats run over."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image

HEADER = "氏名,住所,電話番号,メール"
ROWS = [
    f"架空 太郎{i},東京都架空区見本町{i}-2-3,03-0000-{i:04d},taro{i}@example.jp" for i in range(40)
]
CSV = "\r\n".join([HEADER, *ROWS]) + "\r\n"


@dataclass(frozen=True)
class Sample:
    """``checked``: a byte that is changed inside is noticed, so ``complete`` is a promise.

    ``carved``: its end can be told when other bytes follow. ``grown``: its first part was once a
    whole file.
    """

    name: str
    format: str
    data: bytes
    kind: str | None = None
    checked: bool = False
    carved: bool = True
    grown: bool = False
    says: str = ""
    """Words that its text gives."""


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


def pdf(*, updated: bool = False, stream: bytes = b"BT /F1 12 Tf (Hello) Tj ET") -> bytes:
    """One page; with an incremental update behind it if ``updated``."""
    import zlib

    packed = zlib.compress(stream)
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>>>"
        ),
        b"<</Length %d/Filter/FlateDecode>>stream\r\n%s\r\nendstream" % (len(packed), packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    if updated:
        at = len(out)
        out += b"6 0 obj\n<</Title(x)>>\nendobj\n"
        more = len(out)
        out += b"xref\n6 1\n%010d 00000 n \ntrailer\n<</Size 7/Root 1 0 R/Prev %d>>\n" % (at, start)
        out += b"startxref\n%d\n%%%%EOF\n" % more
    return out


@cache
def samples() -> tuple[Sample, ...]:
    return (*_pictures(), *_archives(), *_documents(), *_texts())


def _pictures() -> list[Sample]:
    return [
        Sample("jpeg", "jpeg", picture("JPEG")),
        Sample("jpeg progressive", "jpeg", picture("JPEG", progressive=True)),
        Sample("jpeg restarts", "jpeg", picture("JPEG", restart_marker_rows=1)),
        Sample("jpeg thumbnail", "jpeg", jpeg_with_thumbnail()),
        Sample("png", "png", picture("PNG"), checked=True),
    ]


def _archives() -> list[Sample]:
    out = [
        Sample("gzip", "gzip", gzip.compress(CSV.encode(), mtime=0), checked=True),
        Sample("gzip of noise", "gzip", gzip.compress(noise(3000), mtime=0), checked=True),
        Sample("zip empty", "zip", b"PK\5\6" + bytes(18), "zip"),
    ]
    for method in (0, 8, 12, 14):
        for streamed in (False, True):
            name = f"zip method {method}{' streamed' * streamed}"
            data = archive(method, streamed=streamed)
            out.append(Sample(name, "zip", data, "zip", checked=True))
    return out


def _documents() -> list[Sample]:
    return [
        Sample("pdf", "pdf", pdf()),
        Sample("pdf updated", "pdf", pdf(updated=True), grown=True),
        Sample("sqlite", "sqlite", database(), says="架空 花子7"),
        Sample("sqlite utf-16", "sqlite", database("UTF-16le"), says="hanako7@example.jp"),
    ]


def _texts() -> list[Sample]:
    encodings = ("cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-8-sig", "utf-16")
    return [
        Sample(f"text {encoding}", "text", CSV.encode(encoding), "text", carved=False)
        for encoding in encodings
    ]

"""Papers as files: text in six encodings, HTML, mails, mail boxes, databases, archives."""

from __future__ import annotations

import csv
import gzip
import io
import sqlite3
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from html import escape
from pathlib import Path

from .papers import Mail, Paper, Table

ENCODINGS = ("cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-16-le", "utf-16-be")
_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
_DATE = "Tue, 01 May 2018 10:00:00 +0900"


def text(words: str, encoding: str = "cp932") -> bytes:
    """The words with CR LF line ends; UTF-16 with its byte-order mark."""
    return _MARKS.get(encoding, b"") + words.replace("\n", "\r\n").encode(encoding)


def comma_separated(table: Table, encoding: str = "cp932") -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(table.header), *table.rows])
    return text(out.getvalue(), encoding)


def html(paper: Paper, encoding: str = "cp932") -> bytes:
    names = {"cp932": "Shift_JIS", "euc_jp": "EUC-JP"}
    body = "\n".join(f"<p>{escape(line)}</p>" for line in paper.lines)
    return text(
        f'<!DOCTYPE html>\n<html lang="ja"><head><meta charset="{names.get(encoding, encoding)}">'
        f"<title>{escape(paper.title)}</title></head>\n<body><h1>{escape(paper.title)}</h1>\n"
        f"{body}\n</body></html>\n",
        encoding,
    )


def sqlite(tables: Mapping[str, Table], encoding: str = "UTF-8") -> bytes:
    """A database with one table each; column names are the table's header."""
    # Through a real file: only that carries the counters that a program on disk leaves.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "base.db")
        _fill(path, tables, encoding)
        return path.read_bytes()


def _fill(path: Path, tables: Mapping[str, Table], encoding: str) -> None:
    base = sqlite3.connect(path)
    base.execute(f"PRAGMA encoding = '{encoding}'")
    for name, table in tables.items():
        columns = ", ".join(f'"{column}" TEXT' for column in table.header)
        base.execute(f'CREATE TABLE "{name}" ({columns})')
        marks = ", ".join("?" * len(table.header))
        base.executemany(f'INSERT INTO "{name}" VALUES ({marks})', table.rows)  # noqa: S608
    base.commit()
    base.close()


def _message(mail: Mail, number: int) -> MIMEText | MIMEMultipart:
    body = MIMEText(mail.body, "plain", "iso-2022-jp")
    whole: MIMEText | MIMEMultipart = body
    if mail.attachments:
        whole = MIMEMultipart("mixed", boundary=f"=_part_{number:08}")
        whole.attach(body)
        for name, data in mail.attachments:
            part = MIMEApplication(data)
            part.add_header("Content-Disposition", "attachment", filename=("utf-8", "ja", name))
            whole.attach(part)
    whole["From"], whole["To"] = mail.sender, mail.receiver
    whole["Subject"] = Header(mail.subject, "iso-2022-jp").encode()
    whole["Date"], whole["Message-ID"] = _DATE, f"<{number:08}@example.jp>"
    return whole


def eml(mail: Mail, number: int = 1) -> bytes:
    """One message, ISO-2022-JP, CR LF."""
    return _message(mail, number).as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def mbox(mails: Sequence[Mail], first: int = 1) -> bytes:
    """Messages one after the other, each under its "From " line (RFC 4155)."""
    out = b""
    for number, mail in enumerate(mails, first):
        body = _message(mail, number).as_bytes().replace(b"\nFrom ", b"\n>From ")
        out += f"From {mail.sender} Tue May  1 10:00:00 2018\n".encode() + body + b"\n"
    return out


def gzipped(data: bytes, name: str = "") -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", 9, out, mtime=1_525_136_400) as packed:
        packed.write(data)
    return out.getvalue()


def tar(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_525_136_400
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()

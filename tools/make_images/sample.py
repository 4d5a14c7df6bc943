"""The sample drive of the demo: an office's file server, half deleted, one volume re-formatted."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from . import disks, files, office, oracle, papers, people, pictures, volumes
from .oracle import Planted

MIB = 1 << 20
SIZE = 48 * MIB
SHARED, BACKUP = (1 * MIB, 28 * MIB), (30 * MIB, 17 * MIB)
"""Offset and size of the two volumes."""


class Desk:
    """Draws people from one seed and turns papers about them into files."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.public = people.people(self.rng, 220)
        self.staff = people.people(self.rng, 24)
        self.firms = [people.firm(self.rng) for _ in range(30)]

    def anyone(self) -> people.Person:
        return self.rng.choice(self.public)

    def notice(self) -> papers.Paper:
        return papers.notice(self.rng, self.anyone())

    def mail(self) -> papers.Mail:
        return papers.mail(self.rng, self.rng.choice(self.staff), self.anyone())


def _notices(desk: Desk) -> Iterator[Planted]:
    """Tax notices, most as CP932 text, some as documents and PDF."""
    for number in range(1, 61):
        paper = desk.notice()
        stem = f"課税第一課/納税通知書/平成30年度/通知_{number:04}"
        if number % 3 == 0:
            yield Planted(f"{stem}.docx", office.docx(paper), paper.planted)
        elif number % 3 == 1:
            yield Planted(f"{stem}.pdf", office.pdf(paper), paper.planted)
        else:
            yield Planted(f"{stem}.txt", files.text(paper.text), paper.planted)
    for number, firm in enumerate(desk.firms, 1):
        paper = papers.audit(desk.rng, firm)
        make = office.pdf if number % 2 else office.docx
        end = "pdf" if number % 2 else "docx"
        yield Planted(f"課税第二課/法人調査/調査通知_{number:02}.{end}", make(paper), paper.planted)


def _lists(desk: Desk) -> Iterator[Planted]:
    """Lists of taxpayers and staff: CSV, workbook, database."""
    everyone = papers.table("納税者一覧", desk.public)
    late = papers.table("滞納者一覧", desk.public[:80])
    staff = papers.table("職員名簿", desk.staff, papers.STAFF)
    yield Planted("収納課/納税者一覧_H30.csv", files.comma_separated(everyone), everyone.planted)
    yield Planted("収納課/滞納者一覧.xlsx", office.xlsx(late), late.planted)
    yield Planted("収納課/滞納者一覧_控.csv", files.comma_separated(late, "utf-8"), late.planted)
    base = files.sqlite({"納税者": everyone, "滞納": late})
    yield Planted("収納課/収納管理.db", base, everyone.planted + late.planted)
    yield Planted("総務課/職員名簿.xlsx", office.xlsx(staff), staff.planted)
    yield Planted("総務課/職員緊急連絡網.csv", files.comma_separated(staff), staff.planted)


def _mails(desk: Desk) -> Iterator[Planted]:
    for number in range(1, 19):
        mail = desk.mail()
        if number % 6 == 0:
            paper = desk.notice()
            mail.attachments.append(("納税通知書.docx", office.docx(paper)))
            mail.planted += paper.planted
        yield Planted(f"共通/メール/送信_{number:03}.eml", files.eml(mail, number), mail.planted)
    for name in ("受信箱", "送信済み"):
        mails = [desk.mail() for _ in range(15)]
        planted = sum((mail.planted for mail in mails), Counter(email=len(mails)))
        yield Planted(f"共通/メール/{name}.mbox", files.mbox(mails, 100), planted)


def _scans(desk: Desk, folder: str, count: int) -> Iterator[Planted]:
    """Scanned notices. Text in a picture is counted apart: nothing here reads pictures."""
    for number in range(1, count + 1):
        paper, jpeg = desk.notice(), number % 3 != 0
        draw = pictures.scan_jpeg if jpeg else pictures.scan_png
        end = "jpg" if jpeg else "png"
        yield Planted(f"{folder}/scan{number:03}.{end}", draw(paper, desk.rng))


def _archives(desk: Desk) -> Iterator[Planted]:
    members, planted = {}, Counter[str]()
    for number in range(1, 13):
        paper = desk.notice()
        members[f"平成29年度/通知_{number:04}.txt"] = files.text(paper.text)
        planted += paper.planted
    yield Planted("バックアップ/平成29年度.zip", office.zipped(members), planted)
    old = papers.table("旧納税者", people.people(desk.rng, 60))
    packed = files.gzipped(files.comma_separated(old), "list_h28.csv")
    yield Planted("バックアップ/list_h28.csv.gz", packed, old.planted)


def _plain(desk: Desk) -> Iterator[Planted]:
    """What names nobody: minutes, slides, pictures, a program's log."""
    for number in range(1, 13):
        paper = papers.minutes(desk.rng)
        yield Planted(f"総務課/庁舎管理/議事要旨_{number:02}.docx", office.docx(paper))
    yield Planted("総務課/庁舎管理/説明資料.pptx", office.pptx(papers.minutes(desk.rng)))
    for number in range(1, 7):
        photo = pictures.photo_jpeg(desk.rng, 480, 360)
        yield Planted(f"総務課/庁舎写真/DSC_{number:04}.JPG", photo)
    page = papers.minutes(desk.rng)
    yield Planted("総務課/庁舎管理/お知らせ.html", files.html(page))
    yield Planted("システム/batch.log", papers.log(desk.rng, 400).encode())


def _backup(desk: Desk) -> Iterator[Planted]:
    """The second volume: a backup of the years before, in formats that can be carved."""
    yield from _scans(desk, "スキャン", 10)
    for number in range(1, 13):
        paper = desk.notice()
        stem = f"納税通知書_H29/通知_{number:04}"
        make, end = ((office.pdf, "pdf"), (office.docx, "docx"))[number % 2]
        yield Planted(f"{stem}.{end}", make(paper), paper.planted)
    for number in range(1, 5):
        some = papers.table("台帳", people.people(desk.rng, 40))
        yield Planted(
            f"台帳/台帳_{number}.csv",
            files.comma_separated(some, "cp932" if number % 2 else "utf-8"),
            some.planted,
        )
    some = papers.table(
        "口座振替", people.people(desk.rng, 50), ("氏名", "郵便番号", "住所", "口座番号")
    )
    yield Planted("口座振替.db", files.sqlite({"口座振替": some}), some.planted)
    yield Planted(
        "口座振替.csv.gz", files.gzipped(files.comma_separated(some), "k.csv"), some.planted
    )
    paper = desk.notice()
    yield Planted("送付.zip", office.zipped({"通知.txt": files.text(paper.text)}), paper.planted)
    yield Planted("写真.JPG", pictures.photo_jpeg(desk.rng, 480, 360))


def _delete_half(rng: Random, planted: list[Planted]) -> list[Planted]:
    """Chooses what the office deleted before it returned the drive: the lists, and every other."""
    lists = [one for one in planted if one.path.startswith(("収納課", "バックアップ"))]
    rest = [one for one in planted if one not in lists]
    gone = lists[:-1] + rng.sample(rest, len(planted) // 2 - len(lists) + 1)
    for one in gone:
        one.state = "deleted"
    return gone


def _shared(desk: Desk, image: Path) -> list[Planted]:
    """Volume 1: NTFS with live and deleted files."""
    planted = [
        *_notices(desk),
        *_lists(desk),
        *_mails(desk),
        *_archives(desk),
        *_plain(desk),
        *_scans(desk, "共通/スキャン", 12),
    ]
    volumes.blank(image, SHARED[1])
    volumes.make("ntfs", image, "共有", SHARED[0])
    with volumes.session("ntfs", image) as one:
        volumes.put_all(one, [(file.path, file.data) for file in planted])
    oracle.locate(image, planted)
    with volumes.session("ntfs", image) as one:
        for file in _delete_half(desk.rng, planted):
            one.remove(file.path)
    oracle.check(image, planted)
    return planted


def _formatted(desk: Desk, image: Path) -> list[Planted]:
    """Volume 2: NTFS, filled, then quick-formatted as NTFS again."""
    planted = list(_backup(desk))
    volumes.blank(image, BACKUP[1])
    volumes.make("ntfs", image, "バックアップ", BACKUP[0])
    with volumes.session("ntfs", image) as one:
        volumes.put_all(one, [(file.path, file.data) for file in planted])
    oracle.locate(image, planted)
    volumes.make("ntfs", image, "", BACKUP[0])
    oracle.check(image, planted)
    for file in planted:
        file.volume, file.state = 2, "formatted"
    return planted


def build(out: Path, listing: Path, seed: int) -> None:
    """Writes the sample drive as E01 and its manifest."""
    desk = Desk(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second, raw = folder / "1.img", folder / "2.img", folder / "sample.raw"
        planted = [*_shared(desk, first), *_formatted(desk, second)]
        disks.mbr(
            raw, SIZE, [disks.Part("ntfs", first, SHARED[0]), disks.Part("ntfs", second, BACKUP[0])]
        )
        disks.e01(raw, out)
        digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    rows = [
        {"number": 1, "offset": SHARED[0], "size": SHARED[1], "kind": "ntfs", "label": "共有"},
        {
            "number": 2,
            "offset": BACKUP[0],
            "size": BACKUP[1],
            "kind": "ntfs",
            "label": "",
            "before": "ntfs, filled, label バックアップ; then formatted anew",
        },
    ]
    listing.write_text(
        oracle.manifest("sample", seed, rows, planted, size=SIZE, sha256=digest), encoding="utf-8"
    )

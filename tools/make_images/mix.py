"""The mix of real-format files that an office keeps, in the shares that were measured elsewhere.

Shares after the measured sets: pictures and PDF lead, then lists in six encodings, mails,
office documents, archives. Sizes run from a few hundred bytes to a few hundred kilobytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from random import Random

from . import files, office, papers, people, pictures
from .oracle import Planted

FOLDERS = (
    "総務課/庶務",
    "総務課/職員",
    "課税第一課/通知",
    "課税第二課/法人",
    "収納課/台帳",
    "収納課/督促",
    "共通/メール",
    "共通/スキャン",
    "backup/2017",
    "backup/2018",
)


class Mix:
    """Draws files from a seed; no two have the same bytes.

    ``scale`` 1 is the bench's: pictures as large as cameras' previews. A smaller one makes files
    for images that tests unpack.
    """

    def __init__(self, rng: Random, scale: float = 1.0) -> None:
        self.rng = rng
        self.scale = scale
        self._public = people.people(rng, 1500)
        self._seen: set[bytes] = set()

    # -- parts --

    def _rows(self, most: int) -> int:
        """Few rows often, many rarely."""
        top = max(4, int(most * self.scale))
        return int(self.rng.uniform(2, top**0.5) ** 2)

    def _width(self, least: int, most: int) -> int:
        """A picture's width, a multiple of 16."""
        wide = self.rng.randrange(least, most)
        return max(48, int(wide * self.scale**0.5)) // 16 * 16

    def _photo(self) -> tuple[bytes, int, int]:
        width = self._width(500, 1600)
        height = width * 3 // 4
        return (
            pictures.photo_jpeg(self.rng, width, height, self.rng.randrange(60, 85)),
            width,
            height,
        )

    def _paper(self) -> papers.Paper:
        if self.rng.random() < 0.4:
            return papers.minutes(self.rng)
        return papers.notice(self.rng, self.rng.choice(self._public))

    def _table(self) -> papers.Table:
        some = self.rng.sample(self._public, self._rows(1500))
        return papers.table(f"一覧{self.rng.randrange(1000)}", some)

    def _mail(self) -> papers.Mail:
        clerk, who = self.rng.sample(self._public, 2)
        return papers.mail(self.rng, clerk, who)

    def _encoding(self) -> str:
        return self.rng.choice(files.ENCODINGS)

    # -- kinds --

    def jpg(self) -> bytes:
        if self.rng.random() < 0.3:
            return pictures.scan_jpeg(self._paper(), self.rng, self._width(800, 1600))
        return self._photo()[0]

    def png(self) -> bytes:
        if self.rng.random() < 0.5:
            return pictures.scan_png(self._paper(), self.rng, self._width(800, 1600))
        width = self._width(150, 500)
        return pictures.photo_png(self.rng, width, width * 3 // 4)

    def tif(self) -> bytes:
        if self.rng.random() < 0.5:
            return pictures.scan_tiff(self._paper(), self.rng, self._width(800, 1600))
        width = self._width(150, 500)
        return pictures.photo_tiff(self.rng, width, width * 3 // 4)

    def gif(self) -> bytes:
        return pictures.icon_gif(self.rng)

    def bmp(self) -> bytes:
        return pictures.drawing_bmp(self.rng)

    def pdf(self) -> bytes:
        return office.pdf(self._paper(), self._photo() if self.rng.random() < 0.5 else None)

    def docx(self) -> bytes:
        return office.docx(self._paper(), self._photo()[0] if self.rng.random() < 0.3 else b"")

    def xlsx(self) -> bytes:
        return office.xlsx(self._table())

    def pptx(self) -> bytes:
        return office.pptx(self._paper(), self._photo()[0])

    def zip(self) -> bytes:
        members = {
            f"{n}/{self.rng.randrange(9999)}.txt": files.text(self._paper().text)
            for n in range(self.rng.randrange(1, 12))
        }
        if self.rng.random() < 0.5:
            members["photo.jpg"] = self._photo()[0]
        return office.zipped(members, compress=self.rng.random() < 0.8)

    def gz(self) -> bytes:
        return files.gzipped(files.comma_separated(self._table()), "list.csv")

    def db(self) -> bytes:
        encoding = self.rng.choice(("UTF-8", "UTF-8", "UTF-16le"))
        return files.sqlite({"台帳": self._table(), "log": self._table()}, encoding)

    def eml(self) -> bytes:
        mail = self._mail()
        if self.rng.random() < 0.2:
            mail.attachments.append(("通知.docx", office.docx(self._paper())))
        return files.eml(mail, self.rng.randrange(10**8))

    def mbox(self) -> bytes:
        mails = [self._mail() for _ in range(self._rows(300))]
        return files.mbox(mails, self.rng.randrange(10**7))

    def html(self) -> bytes:
        encoding = self.rng.choice(("cp932", "euc_jp", "utf-8"))
        return files.html(self._paper(), encoding)

    def csv(self) -> bytes:
        return files.comma_separated(self._table(), self._encoding())

    def txt(self) -> bytes:
        return files.text(self._paper().text, self._encoding())

    # -- drawing --

    def draw(self, kind: str) -> bytes:
        """A new file of one kind."""
        make: Callable[[], bytes] = getattr(self, kind)
        while True:
            data = make()
            digest = hashlib.sha256(data).digest()
            if digest not in self._seen:
                self._seen.add(digest)
                return data

    def files(self, count: int) -> Iterator[Planted]:
        """So many files, with paths, in the office's shares of kinds."""
        kinds, weights = zip(*SHARES.items(), strict=True)
        for number, kind in enumerate(self.rng.choices(kinds, weights, k=count), 1):
            folder = self.rng.choice(FOLDERS)
            name = self.rng.choice(("資料", "通知", "一覧", "scan", "DSC", "メモ"))
            yield Planted(f"{folder}/{name}_{number:05}.{kind}", self.draw(kind))

    def one_each(self) -> Iterator[Planted]:
        """One file of each kind."""
        for number, kind in enumerate(SHARES, 1):
            folder = FOLDERS[number % len(FOLDERS)]
            yield Planted(f"{folder}/資料_{number:02}.{kind}", self.draw(kind))


SHARES = {
    "jpg": 50,
    "pdf": 33,
    "csv": 42,
    "eml": 37,
    "docx": 27,
    "xlsx": 14,
    "txt": 14,
    "gz": 12,
    "zip": 10,
    "html": 9,
    "db": 8,
    "png": 16,
    "pptx": 8,
    "tif": 5,
    "mbox": 3,
    "gif": 2,
    "bmp": 1,
}

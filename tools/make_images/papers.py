"""What an office writes: notices, lists, mails, minutes; each knows what it holds of whom.

A paper is text before it has a file format. ``planted`` counts each kind of personal data that
was put in, by occurrence, in the contract's words for kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from .people import Firm, Person

OFFICE = "横浜臨海県税事務所"
OFFICE_PHONE = "045-000-0000"
"""Nobody's: no exchange has the number 000. It is not counted as planted."""

_FIELDS: dict[str, tuple[str, Callable[[Person], str]]] = {
    "氏名": ("person_name", lambda p: p.name),
    "フリガナ": ("kana_name", lambda p: p.kana),
    "生年月日": ("birth_date", lambda p: p.born),
    "郵便番号": ("postal_code", lambda p: p.postal),
    "住所": ("address", lambda p: p.address),
    "電話番号": ("phone", lambda p: p.phone),
    "メール": ("email", lambda p: p.email),
    "個人番号": ("my_number", lambda p: p.my_number),
    "基礎年金番号": ("pension_number", lambda p: p.pension),
    "口座番号": ("bank_account", lambda p: p.account),
}
TAXPAYER = ("宛名番号", "氏名", "フリガナ", "郵便番号", "住所", "生年月日", "電話番号", "個人番号")
STAFF = (
    "職員番号",
    "氏名",
    "フリガナ",
    "生年月日",
    "電話番号",
    "メール",
    "口座番号",
    "基礎年金番号",
)


@dataclass(slots=True)
class Paper:
    """Lines of text under a title."""

    title: str
    lines: list[str] = field(default_factory=list)
    planted: Counter[str] = field(default_factory=Counter)

    def say(self, line: str, **facts: str) -> None:
        """Adds a line; each ``{kind}`` field is filled and counted as planted."""
        self.lines.append(line.format(**facts))
        self.planted.update(kind for kind in facts if f"{{{kind}}}" in line)

    @property
    def text(self) -> str:
        return "\n".join([self.title, *self.lines]) + "\n"


@dataclass(slots=True)
class Table:
    """Rows under a header."""

    title: str
    header: Sequence[str]
    rows: list[list[str]]
    planted: Counter[str]


@dataclass(slots=True)
class Mail:
    sender: str
    receiver: str
    subject: str
    body: str
    planted: Counter[str]
    attachments: list[tuple[str, bytes]] = field(default_factory=list)


def notice(rng: Random, who: Person) -> Paper:
    """A tax notice to one person."""
    tax = rng.choice(("自動車税", "個人事業税", "不動産取得税"))
    paper = Paper(f"平成{rng.randrange(26, 31)}年度 {tax}納税通知書")
    paper.say("〒{postal_code}", postal_code=who.postal)
    paper.say("{address}", address=who.address)
    paper.say("{person_name} 様", person_name=who.name)
    paper.say("")
    paper.say(f"税額 {rng.randrange(30, 900) * 100:,}円  納期限 平成30年5月31日")
    paper.say(f"通知書番号 {rng.randrange(10**9, 10**10)}")
    if rng.random() < 0.6:
        paper.say("個人番号 {my_number}", my_number=who.my_number)
    if rng.random() < 0.5:
        paper.say("口座振替 みなと銀行 本店 普通 {bank_account}", bank_account=who.account)
    if rng.random() < 0.5:
        paper.say("電話 {phone}", phone=who.phone)
    paper.say(f"問合せ先 {OFFICE} {OFFICE_PHONE}")
    return paper


def audit(rng: Random, what: Firm) -> Paper:
    """A letter to a firm about its taxes."""
    paper = Paper("法人事業税・法人県民税 調査について（通知）")
    paper.say("〒{postal_code} {address}", postal_code=what.postal, address=what.address)
    paper.say("{firm_name}", firm_name=what.name)
    paper.say("代表取締役 {person_name} 様", person_name=what.head.name)
    paper.say("法人番号 {corporate_number}", corporate_number=what.number)
    paper.say("電話 {phone}", phone=what.phone)
    paper.say(f"整理番号 {rng.randrange(10**9, 10**10)}")
    paper.say("下記の日程で調査に伺います。関係書類のご用意をお願いいたします。")
    return paper


def minutes(rng: Random) -> Paper:
    """Minutes of a meeting that name nobody: an office's paper without personal data."""
    paper = Paper(f"庁舎管理委員会 第{rng.randrange(2, 40)}回 議事要旨")
    topics = (
        "会議室の予約方法を改める。",
        "空調の運転時間を見直し、電気使用量を前年度より減らす。",
        "廊下の照明を順次取り替える。",
        "防災用の備蓄品を点検し、期限の近いものから入れ替える。",
        "共用の複写機は来年度も同じ台数とする。",
        "来庁者用の駐輪場に屋根を設ける案は継続して検討する。",
        "書庫の棚を増やし、保存期間の過ぎた文書を廃棄する。",
    )
    for number in range(1, rng.randrange(6, 40)):
        paper.say(f"{number}. {rng.choice(topics)}")
    return paper


def table(title: str, who: Sequence[Person], columns: Sequence[str] = TAXPAYER) -> Table:
    """A list of people with the named columns; an unknown column holds a running number."""
    planted: Counter[str] = Counter()
    rows = []
    for index, one in enumerate(who, 1):
        row = []
        for column in columns:
            if column not in _FIELDS:
                row.append(f"{10_000 + index * 7}")
                continue
            kind, value = _FIELDS[column]
            row.append(value(one))
            planted[kind] += 1
        rows.append(row)
    return Table(title, columns, rows, planted)


def mail(rng: Random, clerk: Person, who: Person) -> Mail:
    """A clerk's mail to a taxpayer."""
    paper = Paper("")
    paper.say("{person_name} 様", person_name=who.name)
    paper.say("")
    paper.say(f"お世話になっております。{OFFICE}の{{person_name}}です。", person_name=clerk.family)
    paper.say("先日お電話（{phone}）でご相談の件、納付状況を確認いたしました。", phone=who.phone)
    paper.say(
        "ご住所は〒{postal_code} {address}でよろしいでしょうか。",
        postal_code=who.postal,
        address=who.address,
    )
    if rng.random() < 0.4:
        paper.say("生年月日: {birth_date}", birth_date=who.born)
    paper.say(f"税額は{rng.randrange(30, 900) * 100:,}円です。")
    planted = paper.planted + Counter(email=2)
    subject = rng.choice(("課税内容の照会について", "納税証明書の件", "口座振替のご案内"))
    return Mail(clerk.email, who.email, subject, "\n".join(paper.lines) + "\n", planted)


def log(rng: Random, lines: int) -> str:
    """A program's log: numbers that look like identifiers and are none."""
    return "".join(
        f"2018-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02} 12:{rng.randrange(60):02}:00 "
        f"INFO job={rng.randrange(10**11, 10**12)} size={rng.randrange(10**7)} code "
        f"{rng.randrange(100, 999)}-{rng.randrange(1000, 9999)}\n"
        for _ in range(lines)
    )

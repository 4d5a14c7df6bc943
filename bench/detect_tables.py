"""Random tables of invented people in the ways that programs and people write tables.

``python -m bench.detect_tables [--each 40]``: for each way, with Japanese headers, English ones or
none, how much of what is marked is found, and what else. Always the same tables for one ``--seed``.
"""

# ruff: noqa: SIM905 - word lists stand as words
from __future__ import annotations

import argparse
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from bench.detect_made import Maker

from hakushi import detect
from hakushi.model import Strength, Text

SURNAMES = (
    "佐藤 鈴木 高橋 田中 山本 中村 小林 加藤 吉田 佐々木 松本 井上 木村 清水 山口 阿部 池田 "
    "橋本 石川 前田 長谷川 村上 近藤 遠藤 福田 三浦 岡本 藤原 中川 小野 竹内 和田 中山 石田 "
    "上田 原田 柴田 酒井 工藤 宮崎"
).split()
GIVEN = (
    "太郎 花子 誠 隆 浩 健一 直樹 美咲 陽菜 結衣 蓮 翔太 大輔 恵子 和子 明美 由美子 純一 "
    "さくら 拓也 亮 葵 凛 薫 千尋 真由美 裕子 聡 徹 稔 弘 哲也 義男 キヨ ハル 美代子 莉子 湊 "
    "慎太郎 悟 歩 渚"
).split()
READINGS = "サトウ スズキ ワタナベ コバヤシ ハセガワ ミヤザキ オオタ キムラ ゴトウ".split()
GIVEN_READINGS = "タロウ ハナコ ミサキ ケンイチ シゲル サクラ アヤ リュウノスケ マコト".split()

COLUMNS: dict[str, tuple[str, str]] = {
    "name": (
        (
            "氏名 名前 お名前 姓名 ご氏名 氏　名 患者氏名 利用者名 社員名 会員氏名 契約者名 申込者 "
            "顧客名 担当者名 世帯主名"
        ),
        "name full_name customer_name patient_name",
    ),
    "kana": (
        "フリガナ カナ 氏名カナ ふりがな カナ氏名 ヨミガナ 氏名（カナ） ﾌﾘｶﾞﾅ",
        "kana name_kana furigana",
    ),
    "birth": (
        "生年月日 誕生日 生年月日（西暦） 出生年月日 生年月日(和暦)",
        "birthday birth_date dob date_of_birth",
    ),
    "phone": (
        "電話番号 電話 TEL 連絡先 電話番号（自宅） ご連絡先 連絡先電話番号 電話No.",
        "tel phone phone_number",
    ),
    "mobile": ("携帯電話 携帯 携帯番号 携帯電話番号", "mobile mobile_phone"),
    "address": (
        "住所 現住所 ご住所 住所1 所在地 送付先住所 お届け先住所 自宅住所 住　所",
        "address addr",
    ),
    "postal": ("郵便番号 〒", "zip postal_code zipcode"),
    "email": ("メールアドレス E-mail メール Email", "email mail e_mail"),
    "my_number": ("個人番号 マイナンバー 個人番号（12桁）", "my_number mynumber"),
    "pension": ("基礎年金番号 年金番号", "pension_number pension_no"),
    "licence": ("免許証番号 運転免許証番号 免許番号", "license_no license_number"),
    "account": ("口座番号 振込先口座番号", "account_no account_number"),
    "sex": ("性別", "sex gender"),
    "age": ("年齢", "age"),
    "note": ("備考 メモ 状況 摘要", "note memo"),
    "number": ("番号 ID No. 会員番号 管理番号 社員番号 顧客コード", "id member_id code"),
    "day": ("登録日 入社日 受付日 更新日 最終来店日", "created_at updated"),
    "amount": ("金額 支給額 請求額 会費", "amount price"),
    "section": ("所属 部署 部署名", "dept section"),
}
"""What a column may be called, in Japanese and in English."""

UNTOLD = {"pension_number", "bank_account", "my_number", "drivers_licence"}
"""Numbers that are candidates at most where no header says what they are."""


class People(Maker):
    """Draws values of rows, by the names of `COLUMNS`."""

    gap = ""

    def name(self) -> str:
        """Whole, with the gap of its table."""
        value = self.rng.choice(SURNAMES) + self.gap + self.rng.choice(GIVEN)
        return self.mark("person_name", value)

    def kana(self) -> str:
        """With a gap."""
        value = f"{self.rng.choice(READINGS)} {self.rng.choice(GIVEN_READINGS)}"
        return self.mark("kana_name", value)

    def mobile(self) -> str:
        """Of a mobile phone."""
        head = f"0{self.rng.choice('789')}0-{self.rng.randint(1000, 9999)}"
        return self.mark("phone", f"{head}-{self.digits(4)}")

    def value(self, column: str) -> str:
        """What a cell below a header holds."""
        plain: dict[str, Callable[[], str]] = {
            "age": lambda: str(self.rng.randint(20, 90)),
            "sex": lambda: self.rng.choice("男女"),
            "note": lambda: self.rng.choice(["済", "要確認", "再送", "継続", "A", "B+", "〇"]),
            "number": lambda: str(self.rng.randint(1000, 99999)),
            "day": lambda: f"2023/{self.rng.randint(1, 12):02}/{self.rng.randint(1, 28):02}",
            "amount": lambda: str(self.rng.randint(1, 900) * 100),
            "section": lambda: self.rng.choice(["総務課", "営業部", "市民課", "経理", "本社"]),
        }
        made = plain.get(column) or getattr(self, column)
        return str(made())


Row = list[str]
_MARK = re.compile(r"<([a-z_]+)\|([^<>]*)>")


def _joined(delimiter: str, quote: str = "") -> Callable[[Row, list[Row]], str]:
    def write(head: Row, body: list[Row]) -> str:
        lines = [head, *body] if head else body
        return "".join(
            delimiter.join(f"{quote}{one}{quote}" for one in line) + "\n" for line in lines
        )

    return write


def _each(line: str, between: str, after: str = "\n") -> Callable[[Row, list[Row]], str]:
    def write(head: Row, body: list[Row]) -> str:
        rows = (zip(head, row, strict=True) for row in body)
        return "".join(between.join(line.format(*pair) for pair in row) + after for row in rows)

    return write


def _width(text: str) -> int:
    shown = _MARK.sub(r"\2", text)
    return sum(2 if unicodedata.east_asian_width(c) in "FWA" else 1 for c in shown)


def _aligned(head: Row, body: list[Row]) -> str:
    lines = [head, *body] if head else body
    widths = [max(map(_width, column)) + 2 for column in zip(*lines, strict=True)]
    rows = (zip(line, widths, strict=True) for line in lines)
    return "".join(
        "".join(one + " " * (width - _width(one)) for one, width in row).rstrip() + "\n"
        for row in rows
    )


def _markdown(head: Row, body: list[Row]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _html(head: Row, body: list[Row]) -> str:
    first = "".join(f"<th>{one}</th>" for one in head)
    rows = "".join(f"<tr>\n{''.join(f'<td>{one}</td>' for one in row)}\n</tr>\n" for row in body)
    return f"<table>\n<tr>{first}</tr>\n{rows}</table>\n"


def _insert(head: Row, body: list[Row]) -> str:
    names = ", ".join(f"`{one}`" for one in head)
    rows = (", ".join(f"'{one}'" for one in row) for row in body)
    return "".join(f"INSERT INTO t ({names}) VALUES ({row});\n" for row in rows)


WAYS: dict[str, Callable[[Row, list[Row]], str]] = {
    "CSV": _joined(","),
    "CSV in quotes": _joined(",", '"'),
    "tabs": _joined("\t"),
    "semicolons": _joined(";"),
    "bars": _joined("|"),
    "blanks": _joined(" "),
    "aligned": _aligned,
    "Markdown": _markdown,
    "HTML": _html,
    "SQL": _insert,
    "JSON": _each('"{}": "{}"', ", ", "},\n{"),
    "XML": _each("<{0}>{1}</{0}>", "", "</row>\n<row>"),
    "YAML": _each("{}: {}", "\n  ", "\n- "),
    "a label a line": _each("{}：{}", "\n", "\n\n"),
    "a label and a tab": _each("{}\t{}", "\n", "\n\n"),
    "one line each": _each("{}：{}", "、"),
}
HEADLESS = ("CSV", "CSV in quotes", "tabs", "semicolons", "bars", "aligned")
"""Of these the rows say what their columns are where no header does."""


def table(way: str, headers: str, seed: str) -> str:
    """One table, its values marked; ``headers``: ja, en or none."""
    people = People(0)
    people.rng.seed(seed)
    people.gap = people.rng.choice(["", " ", "　"])
    others = people.rng.sample([one for one in COLUMNS if one != "name"], people.rng.randint(2, 7))
    columns = ["name", *others]
    people.rng.shuffle(columns)
    words = [COLUMNS[one][headers == "en"].split(" ") for one in columns]
    head = [] if headers == "none" else [people.rng.choice(some) for some in words]
    rows = range(people.rng.randint(5 if not head else 3, 10))
    body = [[people.value(one) for one in columns] for _ in rows]
    title = people.rng.choice(["", "", "令和5年度　名簿\n\n", "顧客一覧（社外秘）\n"])
    return title + WAYS[way](head, body)


def told(marked: str, headers: str) -> tuple[int, Counter[str], Counter[str]]:
    """How many values are marked; of which kinds some are missed, and of which others are found."""
    untold = UNTOLD if headers == "none" else set()
    planted = Counter((m[1], m[2]) for m in _MARK.finditer(marked) if m[1] not in untold)
    text = _MARK.sub(r"\2", marked)
    found = Counter(
        (one.kind, text[one.start : one.end])
        for one in detect.spans(Text(text), b"key")
        if one.strength is Strength.LABELLED and one.kind not in {"age", "sex"} | untold
    )
    missed = Counter(kind for kind, _ in (planted - found).elements())
    return planted.total(), missed, Counter(kind for kind, _ in (found - planted).elements())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=40, help="tables of each way")
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    print("| way | headers | values | found | missed | besides |\n|---|---|---|---|---|---|")
    for headers in ("ja", "en", "none"):
        for way in HEADLESS if headers == "none" else WAYS:
            planted, missed, more = 0, Counter[str](), Counter[str]()
            for number in range(options.each):
                one = told(table(way, headers, f"{options.seed} {way} {number}"), headers)
                planted, missed, more = planted + one[0], missed + one[1], more + one[2]
            share = f"{1 - missed.total() / planted:.3f}"
            print(f"| {way} | {headers} | {planted} | {share} | {dict(missed)} | {dict(more)} |")


if __name__ == "__main__":
    main()

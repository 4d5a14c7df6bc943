"""Invented people and firms, drawn from a seeded generator.

Family and given names, towns and domains are common words; who carries which number is chance.
Numbers carry valid check digits, since a detector must meet what a real list holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_FAMILY = (
    "佐藤/サトウ 鈴木/スズキ 高橋/タカハシ 田中/タナカ 伊藤/イトウ 渡辺/ワタナベ 山本/ヤマモト "
    "中村/ナカムラ 小林/コバヤシ 加藤/カトウ 吉田/ヨシダ 山田/ヤマダ 佐々木/ササキ 山口/ヤマグチ "
    "松本/マツモト 井上/イノウエ 木村/キムラ 林/ハヤシ 斎藤/サイトウ 清水/シミズ 山崎/ヤマザキ "
    "森/モリ 池田/イケダ 橋本/ハシモト 阿部/アベ 石川/イシカワ 前田/マエダ 藤田/フジタ 小川/オガワ "
    "後藤/ゴトウ 岡田/オカダ 長谷川/ハセガワ 村上/ムラカミ 近藤/コンドウ 石井/イシイ 坂本/サカモト "
    "遠藤/エンドウ 青木/アオキ 藤井/フジイ 西村/ニシムラ 福田/フクダ 太田/オオタ 三浦/ミウラ "
    "岡本/オカモト 松田/マツダ 中川/ナカガワ 中野/ナカノ 原田/ハラダ 小野/オノ 田村/タムラ"
)
_GIVEN = (
    "太郎/タロウ 花子/ハナコ 健一/ケンイチ 美咲/ミサキ 翔太/ショウタ 陽子/ヨウコ 大輔/ダイスケ "
    "由美子/ユミコ 直樹/ナオキ 恵子/ケイコ 誠/マコト 真由美/マユミ 剛/ツヨシ 久美子/クミコ "
    "和也/カズヤ 智子/トモコ 浩二/コウジ 裕子/ユウコ 隆/タカシ 幸子/サチコ 拓也/タクヤ 愛/アイ "
    "正/タダシ 千尋/チヒロ 修/オサム 明美/アケミ 亮/リョウ 紀子/ノリコ 一郎/イチロウ 直美/ナオミ "
    "達也/タツヤ 彩/アヤ 茂/シゲル 典子/ノリコ 豊/ユタカ 奈々/ナナ 進/ススム 文子/フミコ "
    "康弘/ヤスヒロ 綾子/アヤコ"
)
# Postal codes and their towns: public facts of the postal service.
_TOWNS = (
    "220-0004/神奈川県横浜市西区北幸 220-0005/神奈川県横浜市西区南幸"
    " 220-0011/神奈川県横浜市西区高島"
    " 220-0012/神奈川県横浜市西区みなとみらい 231-0002/神奈川県横浜市中区海岸通 "
    "231-0005/神奈川県横浜市中区本町 231-0023/神奈川県横浜市中区山下町 "
    "231-0045/神奈川県横浜市中区伊勢佐木町 210-0007/神奈川県川崎市川崎区駅前本町 "
    "211-0063/神奈川県川崎市中原区小杉町 238-0008/神奈川県横須賀市大滝町 "
    "248-0006/神奈川県鎌倉市小町 250-0011/神奈川県小田原市栄町 243-0018/神奈川県厚木市中町 "
    "252-0231/神奈川県相模原市中央区相模原 100-0005/東京都千代田区丸の内 "
    "101-0021/東京都千代田区外神田 104-0061/東京都中央区銀座 105-0004/東京都港区新橋 "
    "110-0005/東京都台東区上野 150-0002/東京都渋谷区渋谷 160-0022/東京都新宿区新宿 "
    "530-0001/大阪府大阪市北区梅田 460-0008/愛知県名古屋市中区栄 810-0001/福岡県福岡市中央区天神 "
    "060-0001/北海道札幌市中央区北一条西 980-0021/宮城県仙台市青葉区中央"
)
_TRADES = ("商店", "工業", "運輸", "建設", "食品", "印刷", "電機", "不動産", "農園", "設計事務所")
_ERAS = (("昭和", "S", 1925), ("平成", "H", 1988))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for a, _, b in (word.partition("/") for word in text.split()))


FAMILY, GIVEN, TOWNS = _pairs(_FAMILY), _pairs(_GIVEN), _pairs(_TOWNS)


@dataclass(frozen=True, slots=True)
class Person:
    family: str
    given: str
    kana: str
    born: str
    postal: str
    address: str
    phone: str
    email: str
    my_number: str
    pension: str
    account: str

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}"


@dataclass(frozen=True, slots=True)
class Firm:
    name: str
    head: Person
    number: str
    postal: str
    address: str
    phone: str


def my_number(eleven: str) -> str:
    """Eleven digits and their check digit: weights 2-7, then 2-6, from the right, modulo 11."""
    total = sum(
        int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(eleven), 1)
    )
    rest = total % 11
    return eleven + str(0 if rest <= 1 else 11 - rest)


def corporate_number(twelve: str) -> str:
    """The check digit and its twelve digits: 9 less the weighted sum modulo 9."""
    total = sum(int(digit) * (1 if n % 2 else 2) for n, digit in enumerate(reversed(twelve), 1))
    return str(9 - total % 9) + twelve


def _digits(rng: Random, count: int) -> str:
    return str(rng.randrange(1, 10)) + "".join(str(rng.randrange(10)) for _ in range(count - 1))


def _born(rng: Random) -> str:
    era, letter, before = rng.choice(_ERAS)
    year = rng.randrange(5, 30 if letter == "H" else 63)
    month, day = rng.randrange(1, 13), rng.randrange(1, 29)
    return rng.choice(
        (
            f"{era}{year}年{month}月{day}日",
            f"{letter}{year}.{month}.{day}",
            f"{before + year}/{month:02}/{day:02}",
        )
    )


def _place(rng: Random) -> tuple[str, str]:
    postal, town = rng.choice(TOWNS)
    numbers = [rng.randrange(1, top) for top in (9, 40, 30)]
    house = rng.choice(("{}-{}-{}", "{}丁目{}番{}号")).format(*numbers)
    return postal, town + house


def person(rng: Random) -> Person:
    (family, family_kana), (given, given_kana) = rng.choice(FAMILY), rng.choice(GIVEN)
    postal, address = _place(rng)
    mobile = f"{rng.choice(('070', '080', '090'))}-{_digits(rng, 4)}-{_digits(rng, 4)}"
    return Person(
        family,
        given,
        f"{family_kana} {given_kana}",
        _born(rng),
        postal,
        address,
        rng.choice((mobile, mobile, f"045-{rng.randrange(200, 900)}-{_digits(rng, 4)}")),
        f"u{_digits(rng, 5)}@{rng.choice(('example.jp', 'mail.example.ne.jp', 'example.co.jp'))}",
        my_number(_digits(rng, 11)),
        f"{_digits(rng, 4)}-{_digits(rng, 6)}",
        _digits(rng, 7),
    )


def firm(rng: Random) -> Firm:
    head = person(rng)
    base = rng.choice(("みらい", "かもめ", "あさひ", "はまかぜ", "よつば", "さくら", "みどり"))
    name = rng.choice(("株式会社{}{}", "{}{}株式会社", "有限会社{}{}")).format(
        base, rng.choice(_TRADES)
    )
    postal, address = _place(rng)
    number = corporate_number(_digits(rng, 12))
    return Firm(
        name, head, number, postal, address, f"045-{rng.randrange(200, 900)}-{_digits(rng, 4)}"
    )


def people(rng: Random, count: int) -> list[Person]:
    return [person(rng) for _ in range(count)]

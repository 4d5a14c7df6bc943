"""Makes a second labelled set of Japanese office documents, of invented people, for `detect.py`.

``python bench/detect_made.py > SET.jsonl``. Templates mark their values as ``<kind|value>``; the
marks become spans. A few templates are negatives. Always the same set for the same ``--seed``.
"""

# ruff: noqa: E501, SIM905 - templates stand as the lines they make, word lists as words
from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable

from hakushi.detect import postal
from hakushi.detect.rules import corporate_number, drivers_licence, my_number

SURNAMES = (
    "佐藤 鈴木 高橋 田中 渡邉 伊藤 山本 中村 小林 加藤 長谷川 五十嵐 佐々木 勅使河原 小鳥遊 四月一日 東海林 "
    "大河原 釜萢 薬袋 栗花落 興梠 饗庭 雲母坂 樹神 鹿骨 林 森 堺 乾 都築 西園寺 御手洗 八重樫 一ノ瀬"
).split()
GIVEN = (
    "太郎 花子 一郎 美咲 翔太 さくら ひかり 健 誠 葵 陽菜 大翔 結衣 蓮 凛 美穂子 雄一郎 光 みのり あかね 恵 "
    "隆之介 麻里奈 啓 千代 ユキ エミ 心愛 和也 正義 智恵子 亮"
).split()
READINGS = (
    "サトウ スズキ タカハシ タナカ ワタナベ イトウ ヤマモト ナカムラ ハセガワ コトリ ミナイ".split()
)
GIVEN_READINGS = (
    "タロウ ハナコ イチロウ ミサキ ショウタ サクラ ヒカリ ケン マコト アオイ ユイ".split()
)
TOWNS = (
    "東京都世田谷区桜丘|東京都千代田区神田錦町|神奈川県川崎市宮前区犬蔵|大阪府東大阪市荒本北|京都府京都市中京区烏丸通六角上る饅頭屋町|"
    "愛知県名古屋市千種区自由ケ丘|福岡県糟屋郡志免町大字田富|北海道虻田郡ニセコ町字本通|沖縄県中頭郡北谷町美浜|千葉県いすみ市大原|"
    "埼玉県さいたま市浦和区常盤|長野県北佐久郡軽井沢町長倉|兵庫県たつの市龍野町|高知県高岡郡四万十町|三重県四日市市諏訪町|広島県廿日市市宮島口|青森県つがる市木造"
).split("|")
FIRMS = "架空商事 みらい電機 さつき工務店 ABCテック 北斗運輸 三つ葉フーズ 第一測量設計 グリーンリーフ".split()


class Maker:
    """Draws values; every call is another invented one."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def digits(self, count: int) -> str:
        return "".join(self.rng.choices("0123456789", k=count))

    def mark(self, kind: str, value: str) -> str:
        return f"<{kind}|{value}>"

    def wide(self, value: str) -> str:
        """Sometimes in full width."""
        if self.rng.random() < 0.25:
            table = {ord(c): ord(c) + 0xFEE0 for c in "0123456789-"}
            return value.translate(table)
        return value

    def name(self) -> str:
        gap = self.rng.choice(["", " ", "　"])
        return self.mark("person_name", self.rng.choice(SURNAMES) + gap + self.rng.choice(GIVEN))

    def surname(self) -> str:
        return self.mark("person_name", self.rng.choice(SURNAMES))

    def kana(self) -> str:
        gap = self.rng.choice([" ", "　"])
        value = self.rng.choice(READINGS) + gap + self.rng.choice(GIVEN_READINGS)
        return self.mark("kana_name", value)

    def my_number(self) -> str:
        body = self.digits(11)
        value = next(body + str(d) for d in range(10) if my_number.prove(body + str(d)))
        shape = self.rng.choice([value, f"{value[:4]} {value[4:8]} {value[8:]}", value])
        return self.mark("my_number", self.wide(shape))

    def corporate(self) -> str:
        body = self.digits(12)
        return next(str(d) + body for d in range(1, 10) if corporate_number.prove(str(d) + body))

    def licence(self) -> str:
        while True:
            value = str(self.rng.randint(10, 97)) + self.digits(10)
            if drivers_licence.prove(value):
                return self.mark("drivers_licence", self.wide(value))

    def resident(self) -> str:
        return self.mark("resident_code", self.wide(self.digits(11)))

    def pension(self) -> str:
        joint = self.rng.choice(["-", "-", ""])
        return self.mark("pension_number", self.wide(self.digits(4) + joint + self.digits(6)))

    def phone(self) -> str:
        value = self.rng.choice(
            [
                f"0{self.rng.choice('6789')}0-{self.rng.randint(1000, 9999)}-{self.digits(4)}",
                f"03-{self.rng.randint(2000, 9999)}-{self.digits(4)}",
                f"0{self.rng.choice(['45', '52', '75', '92'])}-{self.rng.randint(200, 999)}-{self.digits(4)}",
                f"0{self.rng.choice(['466', '263', '978'])}-{self.rng.randint(20, 99)}-{self.digits(4)}",
                f"0{self.rng.choice(['45', '52'])}({self.rng.randint(200, 999)}){self.digits(4)}",
            ]
        )
        return self.mark("phone", self.wide(value))

    def email(self) -> str:
        user = self.rng.choice(["taro", "h.suzuki", "info", "y_tanaka", "k-mori"])
        host = self.rng.choice(["example.co.jp", "example.jp", "mail.example.com", "example.ne.jp"])
        return self.mark("email", f"{user}{self.rng.randint(1, 999)}@{host}")

    def postal(self) -> str:
        while not postal.exists(code := self.digits(7)):
            pass
        return self.mark("postal_code", self.wide(f"{code[:3]}-{code[3:]}"))

    def address(self, building: bool = True) -> str:
        town = self.rng.choice(TOWNS)
        a, b, c = (self.rng.randint(1, 30) for _ in range(3))
        number = self.rng.choice(
            [f"{a}-{b}-{c}", f"{a}丁目{b}番{c}号", f"{a * 40}番地{b}", f"{a}-{b}", f"{a * 30}番地"]
        )
        house = self.rng.choice(
            ["", "", "　ハイツ青葉203号室", " 第2コーポ山手101", " グランドメゾン緑 1205"]
        )
        return self.mark("address", town + self.wide(number) + (house if building else ""))

    def birth(self) -> str:
        year, month, day = (
            self.rng.randint(1935, 1988),
            self.rng.randint(1, 12),
            self.rng.randint(1, 28),
        )
        era = f"昭和{year - 1925}年{month}月{day}日"
        value = self.rng.choice(
            [era, f"{year}年{month}月{day}日", f"{year}/{month:02}/{day:02}", f"{year}-{month:02}-{day:02}",
             f"S{year - 1925}.{month}.{day}", f"{year}.{month}.{day}"]
        )  # fmt: skip
        return self.mark("birth_date", self.wide(value) if "年" in value else value)

    def account(self) -> str:
        return self.mark("bank_account", self.wide(self.digits(6) + self.rng.choice("123456789")))

    def firm(self) -> str:
        name = self.rng.choice(FIRMS)
        form = self.rng.choice(
            ["株式会社{}", "{}株式会社", "有限会社{}", "合同会社{}", "(株){}", "㈱{}"]
        )
        return self.mark("firm_name", form.format(name))

    def hex(self, count: int) -> str:
        return "".join(self.rng.choices("0123456789abcdef", k=count))


def resume(m: Maker) -> str:
    return (
        f"履 歴 書　　令和5年4月1日現在\nふりがな　{m.mark('kana_name', 'すずき　はなこ')}\n氏　　名　{m.name()}　　　男・女\n"
        f"生年月日　{m.birth()}生（満45歳）\n現住所　〒{m.postal()}\n　{m.address()}\n電話　{m.phone()}　携帯　{m.phone()}\n"
        f"E-mail：{m.email()}\n\n学歴・職歴\n平成12年3月　○○高等学校卒業\n平成12年4月　{m.firm()}入社\n"
    )


def dependants(m: Maker) -> str:
    return (
        "給与所得者の扶養控除等（異動）申告書\n"
        f"あなたの氏名：{m.name()}　あなたの個人番号：{m.my_number()}\nあなたの生年月日：{m.birth()}\n"
        f"あなたの住所又は居所（郵便番号 {m.postal()}）\n{m.address()}\n世帯主の氏名：{m.name()}\n"
        f"源泉控除対象配偶者　氏名 {m.name()}　個人番号 {m.my_number()}\n"
    )


def ledger(m: Maker) -> str:
    rows = "".join(
        f"{n}\t{m.name()}\t{m.birth()}\t{m.phone()}\t{m.address()}\t入会済\n"
        for n in range(1, m.rng.randint(5, 20))
    )
    return f"令和4年度　会員名簿\n\nNo.\t氏　名\t生年月日\t連絡先\t住　所\t備考\n{rows}"


def english(m: Maker) -> str:
    rows = "".join(
        f'{n},"{m.name()}","{m.kana()}",{m.email()},{m.phone()},{m.postal()},"{m.address()}",{m.digits(8)}\n'
        for n in range(1001, 1001 + m.rng.randint(4, 15))
    )
    return f"customer_id,name,name_kana,email,tel,zip,address,order_no\n{rows}"


def aligned(m: Maker) -> str:
    rows = "".join(
        f"{n:>3}   {m.mark('person_name', m.rng.choice(SURNAMES[:12]) + ' ' + m.rng.choice(GIVEN))}   {m.phone()}   {m.digits(5)}円\n"
        for n in range(1, 8)
    )
    return f"保護者連絡網\n\n番号   保護者氏名   電話番号   会費\n{rows}"


def markdown(m: Maker) -> str:
    rows = "".join(
        f"| {m.name()} | {m.my_number()} | {m.resident()} | {m.licence()} |\n" for _ in range(4)
    )
    return f"## 本人確認\n\n| 氏名 | マイナンバー | 住民票コード | 免許証番号 |\n|---|---|---|---|\n{rows}"


def contract(m: Maker) -> str:
    return (
        f"業務委託契約書\n\n{m.firm()}（以下「甲」という。）と{m.firm()}（以下「乙」という。）は、次のとおり契約を締結する。\n"
        f"第1条　甲は、令和3年4月1日から乙に業務を委託する。\n\n甲　住所　{m.address(building=False)}\n　　氏名　代表取締役　{m.name()}　印\n"
        f"　　法人番号 {m.mark('corporate_number', m.corporate())}\n乙　所在地　{m.address(building=False)}\n　　代表者　{m.name()}　印\n"
    )


def invoice(m: Maker) -> str:
    return (
        f"請求書\n{m.firm()} 御中\n請求番号 INV-{m.digits(8)}\n発行日 2024年3月31日\n\n{m.firm()}\n〒{m.postal()}　{m.address()}\n"
        f"TEL：{m.phone()}　FAX：{m.phone()}\n登録番号：{m.mark('corporate_number', 'T' + m.corporate())}\n"
        f"担当：{m.surname()}\n\n品名 数量 単価 金額\nA4用紙 10 450 4,500\n\nお振込先：架空銀行 さくら支店（普通）{m.account()}　口座名義 カ）テスト\n"
    )


def letter(m: Maker) -> str:
    who = m.surname()
    return (
        f"〒{m.postal()}\n{m.address()}\n{m.name()} 殿\n\n拝啓　時下ますますご清栄のこととお慶び申し上げます。\n"
        f"さて、{who}様よりお申し出のありました件につきまして、下記のとおり回答いたします。\n"
        f"ご不明な点は総務課の{m.surname()}（内線 2{m.digits(3)}、{m.email()}）までお問い合わせください。敬具\n"
    )


def mail(m: Maker) -> str:
    return (
        f"From: {m.email()}\nTo: {m.email()}\nSubject: 打合せの件\nDate: Tue, 5 Mar 2024 10:12:44 +0900\n\n{m.firm()}\n{m.surname()}様\n\n"
        f"いつもお世話になっております。\n市民課の{m.surname()}と申します。\n明日の打合せですが、{m.name()}様（{m.birth()}生）の件も併せてお願いします。\n\n"
        f"-- \n架空市役所 市民課\n電話 {m.phone()}（直通）\n"
    )


def medical(m: Maker) -> str:
    return (
        f"診療情報提供書\n患者氏名：{m.name()} 様　（{m.kana()}）\n生年月日：{m.birth()}　性別：女\n住所：{m.address()}\n"
        f"電話番号：{m.phone()}\n紹介目的：精査のため\n血圧 132/84  体温 36.5  検査番号 {m.digits(12)}\n"
    )


def record(m: Maker) -> str:
    return (
        f'{{"id": {m.digits(7)}, "name": "{m.name()}", "kana": "{m.kana()}", "email": "{m.email()}", "tel": "{m.phone()}", '
        f'"birthday": "{m.mark("birth_date", "1970-02-03")}", "address": "{m.address()}", "created_at": "2024-01-05T12:33:21+09:00"}}\n'
    )


def care(m: Maker) -> str:
    return (
        f"届出人\n　住所　{m.address()}\n　氏名　{m.name()}\n　電話　{m.phone()}\n\n被保険者\n　フリガナ　{m.kana()}\n　氏　名　{m.name()}\n"
        f"　生年月日　{m.birth()}\n　基礎年金番号　{m.pension()}\n　個人番号　{m.my_number()}\n振込先　架空信用金庫 本店営業部 普通預金 {m.account()}\n"
    )


def police(m: Maker) -> str:
    return (
        f"運転者台帳\n氏名 {m.name()}\n免許証番号 第{m.licence()}号\n交付 令和4年6月1日\n生年月日 {m.birth()}\n住所 {m.address()}\n"
        f"緊急連絡先 {m.name()}（妻） {m.phone()}\n"
    )


def residents(m: Maker) -> str:
    rows = "".join(
        f"{m.digits(8)},{m.name()},{m.kana()},{m.birth()},{m.rng.choice('男女')},{m.my_number()},{m.resident()},{m.address()},{m.pension()}\r\n"
        for _ in range(m.rng.randint(3, 25))
    )
    return f"宛名コード,漢字氏名,カナ氏名,生年月日,性別,個人番号,住民票コード,現住所,基礎年金番号\r\n{rows}"


def minutes(m: Maker) -> str:
    return (
        f"取締役会議事録\n日時　令和5年6月20日 午前10時\n出席者　代表取締役社長 {m.name()}\n監査役　出席\n"
        f"議長 {m.name()} 氏は開会を宣し、議事に入った。\n"
    )


def log(m: Maker) -> str:
    return "".join(
        f"[2024-02-{m.rng.randint(10, 28)} 12:{m.rng.randint(10, 59)}:07.{m.digits(3)}] INFO req={m.hex(8)}-{m.hex(4)}-{m.hex(4)} user={m.digits(6)} ip=10.0.{m.rng.randint(0, 255)}.{m.rng.randint(0, 255)} bytes={m.digits(9)} txn {m.digits(12)} trace {m.digits(13)}\n"
        for _ in range(12)
    )


def parts(m: Maker) -> str:
    rows = "".join(
        f"{m.rng.choice('ABCD')}{m.digits(3)}-{m.digits(4)},ステンレスボルト M{m.rng.randint(3, 12)},{m.digits(13)},{m.digits(12)},{m.rng.randint(1, 90)},棚{m.digits(2)}-{m.digits(2)}-{m.digits(4)}\n"
        for _ in range(10)
    )
    return f"部品コード,品名,JANコード,管理番号,数量,棚番\n{rows}"


def courier(m: Maker) -> str:
    return "".join(
        f"お問い合わせ伝票番号 {m.digits(4)}-{m.digits(4)}-{m.digits(4)} 個数 1 重量 {m.rng.randint(1, 20)}kg 3辺 {m.digits(3)}-{m.digits(4)}\n"
        for _ in range(10)
    )


def novel(_m: Maker) -> str:
    return (
        "　その朝、彼は駅までの道を一人で歩いた。雪は夜のうちに止み、屋根という屋根が白く光っている。様々な思いが胸をよぎったが、"
        "昨日と同様、答えは出なかった。昭和二十年八月十五日のことを、祖父は一度も話さなかった。\n"
    )


def statute(_m: Maker) -> str:
    return (
        "（目的）\n第一条　この条例は、個人番号の利用及び特定個人情報の提供に関し必要な事項を定めるものとする。\n"
        "２　住民票コード、基礎年金番号及び免許証番号の取扱いについては、規則で定める。氏名、住所、生年月日及び電話番号を記載した書面を提出しなければならない。\n"
    )


def manual(m: Maker) -> str:
    return (
        "入力例：電話番号は半角数字とハイフンで入力してください（例：000-0000-0000）。\n郵便番号は7桁です。氏名（カナ）欄は全角カタカナで入力します。\n"
        f"バージョン 10.2.{m.digits(4)}.{m.digits(3)}　ビルド {m.digits(8)}　プロダクトID {m.digits(5)}-{m.digits(3)}-{m.digits(7)}-{m.digits(5)}\n"
        "システム管理者様は、サーバー様式の設定を同様に行うこと。株式会社の設立手続とは異なります。\n"
    )


def survey(m: Maker) -> str:
    return "".join(
        f"測点{n} X={m.digits(6)}.{m.digits(3)} Y={m.digits(5)}.{m.digits(3)} 標高 {m.digits(2)}.{m.digits(3)} 器械番号 {m.digits(6)} 観測 2023/11/0{n} 09:1{n}\n"
        for n in range(1, 9)
    )


def code(m: Maker) -> str:
    return (
        f"static const uint64_t TABLE[] = {{ {m.digits(12)}ULL, {m.digits(13)}ULL, 0x{m.hex(16)} }};\n// see RFC 2821, section 4.5.3\n"
        f"sha256:{m.hex(64)}\nassert.equal(phone.format('0{m.digits(9)}'), undefined)\nuuid {m.hex(8)}-{m.hex(4)}-4{m.hex(3)}-8{m.hex(3)}-{m.hex(12)}\n"
    )


def news(_m: Maker) -> str:
    return (
        "県は28日、県内の観光客数が前年比12.5％増の3210万4千人だったと発表した。横浜市や川崎市、相模原市で増え、箱根町は横ばいだった。"
        "平成30年4月1日に開業した施設の来場者は令和元年5月31日に100万人を超えた。問い合わせは観光課へ。\n"
    )


MAKERS: tuple[Callable[[Maker], str], ...] = (
    resume, dependants, ledger, english, aligned, markdown, contract, invoice, letter, mail,
    medical, record, care, police, residents, minutes,
    log, parts, courier, novel, statute, manual, survey, code, news,
)  # fmt: skip
ENCODINGS = ("utf-8", "cp932", "euc_jp", "utf-16-le", "utf-16-be", "iso-2022-jp")
_MARK = re.compile(r"<([a-z_]+)\|([^<>]*)>")


def document(marked: str, kind: str, encoding: str) -> dict[str, object]:
    """The text without its marks, and their spans."""
    spans: list[list[object]] = []
    out, at, length = [], 0, 0
    for match in _MARK.finditer(marked):
        out.append(marked[at : match.start()])
        length += match.start() - at
        spans.append([length, length + len(match[2]), match[1]])
        out.append(match[2])
        length += len(match[2])
        at = match.end()
    out.append(marked[at:])
    text = "".join(out)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        encoding = "utf-8"
    return {"text": text, "spans": spans, "kind": kind, "encoding": encoding}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20260401)
    parser.add_argument("--each", type=int, default=30, help="documents of each template")
    options = parser.parse_args()
    maker = Maker(options.seed)
    for make in MAKERS:
        for _ in range(options.each):
            one = document(make(maker), make.__name__, maker.rng.choice(ENCODINGS))
            sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

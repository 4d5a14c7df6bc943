"""Every kind, wherever its label may stand: forms, lists, records of programs, sentences."""

import json
from urllib.parse import quote

import pytest
from tests.found import scan

from hakushi import detect
from hakushi.media import Memory
from hakushi.model import Finding, Strength, Text

VALUES = [
    # kind, how people call it, how programs call it, a value
    ("person_name", "氏名", "name", "山本 和子"),
    ("person_name", "氏名", "full_name", "Maria Garcia"),
    ("person_name", "お名前", "customer_name", "工藤 俊"),
    ("kana_name", "フリガナ", "kana", "ヤマモト カズコ"),
    ("kana_name", "ふりがな", "furigana", "くどう しゅん"),
    ("birth_date", "生年月日", "birth_date", "1978-04-12"),
    ("birth_date", "生年月日", "dob", "昭和53年4月12日"),
    ("birth_date", "生年月日", "birthday", "S53.4.12"),
    ("birth_date", "生年月日", "date_of_birth", "19780412"),
    ("birth_date", "生年月日", "birthDate", "1978/4/12"),
    ("address", "住所", "address", "静岡県浜松市中央区元城町103番地の2"),
    ("address", "現住所", "addr", "東京都新宿区西新宿2-8-1 都庁マンション301号"),
    ("postal_code", "郵便番号", "zip", "430-8652"),
    ("postal_code", "郵便番号", "postal_code", "4308652"),
    ("postal_code", "〒", "zipcode", "160-0023"),
    ("phone", "電話番号", "tel", "053-457-2111"),
    ("phone", "携帯電話", "mobile", "09012345678"),
    ("phone", "連絡先", "phone", "080-1234-5678"),
    ("email", "メールアドレス", "email", "kazuko@example.jp"),
    ("my_number", "個人番号", "my_number", "123456789018"),
    ("my_number", "マイナンバー", "mynumber", "1234 5678 9018"),
    ("resident_code", "住民票コード", "juminhyo_code", "10234567894"),
    ("pension_number", "基礎年金番号", "pension_number", "4321-098765"),
    ("drivers_licence", "運転免許証番号", "drivers_license", "308098765400"),
    ("drivers_licence", "免許証の番号", "license_no", "308098765400"),
    ("bank_account", "口座番号", "account_number", "1234567"),
    ("corporate_number", "法人番号", "corporate_number", "7000012050002"),
    ("firm_name", "会社名", "company", "株式会社山本製作所"),
    ("firm_name", "勤務先", "company_name", "有限会社クドウ"),
    ("passport", "旅券番号", "passport_no", "TK1234567"),
    ("residence_card", "在留カード番号", "residence_card", "AB12345678CD"),
    ("payment_card", "カード番号", "card_number", "4980-2371-6054-8198"),
    ("licence_plate", "車両番号", "license_plate", "浜松 330 て 8124"),
    ("insurer_number", "保険者番号", "insurer_number", "01130012"),
    ("employment_insurance", "雇用保険被保険者番号", "employment_insurance_no", "1234-567890-1"),
    ("iban", "IBAN", "iban", "DE89370400440532013000"),
]

CONTEXTS = {
    "behind a colon": "{ja}：{value}\n備考：なし\n",
    "behind a gap": "{ja}　{value}\n備考　なし\n",
    "behind a tab": "{ja}\t{value}\n",
    "below it": "{ja}\n{value}\n備考\nなし\n",
    "behind brackets": "【{ja}】{value}\n",
    "of a list": "・{ja}：{value}\n",
    "of settings": "{en}={value}\nmode=1\n",
    "of YAML": "{en}: {value}\nstatus: ok\n",
    "of JSON": '{{"id": 12, "{en}": "{value}", "status": "ok"}}',
    "of JSON in Japanese": '{{"番号": 12, "{ja}": "{value}", "状態": "済"}}',
    "of XML": "<row><id>12</id><{en}>{value}</{en}><status>ok</status></row>",
    "of an attribute": '<row id="12" {en}="{value}" status="ok"/>',
    "of HTML": "<tr><th>{ja}</th><td>{value}</td></tr>",
    "of CSV": "番号,{ja},状態\n12,{value},済\n13,{value},済\n",
    "of CSV in quotes": '"番号","{ja}","状態"\n"12","{value}","済"\n"13","{value}","済"\n',
    "of CSV of a program": "id,{en},status\n12,{value},ok\n13,{value},ok\n",
    "of TSV": "番号\t{ja}\t状態\n12\t{value}\t済\n13\t{value}\t済\n",
    "of Markdown": "| 番号 | {ja} | 状態 |\n|---|---|---|\n| 12 | {value} | 済 |\n",
    "of SQL": "INSERT INTO t (id, {en}, status) VALUES (12, '{value}', 'ok');",
    "of a sentence": "お客様の{ja}は{value}です。",
    "beside a telephone": "電話,{ja}\n03-1234-5678,{value}\n03-1234-5679,{value}\n",
}

NOT_YET = {
    ("Maria Garcia", "of CSV of a program"),  # as well a ware's name
    ("Maria Garcia", "of a sentence"),
    ("くどう しゅん", "of CSV of a program"),
    ("くどう しゅん", "of a sentence"),
    ("ヤマモト カズコ", "of a sentence"),
    ("DE89370400440532013000", "of settings"),
}


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_value_is_found_wherever_its_label_stands(context):
    missed = []
    for kind, ja, en, value in VALUES:
        text = CONTEXTS[context].format(ja=ja, en=en, value=value)
        found = [
            text[one.start : one.end]
            for one in detect.spans(Text(text), b"k")
            if one.kind == kind and one.strength is Strength.LABELLED
        ]
        if found.count(value) < text.count(value):
            missed.append((value, context))
    assert set(missed) == {one for one in NOT_YET if one[1] == context}


LETTERS = [
    "{}様",
    "{} 様\n",
    "{}さま",
    "{}殿\n",
    "{}さん、こんにちは",
    "{}さんから電話",
    "{}先生\n",
    "{}氏によると",
    "担当：{}\n",
    "担当者 {}\n",
    "（担当：{}）",
    "担当 {}（内線123）",
    "総務課の{}です。",
    "{}と申します。",
    "{}より\n",
    "{}まで連絡ください",
    "{}宛\n",
    "From: {}\n",
    "差出人：{}\n",
    "{}（総務課）",
    "課長 {}\n",
    "{}課長\n",
    "{}部長に確認",
    "作成者: {}\n",
    "出席者：{}、山田 太郎\n",
    "出席：山田、{}\n",
    "議長 {}\n",
    "講師：{}\n",
    "受付者\u3000{}\n",
    "起案者 {} 印\n",
    "{}（妻）",
    "妻 {}\n",
    "母：{}\n",
    "代理人 {}\n",
    "患者 {}\n",
    "利用者：{}\n",
    "お客様名：{}\n",
    "契約者\u3000{}\n",
    "名義：{}\n",
    "口座名義 {}\n",
    "納税者 {}\n",
    "世帯主：{}\n",
    "届出人\u3000{}\n",
    "{}邸",
    "{}君",
    "{}くん",
    "{}ちゃん",
    "{} (080-1234-5678)",
    "{} <a@example.jp>",
    "@{} さん",
    "{}です。お世話になります",
    "お世話になっております。{}です。",
    "以上、よろしくお願いいたします。\n{}\n",
    "敬具\n{}\n",
    "記入者：{}\n日付",
    "署名 {}\n",
    "報告者氏名\u3000{}\n",
    "訪問者：{}様\n",
    "{}様邸",
    "{}ご夫妻",
    "喪主 {}\n",
    "保護者氏名 {}\n",
    "生徒：{}\n",
    "3年2組 {}\n",
    "社員番号 1234 {}\n",
    "氏名\u3000{}\n住所",
    "申請者\u3000住所\u3000神奈川県横浜市中区日本大通1\n\u3000\u3000\u3000\u3000氏名\u3000{}\n",
    "神奈川県横浜市中区日本大通1\n{}\n",
    "{}（昭和40年1月2日生）",
    "{}、昭和40年1月2日生",
    "{}（ヤマダ タロウ）",
    "{} 045-210-1111\n",
    "1 {} 神奈川県横浜市中区日本大通1\n",
    "(1) {}\n",
    "・{}\n",
    "{} 45歳\n",
    "甲\u3000{}\n",
    "{}（以下「甲」という。）",
    "{}に対する",
    "対象者は{}です",
    "{} 印\n",
    "{}\u3000続柄 妻\n",
    "営業部 {}\n",
    "出席 {}、",
    "故 {} 儀",
    "{} 御一同様",
    "承認：{}\n",
    "滞納者 {}（整理番号123）",
    "長男\u3000{}\n",
]


@pytest.mark.parametrize(
    "name", ["佐藤 健一", "佐藤健一", "勅使河原 美穂子", "土岐 隆章", "高橋 廣"]
)
def test_a_whole_name_is_found_in_letters_lists_and_forms(name):
    missed = [
        letter
        for letter in LETTERS
        if name
        not in [
            letter.format(name)[one.start : one.end]
            for one in detect.spans(Text(letter.format(name)), b"k")
            if one.kind == "person_name" and one.strength is Strength.LABELLED
        ]
    ]
    assert missed == []


@pytest.mark.parametrize("context", ["of settings", "of YAML", "of JSON"])
def test_a_value_in_ascii_is_found_in_the_midst_of_other_bytes(context):
    """Nothing Japanese is needed to wake the search."""
    missed = []
    for kind, _, en, value in VALUES:
        if not value.isascii() or (value, context) in NOT_YET:
            continue
        text = CONTEXTS[context].format(ja="", en=en, value=value)
        data = bytes(4096) + text.encode() + bytes(range(256)) * 16
        found = [one for one in scan(Memory(data), b"k") if isinstance(one, Finding)]
        if kind not in [one.kind for one in found]:
            missed.append((kind, en, value))
    assert missed == []


@pytest.mark.parametrize(
    "written", [json.dumps, quote, lambda text: "".join(f"&#{ord(c)};" for c in text)]
)
def test_escaped_japanese_wakes_the_search(written):
    text = written("氏名：山田 太郎 様\n住所：静岡県浜松市中央区元城町103番地の2\n")
    data = bytes(4096) + text.encode() + bytes(range(256)) * 16
    found = {one.kind for one in scan(Memory(data), b"k") if isinstance(one, Finding)}
    assert {"person_name", "address"} <= found

"""Labels, tables, refusals and overlaps in texts."""

import pytest

from hakushi import detect
from hakushi.detect.tables import column, header_of
from hakushi.model import Locator, Strength, Text

KEY = b"k"


def found(text, **more):
    spans = detect.spans(Text(text, **more), KEY)
    return {(s.kind, text[s.start : s.end]) for s in spans if s.strength is Strength.LABELLED}


def candidates(text):
    spans = detect.spans(Text(text), KEY)
    return {(s.kind, text[s.start : s.end]) for s in spans if s.strength is Strength.UNLABELLED}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("氏名", "person_name"),
        ("保護者氏名", "person_name"),
        ("氏名(カナ)", "kana_name"),
        ("フリガナ", "kana_name"),
        ("電話番号", "phone"),
        ("会社電話番号", "phone"),
        ("メールアドレス", "email"),
        ("住所1", "address"),
        ("生年月日(西暦)", "birth_date"),
        ("個人番号", "my_number"),
        ("customer_name", "person_name"),
        ("ZIP", "postal_code"),
        ("宛名番号", None),
        ("品名", None),
        ("店名", None),
        ("件名", None),
    ],
)
def test_a_column_is_what_its_header_ends_with(header, kind):
    assert column(header).kind == kind


def test_a_number_column_of_another_name_is_foreign():
    assert column("伝票番号").foreign
    assert not column("備考").foreign


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_columns_of_a_table_are_read_by_its_header(delimiter):
    rows = [
        ["番号", "氏名", "フリガナ", "住所", "個人番号", "伝票番号"],
        ["1", "雲居　林檎", "クモイ リンゴ", "架空町1-2-3", "123456789018", "123456789018"],
        ["2", "都", "ミヤコ", "丸の内二丁目", "999", "4"],
    ]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert found(text) == {
        ("person_name", "雲居　林檎"),
        ("kana_name", "クモイ リンゴ"),
        ("address", "架空町1-2-3"),
        ("my_number", "123456789018"),
        ("person_name", "都"),
        ("kana_name", "ミヤコ"),
        ("address", "丸の内二丁目"),
    }


def test_quoted_fields_keep_their_commas():
    text = '"氏名","住所","電話番号"\n"山田, 太郎","東京都港区芝1-2-3, 501号","03-3234-5678"\n'
    assert ("phone", "03-3234-5678") in found(text)
    assert any(kind == "address" and "港区" in value for kind, value in found(text))


def test_cells_of_a_document_are_read_by_their_column():
    text = "氏名電話田中一郎0312345678"
    cells = (((0, 2), (2, 4)), ((4, 8), (8, 18)))
    assert found(text, cells=cells, header=True) == {
        ("person_name", "田中一郎"),
        ("phone", "0312345678"),
    }


def test_the_cell_to_the_left_is_a_label_too():
    text = "個人番号123456789018"
    assert found(text, cells=(((0, 4), (4, 16)),)) == {("my_number", "123456789018")}


def test_a_table_ends_where_its_rows_end():
    text = "氏名,電話番号\n山田太郎,03-3234-5678\n\n以上、報告終わり\n"
    assert found(text) == {("person_name", "山田太郎"), ("phone", "03-3234-5678")}


def test_the_nearest_label_speaks_for_a_number():
    text = "個人番号 なし 伝票番号 123456789018"
    assert found(text) == set()
    assert candidates(text) == set()


def test_labels_in_one_breath_count_together():
    assert found("個人番号又は法人番号：123456789018") == {("my_number", "123456789018")}


def test_a_label_on_the_line_above_speaks_for_a_line_of_its_own():
    assert found("個人番号\n123456789018\n") == {("my_number", "123456789018")}


def test_a_label_in_brackets_behind_speaks_too():
    assert found("123456789018（個人番号）") == {("my_number", "123456789018")}


def test_one_label_speaks_for_a_list():
    text = "電話 03-3234-5678、090-1234-5678"
    assert found(text) == {("phone", "03-3234-5678"), ("phone", "090-1234-5678")}


def test_a_bare_number_with_a_good_check_digit_is_only_a_candidate():
    assert found("ここに 123456789018 とある") == set()
    assert candidates("ここに 123456789018 とある") == {("my_number", "123456789018")}


def test_candidates_among_many_that_fail_are_chance():
    text = "\n".join(f"{n:012}" for n in range(485217609311, 485217609411))
    assert candidates(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "201907101234 201907101235",
        "JAN 4995994546618",
        "ISBN 9784873117782",
        "お問い合わせ番号 4012-3456-7890",
        "ST92505610AS WD6624EZRZ S/N CY4304483 LBA 9420148594 941375479888",
        "00000000: 7f45 4c46 0201 0100 0000 0000 0000 0000",
        "version 10.0.19041.1234 build 20240131",
        "seq=4144102832500 order=285696219260 size=1359343",
        "品番 AX3787470,JAN 4995994546618,数量 7,伝票番号 046602332397,管理番号 3848-311647",
        "座標 432350,3017254 測点 64032468258 寸法 560-8909",
        "同様の仕様で多様な模様を、皆様とお客様各位に",
        "昭和55年3月1日に完成した橋",
    ],
)
def test_what_only_looks_like_personal_data_is_refused(text):
    assert found(text) == set()


def test_overlapping_kinds_leave_one():
    spans = detect.spans(Text("運転免許証番号 458751891781 個人番号 458751891781"), KEY)
    places = [(s.start, s.end) for s in spans]
    assert len(places) == len(set(places))


def test_equal_values_have_equal_keys_however_written():
    keys = [
        detect.spans(Text(text), KEY)[0].value_key
        for text in ("電話 03-3234-5678", "TEL：０３（３２３４）５６７８", "電話 +81-3-3234-5678")
    ]
    assert len(set(keys)) == 1


def test_keys_tell_nothing_without_the_key():
    text = Text("個人番号 123456789018")
    one, other = detect.spans(text, b"one")[0], detect.spans(text, b"other")[0]
    assert one.value_key != other.value_key
    assert len(one.value_key) == 16


@pytest.mark.parametrize(
    "names",
    [
        ("渡邊 太郎", "渡邉太郎", "渡辺　太郎"),
        ("𠮷田惠子", "吉田恵子"),
        ("山﨑 眞", "山崎真", "山﨑真"),
        ("國澤龍一", "国沢竜一"),
        ("\ufa19田 \ufa1b子", "神田福子"),
    ],
)
def test_variant_kanji_of_a_name_are_one_name(names):
    keys = {detect.spans(Text(f"氏名：{name}"), KEY)[0].value_key for name in names}
    assert len(keys) == 1


def test_a_finding_of_a_derived_text_points_at_characters():
    (one,) = detect.find(Text("個人番号 123456789018"), Locator.root("x", "1"), KEY)
    assert (one.extent.offset, one.extent.length) == (5, 12)
    assert one.masked == "1*********18"


def test_a_row_of_values_is_no_header():
    assert header_of("山田太郎,03-1234-5678,東京都") is None
    assert header_of("氏名,電話番号,住所") is not None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("健康保険 被保険者証 記号 21700023", set()),
        ("原告 甲野太郎　被告 乙野花子", {"甲野太郎", "乙野花子"}),
        ("氏名：山田太郎 電話 03-3234-5678", {"山田太郎"}),
        ("氏名　山田　太郎　性別　男", {"山田　太郎"}),
        ("氏名 林 生年月日 昭和5年2月19日", {"林"}),
        ("市民税課長 佐々木 健", {"佐々木 健"}),
        ("磯野カツオさん（11歳）", {"磯野カツオ"}),
        ("氏 名　 佐 藤 花 子", {"佐 藤 花 子"}),
        ("緊急連絡先 饗庭　凛（妻）", {"饗庭　凛"}),
        ("お二人様、王様、神様仏様、有り様", set()),
        ("  -s, --kernel-name        输出内核名称", set()),
        ('{"name": "中島 弘", "id": 3}', {"中島 弘"}),
        ("<td>氏名</td><td>波野 ノリスケ</td>", {"波野 ノリスケ"}),
    ],
)
def test_names_stand_only_where_something_anchors_them(text, names):
    assert {value for kind, value in found(text) if kind == "person_name"} == names


ROWS = [
    "0001,山田　太郎,ヤマダ タロウ,架空県港町1-2,0312345678,S58.5.16",
    "0002,佐藤花子,サトウ ハナコ,架空県港町3,09012345678,H1.2.3",
    "0003,鈴木 一郎,スズキ イチロウ,架空県港町4-5,0451234567,1970/03/04",
    "0004,雲居 凛,クモイ リン,,0664321234,S40.1.1",
    "0005,高橋さくら,タカハシ サクラ,架空県港町8,0753214321,S41.2.3",
]


def test_rows_without_a_header_say_what_their_columns_are():
    kinds = [kind for kind, _ in found("\n".join(ROWS))]
    assert kinds.count("person_name") == 5
    assert kinds.count("kana_name") == 5
    assert kinds.count("phone") == 5
    assert kinds.count("birth_date") == 5


def test_a_few_rows_or_a_list_of_goods_say_nothing():
    assert not {"kana_name", "phone", "birth_date"} & {k for k, _ in found("\n".join(ROWS[:4]))}
    goods = "\n".join(f"{n},ボルト ナット,M{n},2019/03/0{n},0{n}12345678" for n in range(1, 9))
    assert found(goods) == set()


def test_a_header_further_down_is_still_seen():
    text = "\n".join(f"{n},部品,{n}00" for n in range(1, 20)) + "\n氏名,電話番号\n雲居,0312345678\n"
    assert found(text) == {("person_name", "雲居"), ("phone", "0312345678")}


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("記入例：氏名　山田 太郎　電話 03-0000-1234", False),
        ("（例）氏名：山田 太郎", False),
        ("【見本】 氏名：山田 太郎", False),
        ("例）氏名：山田 太郎", False),
        ("氏名：山田 太郎（例年どおり）", True),
        ("条例第5条　氏名：山田 太郎", True),
        ("記入例を見て書くこと\n氏名：山田 太郎", True),
    ],
)
def test_an_example_on_a_form_counts_as_nobody(line: str, counted: bool) -> None:
    name = ("person_name", "山田 太郎")
    folded = line.replace("\u3000", " ")
    assert (name in found(folded)) is counted
    assert (name in candidates(folded)) is not counted


@pytest.mark.parametrize("line", ["氏名コード 00781 岸本 隼人\n", "納税義務者コード 000123456\n"])
def test_a_word_that_belongs_to_a_label_is_no_value_of_the_label_above(line):
    assert "コード" not in [value for _, value in found(line * 3)]

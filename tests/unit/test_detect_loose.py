"""Lists that spaces alone set apart, and labels that stand above all of their values."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi import detect
from hakushi.detect import loose, tables
from hakushi.detect.fold import fold
from hakushi.model import Strength, Text

LIST = (
    "受験番号 氏名 フリガナ 生年月日 採用年月日\n"
    "A1003 堂前 遥菜 ドウマエ ハルナ 1999/05/21 2024/04/01\n"
    "A1017 上別府 航太郎 カミベップ コウタロウ H9.3.30 2024/04/01\n"
)
STACK = "氏名\n生年月日\n住所\n電話番号\n\n安西 雄二\n昭和39年10月10日\n静岡県沼津市御幸町16-1\n055-931-2500\n"


def labelled(text):
    return [
        (one.kind, text[one.start : one.end])
        for one in detect.spans(Text(text), b"k")
        if one.strength is Strength.LABELLED
    ]


def test_a_list_that_spaces_set_apart_is_read_by_its_columns():
    found = labelled(LIST)
    assert ("person_name", "上別府 航太郎") in found
    assert ("kana_name", "ドウマエ ハルナ") in found
    assert [value for kind, value in found if kind == "birth_date"] == ["1999/05/21", "H9.3.30"]


def test_labels_above_their_values_speak_for_them_in_order():
    assert labelled(STACK) == [
        ("person_name", "安西 雄二"),
        ("birth_date", "昭和39年10月10日"),
        ("address", "静岡県沼津市御幸町16-1"),
        ("phone", "055-931-2500"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "氏名 住所 電話番号 を記入のうえ 窓口 へ提出 してください\n1 申請書 2部 写し可\n",
        "番号 氏名 生年月日 住所\n",
        "番号 氏名 生年月日 住所\n番号 氏名 生年月日 住所\n",
        "氏名\n住所\n電話番号\n備考欄\n受付印\n処理済\n",
        "氏名\n住所\n電話番号\n",
        "担当者名 所属 役割 内線\n情報管理 企画部 統括 1234\n",
    ],
)
def test_forms_that_nobody_filled_in_tell_nothing(text):
    assert labelled(text) == []


WORDS = (
    "氏名",
    "生年月日",
    "住所",
    "番号",
    "山田 太郎",
    "昭和50年1月2日",
    "東京都港区芝1-2-3",
    "03-3234-5678",
    "",
)


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", "\n", "  "])), max_size=40))
def test_cells_lie_in_the_text_one_behind_the_other(parts):
    text = fold("".join(word + gap for word, gap in parts))
    end = 0
    for start, behind, cells in loose.blocks(text, tables.header_words()):
        assert end <= start < behind <= cells[0][0]
        assert all(a < b for a, b, _ in cells)
        assert all(one[1] <= other[0] for one, other in pairwise(cells))
        end = cells[-1][1]
    assert end <= len(text)

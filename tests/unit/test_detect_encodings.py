"""Which encoding bytes are in, and which bytes a character came from."""

import pytest

from hakushi.detect import decode, spans
from hakushi.detect.encodings import dirt, guess

LETTER = "令和６年度の納税通知書をお送りします。\n横浜市　山田　太郎 様\nTEL 045-123-4567\n"
ENCODINGS = ["utf-8", "cp932", "euc_jp", "utf-16-le", "utf-16-be", "iso-2022-jp"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_letter_is_read_in_its_encoding(encoding):
    text = decode(LETTER.encode(encoding))
    assert text.chars == LETTER
    assert text.encoding == encoding


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "line", ["氏名,電話番号,住所", "個人番号 123456789018", "お世話になっております。"]
)
def test_a_short_line_is_read_in_its_encoding(encoding, line):
    assert decode(line.encode(encoding)).chars == line


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
def test_a_byte_order_mark_is_no_character(encoding, bom):
    text = decode(bom + "氏名".encode(encoding))
    assert text.chars == "氏名"
    assert text.extent(0, 1).offset == len(bom)


def test_ascii_and_nothing():
    assert decode(b"").chars == ""
    assert decode(b"plain").chars == "plain"


def test_latin_text_is_not_made_japanese():
    assert decode("Café où l'été naît, déjà vu à Noël".encode("latin-1")).chars.startswith("Café")


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_one_broken_byte_costs_one_place(encoding):
    data = "山田".encode(encoding) + b"\xff" + "太郎様です。よろしく".encode(encoding)
    text = decode(data, encoding)
    at = text.chars.index("太郎")
    assert data[text.extent(at, at + 2).offset :].startswith("太郎".encode(encoding))


def test_lone_surrogates_are_one_broken_character():
    text = decode(b"\x42\x30\x00\xd8\x44\x30", "utf-16-le")
    assert text.chars == "あ\ufffdい"
    assert list(text.offsets) == [0, 2, 4, 6]


def test_characters_beyond_the_basic_plane_are_one():
    for encoding in ("utf-8", "utf-16-le"):
        text = decode("𠮷野家様".encode(encoding), encoding)
        assert text.chars == "𠮷野家様"
        assert text.extent(0, 1).length == 4


def test_a_name_that_no_encoding_has_is_said():
    with pytest.raises(LookupError):
        decode("氏名".encode("cp932"), "no-such-thing")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Привет мир", "koi8-r"), ("中文ab字", "gb18030"), ("한국어 a", "euc_kr")],
)
def test_any_encoding_of_python_can_be_named(text, encoding):
    data = text.encode(encoding)
    decoded = decode(data, encoding)
    assert decoded.chars == text
    for i, char in enumerate(text):
        extent = decoded.extent(i, i + 1)
        assert data[extent.offset : extent.end].decode(encoding) == char


def test_escapes_belong_to_no_character():
    data = "a山b".encode("iso-2022-jp")
    text = decode(data)
    assert text.chars == "a山b"
    assert [data[o] for o in text.offsets[:-1]] == [ord("a"), data[4], ord("b")]


NAMES = ["ｻﾄｳ ﾊﾅｺ", "ﾀｶﾊｼ ﾕｳｽｹ", "ﾜﾀﾅﾍﾞ ｶｽﾞﾋｻ", "ﾖｼﾀﾞ ﾐﾂﾙ"]


def test_half_width_katakana_is_no_kanji_of_another_encoding():
    table = "\r\n".join(f"{number:07} {name}" for number, name in enumerate(NAMES))
    text = decode(table.encode("cp932"))
    assert (text.chars, text.encoding) == (table, "cp932")


@pytest.mark.parametrize("text", ["山田,鈴木,佐藤", "データベース", "コマンド 表示 終了", "ÄÖÜ ÀÉ"])
def test_nor_are_those_such_katakana(text):
    encoding = "latin-1" if text.startswith("Ä") else "euc_jp"
    assert decode(text.encode(encoding)).chars == text


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_tables_of_words_are_no_kanji(order):
    words = b"".join(b"%s32_t\0xdr_%s\0" % (one, one) for one in (b"isinf", b"copysign", b"modff"))
    assert guess(words * 20) == "utf-8"
    names = "佐藤花子鈴木一郎高橋美咲株式会社㈱山田太郎 電話 03-5321-1234"
    assert guess((names * 4).encode(order)) == order


KOREAN = "담당자는 김민준이고, 이 문서는 개인정보의 처리에 관한 사항을 정하는 것을 목적으로 한다.\n"
SIMPLIFIED = "根据我们的记录，您在这个网站上注册了一个帐户。如果这不是您本人的操作，请忽略。\n"
TRADITIONAL = "根據我們的記錄，您在這個網站上註冊了一個帳戶。如果這不是您本人的操作，請忽略。\n"


@pytest.mark.parametrize(
    ("text", "encoding"), [(KOREAN, "euc_kr"), (SIMPLIFIED, "gbk"), (TRADITIONAL, "big5")]
)
def test_texts_of_neighbours_are_no_kanji_of_ours(text, encoding):
    decoded = decode(text.encode(encoding))
    assert (decoded.encoding, decoded.chars) == (encoding, text)
    assert not spans(decoded, b"key")
    for ours in ("cp932", "euc_jp"):
        names = "山田太郎\n佐藤花子\n鈴木一郎\n高橋美咲\n小林健太\n渡辺直美\n"
        assert decode(names.encode(ours)).encoding == ours


def test_signs_of_all_the_world_are_text_in_utf8():
    text = "氏名,住所\n김민준,東京都千代田区霞が関1-1\nИван Петров,同上\nสมชาย ใจดี,😀👍\n" * 9
    assert dirt(decode(text.encode())) == 0

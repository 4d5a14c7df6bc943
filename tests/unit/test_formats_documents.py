"""What documents say: words, tables, fields; and what must not be told twice."""

from __future__ import annotations

import pytest
from tests.format_samples import CSV, TABLE, font_objects, office, pdf, plain_mail, samples

from hakushi.media import Memory
from hakushi.model import Artifact, Malformed, Role, Text
from hakushi.recover import Budget, by_id
from hakushi.recover.grammar import html, mail
from hakushi.recover.grammar.encoding import guess
from hakushi.recover.grammar.pdf import _decode
from hakushi.recover.grammar.sqlite import table_of
from hakushi.recover.grammar.table import laid_out


def sample(name: str) -> bytes:
    return next(s.data for s in samples() if s.name == name)


def told(format: str, data: bytes) -> list[Text]:
    text = by_id(format).text
    assert text is not None
    return list(text(Memory(data), Budget()))


def words(text: Text) -> list[list[str]]:
    return [[text.chars[start:end] for start, end in row] for row in text.cells]


@pytest.mark.parametrize(
    "encoding", ["cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-16-le", "utf-16-be", "ascii"]
)
def test_the_encoding_of_a_japanese_list_is_told_by_its_bytes(encoding: str) -> None:
    text = CSV if encoding != "ascii" else "name,phone\r\nTaro,03-0000-0000\r\n" * 9
    assert guess(text.encode(encoding)[:997]) == encoding


def test_half_width_names_are_shift_jis() -> None:
    assert guess("ｶｸｳ ﾀﾛｳ,ﾐﾎﾝﾁｮｳ\r\n".encode("cp932") * 9) == "cp932"


def test_a_header_below_a_title_is_found() -> None:
    rows = [["名簿", "", ""], ["2024年4月1日"], ["氏名", "電話"], ["架空 太郎", "03-0000-0001"]]
    title, table = laid_out(rows)
    assert (title.header, table.header) == (False, True)
    assert words(table) == rows[2:]


def test_nested_tables_of_a_page_keep_their_cells_apart() -> None:
    page = "<table><tr><th>a<th>b<tr><td>1<td>2</table><p>x<script>var y</script><!-- z -->"
    table, prose = html.texts(page, Budget())
    assert words(table) == [["a", "b"], ["1", "2"]]
    assert "y" not in prose.chars
    assert "z" not in prose.chars


def test_a_mail_header_in_several_words_is_one() -> None:
    said = (
        "=?ISO-2022-JP?B?GyRCMk02dRsoQg==?=\r\n =?ISO-2022-JP?B?GyRCQkBPOhsoQg==?= <t@example.jp>"
    )
    assert mail.decoded(said.replace("\r\n", "")) == "架空太郎 <t@example.jp>"


def test_a_file_name_in_pieces_is_one() -> None:
    said = "attachment; filename*0*=utf-8''%E5%90%8D; filename*1*=%E7%B0%BF; filename*2=.csv"
    assert mail.parameters(said)["filename"] == "名簿.csv"


def test_a_mail_whose_closing_boundary_is_lost_still_gives_its_last_part() -> None:
    data = sample("mail")[:-20]
    found = [a for a in by_id("eml").open(Memory(data), Budget()) if isinstance(a, Artifact)]
    assert [a.path for a in found] == ["名簿.csv"]


def test_a_body_in_base64_is_decoded() -> None:
    assert any("本文です。" in t.chars for t in told("eml", plain_mail("件名")))


def test_a_workbook_keeps_gaps_and_shows_dates() -> None:
    tables = [t for t in told("zip", office("xlsx")) if t.cells]
    assert words(tables[0]) == [
        ["氏名", "", "電話", "生年月日"],
        ["架空 太郎", "", "31234567", "1980-04-01"],
    ]


def test_what_the_text_tells_is_no_member() -> None:
    found = by_id("zip").open(Memory(office("docx")), Budget())
    assert [a.path for a in found if isinstance(a, Artifact)] == ["media/image1.png"]


def test_an_entity_of_a_document_is_never_expanded() -> None:
    import io
    import zipfile

    out = io.BytesIO()
    lol = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "lol"}">' for i in range(9))
    with zipfile.ZipFile(out, "w", 8) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("word/document.xml", f"<!DOCTYPE d [{lol}]><d><p><t>&e8; x</t></p></d>")
    try:
        size = sum(len(t.chars) for t in told("zip", out.getvalue()))
    except Malformed:
        size = 0
    assert size < 1000


def test_columns_are_named_as_records_hold_them() -> None:
    table = table_of(
        "t",
        2,
        "CREATE TABLE t (\"a b\" INT, [c] TEXT DEFAULT 'x,y', d, PRIMARY KEY (d)) WITHOUT ROWID",
    )
    assert table.columns == ("d", "a b", "c")
    table = table_of("t", 2, "CREATE TABLE t (a, id INTEGER PRIMARY KEY, -- x, y\n b)")
    assert (table.columns, table.rowid) == (("a", "id", "b"), 1)


def test_a_deleted_row_is_not_told_as_a_live_one() -> None:
    live = [row for t in told("sqlite", sample("sqlite")) if t.part == "顧客" for row in words(t)]
    assert ["99", "架空 花子99", "hanako99@example.jp"] in live
    assert ["150", "架空 花子150", "hanako150@example.jp"] not in live


def test_filters_of_a_pdf_undo_what_they_name() -> None:
    lzw = bytes([0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01])
    assert _decode(lzw, "LZWDecode", {}, Budget()) == b"-----A---B"
    assert _decode(b"48656C6C 6F>", "ASCIIHexDecode", {}, Budget()) == b"Hello"
    assert _decode(b"\2abc\xfed\x80", "RunLengthDecode", {}, Budget()) == b"abcddd"


def test_glyphs_without_characters_are_damage() -> None:
    bare = b"<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[7 0 R]>>"
    fonts = font_objects()
    with pytest.raises(Malformed, match="3 glyphs"):
        told("pdf", pdf(stream=TABLE, fonts=(fonts[0], bare, *fonts[2:])))


def test_a_locked_pdf_is_told_as_encrypted() -> None:
    data = pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 9 0 R")
    found = list(by_id("pdf").open(Memory(data), Budget()))
    assert [a.role for a in found if isinstance(a, Artifact)] == [Role.ENCRYPTED]
    assert told("pdf", data) == []

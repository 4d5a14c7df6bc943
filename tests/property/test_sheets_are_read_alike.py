"""Rows and strings that skip the parser are told as the parser tells them, in the same order."""

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from hakushi.recover.grammar.plain import Plain
from hakushi.recover.grammar.sheet import Book, Sheet, Strings

SPACE = ' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
CELLS = st.sampled_from(
    [
        '<c r="A1" t="s"><v>0</v></c>',
        '<c r="C1" s="1"><v>44197</v></c>',
        '<c r="B2" s="0" t="str"><f>A1&amp;"x"</f><v>山田</v></c>',
        '<c r="B2" t="str"><f t="shared" si="0"/><v>太郎</v></c>',
        '<c t="inlineStr"><is><t xml:space="preserve"> 花子</t></is></c>',
        '<c t="inlineStr"><is><r><t>佐</t></r><r><t>藤</t></r></is></c>',
        '<c r="D4"><v>1 &lt; 2</v></c>',
        '<c t="s" r="E5"><v>1</v></c>',
        '<c r="F6" s="2"/>',
        '<c r="G7"></c>',
        "<c r='H8'><v>5</v></c>",
        '<c r="I9"><v>a\r\nb</v></c>',
        '<c r="J1"><v><![CDATA[x]]></v></c>',
        '<c r="ZZZZ1"><v>9</v></c>',
        "<!-- </row> -->",
        "\n  ",
    ]
)
ROWS = st.builds(
    lambda attributes, cells: f"<row{attributes}>{''.join(cells)}</row>",
    st.sampled_from(["", ' r="1" spans="1:8"', " x='>'", " "]),
    st.lists(CELLS, max_size=5),
) | st.sampled_from(['<row r="3"/>', '<row r="3" />', "\n", "<!-- a -->", "<other/>"])
STRINGS = st.sampled_from(
    [
        "<si><t>山田</t></si>",
        '<si><t xml:space="preserve"> 太郎 </t></si>',
        '<si><t>山田</t><rPh sb="0" eb="2"><t>ヤマダ</t></rPh><phoneticPr fontId="1"/></si>',
        '<si><t>a</t><phoneticPr fontId="1"/></si>',
        "<si><r><t>佐</t></r><r><rPr><b/></rPr><t>藤</t></r></si>",
        "<si><t>1 &amp; 2</t></si>",
        "<si><t/></si>",
        "<si/>",
        "<si></si>",
        "<!-- </si> -->",
        "\r\n",
    ]
)
HEADS = st.sampled_from(
    ["", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n', "<?xml version='1.0'?>"]
)


def told(make, chunks, *, plainly):
    """What a target tells of a part that comes in chunks, and whether it was well-formed."""
    target = make()
    parser = etree.XMLParser(target=target, resolve_entities=False, no_network=True)
    plain = Plain(target.items, target.tell, parser.feed, lambda: target.told)
    flaw = False
    try:
        for chunk in chunks:
            plain.feed(chunk) if plainly else parser.feed(chunk)
        plain.close()
        parser.close()
    except etree.LxmlError:
        flaw = True
    target.close()
    return target, flaw


def chunks_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


def book() -> Book:
    one = Book()
    one.strings, one.dates = ["氏名", "住所"], [False, True, False]
    return one


@settings(max_examples=300, deadline=None)
@given(HEADS, st.lists(ROWS, max_size=6), st.lists(st.integers(0, 4000), max_size=4), st.booleans())
@example("", ['<row><c r="A1"><v>1</v></c></row>'] * 3, [60, 90], True)
def test_a_sheet_is_told_as_its_parser_tells_it(head, rows, cuts, ended):
    text = f"{head}<worksheet{SPACE}><sheetData>{''.join(rows)}"
    text += "</sheetData><headerFooter><oddHeader>秘</oddHeader></headerFooter></worksheet>" * ended
    chunks = chunks_of(text.encode(), cuts)
    made = [told(lambda: Sheet(book(), "s"), chunks, plainly=plainly) for plainly in (True, False)]
    assert made[0][0].ready == made[1][0].ready
    assert made[0][1] == made[1][1]


class OwnStrings(Strings):
    """Gets names without their namespace, as `_Local` gives them."""

    def start(self, tag, attributes):
        super().start(tag.rpartition("}")[2], attributes)

    def end(self, tag):
        super().end(tag.rpartition("}")[2])


@settings(max_examples=300, deadline=None)
@given(HEADS, st.lists(STRINGS, max_size=8), st.lists(st.integers(0, 2000), max_size=4))
def test_strings_are_told_as_their_parser_tells_them(head, strings, cuts):
    text = f"{head}<sst{SPACE} count='9'>{''.join(strings)}</sst>"
    chunks = chunks_of(text.encode(), cuts)
    found = []
    for plainly in (True, False):
        one = Book()
        told(lambda one=one: OwnStrings(one), chunks, plainly=plainly)
        found.append(one.strings)
    assert found[0] == found[1]


def test_a_sheet_in_another_encoding_is_left_to_the_parser():
    text = f'<?xml version="1.0" encoding="Shift_JIS"?><worksheet{SPACE}><sheetData>'
    text += "<row><c><v>山田</v></c></row></sheetData></worksheet>"
    target, flaw = told(lambda: Sheet(book(), "s"), [text.encode("shift_jis")], plainly=True)
    assert not flaw
    assert "山田" in target.ready[0].chars

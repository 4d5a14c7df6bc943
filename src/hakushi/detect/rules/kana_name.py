"""フリガナ: the reading of a name, in a column, behind a label, or in brackets behind the name."""

import re

from hakushi.detect import zengin
from hakushi.detect.detector import Detector, Form, Need, mask_word
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA
from hakushi.detect.names import FULL, certain

_HALF = str.maketrans(
    "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ",
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー",
)
_VOICED = {
    pair: voiced
    for mark, plain, marked in (
        (
            "ﾞ",
            "カキクケコサシスセソタチツテトハヒフヘホウ",
            "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ",
        ),
        ("ﾟ", "ハヒフヘホ", "パピプペポ"),
    )
    for pair, voiced in ((p + mark, m) for p, m in zip(plain, marked, strict=True))
}
_NOT = frozenset(
    "フリガナ カナ ナマエ シメイ ヨミ ヨミガナ ヨミカタ セイ メイ ナシ ナイ カタカナ ヒラガナ ローマジ データ コード リスト ふりがな かな よみ なし".split()
)


def normal(value: str) -> str:
    """Full-width katakana without spaces."""
    out = value.translate(_HALF)
    for pair, voiced in _VOICED.items():
        out = out.replace(pair, voiced)
    out = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in out)
    return out.replace(" ", "").replace("・", "")


def prove(value: str) -> bool:
    """A reading of two characters or more that is no word of a form."""
    return 2 <= len(value) <= 30 and value not in _NOT


_A = f"[{KATAKANA}]"
_H = f"[{HIRAGANA}ー]"
_K = f"[{KANJI}ヶケノ]"


_READ = rf"(?:{_A}{{2,8}}[ ・]{{1,2}}{_A}{{2,8}}|{_H}{{2,8}}[ ・]{{1,2}}{_H}{{2,8}})"
_BESIDE = re.compile(rf"(?P<name>{FULL})[ \t]{{1,4}}(?P<v>{_READ})")
_BEFORE = re.compile(rf"(?P<v>{_READ})[ \t]{{1,4}}(?P<name>{FULL})")
_ABOVE = re.compile(rf"(?P<v>{_READ}) {{0,3}}\n {{0,3}}(?P<name>{FULL})")


_LABEL = re.compile("(?:フリガナ|ヨミガナ|フリカナ|カナ|ﾌﾘｶﾞﾅ|ふりがな|よみがな)[ ・]{1,3}(?=.{2})")
"""A label that stands before the reading as if it were the half of it."""


def narrow(value: str) -> tuple[int, int] | None:
    """The reading, of one that stands with its name; None if that is no name."""
    both = next(filter(None, (form.fullmatch(value) for form in (_BESIDE, _BEFORE, _ABOVE))), None)
    if both is None:
        label = _LABEL.match(value)
        return (label.end() if label else 0), len(value)
    return both.span("v") if certain(both["name"]) else None


_VERB = re.compile("(?:ましょう|ください|ます|です|ました|でした|ません|される|ている|ておく)$")
"""How running text ends, which 読み stands before as often."""


def _known(value: str) -> bool:
    return prove(normal(value))


PLUGIN = Detector(
    kind="kana_name",
    source="Japanese forms: the reading stands beside the name",
    forms=(
        Form(
            rf"(?<!{_A})(?:(?<![)])|(?<=[ナな][)]))(?P<v>{_A}{{2,12}}(?:[ ・]{{1,2}}{_A}{{2,12}}){{0,3}})(?!{_A})(?![{HIRAGANA}])"
        ),
        Form(rf"(?<!{_H})(?P<v>{_H}{{2,8}}[ ・]{{1,2}}{_H}{{2,8}})(?!{_H})"),
        Form(
            rf"(?<=[ :\n])(?P<v>{_H}{{4,12}})(?![{HIRAGANA}{KANJI}{KATAKANA}、。])",
            prove=lambda value: _known(value) and not _VERB.search(value),
        ),
        Form(
            rf"(?<={_K})(?<![ァ-ヺー][^子江代枝美])[ 様殿氏]{{0,3}}[(] ?(?P<v>{_A}{{2,8}}[ ・]{{1,2}}{_A}{{2,8}}|{_H}{{2,8}}[ ・]{_H}{{2,8}}) ?[)]",
            Need.ALONE,
            _known,
            near=r"[(][ ァ-ヺぁ-ゖ]",
            before=6,
            after=32,
        ),
        Form(
            rf"(?:[フふ][リり](?:ガナ|がな)|ヨミガナ|よみがな|氏名カナ|カナ氏名|お客様カナ|名義人?|シメイ)(?![はの])(?P<v>{_A}{{2,8}}[ ・]{{1,2}}{_A}{{2,8}}|{_H}{{2,8}} {_H}{{2,8}})(?![{HIRAGANA}{KANJI}{KATAKANA}])",
            Need.ALONE,
            _known,
            near="(?:ガナ|がな|カナ|氏名|名義|義人|シメイ)[ァ-ヺぁ-ゖ]{2,8}[ ・]",
            before=8,
            after=24,
        ),
        Form(
            rf"\d{{7,8}} {{1,4}}(?P<v>{_A}{{2,10}} {_A}{{2,10}})(?![{HIRAGANA}{KANJI}{KATAKANA}])",
            Need.ALONE,
            _known,
            near="[0-9]{7} {1,4}[ァ-ヺ\uff66-\uff9f]",
            before=2,
            after=32,
        ),
        Form(
            rf"{zengin.BEFORE}\d{{7}}(?P<v>{zengin.HOLDER})(?= {{1,28}}\d{{10}})",
            Need.ALONE,
            _known,
            near=zengin.NEAR,
            before=zengin.REACH,
            after=zengin.REACH,
        ),
        Form(
            rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?P<v>{FULL}[ \t]{{1,4}}{_READ})(?![{HIRAGANA}{KATAKANA}{KANJI}ー])",
            Need.ALONE,
            _known,
            near=rf"[{KANJI}ぁ-ゖ][ \t]{{1,4}}[{KATAKANA}ぁ-ゖ]{{2,8}} {{1,2}}[{KATAKANA}ぁ-ゖ]{{2}}",
            before=12,
            after=8,
        ),
        Form(
            rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?P<v>{_READ}[ \t]{{1,4}}{FULL})(?![{HIRAGANA}{KATAKANA}{KANJI}ー])",
            Need.ALONE,
            _known,
            near=rf"[{KATAKANA}ぁ-ゖ]{{2,8}} {{1,2}}[{KATAKANA}ぁ-ゖ]{{2,8}}[ \t]{{1,4}}[{KANJI}]",
            before=2,
            after=12,
        ),
        Form(
            rf"(?:(?<=振込)|(?<=[0-9]))[ ,\t]{{1,3}}(?P<v>{_A}{{2,10}} {{1,2}}{_A}{{2,10}})(?=[ ,\t]{{1,3}}(?:(?:19|20)\d\d[/.\-]\d|[0-9,]{{3,12}}(?:円|[ \t\n,]|\Z)))",
            Need.ALONE,
            _known,
            near=rf"{_A}{{2,10}} {{1,2}}{_A}{{2,10}}[ ,\t]{{1,3}}[0-9]",
            before=8,
            after=16,
        ),
        Form(
            rf"(?<![^\n])(?P<v>{_READ} {{0,3}}\n {{0,3}}{FULL})(?![{HIRAGANA}{KATAKANA}{KANJI}])",
            Need.ALONE,
            _known,
            near=rf"[{KATAKANA}ぁ-ゖ]{{2,8}} {{1,2}}[{KATAKANA}ぁ-ゖ]{{2,8}} {{0,3}}\n {{0,3}}[{KANJI}]",
            before=2,
            after=12,
        ),
    ),
    labels=(
        "フリガナ",
        "シメイ",
        "ｼﾒｲ",
        "ふりがな",
        "ﾌﾘｶﾞﾅ",
        "カナ氏名",
        "氏名カナ",
        "氏名(カナ)",
        "氏名(フリガナ)",
        "ヨミガナ",
        "よみがな",
        "ヨミ",
        "よみかた",
        "ヨミカタ",
        "読み",
        "カナ",
        "ｶﾅ",
        "セイ",
        "メイ",
        "カナ名",
        "口座名義カナ",
        "名義人",
        "名義カナ",
        "フリ仮名",
        "カナ名前",
        "名前カナ",
        "名前(カナ)",
        "名前(フリガナ)",
        "振り仮名",
        "ｶﾅ氏名",
        "氏名ｶﾅ",
        "お名前(フリガナ)",
        "お名前(カナ)",
        "kana",
        "name kana",
        "kana name",
        "full name kana",
        "last name kana",
        "first name kana",
        "sei kana",
        "mei kana",
        "furigana",
        "ご依頼人",
        "依頼人",
        "受取人",
        "振込人",
        "依頼人名",
        "受取人名",
        "名義",
        "口座名義",
        "口座名義人",
    ),
    header=r"(?:氏名|名前|名義人?|世帯主|保護者名?|申請者名?|代表者名?|担当者名?|姓|名)?\(?(?:フリガナ|ふりがな|ﾌﾘｶﾞﾅ|カナ|ｶﾅ|かな|ヨミガナ|よみがな|読み(?:仮名|がな)?|ヨミ|よみ)(?:氏名|名)?\)?|^セイ$|^メイ$|^シメイ$|^ｼﾒｲ$|(?:(?:name|sei|mei|shimei)_?)?(?:kana|furigana)(?:_?name)?",
    cell=(
        rf"(?P<v>{_A}{{1,14}}(?:[ ・]{{1,2}}{_A}{{1,14}}){{0,4}})(?: ?(?:様|サマ))?",
        rf"(?P<v>{_H}{{1,14}}(?:[ ・]{{1,2}}{_H}{{1,14}}){{0,3}})",
    ),
    prove=prove,
    narrow=narrow,
    normal=normal,
    alike=lambda value: bool(re.fullmatch(rf"{_A}{{2,10}}[ ・]?{_A}{{2,10}}", value)),
    beside="person_name",
    mask=mask_word,
    yes=(
        ("フリガナ：ヤマダ　タロウ", "ヤマダ　タロウ"),
        ("ﾌﾘｶﾞﾅ ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("（フリガナ）ヤマダ タロウ", "ヤマダ タロウ"),
        ("ｼﾒｲ:ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("ふりがな　やまだ　たろう", "やまだ　たろう"),
        ("山田太郎（ヤマダ タロウ）", "ヤマダ タロウ"),
        ("普通 2287451 オオニシ タカシ", "オオニシ タカシ"),
        ('"fullNameKana":"ネギシ コウイチ"', "ネギシ コウイチ"),
        ("1年 岩瀬 陸 いわせ りく 母", "いわせ りく"),
        ("振込 ｶﾈﾀﾞ ﾋﾛﾐ 55,000", "ｶﾈﾀﾞ ﾋﾛﾐ"),
        ("対象者 ワタヌキ キク 綿貫 キク", "ワタヌキ キク"),
        ("フジシロ　タカシ\n藤代　高志　様", "フジシロ　タカシ"),
        (zengin.EXAMPLE.format("ｻﾄｳ ﾊﾅｺ"), "ｻﾄｳ ﾊﾅｺ"),
    ),
    no=(
        "システム開発（プログラム）",
        "イスラム暦（ウンム・アルクラー）",
        "フリガナを記入してください",
        "サーバー マシン",
        "大阪 ビジネス パーク",
        "3 コピー ヨウシ 500枚",
        "マニュアルを読み\nましょう (次章)",
        zengin.EXAMPLE.format("ｶ)ﾐﾅﾄｾｲｺｳ"),
    ),
)

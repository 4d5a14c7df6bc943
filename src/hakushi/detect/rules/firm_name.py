"""法人名: the legal form before or behind the name says what it is."""

import re

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA

_FORMS = (
    r"株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|特例有限会社|医療法人(?:社団|財団)?|社会医療法人(?:社団|財団)?|社会福祉法人|学校法人|宗教法人"
    r"|(?:公益|一般|特例)?(?:社団|財団)法人|特定非営利活動法人|NPO法人|農事組合法人|税理士法人|弁護士法人|司法書士法人|行政書士法人|監査法人"
    r"|国立大学法人|公立大学法人|独立行政法人|地方独立行政法人|企業組合|協同組合|生活協同組合|管理組合法人"
)
# 大正明治株式会社 is the row of era and firm signs in every table of Unicode, no firm.
_SHORT = r"㈱|㈲|㈳|㈶|\((?:株|有|合|資|名|社|財|医|福|学|宗)\)"
_NEAR = r"会社|法人|組合|[㈱㈲㈳㈶]|\([株有合資名社財医福学宗]\)"
_WORD = rf"[{KANJI}{KATAKANA}A-Za-z0-9・&.\-ヶケノ]"
_PARTICLE = "のはがをにでともへやかよ"
_ROLE = re.compile(
    r"(?:代表取締役|代表社員|代表者|代表|取締役|理事長|御中|担当|本社|本店|支店|工場|営業所|設立|登記|法$|制度|入社|退社|退職|勤務|所属|在籍|あて|宛|様$|殿$).{0,20}$"
)
_NOT = frozenset(
    "設立 解散 登記 制度 会計 経営 組織 形態 化 法 役員 代表 社員 株主 定款 名 名称 等 名義 の が は を に と 以外 関係 各社 他社 自社 当社 一覧 番号 "
    "住所 設立登記 代表者 変更 合併 分割 清算 法人 全般 各位 様 御中 及 又 所在地 情報 商号 取引先 グループ 名簿 連絡先 職員 理事 会員".split()
)

_SPOKEN_OF = re.compile(f"さん(?![{HIRAGANA}])")
"""Behind a firm that someone speaks of: カネキさん訪問."""

_DIGITS = re.compile(r"[0-9.\-]{1,30}")


_LABEL = re.compile(
    "(?:商号|(?:法人|会社|事業[者所]|勤務先|取引先)名称?|勤務先|取引先|振込口座|屋号)(?=.{4})"
)
"""A label that the firm follows without a gap, as text out of PDF has it."""


def _name(value: str) -> str:
    """The name without its legal form."""
    return re.sub(rf"^(?:{_FORMS}|{_SHORT})|(?:{_FORMS}|{_SHORT})$", "", value.strip()).strip()


def narrow(value: str) -> tuple[int, int] | None:
    """Cuts the role behind a firm; refuses a legal form that stands for itself."""
    spoken = _SPOKEN_OF.search(value)
    end = spoken.start() if spoken else len(value)
    label = _LABEL.match(value)
    start = label.end() if label else 0
    role = _ROLE.search(value[:end])
    if role and role.start() > 0 and _name(value[: role.start()]):
        end = role.start()
    value = value[start:end].rstrip(" -・.")
    name = _name(value)
    if len(name) < 2 or _ROLE.match(name) or name in _NOT or _DIGITS.fullmatch(name):
        return None
    return start, start + len(value)


def _normal(value: str) -> str:
    """One spelling for 株式会社, (株) and ㈱."""
    value = value.replace(" ", "")
    for short, form in (
        ("㈱", "株式会社"),
        ("(株)", "株式会社"),
        ("㈲", "有限会社"),
        ("(有)", "有限会社"),
    ):
        value = value.replace(short, form)
    return value.lower()


def _mask(value: str) -> str:
    """The legal form stays: 株式会社***."""
    name = _name(value)
    return value.replace(name, "***") if name else "***"


_JOINT = rf"(?!の[{KANJI}]{{1,5}}(?:です|と申|でござ|様|さん|氏|が|は))"
"""Kana inside a name; not the の before the one who speaks (X社の戸田です)."""

_KANA_NAME = rf"(?![{_PARTICLE}][{KANJI}{KATAKANA} ])[{HIRAGANA}]{{2,10}}(?:{_WORD}{{1,12}})?"

PLUGIN = Detector(
    kind="firm_name",
    source="Companies Act article 6 and the acts on each legal person: the form is part of the name",
    forms=(
        Form(
            rf"(?<!大正明治)(?P<v>(?:(?<!{_WORD})(?:{_FORMS}) |(?:{_FORMS}))(?:{_WORD}{{1,24}}(?:{_JOINT}(?![へをがはにで])[{HIRAGANA}]{{1,4}}{_WORD}{{1,12}})?|{_KANA_NAME}))",
            Need.ALONE,
            near=_NEAR,
        ),
        Form(
            rf"(?P<v>(?:(?<!{_WORD})(?:{_SHORT}) |(?:{_SHORT}))(?:{_WORD}{{1,24}}(?:{_JOINT}(?![へをがはにで])[{HIRAGANA}]{{1,4}}{_WORD}{{1,12}})?|{_KANA_NAME}))",
            Need.ALONE,
            near=_NEAR,
        ),
        Form(
            rf"(?<!{_WORD})(?P<v>{_WORD}{{2,24}}(?:株式会社|有限会社|合同会社|合資会社|合名会社|生活協同組合|協同組合|監査法人|税理士法人|弁護士法人))(?!法)",
            Need.ALONE,
            near=_NEAR,
        ),
        Form(
            rf"(?<![{KANJI}{KATAKANA}{HIRAGANA}A-Za-z0-9])(?P<v>(?:{_WORD}{{1,8}}(?![{_PARTICLE}])[{HIRAGANA}]{{1,4}}{_WORD}{{1,12}}|[{HIRAGANA}]{{2,10}}{_WORD}{{0,12}})(?:株式会社|有限会社|合同会社|\(株\)|㈱|\(有\)|㈲))(?!法)",
            Need.ALONE,
            near=_NEAR,
        ),
        Form(rf"(?<!{_WORD})(?P<v>{_WORD}{{2,24}}(?:{_SHORT}))", Need.ALONE, near=_NEAR),
        Form(rf"(?<!{_WORD})(?P<v>{_WORD}{{3,30}})(?!{_WORD})"),
    ),
    labels=(
        "法人名",
        "会社名",
        "商号",
        "法人名称",
        "事業者名",
        "屋号",
        "勤務先名",
        "勤務先名称",
        "取引先名",
        "商号又は名称",
        "事業所名",
    ),
    header=r"(?:法人|会社|企業|取引先|事業者|事業所|勤務先|仕入先|得意先|業者|貴社|請求先|発注先)(?:名称?|氏名|正式名称)|商号(?:又は名称)?|屋号|company(?:_?name)?|corporation|^法人$|^会社$|^取引先$|^勤務先$",
    cell=(rf"(?P<v>[{KANJI}{KATAKANA}{HIRAGANA}A-Za-z0-9・&.,()㈱㈲ \-ヶケノ]{{2,60}})",),
    prove=lambda value: len(value) > 1,
    narrow=narrow,
    normal=_normal,
    mask=_mask,
    literals=(
        "株式会社",
        "有限会社",
        "合同会社",
        "合資会社",
        "合名会社",
        "医療法人",
        "社会福祉法人",
        "学校法人",
        "宗教法人",
        "社団法人",
        "財団法人",
        "特定非営利活動法人",
        "協同組合",
    ),
    yes=(
        ("株式会社石幡システム 代表取締役", "株式会社石幡システム"),
        ("恵心商店株式会社 代表取締役 小田中 外志夫 様", "恵心商店株式会社"),
        ("医療法人社団諸沢システム会 代表取締役", "医療法人社団諸沢システム会"),
        ("㈱山田組 御中", "㈱山田組"),
        ("株式会社あおぞら に発注", "株式会社あおぞら"),
        ("領収書 白鳥舎㈲ 福岡県", "白鳥舎㈲"),
        ("15時の有限会社カネキさん訪問は", "有限会社カネキ"),
        ("大和鉄工(株) 0729-22-1234", "大和鉄工(株)"),
    ),
    no=("株式会社の設立", "株式会社設立登記の手引", "有限会社法", "日立の製品を用いる"),
)

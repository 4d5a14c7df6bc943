"""住所: prefecture, municipality, town and number, as far as they are written."""

import re

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA
from hakushi.detect.postal import PREFECTURES, begins_with_town

_KANA_CITIES = (
    "あきる野市 あま市 あわら市 いすみ市 いちき串木野市 いなべ市 いの町 いわき市 うきは市 うるま市 えびの市 えりも町 おいらせ町 "
    "おおい町 かすみがうら市 かつらぎ町 かほく市 さいたま市 さくら市 さつま町 さぬき市 せたな町 たつの市 つがる市 つくばみらい市 "
    "つくば市 つるぎ町 ときがわ町 ニセコ町 にかほ市 ひたちなか市 ふじみ野市 まんのう町 みどり市 みなかみ町 みなべ町 みやき町 みやこ町 "
    "みやま市 みよし市 むかわ町 むつ市 南あわじ市 南アルプス市 東かがわ市 東みよし町 南さつま市 新ひだか町 あさぎり町 "
    "にしの町 紀の川市"
).split()

_C = rf"[{KANJI}{HIRAGANA}{KATAKANA}ヶケノ]"
_K = rf"[{KANJI}ヶケノ]"
_PREFECTURES = frozenset(PREFECTURES)
_PREF = "(?:" + "|".join(PREFECTURES) + ")"
_CITY = (
    rf"(?:(?:{_K}{{1,6}}|{_K}{{1,3}}[の之]{_K}{{1,3}})郡 ?{_C}{{1,6}}?[町村]"
    rf"|(?:{'|'.join(sorted(set(_KANA_CITIES), key=len, reverse=True))})(?: ?{_C}{{1,4}}?区)?"
    rf"|(?:{_K}{{1,6}}?|{_K}{{1,3}}の{_K}{{1,2}})市(?:(?!{_K}{{0,3}}市) ?{_K}{{1,4}}?区)?(?!場価|民[はがのをに会]|役所[^0-9]|議会|政)"
    rf"|{_K}{{1,4}}?区(?!分|間|役|民|長|域)"
    rf"|{_K}{{1,5}}?[町村](?!民|役|長|議|内|会))"
)
_TOWN = rf"(?: ?[{KANJI}{HIRAGANA}{KATAKANA}ヶケノ・]{{1,24}}?(?:\d{{1,2}}(?:条|線|丁目)?(?! ?(?:番|号|電話|携帯|自宅|氏名)) ?{_C}{{1,10}}?){{0,2}})??"
_KN = "[一二三四五六七八九十]{1,3}"
_N = rf"(?:\d{{1,5}}|{_KN}(?=丁目|番(?!丁)|号))"
_NUMBER = (
    rf"(?:{_N}(?:番地の{_KN}(?![{KANJI}])|(?:丁目|番地の|番地|番町|番(?!丁)|号室|号棟|(?:号|条|線)[東西南北](?=\d)|号|棟|条|線|地割)(?: ?(?:の|第)?(?!0\d{{1,4}} ?[\-.()/の ] ?\d){_N}(?![0-9,円年月人名件%]))?"
    rf"|[\-の](?=\d){_N}|の{_KN}(?![{KANJI}])){{0,6}}(?:丁目|番地|番|号室|号|地割)?)"
)
_STRICT = rf"(?:{_N}(?:丁目|番地|番|-\d{{1,4}}-\d{{1,5}}|-\d{{1,4}})(?:(?:の|第|-)?{_N}(?:番地|番|号|-(?=\d))?){{0,5}}(?:号室|号)?)"
_BUILDING = (
    rf"(?: {{0,2}}(?=(?:第\d{{1,2}})?[^\n0-9 ]{{0,24}} ?(?:マンション|アパート|ハイツ|コーポ|ビル|荘|レジデンス|メゾン|ハイム|寮|団地|棟|タワー|パーク|ヒルズ|コート|ガーデン|プラザ|"
    rf"ハウス|住宅|館|シャトー|グラン|サン|ライオンズ|\d{{3}}号|\d{{1,2}}(?:階|F))|[{KATAKANA}・]{{3,16}}[{KANJI}]{{0,6}} ?\d{{3,4}}(?:号室?)?(?:[ \n)、。]|\Z))(?:第\d{{1,2}})?[{KANJI}{KATAKANA}A-Za-zⅠⅡⅢ・\-ヶケの]{{2,24}} ?[A-Za-z]?(?:\d{{1,2}}-)?(?:\d{{1,4}}(?:号室|号棟|号|室|F|階)?)?)?"
)
_END = r"(?![0-9A-Za-z])(?!-\d)(?![円年月人名件%歳時分])"


_ROMAN = (
    "Hokkaido|Aomori|Iwate|Miyagi|Akita|Yamagata|Fukushima|Ibaraki|Tochigi|Gunma|Saitama|Chiba|Tokyo|Kanagawa"
    "|Niigata|Toyama|Ishikawa|Fukui|Yamanashi|Nagano|Gifu|Shizuoka|Aichi|Mie|Shiga|Kyoto|Osaka|Hyogo|Nara"
    "|Wakayama|Tottori|Shimane|Okayama|Hiroshima|Yamaguchi|Tokushima|Kagawa|Ehime|Kochi|Fukuoka|Saga|Nagasaki"
    "|Kumamoto|Oita|Miyazaki|Kagoshima|Okinawa"
)


_OPEN_END = re.compile("(?<=[地号番0-9])の$")


_LABEL = re.compile(
    rf"(?:又は)?(?:[現前旧新]?(?:ご|送付先|お届け先|自宅)?住所|居所|所在地番?|本籍地?)は?(?=[{KANJI}])|(?:所は?|は)(?=(?:{'|'.join(PREFECTURES)}))"
)
"""A label that the address follows without a gap, as text out of PDF has it."""


def narrow(value: str) -> tuple[int, int] | None:
    """Trims spaces; an address of signs and digits alone is none."""
    end = len(_OPEN_END.sub("", value.rstrip(" -・")))
    label = _LABEL.match(value)
    start = label.end() if label else 0
    if value.isascii():
        return 0, end
    if end - start < 4 or not re.search(f"[{KANJI}]", value[start:]):
        return None
    return start, end


def normal(value: str) -> str:
    """One spelling for 1丁目2番3号, 1-2-3 and 一丁目二番三号; no spaces."""
    value = re.sub(f"{_KN}(?=丁目|番|号)", lambda m: str(_kanji(m[0])), value.replace(" ", ""))
    value = re.sub(r"(?<=\d)(?:丁目|番地の|番地|番|号室|号|の)(?=\d)", "-", value)
    return re.sub(r"(?<=\d)(?:丁目|番地|番|号室|号)$", "", value)


def _kanji(text: str) -> int:
    numerals = {c: n for n, c in enumerate("〇一二三四五六七八九")}
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(str(numerals.get(c, 0)) for c in text))
    return numerals.get(tens, 1) * 10 + numerals.get(ones, 0)


def _mask(value: str) -> str:
    """The prefecture stays: 静岡県***."""
    prefecture = next((value[:size] for size in (3, 4) if value[:size] in _PREFECTURES), "")
    return prefecture + "***"


PLUGIN = Detector(
    kind="address",
    source="Act on Indication of Residential Address; prefectures of Japan",
    forms=(
        Form(
            rf"(?P<v>{_PREF} ?{_CITY}{_TOWN} ?{_NUMBER}{_BUILDING}){_END}",
            Need.ALONE,
            near="|".join(PREFECTURES),
            before=4,
            after=100,
        ),
        Form(
            rf"(?:〒 ?)?(?<![0-9])\d{{3}}-\d{{4}}[ \n\r\t]{{1,4}}(?P<v>{_CITY}{_TOWN} ?{_NUMBER}{_BUILDING}){_END}",
            Need.ALONE,
            near=r"\d-\d{4}[ \n\r\t]",
            before=8,
            after=100,
        ),
        Form(
            rf"(?<!{_K})(?P<v>{_CITY}{_TOWN}{_STRICT}{_BUILDING}){_END}",
            Need.ALONE,
            near=rf"{_C} ?\d{{1,5}}(?:丁目|番|-\d)|[一二三四五六七八九十]丁目",
            before=48,
            after=60,
        ),
        Form(
            rf"(?<!{_K})(?P<v>{_CITY}{_TOWN} ?{_NUMBER}{_BUILDING}){_END}",
            Need.ALONE,
            begins_with_town,
            near=rf"[市区町村]{_C}{{1,12}} ?\d{{1,5}}",
            before=20,
            after=60,
        ),
        Form(
            rf"(?P<v>(?:京都府 ?)?京都市 ?{_K}{{1,3}}区 ?{_C}{{2,20}}?(?:[西東]入(?:[るル])?|[上下][るル]){_C}{{1,14}}?町)(?![{KANJI}0-9])",
            Need.ALONE,
            near="[西東]入|[上下][るル]",
            before=40,
            after=20,
        ),
        Form(
            rf"(?<![A-Za-z0-9\-])(?P<v>\d{{1,5}}(?:-\d{{1,5}}){{0,3}},? (?:[A-Z][A-Za-z\-]{{1,24}},? ){{1,5}}?(?:{_ROMAN})(?![A-Za-z]))",
            Need.ALONE,
            near="-(?:ku|shi|gun|cho|machi|mura)[, ]",
            before=60,
            after=60,
        ),
        Form(
            rf"(?<![A-Za-z0-9\-])(?P<v>\d{{1,5}}(?:-\d{{1,5}}){{0,3}},? (?:[A-Z][A-Za-z\-]{{1,24}},? ){{0,5}}?(?:{_ROMAN})(?![A-Za-z]))"
        ),
        Form(rf"(?<!{_K})(?P<v>{_CITY}{_TOWN} ?{_NUMBER}{_BUILDING}){_END}"),
        Form(rf"(?P<v>{_PREF} ?{_CITY} ?{_C}{{0,20}}{_NUMBER}?){_END}"),
        Form(rf"(?<!{_C})(?P<v>{_C}{{2,16}}{_STRICT}{_BUILDING}){_END}"),
    ),
    labels=(
        "住所",
        "ご住所",
        "現住所",
        "所在地",
        "住居",
        "居住地",
        "住民票住所",
        "送付先",
        "送付先住所",
        "お届け先",
        "届け先住所",
        "本籍",
        "本籍地",
        "転入前住所",
        "転出先",
        "前住所",
        "旧住所",
        "新住所",
        "勤務先所在地",
        "本店所在地",
        "address",
        "連絡先住所",
        "納税地",
        "物件所在地",
        "所在",
        "自宅住所",
        "自宅",
        "住所又は居所",
        "住所地",
        "住所・所在地",
        "住所(所在地)",
        "住 所",
        "配送先",
        "住所1",
        "住所2",
    ),
    header=r"住所[12一二]?|所在地|居住地|本籍地?|送付先(?:住所)?|(?:お?届け?先)(?:住所)?|配送先|納税地|addr(?:ess)?(?:_?[12])?|^所在$|居所|都道府県市区町村",
    cell=(
        rf"(?P<v>{_PREF}[^\n]{{2,80}})",
        rf"(?P<v>{_CITY}[^\n]{{0,80}})",
        rf"(?P<v>{_C}{{1,20}}{_NUMBER}[^\n]{{0,40}})",
    ),
    prove=lambda value: len(value) >= 4,
    narrow=narrow,
    normal=normal,
    alike=lambda value: value.startswith(tuple(PREFECTURES)) and any(c.isdigit() for c in value),
    mask=_mask,
    literals=(*PREFECTURES, r"\d丁目", r"\d番地", r"\k市\k\k\d", r"\k市\k\k\k\d", r"\k区\k\k\d"),
    yes=(
        ("新ご住所は埼玉県羽生市東六丁目15番地", "埼玉県羽生市東六丁目15番地"),
        ("香典　五千円　伊那市西町5016", "伊那市西町5016"),
        ("愛知県岡崎市十王町2丁目9番地 0564 23 6000", "愛知県岡崎市十王町2丁目9番地"),
        ("住所大阪府堺市西区鳳東町4丁401番地1", "大阪府堺市西区鳳東町4丁401番地1"),
        (
            "京都府京都市上京区下立売通新町西入薮ノ内町 府庁",
            "京都府京都市上京区下立売通新町西入薮ノ内町",
        ),
        ("静岡県藤枝市瀬古9-23-6", "静岡県藤枝市瀬古9-23-6"),
        ("北海道旭川市7条西5-28-8 山田", "北海道旭川市7条西5-28-8"),
        ("香川県丸亀市八番丁735-21 山田", "香川県丸亀市八番丁735-21"),
        (
            "ご住所は熊本県宇土市本町1丁目15番16号でよろしいでしょうか",
            "熊本県宇土市本町1丁目15番16号",
        ),
        ("〒520-2351\n野洲市冨波甲5-10-30\n", "野洲市冨波甲5-10-30"),
        ("住所：須坂市八重森６－８－１２", "須坂市八重森６－８－１２"),
        ("北海道檜山郡上ノ国町中須田6丁目22番14号", "北海道檜山郡上ノ国町中須田6丁目22番14号"),
        ("東京都港区芝公園四丁目二番八号", "東京都港区芝公園四丁目二番八号"),
        ("住所 高崎市高松町35番地1 電話 027-321-1111", "高崎市高松町35番地1"),
        (
            "Address: 1-2-3 Akasaka, Minato-ku, Tokyo 107-0052",
            "1-2-3 Akasaka, Minato-ku, Tokyo",
        ),
        ("札幌市中央区北3条西6丁目", "札幌市中央区北3条西6丁目"),
        ("愛知県岡崎市十王町2丁目9番地 0564-23-6000", "愛知県岡崎市十王町2丁目9番地"),
        ("栃木県佐野市高砂町1 犬名 ポチ 種類 柴 登録番号 第102号", "栃木県佐野市高砂町1"),
        ("借主 愛知県瀬戸市追分町六十四番地の一", "愛知県瀬戸市追分町六十四番地の一"),
        ("住所1：東京都中央区銀座", "東京都中央区銀座"),
    ),
    no=(
        "TEL 03 5321 1234 港区役所 045 914 7000",
        "神奈川県県土整備局は令和元年度の予算案を公表した",
        "森林、山口、大分、福島などの地名を含む",
        "設計図 第38葉 寸法 560-8909 1:336 座標",
        "市場価格は3-5倍になった",
        "町内会の会費は1200円",
        "伊那市議会2025 市立図書館12",
    ),
)

"""電話番号: mobile (060 070 080 090), IP (050), fixed, free-dial, and +81."""

import re

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA, digits

_FIVE = frozenset(
    "01267 01372 01374 01377 01392 01397 01398 01456 01457 01466 01547 01558 01564 01586 01587 01632 01634 "
    "01635 01648 01654 01655 01656 01658 04992 04994 04996 04998 05769 05979 07468 08387 08388 08396 08477 "
    "08512 08514 09496 09802 09912 09913 09969".split()
)
_THREE = frozenset(
    "011 015 017 018 019 022 023 024 025 026 027 028 029 042 043 044 045 046 047 048 049 052 053 054 055 058 "
    "059 072 073 074 075 076 077 078 079 082 083 084 086 087 088 089 092 093 095 096 097 098 099".split()
)
_MOBILE = ("060", "070", "080", "090")


def normal(value: str) -> str:
    """Digits, with the country code 81 as 0, and another country's behind its +."""
    number = digits(value)
    if value.lstrip("(").startswith("+81"):
        number = "0" + number[2:].removeprefix("0")
    elif value.lstrip("(").startswith("+"):
        number = "+" + number
    return number


def prove(number: str) -> bool:
    """Ten digits, or eleven for mobile, IP and some free-dial; no subscriber number of zeros only.
    Of other countries (E.164) nine to fifteen.
    """
    if number.startswith("+"):
        return 9 <= len(number) - 1 <= 15 and len(set(number[3:])) > 1
    if not number.startswith("0") or number[1:2] == "0" or set(number[3:]) == {"0"}:
        return False
    if number[:3] in (*_MOBILE, "050", "020"):
        return len(number) == 11
    return len(number) == 10 or (len(number) == 11 and number.startswith("0800"))


def _planned(written: str) -> bool:
    """Do the groups keep to the numbering plan? Asked of numbers that no label names."""
    groups = re.sub(r"[(). ]", "-", written).strip("-").split("-")
    if len(groups) != 3 or groups[1].startswith("000") or groups[2] == "0000":
        return False
    area, exchange, last = groups
    if len(last) != 4 and area not in ("0120", "0570", "0800", "0990"):
        return False
    if area in _MOBILE or area == "050":
        return len(exchange) == 4 and not (
            area != "050" and exchange[0] == "0" and exchange[1] == "0"
        )
    if area in ("0120", "0570", "0990"):
        return len(exchange) + len(last) == 6
    if area == "0800":
        return len(exchange) == 3
    return {
        2: area in ("03", "06", "04") and len(exchange) == 4,
        3: area in _THREE and len(exchange) == 3,
        4: len(exchange) == 2 and area[:3] not in (*_MOBILE, "050", "020", "010"),
        5: area in _FIVE and len(exchange) == 1,
    }.get(len(area), False) and exchange[0] not in "01"


def _mask(value: str) -> str:
    """Area code and last group stay: 090-****-1234."""
    out = list(value)
    for place in [i for i, c in enumerate(value) if c.isdigit()][3:-4]:
        out[place] = "*"
    return "".join(out)


_LEFT = r"(?<![0-9A-Za-z_+])(?<![0-9][.\-/)])(?<![0-9] )(?<!\.)"
_RIGHT = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"
_GROUPED = r"0\d{1,4}-\d{1,4}-\d{3,4}"

PLUGIN = Detector(
    kind="phone",
    source="Numbering plan of the Ministry of Internal Affairs and Communications (060 from 2026)",
    forms=(
        Form(
            rf"{_LEFT}(?P<v>{_GROUPED}){_RIGHT}", Need.ALONE, near="0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3}"
        ),
        Form(
            r"(?<![0-9A-Za-z_+.\-])(?P<v>0[789]0[1-9]\d{7})(?= {1,3}[㐀-鿿]{1,4} [㐀-鿿ぁ-ゖ]{1,4}(?: |\n|\Z))",
            Need.ALONE,
            near="0[789]0[1-9][0-9]{7}",
        ),
        Form(
            rf"(?:TEL|FAX|Tel|Fax|tel|fax)\.?(?P<v>{_GROUPED}){_RIGHT}",
            Need.ALONE,
            near="(?:TEL|FAX|Tel|Fax|tel|fax)[.]?0",
            before=2,
            after=20,
        ),
        Form(
            rf"(?:[\-の番地目{KANJI}]\d{{1,4}}|\d(?:丁目|番地|番|号室|号|F|階)) {{1,3}}(?P<v>{_GROUPED}){_RIGHT}",
            Need.ALONE,
            near="0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3}",
            before=12,
        ),
        Form(
            rf"(?:(?<![^\n])|[{KANJI}{HIRAGANA}{KATAKANA})\]:][ \t]{{0,3}})(?P<v>0\d{{1,4}}([ .])\d{{1,4}}\2\d{{4}}){_RIGHT}(?![ \t]{{0,3}}\d)",
            Need.ALONE,
            near=r"0[0-9]{1,4}[ .][0-9]{1,4}[ .][0-9]{4}",
            before=6,
            after=6,
        ),
        Form(
            rf"\d\d:\d\d {{1,3}}(?P<v>{_GROUPED}){_RIGHT}",
            Need.ALONE,
            near="[0-9]:[0-9]{2} {1,3}0",
            before=4,
            after=16,
        ),
        Form(
            rf"{_LEFT}(?P<v>\(?0\d{{1,4}}[)(] ?\d{{1,4}}[)\-]\d{{4}}){_RIGHT}",
            Need.ALONE,
            near=r"0[0-9]{1,4}[)(] ?[0-9]{1,4}[)\-][0-9]",
        ),
        Form(
            r"(?<![0-9A-Za-z+])(?P<v>\+81[ \-]?\(?0?\)?[ \-]?\d{1,4}[ \-]\d{1,4}[ \-]\d{4})(?![0-9A-Za-z])",
            Need.ALONE,
            near=r"\+81",
        ),
        Form(r"(?<![0-9A-Za-z+])(?P<v>\+81\d{9,10})(?![0-9A-Za-z])", Need.ALONE, near=r"\+81"),
        Form(
            r"(?<![0-9A-Za-z+])(?P<v>\+(?!81|0)\d{1,3}(?:[ .\-]?\(?\d{1,4}\)?){2,5}\d)(?![0-9A-Za-z])"
        ),
        Form(rf"{_LEFT}(?P<v>0\d{{1,4}} ?[ \-/の] ?\d{{1,4}} ?[ \-/の] ?\d{{4}}){_RIGHT}"),
        Form(rf"{_LEFT}(?P<v>0\d{{1,4}}\.\d{{1,4}}\.\d{{4}}){_RIGHT}"),
        Form(rf"{_LEFT}(?P<v>0\d{{9,10}}){_RIGHT}"),
    ),
    labels=(
        "電話番号",
        "電話",
        "お電話",
        "お電話番号",
        "ご連絡先",
        "ご連絡先電話番号",
        "でんわ",
        "TEL",
        "Tel.",
        "Phone",
        "mobile",
        "telephoneNumber",
        "homePhone",
        "携帯電話",
        "携帯番号",
        "携帯",
        "ケータイ",
        "FAX",
        "ファックス",
        "ファクス",
        "ﾌｧｯｸｽ",
        "連絡先",
        "緊急連絡先",
        "連絡先電話番号",
        "電話/FAX",
        "℡",
        "☎",
        "phone_number",
        "telephone",
        "fax番号",
        "TEL番号",
        "TEL No",
        "FAX No",
        "電話No",
        "携帯No",
        "ケータイ番号",
        "内線",
        "お問い合わせ",
        "問合せ先",
        "cell",
        "phone number",
        "自宅電話",
        "自宅",
        "勤務先電話",
    ),
    header=r"電話(?:番号|no\.?|№)?|tel(?:ephone)?(?:番号|[_ ]?no\.?)?|phone(?:[_ ]?(?:no\.?|number))?|(?:携帯|ケータイ)(?:電話)?(?:番号|no\.?)?|fax(?:番号|[_ ]?no\.?)?|ファックス|連絡先(?:電話)?(?:番号)?|mobile|℡|☎",
    cell=(
        rf"(?P<v>{_GROUPED}|\(?0\d{{1,4}}[)(]\d{{1,4}}[)\-]\d{{4}}|0\d{{9,10}}|0\d{{1,4}} \d{{1,4}} \d{{4}}|\+81[ \-]?\d{{1,4}}[ \-]?\d{{1,4}}[ \-]?\d{{4}})",
    ),
    prove=prove,
    stands=lambda written: written.startswith("+81") or _planned(written) or written.isdigit(),
    normal=normal,
    alike=lambda value: value[:1] == "0" and prove(normal(value)),
    beside="person_name",
    mask=_mask,
    shapes=(
        r"0\d{1,4}[-)]\d{1,4}-\d{4}",
        r"\+81[ -]?\d",
        r"(?i:(?:tel|phone|mobile)[a-z_]{0,8}[\"':=, \t>]{1,4}0\d{9})",
    ),
    yes=(
        ("電話番号　03 － 1234 － 5678", "03 － 1234 － 5678"),
        ("電話No.：07012349876", "07012349876"),
        ("会長　村松 茂　054 245 1120\n", "054 245 1120"),
        ("名刺: 浜口 晶 090.1245.0909", "090.1245.0909"),
        ("TEL番号 048-829-1111", "048-829-1111"),
        ("電話 03-3234-5678", "03-3234-5678"),
        ("携帯: 09012345678", "09012345678"),
        ("ご連絡は090-1234-5678まで", "090-1234-5678"),
        ("TEL ０４５（２３４）５６７８", "０４５（２３４）５６７８"),
        ("Phone: +81-90-1234-5678", "+81-90-1234-5678"),
        ("お電話番号 0776-22-3344", "0776-22-3344"),
        ("FAX03-3944-0391", "03-3944-0391"),
        ("Tel.03-3944-0391", "03-3944-0391"),
        ("着信 2024/03/11 18:02 090-9876-1234", "090-9876-1234"),
        ("contact: Yumi Iwasaki (wife) +81-80-2345-6789", "+81-80-2345-6789"),
        ("自宅：03-5089-8360", "03-5089-8360"),
        ("宇都宮市塙田1-1-20 028-623-2323", "028-623-2323"),
        ("Phone: +49 30 901820", "+49 30 901820"),
        ("TEL +1-212-736-3100", "+1-212-736-3100"),
        ("電話 0466-29-0374 / 060-1234-5678", "060-1234-5678"),
    ),
    no=(
        "問合せ先 045-000-0000",
        "測定 054 245 1120 33",
        "版 01.02.2023",
        "合計 012 345 6789",
        "2019-07-10 12:34:05",
        "伝票番号 0460-23-3219",
        "seq=4144102832500",
        "部品番号 090-1234-5678",
        "Phone: +0 12 345678",
        "差 +49 30 901820",
    ),
)

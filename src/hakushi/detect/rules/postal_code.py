"""郵便番号: three digits and four."""

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import KANJI, digits
from hakushi.detect.postal import PREFECTURES, area, exists

_PLACE = r"(?=[\s　\"',|]{0,4}(?:東京都|北海道|京都府|大阪府|[^\s\d]{2,3}県|[^\s\d]{1,5}[市区郡]))"

PLUGIN = Detector(
    kind="postal_code",
    source="Japan Post, seven-digit postal codes (1998), lists of October 2026",
    forms=(
        Form(r"〒 {0,2}(?P<v>\d{3} ?-? ?\d{4})(?![0-9\-])", Need.ALONE, near="〒"),
        Form(
            rf"(?<![0-9A-Za-z\-.])(?P<v>\d{{3}}-\d{{4}})(?![0-9A-Za-z\-]){_PLACE}",
            Need.ALONE,
            prove=lambda written: exists(digits(written)),
            near="[0-9]{3}-[0-9]{4}",
        ),
        Form(
            rf"(?:(?<=\n)|(?<=[ \t,\"'>|]))(?<!\d )(?P<v>\d{{3}} ?\d{{4}})[ \t\n\"',|]{{1,4}}(?={'|'.join(PREFECTURES)})",
            Need.ALONE,
            prove=lambda written: exists(digits(written)),
            near=rf"[0-9]{{3}} ?[0-9]{{4}}[ \t\n\"',|]{{1,4}}[{KANJI}]",
        ),
        Form(
            r"ADR[^\n]{0,160};(?P<v>\d{3}[- ]?\d{4});",
            Need.ALONE,
            near="ADR[;:]",
            before=2,
            after=176,
        ),
        Form(r"(?<![0-9A-Za-z\-.])(?P<v>\d{3}-\d{4})(?![0-9A-Za-z\-])"),
        Form(r"(?<![0-9A-Za-z\-.])(?P<v>\d{7})(?![0-9A-Za-z\-])"),
        Form(
            r"(?<![0-9A-Za-z\-.])(?<!\d )(?P<v>\d{3} \d{4})(?![0-9A-Za-z\-])(?! \d)",
            prove=lambda written: exists(digits(written)),
        ),
    ),
    labels=(
        "郵便番号",
        "〒",
        "郵便No",
        "郵便",
        "〒番号",
        "zip",
        "zip code",
        "zip_code",
        "postal code",
        "postal_code",
        "postcode",
        "ZIPコード",
        "ゆうびん番号",
        "住所",
        "ご住所",
        "現住所",
        "所在地",
        "送付先",
        "お届け先",
    ),
    header=r"郵便番号|郵便(?:no)?|〒|zip(?:_?code)?|post(?:al)?_?code|ゆうびん番号",
    cell=(r"〒? {0,2}(?P<v>\d{3}[- ]?\d{4})",),
    prove=area,
    alike=lambda value: len(value) == 8 and value[3] == "-" and area(digits(value)),
    beside="person_name",
    mask=lambda value: value[:3] + "".join("*" if c.isdigit() else c for c in value[3:]),
    literals=(r"〒\s\d\d\d",),
    shapes=(r"(?i:(?:zip|post|postal)[_ ]?(?:code)?[\"':=, \t>]{1,4}[0-9]{3}-?[0-9]{4})",),
    yes=(
        ("〒426-0082", "426-0082"),
        ("〒　５２２－００６９", "５２２－００６９"),
        ("郵便番号 4260082", "4260082"),
        ("634-0074 奈良県橿原市", "634-0074"),
        ("住所\t380-0823 長野県長野市南千歳1-22-6", "380-0823"),
        ("郵便番号：340 8550", "340 8550"),
        ("お届け先 892 0816 鹿児島県鹿児島市山下町11-1", "892 0816"),
    ),
    no=(
        "code 631-0205",
        "寸法 560-8909 1:336",
        "内線 123-4567",
        "〒12-3456",
        "999-0000 奈良県橿原市",
        "〒009-1234",
        "電話 03 340 8550",
        "合計 340 8550 円",
    ),
)

"""個人番号 (My Number): 12 digits, the last a check digit."""

from operator import mul

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import digits

_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def prove(value: str) -> bool:
    """Check digit by mod 11; not one digit repeated."""
    if len(value) != 12 or len(set(value)) == 1:
        return False
    rest = sum(map(mul, map(int, value[:11]), _WEIGHTS)) % 11
    return int(value[11]) == (0 if rest <= 1 else 11 - rest)


def _stands(value: str) -> bool:
    """A chance number that passes is refused where it reads as a time stamp (YYYYMMDDhhmm)."""
    value = digits(value)
    stamp = (
        value[:2] in ("19", "20")
        and 1 <= int(value[4:6]) <= 12
        and 1 <= int(value[6:8]) <= 31
        and int(value[8:10]) <= 24
    )
    return not stamp


_LEFT = r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])(?<!\.)"
_RIGHT = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"

PLUGIN = Detector(
    kind="my_number",
    source="Order of the Ministry of Internal Affairs No. 85 of 2014, article 5 (check digit)",
    forms=(
        Form(rf"{_LEFT}(?P<v>\d{{12}}){_RIGHT}", Need.CANDIDATE, near="[0-9]{12}"),
        Form(
            rf"{_LEFT}(?P<v>\d{{4}}([ \-])\d{{4}}\2\d{{4}}){_RIGHT}(?!\2\d)",
            Need.CANDIDATE,
            near=r"[0-9]{4}[ \-][0-9]{4}[ \-][0-9]{4}",
        ),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |]{1,3}\d){11})(?![ |]{0,3}\d)", Need.LABEL),
    ),
    labels=(
        "個人番号",
        "マイナンバー",
        "個番",
        "kojin bango",
        "kojin no",
        "ﾏｲﾅﾝﾊﾞｰ",
        "個人No",
        "個人ナンバー",
        "共通番号",
        "my number",
        "mynumber",
        "my_number",
        "個人番号カード",
    ),
    header=r"個人番号|マイナンバー|ﾏｲﾅﾝﾊﾞｰ|my_?number|kojin_?bango|個人no\.?",
    cell=(r"(?P<v>\d{12}|\d{4}[ \-]\d{4}[ \-]\d{4})",),
    prove=prove,
    alike=lambda value: prove(digits(value)) and _stands(value),
    stands=_stands,
    scarce=True,
    shapes=(r"(?i:my_?number)", r"(?i:kojin[_ ]?(?:bango|no))"),
    yes=(
        ("個人番号 123456789018", "123456789018"),
        ("マイナンバー：１２３４－５６７８－９０１８", "１２３４－５６７８－９０１８"),
        ("個人番号（マイナンバー）は 1234 5678 9018 です。", "1234 5678 9018"),
    ),
    no=(
        "個人番号 123456789012",
        "伝票番号 123456789018",
        "order=123456789018",
        "123456789018",
        "個人番号 1234567890181",
    ),
)

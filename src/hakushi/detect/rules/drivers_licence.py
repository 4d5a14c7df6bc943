"""運転免許証番号: commission, year, serial, check digit, times issued anew."""

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import digits

_COMMISSIONS = range(10, 98)
"""Public safety commissions: 10 Hokkaido … 97 Okinawa."""


def check(value: str) -> bool:
    """The eleventh digit: weights 5432765432, mod 11 (secondary sources only)."""
    total = sum(int(c) * w for c, w in zip(value[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    return int(value[10]) == (11 - total % 11) % 10


def prove(value: str) -> bool:
    """Twelve digits from a prefecture's commission, with a check digit that fits."""
    return len(value) == 12 and int(value[:2]) in _COMMISSIONS and check(value)


_EDGE = r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])"
_END = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"

_TWELVE = (
    r"(?:\d{12}|\d{4} \d{4} \d{4}|\d{4}-\d{4}-\d{4}|\d{2}[ \-]\d{2}[ \-]\d{6}[ \-]\d{2}"
    r"|\d{2}[ \-]\d{2}[ \-]\d{8})"
)
"""As one, in fours, or by what they mean."""

PLUGIN = Detector(
    kind="drivers_licence",
    source="Commission codes and check digit: secondary sources, agreeing with each other",
    forms=(
        Form(
            r"免許[^\n0-9]{0,24}番号[ :]{0,3}(?P<v>" + _TWELVE + r")(?![0-9\-])",
            Need.ALONE,
            near="免許",
            before=2,
            after=44,
        ),
        Form(
            r"番号[ :]{0,3}第 {0,2}(?P<v>" + _TWELVE + r") {0,2}号",
            Need.ALONE,
            near="第 {0,2}[0-9]{2}",
            before=8,
            after=24,
        ),
        Form(rf"(?:第 {{0,2}}){_EDGE}(?P<v>{_TWELVE}) {{0,2}}(?=号)"),
        Form(rf"{_EDGE}(?P<v>{_TWELVE}){_END}"),
    ),
    labels=(
        "免許証番号",
        "運転免許証番号",
        "免許証の番号",
        "運転免許証",
        "免許番号",
        "運転免許番号",
        "運転免許",
        "免許証No",
        "driver license",
        "driver's license",
        "driver's license no",
        "免許No",
        "免許No.",
        "licence_no",
        "license_no",
        "license_number",
        "drivers_license",
        "driver_license",
        "drivers_licence",
    ),
    header=r"(?:運転)?免許(?:証)?(?:の?番号|no\.?)?|(?:driver'?s?_?)?licen[cs]e(?:_?(?:no|number))?|menkyo_?(?:bango|no)",
    cell=(rf"第? ?(?P<v>{_TWELVE}) ?号?",),
    prove=prove,
    alike=lambda value: prove(digits(value)),
    beside="person_name",
    scarce=True,
    shapes=(
        r"(?i:licen[cs]e[_ ]?(?:no|number)[\"':=, \t]{1,4}[0-9])",
        r"(?i:drivers?[_ ]licen[cs]e)",
        r"(?i:licen[cs]e[_ ]n(?:o|umber),)",
    ),
    yes=(
        ("運転免許証番号 458751891781", "458751891781"),
        ("免許の種類 普通 番号 4587-5189-1781", "4587-5189-1781"),
        ("番号 第 45-87-51891781 号", "45-87-51891781"),
        ("免許の種類 普通 番号 458751891781", "458751891781"),
        ("生年月日 昭和49年8月16日\n番号 第 458751891781 号", "458751891781"),
        ("免許証の番号　第４５８７５１８９１７８１号", "４５８７５１８９１７８１"),
    ),
    no=("伝票番号 458751891781", "458751891781", "運転免許証番号 458751891711"),
)

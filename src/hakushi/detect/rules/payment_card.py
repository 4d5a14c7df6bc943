"""クレジットカード番号: 14 to 19 digits of a known issuer, the last a check digit."""

import re

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import digits

_ISSUERS = re.compile(
    r"4(?:\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|09|[689]\d)\d{11}"  # Diners Club
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}"  # Discover
    r"|62\d{14}(?:\d{3})?"  # UnionPay
)
_TESTS = frozenset(
    "4242424242424242 4012888888881881 4000056655665556 4012000033330026 4005519200000004 "
    "4009348888881881 4500600000000061 4917610000000000 4988080000000000 4123450131003312 "
    "5555555555554444 5105105105105100 5200828282828210 2223003122003222 2223000048400011 "
    "5454545454545454 5425233430109903 5123450131003312 "
    "378282246310005 371449635398431 378734493671000 371111111111114 341111111111111 "
    "3530111333300000 3566002020360505 3566111111111113 3528000700000000 3541599998103643 "
    "30569309025904 38520000023237 36227206271667 36700102000000 "
    "6011000990139424 6011981111111113 6011000400000000 6200000000000005 "
    "4539578763621486 4716059700000000 4532015112830366 4916338506082832".split()
)
"""Numbers that payment services publish for testing."""

_SAMPLE = re.compile(r"(\d)\1{6}|(\d{4})\2\2|123456789012")
"""What only samples have: a digit seven times, a group three times, the digits in order."""


def prove(value: str) -> bool:
    """An issuer's range and length, a check digit that fits; no number for testing."""
    if not _ISSUERS.fullmatch(value) or value in _TESTS or _SAMPLE.search(value):
        return False
    doubled = (int(c) * (1 + n % 2) for n, c in enumerate(reversed(value)))
    return sum(sum(divmod(one, 10)) for one in doubled) % 10 == 0


_LEFT = r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])(?<!\.)"
_RIGHT = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"

PLUGIN = Detector(
    kind="payment_card",
    source="ISO/IEC 7812-1 (check digit); ranges and test numbers that card schemes and payment services publish",
    forms=(
        Form(rf"{_LEFT}(?P<v>\d{{14,16}}|\d{{19}}){_RIGHT}"),
        Form(
            rf"{_LEFT}(?P<v>\d{{4}}([ \-])\d{{4}}\2\d{{4}}\2\d{{4}}(?:\2\d{{3}})?){_RIGHT}(?!\2\d)",
            Need.CANDIDATE,
            near=r"[0-9]{4}[ \-][0-9]{4}[ \-][0-9]{4}",
        ),
        Form(rf"{_LEFT}(?P<v>\d{{4}}([ \-])\d{{6}}\2\d{{4,5}}){_RIGHT}(?!\2\d)"),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |]{1,3}\d){15})(?![ |]{0,3}\d)"),
    ),
    labels=(
        "カード番号",
        "ｶｰﾄﾞ番号",
        "カード情報",
        "カードの番号",
        "カードNo",
        "クレジットカード",
        "クレジットカード番号",
        "ｸﾚｼﾞｯﾄｶｰﾄﾞ",
        "クレカ番号",
        "クレジット番号",
        "デビットカード",
        "デビットカード番号",
        "card",
        "credit card",
        "card number",
        "card no",
        "card_no",
        "card_number",
        "cardnumber",
        "credit card",
        "credit card number",
        "creditcard",
        "debit card",
        "VISA",
        "Mastercard",
        "JCB",
        "American Express",
        "AMEX",
        "Diners",
        "PAN",
    ),
    header=r"(?:クレジット|デビット)?(?:カード|ｶｰﾄﾞ)(?:の?番号|no\.?)|クレジットカード|クレカ(?:番号)?|(?:credit|debit|payment)?_?card_?(?:number|num|no)|(?:credit|debit|payment)_?card|^pan$",
    cell=(r"(?P<v>\d{14,16}|\d{19}|\d{4}(?:[ \-]\d{4}){3}|\d{4}[ \-]\d{6}[ \-]\d{4,5})",),
    prove=prove,
    alike=lambda value: prove(digits(value)),
    beside="person_name",
    scarce=True,
    shapes=(
        r"(?i:card[_ ]?(?:no|num|number)[\"':=, \t]{1,4}[2-6][0-9]{3})",
        r"(?i:card_n(?:o|umber),)",
    ),
    yes=(
        ("クレジットカード番号 4980-2371-6054-8198", "4980-2371-6054-8198"),
        ("カード番号：３５４０１９２８３７４６５０１８", "３５４０１９２８３７４６５０１８"),
        ("card number: 5230 7164 9805 3125", "5230 7164 9805 3125"),
        ("AMEX 3742 618093 57128", "3742 618093 57128"),
    ),
    no=(
        "カード番号 4242424242424242",
        "クレジットカード 4111-1111-1111-1111",
        "card number: 5555 5555 5555 4444",
        "カード番号 4980-2371-6054-8197",
        "伝票番号 4980-2371-6054-8198",
        "4980237160548198",
        "会員カード番号 9980237160548191",
    ),
)

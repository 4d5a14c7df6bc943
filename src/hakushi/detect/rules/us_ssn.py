"""US Social Security number: three, two and four digits; no check digit, so only with a label."""

from hakushi.detect.detector import Detector, Form

_SAMPLES = frozenset({"078051120", "219099999", "123456789", "111223333", "123121234"})
"""Numbers that advertisements, forms and manuals show."""


def prove(number: str) -> bool:
    """No area 000, 666 or 900 and above, no group 00, no serial 0000 (SSA, since 2011)."""
    return (
        len(number) == 9
        and number[:3] not in {"000", "666"}
        and number[0] != "9"
        and number[3:5] != "00"
        and number[5:] != "0000"
        and number not in _SAMPLES
        and len(set(number)) > 1
    )


PLUGIN = Detector(
    kind="us_ssn",
    source="US Social Security Administration: number randomization (2011), invalid areas",
    forms=(
        Form(r"(?<![0-9A-Za-z_\-])(?P<v>\d{3}-\d{2}-\d{4})(?![0-9A-Za-z_\-])"),
        Form(r"(?<![0-9A-Za-z_\-])(?P<v>\d{3} \d{2} \d{4})(?![0-9A-Za-z_\-])"),
        Form(r"(?<![0-9A-Za-z_\-.])(?P<v>\d{9})(?![0-9A-Za-z_\-.])"),
    ),
    labels=(
        "SSN",
        "social security number",
        "social security no",
        "social security #",
        "Social Sec. No.",
        "社会保障番号",
        "ソーシャルセキュリティ番号",
        "ソーシャルセキュリティナンバー",
    ),
    header=r"(?:us_?)?ssn|social_?security(?:_?(?:no|number))?|社会保障番号|ソーシャルセキュリティ(?:番号|ナンバー)",
    cell=(r"(?P<v>\d{3}-\d{2}-\d{4}|\d{9})",),
    prove=prove,
    literals=("social security number", "Social Security Number"),
    shapes=(r"(?:SSN|ssn)[:#, ]{1,3}\d{3}[\- ]?\d{2}[\- ]?\d{4}",),
    yes=(
        ("SSN: 536-22-8731", "536-22-8731"),
        ("社会保障番号 ５３６－２２－８７３１", "５３６－２２－８７３１"),
        ("name,ssn\nJohn Doe,536228731\n", "536228731"),
    ),
    no=(
        "536-22-8731",
        "SSN: 078-05-1120",
        "ssn : 111-22-3333",
        "SSN: 666-22-8731",
        "SSN: 536-00-8731",
        "SSN 2026-11-27",
    ),
)

"""保険者番号: an insurer of health or care, eight digits or six, the last a check digit."""

from hakushi.detect.detector import Detector, Form

_PREFECTURES = range(1, 48)


def prove(value: str) -> bool:
    """A prefecture before the last four digits; weights 2 and 1 from the right, sums of digits."""
    if len(value) not in (6, 8) or int(value[-6:-4]) not in _PREFECTURES:
        return False
    total = sum(sum(divmod(int(c) * (2 - n % 2), 10)) for n, c in enumerate(value[-2::-1]))
    return int(value[-1]) == -total % 10 and len(set(value)) > 1


_EDGE = r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])"
_END = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"

PLUGIN = Detector(
    kind="insurer_number",
    source="Ministry of Health, notices on setting insurers' numbers: law 2, prefecture 2, insurer 3, check digit 1",
    forms=(
        Form(rf"{_EDGE}(?P<v>\d{{8}}|\d{{6}}){_END}"),
        Form(rf"{_EDGE}(?P<v>\d{{2}}([ \-])\d{{2}}\2\d{{3}}\2\d){_END}"),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |]{1,3}\d){5}(?:(?:[ |]{1,3}\d){2})?)(?![ |]{0,3}\d)"),
    ),
    labels=(
        "保険者番号",
        "保険者の番号",
        "保険者No",
        "保険者証番号",
        "insurer number",
        "insurer_number",
        "hokensha_bango",
    ),
    header=r"(?<!被)保険者(?:番号|no\.?)|insurer_?(?:no|number)|hokensha_?(?:no|bango)",
    cell=(r"(?P<v>\d{8}|\d{6}|\d{2}-\d{2}-\d{3}-\d)",),
    prove=prove,
    shapes=(r"(?i:insurer[_ ]number)", r"(?i:hokensha)"),
    yes=(
        ("保険者番号 01130012", "01130012"),
        ("保険者番号：０１１３００１２", "０１１３００１２"),
        ("介護保険 保険者番号 138024", "138024"),
    ),
    no=(
        "01130012",
        "保険者番号 01130013",
        "保険者番号 01990012",
        "整理番号 01130012",
        "被保険者番号 01130012",
    ),
)

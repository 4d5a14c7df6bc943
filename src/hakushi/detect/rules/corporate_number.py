"""法人番号: thirteen digits, the first a check digit; T and it, a registered invoice issuer's."""

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import digits


def prove(value: str) -> bool:
    """Check digit: 9 less the weighted sum mod 9."""
    if len(value) != 13 or len(set(value)) == 1:
        return False
    total = sum(int(c) * (1 + n % 2) for n, c in enumerate(reversed(value[1:])))
    return int(value[0]) == 9 - total % 9


def _stands(value: str) -> bool:
    """Refuses what reads as a JAN or ISBN (its own check digit fits) and time in milliseconds."""
    if not value.isdigit():
        return True
    total = sum(int(c) * (1, 3)[n % 2] for n, c in enumerate(value))
    return total % 10 != 0 and not value.startswith(("45", "49", "978", "979", "15", "16", "17"))


_EDGE = r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])"
_END = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"

PLUGIN = Detector(
    kind="corporate_number",
    source="Ordinance of the Ministry of Finance No. 70 of 2014 (check digit); T number: invoice system, 2023",
    forms=(
        Form(
            r"(?<![0-9A-Za-z_\-])(?P<v>T[ \-]?\d{13}|T[ \-]?\d(?:[ \-]\d{4}){3})(?![0-9A-Za-z_])",
            Need.ALONE,
            near=r"T[ \-]?[0-9]",
        ),
        Form(rf"{_EDGE}(?P<v>\d{{13}}){_END}", Need.CANDIDATE, near="[0-9]{13}"),
        Form(rf"{_EDGE}(?P<v>\d([ \-])\d{{4}}\2\d{{4}}\2\d{{4}}){_END}"),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |]{1,3}\d){12})(?![ |]{0,3}\d)"),
    ),
    labels=(
        "法人番号",
        "houjin bangou",
        "hojin bango",
        "会社法人等番号",
        "法人No",
        "法人マイナンバー",
        "corporate number",
        "corporate_number",
        "houjin_bango",
        "登録番号",
        "適格請求書発行事業者登録番号",
        "インボイス番号",
        "インボイス登録番号",
        "事業者登録番号",
    ),
    header=r"法人(?:番号|no\.?)|インボイス(?:登録)?番号|(?:適格請求書発行)?事業者登録番号|^登録番号|corporate_?(?:no|number)|h[ou]{1,2}jin_?(?:bango|no)",
    cell=(r"(?P<v>T?\d{13}|T?\d[ \-]\d{4}[ \-]\d{4}[ \-]\d{4})",),
    prove=prove,
    alike=lambda value: prove(digits(value)) and _stands(value),
    stands=_stands,
    scarce=True,
    shapes=(r"T\d{13}", r"(?i:corporate[_ ]number)", r"(?i:houjin_?bango)"),
    yes=(
        ("法人番号 2231219856773", "2231219856773"),
        ("登録番号 T2231219856773", "T2231219856773"),
        ("登録番号：Ｔ２２３１２１９８５６７７３", "Ｔ２２３１２１９８５６７７３"),
        ("法人番号 2-2312-1985-6773", "2-2312-1985-6773"),
    ),
    no=("JAN 4995994546618", "seq=4144102832500", "法人番号 2231219856774", "2231219856773"),
)

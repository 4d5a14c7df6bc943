"""住民票コード: eleven digits; its check digit's rule is not published, so only with a label."""

from hakushi.detect.detector import Detector, Form


def prove(value: str) -> bool:
    """Eleven digits, not one repeated."""
    return len(value) == 11 and len(set(value)) > 1


_EDGE = r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])"
_END = r"(?![0-9A-Za-z_])(?![.\-/][0-9])"

PLUGIN = Detector(
    kind="resident_code",
    source="Order for enforcement of the Basic Resident Register Act: ten digits and a check digit",
    forms=(
        Form(rf"{_EDGE}(?P<v>\d{{11}}){_END}"),
        Form(
            rf"{_EDGE}(?P<v>\d{{4}}([ \-])\d{{4}}\2\d{{3}}|\d{{5}}[ \-]\d{{6}}|\d{{5}}[ \-]\d{{5}}[ \-]\d){_END}"
        ),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |]{1,3}\d){10})(?![ |]{0,3}\d)"),
    ),
    labels=(
        "住民票コード",
        "住民票ｺｰﾄﾞ",
        "住民コード",
        "住基コード",
        "住基ネットコード",
        "住基番号",
        "住民票番号",
        "juminhyo_code",
        "resident_code",
    ),
    header=r"住民票?(?:コード|ｺｰﾄﾞ|番号)|住基(?:コード|ｺｰﾄﾞ|番号)|jumin(?:hyo)?_?(?:code|no)|resident_?(?:record_?)?code",
    cell=(r"(?P<v>\d{11}|\d{4}[ \-]\d{4}[ \-]\d{3}|\d{5}[ \-]\d{6})",),
    prove=prove,
    shapes=(r"(?i:juminhyo)", r"(?i:resident_code)"),
    yes=(
        ("住民票コード 77295816579", "77295816579"),
        ("住民票コード：７７２９５８１６５７９", "７７２９５８１６５７９"),
    ),
    no=("測点 52651006323", "77295816579", "住民票コード 772958165", "管理コード 77295816579"),
)

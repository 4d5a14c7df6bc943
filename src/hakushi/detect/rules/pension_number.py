"""基礎年金番号: four digits and six; no check digit is published, so only with a label."""

from hakushi.detect.detector import Detector, Form


def prove(value: str) -> bool:
    """Ten digits, not one repeated."""
    return len(value) == 10 and len(set(value)) > 1


PLUGIN = Detector(
    kind="pension_number",
    source="Japan Pension Service: basic pension number, 4 and 6 digits",
    forms=(
        Form(r"(?<![0-9A-Za-z_\-])(?P<v>\d{4}[ \-]\d{6})(?![0-9A-Za-z_\-])"),
        Form(r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])(?P<v>\d{10})(?![0-9A-Za-z_])(?![.\-/][0-9])"),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |\-]{1,3}\d){9})(?![ |]{0,3}\d)"),
    ),
    labels=(
        "基礎年金番号",
        "年金番号",
        "pension number",
        "pension no",
        "年金手帳の番号",
        "年金手帳番号",
        "基礎年金№",
        "年金№",
        "基年番",
        "kiso nenkin no",
        "kiso nenkin bango",
        "厚生年金番号",
        "国民年金番号",
        "年金手帳番号",
        "年金手帳記号番号",
        "年金手帳の記号番号",
        "年金証書番号",
        "基礎年金No",
        "nenkin_bango",
        "pension_number",
    ),
    header=r"(?:基礎|国民|厚生)?年金(?:手帳)?(?:の?記号)?(?:番号|no\.?)|基礎年金|(?:kiso_?)?nenkin_?(?:bango|no)|pension_?(?:no|number)",
    cell=(r"(?P<v>\d{4}[ \-]?\d{6})",),
    prove=prove,
    shapes=(r"(?i:nenkin)", r"(?i:pension[_ ](?:no|number))"),
    yes=(
        ("基礎年金番号 9712-107154", "9712-107154"),
        ("年金番号：９７１２１０７１５４", "９７１２１０７１５４"),
    ),
    no=("管理番号 3848-311647", "9712-107154", "基礎年金番号 9712-10715"),
)

"""雇用保険被保険者番号: four digits, six and one; the last one's rule is not published."""

from hakushi.detect.detector import Detector, Form


def prove(value: str) -> bool:
    """Eleven digits, not one repeated."""
    return len(value) == 11 and len(set(value)) > 1


PLUGIN = Detector(
    kind="employment_insurance",
    source="Hello Work, forms of the Employment Insurance Act: insured person's number, 4, 6 and 1 digits",
    forms=(
        Form(r"(?<![0-9A-Za-z_\-])(?P<v>\d{4}([ \-])\d{6}\2\d)(?![0-9A-Za-z_\-])"),
        Form(r"(?<![0-9A-Za-z_])(?<![0-9][.\-/])(?P<v>\d{11})(?![0-9A-Za-z_])(?![.\-/][0-9])"),
        Form(r"(?<![0-9])(?P<v>\d(?:[ |\-]{1,3}\d){10})(?![ |]{0,3}\d)"),
    ),
    # Numbers of other insurances are shorter: 介護保険 ten digits, 健康保険 eight at most.
    labels=(
        "雇用保険被保険者番号",
        "雇用保険の被保険者番号",
        "雇用保険者番号",
        "雇用保険番号",
        "雇用保険No",
        "雇用保険",
        "被保険者番号",
        "koyohoken_bango",
        "employment insurance number",
        "employment_insurance_no",
    ),
    header=r"雇用保険(?:の?被?保険者)?(?:番号|no\.?)?|被保険者番号|koyo_?hoken(?:_?(?:no|bango))?|employment_?insurance(?:_?(?:no|number))?",
    cell=(r"(?P<v>\d{4}[ \-]?\d{6}[ \-]?\d)",),
    prove=prove,
    shapes=(r"(?i:koyohoken)", r"(?i:employment[_ ]insurance)"),
    yes=(
        ("雇用保険被保険者番号 1301-482917-5", "1301-482917-5"),
        ("被保険者番号：１３０１－４８２９１７－５", "１３０１－４８２９１７－５"),
        ("雇用保険番号 13014829175", "13014829175"),
    ),
    no=(
        "1301-482917-5",
        "管理番号 1301-482917-5",
        "雇用保険被保険者番号 1301-482917",
        "雇用保険被保険者番号 0000-000000-0",
    ),
)

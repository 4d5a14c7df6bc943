"""旅券番号: two letters and seven digits; no check digit beside the number, so only with a label."""

from hakushi.detect.detector import Detector, Form


def prove(value: str) -> bool:
    """Two letters and seven digits that are not one repeated."""
    return len(value) == 9 and len(set(value[2:])) > 1


PLUGIN = Detector(
    kind="passport",
    source="ICAO Doc 9303 part 4 (up to nine characters); Japan's ordinary passports: two letters, seven digits",
    forms=(
        Form(r"(?<![0-9A-Za-z_\-])(?P<v>[A-Z]{2}[ \-]?\d{7})(?![0-9A-Za-z_\-])"),
        Form(r"(?<![0-9A-Za-z_\-])(?P<v>[a-z]{2}\d{7})(?![0-9A-Za-z_\-])"),
    ),
    labels=(
        "旅券番号",
        "旅券の番号",
        "旅券No",
        "パスポート番号",
        "パスポートNo",
        "パスポート",
        "ﾊﾟｽﾎﾟｰﾄ番号",
        "passport",
        "passport no",
        "passport number",
        "passport_no",
        "passport_number",
        "ryoken_bango",
    ),
    header=r"旅券(?:の?番号|no\.?)|(?:パスポート|ﾊﾟｽﾎﾟｰﾄ)(?:番号|no\.?)?|passport(?:_?(?:no|number))?|ryoken_?(?:bango|no)",
    cell=(r"(?P<v>[A-Za-z]{2}[ \-]?\d{7})",),
    prove=prove,
    normal=lambda value: "".join(c for c in value if c.isalnum()).upper(),
    shapes=(
        r"(?i:passport[_ ]?(?:no|number)?[\"':=, \t.]{1,5}[A-Z]{2}[0-9]{7})",
        r"(?i:passport_n(?:o|umber),)",
    ),
    yes=(
        ("旅券番号 TR1234567", "TR1234567"),
        ("パスポート番号：ＭＺ０４７１９２６", "ＭＺ０４７１９２６"),
        ("Passport No. TK4082915", "TK4082915"),
    ),
    no=("TR1234567", "品番 TR1234567", "旅券番号 TR123456", "旅券番号 TR0000000"),
)

"""在留カード番号: two letters, eight digits, two letters; no check digit, so only with a label."""

from hakushi.detect.detector import Detector, Form

_DRIVES = frozenset("AS NS AV SV SS FC AG AL CF GS BS DL NM DM LM VX VM".split())
"""Ends of Seagate's model numbers, which begin with ST and may look the same (ST92505610AS)."""


def prove(value: str) -> bool:
    """Two letters, eight digits that are not one repeated, two letters; no drive's model number."""
    if len(value) != 12 or len(set(value[2:10])) == 1:
        return False
    return not (value.startswith("ST") and value[10:] in _DRIVES)


_EDGE = r"(?<![0-9A-Za-z_\-])"
_END = r"(?![0-9A-Za-z_\-])"

PLUGIN = Detector(
    kind="residence_card",
    source="Immigration Control Act, article 19-4 (number of the card): four letters and eight digits",
    forms=(
        Form(rf"{_EDGE}(?P<v>[A-Z]{{2}}\d{{8}}[A-Z]{{2}}){_END}"),
        Form(rf"{_EDGE}(?P<v>[A-Z]{{2}}[ \-]\d{{8}}[ \-][A-Z]{{2}}){_END}"),
        Form(rf"{_EDGE}(?P<v>[a-z]{{2}}\d{{8}}[a-z]{{2}}){_END}"),
    ),
    labels=(
        "在留カード番号",
        "在留カードの番号",
        "在留カードNo",
        "在留カード",
        "在留ｶｰﾄﾞ番号",
        "特別永住者証明書番号",
        "特別永住者証明書の番号",
        "特別永住者証明書",
        "residence card number",
        "residence card no",
        "residence card",
        "residence_card_no",
        "zairyu_card",
    ),
    header=r"在留(?:カード|ｶｰﾄﾞ)(?:の?番号|no\.?)?|特別永住者証明書(?:の?番号)?|residence_?card(?:_?(?:no|number))?|zairyu_?(?:card)?(?:_?(?:no|bango))?",
    cell=(r"(?P<v>[A-Za-z]{2}[ \-]?\d{8}[ \-]?[A-Za-z]{2})",),
    prove=prove,
    normal=lambda value: "".join(c for c in value if c.isalnum()).upper(),
    shapes=(r"(?i:residence[_ ]card)", r"(?i:zairyu)"),
    yes=(
        ("在留カード番号 AB12345678CD", "AB12345678CD"),
        ("在留カードの番号：ＵＨ３９０２７１５８ＥＡ", "ＵＨ３９０２７１５８ＥＡ"),
        ("氏名,在留カード番号\n陳 美玲,UH39027158EA\n", "UH39027158EA"),
    ),
    no=(
        "AB12345678CD",
        "型番 AB12345678CD",
        "在留カード番号 ST92505610AS",
        "在留カードの確認 機器 ST92505610AS",
        "在留カード番号 AB1234567CD",
    ),
)

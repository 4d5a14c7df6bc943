"""自動車登録番号: an office, a class, a kana, up to four digits (品川 300 あ 12-34); with a label only."""

import re

from hakushi.detect.detector import Detector, Form

_KANA = "あいうえかきくけこさすせそたちつてとなにぬねのはひふほまみむめもやゆよらりるれろわをEHKMTY"
"""おしへん are never given: mistaken for others, or shunned."""
_PLATE = rf"[一-龠々ぁ-んァ-ヶ]{{1,4}} {{0,2}}\d{{1,3}}[A-Z]{{0,2}} {{0,2}}[{_KANA}] {{0,2}}(?:\d\d-\d\d|[・.]{{1,3}}\d{{1,3}}|[・.]\d-\d\d|\d{{1,4}})"
_PARTS = re.compile(rf"([^0-9 ]+)(\d{{1,3}}[A-Z]{{0,2}})([{_KANA}])([0-9・.]+)")


def normal(value: str) -> str:
    """Without spaces, dashes and the dots that fill a short number."""
    found = _PARTS.fullmatch(re.sub(r"[ \-]", "", value))
    if found is None:
        return ""
    return f"{found[1]}{found[2]}{found[3]}{found[4].strip('・.')}"


def prove(value: str) -> bool:
    """A class of one to three signs, a number of one to four digits that is not nought."""
    found = _PARTS.fullmatch(value)
    return (
        found is not None
        and 1 <= len(found[2]) <= 3
        and found[4].isdigit()
        and len(found[4]) <= 4
        and not found[4].startswith("0")
    )


PLUGIN = Detector(
    kind="licence_plate",
    source="Road Transport Vehicle Act, enforcement regulations, article 13 (form of the number)",
    forms=(Form(rf"(?:(?<![一-龠々])|(?<=番号)|(?<=車番))(?!は)(?P<v>{_PLATE})(?![0-9])"),),
    labels=(
        "自動車登録番号",
        "車両登録番号",
        "車両番号",
        "登録車両番号",
        "登録番号",
        "ナンバープレート",
        "車のナンバー",
        "車両ナンバー",
        "車番",
        "licence plate",
        "license plate",
    ),
    header=r"(?:自動車登録|車両登録|車両)番号|車番|(?:車両)?ナンバー(?:プレート)?|licen[cs]e_?plate",
    cell=(rf"(?P<v>{_PLATE})",),
    prove=prove,
    normal=normal,
    yes=(
        ("自動車登録番号：品川 300 あ 12-34", "品川 300 あ 12-34"),
        ("車両番号 横浜５００さ１２－３４", "横浜５００さ１２－３４"),
        ("車番 なにわ 33A ら ・・・8", "なにわ 33A ら ・・・8"),
        ("氏名,車両番号\n架空 太郎,多摩 580 く 56-78\n", "多摩 580 く 56-78"),
    ),
    no=(
        "品川 300 あ 12-34",
        "車両番号 品川 300 お 12-34",
        "車番 第 3 便",
        "車両番号 12-34",
    ),
)

"""被保険者証の記号・番号: the symbol and number of an insured person on the card of health insurance."""

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import digits

_CARD = r"(?:被保険者証?|保険証|健康保険|医療保険|協会けんぽ|国保|健保|共済組合|資格確認書|組合員証|加入者証)"
_BETWEEN = r" {0,3}(?:[・\-/,、]|番号 {0,2}[:=]?) {0,3}"
_PAIR = rf"(?:\d{{1,6}}-\d{{1,4}} {{1,3}}\d{{1,8}}|\d{{1,8}}{_BETWEEN}\d{{1,8}})"
_BRANCH = r"(?: {0,2}\(?枝番\)? {0,2}[:=]? {0,2}\d\d)?"

PLUGIN = Detector(
    kind="insured_symbol",
    source="Health Insurance Act, article 194-2 (symbols and numbers of the insured); Ministry of Health, branch numbers, 2021",
    forms=(
        Form(
            rf"{_CARD}[^\n0-9]{{0,8}}記号[^\n0-9]{{0,8}}(?P<v>{_PAIR}{_BRANCH})(?![0-9A-Za-z\-])",
            Need.ALONE,
            near="記号",
            before=20,
            after=64,
        ),
        Form(
            rf"保険者番号[^\n]{{0,20}}記号 {{0,2}}:? {{0,2}}(?P<v>[^\s番]{{0,4}}\d{{1,8}}{_BETWEEN}\d{{1,8}}{_BRANCH})(?![0-9A-Za-z\-])",
            Need.ALONE,
            near="記号",
            before=40,
            after=64,
        ),
        Form(rf"(?<![0-9A-Za-z_\-])(?P<v>{_PAIR})(?![0-9A-Za-z\-])"),
    ),
    labels=(
        "被保険者証記号番号",
        "被保険者証記号・番号",
        "被保険者証の記号・番号",
        "被保険者証の記号番号",
        "被保険者等記号・番号",
        "被保険者記号・番号",
        "保険証の記号・番号",
        "保険証記号・番号",
        "保険証記号番号",
    ),
    header=r"(?:被保険者証?|保険証)等?の?記号・?番号",
    cell=(rf"(?P<v>{_PAIR})",),
    prove=lambda value: 3 <= len(value) <= 18 and len(set(value)) > 1,
    normal=digits,
    literals=("協会けんぽ", "健康保険"),
    yes=(
        ("加入医療保険 協会けんぽ 記号 4105 番号 220", "4105 番号 220"),
        ("被保険者証の記号 21700023 番号 145", "21700023 番号 145"),
        ("保険者番号 06139463 記号 1234 番号 56", "1234 番号 56"),
        ("被保険者証記号・番号：５１２０・３４８１", "５１２０・３４８１"),
        ("被保険者証の記号・番号 12-34 567", "12-34 567"),
    ),
    no=("製品記号 21700023 番号 145", "記号 1 番号 2", "保険証の記号を確認する", "21700023・145"),
)

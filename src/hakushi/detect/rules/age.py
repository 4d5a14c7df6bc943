"""年齢: how old a named person is, in a column, behind a label, or as 34歳 beside the name."""

from hakushi.detect.detector import Detector, Form, Need, mask_all


def prove(value: str) -> bool:
    """A year of life that people reach."""
    return value.isdigit() and 0 < int(value) <= 120


_NO_LIMIT = r"(?!以|未|から|まで|児|時|の誕|代|超|～|-|[~〜])"

PLUGIN = Detector(
    kind="age",
    source="Items that notices of leaks list (name, sex, age …); only beside a name",
    forms=(
        Form(rf"(?<![0-9.,\-])(?P<v>\d{{1,3}})(?: ?[歳才])?(?![0-9.,\-]){_NO_LIMIT}"),
        Form(
            rf"(?<![0-9.,\-])満? ?(?P<v>\d{{1,3}}) ?[歳才]{_NO_LIMIT}",
            Need.ALONE,
            near="[0-9] ?[歳才]",
            before=6,
            after=4,
        ),
    ),
    labels=("年齢", "年令", "満年齢", "age"),
    header=r"^満?年[齢令]$|^age$",
    cell=(r"満? ?(?P<v>\d{1,3}) ?[歳才]?",),
    prove=prove,
    company=("person_name", "kana_name"),
    mask=mask_all,
    yes=(
        ("氏名,年齢\n架空 太郎,34\n", "34"),
        ("氏名：架空太郎　年齢：３４歳", "３４"),
        ("架空 花子様（68歳）", "68"),
    ),
    no=(
        "年齢,人数\n34,1200\n35,1180\n",
        "氏名：架空太郎　65歳以上の方",
        "対象年齢 15歳",
        "年齢 34",
    ),
)

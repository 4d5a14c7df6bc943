"""性別: the sex of a named person, in a column, behind a label, or in brackets behind the name."""

from hakushi.detect.detector import Detector, Form, Need, mask_all

_WORD = r"(?:男性|女性|男子|女子|男|女)"
_NO_CHOICE = r"(?! ?[・/,、･|] ?[男女])(?![一-龠])"
"""Both on offer (男・女) is a form that nobody filled in."""

_CODES = {"M": "男", "F": "女", "m": "男", "f": "女", "male": "男", "female": "女"}


def normal(value: str) -> str:
    """One spelling for each."""
    return _CODES.get(value, _CODES.get(value.lower(), value[:1]))


PLUGIN = Detector(
    kind="sex",
    source="Items that notices of leaks list (name, sex, age …); only beside a name",
    forms=(
        Form(rf"(?<![・/,、･|一-龠])(?P<v>{_WORD}|[MF](?![A-Za-z])){_NO_CHOICE}"),
        Form(rf"[(](?P<v>{_WORD})[)]", Need.ALONE, near="[(][男女]", before=2, after=6),
    ),
    labels=("性別", "性 別", "sex", "gender"),
    header=r"^性別(?:コード|区分)?$|^(?:sex|gender)(?:_?code)?$",
    cell=(rf"(?P<v>{_WORD}|[MFmf]|[Mm]ale|[Ff]emale|MALE|FEMALE|[0129])",),
    company=("person_name", "kana_name"),
    normal=normal,
    mask=mask_all,
    yes=(
        ("氏名,性別\n架空 太郎,男\n", "男"),
        ("氏名：架空花子　性別：女性", "女性"),
        ("架空 花子様（女）", "女"),
    ),
    no=(
        "氏名：架空太郎　性別：男・女",
        "性別,人数\n男,1200\n女,1180\n",
        "性別 女",
        "男女共同参画",
    ),
)

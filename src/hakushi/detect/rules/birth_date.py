"""生年月日: a date in an era or in Western years, where 生 or a label or a column says birth."""

import re

from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA
from hakushi.detect.names import FULL

_ERAS = {
    "明治": "M",
    "大正": "T",
    "昭和": "S",
    "平成": "H",
    "令和": "R",
    "㍾": "M",
    "㍽": "T",
    "㍼": "S",
    "㍻": "H",
    "明": "M",
    "大": "T",
    "昭": "S",
    "平": "H",
    "令": "R",
}
_FIRST = {
    "M": (1868, 10, 23),
    "T": (1912, 7, 30),
    "S": (1926, 12, 25),
    "H": (1989, 1, 8),
    "R": (2019, 5, 1),
}
_LAST = {
    "M": (1912, 7, 30),
    "T": (1926, 12, 25),
    "S": (1989, 1, 7),
    "H": (2019, 4, 30),
    "R": (2099, 12, 31),
}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_KANJI = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "元": 1}
_SIGNED = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_ERALESS = re.compile(r"[1-9][0-9]?年 ?\d\d?月 ?\d\d?日")
_REMARK = re.compile(r"\([^)]{0,12}\)")
_CODED = re.compile(r"([1-579])[\-. ]?(\d\d)\.?(\d\d)\.?(\d\d)")
"""With the era as a number, as registers of residents and of taxes write it: 3450302. Forms of the
pension office count otherwise: 5 昭和, 7 平成, 9 令和.
"""

_LATEST_CODED = 25
"""Years of 令和 above which a 5 is 昭和."""

_NAMED_MONTH = re.compile("jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_DAY_OR_MONTH = re.compile(r"\d{1,2}([./\-])\d{1,2}\1\d{4}")
_PACKED = re.compile(r"[A-Za-z]?\d{5,8}")
_NUMBERS = re.compile(r"\d{1,4}|[〇一二三四五六七八九十元零]{1,5}")


def _number(text: str) -> int:
    """Digits, or kanji numerals up to 99 (五十八) and by place (一九五八)."""
    if text.isascii():
        return int(text)
    if "十" in text:
        tens, _, ones = text.partition("十")
        return _KANJI.get(tens, 1) * 10 + (_KANJI.get(ones, 0) if ones else 0)
    return int("".join(str(_KANJI[c]) for c in text))


def normal(value: str) -> str:
    """YYYY-MM-DD, or nothing if it is no date of the calendar; ?YY-MM-DD if its era is not said."""
    letter, parts = _read(value)
    if len(parts) != 3:
        return ""
    year, month, day = parts
    if letter is None and _ERALESS.fullmatch(value) and 0 < month <= 12 and 0 < day <= 31:
        return f"?{year:02}-{month:02}-{day:02}"
    if letter:
        if year < 1:
            return ""
        year += _FIRST[letter][0] - 1
        if not _FIRST[letter] <= (year, month, day) <= _LAST[letter]:
            return ""
    if not (1868 <= year <= 2099 and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return ""
    if (month, day) == (2, 29) and (year % 4 or (year % 100 == 0 and year % 400)):
        return ""
    return f"{year:04}-{month:02}-{day:02}"


def _read(value: str) -> tuple[str | None, list[int]]:
    """The letter of the era, if one is named, and the numbers."""
    signed = _SIGNED.fullmatch(value)
    if signed:
        return None, [int(signed[1]), int(signed[3]), int(signed[4])]
    english = _english(value)
    if english:
        return None, english
    value = _REMARK.sub("", value).strip()
    letter = _ERAS.get(value[:2]) or _ERAS.get(value[:1])
    if letter is None and value[:1].upper() in _FIRST and len(value) > 1 and not value[1].isalpha():
        letter = value[0].upper()
    coded = _CODED.fullmatch(value)
    if coded:
        era = "MTSHR?H?R"[int(coded[1]) - 1]
        year = int(coded[2])
        if era == "R" and year > _LATEST_CODED:
            era = "S"
        return era, [year, int(coded[3]), int(coded[4])]
    if _PACKED.fullmatch(value):
        return letter, _packed(value, letter)
    return letter, [_number(n) for n in _NUMBERS.findall(value)]


def _english(value: str) -> list[int]:
    """Year, month and day of a date as English has it; the month first where both may be."""
    named = _NAMED_MONTH.search(value)
    numbers = [int(one) for one in re.findall(r"\d+", value)]
    if named is not None and len(numbers) == 2:
        month = "janfebmaraprmayjunjulaugsepoctnovdec".index(named[0].lower()) // 3 + 1
        return [numbers[1], month, numbers[0]]
    if len(numbers) == 3 and _DAY_OR_MONTH.fullmatch(value):
        first, second, year = numbers
        day_first = first > 12 or "." in value
        return [year, second, first] if day_first else [year, first, second]
    return []


def _packed(value: str, letter: str | None) -> list[int]:
    """19581015, S581015: no signs between the numbers."""
    number = re.sub(r"\D", "", value)
    if letter and len(number) in (6, 7):
        return [int(number[:-4]), int(number[-4:-2]), int(number[-2:])]
    if not letter and len(number) == 8:
        return [int(number[:4]), int(number[4:6]), int(number[6:])]
    return []


def _mask(value: str) -> str:
    return re.sub(r"[0-9〇一二三四五六七八九十元]", "*", value)


_N = r"(?:\d{1,2}|[〇一二三四五六七八九十元]{1,3})"
_ERA = r"(?:明治|大正|昭和|平成|令和|㍾|㍽|㍼|㍻|[明大昭平令])"
_LONG = rf"{_ERA} {{0,3}}{_N} {{0,3}}年 {{0,3}}{_N} {{0,3}}月 {{0,3}}{_N} {{0,3}}日"
_WEST = r"(?:(?:西暦 ?)?(?:18|19|20)\d\d ?年 ?\d{1,2} ?月 ?\d{1,2} ?日|[一二][〇一二三四五六七八九]{3}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日)"
_BOTH = rf"(?:18|19|20)\d\d ?年? ?\({_ERA} ?{_N}年?\) ?年? ?\d{{1,2}} ?月 ?\d{{1,2}} ?日"
_SHORT = rf"(?:[MTSHRmtshr]|{_ERA}) ?\.?(?:\d{{1,2}}|元)(?:[./\-]\d{{1,2}}[./\-]\d{{1,2}}|年\d{{1,2}}月\d{{1,2}}日)"
_SIGNS = r"(?:18|19|20)\d\d ?([./\-]) ?\d{1,2} ?\%s ?\d{1,2}"
_MONTHS = "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_ENGLISH = (
    rf"(?:{_NTH}[ \-](?:(?i:{_MONTHS}))\.?[, \-]{{1,2}}(?:19|20)\d\d|(?i:{_MONTHS})\.? {_NTH},? (?:19|20)\d\d"
    r"|\d{1,2}/\d{1,2}/(?:19|20)\d\d|\d{1,2}\.\d{1,2}\.(?:19|20)\d\d|\d{1,2}-\d{1,2}-(?:19|20)\d\d)"
)
"""Day, month and year in words or in figures, in either order of the first two."""


def _date(back: int) -> str:
    return rf"(?P<v>{_LONG}|{_BOTH}|{_WEST}|{_SHORT}|{_SIGNS % back})"


def _of_the_living(value: str) -> bool:
    """A date that lists of people hold as the birth of one: not of this year's race."""
    return "1900" < normal(value)[:4] < "2020"


def _of_the_grown(value: str) -> bool:
    """A date behind somebody's name that may as well be of a letter, if it were later."""
    return "1900" < normal(value)[:4] < "2012"


_NO_ERA = r"(?<![和成正治㍻㍼㍽㍾0-9./\-])(?<![和成正治] )"
_EDGE = r"(?<![0-9A-Za-z./\-])"
_BORN = r"(?:明治|大正|昭和|平成|令和|[MTSHR])? ?(?:\d{1,4}|元) ?[年./\-] ?\d{1,2} ?[月./\-] ?\d{1,2}日?"

PLUGIN = Detector(
    kind="birth_date",
    source="Era calendar (cabinet orders of 1912, 1926, 1989, 2019)",
    forms=(
        Form(
            rf"{_EDGE}{_date(2)} ?\)? ?(?:生(?![産活徒命計])|誕生|うまれ|出生)",
            Need.ALONE,
            near="[日0-9)] ?(?:生|うまれ|出生|誕生)",
            before=48,
            after=4,
        ),
        Form(
            rf"(?:生年月日|誕生日|出生日|生まれ)[^\n0-9。]{{0,12}}{_date(2)}(?![0-9])",
            Need.ALONE,
            near="生年月日|誕生日|出生日|生まれ",
            before=2,
            after=56,
        ),
        Form(
            rf"{_EDGE}{_date(2)} {{0,3}}[(]?満?\d{{1,3}}[歳才](?!以|未|から|ま|児|時|の誕)",
            Need.ALONE,
            near="[0-9][歳才]",
            before=36,
            after=4,
        ),
        Form(
            rf"{_EDGE}{_date(2)}[ \t,、/]{{1,3}}[(]?[男女](?:性)?(?![{KANJI}0-9])",
            Need.ALONE,
            _of_the_living,
            near="[0-9日][ \\t,、/]{1,3}[(]?[男女]",
            before=36,
            after=4,
        ),
        Form(
            rf"(?<![{KANJI}])[男女]性?[ \t,、/]{{1,3}}{_date(2)}(?= {{1,3}}\d{{1,3}}[歳才]?(?:\s|\Z)| {{0,3}}(?:\n|\Z)| {{1,3}}(?:〒|[{KANJI}]{{2,3}}[都道府県]))",
            Need.ALONE,
            _of_the_living,
            near="[男女]性?[ \\t,、/]{1,3}(?:[0-9]|明|大|昭|平|令|西暦|[MTSHR])",
            before=2,
            after=40,
        ),
        *(
            Form(
                rf"(?:児童|生徒|園児|児|子|長男|長女|次男|二男|三男|次女|二女|三女|本人|父|母|妻|夫|孫|被扶養者|世帯員)[ \t:|]{{1,3}}(?:{FULL}[ (]{{1,3}}{_BORN}生?[)]?[、,/] ?){{{before}}}{FULL}[ (]{{1,3}}{_date(2)}(?![0-9])",
                Need.ALONE,
                near="(?:児童|生徒|園児|児|子|男|女|本人|父|母|妻|夫|孫|被扶養者|世帯員)[ \t:|]",
                before=2,
                after=40 * (before + 1),
            )
            for before in range(3)
        ),
        Form(
            rf"[{KATAKANA}]{{2,10}} {{1,2}}[{KATAKANA}]{{2,10}}[ ,\t]{{1,3}}{_date(2)}(?![0-9])",
            Need.ALONE,
            _of_the_living,
            near=f"[{KATAKANA}]{{2,10}}[ ,\\t]{{1,3}}(?:(?:19|20)[0-9][0-9]|[明大昭平令MTSHR])",
            before=14,
            after=24,
        ),
        Form(
            rf"(?<![{KANJI}]){FULL}[ \t,、]{{1,3}}{_date(2)}(?=[ \t,、]{{1,3}}(?:(?:運転)?免許|個人番号|マイナンバー|基礎年金|被保険者|保険証|電話|携帯|TEL|0\d{{1,4}}-\d))",
            Need.ALONE,
            _of_the_living,
            near="[0-9日][ \\t,、]{1,3}(?:(?:運転)?免許|個人番号|マイナンバー|基礎年金|被保険者|保険証|電話|携帯|TEL|0[0-9]{1,4}-[0-9])",
            before=48,
            after=4,
        ),
        Form(
            rf"[者人主員名妻夫父母男女孫]:? {{1,3}}[{KANJI}]{{1,4}} {{1,2}}[{KANJI}{HIRAGANA}]{{1,4}} ?[(]{_date(2)}[)]",
            Need.ALONE,
            _of_the_grown,
            near=rf"[{KANJI}{HIRAGANA}] ?[(](?:(?:19|20)[0-9][0-9]|[明大昭平令MTSHR])",
            before=16,
            after=24,
        ),
        Form(
            rf"[(](?:[男女]性?|[MF])[)] {{0,3}}{_date(2)}(?![0-9])",
            Need.ALONE,
            near="[(](?:[男女]性?|[MF])[)]",
            before=2,
            after=24,
        ),
        Form(
            r"(?<![0-9])(?P<v>(?:19|20)\d{6})[ \t,]{1,3}[男女MF](?![A-Za-z0-9])",
            Need.ALONE,
            _of_the_living,
            near="[0-9]{8}[ \\t,]{1,3}[男女MF]",
            before=2,
            after=2,
        ),
        Form(
            rf"{_NO_ERA}(?P<v>[1-9]\d?年 ?\d\d?月 ?\d\d?日) {{0,3}}[(]?満?\d{{1,3}}[歳才](?!以|未|から|ま|児|時|の誕)",
            Need.ALONE,
            near="[0-9][歳才]",
            before=24,
            after=4,
        ),
        Form(
            rf"(?:出生|BDAY[^:\n]{{0,24}}) ?:? {{0,3}}{_date(2)}(?![0-9])",
            Need.ALONE,
            near="出生|BDAY",
            before=2,
            after=40,
        ),
        Form(rf"{_EDGE}{_date(2)}(?![0-9])"),
        Form(rf"{_EDGE}(?P<v>{_ENGLISH})(?![0-9])"),
        Form(
            rf"(?<![A-Za-z])(?:[Bb]orn on|Born:) {{0,2}}(?P<v>{_ENGLISH}|{_SIGNS % 2})(?![0-9])",
            Need.ALONE,
            near="[Bb]orn on|Born:",
            before=2,
            after=32,
        ),
        Form(
            r"(?<![0-9A-Za-z./\-])(?P<v>(?:19|20)\d{6}|[MTSHRmtshr]\d{6}|[1-579][\- ]?\d{6}|[1-579]\.\d\d\.\d\d\.\d\d)(?![0-9A-Za-z\-])"
        ),
        Form(rf"{_NO_ERA}(?P<v>[1-9]\d?年 ?\d\d?月 ?\d\d?日)"),
    ),
    labels=(
        "生年月日",
        "誕生日",
        "出生年月日",
        "生年",
        "生年月",
        "出生日",
        "生まれ",
        "DOB",
        "birth",
        "date of birth",
        "birth date",
        "birthday",
        "birthdate",
        "birth_date",
        "date_of_birth",
        "生年月日(西暦)",
        "生年月日(和暦)",
    ),
    header=r"生年月日?|誕生日|生年|出生(?:年月)?日|dob|birth_?(?:day|date)?|date_?of_?birth|seinengappi",
    cell=(
        rf"{_date(2)}(?: ?生(?:まれ)?)?",
        rf"(?P<v>{_ENGLISH})",
        r"(?P<v>(?:19|20)\d{6}|[MTSHRmtshr]\d{6}|[1-579][\- ]?\d{6})",
        r"(?P<v>(?:18|19|20)\d\d([./\-])\d{1,2}\2\d{1,2}) 0{1,2}:00(?::00)?",
    ),
    prove=bool,
    normal=normal,
    alike=_of_the_living,
    beside="person_name",
    mask=_mask,
    literals=(r"日生まれ", r"日生", "born on", "Born:"),
    shapes=(
        r"(?i:(?:birth_?da(?:te|y)|date[_ ]of[_ ]birth|dob)[\"':=, \t>]{1,4}(?:[0-9MTSHR]|[a-z]{3,9}\.? [0-9]))",
        r"(?i:(?:birth_?da(?:te|y)|date_of_birth),)",
        r"(?i:born on)",
    ),
    yes=(
        ("Date of Birth: 5 October 1972", "5 October 1972"),
        ("DOB: Oct. 5, 1972", "Oct. 5, 1972"),
        ("Date of birth 23/04/1968", "23/04/1968"),
        ("name,dob\nJohn Smith,10/05/1972\nAnne Brown,03/11/1980\n", "10/05/1972"),
        ("She was born on March 3rd, 1981 in Kobe.", "March 3rd, 1981"),
        ("志賀様（昭和５年２月１９日生まれ）", "昭和５年２月１９日"),
        ("生年月日 S58.5.16", "S58.5.16"),
        ("生年月日：1973/11/15", "1973/11/15"),
        ("生年月日 昭和五十八年五月十六日", "昭和五十八年五月十六日"),
        ("河合 早苗 1957/08/14 66歳 女性", "1957/08/14"),
        ("長男　出生 昭和26年9月9日", "昭和26年9月9日"),
        ("生年月日: 3-450302", "3-450302"),
        ("生年月日 7 020315", "7 020315"),
        ("生年月日 明・大・昭・平 48年 2月 6日", "48年 2月 6日"),
        ("磯部 颯馬 (男) R2.9.18", "R2.9.18"),
        ("対象児童 鉄谷 莉央 H29.3.3", "H29.3.3"),
        ("生年月日 3.48.07.02", "3.48.07.02"),
        ("604-04-123456 ﾆｼｵ ﾏﾕ 1999/05/21", "1999/05/21"),
        ("M-00812 ｽｶﾞﾜﾗ ﾐｷ 19880229 F", "19880229"),
        ("平成元年1月8日生", "平成元年1月8日"),
        ("1 木村 淳 昭和62年5月1日 男 世帯主", "昭和62年5月1日"),
        ("大内 サク 女 昭和11年4月2日 88", "昭和11年4月2日"),
        ("生年月日 19731115", "19731115"),
    ),
    no=(
        "昭和55年3月1日に完成した橋",
        "納期限 令和元年5月31日",
        "生年月日 昭和64年2月1日",
        "生年月日 2023/02/29",
        "2020年4月1日 65歳以上の方",
        "対戦 男 2012/05/12 1回戦",
        "2019-07-10 12:34:05 INFO",
    ),
)

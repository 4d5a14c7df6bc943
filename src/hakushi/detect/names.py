"""What a person's name looks like in Japanese, and what only looks like one.

A name is believed only beside an anchor (様, 氏名, a name column …): any two or three kanji may be
a name. The tables decide where a name begins and refuse the roles that stand in its place.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA, VARIANTS
from hakushi.detect.postal import PREFECTURES

_REMEMBERED = 1 << 14
"""Values that each question remembers the answer for: several forms ask it of the same. Memory
only; they never leave."""

_DATA = Path(__file__).parents[1] / "data"

_NAME_KANJI = rf"[{KANJI}ヶケノツ]"
_FIELDS = (
    "電話|住所|現住|性別|生年|年齢|年令|郵便|携帯|個人|法人|基礎|年金|免許|運転|住民|続柄|職業|連絡|氏名|被保険|記号|番号"
    "|所属|役職|担当|昭和|平成|令和|大正|明治|本籍|国籍|血液|口座|銀行|会社|勤務|学校|学年|内線|直通|備考|以上|御中|代表"
    "|被告|原告|作成|発行|登録|整理|通知|種別|種目|区分|フリガナ|ふりがな|ﾌﾘｶﾞﾅ|カナ[ :]|よみ|ヨミ"
)
"""Words that begin the next field of a form, not a name."""

NEXT = rf"(?!{_FIELDS}|満[0-9]|印|殿|様|[男女](?![ぁ-ん一-龠])|組|宛)"
"""What stands behind a surname and a space and is no given name."""

_GIVEN = (
    rf"{NEXT}(?:[{KANJI}ノ]{{1,5}}[{HIRAGANA}]{{0,3}}|[{HIRAGANA}]{{1,5}}[{KANJI}]{{0,2}}"
    rf"|[{KATAKANA}]{{2,6}}[{KANJI}]?)"
)
NAME = (
    rf"(?:{_NAME_KANJI}{{1,6}}(?: {{1,2}}{_GIVEN})"
    rf"|{_NAME_KANJI}{{1,12}}(?:[{HIRAGANA}]{{2,5}}|[{KATAKANA}]{{2,6}})?"
    rf"|[{KATAKANA}]{{2,10}}(?:[・= ][{KATAKANA}]{{2,10}}){{1,3}})"
)
"""A run that may hold a name: kanji, kanji and kana, or katakana words with dots."""

_BAD_END = re.compile(
    r"(?:者|員|客|社|店|課|係|局|署|所|団体|組合|機構|協会|学校|病院|銀行|会社|法人|本人|個人|代理人"
    r"|保証人|名義人|相続人|管理人|夫人|御中|各位|一同|同様|仕様|模様|神様|皆様|お客|主様|番号|住所|電話|連絡先|[年月日回件人]数|年代|期間|状況|区分|結果|[入退契定基期][居所約期準限]日"
    r"|年度|一覧|名簿|事項|情報|制度|業務|事業|手続|申請|届出|書類|資料|関係|以上|以下|未満|課長|部長"
    r"|額|年月日|取得日|介護度|委員会|協議会|連合会|同窓会|自治会|町内会|社長|係長|局長|所長|会長|院長|校長|知事|市長|町長|村長|区長|議員|議長|委員|家族|遺族|親族|主任|先生|教授|弁護士"
    r"|税理士|医師|^[一二三四五六七八九十何]人)$"
)
_OFFICE = re.compile(
    rf"^[{KANJI}{KATAKANA}]{{1,12}}"
    r"(?:課|係|局|室|部|科|署|支店|支社|営業所|事務所|銀行|病院|学校|大学|センター) ?"
)
_FIRM_END = re.compile(
    r"(?:商店|商会|商事|工務店|工業|産業|建設|建築|設備|電機|電気|製作所|製菓|印刷|運輸|交通|石油|自動車|不動産|旅館"
    r"|食堂|酒店|米店|薬局|医院|歯科|内科|外科|眼科|小児科|接骨院|整骨院|動物|幼稚園|保育園|高校|中学|小学|ビル"
    r"|支店|支社|本店|本社|本部|支部|支所|出張|工場|倉庫|営業|窓口|受付|総務|経理|人事|企画|販売|警察|消防|税務|市役"
    r"|役場|公民|図書|郵便|駅前|団地|地区|方面|温泉|神社"
    r"|町内|組合|自治)$"
)
"""Behind a surname: a firm, an office or a place, no given name."""

_HEADS, _TAILS = (
    "未要仮非再不無全各新旧",
    "中済付会館園庁式制費料金税額率用別型室場課係部者員都府県市日時欄印",
)
"""Signs before and behind a word that make another one of it, and never a name."""

_FIELD = re.compile(_FIELDS)
_FIRM = re.compile("会社|法人|組合(?!員)|有限公司")

FULL = (
    rf"{_NAME_KANJI}{{1,4}}(?: {{1,2}}{NEXT})?"
    rf"(?:[{KANJI}ノ]{{1,3}}|[{HIRAGANA}]{{2,6}}[{KANJI}]?|[{KATAKANA}]{{2,5}}[子江代枝美]?)"
)
"""A run that may be a surname and a given name."""

_NO_GIVEN = re.compile(
    "[のはがをにでもへやと]|(?:さん|から|まで|より|する|した|して|なし|あり|くん|ちゃん|ます|など|ほか|その)$"
)
"""Hiragana behind kanji that are grammar, not a given name."""

_VERB = re.compile("[るたてくいずうつぬのはがをにでもへと]$")
"""How hiragana ends behind kanji that are no surname: 定義された様に, この様な."""

_OLD = re.compile("は[つなるまや]|と[めしみきよ]|の[ぶり]|も[とも]|や[えす]")
"""Given names in hiragana that begin like grammar."""

_SEAL = re.compile("(?: {1,3}(?:印|㊞)|名義)$")


@cache
def surnames() -> frozenset[str]:
    """Common surnames, variants as written; a list of our own."""
    return frozenset((_DATA / "surnames.txt").read_text("utf-8").split())


@cache
def _all_surnames() -> frozenset[str]:
    """Rare ones and those of places, too."""
    return surnames() | _words("surnames-rare") | _words("surnames-of-places")


@cache
def _sections() -> dict[str, frozenset[str]]:
    """The tables of words, by their titles."""
    found: dict[str, list[str]] = {}
    here: list[str] = []
    for file in ("name_words.txt", "rare_names.txt"):
        for line in (_DATA / file).read_text("utf-8").splitlines():
            if line.startswith("#"):
                here = found.setdefault(line[1:].partition(":")[0].strip(), [])
            else:
                here += line.split()
    return {title: frozenset(words) for title, words in found.items()}


def _words(section: str) -> frozenset[str]:
    return _sections()[section]


@cache
def _role_prefix() -> re.Pattern[str]:
    longest_first = sorted(_words("roles"), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(longest_first)})[ :]?")


def surname_of(name: str) -> str:
    """The longest known surname that the name begins with, or nothing."""
    known = _all_surnames()
    for length in (4, 3, 2, 1):
        head = name[:length]
        if len(head) == length and (head in known or head.translate(VARIANTS) in known):
            return head
    return ""


@cache
def _ends() -> frozenset[str]:
    return _words("ends") | _words("ends-of-offices")


def _role_end(value: str) -> int:
    """How many characters a role at the end of a value has."""
    ends = _ends()
    for size in range(min(6, len(value)), 1, -1):
        if value[-size:] in ends:
            return size
    return 0


def _before_role(value: str) -> int:
    """How many characters of a value are a name that a role follows; all where none does."""
    size = _role_end(value)
    if not size or value in surnames():
        return len(value)
    name, role = value[:-size].rstrip(), value[-size:]
    named = role in _words("ends") and (surname_only(name) or certain(name))
    return len(name) if named else 0


def strip_role(value: str) -> int:
    """How many leading characters are an office or a role, not the name."""
    at = 0
    for _ in range(4):
        rest = value[at:]
        step = _prefix(rest)
        if not step:
            break
        at += step
    return at


def _prefix(rest: str) -> int:
    role = _role_prefix().match(rest)
    if role is not None and role.end() < len(rest):
        one = len(role[0].strip(" :")) == 1
        if not (one and (len(surname_of(rest)) > 1 or not role[0].endswith((" ", ":")))):
            return role.end()
    office = _OFFICE.match(rest)
    own = surname_of(rest)  # 服部 is no 部
    if office is not None and office[0].strip() != own:
        return office.end() if len(surname_of(rest[office.end() :])) > 1 else 0
    return 0


@lru_cache(_REMEMBERED)
def plausible(value: str, *, known: bool = False) -> bool:
    """May this be a name? ``known`` asks for a surname that we know, or a name's usual endings."""
    bare = value.replace(" ", "")
    if (
        not 1 <= len(bare) <= 24
        or bare in _words("not")
        or bare in PREFECTURES
        or _FIRM.search(bare)
        or _FIELD.match(bare)
    ):
        return False
    if (_BAD_END.search(bare) or _role_end(bare)) and bare not in surnames():
        return False
    if " " not in value and _is_word(bare):
        return False
    if not re.match(f"[{KANJI}]", bare):
        kana = re.fullmatch(rf"[{KATAKANA}{HIRAGANA}・=]{{2,24}}", bare)
        return kana is not None and not known
    if len(bare) > 10:
        return False
    return not known or _known(bare)


def _is_word(bare: str) -> bool:
    """Is it a common word, or made of such? 検討中, 未完了, 一括登録."""
    common = _words("words")
    if bare in common:
        return True
    if len(bare) == 3:
        return (bare[2] in _TAILS and bare[:2] in common) or (
            bare[0] in _HEADS and bare[1:] in common
        )
    return len(bare) == 4 and bare[:2] in common and bare[2:] in common


def _known(bare: str) -> bool:
    surname = surname_of(bare)
    if len(surname) > 1:
        return len(bare) - len(surname) <= 5
    usual = bare[1:2] in _words("surname-end") and bare[-1] in _words("given-end")
    return len(bare) >= 3 and usual


@lru_cache(_REMEMBERED)
def certain(value: str) -> bool:
    """A surname that we know and a given name, as is asked for where the anchor is weak."""
    surname, gap, given = value.partition(" ")
    given = given.strip()
    if not given:
        surname = surname_of(value)
        given = value[len(surname) :]
    given = given.translate(VARIANTS)
    long = len(given) > 4 and not (gap and _LONG_KANA.fullmatch(given))
    if not surname or not given or long or _FIRM_END.search(value):
        return False
    if len(given) == 3 and _is_word(given):
        return False
    known = surname_of(surname) == surname
    if not plausible(value) or not (known or (gap and _like_a_surname(surname))):
        return False
    if re.match(f"[{HIRAGANA}{KATAKANA}]", given):
        return bool(gap) or _like_grammar(given) or not _NO_GIVEN.match(given)
    if len(surname) < 2 and not gap and len(given) != 2:
        return False
    if len(given) == 1 and given in _STATES:
        return False
    if len(surname) == len(given) == 1 and surname in "東西南北中":
        return False  # 東 京, 西 日: words that are spaced out
    joined = given in _words("given-joined") or given in _words("given-single")
    apart = bool(gap) or (joined and _common(surname))
    return given[-1] in _words("given-end") or (known and _rare(given, apart=apart))


_STATES = "済未可否欠休遅"
"""What stands behind names in lists of who has paid or come."""

_LONG_KANA = re.compile(
    f"[{HIRAGANA}]{{2,4}}(?:ろう|ぞう|いち|すけ|へい|えもん|さく|ひろ|ゆき|たか|ひこ|のぶ|とし|きち)"
)
"""A given name of five or six hiragana: りゅういち, しんのすけ."""


def _like_a_surname(value: str) -> bool:
    """Two or three kanji that end as surnames do and are no word."""
    if len(value) not in (2, 3):
        return False
    if value[-1] in _words("surname-end"):
        return True
    return value[-1] in _words("surname-end-rare") and not _is_word(value)


def _rare(given: str, *, apart: bool) -> bool:
    """Is it a given name behind a surname that we know, though it does not end like most?"""
    if len(given) == 1 and apart and given in _words("given-alone"):
        return True
    if len(given) == 2 and given[1] == "々":
        return True
    if len(given) == 2 and given[0] in _words("given-first") and given[1] in _words("given-last"):
        return not _is_word(given) and given not in _words("given-not")
    whole = given in _words("given-whole") or given in _words("given")
    return whole or given[-1] in _words("given-end-rare")


def unmistaken(value: str) -> bool:
    """A whole name, with a gap in it, that is no place and no words: it needs no anchor."""
    surname, given = value.partition(" ")[0], value.rpartition(" ")[2].translate(VARIANTS)
    if not certain(value) or not _common(surname):
        return False
    if re.match(f"[{KATAKANA}]", given):
        return _old_fashioned(given)
    place = surname in _words("places")
    if len(given) == 1 and (place or len(surname) == 1):
        return _no_ending(given) and (len(surname) > 1 or surname in _SINGLE)
    if len(surname) == 1 and given[-1] not in _words("given-end"):
        return False
    if not _no_word(given) or given in _words("given-not"):
        return not place and given in _words("given-whole")
    return not place or given[-1] in _words("given-end")


@lru_cache(_REMEMBERED)
def standing(value: str) -> bool:
    """A whole name without a gap that is no word and no place: it needs no anchor where it stands
    by itself.
    """
    surname = surname_of(value)
    given = value[len(surname) :].translate(VARIANTS)
    if not surname or value in _words("no-whole"):
        return False
    if re.match(f"[{HIRAGANA}{KATAKANA}]", given):
        return _in_kana(surname, given)
    if not 1 <= len(given) <= 3:
        return False
    if not _common(surname):
        single = len(surname) > 2 and given in _words("given-single") and plausible(value)
        return single or (len(surname) > 1 and len(given) > 1 and _two(given) and certain(value))
    if len(given) == 1:
        told = _no_ending(given) if surname in _words("places") else given in _words("given-single")
        return told and len(surname) > 1 and certain(value)
    if len(surname) == 1 and not (surname in _SINGLE and _whole_given(given)):
        return False
    if len(given) == 3 and given[-1] not in _THREE and not _two(given):
        return False
    refused = given in _words("given-not") or given in _words("words") or not _no_word(given)
    return (not refused or given in _words("given-whole")) and certain(value)


_ENDINGS = "学研保都陸鉄鋼渡秋要整護務求至範実航章建治湧湊幹司光正満明直"
"""Given names of one sign that make a word behind a place as well: 石川司, 福島学, 秋田港."""


def _no_ending(given: str) -> bool:
    """A given name of one sign that says nothing behind a place, or a single sign, but a name."""
    return given in _words("given-single") and given not in _ENDINGS


def _in_kana(surname: str, given: str) -> bool:
    """A common surname and a given name in kana, right behind it: 佐野ひかり, 石田キヨ."""
    if not _common(surname) or (len(surname) == 1 and surname not in _SINGLE):
        return False
    if re.match(f"[{KATAKANA}]", given):
        return _old_fashioned(given)
    known = given in _words("given-hiragana-whole") or given in _words("given-hiragana")
    return known and (len(given) > 2 or surname not in _words("places"))


def in_kana() -> list[str]:
    """Given names in kana that right behind a surname need no anchor, the longest first."""
    every = _words("given-hiragana-whole") | _words("given-hiragana") | _words("given-kana")
    return sorted(every, key=lambda one: (-len(one), one))


_THREE = "郎朗子美助介平代江恵香奈希花央乃衛丞里"
"""How given names of three signs end."""


def _whole_given(given: str) -> bool:
    """Two or three kanji that make a given name for sure."""
    three = len(given) == 3 and given[0] in _words("given-first") and given[-1] in _THREE
    return (len(given) == 2 and _two(given)) or (three and not _is_word(given[1:]))


def _two(given: str) -> bool:
    """Two kanji that make a given name for sure: words are made of one and another as well."""
    first = given[0] in _words("given-first") and len(given) == 2
    return (
        given in _words("given-whole")
        or given in _words("given")
        or (first and given[1] in _words("given-end"))
    )


SINGLE = "林森関星堀辻岸岡谷秦菅榊滝瀧畑浜濱沖柳杉橘楠榎梶槙峰峯堺郡轟嶋堤湊畠柴芹萩鎌鶴鷲乾巽佃牧"
"""Surnames of one sign that hardly stand for anything else behind a role."""

_SINGLE = SINGLE + "原島柏"
"""The same, before what is a given name for sure."""


def leading(value: str) -> bool:
    """A whole name that begins a line: no two places, and no two surnames, of a list."""
    given = value.rpartition(" ")[2]
    return certain(value) and _no_word(given)


def _no_word(given: str) -> bool:
    """Is it no word, place or surname of a list? 石川 久保, 上野 浅草."""
    if len(given) < 2:
        return True
    if given in _words("no-given") or given in _words("given-not"):
        return False
    return not _common(given)


def _common(surname: str) -> bool:
    return surname in surnames() or surname.translate(VARIANTS) in surnames()


def _old_fashioned(given: str) -> bool:
    """A given name in katakana, as older people have them: トミ, ヨネ子."""
    bare = given[:-1] if given[-1] in "子江代枝美" else given
    return bare in _words("given-kana")


_LATIN_WORD = re.compile(
    r"(?:(?:k|s|sh|t|ts|ch|n|h|f|m|y|r|w|g|z|j|d|b|p|ky|gy|ny|hy|my|ry|by|py|kk|ss|ssh|tt|tch|pp)?"
    r"[aiueo]|n(?![aiueoy])|m(?=[bpm])|h(?![aiueo])){2,8}"
)
"""Japanese in Latin letters: what syllables make."""


PROMPT = re.compile(
    r"\b(?:Name|Please|Enter|Your|Example|Sample|User|Guide|First|Last|Input|Address|Phone|Date|Birth|Test"
    r"|Server|Desk|Admin|Administrator|Office|System|Cent(?:er|re)|Support|Team|Group|Windows|Microsoft|Service"
    r"|Inc|Corp|Corporation|Ltd|LLC|LLP|Company|GmbH|KK|Bank|University|College|School|Hospital|Clinic|Hotel|Shop|Store"
    r"|Club|Association|Foundation|Institute|Ministry|City|Town|Department|Division|Section|Room|Floor|Building|Model"
    r"|Amazon|AWS|Google|Azure|Oracle|IBM|Web|Cloud|API|Services|Elastic|Registry|Hub|Migration|Insights|Auto|Load|Compute"
    r"|Container|Directory|Gateway|Map|Discovery|Network|Analytics|Storage|Security|Manager|Engine|Platform|This|Use|Doe"
    r"|Type|Version|Total|Unknown|None|Null|Product|Item|Number|Order|Report|File|Data|Project|Software|Limited|Japan"
    r"|Tokyo|Osaka|New|Old|The|And|Of|For|Red|Blue|Set|Box|Kit|Unit|Cable|Printer|Drive|Disk)\b",
    re.IGNORECASE,
)
"""Words in capitals that are nobody's name: of forms, programs, firms and offices."""

_LATIN_NAME = re.compile(r"[A-Z][A-Za-z'\-]{0,20}\.?(?:,? [A-Z][A-Za-z'\-]{0,20}\.?){1,4}")


_LATIN_PART = re.compile(r"[A-Z][A-Za-z'\-]{1,20}")


def latin_name(value: str) -> bool:
    """Two to five words in Latin letters, none of them a firm's or a form's."""
    return bool(_LATIN_NAME.fullmatch(value)) and not PROMPT.search(value)


def latin_part(value: str) -> bool:
    """One word in Latin letters that may be a first or a last name."""
    return bool(_LATIN_PART.fullmatch(value)) and not PROMPT.search(value)


def latin(value: str) -> bool:
    """A Japanese name in Latin letters, in either order: one word a surname that we know."""
    words = value.lower().replace(",", "").split()
    known = [word in _words("surname-latin") for word in words]
    return len(words) == 2 and sum(known) == 1 and all(map(_LATIN_WORD.fullmatch, words))


def latin_surname(value: str) -> bool:
    """A surname that we know, in Latin letters."""
    return value.lower() in _words("surname-latin")


def latin_word(value: str) -> bool:
    """One word of Japanese in Latin letters."""
    return len(value) > 2 and _LATIN_WORD.fullmatch(value.lower()) is not None


def likely(value: str) -> bool:
    """`certain`, or a surname that we do not know before a gap and a name that ends as most do."""
    surname, gap, given = value.partition(" ")
    if certain(value):
        return True
    given = given.strip().translate(VARIANTS)
    if not gap or not 1 < len(surname) < 4 or not plausible(value):
        return False
    if len(given) == 1:
        usual = given in _words("given-end") or given in _words("given-alone")
        return usual and _like_a_surname(surname)
    if not 1 < len(given) < 4:
        return False
    known = given in _words("given") or given in _words("given-whole")
    return (
        (known or (given[-1] in _words("given-end") and _no_word(given)))
        and surname not in _words("not")
        and not _BAD_END.search(surname)
        and not (len(given) > 2 and given[-1] in "人者員")
        and not _FIRM_END.search(value)
    )


def given_only(value: str) -> bool:
    """Kanji that end like a given name and are no word."""
    value = value.translate(VARIANTS)
    ends = value[-1] in _words("given-end") or value[-1] in _words("given-end-rare")
    return ends and value not in _words("given-not")


def given_alone(value: str) -> bool:
    """A given name beside a place in a family, where 大学生 and 会社員 stand as often."""
    return given_only(value) and value[-1] not in "生員人者職" and not _is_word(value)


def surname_only(value: str) -> bool:
    """Two kanji or more that are a surname and nothing besides."""
    if len(value) < 2 or surname_of(value) != value or value in _words("not"):
        return False
    return value not in _words("surnames-of-places")


def _surname(value: str) -> bool:
    """A common surname, or a rare one of two kanji or more."""
    return value in surnames() or (len(value) > 1 and surname_of(value) == value)


def _like_grammar(given: str) -> bool:
    """A given name that begins as particles do: とめ, のぞみ, はる子."""
    return _OLD.fullmatch(given) is not None or given in _words("given-hiragana")


def _longest(bare: str) -> int:
    """Kanji that a name may have: 勅使河原美穂子 has seven."""
    return max(6, len(surname_of(bare)) + 3)


def no_place(value: str) -> bool:
    """A surname that is not better known as a place."""
    return surname_only(value) and value not in _words("places")


_ROLE_SIGNS = "長者員主録証書状係"
"""How roles end, and titles of papers, that stand before a name and a gap."""


def _whole_part(before: str, last: str) -> str | None:
    """The one of two words that is a whole name by itself; None where they are one together:
    領収証 柏木進, 猪股靖 出張先, 古谷悠真 ふるや.
    """
    role = before[-1:] in _ROLE_SIGNS and certain(last)
    if surname_of(before) != before and (role or _whole(last)):
        return last
    if (
        _whole(before)
        and not surname_of(last)
        and (len(last) > 2 or not re.match(f"[{KANJI}]", last))
    ):
        return before
    return None


def _whole(value: str) -> bool:
    """A whole name without a gap."""
    return " " not in value and (standing(value) or (len(value) > 3 and certain(value)))


_GLUED = re.compile(f"[{KANJI}]{{0,5}}[者人名主方夫妻父母女男](?=[{KANJI}])")
"""A role that the name follows without a gap: ご契約者名谷本 栄一様."""


def _glued(whole: str, rest: str) -> bool:
    if " " not in whole:
        return not certain(whole) and standing(rest)
    before, after = whole.partition(" ")[0], rest.partition(" ")[0]
    return surname_of(before) != before and len(after) > 1 and certain(rest)


@lru_cache(_REMEMBERED)
def narrow(value: str) -> tuple[int, int] | None:
    """The name at the end of a run that stands before 様 or 殿, without office and role."""
    if value.isascii():
        return 0, len(value)
    start, end = strip_role(value), len(_SEAL.sub("", value))
    rest = value[start:end]
    if len(rest) > 3 and rest.endswith(("さん", "ちゃん", "くん")):
        end -= 3 if rest.endswith("ちゃん") else 2
        rest = value[start:end]
    if len(rest) > 3 and rest[-1] == "君":
        end, rest = end - 1, rest[:-1]
    before, gap, last = rest.rpartition(" ")
    whole = _whole_part(before.rstrip(" "), last) if gap else None
    if whole is not None:
        return (end - len(last), end) if whole == last else (start, start + len(whole))
    if len(last) > 1 and last in _words("not"):
        return None
    field = len(before) > 1 and (
        before in _words("not")  # 緊急連絡先 東海林結衣
        or (before[-1] in _ROLE_SIGNS and len(last) > 2 and not _common(before))
    )
    if gap and (field or (surname_only(last) and not surname_of(before))):
        start, rest = end - len(last), last  # 精機 新井: the end of a firm's name, then a surname
    glued = _GLUED.match(rest)
    if glued is not None and _glued(rest, rest[glued.end() :]):
        start, rest = start + glued.end(), rest[glued.end() :]
    named = _before_role(rest)
    end, rest = end - len(rest) + named, rest[:named]
    if "様" in rest or not plausible(rest):
        return None
    return None if " " not in rest and _words_run_on(rest) else (start, end)


def _words_run_on(bare: str) -> bool:
    """Is it what stands before 様 in running text, no name: 定義された様に, この様な, 文様?"""
    kanji = re.match(rf"{_NAME_KANJI}{{1,12}}", bare)
    if kanji is None:
        return False
    surname = surname_of(bare) == bare and bare not in "文紋"
    if bare[-1] in "文紋仕同模多異" and not surname and not certain(bare):
        return True  # 文様, 紋様, 仕様, 同様, 模様, 多様, 異様
    tail = bare[kanji.end() :]
    if not re.search(f"[{KANJI}]", bare) and not re.search("[・=]", bare):
        return True  # ノイズ様
    if _VERB.search(tail) and not _surname(kanji[0]):
        return True
    if surname_of(bare) == kanji[0] and _like_grammar(tail):
        return False
    return len(kanji[0]) > _longest(bare) or _NO_GIVEN.match(tail) is not None

"""Whole names that no label names, known by what stands beside them, or beyond doubt.

A number, an address, a reading, a birth date, a mail address, a role or a firm beside a name tells
that it is one; so does a gap between a known surname and a given name. No label says so, hence the
name must be whole (`names.certain`).
"""

from hakushi.detect.detector import Form, Need
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA
from hakushi.detect.names import (
    FULL,
    NEXT,
    PROMPT,
    SINGLE,
    certain,
    given_alone,
    given_only,
    in_kana,
    latin,
    latin_name,
    latin_surname,
    latin_word,
    leading,
    likely,
    no_place,
    plausible,
    standing,
    surname_of,
    surname_only,
    unmistaken,
)
from hakushi.detect.postal import PREFECTURES

_K = f"[{KANJI}ヶケノツ]"
_ROLES = (
    "相手方|当方|先方|父|母|妻|夫|長男|次男|二男|三男|四男|長女|次女|二女|三女|四女|祖父|祖母|孫|兄|弟|姉|妹|養子|養父|養母|実父|実母|義父|義母|子"
    "|故|喪主|施主|遺族|親権者|後見人|保佐人|対象児|対象者|対象児童|児童|生徒|園児|入所者|入居者|利用者|参加者|出席者|欠席者|受講者|受験者"
    "|当選者|合格者|応募者|当事者[甲乙丙]?|被害者|加害者|目撃者|滞納者|債務者|債権者|依頼人|ご依頼人|差出人|訪問者|来庁者|相談者"
    "|作成者|記入者|記録者|報告者|起案者|起票者|承認者|確認者|検査者|点検者|撮影者|発行者|受付者|管理者|責任者|主治医|担任"
    "|会長|副会長|会計|監事|幹事|書記|班長|副班長|組長|支部長|部会長|民生委員|理事|顧問|相談役|代表|社長|専務|常務|店長|主将|部長|監督"
    "|名前|なまえ|おなまえ|芳名|ご芳名|宛先|送り主|当番|ヘルパー|担当ヘルパー|名義|旧名義|新名義|お客様|マネージャー|キャプテン|コーチ|トレーナー|ドライバー|オーナー"
    rf"|[{KANJI}]{{1,8}}(?:者|人|員|官|士|師|司|医|親族|主)|[{KANJI}]{{0,4}}(?:する|した|なる|なった|受ける|受けた|来た|出た|届けた|預けた|書いた|払う)人|(?:表示|登録|差出人|作成者|選手|講師)名"
)
_ROLE_ENDS = (
    "[父母妻夫男女孫兄弟姉妹子故主者族人児童徒医任長計事記員官士師司問役表務将督前え名先番義様方ー]"
)
_KIN = "父|母|妻|夫|長男|次男|二男|三男|四男|長女|次女|二女|三女|四女|祖父|祖母|孫|兄|弟|姉|妹|養子|息子|娘|子|本人|主人|世帯主|配偶者"
_OFFICERS = (
    "課長|課長補佐|部長|係長|局長|所長|室長|次長|主任|主事|主査|参事|主幹|副主幹|支店長|店長|専務|常務|社長|会長|工場長|センター長|班長|園長|院長|校長|教頭|教諭|養護教諭|館長|理事長|事務長|師長"
    "|承認者|確認者|作成者|記入者|起案者|検査者|点検者|受付者|報告者|責任者|管理者|審査者|照査者|立会者"
)
_HOLDS = "記|書記?|司|副?(?:会長|委員長|主将|部長|班長|組長|議長|代表|理事長)|会計|幹事|書記|監事|課長|顧問|理事|社長|専務|係長|主任|店長|担当|記録|司会|欠|代理"
_ACTS = "承認|確認|作成|報告|起案|決裁|連絡|受付|対応|発行|記入|記録|検印|審査|照査|立会|監修|編集|撮影|調査|執筆|文責|応対|送信|受信|依頼"
_AT_DESK = "総務|人事|経理|庶務|広報|営業|窓口|事務局|事務|受付|福祉|税務|戸籍|住民|保険|年金|教務|学務|厚生|管理|企画|調達|契約"
_ON_DUTY = (
    "日直|当番|担任|欠席|出席|早退|遅刻|参加|引率|出張|年休|有休|病欠|研修|休暇|幹事|会計|監事"
)
_WORKS_AT = (
    "課|部|室|局|係|会|社|科|所|校|大|県|市|町|村|署|院|園|教授|講師|代表|監督|選手|[長員士師]"
)
_FORMAL = "購入者|注文者|お客様|搭乗者|旅客|受取人|差出人|宛先|名宛人|投資家|応募者|申請者|申込者|患者|契約者|利用者|受講者|参加者|会員|従業員|社員|被保険者|世帯主|名義人|宿泊者|乗客|実習生|留学生"
_BORN = r"(?:(?:明治|大正|昭和|平成|令和|[MTSHR])? ?(?:\d{1,4}|元) ?[年./\-] ?\d{1,2} ?[月./\-] ?\d{1,2})"
_READ = (
    rf"(?:[{KATAKANA}]{{2,8}}[ ・]?[{KATAKANA}]{{2,8}}|[{HIRAGANA}]{{2,8}} [{HIRAGANA}]{{2,8}}"
    rf"|[{HIRAGANA}]{{4,12}})"
)
_ALONE = rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}ヶケノ0-9A-Za-z])"
"""What a whole name that stands by itself does not have before it."""

_LATIN = r"[A-Z](?:[A-Za-z\-]|'[A-Za-z]){1,20}(?:,? [A-Z](?:[A-Za-z\-]|'[A-Za-z]){0,20}){1,3}"

_TWO = r"[A-Z][A-Za-z\-]{1,15},? [A-Z][A-Za-z\-]{1,15}"

_WHOSE = (
    "full|customer|patient|employee|applicant|client|guest|passenger|member|student|card ?holder|account ?holder"
    "|beneficiary|tenant|insured|contact|recipient|payee|sender|owner|parent|guardian|spouse|doctor|teacher"
)

_GLUED = "氏名|お名前|者名?|人名?|[^人]主名?|名義|患者名|児童名|生徒名|会員名|委員|弁護士|担当医|医師|利用者名|連絡先|変更[前後]|[夫妻父母]|[長次二三][男女]|代表"
"""Labels that the value follows without a gap, as in text out of PDF, or in a sentence: 担当者は."""

_GAPPED = (
    rf"{_K}{{1,4}} {{1,2}}{NEXT}"
    rf"(?:{_K}{{1,3}}|[{HIRAGANA}]{{2,6}}|[{KATAKANA}]{{2,4}}[子江代枝美]?)"
)
"""A surname and a given name with a gap between them."""


def _named(value: str) -> bool:
    """A whole name, or a surname that is no place."""
    return certain(value) or no_place(value)


def _sure(value: str) -> bool:
    """A whole name where words stand as often: with a gap no list's word, without one long enough."""
    return leading(value) if " " in value else len(value) > 3 and certain(value)


def _glued(value: str) -> bool:
    """A whole name where the rest of a word stands as often: 申請者本人確認."""
    return certain(value) if " " in value else standing(value)


EVIDENCE = (
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?: ?[(][^()\n]{{1,12}}[)])?[ \t|,、:/]{{1,6}}"
        r"(?:(?:電話|携帯|自宅|TEL|Tel|℡|☎)[ \t:|=]{0,3})?[(]?0\d{1,4}[)(\-]\d",
        Need.ALONE,
        certain,
        near="0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3}",
        before=44,
        after=16,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?:・{_K}{{1,3}})?(?: ?[(][^()\n]{{1,12}}[)])?[ \t|,、:/]{{1,20}}"
        rf"(?:〒? ?\d{{3}}-\d{{4}} {{0,3}})?(?={'|'.join(PREFECTURES)})",
        Need.ALONE,
        certain,
        near="|".join(PREFECTURES),
        before=64,
        after=4,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?:・{_K}{{1,3}})?[ \t|,、:/]{{1,6}}〒? ?\d{{3}}-\d{{4}}(?![0-9\-])",
        Need.ALONE,
        certain,
        near=r"[0-9]{3}-[0-9]{4}[ \t\n,]",
        before=32,
        after=2,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL}) ?[(] ?{_READ} ?[)]",
        Need.ALONE,
        certain,
        near="[(] ?[ぁ-ゖァ-ヺ]",
        before=16,
        after=32,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})[\"'」]? {{0,2}}[<(\[]? ?(?=[A-Za-z0-9._%+\-]{{1,64}}@)",
        Need.ALONE,
        certain,
        near="@",
        before=90,
        after=4,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL}) ?[(]{_BORN}",
        Need.ALONE,
        certain,
        near="[(](?:明治|大正|昭和|平成|令和|[MTSHR][0-9]|19[0-9]{2}|20[0-9]{2})",
        before=16,
        after=24,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL}) ?[(](?:\d{{2,3}}|同|[^()\n]{{1,12}}(?:{_WORKS_AT}))[)]",
        Need.ALONE,
        certain,
        near=f"[(](?:[0-9]{{2,3}}|同|[^()\\n]{{1,12}}(?:{_WORKS_AT}))[)]",
        before=16,
        after=4,
    ),
    Form(
        rf"(?:株式会社|有限会社|合同会社|法人|組合|[(][株有][)]|[㈱㈲])[^\n、。]{{1,32}}[ \t](?P<v>{_K}{{2,4}})(?=\n|\Z)",
        Need.ALONE,
        no_place,
        near=r"会社|法人|組合|[(][株有][)]|[㈱㈲]",
        before=4,
        after=40,
    ),
    Form(
        rf"(?<![A-Za-z])(?:Dr|Ns|PT|OT|ST|CM|MSW)\.? {{0,2}}:? ?(?P<v>{_K}{{2,4}})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        surname_only,
        near=f"(?:Dr|Ns|PT|OT|ST|CM|MSW)[.]? {{0,2}}:? ?[{KANJI}]",
        before=2,
        after=8,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?P<v>{_K}{{2,4}}) ?(?:Dr|Ns|PT|OT|ST|CM|MSW)(?![A-Za-z])",
        Need.ALONE,
        surname_only,
        near=f"[{KANJI}] ?(?:Dr|Ns|PT|OT|ST|CM|MSW)",
        before=6,
        after=2,
    ),
    Form(
        rf"(?:弊社|当社|弊課|当課|弊店|当店|弊所|当所|御社|貴社|同社|本校|当院|弊校|当方|弊部|当部|同僚|上司|部下|先輩|後輩|友人|知人|隣家)の(?P<v>{_K}{{2,4}})(?=[がはもをに]|から|より|まで|宛|あて|と|です|でございます)",
        Need.ALONE,
        no_place,
        near="(?:[弊当御貴同][社課店所院方部校]|本校|同僚|上司|部下|先輩|後輩|友人|知人|隣家)の",
        before=2,
        after=12,
    ),
    Form(
        rf"(?:なまえ|名前|氏 {{0,3}}名)(?:は|:)[ \t]{{0,3}}(?P<v>[{HIRAGANA}]{{2,6}} {{1,2}}[{HIRAGANA}]{{2,6}})(?=[ \t]{{0,2}}(?:\n|\Z|です|、|様))",
        Need.ALONE,
        plausible,
        near="(?:なまえ|名前|氏 {0,3}名)(?:は|:)",
        before=2,
        after=28,
    ),
    Form(
        rf"[(](?:{_KIN})[)] ?(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near=f"[(](?:{_KIN})[)]",
        before=2,
        after=16,
    ),
    Form(
        rf"(?:{_KIN})の(?P<v>{FULL})(?=[がはのをにもと、。(])",
        Need.ALONE,
        certain,
        near=f"(?:{_KIN})の",
        before=2,
        after=16,
    ),
    Form(
        rf"(?<![{KANJI}])(?:姓|氏) ?: ?(?P<v>{_K}{{1,4}})(?![{KANJI}])",
        Need.ALONE,
        lambda value: surname_of(value) == value,
        near="[姓氏] ?:",
        before=2,
        after=8,
    ),
    Form(
        rf"(?<![{KANJI}])(?:姓|氏) ?: ?{_K}{{1,4}}[ \n,、/]{{1,4}}名 ?: ?(?P<v>{_K}{{1,4}}|[{HIRAGANA}]{{2,5}}|[{KATAKANA}]{{2,5}})(?![{KANJI}])",
        Need.ALONE,
        plausible,
        near="[姓氏] ?:",
        before=2,
        after=24,
    ),
    Form(
        rf"(?<![{KANJI}])(?:姓|氏) {{1,3}}(?P<v>{_K}{{1,4}}) {{1,3}}名 {{1,3}}[{KANJI}{HIRAGANA}]",
        Need.ALONE,
        plausible,
        near=f"[姓氏] {{1,3}}[{KANJI}]{{1,4}} {{1,3}}名 ",
        before=2,
        after=4,
    ),
    Form(
        rf"(?<![{KANJI}])(?:姓|氏) {{1,3}}{_K}{{1,4}} {{1,3}}名 {{1,3}}(?P<v>{_K}{{1,4}}|[{HIRAGANA}]{{2,5}})(?![{KANJI}{HIRAGANA}])",
        Need.ALONE,
        plausible,
        near=f"[姓氏] {{1,3}}[{KANJI}]{{1,4}} {{1,3}}名 ",
        before=2,
        after=8,
    ),
    Form(
        r"(?:[Ss]urname|[Ff]amily name|[Ll]ast name|[Gg]iven name|[Ff]irst name)[ \t:|=]{1,3}(?P<v>[A-Z][A-Za-z]{1,15})(?![A-Za-z0-9_])",
        Need.ALONE,
        latin_word,
        near="(?:[Ss]urname|[Ff]amily name|[Ll]ast name|[Gg]iven name|[Ff]irst name)[ \t:|=]{1,3}[A-Z]",
        before=2,
        after=18,
    ),
    Form(
        rf"(?:(?<![{KANJI}{KATAKANA}])[{KANJI}]{{1,6}}|[{KANJI}{HIRAGANA}][たるう])[者人員官士師医] {{1,3}}(?P<v>{_K}{{2,4}})(?= {{0,3}}(?:\n|\Z|\d{{1,2}}[:/]|印|→))",
        Need.ALONE,
        no_place,
        near=f"[者人員官士師医] {{1,3}}[{KANJI}]{{2,4}} {{0,3}}(?:\n|\\Z|[0-9]{{1,2}}[:/]|印|→)",
        before=8,
        after=4,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])(?:{_ROLES}|{_OFFICERS})[ \t:|=]{{1,3}}(?P<v>{_K}{{2,4}})[ \t:]{{1,4}}[(]?0\d{{1,4}}[)(\-]\d",
        Need.ALONE,
        no_place,
        near="0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3}",
        before=24,
        after=2,
    ),
    Form(
        rf"(?<![{KANJI}])(?:{_AT_DESK})[のは :]?(?P<v>{_K}{{2,4}})(?=まで|宛[てに \n]|あて|へ(?:ご|お|提出|連絡|送|届)|が(?:担当|対応|伺))",
        Need.ALONE,
        no_place,
        near=f"(?:{_AT_DESK})[のは :]?[{KANJI}]{{2,4}}(?:まで|宛|あて|へ|が)",
        before=2,
        after=2,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?P<v>{_K}{{2,4}}) ?[(](?:{_HOLDS})[)]",
        Need.ALONE,
        no_place,
        near=f"[(](?:{_HOLDS})[)]",
        before=8,
        after=2,
    ),
    Form(
        rf"(?:[、・]|及び|並びに|ならびに|および) ?(?P<v>{_GAPPED})(?=[(、・。 \n]|\Z|[とはがのをに]|及び|並びに|ならびに|および)",
        Need.ALONE,
        certain,
        near=rf"(?:[、・]|及び|並びに|ならびに|および) ?[{KANJI}]{{1,4}} {{1,2}}[{KANJI}ぁ-ゖァ-ヺ]",
        before=2,
        after=12,
    ),
    Form(
        rf"(?:[0-9]|番地|[番号町課係部])(?:の\d{{1,3}})? {{1,3}}(?P<v>{_GAPPED})(?=[ \n、(]|\Z)",
        Need.ALONE,
        certain,
        near=rf"[0-9地番号町課係部] {{1,3}}[{KANJI}]{{1,4}} {{1,2}}[{KANJI}ぁ-ゖァ-ヺ]",
        before=6,
        after=12,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?:[、,] ?| {{1,4}})\d{{1,3}}[歳才]",
        Need.ALONE,
        certain,
        near="[、, ][0-9]{1,3}[歳才]",
        before=20,
        after=2,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?:[、,] ?| {{1,4}}){_BORN}日? ?生",
        Need.ALONE,
        certain,
        near="[0-9]日? ?生",
        before=40,
        after=2,
    ),
    Form(
        rf"(?:{_ALONE}|(?<=[とはが、]))(?P<v>{FULL}) ?[(]以下",
        Need.ALONE,
        certain,
        near="[(]以下",
        before=16,
        after=2,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL}) {{1,4}}(?:続柄|[(]?印[)]?(?= {{0,3}}(?:\n|\Z))|㊞)",
        Need.ALONE,
        certain,
        near="続柄|[ (]印|㊞",
        before=20,
        after=4,
    ),
    Form(
        rf"(?<![{KANJI}])[甲乙丙丁](?: {{1,4}}|:|は、?)(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near="[甲乙丙丁](?:[ \t:|=]|は)",
        before=2,
        after=24,
    ),
    Form(
        rf"(?<![{KANJI}])(?:{_ACTS})[ \t:|=]{{1,3}}(?P<v>{FULL})(?=[ \n、(]|\Z)",
        Need.ALONE,
        _sure,
        near=f"(?:{_ACTS})[ \t:|=]",
        before=2,
        after=20,
    ),
    Form(
        rf"(?:\d|番地|[番号町])[ \t]{{0,3}}\n[ \t]{{0,24}}(?P<v>{FULL})(?=[ \t]{{0,3}}(?:\n|\Z|[(]?印|㊞))",
        Need.ALONE,
        _sure,
        near=rf"[0-9地番号町][ \t]{{0,3}}\n[ \t]{{0,24}}[{KANJI}]{{2}}",
        before=2,
        after=16,
    ),
    Form(
        rf"(?<![^\n])[ \t]{{0,8}}(?:[(]\d{{1,3}}[)]|[・●○■◆①-⑳]) ?(?P<v>{FULL})(?=[ \t]{{0,3}}(?:\n|\Z))",
        Need.ALONE,
        _sure,
        near=rf"(?:[(][0-9]{{1,3}}[)]|[・●○■◆①-⑳]) ?[{KANJI}]{{1,4}} {{0,2}}[{KANJI}ぁ-ゖァ-ヺ]",
        before=10,
        after=12,
    ),
    Form(
        rf"[課係部室局] {{1,3}}(?P<v>{FULL})(?=[ \n、(]|\Z)",
        Need.ALONE,
        _sure,
        near=rf"[課係部室局] {{1,3}}[{KANJI}]{{2}}",
        before=2,
        after=16,
    ),
    Form(
        rf"(?:{_ALONE}|(?<=[はのとが、]))(?P<v>{FULL})(?=に対(?:し|する)|に係る|を相手方|を被告|の(?:相続|後見|納税|滞納|長男|長女|二男|二女|妻|夫))",
        Need.ALONE,
        _sure,
        near="に対|に係る|を相手方|を被告|の(?:相続|後見|納税|滞納|長男|長女|二男|二女|妻|夫)",
        before=16,
        after=2,
    ),
    Form(
        rf"[者人]は、?(?P<v>{FULL})(?=です|であ|とし|とする|と定め)",
        Need.ALONE,
        certain,
        near=f"[者人]は、?[{KANJI}]{{2}}",
        before=2,
        after=20,
    ),
    Form(
        rf"(?<![{KANJI}])故 ?(?P<v>{FULL})(?= ?(?:儀|[様氏殿]))",
        Need.ALONE,
        certain,
        near="故",
        before=2,
        after=16,
    ),
    Form(
        rf"(?:(?<![{KANJI}{HIRAGANA}{KATAKANA}])|(?<=[はのとがもにや、]))(?P<v>{_K}{{2,4}})(?:代表|会長|所長|院長|校長|園長|店長|議員|弁護士|監督|コーチ)(?![{KANJI}])",
        Need.ALONE,
        no_place,
        near="代表|会長|所長|院長|校長|園長|店長|議員|弁護士|監督|コーチ",
        before=6,
        after=6,
    ),
    Form(
        rf"(?<![{KANJI}])[{KANJI}]{{1,6}}[者人員生] {{0,2}}:? {{0,3}}(?P<v>[A-Z]{{2,15}}(?: [A-Z]{{2,15}}){{1,3}})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        lambda value: not PROMPT.search(value),
        near="[者人員生] {0,2}:? {0,3}[A-Z]{2}",
        before=8,
        after=64,
    ),
    *(
        Form(
            rf"(?:{_ON_DUTY})[者]?[ \t:|=]{{1,3}}(?:{_K}{{1,5}}(?: {_K}{{1,3}})?[・、]){{{before}}}(?P<v>{_K}{{1,5}} {_K}{{1,3}}(?=[・、\n]|\Z)|{_K}{{2,5}})(?=[・、 \n]|\Z)",
            Need.ALONE,
            _named,
            near=f"(?:{_ON_DUTY})[者]?[ \t:|=]",
            before=2,
            after=48,
        )
        for before in range(5)
    ),
    Form(
        rf"(?:旧姓|新姓)[ :(]{{1,3}}(?P<v>{_K}{{1,4}})(?![{KANJI}])",
        Need.ALONE,
        lambda value: surname_of(value) == value,
        near="旧姓|新姓",
        before=2,
        after=8,
    ),
    Form(
        rf"(?<=[のとはがも、])(?P<v>{_K}{{2,4}})氏(?![{KANJI}])",
        Need.ALONE,
        surname_only,
        near="氏",
        before=8,
        after=2,
    ),
    Form(
        rf"[A-Z][A-Za-z\-]{{1,16}},? [A-Z][A-Za-z\-]{{1,16}} ?[(](?P<v>{FULL})[)]",
        Need.ALONE,
        _sure,
        near=rf"[(][{KANJI}]",
        before=40,
        after=16,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])(?:{_ROLES})(?:\d{{1,2}}|[A-D甲乙丙①-⑳])?(?:[ \t:|=]{{1,4}}|[(][^()\n]{{1,8}}[)][ \t:|=]{{0,4}})(?P<v>{FULL})"
        rf"(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        likely,
        near=f"{_ROLE_ENDS}(?:[0-9]{{1,2}}|[A-D甲乙丙①-⑳])?(?:[ \t:|=]|[(][^()\\n]{{1,8}}[)])",
        before=8,
        after=24,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])(?:{_OFFICERS})[ \t:|=]{{1,3}}(?P<v>{_K}{{2,4}})(?![^ \n印、)])",
        Need.ALONE,
        surname_only,
        near="[長任事査幹佐務者頭諭][ \t:|=]",
        before=6,
        after=12,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})[ \t,:]{{1,4}}0[5789]0[1-9]\d{{7}}(?!\d)",
        Need.ALONE,
        certain,
        near="0[5789]0[1-9][0-9]{7}",
        before=20,
        after=4,
    ),
    Form(
        rf"(?:\d-\d{{4}}|0[5789]0[1-9]\d{{7}}|会社[{KANJI}{KATAKANA}A-Za-z]{{0,12}})[ \t]{{1,3}}(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near=r"[0-9]-[0-9]{4}[ \t]|0[5789]0[1-9][0-9]{7}[ \t]|会社",
        before=2,
        after=36,
    ),
    Form(
        rf"(?<![^\n])(?:[> ]{{0,4}}|(?:No\.? ?)?\d{{1,4}}[番号.)、: ]{{1,3}}|\[?(?:午[前後])?\d{{1,2}}:\d\d\]?[ \t]{{1,2}})"
        rf"(?P<v>{_GAPPED})(?=[ \t\n]|\Z|[はが]、?)",
        Need.ALONE,
        leading,
        near=rf"\n[> 0-9.):番号No、\[\]午前後\t]{{0,10}}[{KANJI}]{{1,4}} {{1,2}}[{KANJI}ぁ-ゖァ-ヺ]",
        before=2,
        after=12,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}ヶケノ0-9A-Za-z＝=])(?=(?P<v>{_GAPPED})(?![{KANJI}{HIRAGANA}{KATAKANA}0-9A-Za-z]))",
        Need.ALONE,
        unmistaken,
        near=rf"[{KANJI}]{{1,4}} {{1,2}}[{KANJI}ぁ-ゖァ-ヺ]",
        before=2,
        after=8,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}ヶケノA-Za-z0-9＝=])(?P<v>[{KANJI}]{{4,6}}|(?<![{HIRAGANA}])[{KANJI}]{{3}}(?![{HIRAGANA}]))(?![{KANJI}{KATAKANA}ヶケノA-Za-z0-9])",
        Need.ALONE,
        standing,
        near=rf"(?:^|[^{KANJI}{KATAKANA}ヶケノA-Za-z0-9])[{KANJI}]{{3,6}}(?:$|[^{KANJI}{KATAKANA}ヶケノA-Za-z0-9])",
        before=2,
        after=2,
        exact=True,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}A-Za-z0-9＝=])(?P<v>[{KANJI}]{{1,4}}(?:[{HIRAGANA}]{{2,8}}|[{KATAKANA}]{{2,6}})[子江代枝美]?)(?![{KANJI}{HIRAGANA}{KATAKANA}A-Za-z0-9])",
        Need.ALONE,
        standing,
        near=tuple(f"[{KANJI}]{given}" for given in in_kana()),
        before=4,
        after=4,
        exact=True,
    ),
    Form(
        rf"(?<![{KANJI}])(?:{_ACTS})者? ?: {{0,2}}(?P<v>{_K}{{2,4}})(?=[ \t]{{0,3}}(?:\n|\Z))",
        Need.ALONE,
        no_place,
        near=f"(?:{_ACTS})者? ?:",
        before=2,
        after=12,
    ),
    Form(
        rf"(?:第\d ?週|[月火水木金土日]曜日?)[ \t:]{{1,3}}(?P<v>{_K}{{2,4}})(?=[ \t、・]|\n|\Z)",
        Need.ALONE,
        no_place,
        near="(?:第[0-9] ?週|[月火水木金土日]曜日?)[ \t:]",
        before=2,
        after=8,
    ),
    Form(
        rf"[課係部室局] {{1,3}}(?P<v>{_K}{{2,4}})(?= {{0,2}}[(]?(?:内線|直通|内\d|ext))",
        Need.ALONE,
        surname_only,
        near="[(]?(?:内線|直通|内[0-9]|ext)",
        before=8,
        after=2,
    ),
    Form(
        rf"(?:{_GLUED})(?:は、?)?(?=(?P<v>{FULL})(?:[様殿]|(?![{KANJI}{HIRAGANA}{KATAKANA}])))",
        Need.ALONE,
        _glued,
        near=f"(?:{_GLUED})(?:は、?)?[{KANJI}ヶケノツ]{{1,4}}[ {KANJI}]",
        before=2,
        after=16,
    ),
    Form(
        rf"(?:番号 ?\d{{1,12}}番?[ \t:|=]{{1,3}}|(?<![A-Za-z])CN=[\"']?)(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near="番号 ?[0-9]{1,12}番?[ \t:|=]|CN=",
        before=2,
        after=20,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])[{KANJI}]{{1,5}}[者人係員官士師医課部室] ?: {{0,2}}(?P<v>{_K}{{2,4}})(?![^ \n印(、])",
        Need.ALONE,
        surname_only,
        near="[者人係員官士師医課部室] ?:",
        before=6,
        after=10,
    ),
    *(
        Form(
            rf"(?<![{KANJI}{KATAKANA}])[{KANJI}]{{1,5}}[者人係員官士師医課部室] ?: {{0,2}}(?:{_K}{{2,4}}、){{{before}}}(?P<v>{_K}{{2,4}})(?![^ \n印(、])",
            Need.ALONE,
            surname_only,
            near="[者人係員官士師医課部室] ?:",
            before=6,
            after=36,
        )
        for before in range(1, 6)
    ),
    Form(
        rf"(?:(?<![{KANJI}{HIRAGANA}{KATAKANA}])|(?<=[はのとがもにや、]))(?P<v>{_K}{{2,4}})(?:課長|部長|係長|社長|専務|常務|主任|次長|補佐|主査|主事|教授|教諭|医師|先生)(?=[様殿]|(?![{KANJI}]))",
        Need.ALONE,
        surname_only,
        near="課長|部長|係長|社長|専務|常務|主任|次長|補佐|主査|主事|教授|教諭|医師|先生",
        before=6,
        after=4,
    ),
    Form(
        rf"(?:(?<![{KANJI}{HIRAGANA}{KATAKANA}])|(?<=[はとが、]))(?P<v>{_K}{{2,4}}) (?:課長|部長|係長|社長|専務|常務|主任|次長|主査|(?:指導)?主事|教授|教諭)(?![{KANJI}])",
        Need.ALONE,
        no_place,
        near=" (?:課長|部長|係長|社長|専務|常務|主任|次長|主査|(?:指導)?主事|教授|教諭)",
        before=6,
        after=2,
    ),
    Form(
        rf"(?:(?<![{KANJI}{HIRAGANA}{KATAKANA}])|(?<=[はと、]))(?P<v>{_K}{{2,4}}) ?(?=(?:と ?{_K}{{2,4}} ?)?が(?:伺|対応[いしさ]|参り|担当[いしさ]|ご案内))",
        Need.ALONE,
        no_place,
        near="が(?:伺|対応[いしさ]|参り|担当[いしさ]|ご案内)",
        before=16,
        after=2,
    ),
    Form(
        rf"(?:お疲れ[様さま]{{1,2}}です|お世話にな(?:っております|ります)|こんにちは|こんばんは|おはようございます|はじめまして|初めまして|ご無沙汰しております|ごぶさたしております|お世話様です)[、。!\s]{{1,3}}(?:[^\n。、]{{1,24}}の)?(?P<v>{FULL}|{_K}{{2,4}})です",
        Need.ALONE,
        lambda value: certain(value) or surname_only(value),
        near="です",
        before=60,
        after=2,
    ),
    Form(
        rf"(?<![{KANJI}])(?:妻|夫|父|母|長男|次男|二男|三男|長女|次女|二女|三女|兄|弟|姉|妹)[ \t:|=]{{1,2}}(?P<v>{_K}{{2,3}})(?=[、。( \n]|\Z)",
        Need.ALONE,
        given_alone,
        near=f"[妻夫父母男女兄弟姉妹][ \t:|=]{{1,2}}[{KANJI}]{{2}}",
        before=4,
        after=6,
    ),
    Form(
        rf"(?:\d|番地|[番号])の?(?P<v>{_K}{{2,4}})方(?=[でにのへ、。 \n)]|\Z)",
        Need.ALONE,
        surname_only,
        near=f"[0-9地番号]の?[{KANJI}]{{2,4}}方",
        before=2,
        after=2,
    ),
    Form(
        rf"(?<![{KANJI}])(?:妻|夫|父|母|長男|次男|二男|三男|長女|次女|二女|三女|子|孫|兄|弟|姉|妹)[(](?P<v>{_K}{{2,3}})[)]",
        Need.ALONE,
        given_only,
        near="[妻夫父母男女子孫兄弟姉妹][(]",
        before=4,
        after=8,
    ),
    Form(
        rf"(?<![^\n])[ \t]{{0,3}}(?:\d{{1,3}}[.)番 ]{{1,2}})?(?P<v>{_K}{{2,4}})[ \t]{{1,4}}(?:済み?|未納?|納付?済|出席?|欠席?|[○×〇✓])(?=[ \t\n(]|\Z)",
        Need.ALONE,
        no_place,
        near=rf"[{KANJI}][ \t]{{1,4}}(?:済|未|納|出|欠|[○×〇✓])",
        before=12,
        after=6,
    ),
    Form(
        r"(?:[Rr]egards|[Ss]incerely|[Ww]ishes|[Tt]hanks|[Cc]heers|[Tt]ruly),?\n{1,3}(?P<v>[A-Z][a-z\-]{1,15} (?:[A-Z]\. )?[A-Z][A-Za-z\-]{1,15})(?=\n|\Z)",
        Need.ALONE,
        lambda value: not PROMPT.search(value),
        near="(?:egards|incerely|ishes|hanks|heers|ruly),?\n",
        before=4,
        after=48,
    ),
    Form(
        rf"(?<![^\n]) {{0,2}}(?P<v>{_K}{{2,4}}): {{0,2}}(?=[^\n]{{0,30}}[{HIRAGANA}]{{2}})",
        Need.ALONE,
        no_place,
        near=f"\n {{0,2}}[{KANJI}]{{2,4}}: {{0,2}}[^\\n]",
        before=2,
        after=40,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?P<v>{FULL})名義",
        Need.ALONE,
        certain,
        near="名義",
        before=12,
        after=2,
    ),
    Form(
        rf"(?<![^\n])\d{{1,2}}:\d\d\t(?P<v>{_K}{{2,4}}|{FULL}|[{HIRAGANA}]{{2,5}} [{HIRAGANA}]{{2,5}})\t",
        Need.ALONE,
        lambda value: certain(value) or no_place(value) or plausible(value),
        near=f"[0-9]:[0-9][0-9]\t[{KANJI}{HIRAGANA}]",
        before=4,
        after=16,
    ),
    *(
        Form(
            rf"(?<![{KANJI}{KATAKANA}])[{KANJI}]{{1,5}}[者人員官士師医][ \t:|=]{{1,3}}(?:{_K}{{2,4}}・){{{before}}}(?P<v>{_K}{{2,4}})(?=・{_K}{{2,4}}(?:[・ \n]|\Z)| {{0,3}}(?:\n|\Z))",
            Need.ALONE,
            no_place,
            near=f"[者人員官士師医][ \t:|=]{{1,3}}[{KANJI}]{{2,4}}・",
            before=6,
            after=24,
        )
        for before in range(4)
    ),
    Form(
        rf"(?<![A-Za-z])(?i:{_WHOSE})[ _]?(?i:full[ _]?)?[Nn]ame[\"']?[ ]?[:=>][ \"']{{0,3}}(?P<v>{_LATIN})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        latin_name,
        near="[Nn]ame[\"']?[ ]?[:=>][ \"']{0,3}[A-Z]",
        before=24,
        after=64,
    ),
    Form(
        rf"(?<![A-Za-z_\-])[Nn]ame[\"']?[ ]?[:=>][ \"']{{0,3}}(?P<v>{_LATIN})(?=[^{{}}A-Za-z0-9_\-][^{{}}]{{0,100}}?(?i:e-?mail|phone|tel|mobile|birth|dob)[A-Za-z_ ]{{0,12}}[\"']?[ ]?[:=>])",
        Need.ALONE,
        latin_name,
        near="[Nn]ame[\"']?[ ]?[:=>][ \"']{0,3}[A-Z]",
        before=2,
        after=200,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])(?:{_ROLES}|{_OFFICERS})[ \t:|=]{{1,3}}(?P<v>[{SINGLE}])(?![^ \n印、)])",
        Need.ALONE,
        near=f"(?:{_ROLE_ENDS}|[幹佐頭諭])[ \t:|=]{{1,3}}[{SINGLE}]",
        before=8,
        after=6,
    ),
    Form(
        rf"(?:{_ALONE}|(?<=[のは、]))(?P<v>{FULL})(?=と申し|でございます|です。お世話|です\n)",
        Need.ALONE,
        certain,
        near="と申し|でございます|です[。\n]",
        before=16,
        after=8,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?=まで(?:ご?連絡|お知らせ|お問)|宛(?:[てに \n]|\Z)|より[。\n])",
        Need.ALONE,
        _sure,
        near="まで|宛|より",
        before=16,
        after=8,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL}) ?(?:課長|部長|係長|社長|専務|常務|主任|次長|補佐|主査|主事|教授|医師|院長|校長|園長|店長|所長|会長)(?![{KANJI}])",
        Need.ALONE,
        certain,
        near="課長|部長|係長|社長|専務|常務|主任|次長|補佐|主査|主事|教授|医師|院長|校長|園長|店長|所長|会長",
        before=16,
        after=4,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL}|{_K}{{2,4}})(?<![ご御]) ?(?:[ご御](?:夫妻|夫婦|一家)|[ご御]?一同様|邸(?![{KANJI}]))",
        Need.ALONE,
        _named,
        near="夫妻|夫婦|一家|一同様|邸",
        before=16,
        after=4,
    ),
    Form(
        rf"(?:敬具|草々|かしこ|よろしくお(?:願|ねが)い[^\n]{{0,16}}|お待ちして[^\n]{{0,12}})[。!]?\n{{1,3}} {{0,20}}(?P<v>{FULL}|{_K}{{2,4}})(?= {{0,3}}(?:\n|\Z))",
        Need.ALONE,
        _named,
        near="敬具|草々|かしこ|よろしくお|お待ちして",
        before=2,
        after=80,
    ),
    Form(
        rf"(?<![A-Za-z])(?:From|To|Cc|CC|Bcc|差出人|送信者|宛先|受信者|お客[様さま]{{1,2}}(?:氏)?名|ご?署名|ご芳名) ?[: ] {{0,2}}(?P<v>{FULL}|{_K}{{2,4}})(?=[ ;,<(\n]|\Z)",
        Need.ALONE,
        _named,
        near="From|To|Cc|CC|Bcc|差出人|送信者|宛先|受信者|お客|署名|芳名",
        before=2,
        after=28,
    ),
    Form(
        rf"\d ?年 ?[0-9A-Za-z]{{1,2}} ?組 {{0,2}}(?:\d{{1,2}} ?番 {{0,2}})?(?P<v>{FULL}|{_K}{{2,4}})(?= {{0,2}}(?:[\n、。(]|\Z))",
        Need.ALONE,
        _named,
        near="年 ?[0-9A-Za-z]{1,2} ?組",
        before=4,
        after=24,
    ),
    Form(
        rf"名前(?:[(][^()\n]{{1,8}}[)])?[ \t:|=]{{1,4}}(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        likely,
        near=r"名前(?:[(][^()\n]{1,8}[)])?[ \t:|=]{1,4}",
        before=2,
        after=20,
    ),
    Form(
        rf"名前(?:[(][^()\n]{{1,8}}[)])?[ \t:|=]{{1,4}}(?P<v>{_TWO})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        latin,
        near=r"名前(?:[(][^()\n]{1,8}[)])?[ \t:|=]{1,4}[A-Z]",
        before=2,
        after=36,
    ),
    Form(
        rf"(?:名前|氏名)は、?(?P<v>{FULL})(?=です|と申|、|。)",
        Need.ALONE,
        likely,
        near="(?:名前|氏名)は",
        before=2,
        after=20,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})とのトーク",
        Need.ALONE,
        certain,
        near="とのトーク",
        before=16,
        after=2,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?:Dr\.? ?)?(?P<v>{_K}{{2,4}})(?=でございます|と申します|へ報告)",
        Need.ALONE,
        surname_only,
        near="でございます|と申します|へ報告",
        before=8,
        after=2,
    ),
    Form(
        rf"(?<![{KANJI}])私[(、 ]{{1,2}}(?P<v>{FULL})[)、 ]{{0,2}}は",
        Need.ALONE,
        certain,
        near="私",
        before=2,
        after=20,
    ),
    Form(
        rf"(?:株式会社|有限会社|合同会社|法人|組合)[^\n、。]{{0,20}}の(?P<v>{_K}{{2,4}})(?=と申し|でございます|です[。、\s])",
        Need.ALONE,
        surname_only,
        near="と申し|でございます|です",
        before=40,
        after=8,
    ),
    Form(
        rf"(?:Name|Customer|Contact|Attn|Attention|Patient|Guest|Passenger|Applicant|Employee|Payee|PATIENT|GUEST|NAME|CUSTOMER|PASSENGER|name|contact|Dear|[Rr]egards|[Ss]incerely|Mr|Ms|Mrs|Dr|Prof)[.:,]{{0,2}}[ \n]{{1,3}}(?P<v>{_TWO})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        latin,
        near="(?:Name|Customer|Contact|Attn|Attention|Patient|Guest|Passenger|Applicant|Employee|Payee|PATIENT|GUEST|NAME|CUSTOMER|PASSENGER|name|contact|Dear|egards|incerely|Mr|Ms|Mrs|Dr|Prof)[.:,]{0,2}[ \n]{1,3}[A-Z]",
        before=2,
        after=36,
    ),
    Form(
        r"(?<![A-Za-z])(?:Mr|Ms|Mrs|Miss|Dr|Prof)\.? (?P<v>[A-Z][a-z\-]{1,15} [A-Z][A-Za-z\-]{1,15})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        lambda value: not PROMPT.search(value),
        near="(?:Mr|Ms|Mrs|Miss|Dr|Prof)[.]? [A-Z]",
        before=2,
        after=36,
    ),
    Form(
        r"(?<![A-Za-z])(?:Mr|Ms|Mrs|Dr|Prof)\.? (?P<v>[A-Z][a-z]{2,14})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        latin_surname,
        near="(?:Mr|Ms|Mrs|Dr|Prof)[.]? [A-Z]",
        before=2,
        after=18,
    ),
    Form(
        r"(?<![A-Za-z0-9_\-])(?P<v>[A-Z][a-z]{2,14})-san(?![A-Za-z0-9_\-])",
        Need.ALONE,
        latin_surname,
        near="-san",
        before=18,
        after=2,
    ),
    Form(
        rf"(?:{_FORMAL}) {{0,2}}:? {{0,3}}(?P<v>{_TWO})(?![A-Za-z0-9_\-])",
        Need.ALONE,
        lambda value: not PROMPT.search(value),
        near=f"(?:{_FORMAL}) {{0,2}}:? {{0,3}}[A-Z]",
        before=2,
        after=36,
    ),
    Form(
        rf"(?<![^\n])N(?:;[^:\n]{{1,40}})?:(?P<v>{_K}{{1,4}});",
        Need.ALONE,
        plausible,
        near=f"\nN[;:][^\n;]{{0,40}}[{KANJI}];",
        before=2,
        after=2,
    ),
    Form(
        rf"(?<![^\n])N(?:;[^:\n]{{1,40}})?:{_K}{{1,4}};(?P<v>{_K}{{1,4}}|[{HIRAGANA}]{{2,5}}|[{KATAKANA}]{{2,6}});",
        Need.ALONE,
        plausible,
        near=f"\nN[;:][^\n;]{{0,40}}[{KANJI}];",
        before=2,
        after=8,
    ),
    Form(
        rf"(?:氏 {{0,3}}名|お名前|姓名|ローマ字|英字)(?:[(][^()\n]{{1,6}}[)])?[\"'】\])]{{0,2}}(?:</t[hd]>\s?<td>)?[ \t]{{0,2}}[:=)]?[ \t\"']{{0,3}}\n?(?P<v>{_LATIN})(?![A-Za-z0-9_=:/])",
        Need.ALONE,
        lambda value: not PROMPT.search(value),
        near="氏 {0,3}名|お名前|姓名|ローマ字|英字",
        before=2,
        after=64,
    ),
    Form(
        rf"氏 {{0,3}}名 {{0,2}}:? {{0,3}}{_LATIN} {{1,3}}[(]?(?P<v>{FULL})",
        Need.ALONE,
        certain,
        near="氏 {0,3}名",
        before=2,
        after=80,
    ),
    Form(
        rf"(?:[Nn]ame ?[(][^()\n]{{1,16}}[)] ?[:=]|FN(?:;[A-Za-z0-9=\-]{{1,40}}){{1,3}}:) {{0,3}}(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near="[Nn]ame ?[(]|FN;",
        before=2,
        after=80,
    ),
    Form(
        rf"氏 {{0,3}}名[^\n{KANJI}]{{0,48}}\n {{0,8}}(?P<v>{FULL})(?![^ \n印])",
        Need.ALONE,
        certain,
        near="氏 {0,3}名",
        before=2,
        after=80,
    ),
)
"""A whole name, known by what stands beside it: a number, an address, a reading, a birth date, a
role. No label names it, so it must be beyond doubt."""

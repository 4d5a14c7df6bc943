"""Whole names that no label names, known by what stands beside them, or beyond doubt.

A number, an address, a reading, a birth date, a mail address, a role or a firm beside a name tells
that it is one; so does a gap between a known surname and a given name. No label says so, hence the
name must be whole (`names.certain`).
"""

import re

from hakushi.detect.detector import Form, Need
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA
from hakushi.detect.names import FULL, NEXT, certain, given_only, surname_only, unmistaken
from hakushi.detect.postal import PREFECTURES

_K = f"[{KANJI}ヶケノ]"
_ROLES = (
    "父|母|妻|夫|長男|次男|二男|三男|四男|長女|次女|二女|三女|四女|祖父|祖母|孫|兄|弟|姉|妹|養子|養父|養母|実父|実母|義父|義母|子"
    "|故|喪主|施主|遺族|親権者|後見人|保佐人|対象児|対象者|対象児童|児童|生徒|園児|入所者|入居者|利用者|参加者|出席者|欠席者|受講者|受験者"
    "|当選者|合格者|応募者|当事者[甲乙丙]?|被害者|加害者|目撃者|滞納者|債務者|債権者|依頼人|ご依頼人|差出人|訪問者|来庁者|相談者"
    "|作成者|記入者|記録者|報告者|起案者|起票者|承認者|確認者|検査者|点検者|撮影者|発行者|受付者|管理者|責任者|主治医|担任"
    "|会長|副会長|会計|監事|幹事|書記|班長|副班長|組長|支部長|部会長|民生委員|理事|顧問|相談役|代表|社長|専務|常務|店長|主将|部長|監督"
    "|名前|なまえ|おなまえ|芳名|ご芳名|宛先|送り主|筆者|執筆者|発信者|使用者|当直者|宿直者|当番|ヘルパー|担当ヘルパー|担当医|担当職員|看護師"
)
_ROLE_ENDS = (
    "[父母妻夫男女孫兄弟姉妹子故主者族人児童徒甲乙丙医任長計事記員問役表務将督前え名先番ー]"
)
_OFFICERS = (
    "課長|課長補佐|部長|係長|局長|所長|室長|次長|主任|主事|主査|参事|主幹|副主幹|支店長|店長|専務|常務|社長|会長|工場長|センター長|班長"
    "|承認者|確認者|作成者|記入者|起案者|検査者|点検者|受付者|報告者|責任者|管理者|審査者|照査者|立会者"
)
_BORN = r"(?:(?:明治|大正|昭和|平成|令和|[MTSHR])? ?(?:\d{1,4}|元) ?[年./\-] ?\d{1,2} ?[月./\-] ?\d{1,2})"
_READ = (
    rf"(?:[{KATAKANA}]{{2,8}}[ ・]?[{KATAKANA}]{{2,8}}|[{HIRAGANA}]{{2,8}} [{HIRAGANA}]{{2,8}}"
    rf"|[{HIRAGANA}]{{4,12}})"
)
_ALONE = rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}ヶケノ0-9A-Za-z])"
"""What a whole name that stands by itself does not have before it."""

_LATIN = r"[A-Z][A-Za-z'\-]{1,20}(?:,? [A-Z][A-Za-z'\-]{0,20}){1,3}"

_PROMPT = re.compile(
    r"\b(?:Name|Please|Enter|Your|Example|Sample|User|Guide|First|Last|Input|Address|Phone|Date|Birth|Test)\b",
    re.IGNORECASE,
)

_GAPPED = rf"{_K}{{2,4}} {{1,2}}{NEXT}(?:{_K}{{1,3}}|[{HIRAGANA}]{{2,4}})"
"""A surname and a given name with a gap between them."""

EVIDENCE = (
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?: ?[(][^()\n]{{1,12}}[)])?[ \t|,、:/]{{1,6}}"
        r"(?:(?:電話|携帯|自宅|TEL|Tel|℡|☎)[ :]{0,3})?[(]?0\d{1,4}[)(\-]\d",
        Need.ALONE,
        certain,
        near="0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3}",
        before=44,
        after=16,
    ),
    Form(
        rf"{_ALONE}(?P<v>{FULL})(?: ?[(][^()\n]{{1,12}}[)])?[ \t|,、:/]{{1,20}}"
        rf"(?:〒? ?\d{{3}}-\d{{4}} {{0,3}})?(?={'|'.join(PREFECTURES)})",
        Need.ALONE,
        certain,
        near="|".join(PREFECTURES),
        before=64,
        after=4,
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
        rf"(?<![{KANJI}{KATAKANA}])(?:{_ROLES})(?:\d{{1,2}}|[(][^()\n]{{1,8}}[)])?[ :]{{1,4}}(?P<v>{FULL})"
        rf"(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near=f"{_ROLE_ENDS}(?:[0-9]{{1,2}}|[(][^()\\n]{{1,8}}[)])?[ :]",
        before=8,
        after=24,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])(?:{_OFFICERS})[ :]{{1,3}}(?P<v>{_K}{{2,4}})(?![^ \n印])",
        Need.ALONE,
        surname_only,
        near="[長任事査幹佐務者][ :]",
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
        rf"(?P<v>{_GAPPED})(?=[ \t\n]|\Z)",
        Need.ALONE,
        certain,
        near=rf"\n[> 0-9.):番号No、\[\]午前後\t]{{0,10}}[{KANJI}]{{1,4}} {{1,2}}[{KANJI}ぁ-ゖ]",
        before=2,
        after=12,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}ヶケノ0-9A-Za-z＝=])(?=(?P<v>{_GAPPED})(?![{KANJI}{HIRAGANA}{KATAKANA}0-9A-Za-z]))",
        Need.ALONE,
        unmistaken,
        near=rf"[{KANJI}]{{2,4}} {{1,2}}[{KANJI}ぁ-ゖ]",
        before=2,
        after=8,
    ),
    Form(
        rf"(?:番号 ?\d{{1,6}}番?[ :]{{1,3}}|(?<![A-Za-z])CN=[\"']?)(?P<v>{FULL})(?![{KANJI}{HIRAGANA}{KATAKANA}])",
        Need.ALONE,
        certain,
        near="番号 ?[0-9]{1,6}番?[ :]|CN=",
        before=2,
        after=20,
    ),
    Form(
        rf"(?<![{KANJI}{KATAKANA}])[{KANJI}]{{1,5}}[者人係員] ?: {{0,2}}(?P<v>{_K}{{2,4}})(?![^ \n印(、])",
        Need.ALONE,
        surname_only,
        near="[者人係員] ?:",
        before=6,
        after=10,
    ),
    Form(
        rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}])(?P<v>{_K}{{2,4}})(?:課長|部長|係長|社長|専務|常務|主任|次長|補佐|主査|主事|教授|医師|先生)(?![{KANJI}])",
        Need.ALONE,
        surname_only,
        near="課長|部長|係長|社長|専務|常務|主任|次長|補佐|主査|主事|教授|医師|先生",
        before=6,
        after=4,
    ),
    Form(
        rf"(?:お疲れ[様さま]{{1,2}}です|お世話にな(?:っております|ります)|こんにちは|おはようございます|はじめまして)[、。\s]{{1,3}}(?P<v>{_K}{{2,4}})です",
        Need.ALONE,
        surname_only,
        near="です",
        before=32,
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
        rf"(?:氏 {{0,3}}名|お名前|姓名|ローマ字|英字) {{0,2}}[:)]? {{0,3}}(?P<v>{_LATIN})(?![A-Za-z0-9_=:/])",
        Need.ALONE,
        lambda value: not _PROMPT.search(value),
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

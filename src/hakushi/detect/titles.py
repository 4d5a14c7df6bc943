"""Titles of forms that tell of one person: a line of its own, with a form's fields below it."""

from __future__ import annotations

from hakushi.detect.detector import Form, Need

_YEAR = r"(?:(?:令和|平成|昭和) ?(?:\d{1,2}|元) ?年(?:度| ?\d{1,2} ?月)?分? {0,2})?"
_BEFORE = (
    r"(?:(?:市町村?民税|市民税|区民税|町民税|村民税|県民税|府民税|都民税|道民税|住民税|都市計画税|固定資産税"
    r"|軽自動車税(?:種別割)?|自動車税(?:種別割)?|個人事業税|不動産取得税|森林環境税|国民健康保険(?:税|料)?|介護保険料?"
    r"|後期高齢者医療(?:保険料)?|給与所得等?(?:に係る|の)|退職所得の|特別徴収|普通徴収|所得・?|相続税の?|所得税の?|贈与税の?|児童|特別|保育料"
    r"|水道料金|国税|地方税|市税|県税|町税|税額|納付|等)[・·、 ]{0,2}){0,5}(?:の)?"
)
_FIELDS = (
    r"(?:氏 {0,3}名|住 {0,3}所|生年月日|納税義務者|納税者|宛名|世帯主|世帯員"
    r"|本 {0,3}籍|筆頭者|通知書番号|整理番号|被保険者|受給者|受取人|支払を受ける者"
    r"|申請者|届出人|個人番号|患者|続柄|[様殿](?![々一-龠ぁ-んァ-ヶ]))"
)


def title(words: str) -> tuple[Form, ...]:
    """The forms of a detector for some titles, given as alternatives of a pattern."""
    return (
        Form(
            rf"(?<![^\n]) {{0,40}}(?P<v>{_YEAR}{_BEFORE}(?:{words})(?:兼[一-龠]{{2,8}})?)"
            rf"(?: {{0,3}}\([^()\n]{{0,16}}\))? {{0,40}}(?![^\n])(?=[\s\S]{{0,500}}?{_FIELDS})",
            Need.ALONE,
            near=f"(?:{words})",
            before=80,
            after=560,
        ),
    )

"""銀行口座: the account number beside its bank, branch and type; ゆうちょ by 記号 and 番号."""

from hakushi.detect import zengin
from hakushi.detect.detector import Detector, Form, Need
from hakushi.detect.fold import KANJI, KATAKANA


def prove(value: str) -> bool:
    """Four to eight digits, or ゆうちょ's five and up to eight; not all zero."""
    return 4 <= len(value) <= 14 and set(value) != {"0"}


_TYPE = r"(?:普通|当座|貯蓄|定期|総合|普|当)"
_BANK = r"(?:銀行|信用金庫|信金|信用組合|信組|農協|農業協同組合|漁協|労働金庫|労金|ゆうちょ|金庫|支店|出張所|営業部|本店|本所|口座|振込|振替|引落|預金|[^\s]{1,8}店)"
_NUMBER = r"\d{7}(?![0-9\-])|\d{6}(?![0-9\-])|\d{3}-\d{4}(?![0-9\-])"

PLUGIN = Detector(
    kind="bank_account",
    source="Zengin format: bank 4, branch 3, type 1, account 7 digits; Japan Post Bank: 5 and up to 8",
    forms=(
        Form(
            rf"{_BANK}[^\n0-9]{{0,12}}(?:[(\[]?\d{{3,4}}[)\]]?)?[^\n0-9]{{0,12}}{_TYPE}(?:預金|貯金)?(?:口座)?(?:番号)?[)）]? {{0,3}}[:=\-/,、]? {{0,3}}(?:No\.? ?|口座番号 ?:? ?|№ ?)?(?P<v>{_NUMBER})",
            Need.ALONE,
            near=r"普通|当座|貯蓄|定期|総合|[普当] ?[)0-9]",
            before=64,
            after=48,
        ),
        Form(
            rf"(?<![^\s:、,(「・/\-\"]){_TYPE}(?:預金|貯金)(?:口座)?(?:番号)?[)）]? {{0,3}}[:=\-/,、]? {{0,3}}(?:No\.? ?|№ ?)?(?P<v>{_NUMBER})",
            Need.ALONE,
            near=r"普通|当座|貯蓄|定期|総合|[普当] ?[)0-9]",
            before=64,
            after=48,
        ),
        Form(
            rf"[(](?:普|当)[)] ?(?P<v>{_NUMBER})",
            Need.ALONE,
            near=r"[(][普当][)]",
            before=2,
            after=16,
        ),
        Form(
            rf"{_TYPE}(?:預金|貯金)?[\"']? {{0,2}}[,;]\s{{0,8}}[\"']?(?:account_?|acct_?)?(?:number|no|Number|No)[\"']? {{0,2}}[:=] {{0,2}}[\"']?(?P<v>\d{{7}})(?![0-9\-])",
            Need.ALONE,
            near=r"(?:普通|当座|貯蓄)(?:預金|貯金)?[\"']? {0,2}[,;]",
            before=2,
            after=48,
        ),
        Form(
            r"記号 {0,3}[:=]? {0,3}(?P<v>1\d{4}(?:-\d)? {0,4}[\-/,、・]? {0,4}(?:番号)? {0,3}[:=]? {0,3}\d{1,7}1)(?![0-9])",
            Need.ALONE,
            near="記号",
            before=2,
            after=40,
        ),
        Form(
            rf"(?<![^\s:、,(・])(?:普通|当座) {{1,3}}(?P<v>\d{{7}})[ ,]{{1,3}}(?:[{KATAKANA}]{{2,10}} [{KATAKANA}]{{2,10}}|[{KANJI}]{{1,4}} [{KANJI}]{{1,4}})",
            Need.ALONE,
            near="(?:普通|当座) {1,3}[0-9]{7}",
            before=2,
            after=32,
        ),
        Form(
            rf"{zengin.BEFORE}(?P<v>\d{{7}}){zengin.BEHIND}",
            Need.ALONE,
            near=zengin.NEAR,
            before=zengin.REACH,
            after=zengin.REACH,
        ),
        Form(r"(?<![0-9A-Za-z\-])(?P<v>\d{6,8})(?![0-9A-Za-z\-])"),
        Form(
            r"(?<![0-9A-Za-z\-])(?P<v>\d{3}-\d{4}|\d{3}-\d{7}|\d{4}-\d{3}-\d{7})(?![0-9A-Za-z\-])"
        ),
    ),
    labels=(
        "口座番号",
        "口座No",
        "座番",
        "口座",
        "振込先口座",
        "振込口座",
        "預金口座番号",
        "普通預金",
        "当座預金",
        "account number",
        "account_no",
        "account_number",
        "普通口座",
        "貯金番号",
    ),
    header=r"口座(?:番号|no\.?)?|(?:bank_?)?account_?(?:no|number)|kouza_?(?:bango|no)|振込先|振込口座",
    cell=(
        r"(?:普通|当座|貯蓄|普|当)?(?:預金)? ?(?P<v>\d{6,8})",
        rf"[^0-9]{{2,40}}{_TYPE}(?:預金|貯金)?(?:口座)? ?(?P<v>\d{{6,8}})",
        r"(?P<v>1\d{4}(?:-\d)?-\d{1,8})",
    ),
    prove=prove,
    shapes=(r"(?i:account[_ ]?(?:no|number)[\"':=, \t]{1,4}[0-9])", r"(?i:account_n(?:o|umber),)"),
    yes=(
        ("口座振替 横浜銀行 本店 普通 9575198", "9575198"),
        ("みずほ銀行　渋谷支店（普通預金）１２３４５６７", "１２３４５６７"),
        ("口座番号：1234567", "1234567"),
        ("普通預金 №4122923", "4122923"),
        ("（普）0304663", "0304663"),
        ('"type":"普通","number":"0098123"', "0098123"),
        ("お受取人 福井銀行 武生支店 普通 1120458", "1120458"),
        ("ゆうちょ銀行 記号 10120 番号 12345671", "10120 番号 12345671"),
        ("普通 2287451 オオニシ タカシ", "2287451"),
        (zengin.EXAMPLE.format("ｻﾄｳ ﾊﾅｺ"), "2098765"),
    ),
    no=("普通車 1234567", "整理番号 1234567", "普通に 3000000 円", "数量 1234567"),
)

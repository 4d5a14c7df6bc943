"""Forms about health, welfare and crime, by their titles: data that the law protects most."""

from hakushi.detect.detector import Detector
from hakushi.detect.titles import title

_WORDS = (
    "診断書|診療報酬明細書|診療情報提供書|診療録|処方箋|処方せん|紹介状|手術同意書|健康診断(?:書|結果(?:通知書|報告書)?|個人票)"
    "|ストレスチェック結果(?:通知書)?|予防接種(?:済証|予診票)|母子健康手帳|身体障害者手帳|療育手帳|精神障害者保健福祉手帳|障害者手帳"
    "|障害(?:支援)?区分認定通知書|要介護認定(?:申請書|結果通知書|等?通知書)|主治医意見書|生活保護(?:申請書|決定通知書|受給証明書|台帳)"
    "|保護(?:決定|変更|廃止)通知書|児童相談記録|ケース記録|起訴状|判決書?|犯罪経歴証明書|前科調書|捜査報告書|被害届|供述調書"
)

PLUGIN = Detector(
    kind="sensitive_form",
    source="APPI art. 2 (3) and Cabinet Order art. 2: data that need special care",
    forms=title(_WORDS),
    normal=lambda value: value,
    literals=(
        "診断書", "診療報酬明細書", "診療情報提供書", "診療録", "処方箋", "健康診断", "障害者手帳", "療育手帳", "要介護認定",
        "主治医意見書", "生活保護", "保護決定通知書", "起訴状", "犯罪経歴証明書", "被害届", "供述調書", "母子健康手帳",
    ),
    yes=(
        ("診断書\n\n氏名 山田 太郎\n病名 架空の病\n", "診断書"),
        ("　生活保護決定通知書\n佐藤 花子 様\n", "生活保護決定通知書"),
        ("健康診断結果通知書\n受診者氏名 鈴木 一郎\n", "健康診断結果通知書"),
    ),
    no=(
        "診断書の様式は次のとおりです。",
        "診断書\n",
        "自己診断書き込みテスト\n氏名\n",
    ),
)  # fmt: skip

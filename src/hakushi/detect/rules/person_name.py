"""氏名: anchored by 様, 殿, 氏, a label, an introduction, a column; or whole, beyond doubt (`whole_names`)."""

import re

from hakushi.detect.detector import Detector, Form, Need, mask_word
from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA, VARIANTS
from hakushi.detect.names import (
    FULL,
    NAME,
    NEXT,
    SINGLE,
    certain,
    given_only,
    latin_name,
    latin_part,
    likely,
    narrow,
    plausible,
    surname_of,
)
from hakushi.detect.whole_names import EVIDENCE

_K = f"[{KANJI}ヶケノツ]"
_LABELS = (
    "氏名",
    "お名前",
    "御名前",
    "姓名",
    "ご氏名",
    "申請者",
    "申請者氏名",
    "届出人",
    "届出者",
    "世帯主",
    "世帯主氏名",
    "納税義務者",
    "納税者",
    "被保険者",
    "被保険者氏名",
    "代表者",
    "代表者氏名",
    "代表者名",
    "受取人",
    "口座名義",
    "口座名義人",
    "名義人",
    "担当者名",
    "本人氏名",
    "患者氏名",
    "患者名",
    "児童氏名",
    "生徒氏名",
    "保護者",
    "保護者氏名",
    "保護者名",
    "緊急連絡先氏名",
    "契約者",
    "契約者名",
    "契約者氏名",
    "所有者",
    "所有者氏名",
    "相続人",
    "被相続人",
    "代理人",
    "連帯保証人",
    "保証人",
    "申込者",
    "申込者氏名",
    "請求者",
    "請求者氏名",
    "宛名",
    "代表取締役",
    "代表取締役社長",
    "代表社員",
    "理事長",
    "続柄 本人",
    "配偶者",
    "配偶者氏名",
    "扶養者",
    "使用者氏名",
    "職員氏名",
    "社員氏名",
    "利用者氏名",
    "利用者名",
    "受給者",
    "受給者氏名",
    "届出者氏名",
    "氏 名",
    "死亡者",
    "筆頭者",
    "氏名又は名称",
    "名前又は名称",
    "姓名又は名称",
    "氏名・名称",
    "name",
    "FN",
    "【名】",
    "【父】",
    "【母】",
    "【氏名】",
    "名義",
    "full name",
    "member name",
    "customer name",
    "applicant name",
    "patient name",
    "employee name",
    "student name",
    "staff name",
    "contact name",
    "owner name",
    "guardian name",
    "recipient name",
    "last name",
    "first name",
    "family name",
    "given name",
    "sei",
    "mei",
    "担当",
    "担当者",
)
_FULL = re.compile(FULL)


def _normal(value: str) -> str:
    if value.isascii():
        return " ".join(value.title().split())
    return value.replace(" ", "").replace("・", "").translate(VARIANTS)


def _strict(value: str) -> bool:
    """A name with a surname that we know, where the anchor itself is weak."""
    return plausible(_normal(value), known=True)


def _labelled(value: str) -> bool:
    """A name beside its label: one kanji alone only where it is a surname that we know."""
    bare = _normal(value)
    return plausible(bare) and (len(bare) > 1 or bool(surname_of(bare)))


def _related(value: str) -> bool:
    """A name before its place in a family: a surname that we know, or the end of a given name."""
    bare = _normal(value)
    return _labelled(value) and (
        bool(surname_of(bare)) or given_only(bare) or not _FULL.match(bare)
    )


def _gentleman(value: str) -> bool:
    """X氏: a full name, or a surname that we know; 同氏 and 源氏 are none."""
    bare = _normal(value)
    return plausible(bare) and (len(bare) >= 4 or _strict(bare) or certain(value))


def _intro(value: str) -> bool:
    """X課のYです: Y is a name, not work, a plan or a person's role."""
    words = (
        "仕事 予定 管轄 予算 案内 連絡 電話 住所 職員 担当 担当者 責任者 代表 番号 場合 問題 対象 結果 意見 方針 決定 指示 管理 "
        "業務 所管 発行 提供 主催 共催 協力 運営 建物 施設 場所 隣 前 後 横 中 上 下 先 件 者 人 物 方 例 通り 窓口 受付 会議 資料 回答 内容 "
        "制度 事業 計画 報告 書類 入口 出口 裏 向 向かい 近く 一員 一人 出身 所属 勤務 在籍 新人 社員 部長 課長 係長 所長 局長 室長"
    ).split()
    value = _normal(value)
    return plausible(value) and value not in words and (len(value) <= 4 or bool(surname_of(value)))


PLUGIN = Detector(
    kind="person_name",
    source="Anchors of Japanese office letters; surnames from our own list",
    forms=(
        Form(
            rf"(?P<v>{NAME}) {{0,3}}(?:様(?:方|宅|邸|名義|分|宛|用)?|殿)(?![{KANJI}])(?!式|[ \n]{{0,2}}々)",
            Need.ALONE,
            near="[様殿]",
            before=32,
            after=6,
        ),
        Form(
            rf"(?:課|部|室|局|所|係|社|店|署|庁|会|院|校|園|科|センター|グループ|チーム|支店|銀行)の(?P<v>{_K}{{1,5}}(?: {_K}{{1,4}})?)"
            r"(?=と申します|でございます|です[。、\s]|と申し)",
            Need.ALONE,
            _intro,
            near="と申し|でございます|です",
            before=24,
            after=8,
        ),
        Form(
            rf"(?:代表取締役(?:社長|会長)?|代表社員|代表理事|理事長|取締役社長)[ :\n]{{1,3}}(?P<v>{_K}{{1,5}} {NEXT}{_K}{{1,5}}|{_K}{{2,7}}(?:[{HIRAGANA}]{{2,4}})?)(?![{KANJI}{HIRAGANA}])",
            Need.ALONE,
            near="代表取締役|代表社員|代表理事|理事長|取締役社長",
            before=4,
            after=24,
        ),
        Form(
            rf"(?:(?<![{KANJI}{HIRAGANA}{KATAKANA}])|(?<=[のはがとも]))(?P<v>{NAME}) {{0,2}}氏(?:(?=[宅側方])|(?![{KANJI}]))",
            Need.ALONE,
            _gentleman,
            near="氏",
            before=24,
            after=4,
        ),
        Form(
            rf"(?<![{KANJI}{KATAKANA}])(?P<v>{_K}{{1,5}} ?(?:{_K}{{1,4}}|[{HIRAGANA}]{{2,5}})) ?[(（] ?[{KATAKANA}]{{2,8}} ?[{KATAKANA}]{{2,8}} ?[)）]",
            Need.ALONE,
            lambda value: certain(value) or (" " not in value and _strict(value)),
            near=f"[(] ?[{KATAKANA}]",
            before=16,
            after=32,
        ),
        Form(
            rf"(?<![{KANJI}{HIRAGANA}{KATAKANA}(])(?P<v>{_K}(?: {_K}){{2,5}}|{_K}{{1,5}} {NEXT}{_K}{{1,5}}(?:[{HIRAGANA}]{{1,3}})?|{_K}{{1,5}} [{HIRAGANA}]{{2,5}}[江子枝代美香奈恵]?|{_K}{{1,5}} ?{NEXT}[{KATAKANA}]{{2,6}}[子江代枝美]?|{_K}{{1,7}}[{HIRAGANA}]{{2,4}}|{_K}{{1,7}}|[{KATAKANA}]{{2,10}}(?:[・ ][{KATAKANA}]{{2,10}}){{1,3}})(?![{KANJI}{HIRAGANA}{KATAKANA}0-9A-Za-z])(?! ?:)",
            prove=_labelled,
        ),
        Form(
            rf"(?<![{KANJI}{KATAKANA}])(?P<v>{NAME}) {{0,3}}(?:さん|さま(?!ざま|たは)|くん|ちゃん|先生|君(?![{KANJI}]))",
            Need.ALONE,
            lambda value: _strict(value) or likely(value) or value in SINGLE,
            near="さん|さま|くん|ちゃん|先生|君",
            before=28,
            after=4,
        ),
        Form(
            r"(?:課長|部長|係長|局長|所長|室長|次長|市長|町長|村長|区長|知事|議員|議長|委員長?|校長|教頭|院長|署長|館長|園長|主任|主事|主査|参事|主幹|補佐|弁護士|税理士|司法書士|行政書士|社会保険労務士|公認会計士|医師|教授|講師|原告|被告|申立人|相手方|債権者|債務者|被相続人) {1,3}"
            rf"(?P<v>{_K}{{1,5}} {{1,2}}{NEXT}{_K}{{1,5}}|{_K}{{3,6}})(?![{KANJI}{KATAKANA}])",
            Need.ALONE,
            lambda value: certain(value) or (" " not in value and _strict(value)),
            near="[長事員士師授告人方者任査幹佐] ",
            before=8,
            after=20,
        ),
        Form(
            rf"(?<![{KANJI}])(?P<v>{NAME}) ?[(](?:妻|夫|父|母|長男|次男|二男|三男|長女|次女|二女|三女|子|孫|祖父|祖母|兄|弟|姉|妹|義父|義母|本人|世帯主|配偶者|続柄|旧姓|\d\d?歳|満\d)",
            Need.ALONE,
            _related,
            near="[(](?:[妻夫父母長次二三子孫祖兄弟姉妹義本世配続旧満]|[0-9]{1,2}歳)",
            before=28,
            after=6,
        ),
        Form(
            rf"(?:課|部|室|局|係|署|庁|センター|支店|銀行|事務所)の(?P<v>{_K}{{1,4}}(?: ?{_K}{{1,4}})?)(?= ?[(](?:内|直|電|携|TEL|℡|0)|まで|宛|あて|より|が(?:担当|対応|伺|お)|に(?:お問|ご連|連絡)|へ(?:お問|ご連|連絡))",
            Need.ALONE,
            _intro,
            near="[課部室局係署庁ー店行所]の",
            before=4,
            after=24,
        ),
        *EVIDENCE,
    ),
    labels=_LABELS,
    header=(
        r"氏名|お名前|姓名|^名前|(?:[者人童徒員]|患者|お?客様)の?名前|^氏$|^姓$|^名$|氏名(?:又は|・)名称|(?:担当|申請|申込|保護|契約|所有|代表|利用|届出|請求|納税|受給|使用|登録|作成)者(?:氏)?名|世帯主(?:氏?名)?|"
        r"(?:患者|生徒|児童|園児|学生|職員|社員|会員|名義人|相続人|受取人|顧客|本人|従業員|入居者|被保険者|教員|委員|議員|組合員)(?:氏)?名|"
        r"^(?:連帯)?(?:契約者|保証人|使用者|利用者|申請者|申込者|届出[人者]|保護者|受給者|所有者|請求者|名義人|相続人|代表者|患者|児童|生徒|会員|社員|職員|入居者|入所者|参加者|受講者|出席者|講師|連名\d?|作成者|承認者|受付者|責任者|管理者|世帯主|配偶者|お?なまえ)$|納税義務者|被保険者|口座名義人?|宛名|"
        r"^(?:full|first|last|given|family|customer|user|person|employee|patient|client|member|staff|student|teacher|contact|owner|guest|applicant|holder|recipient|sender|parent|guardian|resident|tenant)?[_ ]?name$|^(?:sei|mei|shimei|namae)$|担当者?$|"
        r"^(?:主治医|担当医|執刀医|紹介医|医師|担任|副担任|所属長|筆頭者|保証人|後見人|債権者|債務者|滞納者|被相続人|喪主|施主|委任者|受任者|"
        r"寄[附付]者|推薦者|紹介者|報告者|記録者|起案者|決裁者|予約者|購入者|注文者|宿泊者|指導員|支援員|相談員|調査員|選手|部員|役員|理事|監事|班長|隊員|団員|ケアマネ(?:ジャー)?)$"
    ),
    cell=(
        rf"(?P<v>{_K}{{1,5}} {{0,2}}{_K}{{0,5}}[{HIRAGANA}]{{0,5}}) ?(?:様|殿|氏)?",
        rf"(?P<v>{_K}{{1,5}} {{0,2}}[{KATAKANA}]{{1,8}}) ?(?:様|殿|氏)?",
        rf"(?P<v>[{HIRAGANA}]{{1,6}} {{0,2}}(?:[{HIRAGANA}]{{1,6}}|{_K}{{1,4}})) ?(?:様|殿|氏)?",
        rf"(?P<v>[{KATAKANA}]{{1,12}}(?:[・= ]{{1,2}}[{KATAKANA}]{{1,12}}){{0,4}}) ?(?:様|殿|氏)?",
        r"(?P<v>[A-Z][A-Za-z'\-]{1,20},? [A-Z][A-Za-z'\-]{0,20}\.?(?: [A-Z][A-Za-z'\-]{1,20}){0,3})",
    ),
    part_header=(
        r"(?:first|last|given|family|middle|sur|fore)[_ ]?names?(?:[_ ]?\(?(?:en|roman|romaji|alphabet)\)?)?"
    ),
    part_cell=(r"(?P<v>[A-Z][A-Za-z'\-]{1,20})",),
    prove=lambda value: latin_name(value) or latin_part(value) or plausible(value),
    narrow=narrow,
    sure=lambda value: value.isascii() or len(surname_of(value)) > 1,
    normal=_normal,
    alike=lambda value: bool(_FULL.fullmatch(value)) and certain(value),
    mask=mask_word,
    literals=(r"\k\k\s様", r"\k\k\s殿", "と申します", "代表取締役"),
    shapes=(
        r"(?i:full|customer|patient|employee|applicant|member|client|guest)[_ ]?[Nn]ame[\"':=, \t>]{1,4}[A-Z]",
        r"\\u[3-9][0-9a-fA-F]{3}\\{1,2}u[3-9]",
        r"%[eE][3-9][%0-9a-fA-F]{6}%[eE][3-9]",
        r"&#(?:x[3-9][0-9a-fA-F]{3}|1[2-9]\d{3}|[2-3]\d{4});&#",
    ),
    yes=(
        ("足達　長吉 様", "足達　長吉"),
        ("お世話になっております。工事支援の瀬川です。", "瀬川"),
        ("部署,内線,担当\n市民課,2101,我那覇\n", "我那覇"),
        ("次女の仲宗根 盛一氏が同席", "仲宗根 盛一"),
        ("お電話でご相談の件、志賀浪麟作様（昭和５年生まれ）", "志賀浪麟作"),
        ("お世話になっております。県税事務所の橋本です。", "橋本"),
        ("代表取締役 近藤 裕美子 様", "近藤 裕美子"),
        ("氏名：山田　太郎", "山田　太郎"),
        ("氏名,電話\nLE VAN HUNG,03-1234-5678\n山田 太郎,03-2222-3333\n", "LE VAN HUNG"),
        ("name,tel\nJohn Smith,03-1234-5678\nAnne O'Neil,03-2222-3333\n", "John Smith"),
        ("Customer Name: Priya Sharma", "Priya Sharma"),
        ("first_name,last_name,email\nTaro,Yamada,taro@example.jp\n", "Taro"),
        ('{"name": "John Smith", "email": "js@example.com"}', "John Smith"),
        ("氏名 グエン ヴァン アン", "グエン ヴァン アン"),
        ("Dear Mr. Hiroshi Aoyagi,", "Hiroshi Aoyagi"),
        ("滞納 本多氏宅訪問", "本多"),
        ("09:15\t岸本\tおはよう！", "岸本"),
        ("昨日は田中様にお会いしました", "田中"),
        ("佐藤孝文様の書類", "佐藤孝文"),
        ("高橋奏多様", "高橋奏多"),
        ("岡田のぞみ様", "岡田のぞみ"),
        ("服部美咲様", "服部美咲"),
        ("申請者 岡田とし子", "岡田とし子"),
        ("申請者氏名 鈴木さくら", "鈴木さくら"),
        ("監事　大石 守　054-247-5520", "大石 守"),
        ("佐藤徹 045-210-1111", "佐藤徹"),
        ("白石 しんのすけ 090-1234-5678", "白石 しんのすけ"),
        ("2 石塚 亮（柏木） 栃木県小山市中央町1-1-1", "石塚 亮"),
        ("営業部\n戸田 晃司（とだ こうじ）", "戸田 晃司"),
        ("To: 大塚 誠 <otsuka@example.or.jp>", "大塚 誠"),
        ("対象児：向井 蒼空（平成27年6月18日生）", "向井 蒼空"),
        ("長男 桐谷 勇", "桐谷 勇"),
        ("決裁　課長　松岡　係長", "松岡"),
        ("私(塩田 瑞穂)は、提供します", "塩田 瑞穂"),
        ("株式会社オリオン企画の戸田です。", "戸田"),
        ("氏名 NGUYEN VAN AN", "NGUYEN VAN AN"),
        ("氏名 山田 太郎 フリガナ ヤマダ タロウ", "山田 太郎"),
        ("氏名 IKEDA MANAMI 池田 真奈美", "池田 真奈美"),
        ("議長 森　葵 氏は開会を宣した", "森　葵"),
        ("座席表\n1列 青山蓮 池田結衣 上原颯太", "池田結衣"),
        ("来週は山崎健太郎が伺います", "山崎健太郎"),
        ("領収証 柏木進 様", "柏木進"),
        ("氏名 猪股靖 出張先 仙台", "猪股靖"),
        ("利用者の名前: 水嶋 佳代\n体温", "水嶋 佳代"),
        ("姓名又は名称　有坂 透", "有坂 透"),
        ("離婚協議書\n夫三枝 航平（以下「甲」という。）と", "三枝 航平"),
        ("未提出者\n営業一課：神山、日比野、須藤（休）", "日比野"),
        ("当番表\n第1週 奥平　第2週 久保田", "久保田"),
        ("訪問日：1月18日\n記録：武智\n", "武智"),
        ("担当職員 生涯学習課 小出（内線2415）", "小出"),
        ("1列 佐野ひかり 石田キヨ 菅原修", "佐野ひかり"),
        ("証人 千葉聡 証人 木下司", "千葉聡"),
        ("(別紙) 清水 誠 名義変更後", "清水 誠"),
        ("保険医氏名志田 宏 印", "志田 宏"),
        ("訴訟代理人弁護士は瀬川 真紀", "瀬川 真紀"),
    ),
    no=(
        "NAME=名称",
        "高松税務署長 殿",
        "name: Build Docker Image\non: push",
        "name,tel\nAcme Corp,03-4444-5555\nRed Store,03-2222-3333\n",
        "皆様にお知らせします",
        "大西洋、高島平、森伊蔵、関ヶ原、百合ヶ丘、平方和、高水準",
        "番号 氏名 調定額 収入額",
        "設定されたさまざまな目標と、高さまたは幅。この様な設定や、記載された様に。",
        "不規則な幾何学文様と、ノイズ様のパターン",
        "お客様各位",
        "仕様書を確認し、同様に処理する",
        "この模様は多様である",
        "担当者様",
        "予算課の仕事です。",
        "森林、山口、大分、福島などの地名を含む。松竹梅、千代田、日立の製品を用いる。",
        "氏名を記入してください",
        "川崎支店 044-211-5555\n石川工務店 0761-22-3333\n福島 本社 024-521-1111",
        "会長 挨拶　会計 報告　監事 選任　理事 会　課長 印",
        "中村 遺跡 高知県四万十市",
        "長崎 原爆 (昭和20年8月9日)",
        "市民 窓口 <shimin@example.jp>",
        "氏名: Please Enter Your Name",
        "子 会社　妻 の 収入　作成者 総務部",
        "栗山 浅野 吉野 石川 久保 大森 金子 森田 横山",
        "総務課：予算、契約、人事\n第1週 清掃 第2週 資源\n記録：音声\n受付：窓口\n父島 母島",
        "ファイルの名前: 設定 一覧\n名前 住所 電話\n名前: システム 管理",
        "大島桜 吉野 桜 福島学 秋田港 大阪湾 千葉 市 石川 県",
        "申請者本人確認 保護者説明会 契約者名義変更 担当者会議 利用者負担",
        "大宮 上尾 桶川\n上野 浅草 秋葉原\n小川 町",
    ),
)

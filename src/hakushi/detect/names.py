"""What a person's name looks like in Japanese, and what only looks like one.

A name is believed only beside an anchor (様, 氏名, a name column …): any two or three kanji may be a
name. These tables decide where a name ends and refuse the roles that stand in its place.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hakushi.detect.fold import HIRAGANA, KANJI, KATAKANA, VARIANTS

_DATA = Path(__file__).parents[1] / "data" / "surnames.txt"

K = rf"[{KANJI}ヶケノ之]"
NAME = (
    rf"(?:[{KANJI}ヶケノ]{{1,6}}(?: {{1,2}}(?:[{KANJI}ノ]{{1,5}}[{HIRAGANA}]{{0,3}}|[{HIRAGANA}]{{2,5}}"
    rf"|[{KATAKANA}]{{2,6}}))|[{KANJI}ヶケノ]{{1,12}}(?:[{HIRAGANA}]{{2,5}}|[{KATAKANA}]{{2,6}})?"
    rf"|[{KATAKANA}]{{2,10}}(?:[・= ][{KATAKANA}]{{2,10}}){{1,3}})"
)
"""A run that may hold a name: kanji, kanji and kana, or katakana words with dots."""

_ROLES = (
    "代表取締役社長 代表取締役会長 代表取締役 取締役社長 専務取締役 常務取締役 取締役 監査役 執行役員 代表社員 代表理事 "
    "理事長 副理事長 理事 監事 会長 副会長 社長 副社長 専務 常務 部長 副部長 次長 課長補佐 課長代理 課長 係長 局長 所長 "
    "副所長 室長 場長 院長 副院長 校長 教頭 園長 店長 支店長 支社長 工場長 館長 組合長 組長 班長 町会長 自治会長 主任 "
    "主事 主査 主幹 主席 参事 技師 書記 事務局長 事務長 担当者 担当 申請者 申請人 届出人 届出者 請求者 世帯主 納税義務者 "
    "納税者 納付者 代理人 相続人 被相続人 保証人 連帯保証人 名義人 契約者 利用者 使用者 所有者 管理者 管理人 保護者 受取人 "
    "被保険者 組合員 会員 社員 職員 教員 教授 准教授 講師 助教 医師 看護師 弁護士 税理士 司法書士 行政書士 会計士 議員 "
    "議長 副議長 委員長 副委員長 委員 知事 副知事 市長 副市長 町長 村長 区長 大臣 長官 署長 本人 氏名 名前 宛名 御中 "
    "患者 入居者 生徒 児童 園児 学生 受験者 応募者 参加者 出席者 受講者 受給者 対象者 当選者 会計 幹事 顧問 相談役 "
    "長男 次男 三男 長女 次女 三女 妻 夫 父 母 子 故 先代 今回 本日 昨日 先日 当社 弊社 御社 貴社 貴殿 甲 乙 丙"
).split()
_ROLE_PREFIX = re.compile("^(?:" + "|".join(sorted(_ROLES, key=len, reverse=True)) + ")(?: |:)?")
_OFFICE = re.compile(
    rf"^[{KANJI}{KATAKANA}]{{1,12}}(?:課|係|局|室|部|科|署|支店|支社|営業所|事務所|銀行|病院|学校|大学|センター) ?"
)
_NOT = frozenset(
    "皆 各 皆々 何 誰 方 客 お客 御客 顧客 先 相手 同 両 諸 神 仏 王 殿 奥 姫 若 坊 仕 模 多 一 異 有 左 "
    "今 無 外 貴 我々 者 人 様 氏 不詳 不明 該当 該当者 関係者 関係各 各位 担当者各 匿名 名無 同上 以上 以下 "
    "未定 未記入 記入 記載 空欄 省略 なし 無記名 法人 個人 本人 団体 企業 会社 法人等 個人等 株式会社 有限会社 "
    "取引先 得意先 仕入先 業者 他 御本人 御担当 御担当者 御家族 家族 遺族 親族 夫人 旦那 子供 主人 赤 病 "
    "源 平 藤原 華 摂 彼 某 同居 別居 印 押印 署名 捺印 性別 年齢 住所 生年月日 電話 電話番号 番号 連絡先 備考 "
    "続柄 職業 勤務先 旧姓 改姓 変更 変更前 変更後 新 旧 漢字 姓 名 姓名 通称 通称名 英字 旧字 表示 入力 一覧 "
    "欄 等 及 又 欠席 出席 委任 受任 一同 御一同 社員一同 職員一同 商品名 品名 件名 題名 書名 曲名 地名 駅名 "
    "別紙 参照 有無 昇順 降順 区分 種別 必須 任意 登録 削除 更新 検索 追加 編集 確認 合計 小計 平均 総計".split()
) - {"平", "藤原"}
_BAD_END = re.compile(
    r"(?:者|員|客|社|店|課|係|局|署|所|団体|組合|機構|協会|学校|病院|銀行|会社|法人|本人|個人|代理人|保証人|名義人"
    r"|相続人|管理人|夫人|御中|各位|一同|同様|仕様|模様|神様|皆様|お客|主様|番号|住所|電話|年度|一覧|名簿|事項|情報"
    r"|制度|業務|事業|手続|申請|届出|書類|資料|関係|以上|以下|未満|課長|部長|社長|係長|局長|所長|会長|院長|校長|知事"
    r"|市長|町長|村長|区長|議員|議長|委員|主任|先生|教授|弁護士|税理士|医師)$"
)
_SURNAME_END = frozenset(
    "山 川 田 村 本 井 野 原 藤 島 崎 沢 澤 口 橋 谷 木 林 森 岡 塚 尾 部 下 上 内 辺 邊 邉 浦 "
    "池 石 田 津 瀬 嶋 﨑 垣 倉 屋 城 宮 坂 中 間 見 保 葉 脇 根 元 松 水 泉 地 形 坪 淵 渕 沼".split()
)
_GIVEN_END = frozenset(
    "子 美 郎 夫 雄 男 一 二 三 介 助 樹 也 哉 太 人 斗 翔 奈 菜 香 恵 江 枝 代 世 紀 輝 彦 之 行 幸 治 司 "
    "志 史 明 宏 博 浩 弘 広 隆 孝 正 義 和 勝 誠 実 豊 茂 進 修 清 武 剛 健 亮 平 吾 悟 郁 希 里 理 織 穂 "
    "音 乃 花 華 愛 結 衣 莉 咲 陽 優 真 蓮 大 翼 吉 作 蔵 造 次 信 昭 文 光 秀 仁 敏 保 徳 久 典 則 "
    "規 範 俊 智 哲 寛 康 靖 裕 祐 雅 政 昌 雪 絵 佳 加 嘉 津 路 馬 磨 麻 満 薫 忍 馨 茜 葵 楓 歩".split()
)


@cache
def surnames() -> frozenset[str]:
    """Common surnames, variants as written; a list of our own."""
    return frozenset(_DATA.read_text("utf-8").split())


def surname_of(name: str) -> str:
    """The longest known surname that the name begins with, or nothing."""
    for length in (4, 3, 2, 1):
        head = name[:length]
        if len(head) == length and (head in surnames() or head.translate(VARIANTS) in surnames()):
            return head
    return ""


def strip_role(value: str) -> int:
    """How many leading characters are an office or a role, not the name."""
    at = 0
    for _ in range(4):
        rest = value[at:]
        role = _ROLE_PREFIX.match(rest)
        if (
            role
            and len(rest) > role.end()
            and not (len(role[0].strip()) == 1 and surname_of(rest) and len(surname_of(rest)) > 1)
        ):
            at += role.end()
            continue
        office = _OFFICE.match(rest)
        if office and len(surname_of(rest[office.end() :])) > 1:
            at += office.end()
            continue
        break
    return at


def plausible(value: str, *, known: bool = False) -> bool:
    """May this be a name? ``known`` asks for a surname that we know, or a name's usual endings."""
    bare = value.replace(" ", "")
    if (
        not 1 <= len(bare) <= 24
        or bare in _NOT
        or _BAD_END.search(bare)
        and not surname_of(bare) == bare
    ):
        return False
    if not re.match(rf"[{KANJI}]", bare):
        return bool(re.fullmatch(rf"[{KATAKANA}{HIRAGANA}・=]{{3,24}}", bare)) and not known
    if len(bare) > 10:
        return False
    if not known:
        return True
    surname = surname_of(bare)
    if len(surname) > 1:
        return len(bare) - len(surname) <= 5
    return len(bare) >= 3 and bare[1] in _SURNAME_END and bare[-1] in _GIVEN_END


def narrow(value: str) -> tuple[int, int] | None:
    """The name at the end of a run that stands before 様 or 殿, without office and role."""
    start = strip_role(value)
    rest = value[start:]
    if not plausible(rest) or (len(rest.replace(" ", "")) == 1 and rest not in surnames()):
        return None
    bare = rest.replace(" ", "")
    kanji = re.match(rf"[{KANJI}ヶケノ]{{1,12}}", bare)
    length = len(kanji[0]) if kanji else 0
    if kanji and length > 6 and " " not in rest:
        return None
    if (
        kanji
        and length < len(bare)
        and " " not in rest
        and re.match("[のはがをにでもへやと]", bare[length:])
    ):
        return None
    return start, len(value)

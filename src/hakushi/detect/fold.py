r"""Folding of characters one for one: full-width digits and signs to ASCII: rules stay short.

Laws: ``len(fold(s)) == len(s)``, so an offset in the folded text is one in the text; its decimal
digits, which ``\d`` matches, are those of ASCII, whatever the script was.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SPACES = (0x3000, 0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F)
_DASHES = (0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0x207B, 0x208B, 0x2500, 0xFE63)
"""Hyphens, dashes, minus signs, box drawing lines and the like that people type between digits."""

_PLANES = 0x20000
"""Code points of the planes that hold digits and signs."""

_FEW = 1000
"""Characters below which a look-up in a dictionary is faster than waking NumPy."""

_NO_DIGITS = re.compile("[^0-9]+")
_LONG_VOWEL = re.compile("(?<=[0-9])[ーｰ](?=[0-9])")

KANJI = "\u3400-\u9fff\uf900-\ufaff々〆\U00020000-\U0003ffff"
HIRAGANA = "ぁ-ゖ"
KATAKANA = "ァ-ヺー\uff66-\uff9f"

_GROUPS = (
    "高髙 崎﨑嵜碕 辺邊邉 斉齊斎齋 沢澤 浜濱濵 桜櫻 国國圀 広廣 富冨 徳德"
    " 真眞 恵惠 栄榮 島嶋嶌 寿壽 弥彌 髪髮 瀬瀨 清淸 静靜 蔵藏 黒黑 条條"
    " 竜龍 万萬 当當 円圓 応應 桧檜 桑桒 館舘 関關 歓歡 気氣 亀龜 旧舊"
    " 教敎 暁曉 郷鄕鄉 尭堯 薫薰 渓溪 鶏鷄 蛍螢 剣劍劔 県縣 検檢 権權"
    " 厳嚴 晃晄 穂穗 児兒 収收 渋澁澀 粛肅 処處 緒緖 将將 奨奬 浄淨 譲讓"
    " 穣穰 慎愼 晋晉 尽盡 粋粹 数數 摂攝 専專 戦戰 禅禪 壮壯 争爭 総總"
    " 聡聰 荘莊 巣巢 続續 体體 台臺 滝瀧 単單 団團 昼晝 鋳鑄 庁廳 聴聽"
    " 鎮鎭 転轉 伝傳 灯燈 稲稻 独獨 読讀 拝拜 売賣 麦麥 発發 抜拔 秘祕"
    " 姫姬 払拂 仏佛 並竝 変變 弁辨瓣辯 峰峯 豊豐 宝寶寳 翻飜 槙槇 満滿"
    " 柳栁 薬藥 訳譯 与與 予豫 余餘 誉譽 揺搖 謡謠 様樣 来來 頼賴 乱亂"
    " 覧覽 緑綠 塁壘 礼禮 励勵 霊靈 歴歷 暦曆 恋戀 錬鍊 炉爐 郎郞 楼樓"
    " 録錄 湾灣 吉𠮷 曽曾 角⻆ 増增 鉄鐵鐡 桝枡 壷壺 鴎鷗 祢禰 遥遙 凛凜"
    " 淵渕渊 塩鹽 帰歸 鉱鑛 実實 写寫 学學 芸藝 絵繪 会會 覚覺 楽樂 勲勳"
    " 経經 継繼 顕顯 双雙 対對 点點 党黨"
)

VARIANTS = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xF900, 0xFAE0)} | {
    ord(c): one[0] for one in _GROUPS.split() for c in one[1:]
}
"""Variant kanji that one person's name is written with, to one of them."""


def fold(text: str) -> str:
    """The text with full-width ASCII, spaces and dashes as their ASCII twins."""
    if text.isascii():
        return text
    if len(text) < _FEW:
        folded = text.translate(_table())
    else:
        import numpy as np

        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        narrow = _lookup()[np.minimum(codes, _PLANES - 1)]
        codes = np.where(codes >= _PLANES, codes, narrow)
        _dashes(codes)
        return codes.tobytes().decode("utf-32-le", "surrogatepass")
    if "ー" in folded or "ｰ" in folded:
        folded = _LONG_VOWEL.sub("-", folded)
    return folded


def _dashes(codes: npt.NDArray[np.uint32]) -> None:
    """Writes a dash for each long vowel between digits, as `_LONG_VOWEL` finds them."""
    import numpy as np

    vowels = np.flatnonzero((codes == ord("ー")) | (codes == ord("ｰ")))
    vowels = vowels[(vowels > 0) & (vowels < len(codes) - 1)]
    before, behind = codes[vowels - 1] - ord("0"), codes[vowels + 1] - ord("0")
    codes[vowels[(before < 10) & (behind < 10)]] = ord("-")


@cache
def _table() -> dict[int, int]:
    """Code points to the ASCII that they are read as."""
    table = {code: ord(" ") for code in _SPACES} | {code: ord("-") for code in _DASHES}
    table |= {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    others = (code for code in range(0x80, _PLANES) if chr(code).isdecimal())
    return table | {code: ord(str(int(chr(code)))) for code in others}


@cache
def _lookup() -> npt.NDArray[np.uint32]:
    """The same as an array, for long texts."""
    import numpy as np

    table = np.arange(_PLANES, dtype=np.uint32)
    for code, twin in _table().items():
        table[code] = twin
    return table


def digits(value: str) -> str:
    """The ASCII digits of a folded value."""
    return _NO_DIGITS.sub("", value)

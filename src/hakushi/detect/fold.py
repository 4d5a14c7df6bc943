r"""Folding of characters one for one: full-width digits and signs to ASCII: rules stay short.

Laws: ``len(fold(s)) == len(s)``, so an offset in the folded text is one in the text; its decimal
digits, which ``\d`` matches, are those of ASCII, whatever the script was.
"""

from __future__ import annotations

import re
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

VARIANTS = str.maketrans(
    "髙﨑邊邉齋齊斎澤濵濱櫻國廣冨德眞惠榮嶋嶌壽彌髮瀨淸祐靜藏黑條龍萬",
    "高崎辺辺斉斉斉沢浜浜桜国広富徳真恵栄島島寿弥髪瀬清祐静蔵黒条竜万",
)
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
        folded = codes.tobytes().decode("utf-32-le", "surrogatepass")
    if "ー" in folded or "ｰ" in folded:
        folded = _LONG_VOWEL.sub("-", folded)
    return folded


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

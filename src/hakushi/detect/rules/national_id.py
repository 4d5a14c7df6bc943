"""National numbers of people in large countries of the EU, by their check digits; with a label only.

Germany (Steuer-ID), France (NIR), Italy (codice fiscale), Spain (DNI, NIE), Poland (PESEL), the
Netherlands (BSN), Belgium (rijksregisternummer), Sweden (personnummer).
"""

import re
from collections.abc import Callable

from hakushi.detect.detector import Detector, Form

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22),
            *(25, 24, 23),
        ],
        strict=True,
    )
)
"""Codice fiscale: what signs in odd places count (Decreto 23 dicembre 1976)."""


def _germany(value: str) -> bool:
    """ISO 7064 MOD 11,10 over ten digits, of which the first is not 0."""
    product = 10
    for digit in value[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (
        value[0] != "0" and len(set(value[:10])) in {8, 9} and (11 - product) % 10 == int(value[10])
    )


def _poland(value: str) -> bool:
    """Weights 1 3 7 9; a month with its century."""
    total = sum(int(d) * w for d, w in zip(value, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=False))
    return _dated(int(value[2:4]) % 20, int(value[4:6])) and -total % 10 == int(value[10])


def _belgium(value: str) -> bool:
    """97 less the rest of nine digits by 97; a 2 before those of people born since 2000."""
    check = int(value[9:])
    rests = {97 - int(born + value[:9]) % 97 for born in ("", "2")}
    return _dated(int(value[2:4]), int(value[4:6])) and check in rests


def _dated(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _france(value: str) -> bool:
    """97 less the rest of thirteen digits by 97; 2A and 2B (Corsica) count as 19 and 18."""
    number = value[:13].replace("2A", "19").replace("2B", "18")
    month = int(value[3:5])
    sound = value[0] in "12" and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50)
    return sound and number.isdigit() and 97 - int(number) % 97 == int(value[13:])


def _italy(value: str) -> bool:
    """A letter for the sum of fifteen signs by 26."""
    total = sum(_ODD[c] for c in value[:15:2])
    total += sum(int(c) if c.isdigit() else ord(c) - 65 for c in value[1:15:2])
    return chr(65 + total % 26) == value[15]


def _spain(value: str) -> bool:
    """A letter for the number by 23; X, Y and Z before it count as 0, 1 and 2."""
    number = value[:8].translate(str.maketrans("XYZ", "012"))
    return len(set(number)) > 1 and _DNI[int(number) % 23] == value[8]


def _netherlands(value: str) -> bool:
    """Weights 9 to 2 and -1: the sum is a multiple of 11."""
    total = sum(int(d) * w for d, w in zip(value, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return len(set(value)) > 1 and total % 11 == 0


def _sweden(value: str) -> bool:
    """Luhn over ten digits that begin with a date."""
    doubled = (int(d) * (2 - n % 2) for n, d in enumerate(value))
    total = sum(d - 9 if d > 9 else d for d in doubled)
    return _dated(int(value[2:4]), int(value[4:6])) and total % 10 == 0


_COUNTRIES: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (re.compile(r"\d{11}"), _germany),
    (re.compile(r"\d{11}"), _poland),
    (re.compile(r"\d{11}"), _belgium),
    (re.compile(r"[12]\d{4}(?:\d\d|2[AB])\d{8}"), _france),
    (re.compile(r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]"), _italy),
    (re.compile(r"[XYZ\d]\d{7}[A-Z]"), _spain),
    (re.compile(r"\d{9}"), _netherlands),
    (re.compile(r"\d{10}"), _sweden),
)


def normal(value: str) -> str:
    """Letters in capitals and digits, nothing between."""
    return "".join(c for c in value if c.isalnum()).upper()


def prove(value: str) -> bool:
    """One of the countries' forms with its check digits."""
    return any(form.fullmatch(value) and check(value) for form, check in _COUNTRIES)


_EDGE = r"(?<![0-9A-Za-z_.\-])"
_END = r"(?![0-9A-Za-z_\-])"
_WRITTEN = (
    r"\d{2}[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}",
    r"\d{11}",
    r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}",
    r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
    r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]",
    r"[XYZ\d]-?\d{7}-?[A-Z]",
    r"\d{9}",
    r"\d{6}[\-+]\d{4}",
)

PLUGIN = Detector(
    kind="national_id",
    source="§ 139b AO (DE); INSEE (FR); DM 23.12.1976 (IT); RD 1553/2005 (ES); PESEL Act (PL); Wabb (NL); "
    "AR 3.4.1984 (BE); Skatteverket (SE): check digits as published",
    forms=tuple(Form(rf"{_EDGE}(?P<v>{one}){_END}") for one in _WRITTEN),
    labels=(
        "Steuer-ID",
        "Steuer-IdNr",
        "Steueridentifikationsnummer",
        "Steuerliche Identifikationsnummer",
        "Numéro de sécurité sociale",
        "numero de securite sociale",
        "NIR",
        "Codice fiscale",
        "DNI",
        "NIE",
        "NIF",
        "PESEL",
        "BSN",
        "Burgerservicenummer",
        "Rijksregisternummer",
        "Numéro national",
        "Personnummer",
    ),
    header=r"steuer_?-?id(?:nr)?|steueridentifikationsnummer|nir|num[ée]ro_?de_?s[ée]curit[ée]_?sociale|codice_?fiscale|dni|nie|nif|pesel|bsn|burgerservicenummer|rijksregisternummer|personnummer",
    cell=tuple(rf"(?P<v>{one})" for one in _WRITTEN),
    prove=prove,
    normal=normal,
    literals=("Burgerservicenummer", "Rijksregisternummer", "Personnummer"),
    shapes=(
        r"[Ss]teuer-I[Dd]",
        r"[Cc]odice [Ff]iscale",
        r"(?:PESEL|BSN|DNI|NIF|NIE|NIR)[:, ]{1,3}[0-9XYZ]\d{5}",
    ),
    yes=(
        ("Steuer-ID: 86 095 742 719", "86 095 742 719"),
        ("Codice fiscale: RSSMRA85T10A562S", "RSSMRA85T10A562S"),
        ("DNI 12345678Z", "12345678Z"),
        ("PESEL: 44051401359", "44051401359"),
        ("BSN: 111222333", "111222333"),
        ("Rijksregisternummer 85.07.30-033.28", "85.07.30-033.28"),
        ("Personnummer: 811228-9874", "811228-9874"),
        ("NIR 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"),
        ("name,DNI\nFicticia Perez,X1234567L\n", "X1234567L"),
    ),
    no=(
        "Steuer-ID: 86 095 742 718",
        "Codice fiscale: RSSMRA85T10A562T",
        "DNI 12345678A",
        "BSN: 111222334",
        "RSSMRA85T10A562S",
        "811228-9874",
    ),
)

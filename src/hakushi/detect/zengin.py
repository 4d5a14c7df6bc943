"""Records of banks: the files of 120 characters a record in which offices pay and collect.

Japanese Bankers Association (Zengin): transfers, salaries, debits. A data record begins with 2, the
bank's four digits and its name, the branch's three and its name, four more characters, the kind of
account; then the account of seven digits, thirty characters of its holder's name, ten digits of
yen. All in ASCII and half-width katakana, mostly without line ends.
"""

from __future__ import annotations

_SIGN = r"[ 0-9A-Z\uff61-\uff9f().,/\-\\¥&+]"
HOLDER = r"[\uff66-\uff9f]{2,15}(?: [\uff66-\uff9f]{1,14}){0,2}"
"""A person's name: a firm's has its form in brackets (ｶ) or letters in it."""

BEFORE = rf"(?<![0-9])2\d{{4}}{_SIGN}{{15}}\d{{3}}{_SIGN}{{15}}[ 0-9]{{4}}[1249]"
"""What stands before the account."""

BEHIND = rf"(?={_SIGN}{{30}}\d{{10}})"
"""What stands behind it."""

EXAMPLE = f"20137{'ﾐﾅﾄ':15}012{'ｴｷﾏｴ':15}    12098765{{:30}}0000098000"
"""A record up to its yen, but for the holder."""

NEAR, REACH = "[0-9]{8}[\uff66-\uff9f]", 48
"""A cheap look for both, and how far a record's own characters reach around it."""

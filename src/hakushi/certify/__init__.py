"""Certificates of sanitization: a statement, and the proof that a signed log holds what it says.

Pure. Needs `ledger`, `custody` and cryptography, nothing else: ``hakushi-check`` ships these alone.
Specified in ``docs/design/certificate.md``.
"""

from hakushi.certify.certificate import Certificate, Item
from hakushi.certify.check import Checked, Failure, Kind, check, people_of, unfinished
from hakushi.certify.statement import Claims, state

__all__ = [
    "Certificate",
    "Checked",
    "Claims",
    "Failure",
    "Item",
    "Kind",
    "check",
    "people_of",
    "state",
    "unfinished",
]

"""Private keys: the header of a PEM block and the key behind it."""

import re

from hakushi.detect.detector import Detector, Form, Need

_NAME = (
    r"(?:(?:RSA|EC|DSA|OPENSSH|ENCRYPTED|ANY|SSH2 ENCRYPTED) )?PRIVATE KEY|PGP PRIVATE KEY BLOCK"
)
_LINE = r"(?:\r?\n|\\r\\n|\\n|\n)[> \t]{0,16}"
_REMARKS = rf"(?:{_LINE}[A-Z][A-Za-z\-]{{2,16}}: [^\n\\]{{1,80}}){{0,4}}"
"""Lines before the key, as in RFC 1421 and RFC 9580: Proc-Type, DEK-Info, Version."""

PLUGIN = Detector(
    kind="credential",
    source="RFC 7468 sections 10 and 11; RFC 1421 section 4.4; RFC 9580 section 6.2; OpenSSH's PROTOCOL.key",
    forms=(
        # A header without a key behind it stands in every program that reads keys.
        Form(
            rf"(?P<v>-----BEGIN (?:{_NAME})-----{_REMARKS}(?:{_LINE}){{1,2}}[A-Za-z0-9+/]{{16,80}}(?:{_LINE}[A-Za-z0-9+/=]{{1,80}})?)",
            Need.ALONE,
            near="-----BEGIN [A-Z0-9 ]{0,16}PRIVATE KEY",
            before=2,
            after=640,
        ),
    ),
    prove=bool,
    normal=lambda value: re.sub(r"\s|\\[rn]", "", value),
    mask=lambda value: value[: value.index("-----", 5) + 5] + "***",
    shapes=(r"BEGIN [A-Z0-9 ]{0,16}PRIVATE KEY",),
    yes=(
        (
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEB\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEB",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\nMIIEowIBAAKCAQEAx\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\nMIIEowIBAAKCAQEAx",
        ),
        (
            r'"private_key": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEB\n-----END"',
            r"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEB",
        ),
    ),
    no=(
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkq\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrB\n-----END PUBLIC KEY-----",
    ),
)

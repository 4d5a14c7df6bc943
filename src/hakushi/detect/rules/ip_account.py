"""An IP address beside an account: lines of access logs that tell who was where."""

import re

from hakushi.detect.detector import Detector, Form, Need

_IP = r"(?<![0-9.A-Za-z])(?:\d{1,3}\.){3}\d{1,3}(?![0-9.]?[0-9A-Za-z])"
_ACCOUNT = (
    r"(?:(?<![A-Za-z])(?:user(?: ?name|_?name|_?id)?|login(?:_?id|_?name)?|account(?:_?id)?|uid|logname)"
    r"[\"']? {0,2}[=:] {0,2}[\"']?(?!\d{1,40}(?![\w.\-@]))[A-Za-z0-9][\w.\-@]{1,40}"
    r"|(?:ユーザー?(?:名|ID)|ログイン(?:ID|名)|アカウント(?:名)?|利用者(?:ID|番号)|職員(?:番号|ID)) {0,2}[:=]? {0,2}(?!\d{1,40}(?![\w.\-@]))[A-Za-z0-9][\w.\-@]{1,40})"
)
_NEAR = "(?:[Uu]ser|[Ll]ogin|[Aa]ccount|uid=|logname|ユーザ|ログイン|アカウント|利用者|職員)"


def normal(value: str) -> str:
    """The address, and what is written around it without spaces and signs."""
    address = re.search(_IP, value)
    rest = "" if address is None else value[: address.start()] + value[address.end() :]
    return f"{address[0] if address else ''} {re.sub('[^A-Za-z0-9@]', '', rest).lower()}"


def prove(value: str) -> bool:
    """Four bytes that may be a host's: not this host, no loop, no broadcast or group (RFC 6890)."""
    parts = value.partition(" ")[0].split(".")
    if len(parts) != 4 or not all(p.isdecimal() and len(p) <= 3 and int(p) < 256 for p in parts):
        return False
    return 0 < int(parts[0]) < 224 and int(parts[0]) != 127


PLUGIN = Detector(
    kind="ip_account",
    source="RFC 791, RFC 6890; Japan's guidelines count an address that is tied to an account as a person's",
    forms=(
        Form(rf"(?P<v>{_ACCOUNT}[^\n]{{0,80}}?{_IP})", Need.ALONE, near=_NEAR, before=4, after=160),
        Form(
            rf"(?P<v>{_IP}[^\n]{{0,80}}?{_ACCOUNT})", Need.ALONE, near=_NEAR, before=110, after=64
        ),
    ),
    normal=normal,
    prove=prove,
    mask=lambda value: value[:2] + "***.***",
    literals=("ユーザー名", "ログイン", "アカウント", "利用者", "職員番号"),
    shapes=(r"(?:user|login|account|uid|logname)[A-Za-z_]{0,6}[\"']? ?[=:] ?[\"']?[A-Za-z0-9]",),
    yes=(
        (
            "2024-03-01 10:22:31 ログインID: t.yamada 接続元 203.0.113.25 成功",
            "ログインID: t.yamada 接続元 203.0.113.25",
        ),
        ("sshd: user=yamada.t rhost=198.51.100.7", "user=yamada.t rhost=198.51.100.7"),
        ('{"ip": "192.0.2.44", "user_id": "hanako.sato"}', '192.0.2.44", "user_id": "hanako.sato'),
    ),
    no=(
        "接続先 203.0.113.25 ポート 443",
        "user=yamada version 1.2.3.4.5",
        "user: 4000 10.0.0.1",
        "user=466148 ip=10.0.180.166",
        "ログインID: t.yamada 接続元 127.0.0.1",
        "login=root 0.0.0.0",
        "user=yamada 300.1.2.3",
    ),
)

"""Passwords: columns of them, Japanese labels before them, and the hashes of Unix password files."""

import re

from hakushi.detect.detector import Detector, Form, Need

_HASH = r"\$(?:1|5|6|7|y|gy|sha1|2[abxy]|apr1|argon2(?:id?|d))\$[./A-Za-z0-9$=,+\-]{20,160}"
_WORD = r"[!-~]{6,40}"
_EMPTY = re.compile(
    r"(?:[*x.\-_#●?]{2,}|(?:your|my|new|old|the|enter|change|set|no|user)?[_\- ]?pass(?:word|wd)?\d{0,3}[)\]};,'\"]{0,4}"
    r"|null|none|true|false|string|example|changeme|secret|[<({\[%$].*)",
    re.IGNORECASE,
)
_JAPANESE = r"(?:(?:初期|仮|ログイン|旧|新)?パスワード|暗証番号)"


def prove(word: str) -> bool:
    """No stars, no placeholder, no word for a password itself."""
    return len(word) >= 4 and _EMPTY.fullmatch(word) is None


def _chosen(word: str) -> bool:
    """Letters and digits both, as someone chooses; a sentence about passwords has none."""
    return (
        prove(word)
        and re.search("[0-9]", word) is not None
        and re.search("[A-Za-z]", word) is not None
    )


PLUGIN = Detector(
    kind="credential",
    source="crypt(5); column names of account lists",
    forms=(
        Form(
            rf"(?<![\w.\-])(?P<v>[A-Za-z_][\w.\-]{{0,31}}:{_HASH})(?=[:\s]|\Z)",
            Need.ALONE,
            near=r":\$(?:1|5|6|7|y|gy|2[abxy]|apr1|argon2)",
            before=34,
            after=170,
        ),
        Form(
            rf"{_JAPANESE} {{0,2}}(?:\([^()\n]{{0,12}}\))? {{0,2}}[:=] {{0,2}}(?P<v>{_WORD})(?![!-~])",
            Need.ALONE,
            prove=_chosen,
            near="(?:パスワード|暗証番号)",
            before=6,
            after=70,
        ),
    ),
    header=r"^(?:初期|仮|ログイン)?パスワード$|^(?:user_?|login_?|initial_?)?(?:password|passwd|pwd|pw)(?:_?hash)?$|^暗証番号$",
    cell=(rf"(?P<v>{_HASH}|[!-~]{{4,64}})",),
    prove=prove,
    normal=lambda value: value,
    mask=lambda _value: "****",
    literals=("パスワード", "暗証番号"),
    shapes=(r"[A-Za-z0-9_.\-]:\$(?:1|5|6|7|y|gy|2[abxy]|apr1|argon2id|argon2i)\$[./A-Za-z0-9=]",),
    yes=(
        ("初期パスワード：Tanuki2041!", "Tanuki2041!"),
        (
            "yamada:$6$Zk3rTq8a$Qm4e9v1cXy7bLs2wPd5uHj8nRf3tKg6iOa0zEx:19000:0:99999:7:::",
            "yamada:$6$Zk3rTq8a$Qm4e9v1cXy7bLs2wPd5uHj8nRf3tKg6iOa0zEx",
        ),
        ("氏名,ユーザー名,パスワード\n山田太郎,t.yamada,kitsune88\n", "kitsune88"),
    ),
    no=(
        "パスワードは8文字以上にしてください",
        "パスワード：********",
        "domain, name, password\na.lower(), name, password))\n",
        "password: string",
        "パスワード: password",
        "パスワード（英数字 8 文字以上）",
        "root:x:0:0:root:/root:/bin/bash",
    ),
)

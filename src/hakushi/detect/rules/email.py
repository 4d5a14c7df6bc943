"""E-mail addresses: their form alone says what they are."""

from hakushi.detect.detector import Detector, Form, Need

_GENERIC = (
    "com net org edu gov mil int info biz name pro aero coop museum jobs mobi travel tel asia cat post xxx "
    "app dev io ai co me tv cloud online site shop store tech tokyo osaka kyoto nagoya yokohama okinawa ryukyu "
    "club live world email group company team blog news page work email example test invalid local"
).split()
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz "
    "ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk "
    "fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir "
    "is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk "
    "ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl "
    "pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc "
    "td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
).split()
_TOP = frozenset(_GENERIC) | frozenset(_COUNTRIES)

_BEFORE = (
    r"(?<![A-Za-z0-9._%+\-@])"
    r"(?:(?<![/=])|(?<=[A-Za-z0-9_]/)|(?<=[A-Za-z_]=)(?!3D|[0-24-9A-F][0-9A-F]))"
)
"""Nothing of a longer word; a folder (Maildir/taro@…), but no login in an address of the web; a
word and = (mail=taro@…), but no byte of quoted-printable."""


def prove(value: str) -> bool:
    """A known top-level domain, labels of the right shape, a local part of letters or digits."""
    local, _, domain = value.partition("@")
    parts = domain.split(".")
    if parts[-1] not in _TOP or len(local) > 64 or ".." in local or len(parts[-2]) < 2:
        return False
    if local[0] in ".-" or local[-1] == "." or not any(c.isalnum() for c in local):
        return False
    return all(part and part[0] != "-" and part[-1] != "-" for part in parts)


def _by_people(value: str) -> bool:
    """Is it as people write them? Those that noise makes are short, and of letters of any case."""
    parts = value.replace("%40", "@").partition("@")[2].split(".")
    cased = all(part in (part.lower(), part.upper(), part.title()) for part in parts)
    return cased and len(value) > 10


def _normal(value: str) -> str:
    """In small letters, as it is written outside of web addresses."""
    return value.replace("%40", "@").lower()


def _mask(value: str) -> str:
    """First letter and the last part of the domain: u***@***.jp."""
    local, _, domain = _normal(value).partition("@")
    return f"{local[:1]}***@***.{domain.rpartition('.')[2]}"


PLUGIN = Detector(
    kind="email",
    source="RFC 5321 section 4.1.2; IANA root zone for the last label",
    forms=(
        Form(
            _BEFORE
            + r"(?P<v>[A-Za-z0-9_][A-Za-z0-9._%+\-]{1,63}@[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,6}(?:[a-z]{2,12}|[A-Z]{2,12}))(?![A-Za-z0-9_@\-]|\.[A-Za-z0-9])",
            Need.ALONE,
            near="@",
            before=66,
            after=200,
        ),
        Form(
            _BEFORE
            + r"(?P<v>[A-Za-z0-9]@[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,6}(?:[a-z]{2,12}|[A-Z]{2,12}))(?![A-Za-z0-9_@\-]|\.[A-Za-z0-9])",
        ),
        Form(
            r"(?<=[A-Za-z_]=)(?P<v>[A-Za-z0-9_][A-Za-z0-9._+\-]{0,63}%40[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,6}[a-z]{2,12})(?![A-Za-z0-9_%\-]|\.[A-Za-z0-9])",
            Need.ALONE,
            near="%40",
            before=66,
            after=200,
        ),
    ),
    labels=(
        "メール",
        "メールアドレス",
        "E-mail",
        "Email",
        "e_mail",
        "mail",
        "mailto",
        "Eメール",
        "電子メール",
    ),
    header=r"(?:e-?)?mail(?:_?address)?|(?:電子|e)?メール(?:アドレス)?|ﾒｰﾙ(?:ｱﾄﾞﾚｽ)?|アドレス",
    cell=(
        r"(?P<v>[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,6}[A-Za-z]{2,12})",
    ),
    prove=prove,
    sure=_by_people,
    normal=_normal,
    mask=_mask,
    shapes=(
        r"[A-Za-z0-9_%+-]@[A-Za-z0-9][A-Za-z0-9-]{1,62}\.[A-Za-z]{2}",
        r"[A-Za-z0-9_%+-]@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){2,4}[A-Za-z]{2}",
        r"[A-Za-z0-9_+-]%40[A-Za-z0-9][A-Za-z0-9-]{1,62}\.[A-Za-z]{2}",
    ),
    yes=(
        ("To: u6357.sato@example.co.jp", "u6357.sato@example.co.jp"),
        ("user=12 mail=taro@example.co.jp", "taro@example.co.jp"),
        ("/var/vmail/taro@example.jp/new", "taro@example.jp"),
        ("GET /me?mail=taro%40example.co.jp&x=1", "taro%40example.co.jp"),
        ("（hanako+list@mail.example.ne.jp）", "hanako+list@mail.example.ne.jp"),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ"),
    ),
    no=(
        "icon@2x.png",
        "https://taro@example.jp",
        "href=3Dtaro@example.jp",
        "foo@bar",
        "a@b@c.jp",
        "user@example.notatld",
        "symbol@GLIBC_2.17",
    ),
)

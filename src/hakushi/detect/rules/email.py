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


def prove(value: str) -> bool:
    """A known top-level domain, labels of the right shape, a local part of letters or digits."""
    local, _, domain = value.partition("@")
    parts = domain.split(".")
    if parts[-1] not in _TOP or len(local) > 64 or ".." in local or len(parts[-2]) < 2:
        return False
    if local[0] in ".-" or local[-1] == "." or not any(c.isalnum() for c in local):
        return False
    return all(part and part[0] != "-" and part[-1] != "-" for part in parts)


def _mask(value: str) -> str:
    """First letter and the last part of the domain: u***@***.jp."""
    local, _, domain = value.partition("@")
    return f"{local[:1]}***@***.{domain.rpartition('.')[2]}"


PLUGIN = Detector(
    kind="email",
    source="RFC 5321 section 4.1.2; IANA root zone for the last label",
    forms=(
        Form(
            r"(?<![A-Za-z0-9._%+\-/=@])(?P<v>[A-Za-z0-9_][A-Za-z0-9._%+\-]{1,63}@[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,6}(?:[a-z]{2,12}|[A-Z]{2,12}))(?![A-Za-z0-9_@\-]|\.[A-Za-z0-9])",
            Need.ALONE,
            near="@",
            before=66,
            after=200,
        ),
        Form(
            r"(?<![A-Za-z0-9._%+\-/=@])(?P<v>[A-Za-z0-9]@[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,6}(?:[a-z]{2,12}|[A-Z]{2,12}))(?![A-Za-z0-9_@\-]|\.[A-Za-z0-9])",
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
    normal=str.lower,
    mask=_mask,
    shapes=(
        r"[A-Za-z0-9_%+-]@[A-Za-z0-9][A-Za-z0-9-]{1,62}\.[A-Za-z]{2}",
        r"[A-Za-z0-9_%+-]@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){2,4}[A-Za-z]{2}",
    ),
    yes=(
        ("To: u6357.sato@example.co.jp", "u6357.sato@example.co.jp"),
        ("（hanako+list@mail.example.ne.jp）", "hanako+list@mail.example.ne.jp"),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ"),
    ),
    no=("icon@2x.png", "foo@bar", "a@b@c.jp", "user@example.notatld", "symbol@GLIBC_2.17"),
)

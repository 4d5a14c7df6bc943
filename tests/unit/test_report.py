"""The report: right words for each verdict, nothing hostile gets through, whole in both languages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess import report
from hakushi.assess.flaws import Kind
from hakushi.assess.judge import GRAVE_KINDS
from hakushi.assess.report import KINDS, FileRow, View, exact, human, render, share, visible
from hakushi.lang import LANGUAGES
from hakushi.model import Severity, Verdict

SIZE = 20_000_588_955_648
VOID = {"meta", "wbr", "br"}


def summary(verdict="residue", size=SIZE, **more):
    told = {
        "schema": "hakushi.assessment/1",
        "verdict": verdict,
        "severity": {"residue": "grave"}.get(verdict, "none"),
        "reasons": ["理由の一"],
        "scope": "drive",
        "not_reached": ["届かない所"],
        "not_looked_for": ["探さない物"],
        "source": {"locator": "drive:wwn-5000c500a1b2c3d4", "size": size, "format": "raw"},
        "coverage": {"bytes": size, "read": size, "unreadable": 0, "sampled": None, "bound": None},
        "blocks": {"zero": size, "constant": 0, "random_like": 0, "structured": 0, "unread": 0},
        "artifacts": {s: {"count": 0, "bytes": 0} for s in ("live", "deleted", "carved")},
        "encrypted": [],
        "findings": {},
        "people": None,
        "firms": None,
        "damage": [],
        "elapsed_s": 12.345,
    }
    return told | more


def view(told=None, **more):
    told = told or summary()
    size = told["source"]["size"]
    base = View("資料1", told, [(0, size, "zero")], [], [], {}, "2026-07-01", "9.9", {})
    return replace(base, **more)


def row(path="総務/名簿.xlsx", **more):
    base = FileRow(path, "drive:x/part:1/ntfs:37", "xlsx", "deleted", 1234, True, {}, [])
    return replace(base, **more)


FULL = view(
    summary(
        artifacts={
            "live": {"count": 1_200_000, "bytes": 10**13},
            "deleted": {"count": 700_000, "bytes": 10**12},
            "carved": {"count": 100_000, "bytes": 5},
        },
        findings={
            kind: {"labelled": i, "unlabelled": 2 * i} for i, kind in enumerate(sorted(KINDS), 1)
        },
        people={"low": 590, "best": 598, "high": 611},
        firms={"low": 12, "best": 12, "high": 12},
        encrypted=[{"locator": f"drive:x/part:{i}", "kind": "bitlocker"} for i in range(90)],
        damage=[
            {"locator": f"drive:x/ntfs:{i}", "what": f"第{i % 70}の傷", "kind": list(Kind)[i % 5]}
            for i in range(900)
        ],
        digest={"sha256": "0" * 64},
    ),
    owned=[
        (i * 10**9, 10**8, ("live", "deleted", "carved", "structure")[i % 4]) for i in range(999)
    ],
    files=[
        row(
            None if i % 5 == 0 else f"県税/{i}.xlsx",
            state=("live", "deleted", "carved")[i % 3],
            complete=i % 2 == 0,
            findings={"my_number": 3, "person_name": 2} if i % 2 else {},
            masked=["1**********8"] if i % 2 else [],
        )
        for i in range(200)
    ],
    samples={kind: ["山**"] for kind in KINDS},
    options={"metadata": "true"},
)
SAMPLED = view(
    summary(
        "inconclusive",
        blocks=None,
        coverage={
            "bytes": SIZE,
            "read": 1 << 30,
            "unreadable": 0,
            "sampled": 1 << 30,
            "bound": {"bytes": 100 << 20, "confidence": 0.99, "blocks": 262_144},
        },
    ),
    classes=[(i << 30, 4096, "zero") for i in range(1000)],
)
VIEWS = {
    "full": FULL,
    "sampled": SAMPLED,
    "clean": view(summary("clean")),
    "inconclusive": view(summary("inconclusive", scope="image", not_reached=[])),
    "traces": view(summary("residue", severity="trivial")),
    "partition": view(summary("clean", scope="partition", not_looked_for=[])),
    "empty": view(summary("inconclusive", size=0, reasons=[])),
    "no examples": replace(FULL, files=[]),
    "files only": view(summary("residue", severity=None, findings=None), files=[row()]),
}


class Page(HTMLParser):
    """Tags in order, and texts with the elements around them; says what is not well-formed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.texts: list[tuple[list[tuple[str, dict[str, str | None]]], str]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, tuple(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"nothing to close: {tag}"
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.texts.append((list(self.open), data))

    def words(self) -> str:
        """Everything that is read, without the style."""
        inside = (text for around, text in self.texts if "style" not in [t for t, _ in around])
        return re.sub(r"\s+", " ", "".join(inside))


@pytest.fixture(scope="module", params=LANGUAGES)
def lang(request):
    return request.param


@pytest.fixture(scope="module", params=VIEWS)
def page(request, lang):
    return Page(render(VIEWS[request.param], lang))


# --- every page ----------------------------------------------------------------------------


def test_refers_to_nothing_else(page):
    names = {name for _, attrs in page.tags for name, _ in attrs}
    assert not names & {"href", "src", "srcset", "action", "data", "background", "xlink:href"}
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {
        t for t, _ in page.tags
    }
    values = " ".join(v or "" for _, attrs in page.tags for _, v in attrs)
    styles = "".join(text for around, text in page.texts if around and around[-1][0] == "style")
    assert all(ref.startswith("#") for ref in re.findall(r"url\(([^)]*)\)", values + styles))
    assert "@import" not in styles
    assert "//" not in values + styles
    assert not any(name.startswith("on") for name in names)


def test_every_reference_inside_the_page_has_its_target(page):
    ids = [v for _, attrs in page.tags for name, v in attrs if name == "id"]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name, value in attrs:
            if name == "aria-labelledby":
                assert set(value.split()) <= set(ids)
            assert set(re.findall(r"url\(#([^)]*)\)", value or "")) <= set(ids)


def test_headings_go_down_one_by_one(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_tables_and_pictures_can_be_heard(page):
    for tag, attrs in page.tags:
        if tag == "th":
            assert dict(attrs)["scope"] in ("col", "row")
        if tag == "svg":
            assert dict(attrs).get("aria-hidden") == "true" or (
                dict(attrs)["role"] == "img" and dict(attrs)["aria-labelledby"]
            )


LATIN = re.compile(r"Hakushi|[kMGTPE]?B\b|IBAN")


def test_every_word_is_in_the_language(page, lang):
    other = "en" if lang == "ja" else "ja"
    for around, text in page.texts:
        langs = [attrs["lang"] for _, attrs in around if attrs.get("lang")]
        chosen = any("given" in (attrs.get("class") or "") for _, attrs in around)
        if "style" in [tag for tag, _ in around] or chosen or langs[-1:] == [other]:
            continue
        if lang == "ja":
            assert not re.search(r"[A-Za-z]{2,}", LATIN.sub("", text)), text
        elif "title" not in [tag for tag, _ in around]:
            assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text), text


# --- verdicts ------------------------------------------------------------------------------

SAID = {
    "en": {"residue": "Do not hand it over", "clean": "nothing that could be restored"},
    "ja": {
        "residue": "このまま引き渡し、売却、廃棄をしないでください",
        "clean": "残っていませんでした",
    },
}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_says_the_verdict_and_no_other(verdict, lang):
    words = Page(render(view(summary(verdict.value)), lang)).words().partition("2. Key")[0]
    words = words.partition("２　主な数値")[0]
    for other, sentence in SAID[lang].items():
        assert (sentence in words) == (other == verdict.value)


def test_a_verdict_it_does_not_know_is_never_called_clean(lang):
    html = render(view(summary("sparkling")), lang)
    assert SAID[lang]["clean"] not in html
    assert "tick" not in html.partition("</style>")[2]


def test_traces_without_files_do_not_promise_files():
    words = Page(render(VIEWS["traces"], "en")).words()
    assert "Traces of its use" in words
    assert "restore files from it" not in words


@pytest.mark.parametrize("severity", list(Severity))
def test_marks_one_severity(severity, lang):
    html = render(view(summary("residue", severity=severity.value)), lang)
    assert html.count('aria-current="true"') == 1


def test_an_open_question_has_no_severity(lang):
    assert "■" not in render(VIEWS["inconclusive"], lang)


def test_an_image_is_not_the_drive():
    assert "What was assessed is an image file" in render(VIEWS["inconclusive"], "en")
    assert "Only one partition was assessed" in render(VIEWS["partition"], "en")


# --- figures -------------------------------------------------------------------------------


def test_gives_the_figures():
    words = Page(render(FULL, "en")).words()
    for figure in (
        "2,000,000",
        "11.0 TB",
        "11,000,000,000,005 bytes",
        "about 598",
        "between 590 and 611",
        "200 of 2,000,000 files",
        "And 50 more",
        "And 30 more",
        "20,000,588,955,648 bytes",
    ):
        assert figure in words, figure


def test_candidates_stand_apart():
    told = summary(findings={"my_number": {"labelled": 2, "unlabelled": 77}})
    words = Page(render(view(told), "en")).words()
    assert "besides 77 candidates, not counted" in words
    assert re.search(r"Pieces of personal data 2 ", words)


@pytest.mark.parametrize("which", ["people", "firms"])
def test_null_is_not_nought(which):
    told = summary(findings={"email": {"labelled": 2, "unlabelled": 0}}, people=None, firms=None)
    assert Page(render(view(told), "en")).words().count("not counted yet") == 4
    told[which] = {"low": 1, "best": 2, "high": 3}
    assert Page(render(view(told), "en")).words().count("not counted yet") == 2


def test_a_sample_says_its_bound_and_that_it_proves_nothing():
    words = Page(render(SAMPLED, "en")).words()
    assert "104,857,600 bytes or more been left" in words
    assert "at least 99 %" in words
    assert "never proves a drive clean" in words
    assert "Not counted, because not every sector was read." in words


def test_kinds_that_make_it_grave_come_first():
    told = summary(
        findings={
            "email": {"labelled": 999, "unlabelled": 0},
            "my_number": {"labelled": 1, "unlabelled": 0},
            "tail_number": {"labelled": 1000, "unlabelled": 0},
        }
    )
    words = Page(render(view(told), "en")).words().partition("5. Whose")[2]
    assert words.index("My Number") < words.index("tail number") < words.index("E-mail")


def test_every_grave_kind_has_a_name():
    assert KINDS.keys() >= GRAVE_KINDS


@given(st.integers(0, 1 << 70), st.integers(0, 1 << 70))
def test_a_share_is_never_rounded_to_all_or_nothing(a, b):
    part, whole = min(a, b), max(a, b)
    assert (share(part, whole) == "100 %") == (part == whole > 0)
    assert (share(part, whole) == "0 %") == (part == 0)


@given(st.integers(0, 1 << 70))
def test_sizes_are_within_half_a_per_cent(value):
    number, unit = human(value).split(" ")
    told = float(number) * 1000 ** ("B", "kB", "MB", "GB", "TB", "PB", "EB").index(unit)
    assert abs(told - value) <= value * 0.00501
    assert exact(value, "en") == f"{value:,} bytes"


# --- hostile strings -----------------------------------------------------------------------

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script src=http://evil.example/x.js></script>",
    "</title></bdi></td></table>",
    "{{ 7*7 }}{% include 'report.css' %}{0}{name}",
    "javascript:alert(1)",
    "https://evil.example/",
    "invoice\u202exslx.exe",
    "\u2066\u200b\ufeff\x00\x1b[31m\r\n\t\x85\u2028",
    "a" + "\u0301" * 400,
    "\udc80\udcff\ud800",
    "\U000e0041\ue000\uffff",
    "\u3164\u2800",
    "-->" + "]]>" + "<!--",
    "長" * 5000,
)
hostile = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(st.characters(), max_size=60),
    st.lists(st.sampled_from(ATTACKS), max_size=3).map("".join),
    st.text("<>&\"'/\\{}%#:;=\u202e\u2067\x00\n", max_size=40),
)


def written_by(text: str, size: int = 4096) -> View:
    """A page wherever somebody else's string can stand."""
    told = summary(
        size=size,
        reasons=[text],
        not_reached=[text],
        not_looked_for=[text],
        source={"locator": text, "size": size, "format": text},
        encrypted=[{"locator": text, "kind": text}],
        damage=[{"locator": text, "what": text}],
        findings={text: {"labelled": 1, "unlabelled": 1}},
        digest={"sha256": text},
    )
    found = row(text, locator=text, kind=text, state=text, findings={text: 1}, masked=[text])
    more = {"name": text, "made_at": text, "version": text, "options": {text: text}}
    files = [found, replace(found, path=None)]
    return view(told, files=files, samples={text: [text]}, **more)


HARMLESS = {lang: Page(render(written_by("x"), lang)).tags for lang in LANGUAGES}


@settings(max_examples=60)
@given(hostile, st.sampled_from(LANGUAGES))
def test_a_hostile_string_changes_no_tag(text, lang):
    html = render(written_by(text), lang)
    tags = [tag for tag in Page(html).tags if tag[0] != "wbr"]
    assert tags == [tag for tag in HARMLESS[lang] if tag[0] != "wbr"]
    assert "<script" not in html.lower()
    assert not re.search(r"https?://", html)
    assert len(html) < 200_000


@given(hostile)
def test_what_is_shown_can_be_seen(text):
    shown = visible(text)
    shown.encode("utf-8")
    for char in shown:
        assert char == "\u3000" or (char.isprintable() and unicodedata.category(char) != "Cf")
    assert not re.search(r"[\u0300-\u036f]{5}", shown)


@pytest.mark.parametrize(
    "name",
    ["山田\u3000太郎.xlsx", "か\u3099き\u3099.txt", "葛\U000e0100城市.doc", "نص.txt", "a b.txt"],
)
def test_honest_names_stay_as_they_are(name):
    assert visible(name) == name
    assert f'<bdi class="given">{name}</bdi>' in report.given(name)


def test_bytes_that_were_no_text_are_shown_as_bytes():
    assert visible(b"\x8a\xff.txt".decode("utf-8", "surrogateescape")) == "⟨byte 8A⟩⟨byte FF⟩.txt"


def test_a_long_name_keeps_both_ends():
    shown = str(report.given("頭" + "x" * 9000 + ".xlsx"))
    assert "頭" in shown
    assert ".xlsx" in shown
    assert len(shown) < 300


# --- large and small -----------------------------------------------------------------------


def test_a_hundred_thousand_runs_make_a_page_of_ordinary_size():
    step = SIZE // 100_000
    names = ("zero", "structured", "random_like", "constant", "unread")
    classes = [(i * step, step, names[i * i % 5]) for i in range(100_000)]
    owned = [(i * step + 7, step, ("live", "deleted")[i % 2]) for i in range(0, 100_000, 3)]
    html = render(replace(FULL, classes=classes, owned=owned), "ja")
    assert len(html.encode()) < 1_500_000


def test_the_same_view_gives_the_same_page(lang):
    assert render(FULL, lang) == render(FULL, lang)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_stand_out_from_their_ground():
    style = render(view(), "en").partition("</style>")[0]
    colour = dict(re.findall(r"--(ink|soft|accent): (#[0-9a-f]{6})", style))
    pairs = [(c, "#ffffff") for c in colour.values()]
    for tone, tint in re.findall(r"--tone: (#\w{6}); --tint: (#\w{6})", style):
        pairs += [(tone, tint), (tone, "#ffffff"), (colour["soft"], tint), (colour["ink"], tint)]
    assert len(pairs) == 15
    for ink, ground in pairs:
        dark, light = sorted((luminance(ink), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)

"""What is found in a small text does not depend on those that it is read with."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hakushi import detect
from hakushi.detect import together
from hakushi.detect.reading import _BEHIND, _COMPANY
from hakushi.model import Locator, Text

KEY = b"key"
PIECES = [text for d in detect.detectors() for text, _ in d.yes] + [
    text for d in detect.detectors() for text in d.no
]
SEAMS = [
    "\n",
    "\t",
    ",",
    "氏名",
    "電話:",
    "氏名,電話番号\n",
    "名前(",
    "〒100-0001 ",
    "INSERT INTO t (name) VALUES ('山田太郎');\n",
    "INSERT INTO t VALUES ('佐藤花子');\n",
    "4111 1111 1111 1112 ",
    "4111 1111 1111 1111 ",
    "123456789018 ",
    "\0",
    "例:",
    "様",
    "\ud800",
]
TEXTS = st.lists(st.sampled_from([*PIECES, *SEAMS]) | st.text(max_size=8), max_size=6).map("".join)


def place(number: int) -> Locator:
    return Locator.root("image", "x").step("text", str(number))


@settings(deadline=None)
@given(st.lists(TEXTS.filter(lambda text: detect.small(Text(text))), min_size=1, max_size=5))
@example(["4111 1111 1111 1112 4111 1111 1111 1129", "4111 1111 1111 1111"])
@example(["INSERT INTO t (name) VALUES ('山田太郎');", "INSERT INTO t VALUES ('佐藤花子');"])
@example(["氏名,電話番号\n山田太郎,03-1234-5678", "佐藤花子,03-1234-5679"])
@example(["連絡先 電話:", "03-1234-5678"])
def test_texts_that_are_read_together_give_what_each_gives_alone(texts):
    some = [detect.Waiting(Text(text), place(number)) for number, text in enumerate(texts)]
    found = detect.find_all(some, KEY)
    alone = [one for pair in some for one in detect.find_all([pair], KEY)]
    assert found == alone


@settings(deadline=None)
@given(TEXTS.filter(lambda text: detect.small(Text(text))))
def test_a_small_text_gives_what_it_gives_between_two_lines(text):
    (found,) = detect.find_all([detect.Waiting(Text(text), place(0))], KEY)
    framed = detect.find(Text(f"\n{text}\n"), place(0), KEY)
    assert found.places == [(at - 1, *rest) for at, *rest in framed.places]


def test_nothing_reaches_from_one_text_into_the_next():
    forms = [form for one in detect.detectors() for form in one.forms]
    reach = max(max(form.before, form.after) for form in forms)
    assert max(reach, _BEHIND, _COMPANY) < together.APART

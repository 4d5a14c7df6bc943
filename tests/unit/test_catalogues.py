"""Every sentence that the program says has Japanese, and tools/catalogues notices what has not."""

import gettext
import io
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = HERE / "tools" / "catalogues"
    module = ModuleType("catalogues")
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
    return module


def test_every_sentence_has_japanese(tool):
    assert list(tool.complaints()) == []


def test_every_catalogue_is_compiled(tool):
    assert [path.name for path, _ in tool.stale()] == []


def package(folder: Path, source: str, words: str) -> Path:
    (folder / "locale/ja/LC_MESSAGES").mkdir(parents=True)
    (folder / "room.py").write_text(source, "utf-8")
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "locale/ja/LC_MESSAGES/room.po").write_text(head + words, "utf-8")
    return folder


GOOD = 'msgid "{n} files"\nmsgstr "{n} 件のファイル"\n'


@pytest.mark.parametrize(
    ("source", "words", "expected"),
    [
        ('message("{n} files", n=1)', GOOD, None),
        ('SAID = "{n} files"', GOOD, None),
        ('model.message("{n} files" if n else "{n} " "files", n=1)', GOOD, None),
        ('message("{n} files", n=1); message("gone")', GOOD, "no Japanese for 'gone'"),
        ('message("a" if x else "b")', 'msgid "a"\nmsgstr "あ"\n', "no Japanese for 'b'"),
        ("pass", GOOD, "no longer says"),
        ('message("{n} files", n=1)', GOOD.replace("{n} 件", "{m} 件"), "other fields"),
        ('message("{n} files", n=1)', GOOD.replace("{n} 件", "{n 件"), "other fields"),
        ('message("{n} files", n=1)', "#, fuzzy\n" + GOOD, "no Japanese"),
    ],
)
def test_notices(tool, tmp_path, source, words, expected):
    found = list(tool.complaints(package(tmp_path, source, words)))
    assert [expected in one for one in found] == ([True] if expected else [])


def test_reads_templates(tool, tmp_path):
    made = package(tmp_path, "pass", 'msgid "Files"\nmsgstr "ファイル"\n')
    (made / "page.html").write_text("<p>{{ _('Files') }} {{ _('People') }}</p>", "utf-8")
    assert list(tool.complaints(made)) == ["page.html:1: no Japanese for 'People'"]


def test_notices_two_translations_of_one_sentence(tool, tmp_path):
    made = package(tmp_path, 'message("{n} files", n=1)', GOOD)
    again = made / "locale/ja/LC_MESSAGES/again.po"
    again.write_text((made / "locale/ja/LC_MESSAGES/room.po").read_text("utf-8"), "utf-8")
    assert list(tool.complaints(made)) == []
    again.write_text(again.read_text("utf-8").replace("件", "個"), "utf-8")
    assert ["otherwise" in one for one in tool.complaints(made)] == [True]


def test_notices_a_stale_file(tool, tmp_path):
    made = package(tmp_path, "pass", GOOD)
    ((mo, data),) = tool.stale(made)
    mo.write_bytes(data)
    assert list(tool.stale(made)) == []
    mo.write_bytes(data[:-1])
    assert list(tool.stale(made)) == [(mo, data)]
    mo.write_bytes(data)
    mo.with_suffix(".po").unlink()
    assert list(tool.stale(made)) == [(mo, b"")]


sentences = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20)


@given(words=st.dictionaries(sentences, sentences, max_size=8))
def test_gettext_reads_back_what_was_compiled(tool, words):
    data = tool.compiled(words, "ja")
    read = gettext.GNUTranslations(io.BytesIO(data))
    assert {id: read.gettext(id) for id in words} == words
    assert data == tool.compiled(dict(reversed(words.items())), "ja")

"""Texts that wait to be read together: what goes wrong with one is told of that one alone."""

from hakushi.assess.units import How
from hakushi.detect import Found
from hakushi.media import Memory
from hakushi.model import Damage, Locator, Text

ROOT = Locator.root("image", "x")
MAIL = "To: hanako@example.jp\n"


def place(name: str) -> Locator:
    return ROOT.step("text", name)


def test_a_text_that_cannot_be_read_is_damage_and_the_others_are_found() -> None:
    how = How(b"k" * 32)
    broken = Text(MAIL, (0,), "utf-8")  # its characters stand nowhere
    told = [
        *how.texts.find(Text(MAIL), place("before")),
        *how.texts.find(broken, place("broken")),
        *how.texts.find(Text(MAIL), place("behind")),
        *how.texts.rest(),
    ]
    found = [one.locator for one in told if isinstance(one, Found) and one.places]
    assert found == [place("before"), place("behind")]
    assert [one.locator for one in told if isinstance(one, Damage)] == [place("broken")]


def test_small_files_wait_and_none_is_forgotten() -> None:
    how = How(b"k" * 32)
    sources = [Memory(MAIL.encode(), ROOT.step("file", str(n))) for n in range(1200)]
    told = [one for source in sources for one in how.texts.scan(source)]
    told += how.texts.rest()
    assert [one.locator for one in told] == [source.locator for source in sources]
    assert all(isinstance(one, Found) and len(one.places) == 1 for one in told)
    assert not list(how.texts.rest())

"""A file in the right folder is registered; a mistake in it shows at once."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hakushi import plugins


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Makes an importable folder of modules; returns its dotted name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(**modules: str) -> str:
        name = f"family_{len(list(tmp_path.iterdir()))}_{tmp_path.name.replace('-', '_')}"
        (tmp_path / name).mkdir()
        for module, source in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(source)
        return name

    yield make
    for name in [name for name in sys.modules if name.startswith("family_")]:
        del sys.modules[name]


def test_finds_what_every_module_offers_sorted_by_name(family):
    name = family(b="PLUGIN = 'b'", a="PLUGIN = 'a'", c="PLUGIN = 'c'")
    assert plugins.load(name, str) == ("a", "b", "c")


def test_a_module_may_offer_several(family):
    assert plugins.load(family(a="PLUGIN = ('x', 'y')", b="PLUGIN = 'z'"), str) == ("x", "y", "z")


def test_what_neighbours_share_is_no_plugin(family):
    assert plugins.load(family(_shared="PLUGIN = 1", a="PLUGIN = 'a'"), str) == ("a",)


@pytest.mark.parametrize("source", ["", "PLUGIN = 7", "PLUGIN = ('a', 7)", "PLUGIN = None"])
def test_a_module_without_one_is_a_mistake(family, source):
    with pytest.raises(TypeError, match="a has no PLUGIN of type str"):
        plugins.load(family(a=source), str)


def test_a_module_that_does_not_import_is_not_passed_over(family):
    with pytest.raises(ZeroDivisionError):
        plugins.load(family(a="1 / 0"), str)


def test_an_empty_folder_has_none(family):
    assert plugins.load(family(), str) == ()

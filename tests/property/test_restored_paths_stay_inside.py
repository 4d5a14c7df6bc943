"""Whatever a name on a drive says, what is restored stays inside its folder."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hakushi.app.restore import restore, wanted
from hakushi.assess.case import Case
from hakushi.assess.medium import Medium, Root
from hakushi.media import Memory
from hakushi.model import Artifact, Assessment, Locator, Run, Scope, State

names = st.text(max_size=12) | st.sampled_from(
    [
        "..",
        ".",
        "",
        "a",
        "a\0b",
        "a/../../b",
        "\u202egpj.exe",
        "x" * 300,
        "あ" * 300,
        "CON",
        "~",
        "a\nb",
    ]
)
paths = st.lists(names, max_size=6).map("/".join)


def artifact(number, path, state=State.LIVE):
    locator = Locator.root("memory", "m").step("fs", number)
    return Artifact(locator, "file", state, 4, (Run(4 * number, 4),), path=path)


@given(paths)
@example("/etc/passwd")
@example("../" * 50 + "x")
@example("a/" * 3000)
def test_a_wanted_path_is_short_and_has_no_way_out(path):
    place = wanted(artifact(0, path))
    assert not place.is_absolute()
    assert place.parts[0] == "live"
    assert not {"..", "."} & set(place.parts)
    assert all(0 < len(os.fsencode(part)) <= 255 and part.isprintable() for part in place.parts)
    assert len(os.fsencode(place)) < 3000


@settings(max_examples=40, deadline=None)
@given(st.lists(paths, min_size=1, max_size=5), st.sampled_from(list(State)))
def test_every_file_is_written_once_and_inside(all_paths, state):
    content = b"".join(b"%04d" % n for n in range(len(all_paths)))
    root = Locator.root("memory", "m")
    source = Memory(content, root)
    artifacts = [artifact(n, path, state) for n, path in enumerate(all_paths)]
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "outside").write_text("mine")
        case = Case(home / "c.hakushi", root, create=True)
        case.join([Assessment(artifacts={a.locator: a for a in artifacts})])
        medium = Medium(Root("m", "raw", root), source, Scope.IMAGE)
        for _ in range(2):
            restore(case, medium, home / "out", lambda _step: None)
            files = [p for p in (home / "out").rglob("*") if p.is_file()]
            assert sorted(p.read_bytes() for p in files) == sorted(
                b"%04d" % n for n in range(len(all_paths))
            )
        assert {p.name.split("-")[0] for p in home.iterdir()} <= {"outside", "out", "c.hakushi"}
        assert (home / "outside").read_text() == "mine"
        for place in (home / "out").rglob("*"):
            assert place.stat().st_mode & 0o077 == 0
        case.close()


def test_a_link_in_the_way_is_not_followed(tmp_path):
    root = Locator.root("memory", "m")
    case = Case(tmp_path / "c.hakushi", root, create=True)
    case.join([Assessment(artifacts={root.step("fs", 0): artifact(0, "sub/name.txt")})])
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "out" / "live").mkdir(parents=True)
    (tmp_path / "out" / "live" / "sub").symlink_to(victim)
    medium = Medium(Root("m", "raw", root), Memory(b"data", root), Scope.IMAGE)
    restore(case, medium, tmp_path / "out", lambda _step: None)
    assert list(victim.iterdir()) == []
    case.close()

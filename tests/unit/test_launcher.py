"""`./hakushi` sets up its environment once, whole or not at all, and runs this repository's code.

Each test has a repository of its own: the launcher, a lock that names one tiny wheel beside it, and
a program that shows how it was called. No package index is asked.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, os, sys, tiny
print(json.dumps({"args": sys.argv[1:], "cwd": os.getcwd(), "python": sys.executable,
    "source": __file__, "tiny": tiny.VERSION, "cache": os.environ["NUMBA_CACHE_DIR"],
    "path": sys.path}))
sys.exit(3)
"""


def wheel(folder: Path, version: str) -> str:
    """Makes a wheel; returns the line of a lock that names it."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("tiny.py", f"VERSION = {version!r}\n")
        made.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
        )
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"tiny @ {path.as_uri()} --hash=sha256:{digest}\n"


class Clone:
    """A repository with a launcher."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = root / "requirements" / "core.lock"
        for folder in ("tools", "requirements", "src/hakushi/cli"):
            (root / folder).mkdir(parents=True)
        for name in ("hakushi", "tools/venv.sh"):
            shutil.copy(HERE / name, root / name)
        for name in ("src/hakushi/__init__.py", "src/hakushi/cli/__init__.py"):
            (root / name).touch()
        (root / "src/hakushi/cli/main.py").write_text(PROGRAM)
        self.lock.write_text(wheel(root, "1.0"))

    def start(self, *words: str, program: Path | None = None, **options) -> subprocess.Popen[str]:
        # A user may have set any of these; the launcher must not trip over them.
        env = os.environ | {"LC_ALL": "C.UTF-8", "PYTHONPATH": "/nowhere", "PIP_USER": "1"}
        env.pop("HAKUSHI_VENV", None)
        return subprocess.Popen(
            [program or self.root / "hakushi", *words],
            env=env | options.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *words: str, **options) -> tuple[int, dict, str]:
        """Exit code, what the program printed, what was said."""
        process = self.start(*words, **options)
        out, said = process.communicate(timeout=120)
        return process.returncode, json.loads(out) if out else {}, said

    def leftovers(self) -> list[str]:
        """What lies beside the environment that should not."""
        return sorted(
            p.name for p in self.root.glob(".venv*") if p.name not in (".venv", ".venv.lock")
        )


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that was started once, in a folder with a space in its name."""
    clone = Clone(tmp_path_factory.mktemp("ready") / "my clone")
    code, shown, said = clone.run("assess", "a b", cwd="/")
    assert code == 3, said
    assert shown["tiny"] == "1.0"
    assert "Setting up" in said
    assert clone.leftovers() == []
    return clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone that was never started."""
    return Clone(tmp_path / "clone")


@pytest.fixture
def used(ready: Clone, clone: Clone) -> Clone:
    """A clone that was started before: nothing in an environment knows its place."""
    shutil.copy(ready.lock, clone.lock)
    shutil.copytree(ready.root / ".venv", clone.root / ".venv", symlinks=True)
    return clone


def test_passes_words_and_exit_code_and_keeps_the_folder(ready, tmp_path):
    code, shown, said = ready.run("assess", "a b", "", "--", "*", "--lang", "ja", cwd=tmp_path)
    assert code == 3
    assert shown["args"] == ["assess", "a b", "", "--", "*", "--lang", "ja"]
    assert shown["cwd"] == str(tmp_path)
    assert said == ""


def test_runs_its_own_code_with_its_own_python(ready):
    _, shown, _ = ready.run()
    assert shown["source"] == str(ready.root / "src/hakushi/cli/main.py")
    assert shown["python"] == str(ready.root / ".venv/bin/python")
    assert shown["cache"].startswith(str(ready.root / ".venv/"))
    assert "/nowhere" not in shown["path"]


def test_modules_of_the_current_folder_are_not_run(ready, tmp_path):
    """Whoever looks into a folder of evidence must not run what lies there."""
    (tmp_path / "tiny.py").write_text("raise SystemExit(99)")
    (tmp_path / "json.py").write_text("raise SystemExit(99)")
    code, _, _ = ready.run(cwd=tmp_path)
    assert code == 3


def test_works_through_symlinks(ready, tmp_path):
    (tmp_path / "one").symlink_to(ready.root / "hakushi")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "two").symlink_to("../one")
    code, shown, said = ready.run(program=tmp_path / "deep" / "two", cwd=tmp_path)
    assert (code, said) == (3, "")
    assert shown["source"].startswith(str(ready.root))


def test_starts_from_an_environment_that_it_may_not_write_to(ready):
    (ready.root / ".venv.lock").chmod(0o444)
    code, _, said = ready.run()
    (ready.root / ".venv.lock").chmod(0o644)
    assert (code, said) == (3, "")


def test_stands_elsewhere_where_that_is_wished(used, tmp_path):
    (used.root / ".venv").rename(tmp_path / "other place")
    code, shown, said = used.run(env={"HAKUSHI_VENV": "other place"}, cwd=tmp_path)
    assert (code, said) == (3, "")
    assert shown["python"] == str(tmp_path / "other place/bin/python")
    assert shown["source"].startswith(str(used.root))
    assert not (used.root / ".venv").exists()


def test_a_wrong_hash_installs_nothing_and_keeps_what_there_was(used):
    before = (used.root / ".venv/made-from.lock").read_text()
    used.lock.write_text(used.lock.read_text().rpartition(":")[0] + ":" + "0" * 64 + "\n")
    code, shown, said = used.run()
    assert (code, shown) == (5, {})
    assert "nothing was changed" in said
    assert (used.root / ".venv/made-from.lock").read_text() == before
    assert used.leftovers() == []


def wait_for(condition: Callable[[], object]) -> None:
    """Another process is to do something; a test that waits in vain fails."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_killed_half_way_leaves_nothing_that_looks_ready(clone):
    """The next start, or the next two at once, set up anew, once; an empty folder is in no way."""
    (clone.root / ".venv").mkdir()
    process = clone.start(start_new_session=True)
    wait_for(lambda: list(clone.root.glob(".venv.new.*/bin/python")))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (clone.root / ".venv/bin").exists()
    both = [clone.start(), clone.start()]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [3, 3]
    assert sum("Setting up" in words for words in said) == 1
    assert clone.leftovers() == []


def test_interrupted_half_way_cleans_up(clone):
    process = clone.start(start_new_session=True)
    wait_for(lambda: list(clone.root.glob(".venv.new.*/bin/python")))
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    wait_for(lambda: clone.leftovers() == [])
    assert not (clone.root / ".venv").exists()


def test_a_running_program_keeps_its_environment(used):
    """A changed lock makes it anew, but not before a long run has ended that uses it."""
    gate = used.root / "gate"
    os.mkfifo(gate)
    main = used.root / "src/hakushi/cli/main.py"
    main.write_text(f"open({str(gate)!r}).read()\nimport tiny\nprint(tiny.VERSION)\n")
    running = used.start()
    with gate.open("w"):  # it runs now, and waits for this to close
        used.lock.write_text(wheel(used.root, "2.0"))
        main.write_text(PROGRAM)
        second = used.start()
        assert second.stderr is not None
        assert "in use" in second.stderr.readline()
        assert (used.root / ".venv/made-from.lock").read_text() != used.lock.read_text()
    assert running.communicate(timeout=60)[0] == "1.0\n"
    assert '"tiny": "2.0"' in second.communicate(timeout=120)[0]
    assert used.leftovers() == []


@pytest.mark.parametrize("what", ["folder", "file", "dangling link"])
def test_what_it_did_not_make_is_left_alone(clone, tmp_path, what):
    """A wrong HAKUSHI_VENV must not cost anyone a folder."""
    place = tmp_path / "precious"
    if what == "folder":
        place.mkdir()
        (place / "thesis.txt").write_text("years of work")
    elif what == "file":
        place.write_text("years of work")
    else:
        place.symlink_to(tmp_path / "unplugged")
    code, shown, said = clone.run(env={"HAKUSHI_VENV": f"{place}/" if what == "folder" else place})
    assert (code, shown) == (5, {})
    assert "left alone" in said
    assert place.is_symlink() or what in ("folder", "file")
    assert not place.is_file() or place.read_text() == "years of work"
    assert not place.is_dir() or (place / "thesis.txt").read_text() == "years of work"
    assert sorted(p.name for p in tmp_path.glob("precious*")) == ["precious", "precious.lock"]


def test_says_what_to_do_without_a_python(clone):
    tools = {"env": {"HAKUSHI_PYTHON": "no-such-python"}}
    code, _, said = clone.run(**tools)
    assert code == 5
    assert "Python 3.11" in said
    code, _, said = clone.run("--lang", "ja", **tools)
    assert code == 5
    assert "インストール" in said
    assert not (clone.root / ".venv").exists()


def test_without_flock_it_still_sets_up_once(clone):
    bin = clone.root / "bin"
    bin.mkdir()
    for tool in ("dirname", "readlink", "mkdir", "rm", "rmdir", "mv", "cp", "cat", "cmp", "sleep"):
        (bin / tool).symlink_to(shutil.which(tool))
    python = Path(sys.base_prefix) / "bin/python3"
    env = {"env": {"PATH": str(bin), "HAKUSHI_PYTHON": str(python)}}
    stale = clone.root / ".venv.lock.d"
    stale.mkdir()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (stale / "pid").write_text(f"{ended.pid}\n")
    both = [clone.start(**env), clone.start(**env)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [3, 3], said
    assert sum("Setting up" in words for words in said) == 1
    assert clone.leftovers() == []

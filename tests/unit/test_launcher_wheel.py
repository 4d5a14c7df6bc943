"""`pip install .` gives the same program as the repository: every module and every data file."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without an index from a copy, so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        HERE / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(HERE / name, folder / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"),
            *("--disable-pip-version-check", "--wheel-dir", folder / "out", folder),
        ],
        check=True,
        timeout=120,
    )
    (made,) = (folder / "out").glob("*.whl")
    return made


def test_holds_every_file_of_the_package(wheel):
    source = wheel.parents[1] / "src"
    wanted = {
        str(path.relative_to(source))
        for path in (source / "hakushi").rglob("*")
        if path.is_file() and path.suffix != ".po"
    }
    shipped = zipfile.ZipFile(wheel).namelist()
    assert {name for name in shipped if name.startswith("hakushi/")} == wanted
    assert any(name.endswith(".mo") for name in wanted)


def test_gives_the_command_and_the_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "hakushi = hakushi.cli.main:main" in archive.read(entry).decode()
        assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in archive.namelist()}


@pytest.mark.parametrize(("lang", "expected"), [("en", "Usage"), ("ja", "復元")])
def test_runs_from_the_wheel_in_both_languages(wheel, tmp_path, lang, expected):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    env = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "hakushi", "--lang", lang, "--help"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout

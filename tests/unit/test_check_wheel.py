"""The second wheel checks certificates where nothing but cryptography is installed."""

import importlib.metadata
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.certificates import FOLDER, POLICY, certificate, good

from hakushi.certify.code import of_certificate

HERE = Path(__file__).resolve().parents[2]
EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.txt").read_text())


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel, cryptography and what that needs."""
    folder = tmp_path_factory.mktemp("check")
    subprocess.run(
        [sys.executable, HERE / "tools" / "make_check_wheel", folder / "out"],
        check=True,
        timeout=120,
    )
    (wheel,) = (folder / "out").glob("hakushi_check-*.whl")
    assert wheel.stat().st_size < 100_000
    venv.create(folder / "env", with_pip=False)
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    for name in ("cryptography", "cffi", "pycparser"):
        place = importlib.metadata.distribution(name)
        for part in {Path(one).parts[0] for one in map(str, place.files or ())} - {".."}:
            (site / part).symlink_to(place.locate_file(part))
    words = (*("-m", "pip", "install", "-qq", "--no-deps", "--no-index"), "--target", site, wheel)
    subprocess.run([sys.executable, *words], check=True, timeout=120)
    return folder / "env" / "bin" / "python"


def run(python: Path, *words: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [python, "-I", "-m", "hakushi_check.certify.offline", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", EXPECTED)
def test_it_agrees_with_the_vectors(python, name):
    code, out, err = run(python, FOLDER / f"{name}.json", "--policy", FOLDER / "policy")
    if EXPECTED[name] == "holds":
        assert (code, err) == (0, "")
        assert "Not proven:" in out
    else:
        assert (code, out) == (6, "")
        assert err.startswith(f"[{EXPECTED[name]}]")


def test_it_reads_a_code(python, tmp_path):
    made = certificate(good())
    (tmp_path / "code").write_text(of_certificate(made))
    (tmp_path / "policy").write_text(POLICY)
    code, out, _ = run(python, tmp_path / "code", "--policy", tmp_path / "policy")
    assert code == 0
    assert made.digest[:32] in out
    assert run(python, tmp_path / "nothing")[0] == 5


def test_nothing_else_is_there(python):
    done = subprocess.run(
        [python, "-I", "-c", "import numpy"], capture_output=True, text=True, check=False
    )
    assert "ModuleNotFoundError" in done.stderr
